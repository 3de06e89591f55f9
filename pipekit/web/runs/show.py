# Runs: the list, a run's page, its log, cancelling. What moves on the page is in live.py.
"""`/runs`, `/runs/{id}`, `/runs/{id}/log.txt`, `POST /runs/{id}/cancel`, `.../drop`."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from pipekit import repo
from pipekit.cron import get_zone
from pipekit.engine.receipt import stamp_blocks
from pipekit.engine.starting.requests import ask_cancel, ask_drop
from pipekit.http.state import ContextDep, Db
from pipekit.models import RunStatus
from pipekit.repo import run_lists
from pipekit.web.kit.answers import go
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Operator, Viewer
from pipekit.web.runs.live import build_values

router = APIRouter(include_in_schema=False)

PAGE_ROWS = 50
BLOCK_CHARS = 524_288
STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)

FILTERS = ("module", "group", "day", "text", "status", "from", "to")


@router.get("/runs")
def show_runs(request: Request, db: Db, user: Viewer) -> Response:
    """Every run, the newest first, by module, group, status, day and what the error says."""
    words = request.query_params
    kept = {name: words.get(name, "").strip()[:200] for name in FILTERS}
    before = read_number(words.get("before", ""))
    asked = _read_filter(kept, before)
    found = run_lists.list_run_briefs(db, asked, limit=PAGE_ROWS + 1)

    def address(**changes: Any) -> str:
        named = {name: value for name, value in {**kept, **changes}.items() if value}
        return "/runs" + (f"?{urlencode(named)}" if named else "")

    return render(
        request,
        "runs.html",
        runs=found[:PAGE_ROWS],
        more=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        asked=kept,
        chosen=asked.status,
        statuses=STATUSES,
        groups=repo.list_groups(db),
        address=address,
        is_filtered=any(kept.values()) or before is not None,
        is_first=before is None,
        has_archive=repo.has_archived_runs(db),
    )


def _read_filter(kept: dict[str, str], before: int | None) -> run_lists.RunFilter:
    """What cannot be read filters nothing."""
    since, until = _read_day(kept["day"])
    return run_lists.RunFilter(
        module=kept["module"] or None,
        status=next((status for status in STATUSES if status == kept["status"]), None),
        group_id=read_number(kept["group"]),
        since=since,
        until=until,
        text=kept["text"] or None,
        before_id=before,
        from_id=read_number(kept["from"]),
        to_id=read_number(kept["to"]),
    )


def _read_day(text: str) -> tuple[str | None, str | None]:
    """When a day on the wall (`2026-11-24`) begins and ends, as records have it."""
    try:
        day = date.fromisoformat(text)
        begin, end = (datetime.combine(day + timedelta(days=more), time.min, get_zone()) for more in (0, 1))
    except (ValueError, OverflowError):
        return None, None
    return repo.format_moment(begin.astimezone(UTC)), repo.format_moment(end.astimezone(UTC))


def read_number(text: str) -> int | None:
    """A number of an address; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


@router.get("/runs/{run_id:int}")
def show_run(request: Request, db: Db, user: Viewer, run_id: int, tab: str = "") -> Response:
    """A run: live while it goes on, its receipt when it has ended."""
    return render(request, "run.html", **build_values(db, run_id, tab))


@router.get("/runs/{run_id:int}/log.txt")
def download_log(db: Db, context: ContextDep, user: Viewer, run_id: int) -> Response:
    """The whole live log, in blocks."""
    run = repo.get_run(db, run_id)
    headers = {"Content-Disposition": f'attachment; filename="run-{run.id}.log"'}
    blocks = stamp_blocks(_iterate_log(context.config.state_path, run_id), "%Y-%m-%d %H:%M:%S")
    return StreamingResponse(blocks, media_type="text/plain; charset=utf-8", headers=headers)


def _iterate_log(path: Path, run_id: int) -> Iterator[list[repo.TimedText]]:
    """Opens the state anew for each block: blocks are read in whatever thread is free."""
    offset = 0
    while True:
        with closing(repo.open_state(path)) as db:
            found, offset = repo.read_timed_log(db, run_id, offset, BLOCK_CHARS)
        if not found:
            return
        yield found


@router.post("/runs/{run_id:int}/drop")
def drop(request: Request, db: Db, user: Operator, run_id: int) -> Response:
    """Has what a preview has staged removed."""
    ask_drop(db, repo.get_run(db, run_id), user=user.name)
    return go(request, f"/runs/{run_id}")


@router.post("/runs/{run_id:int}/cancel")
def cancel(request: Request, db: Db, user: Operator, run_id: int) -> Response:
    """Asks a run to stop; one that has ended stays as it is."""
    ask_cancel(db, repo.get_run(db, run_id), user=user.name)
    return go(request, f"/runs/{run_id}")

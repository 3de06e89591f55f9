# Runs: the list, a run's page, its log, cancelling. What moves on the page is in live.py.
"""`/runs`, `/runs/{id}`, `/runs/{id}/log.txt`, `POST /runs/{id}/cancel`, `.../drop`."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from pipekit import repo
from pipekit.engine.starting.requests import ask_cancel, ask_drop
from pipekit.http.state import ContextDep, Db
from pipekit.models import RunStatus
from pipekit.repo import pages
from pipekit.web.kit.answers import go
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Operator, Viewer
from pipekit.web.runs.live import build_values

router = APIRouter(include_in_schema=False)

PAGE_ROWS = 50
BLOCK_CHARS = 524_288
STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)


@router.get("/runs")
def show_runs(request: Request, db: Db, user: Viewer) -> Response:
    """Every run, the newest first, by module and status."""
    words = request.query_params
    module = words.get("module", "").strip()[:200]
    status = next((status for status in STATUSES if status == words.get("status")), None)
    before = read_number(words.get("before", ""))
    found = pages.list_run_briefs(db, module=module or None, status=status, limit=PAGE_ROWS + 1, before_id=before)
    kept = {"module": module, "status": status or ""}

    def address(**changes: Any) -> str:
        named = {name: value for name, value in {**kept, **changes}.items() if value}
        return "/runs" + (f"?{urlencode(named)}" if named else "")

    return render(
        request,
        "runs.html",
        runs=found[:PAGE_ROWS],
        more=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        module=module,
        chosen=status,
        statuses=STATUSES,
        address=address,
        is_first=before is None,
        has_archive=repo.has_archived_runs(db),
    )


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
    blocks = _iterate_log(context.config.state_path, run_id)
    return StreamingResponse(blocks, media_type="text/plain; charset=utf-8", headers=headers)


def _iterate_log(path: Path, run_id: int) -> Iterator[str]:
    """Opens the state anew for each block: blocks are read in whatever thread is free."""
    offset = 0
    while True:
        with closing(repo.open_state(path)) as db:
            text, offset = repo.read_live_log(db, run_id, offset, BLOCK_CHARS)
        if not text:
            return
        yield text


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

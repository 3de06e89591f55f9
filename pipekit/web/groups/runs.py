# Group runs: a page with a Gantt of the members, live while it goes on. Knows no group's definition.
"""`/group-runs`, `/group-runs/{id}`, `/group-runs/{id}/live`, `POST /group-runs/{id}/cancel`."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from markupsafe import Markup

from pipekit import repo
from pipekit.engine.receipt import format_duration
from pipekit.engine.starting.requests import ask_group_cancel, ask_group_rerun
from pipekit.errors import Conflict
from pipekit.http.state import ContextDep, Db
from pipekit.models import GroupRun, Run
from pipekit.repo import pages, run_lists
from pipekit.web.kit.answers import answer_error, go, wants_json
from pipekit.web.kit.drawing import GanttBar
from pipekit.web.kit.render import get_moment, render, render_piece
from pipekit.web.kit.sessions import Operator, Viewer
from pipekit.web.kit.words import status_word
from pipekit.web.runs.view import list_live_lines

router = APIRouter(include_in_schema=False)

PAGE_ROWS = 50


@router.get("/group-runs")
def show_group_runs(request: Request, db: Db, user: Viewer, before: int | None = None) -> Response:
    """Every group run, the newest first."""
    found = repo.list_group_runs(db, limit=PAGE_ROWS + 1, before_id=before)
    more = found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None
    moment = get_moment()
    tallies = run_lists.count_group_runs(db, [item.id for item in found[:PAGE_ROWS]])
    crons = {f"schedule:{item.id}": item.cron for item in repo.list_schedules(db)}
    lines = Markup().join(
        _draw_line(item, tallies.get(item.id), crons.get(item.triggered_by), moment) for item in found[:PAGE_ROWS]
    )
    return render(request, "group_runs.html", lines=lines, more=more, is_first=before is None)


@lru_cache(maxsize=1000)
def _draw_line(item: GroupRun, tally: run_lists.Tally | None, cron: str | None, moment: int) -> Markup:
    return render_piece("_group_run_line.html", item=item, tally=tally, cron=cron, took_s=_took(item))


@router.get("/group-runs/{group_run_id:int}")
def show_group_run(request: Request, db: Db, user: Viewer, group_run_id: int) -> Response:
    """A group run: when each member ran, and what came of it."""
    return render(request, "group_run.html", **_build_values(db, group_run_id))


@router.get("/group-runs/{group_run_id:int}/live")
def show_live(request: Request, db: Db, user: Viewer, group_run_id: int, have: str | None = None) -> Response:
    """The part of the page that moves; 204 when what the page has is still so."""
    if have and have == pages.get_group_run_stamp(db, group_run_id):
        return Response(status_code=204)
    return render(request, "_group_run_live.html", **_build_values(db, group_run_id))


@router.post("/group-runs/{group_run_id:int}/cancel")
def cancel(request: Request, db: Db, user: Operator, group_run_id: int) -> Response:
    """Ends the members that wait, asks those that run to stop."""
    ask_group_cancel(db, repo.get_group_run(db, group_run_id), user=user.name)
    return go(request, f"/group-runs/{group_run_id}")


@router.post("/group-runs/{group_run_id:int}/rerun")
def rerun(request: Request, db: Db, context: ContextDep, user: Operator, group_run_id: int) -> Response:
    """Asks for the rest of it again, from the first member that did not succeed."""
    try:
        again = ask_group_rerun(db, repo.get_group_run(db, group_run_id), user=user.name)
    except Conflict as error:
        if wants_json(request):
            return answer_error(request, error)
        raise
    context.wake()
    if wants_json(request):
        return JSONResponse({"group_run_id": again.id}, 202)
    return go(request, f"/group-runs/{again.id}")


def _build_values(db: repo.State, group_run_id: int) -> dict[str, Any]:
    stamp = pages.get_group_run_stamp(db, group_run_id)
    group_run = repo.get_group_run(db, group_run_id)
    runs = pages.list_member_briefs(db, group_run_id)
    now = datetime.now(UTC)
    return {
        "group_run": group_run,
        "cron": repo.find_cron(db, group_run.triggered_by),
        "took_s": _took(group_run, now),
        "bars": list(zip(runs, build_bars(group_run, runs, now), strict=True)),
        "lines": {line.run.id: line for line in list_live_lines(db, now, group_run_id=group_run_id)},
        "hold": _find_group_hold(db, runs),
        "counts": Counter(run.status for run in runs),
        "first_bad": next((run for run in runs if run.status in ("error", "cancelled")), None),
        "stamp": stamp,
    }


def _find_group_hold(db: repo.State, runs: Sequence[pages.RunBrief]) -> repo.Hold:
    """Whether what waits is held back by a pause."""
    waiting = next((run for run in runs if run.status == "queued"), None)
    return repo.find_hold(db, waiting.id) if waiting else ""


def _took(group_run: GroupRun, now: datetime | None = None) -> float | None:
    if not group_run.started_at or not (group_run.finished_at or now):
        return None
    end = datetime.fromisoformat(group_run.finished_at) if group_run.finished_at else now
    assert end is not None
    return max((end - datetime.fromisoformat(group_run.started_at)).total_seconds(), 0.0)


def build_bars(group_run: GroupRun, runs: Sequence[Run | pages.RunBrief], now: datetime) -> list[GanttBar | None]:
    """A bar for each run that has started; None for one that has not."""
    begin = datetime.fromisoformat(group_run.started_at) if group_run.started_at else now
    moments = [datetime.fromisoformat(run.finished_at) for run in runs if run.finished_at]
    end = max(moments, default=now) if group_run.finished_at else now
    whole_s = max((end - begin).total_seconds(), 0.001)
    return [_build_bar(run, begin, end, whole_s) for run in runs]


def _build_bar(run: Run | pages.RunBrief, begin: datetime, end: datetime, whole_s: float) -> GanttBar | None:
    if not run.started_at:
        return None
    started = datetime.fromisoformat(run.started_at)
    stopped = datetime.fromisoformat(run.finished_at) if run.finished_at else end
    took = format_duration(max((stopped - started).total_seconds(), 0.0))
    first, last = ((moment - begin).total_seconds() / whole_s for moment in (started, stopped))
    label = f"{run.module} {status_word(run.status)} {took}"
    return GanttBar(run.id, label, run.status, min(max(first, 0.0), 1.0), min(max(last, 0.0), 1.0))

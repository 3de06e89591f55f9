# The part of a run's page that moves, asked for every two seconds by everybody who watches. Knows one run at a time.
"""`/runs/{id}/live`, and the values that the whole page is drawn from."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from pipekit import repo
from pipekit.engine.progress import build_usual
from pipekit.engine.receipt import stamp_log
from pipekit.engine.undoing.asking import find_refusal
from pipekit.errors import NotFound
from pipekit.http.state import ContextDep, Db
from pipekit.models import Run
from pipekit.repo import pages
from pipekit.repo.progress import list_good_loads
from pipekit.web.kit.render import Packed, answer_packed, render_piece
from pipekit.web.kit.sessions import Viewer
from pipekit.web.runs.view import compare_runs, describe_run, is_usual_load

router = APIRouter(include_in_schema=False)

TAIL_CHARS = 65_536
CHUNK_ROOM = 4_096
TABS = ("rows", "log", "sql", "merge", "watermarks")
# A run that writes without a pause is drawn this often, however many watch it.
DRAWN_EVERY_S = 0.5
MOST_KEPT = 64


@dataclass(slots=True)
class _Drawn:
    """What was drawn last for a run, the same for everybody: no buttons, nothing of a session."""

    values: dict[str, Any]
    drawn_at: float
    html: Packed

    @property
    def stamp(self) -> str:
        """What it shows."""
        return str(self.values["stamp"])


_Key = tuple[Path, int, str]
_DRAWN: dict[_Key, _Drawn] = {}


@router.get("/runs/{run_id:int}/live")
async def show_live(
    request: Request,
    db: Db,
    context: ContextDep,
    user: Viewer,
    run_id: int,
    have: str | None = None,
    tab: str = "",
) -> Response:
    """The part of the page that moves; 204 when what the page has is still so.

    One drawing does for all who watch. The buttons, which are each person's own, come along when they have changed.
    """
    stamp = pages.get_run_stamp(db, run_id)
    if have and have == stamp:
        return Response(status_code=204)
    key = (context.config.state_path, run_id, tab)
    drawn = _DRAWN.get(key)
    if drawn is None or not _is_good_enough(drawn, stamp):
        if drawn:
            drawn.drawn_at = time.monotonic()  # whoever comes meanwhile is content with the last one
        drawn = await run_in_threadpool(_draw, db, run_id, tab)
        if len(_DRAWN) >= MOST_KEPT:
            _DRAWN.clear()
        _DRAWN[key] = drawn
    if have == drawn.stamp:
        return Response(status_code=204)
    has_same_buttons = have and pages.get_phase(have) == pages.get_phase(drawn.stamp)
    return answer_packed(request, drawn.html, "" if has_same_buttons else _draw_buttons(request, drawn))


def _is_good_enough(drawn: _Drawn, stamp: str) -> bool:
    is_young = time.monotonic() - drawn.drawn_at < DRAWN_EVERY_S
    return drawn.stamp == stamp or (is_young and pages.get_phase(drawn.stamp) == pages.get_phase(stamp))


def _draw(db: repo.State, run_id: int, tab: str) -> _Drawn:
    begun_at = time.monotonic()
    values = build_values(db, run_id, tab) | {"is_fragment": True}
    return _Drawn(values, begun_at, Packed(render_piece("_run_live.html", **values)))


def _draw_buttons(request: Request, drawn: _Drawn) -> str:
    session = request.state.session
    mine = {**drawn.values, "user": session.user, "csrf": session.csrf}
    buttons = render_piece("_run_actions.html", **mine)
    return buttons if drawn.values["view"].is_alive else buttons + render_piece("_run_tabs.html", **mine)


def build_values(db: repo.State, run_id: int, tab: str) -> dict[str, Any]:
    """What the templates of a run's page need. Raises NotFound."""
    # The stamp is taken before the rest is read: what changes in between is shown again, never missed.
    stamp = pages.get_run_stamp(db, run_id)
    run = repo.get_run(db, run_id)
    found = repo.find_preview(db, run.id) if run.preview else None
    tail = repo.read_timed_tail(db, run.id, TAIL_CHARS)
    loads = list_good_loads(db, [run.module_id], run.id)[run.module_id] if run.module_id else []
    group_run = repo.get_group_run(db, run.group_run_id) if run.group_run_id else None
    return {
        "run": run,
        "view": describe_run(run, build_usual(loads)),
        "hold": repo.find_hold(db, run.id) if run.status == "queued" else "",
        "tail": stamp_log(tail),
        "is_tail_cut": sum(len(part.text) for part in tail) >= TAIL_CHARS - CHUNK_ROOM,
        "good": repo.get_run(db, loads[0].run_id) if loads and run.finished_at and is_usual_load(run) else None,
        "stamp": stamp,
        "preview": found,
        "asked_tab": tab,
        "tab": tab if tab in TABS else _choose_tab(run, found is not None),
        "group_run": group_run,
        "cron": repo.find_cron(db, run.triggered_by),
        "can_undo": not find_refusal(run),
        "compare": compare_runs,
        "places": _list_places(db, run) if run.status == "error" else [],
    }


def _choose_tab(run: Run, has_rows: bool) -> str:
    """What somebody came for: rows of a preview, the statements of a dry run."""
    return "rows" if has_rows else "sql" if run.status == "dry_run" and not run.preview else "log"


def _list_places(db: repo.State, run: Run) -> list[tuple[str, str, str]]:
    """Where a run that failed can be mended: what it is, its address, its name."""
    try:
        module = repo.get_module(db, run.module_id or 0)
    except NotFound:
        return []
    places = [("module", f"/modules/{module.id}", module.name)]
    for place, connection_id in (("source", module.source_id), ("dest", module.dest_id)):
        name = repo.get_connection(db, connection_id).name
        places.append((place, f"/connections/{connection_id}", name))
    return places

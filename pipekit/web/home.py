# The first page and the bar's state. Knows overviews, no single module and no single run.
"""`/`, `/board` and `/status`."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from pipekit import repo
from pipekit.http.state import Context, ContextDep, Db
from pipekit.repo import overview, pages
from pipekit.repo.nights import count_unfired, list_streaks
from pipekit.server.alerts.watching import list_stale
from pipekit.server.lateness import count_coming, list_late, list_next
from pipekit.server.scheduler import get_zone
from pipekit.web.day import MOST_BARS, draw_counts, draw_runs, list_labels
from pipekit.web.kit.render import render, render_piece
from pipekit.web.kit.sessions import Viewer
from pipekit.web.night import Night, build_weeks, tell_night
from pipekit.web.runs.view import list_live_lines

router = APIRouter(include_in_schema=False)

# How long times that go on may stand still while nothing else changes.
BOARD_HOLDS_S = 2
SPAN_S = 900
SPANS = 96
SHOWN_NEXT = 5
SHOWN_FAILED = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """The first page's part that moves, drawn; `stamp` tells it from one that looks different."""

    html: Markup
    stamp: str


@router.get("/")
def show_home(request: Request, context: ContextDep, user: Viewer) -> Response:
    """What is late, what failed, what runs, what comes next, and the last day."""
    installed, board = _recall(context, user.may("operator"))
    return render(request, "home.html", installed=installed, board=board)


@router.get("/board")
def show_board(request: Request, context: ContextDep, user: Viewer, have: str | None = None) -> Response:
    """The part of the first page that moves; 204 when what the page has looks the same."""
    _, board = _recall(context, user.may("operator"))
    if board is None or have == board.stamp:
        return Response(status_code=204)
    return render(request, "_home_live.html", board=board)


def _recall(context: Context, may_run: bool) -> tuple[overview.Installed, Board | None]:
    span = int(time.time() / BOARD_HOLDS_S)
    return context.memory.recall(("home", may_run, span), lambda db: _read_home(db, may_run))


def _read_home(db: repo.State, may_run: bool) -> tuple[overview.Installed, Board | None]:
    installed = overview.count_installed(db)
    if not installed.modules:
        return installed, None
    html = _draw_board(db, may_run)
    return installed, Board(html=html, stamp=hashlib.sha256(html.encode(errors="replace")).hexdigest()[:16])


def _draw_board(db: repo.State, may_run: bool) -> Markup:
    now, zone = datetime.now(UTC), get_zone()
    failed = pages.list_failed_modules(db)
    late = list_late(overview.list_schedule_states(db), now, zone)
    stale = list_stale(db, now)
    alive, crons = overview.count_alive(db), overview.pack_crons(db)
    begin = now - timedelta(seconds=SPAN_S * SPANS)
    buckets = overview.count_ended_by_span(db, repo.format_moment(begin), SPAN_S)
    night = _sum_night(db, repo.format_moment(begin), buckets, len(failed), len(late) + len(stale), alive)
    shown = failed[:SHOWN_FAILED]
    return render_piece(
        "_home_board.html",
        may_run=may_run,
        night=tell_night(night),
        is_bad=bool(failed or late or stale),
        late=late,
        stale=stale,
        failed=shown,
        failed_count=len(failed),
        streaks=list_streaks(db, [run.module_id for run in shown if run.module_id is not None]),
        live=list_live_lines(db, now),
        alive=alive,
        next=list_next(crons, now, zone)[:SHOWN_NEXT],
        coming=count_coming(crons, now, zone),
        members=overview.count_enabled_members(db),
        day=_draw_day(db, begin, now, zone, buckets),
        weeks=build_weeks(db, now, zone),
    )


def _sum_night(
    db: repo.State, since: str, buckets: Sequence[overview.Bucket], failing: int, late: int, alive: overview.Alive
) -> Night:
    unfired = count_unfired(db, since)
    return Night(
        ended=sum(bucket.ended for bucket in buckets),
        failed=sum(bucket.failed for bucket in buckets),
        failing=failing,
        late=late,
        skipped=unfired.get("skipped", 0),
        missed=unfired.get("missed", 0),
        paused=alive.paused,
    )


def _draw_day(db: repo.State, begin: datetime, now: datetime, zone: tzinfo, buckets: Sequence[overview.Bucket]) -> str:
    """The last 24 hours: each run, or where those are too many to be told apart, how many ended each quarter hour."""
    since, labels = repo.format_moment(begin), list_labels(begin, now, zone)
    if not buckets:
        return ""
    if sum(bucket.ended for bucket in buckets) > MOST_BARS:
        return draw_counts(buckets, SPANS, labels)
    return draw_runs(overview.list_ended_runs(db, since, MOST_BARS), begin, now, labels)


@router.get("/status")
def show_status(request: Request, db: Db, user: Viewer, have: str | None = None) -> Response:
    """The bar's fragment; 204 when what the page has is still so."""
    alive = overview.count_alive(db)
    stamp = f"{alive.running}.{alive.queued}.{int(alive.paused)}.{int(alive.unsent)}"
    if have == stamp:
        return Response(status_code=204)
    return render(request, "_status.html", alive=alive, stamp=stamp)

# The first page and the bar's state. Knows overviews, no single module and no single run.
"""`/` and `/status`."""

from datetime import UTC, datetime, timedelta, tzinfo

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.api.state import Db
from pipekit.repo import overview, pages
from pipekit.scheduler import get_zone
from pipekit.web.drawing import draw_day
from pipekit.web.lateness import list_late, list_next
from pipekit.web.pages import render
from pipekit.web.run_view import describe_live
from pipekit.web.sessions import Viewer

router = APIRouter(include_in_schema=False)

SPAN_S = 900
SPANS = 96
SHOWN_NEXT = 5
SHOWN_FAILED = 20


@router.get("/")
def show_home(request: Request, db: Db, user: Viewer) -> Response:
    """What is late, what failed, what runs, what comes next, and the last day."""
    now, zone = datetime.now(UTC), get_zone()
    states = overview.list_schedule_states(db)
    failed = pages.list_failed_modules(db)
    return render(
        request,
        "home.html",
        installed=overview.count_installed(db),
        late=list_late(states, now, zone),
        failed=failed[:SHOWN_FAILED],
        failed_count=len(failed),
        live=[describe_live(item, now) for item in pages.list_live_briefs(db)],
        alive=overview.count_alive(db),
        next=list_next(states, now, zone)[:SHOWN_NEXT],
        members=overview.count_enabled_members(db),
        day=_draw_day(db, now, zone),
    )


def _draw_day(db: repo.State, now: datetime, zone: tzinfo) -> str:
    """The last 24 hours in spans of a quarter of an hour."""
    begin = now - timedelta(seconds=SPAN_S * SPANS)
    buckets = overview.count_ended_by_span(db, repo.format_moment(begin), SPAN_S)
    if not buckets:
        return ""
    first = (begin + timedelta(hours=2)).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    hours = [first + timedelta(hours=3 * step) for step in range(8)]
    labels = [((hour - begin) / timedelta(seconds=SPAN_S * SPANS), hour.strftime("%H:%M")) for hour in hours]
    return draw_day(buckets, SPANS, [(share, word) for share, word in labels if 0.02 < share < 0.98])


@router.get("/status")
def show_status(request: Request, db: Db, user: Viewer, have: str | None = None) -> Response:
    """The bar's fragment; 204 when what the page has is still so."""
    alive = overview.count_alive(db)
    stamp = f"{alive.running}.{alive.queued}.{int(alive.paused)}"
    if have == stamp:
        return Response(status_code=204)
    return render(request, "_status.html", alive=alive, stamp=stamp)

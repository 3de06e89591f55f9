# Figures for what watches servers, in the text form of Prometheus. Knows the state database, no request's body.
"""`GET /metrics`, for whoever has a token."""

from collections.abc import Iterator
from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from pipekit import __version__, repo
from pipekit.cron import get_zone
from pipekit.http.auth import ApiViewer
from pipekit.http.state import ContextDep
from pipekit.repo import overview
from pipekit.repo.figures import find_oldest_queued, list_module_figures, list_status_counts
from pipekit.server.lateness import list_late

router = APIRouter(include_in_schema=False)

# Whoever asks more often gets what the last one got.
HOLDS_S = 5


@router.get("/metrics")
def get_metrics(user: ApiViewer, context: ContextDep) -> Response:
    """Runs by status, the last run of each module, what waits, what is late."""
    span = int(datetime.now(UTC).timestamp() / HOLDS_S)
    text = context.memory.recall(("metrics", span), _describe)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _describe(db: repo.State) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(db))
    return generate_latest(registry)


class _Figures:
    """What the state database says now; Prometheus' own counters would begin anew with each server."""

    def __init__(self, db: repo.State) -> None:
        self._db = db

    def collect(self) -> Iterator[Metric]:
        """Every figure."""
        yield from _list_program(self._db)
        yield from _list_modules(self._db)
        yield from _list_groups(self._db)


def _list_program(db: repo.State) -> Iterator[Metric]:
    alive = overview.count_alive(db)
    info = GaugeMetricFamily("pipekit_info", "The version that answers.", labels=["version"])
    info.add_metric([__version__], 1)
    yield info
    yield GaugeMetricFamily("pipekit_runs_running", "Runs that go on.", value=alive.running)
    yield GaugeMetricFamily("pipekit_runs_queued", "Runs that wait for their turn.", value=alive.queued)
    yield GaugeMetricFamily("pipekit_paused", "1 while everything is held back.", value=int(alive.paused))
    yield GaugeMetricFamily("pipekit_alerts_unsent", "1 while a channel cannot send.", value=int(alive.unsent))
    kept = GaugeMetricFamily("pipekit_runs_on_record", "Runs on record, by status.", labels=["status"])
    for status, count in list_status_counts(db):
        kept.add_metric([status], count)
    yield kept
    queued = find_oldest_queued(db)
    waits_s = (datetime.now(UTC) - datetime.fromisoformat(queued)).total_seconds() if queued else 0.0
    yield GaugeMetricFamily("pipekit_queue_oldest_seconds", "How long the oldest has waited.", value=max(waits_s, 0.0))


_OF_A_MODULE = (
    ("failed", "1 when its last run failed."),
    ("last_end_timestamp_seconds", "When its last run ended."),
    ("last_success_timestamp_seconds", "When it last was good."),
    ("last_duration_seconds", "How long its last good run took."),
    ("last_rows_read", "Rows its last good run read."),
    ("last_rows_written", "Rows its last good run inserted, updated or deleted."),
    ("fresh_within_seconds", "How old its rows may become; 0: any age."),
)


def _list_modules(db: repo.State) -> Iterator[Metric]:
    found = list_module_figures(db)
    for name, doc in _OF_A_MODULE:
        family = GaugeMetricFamily(f"pipekit_module_{name}", doc, labels=["module"])
        for figures in found:
            value = figures.values[name]
            if value is not None:
                family.add_metric([figures.module], value)
        yield family


def _list_groups(db: repo.State) -> Iterator[Metric]:
    now, states = datetime.now(UTC), overview.list_schedule_states(db)
    late = {item.group for item in list_late(states, now, get_zone())}
    is_late = GaugeMetricFamily("pipekit_group_late", "1 when it should have run well by now.", labels=["group"])
    for group in sorted({state.group for state in states}):
        is_late.add_metric([group], int(group in late))
    yield is_late
    good = GaugeMetricFamily("pipekit_group_last_success_timestamp_seconds", "When it last was good.", labels=["group"])
    for group, at in sorted({state.group: state.good_at for state in states if state.good_at}.items()):
        good.add_metric([group], datetime.fromisoformat(at).timestamp())
    yield good
    marks = [datetime.fromisoformat(state.mark).timestamp() for state in states if state.mark]
    yield GaugeMetricFamily(
        "pipekit_scheduler_mark_timestamp_seconds",
        "The latest due time that was dealt with.",
        value=max(marks, default=0),
    )

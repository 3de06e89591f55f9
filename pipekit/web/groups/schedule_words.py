# A schedule as people read it: plain words, the next times, what could go wrong. Knows no page and no state.
"""`ScheduleView` and `build_schedule_view`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import pairwise

from pipekit.cron import check_cron, describe, expand_cron, get_zone, next_times
from pipekit.engine.receipt import format_duration
from pipekit.errors import PipekitError
from pipekit.models import Schedule
from pipekit.web.kit.clash import sign_values

NEXT_TIMES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleView:
    """What a page says about a cron expression. `schedule` is None for one that is only being typed."""

    schedule: Schedule | None
    cron: str
    words: str
    times: tuple[datetime, ...] = ()
    problem: str = ""
    warning: str = ""

    @property
    def seen(self) -> str:
        """What a form that was filled from the schedule brings back; `""` for one that is only being typed."""
        return sign_values(*list_form_values(self.schedule)) if self.schedule else ""

    @staticmethod
    def seconds_between(begin: str | None, end: str | None) -> float | None:
        """Seconds between two stored moments; None where one is missing."""
        if not begin or not end:
            return None
        return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def list_form_values(schedule: Schedule) -> tuple[object, ...]:
    """What stands in a schedule's form."""
    return (schedule.cron, schedule.enabled, schedule.catch_up)


def build_schedule_view(
    schedule: Schedule | str, *, usual_s: float | None = None, count: int = NEXT_TIMES, now: datetime | None = None
) -> ScheduleView:
    """Words, next times and warnings of a schedule, or of an expression that is being typed."""
    record = schedule if isinstance(schedule, Schedule) else None
    cron = record.cron if record else str(schedule)
    problem = check_cron(cron)
    if problem:
        return ScheduleView(schedule=record, cron=cron, words="", problem=problem)
    try:
        minute = (now or datetime.now(UTC)).replace(second=0, microsecond=0)
        times = _list_times(cron, minute, max(count, 2), get_zone())
    except PipekitError as error:
        return ScheduleView(schedule=record, cron=cron, words=_describe(cron), problem=error.message)
    warning = _warn(times, usual_s)
    return ScheduleView(schedule=record, cron=cron, words=_describe(cron), times=times[:count], warning=warning)


@lru_cache(maxsize=2000)
def _list_times(cron: str, minute: datetime, count: int, zone: tzinfo) -> tuple[datetime, ...]:
    """Kept: whoever looks within a minute sees the same times."""
    return tuple(next_times(expand_cron(cron), minute, count, zone))


@lru_cache(maxsize=2000)
def _describe(cron: str) -> str:
    return describe(cron)


def _warn(times: Sequence[datetime], usual_s: float | None) -> str:
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    if usual_s is None or not gaps or min(gaps) > usual_s:
        return ""
    return (
        f"The group usually takes {format_duration(usual_s)}, and this comes every {format_duration(min(gaps))}:"
        " times at which it still runs are skipped."
    )

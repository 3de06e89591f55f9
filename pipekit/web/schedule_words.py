# A schedule as people read it: plain words, the next times, what could go wrong. Knows no page and no state.
"""`ScheduleView` and `build_schedule_view`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from pipekit.cron import check_cron, describe, expand_cron, next_times
from pipekit.engine.receipt import format_duration
from pipekit.errors import PipekitError
from pipekit.models import Schedule

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

    @staticmethod
    def seconds_between(begin: str | None, end: str | None) -> float | None:
        """Seconds between two stored moments; None where one is missing."""
        if not begin or not end:
            return None
        return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


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
        times = next_times(expand_cron(cron), now or datetime.now(UTC), max(count, 2))
    except PipekitError as error:
        return ScheduleView(schedule=record, cron=cron, words=describe(cron), problem=error.message)
    warning = _warn(times, usual_s)
    return ScheduleView(schedule=record, cron=cron, words=describe(cron), times=tuple(times[:count]), warning=warning)


def _warn(times: list[datetime], usual_s: float | None) -> str:
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    if usual_s is None or not gaps or min(gaps) > usual_s:
        return ""
    return (
        f"The group usually takes {format_duration(usual_s)}, and this comes every {format_duration(min(gaps))}:"
        " times at which it still runs are skipped."
    )

# Which schedules are due, and their fires. Knows no clock (the moment is handed in) and starts nothing itself.
"""`due` is pure; `tick` records what is due together with the group runs it makes, which the queue then runs."""

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice, takewhile

from pipekit import repo
from pipekit.cron import describe, get_zone, iterate_times, next_times
from pipekit.errors import StateError
from pipekit.models import FireOutcome, Schedule, ScheduleFire

__all__ = ["Due", "describe", "due", "get_zone", "next_times", "tick"]

# The loop wakes at least every 60 s. What is older than this when it is first seen was missed.
GRACE = timedelta(minutes=2)
# How many rows one gap may add, and how far the times before them are counted.
MOST_ROWS = 1000
MOST_COUNTED = 100_000
# A mark so far ahead was left by a clock that was wrong and has been set back; it would silence the schedule.
FARTHEST_AHEAD = timedelta(days=1)

_LOG = logging.getLogger("pipekit.scheduler")
_told: dict[tuple[str, int], str] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A time that has come (UTC) and what is to come of it, unless its group is busy or paused."""

    at: datetime
    outcome: FireOutcome
    reason: str | None = None


def due(cron: str, after: datetime, now: datetime, zone: tzinfo, *, catch_up: bool = True) -> list[Due]:
    """What came due later than `after` and not later than `now` (both aware), oldest first.

    Of the times older than two minutes, which were missed, the latest is to be caught up; at most 1000 are listed and
    the reason of the oldest tells how many more there were. Raises Invalid for an expression that is none.
    """
    first = _find_first(cron, after, zone)
    if first is None or first > now:
        return []
    gap = _find_gap(cron, after, now, zone)
    late = [moment for moment in gap.times if now - moment > GRACE]
    planned = [Due(at=moment, outcome="fired") for moment in gap.times[len(late) :]]
    if not late:
        return planned
    total = len(late) + gap.more
    words = f"{total:,} times were" if gap.counted else f"more than {MOST_COUNTED:,} times were"
    count = f"{'1 time was' if total == 1 else words} missed since {_local(first, zone)}"
    reason = "Pipekit did not run at this time, or its clock was set forward."
    if catch_up:
        latest = late.pop()
        planned.insert(0, Due(at=latest, outcome="catch_up", reason=count))
        reason += f" The latest of the times that were missed is {_local(latest, zone)}."
    reasons = [reason] * len(late)
    if gap.more and reasons:
        more = f"{gap.more:,}" if gap.counted else "those"
        reasons[0] += f" In all {count}; {more} before this one are not listed."
    return [Due(at=moment, outcome="missed", reason=why) for moment, why in zip(late, reasons, strict=True)] + planned


@dataclass(frozen=True, slots=True)
class _Gap:
    """The latest times of a gap, and how many `more` came before them (or at least so many if not `counted`)."""

    times: list[datetime]
    more: int
    counted: bool


def _find_gap(cron: str, after: datetime, now: datetime, zone: tzinfo) -> _Gap:
    """Looks back in ever longer spans, so that years of minutes (a clock that began in 1970) cost no more than days."""
    span = timedelta(days=1)
    while True:
        begin = max(after, now - span)
        window = list(_until(cron, begin, now, zone))
        if begin == after or len(window) > MOST_ROWS:
            break
        span *= 2
    before = list(islice(_until(cron, after, begin, zone), MOST_COUNTED)) if begin > after else []
    cut = max(len(window) - MOST_ROWS, 0)
    return _Gap(window[cut:], more=len(before) + cut, counted=len(before) < MOST_COUNTED)


@lru_cache(maxsize=1000)
def _find_first(cron: str, after: datetime, zone: tzinfo) -> datetime | None:
    """Kept, because between two fires every tick asks for the same one."""
    return next(iterate_times(cron, after, zone), None)


def _until(cron: str, after: datetime, last: datetime, zone: tzinfo) -> Iterator[datetime]:
    return takewhile(lambda moment: moment <= last, iterate_times(cron, after, zone))


def _local(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def tick(db: repo.State, now: datetime, zone: tzinfo | None = None) -> list[ScheduleFire]:
    """Records everything that is due at `now` (aware), each schedule in a transaction of its own with its group run.

    A schedule that cannot be dealt with is logged once and tried again at the next tick; the others go on. Raises
    StateError when the state database cannot be used, ConfigError when the time zone is not known.
    """
    zone = zone or get_zone()
    fires: list[ScheduleFire] = []
    troubles: deque[StateError] = deque(maxlen=2)
    for candidate in repo.list_due_candidates(db):
        try:
            fires += _tick_one(db, candidate, now, zone)
            _told.pop(_key(db, candidate), None)
        except Exception as error:
            _tell_once(db, candidate, error)
            if isinstance(error, StateError):
                troubles.append(error)
        if len(troubles) == 2:
            # It is the state that fails, not a row of it: each of the others would wait for its lock once more.
            raise troubles[0]
    return fires


def _tick_one(db: repo.State, candidate: repo.DueCandidate, now: datetime, zone: tzinfo) -> list[ScheduleFire]:
    schedule = candidate.schedule
    after = _get_mark(schedule)
    if after is None or after > now + FARTHEST_AHEAD:
        if after is not None:
            _LOG.warning("schedule %s of group %s: set back from %s to %s", schedule.id, candidate.group, after, now)
        repo.restart_schedule(db, schedule.id, now)
        return []
    planned = due(schedule.cron, after, now, zone, catch_up=schedule.catch_up)
    if not planned:
        return []
    with repo.transaction(db):
        # Looked at again under the write lock: it may have been edited, or another process may have been faster.
        if repo.find_due_candidate(db, schedule.id) != candidate:
            return []
        fires = [fire for item in planned if (fire := _record(db, candidate, item, now)) is not None]
        repo.touch_schedule(db, schedule.id, planned[-1].at)
    for fire in fires:
        _LOG.info("schedule %s of group %s: due %s: %s", schedule.id, candidate.group, fire.due_at, fire.outcome)
    return fires


def _record(db: repo.State, candidate: repo.DueCandidate, item: Due, now: datetime) -> ScheduleFire | None:
    schedule = candidate.schedule
    if item.outcome == "missed":
        return repo.record_fire(db, schedule.id, item.at, "missed", reason=item.reason, recorded_at=now)
    held = "paused" if candidate.paused else _find_overlap(db, schedule.group_id)
    if held:
        why = f"{held}; {item.reason}" if item.reason else held
        return repo.record_fire(db, schedule.id, item.at, "skipped", reason=why, recorded_at=now)
    reason = f"started late: {item.reason}" if item.reason else None
    fire = repo.record_fire(db, schedule.id, item.at, item.outcome, reason=reason, recorded_at=now)
    if fire is None:
        return None
    group_run = repo.create_group_run(db, schedule.group_id, triggered_by=f"schedule:{schedule.id}")
    return repo.set_fire_group_run(db, fire.id, group_run.id)


def _find_overlap(db: repo.State, group_id: int) -> str:
    alive = repo.find_live_group_run(db, group_id)
    return f"the group was still running (group run {alive.id})" if alive else ""


def _get_mark(schedule: Schedule) -> datetime | None:
    """Up to where its times are dealt with."""
    marks = [datetime.fromisoformat(mark) for mark in (schedule.last_fired_at, schedule.active_from) if mark]
    return max(marks, default=None)


def _key(db: repo.State, candidate: repo.DueCandidate) -> tuple[str, int]:
    return str(db.path), candidate.schedule.id


def _tell_once(db: repo.State, candidate: repo.DueCandidate, error: Exception) -> None:
    """Says what is wrong with a schedule once, and again when it or the trouble changes."""
    told = f"{candidate.schedule.cron}: {type(error).__name__}: {error}"
    if _told.get(_key(db, candidate)) != told:
        _told[_key(db, candidate)] = told
        expected = hasattr(error, "hint")
        text = "schedule %s of group %s cannot be fired: %s"
        _LOG.error(text, candidate.schedule.id, candidate.group, told, exc_info=None if expected else error)

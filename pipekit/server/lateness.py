# What should have happened by now, and what comes next. Knows schedules and times, no database and no page.
"""`list_late` and `list_next`, for the first page and for the modules' next times."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import takewhile

from pipekit.cron import iterate_times
from pipekit.errors import PipekitError
from pipekit.repo.overview import ScheduleState
from pipekit.server.scheduler import GRACE, next_times

# A group run is late when it takes this much longer than the group's last good one did.
PATIENCE = 2.0
MARGIN = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Late:
    """A group that has not kept its promise, and why."""

    group_id: int
    group: str
    due_at: str
    good_at: str | None
    why: str
    group_run_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """When a group comes next."""

    group_id: int
    group: str
    at: datetime
    paused: bool


@lru_cache(maxsize=4000)
def _first_after(cron: str, after: datetime, zone: tzinfo) -> datetime | None:
    """Kept: every page of the same minute asks for the same ones."""
    try:
        return next(iter(next_times(cron, after, 1, zone)), None)
    except PipekitError:
        return None


def find_next(cron: str, now: datetime, zone: tzinfo) -> datetime | None:
    """When an expression comes next, to the minute."""
    return _first_after(cron, now.replace(second=0, microsecond=0), zone)


def list_next(crons: str, now: datetime, zone: tzinfo) -> tuple[Next, ...]:
    """The next time of each group, the soonest first; `crons` as `pack_crons` gives them."""
    return _list_next(crons, now.replace(second=0, microsecond=0), zone)


@lru_cache(maxsize=8)
def _list_next(crons: str, minute: datetime, zone: tzinfo) -> tuple[Next, ...]:
    soonest: dict[int, Next] = {}
    for group_id, group, cron, paused in json.loads(crons):
        at = _first_after(cron, minute, zone)
        if at and (group_id not in soonest or at < soonest[group_id].at):
            soonest[group_id] = Next(group_id=group_id, group=group, at=at, paused=bool(paused))
    return tuple(sorted(soonest.values(), key=lambda item: (item.at, item.group)))


def count_coming(crons: str, now: datetime, zone: tzinfo) -> dict[int, int]:
    """How often each group comes in the next 24 hours; `crons` as `pack_crons` gives them."""
    return _count_coming(crons, now.replace(second=0, microsecond=0), zone)


@lru_cache(maxsize=8)
def _count_coming(crons: str, minute: datetime, zone: tzinfo) -> dict[int, int]:
    counts: dict[int, int] = {}
    for group_id, _, cron, _ in json.loads(crons):
        times = _list_of_a_day(cron, minute.replace(minute=0), zone)
        counts[group_id] = counts.get(group_id, 0) + sum(minute < at <= minute + timedelta(days=1) for at in times)
    return counts


@lru_cache(maxsize=4000)
def _list_of_a_day(cron: str, hour: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Its times from an hour on for a day and an hour, so that they hold for all minutes of it."""
    end = hour + timedelta(hours=25)
    try:
        return tuple(takewhile(lambda at: at <= end, iterate_times(cron, hour, zone)))
    except PipekitError:
        return ()


def list_late(states: Iterable[ScheduleState], now: datetime, zone: tzinfo) -> list[Late]:
    """Groups that should have succeeded by now, each once, the longest overdue first."""
    late: dict[int, Late] = {}
    for state in states:
        found = find_late(state, now, zone)
        if found and (found.group_id not in late or found.due_at > late[found.group_id].due_at):
            late[found.group_id] = found
    return sorted(late.values(), key=lambda item: item.due_at)


def find_late(state: ScheduleState, now: datetime, zone: tzinfo) -> Late | None:
    """Whether a schedule's group is late. What a pause holds back is late too: somebody waits for its rows."""
    unseen = _find_unseen(state, now, zone)
    if unseen:
        return _build(state, unseen, "was due, and nothing has started")
    if state.due_at is None or (state.good_at and state.good_at > state.due_at):
        return None
    why = _tell(state, now)
    return _build(state, state.due_at, why) if why else None


def _find_unseen(state: ScheduleState, now: datetime, zone: tzinfo) -> str:
    """A due time that nobody looked at: the scheduler does not run."""
    if state.mark is None:
        return ""
    at = _first_after(state.cron, datetime.fromisoformat(state.mark), zone)
    return at.astimezone(UTC).isoformat(timespec="seconds") if at and now - at > GRACE else ""


def _tell(state: ScheduleState, now: datetime) -> str:
    if state.outcome in ("missed", "skipped"):
        return f"{state.outcome}: {state.reason}" if state.reason else str(state.outcome)
    if state.group_run_status in ("error", "cancelled"):
        return "failed" if state.group_run_status == "error" else "cancelled"
    if state.group_run_status == "running" and state.began_at and state.usual_s is not None:
        took = now - datetime.fromisoformat(state.began_at)
        if took > timedelta(seconds=state.usual_s * PATIENCE) + MARGIN:
            return "still running, longer than usual"
    return ""


def _build(state: ScheduleState, due_at: str, why: str) -> Late:
    group_run_id = state.group_run_id if due_at == state.due_at else None
    return Late(
        group_id=state.group_id,
        group=state.group,
        due_at=due_at,
        good_at=state.good_at,
        why=why,
        group_run_id=group_run_id,
    )

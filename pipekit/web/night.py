# How the night went: in a sentence, and each group's last two weeks. Knows counts and days, no page.
"""`tell_night` and `build_weeks`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from pipekit import repo
from pipekit.engine.receipt import format_count
from pipekit.repo.nights import GroupDay, list_group_days

DAYS = 14
MOST_GROUPS = 40
# A day that is over is counted once in a process; of a large installation that takes a moment.
KEPT_DAYS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Night:
    """What the sentence is made of: runs of the last 24 hours, and what is so now."""

    ended: int
    failed: int
    failing: int
    late: int
    skipped: int
    missed: int
    paused: bool


def tell_night(night: Night) -> str:
    """One sentence, the worst first."""
    runs = f"{format_count(night.ended)} run{'' if night.ended == 1 else 's'}"
    if not night.ended:
        begin = "Nothing ran in the last 24 hours"
    elif night.failed:
        begin = f"{format_count(night.failed)} of {runs} failed in the last 24 hours"
    else:
        begin = (
            f"All {runs} of the last 24 hours went well"
            if night.ended > 1
            else "The one run of the last 24 hours went well"
        )
    told = [
        _count(night.failing, "module still fails", "modules still fail"),
        _count(night.late, "is late", "are late"),
        _count(night.skipped, "due time was skipped", "due times were skipped"),
        _count(night.missed, "due time was missed", "due times were missed"),
    ]
    also = ", ".join(filter(None, told))
    paused = " Everything is paused: nothing starts by itself." if night.paused else ""
    return f"{begin}{f'; {also}' if also else ''}.{paused}"


def _count(number: int, one: str, many: str) -> str:
    return f"{format_count(number)} {one if number == 1 else many}" if number else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A group's day: `shade` is how much of it failed, 0 (nothing) to 4 (all); None where nothing ended."""

    day: date
    ended: int
    failed: int

    @property
    def shade(self) -> int | None:
        """The class of its colour."""
        if not self.ended:
            return None
        return 0 if not self.failed else 1 + min(int(3 * self.failed / self.ended), 3)

    @property
    def words(self) -> str:
        """For whoever points at it, or has it read."""
        day = self.day.strftime("%a %-d %b")
        if not self.ended:
            return f"{day}: nothing ran"
        return f"{day}: {self.failed} of {self.ended} failed" if self.failed else f"{day}: {self.ended} went well"


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """A group's last days, the oldest first."""

    group_id: int
    group: str
    cells: tuple[Cell, ...]


def build_weeks(db: repo.State, now: datetime, zone: tzinfo) -> list[Week]:
    """The groups of which anything ended in the last two weeks, by name; the worst of many."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=ago) for ago in range(DAYS - 1, -1, -1)]
    counts = {day: _count_day(db, day, zone, day < today) for day in days}
    groups = {group.id: group.name for group in repo.list_groups(db)}
    weeks = [_build_week(group_id, name, days, counts) for group_id, name in groups.items()]
    found = [week for week in weeks if any(cell.ended for cell in week.cells)]
    worst = sorted(found, key=lambda week: -sum(cell.failed for cell in week.cells))[:MOST_GROUPS]
    return sorted(worst, key=lambda week: week.group.casefold())


def _build_week(group_id: int, name: str, days: Sequence[date], counts: Mapping[date, Mapping[int, GroupDay]]) -> Week:
    cells = []
    for day in days:
        found = counts[day].get(group_id)
        cells.append(Cell(day=day, ended=found.ended if found else 0, failed=found.failed if found else 0))
    return Week(group_id=group_id, group=name, cells=tuple(cells))


_PAST: dict[tuple[str, date], dict[int, GroupDay]] = {}


def _count_day(db: repo.State, day: date, zone: tzinfo, is_over: bool) -> Mapping[int, GroupDay]:
    key = (str(db.path), day)
    if is_over and key in _PAST:
        return _PAST[key]
    since, until = _list_bounds(day, zone)
    found = {item.group_id: item for item in list_group_days(db, since, until)}
    if is_over:
        while len(_PAST) >= KEPT_DAYS:
            _PAST.pop(next(iter(_PAST)), None)
        _PAST[key] = found
    return found


@lru_cache(maxsize=64)
def _list_bounds(day: date, zone: tzinfo) -> tuple[str, str]:
    """Where a day of the wall clock begins and ends, as records have it."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return repo.format_moment(begin.astimezone(UTC)), repo.format_moment(end.astimezone(UTC))

# A year of ten schedules on a simulated clock, with restarts, crashes and downtimes. Uses cron only through `tick`.
"""The fires of a year are those that a matcher of our own finds, minute by minute: nothing twice, nothing lost."""

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pipekit import repo
from pipekit.models import ScheduleFire
from pipekit.server.scheduler import tick

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
END = datetime(2027, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# Cron, whether a missed time is caught up, and the group.
SCHEDULES = [
    ("0 4 * * *", True, "nightly"),
    ("30 1 * * *", False, "early"),
    ("30 2 * * *", True, "nightly"),
    ("*/30 1-3 * * *", True, "often"),
    ("15 */6 * * *", False, "often"),
    ("0,30 0-4 * * SUN", True, "early"),
    ("0 0 1 * *", True, "monthly"),
    ("5 2 1-7 * MON", False, "monthly"),
    ("45 23 31 * *", True, "nightly"),
    ("0 */2 * 3,10,11 *", True, "season"),
]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


# -- the matcher: no cron library, no arithmetic on zones, only one minute after another -------------------------------


def read_field(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span == "*" else span).partition("-")
        begin = DAYS.index(first) if first in DAYS else int(first)
        found |= set(range(begin, int(last or begin) + 1, int(step or 1)))
    return found


@dataclass
class Matcher:
    """An expression that is shown minutes of wall-clock time."""

    cron: str

    def __post_init__(self) -> None:
        minute, hour, day, month, weekday = self.cron.split()
        self.minutes, self.hours = read_field(minute, 0, 59), read_field(hour, 0, 23)
        self.days, self.months, self.weekdays = (
            read_field(day, 1, 31),
            read_field(month, 1, 12),
            read_field(weekday, 0, 6),
        )
        self.both = day.startswith("*") or weekday.startswith("*")
        self.moving = minute.startswith("*") or hour.startswith("*")

    def matches(self, wall: datetime) -> bool:
        if wall.minute not in self.minutes or wall.hour not in self.hours or wall.month not in self.months:
            return False
        by_date, by_weekday = wall.day in self.days, (wall.weekday() + 1) % 7 in self.weekdays
        return (by_date and by_weekday) if self.both else (by_date or by_weekday)

    def comes(self, wall: datetime, passed: int) -> bool:
        """Whether it comes in this minute, in which so many minutes passed that the clock had not shown before."""
        if self.moving:
            return self.matches(wall)
        return any(self.matches(wall - number * MINUTE) for number in range(passed))


def list_expected(zone: ZoneInfo) -> list[list[datetime]]:
    """For each schedule every due time of the year, in UTC."""
    matchers = [Matcher(cron) for cron, _, _ in SCHEDULES]
    found: list[list[datetime]] = [[] for _ in SCHEDULES]
    minutes = set().union(*(matcher.minutes for matcher in matchers))
    moment = BEGIN
    highest = moment.astimezone(zone).replace(tzinfo=None)
    while moment < END:
        moment += MINUTE
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        passed = max(int((wall - highest) / MINUTE), 0)
        highest = max(highest, wall)
        if passed == 1 and wall.minute not in minutes:
            continue
        for times, matcher in zip(found, matchers, strict=True):
            if matcher.comes(wall, passed):
                times.append(moment)
    return found


# -- the year ----------------------------------------------------------------------------------------------------------


class Crash(BaseException):
    """The process is gone in the middle of what it did: nothing after this reaches the file."""


@dataclass
class Fuse:
    """Lets the `left`-th statement from now, and all after it, fail as if the process had died before it."""

    left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                raise Crash


@dataclass
class Year:
    """The state file, what the clock shows, and what happened."""

    path: Path
    zone: ZoneInfo
    chance: random.Random
    fuse: Fuse
    db: repo.State = field(init=False)
    ends: dict[int, datetime] = field(default_factory=dict)
    looked: list[datetime] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def open(self) -> None:
        self.db = repo.open_state(self.path, create=True)
        self.db.execute("PRAGMA synchronous = OFF")

    def restart(self) -> None:
        self.fuse.left = None
        self.db.close()
        self.open()
        self.counts["restarts"] += 1

    def prepare(self) -> list[int]:
        """Groups with one module each, and the ten schedules; their ids."""
        place = repo.create_connection(self.db, name="shop", driver="sqlite", jdbc_url="jdbc:sqlite:shop.db").id
        groups = {}
        for name in sorted({name for _, _, name in SCHEDULES}):
            module = repo.create_module(
                self.db, name=name, source_id=place, dest_id=place, source_query="select 1 as a", dest_table=name
            )
            groups[name] = repo.create_group(self.db, name=name).id
            repo.create_member(self.db, group_id=groups[name], module_id=module.id)
        return [
            repo.create_schedule(self.db, group_id=groups[g], cron=cron, catch_up=catch_up, active_from=BEGIN).id
            for cron, catch_up, g in SCHEDULES
        ]

    def look(self, now: datetime) -> None:
        """What a server does at this moment, perhaps dying of it."""
        for live in repo.list_group_runs(self.db, status="running"):
            end = self.ends.setdefault(live.id, now + timedelta(minutes=self.chance.choice((1, 1, 10, 20, 200))))
            if end <= now:
                repo.cancel_group_run(self.db, live.id)
        paused = repo.is_paused(self.db)
        if self.chance.random() < (0.1 if paused else 0.003):
            repo.set_paused(self.db, not paused)
            self.counts["pauses"] += 1
        self.fuse.left = self.chance.randint(1, 30) if self.chance.random() < 0.15 else None
        try:
            tick(self.db, now, self.zone)
        except Crash:
            self.counts["crashes"] += 1
            self.restart()
            self.look(now + timedelta(seconds=self.chance.random()))
        else:
            self.fuse.left = None
            self.looked.append(now)


def make_fragile(method: Callable[..., Any], fuse: Fuse) -> Callable[..., Any]:
    def fragile(*arguments: Any) -> Any:
        fuse.burn()
        return method(*arguments)

    return fragile


def iterate_looks(year: Year, expected: list[list[datetime]]) -> Iterator[datetime]:
    """When the clock is looked at: late by up to a minute, with downtimes, and set back an hour now and then."""
    chance = year.chance
    up_from = BEGIN
    for moment in sorted({moment for times in expected for moment in times}):
        if moment < up_from:
            continue
        yield moment + timedelta(seconds=chance.uniform(0, 59))
        if chance.random() < 0.015:
            up_from = moment + timedelta(minutes=chance.choice((3, 30, 120, 400, 1500, 6000)) * chance.random() + 1)
            year.counts["downtimes"] += 1
            year.restart()
            if up_from < END:
                yield up_from
        elif chance.random() < 0.02:
            year.restart()
        elif chance.random() < 0.01:
            year.counts["set back"] += 1
            for minutes in (60, 45, 30, 10, 1):
                yield moment - minutes * MINUTE
    yield END


def read_moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def check_schedule(fires: list[ScheduleFire], expected: list[datetime], catch_up: bool, looked: list[datetime]) -> None:
    """Every due time once, at the first look after it, with the outcome that its age then asks for."""
    due = [read_moment(fire.due_at) for fire in fires]
    assert due == expected
    seen_at = list_first_looks(expected, looked)
    groups: dict[str, list[ScheduleFire]] = defaultdict(list)
    for fire, moment, seen in zip(fires, due, seen_at, strict=True):
        recorded = read_moment(fire.recorded_at)
        assert moment - timedelta(milliseconds=1) <= recorded <= seen
        if recorded - moment <= 2 * MINUTE:
            assert fire.outcome in ("fired", "skipped"), fire
        else:
            groups[fire.recorded_at].append(fire)
    for late in groups.values():
        assert {fire.outcome for fire in late[:-1]} <= {"missed"}
        assert late[-1].outcome in (("catch_up", "skipped") if catch_up else ("missed",))
        if catch_up:
            assert f"{len(late)} time" in (late[-1].reason or "")
    for fire in fires:
        assert (fire.group_run_id is not None) == (fire.outcome in ("fired", "catch_up"))
        assert fire.outcome == "fired" or fire.reason


def list_first_looks(expected: list[datetime], looked: list[datetime]) -> list[datetime]:
    """For each due time the first completed look, in the order of looks, at a clock that showed it or more."""
    highest: list[datetime] = []
    for moment in looked:
        highest.append(max(moment, highest[-1]) if highest else moment)
    return [highest[bisect_left(highest, moment)] for moment in expected]


@pytest.mark.parametrize(("name", "seed"), [("America/New_York", 1), ("Europe/Berlin", 2)])
def test_a_year_fires_what_is_due_and_nothing_else(
    name: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone, fuse = ZoneInfo(name), Fuse()
    for method in ("execute", "row", "rows"):
        monkeypatch.setattr(repo.State, method, make_fragile(getattr(repo.State, method), fuse))
    year = Year(tmp_path / "pipekit.db", zone, random.Random(seed), fuse)
    year.open()
    schedule_ids = year.prepare()
    expected = list_expected(zone)
    for now in iterate_looks(year, expected):
        year.look(now)
    outcomes: Counter[str] = Counter()
    fired = 0
    for schedule_id, times, (_, catch_up, _) in zip(schedule_ids, expected, SCHEDULES, strict=True):
        fires = sorted(repo.list_fires(year.db, schedule_id, 100_000), key=lambda fire: fire.due_at)
        check_schedule(fires, times, catch_up, year.looked)
        outcomes.update(fire.outcome for fire in fires)
        fired += len({fire.group_run_id for fire in fires} - {None})
    group_runs = repo.list_group_runs(year.db, limit=100_000)
    assert len(group_runs) == fired == outcomes["fired"] + outcomes["catch_up"]
    assert len(repo.list_runs(year.db, limit=10_000)) == fired
    print(name, dict(outcomes), dict(year.counts))
    # The year was as rough as it was meant to be.
    assert min(outcomes.values()) > 20
    assert year.counts["crashes"] > 100
    assert min(year.counts[what] for what in ("downtimes", "restarts", "set back", "pauses")) > 5
    year.db.close()

# Cron expressions: what is accepted, when they come on a wall clock, how they read. Knows no schedule and no clock.
"""`require_cron`, `iterate_times`, `next_times`, `describe`, `get_zone`. cronsim is loaded when it is first needed."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipekit.errors import ConfigError, Invalid

CRON_NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
LONGEST_CRON = 200

# The five fields as people call them, and what may stand in each.
_FIELDS = {
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of the month": "1 to 31, L for the last day or LW for the last weekday",
    "month": "1 to 12 or JAN to DEC",
    "day of the week": "0 to 7 (0 and 7 are Sunday) or SUN to SAT",
}
_ANY = ("*",) * 5
# How many minutes an hour has, and hours a day: a step that divides them comes round evenly.
_ROUNDS = {0: 60, 1: 24}
_ORDINALS = {"1": "st", "2": "nd", "3": "rd"}
_START = datetime(2024, 1, 1)
_LOCALTIME = Path("/etc/localtime")
_STEP = timedelta(days=1)
_LONGEST_STRETCH = timedelta(days=7)


# -- what is accepted --------------------------------------------------------------------------------------------------


def expand_cron(text: str) -> str:
    """A cron expression as it is kept: one space between its fields, names as the five fields they stand for."""
    expression = " ".join(text.split())
    return CRON_NAMES.get(expression.lower(), expression)


def require_cron(text: str) -> str:
    """The expression as it is kept; raises Invalid, in plain words, for one that cannot be accepted."""
    problem = check_cron(text)
    if problem:
        raise Invalid(problem, field="cron", hint="For example `0 4 * * *`, every day at 04:00.")
    return expand_cron(text)


@lru_cache(maxsize=1000)
def check_cron(text: str) -> str:
    """Why a cron expression is refused, `""` when it can be accepted."""
    expression = expand_cron(text)
    if expression.startswith("@"):
        return f"'{text}' is not a cron name; known are {', '.join(sorted(CRON_NAMES))}."
    if len(expression) > LONGEST_CRON:
        return f"A cron expression has at most {LONGEST_CRON} characters."
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        return f"'{text}' has {len(parts)} fields; a cron expression has five: minute hour day month weekday."
    for place, (name, allowed) in enumerate(_FIELDS.items()):
        if not _is_accepted([*_ANY[:place], parts[place], *_ANY[place + 1 :]]):
            return f"'{text}' is not a cron expression: '{parts[place]}' does not fit the {name} ({allowed})."
    return "" if _is_accepted(parts) and _ever_comes(expression) else f"'{text}' never comes: there is no such day."


def _is_accepted(parts: list[str]) -> bool:
    from cronsim import CronSim, CronSimError

    try:
        CronSim(" ".join(parts), _START)
    except (CronSimError, ValueError, AssertionError):
        return False
    return True


def _ever_comes(expression: str) -> bool:
    return next(_iterate_wall(expression, _START), None) is not None


# -- when it comes -----------------------------------------------------------------------------------------------------


def iterate_times(cron: str, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The moments later than `after` (aware) at which a kept expression comes on the wall clock of `zone`, in UTC.

    As cron of Debian has it. Expressions with a fixed minute and hour come once for each wall-clock time: the first of
    two where clocks go back, and where clocks go forward a time that is left out comes at the end of the gap. Those
    whose minute or hour begins with `*` come whenever the wall clock shows a time of theirs. Raises Invalid.
    """
    problem = check_cron(cron)
    if problem:
        raise Invalid(problem, field="cron")
    minute, hour = cron.split()[:2]
    moving = minute.startswith("*") or hour.startswith("*")
    yield from _iterate_moving(cron, after, zone) if moving else _iterate_fixed(cron, after, zone)


def next_times(cron: str, after: datetime, count: int, zone: tzinfo | None = None) -> list[datetime]:
    """The next `count` times later than `after` (aware), in local time. Raises Invalid, ConfigError."""
    zone = zone or get_zone()
    return [moment.astimezone(zone) for moment in islice(iterate_times(cron, after, zone), count)]


def _iterate_wall(cron: str, after: datetime) -> Iterator[datetime]:
    from cronsim import CronSim

    yield from CronSim(cron, after)


def _iterate_fixed(cron: str, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    last = after
    for moment in _iterate_wall(cron, after.astimezone(zone)):
        moment = moment.astimezone(UTC)
        # Begun in the second of two equal hours, the walk first meets times of the first one, which are past.
        if moment > last:
            yield moment
            last = moment


def _iterate_moving(cron: str, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Walks stretches of one UTC offset, each on a plain wall clock.

    cronsim itself steps by whole hours of real time and so leaves out the beginning of an hour after a change by half
    an hour (Lord Howe) or at midnight (Cairo).
    """
    begin, just_after = after.astimezone(UTC), timedelta()
    while True:
        end = _find_stretch_end(begin, zone)
        offset = _offset(begin, zone)
        for wall in _iterate_wall(cron, (begin + offset).replace(tzinfo=None) - just_after):
            moment = wall.replace(tzinfo=UTC) - offset
            if moment >= end:
                break
            yield moment
        else:
            return
        # No clock is put forward or back by more than a day, so a time far ahead need not be walked to.
        begin, just_after = max(end, moment - 2 * _STEP), timedelta(seconds=1)


def _find_stretch_end(begin: datetime, zone: tzinfo) -> datetime:
    """The first moment after `begin` at which the zone's offset changes, to the second, or a week on if none does."""
    offset, step = _offset(begin, zone), begin
    while step < begin + _LONGEST_STRETCH:
        if _offset(step + _STEP, zone) != offset:
            return _find_change(step, zone)
        step += _STEP
    return step


def _find_change(begin: datetime, zone: tzinfo) -> datetime:
    begin = begin.replace(microsecond=0)
    offset, low, high = _offset(begin, zone), 0, int(_STEP.total_seconds()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(begin + timedelta(seconds=middle), zone) == offset:
            low = middle
        else:
            high = middle
    return begin + timedelta(seconds=high)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


# -- how it reads ------------------------------------------------------------------------------------------------------


def describe(cron: str) -> str:
    """An expression in plain words, such as "At 04:00 every day"; it never fails."""
    expression = expand_cron(cron)
    if check_cron(expression):
        return "not a cron expression"
    try:
        return _mend_ordinals(_explain(expression.upper().split()))
    except Exception:  # a wording that cronsim has no words for is no reason to fail
        named = zip(_FIELDS, expression.split(), strict=True)
        return "At every " + ", ".join(f"{name} {part}" for name, part in named if part != "*")


def _explain(parts: list[str]) -> str:
    """cronsim's words, after steps that do not come round evenly have become the values they are."""
    from cronsim.explain import Expression

    spelled = Expression([",".join(_spell_out(i, term) for term in part.split(",")) for i, part in enumerate(parts)])
    # Whether a day must fit both fields or one of them hangs on how they are written, not on their values.
    spelled.day_and = Expression(list(parts)).day_and
    return spelled.explain()


def _spell_out(place: int, term: str) -> str:
    """`*/60` -> `0`, `*/45` -> `0,45`: words such as "every 45th minute" would be untrue.

    Left as they are: what comes round evenly (`*/15`), and what is told with its range (`5-50/20`).
    """
    from cronsim.cronsim import RANGES, Field

    base, slash, step = term.partition("/")
    if not slash or base in ("L", "LW") or (base, step) == ("*", "1"):
        return term
    field, numbers = Field(place + 1), RANGES[place + 1]
    values = {int(str(value)) for value in field.parse(term)}
    begins = field.parse(base)
    if begins == set(numbers) or begins == {numbers[0]}:
        is_plain = place in _ROUNDS and int(step) < _ROUNDS[place] and _ROUNDS[place] % int(step) == 0
    else:
        is_plain = place in _ROUNDS and len(values) > 1
    weekday = place == len(_FIELDS) - 1
    return term if is_plain else ",".join(map(str, sorted({value % 7 if weekday else value for value in values})))


def _mend_ordinals(words: str) -> str:
    """`21th` -> `21st`, which cronsim does not do."""
    return re.sub(r"\b([2-9]?)([123])th\b", lambda found: found[1] + found[2] + _ORDINALS[found[2]], words)


# -- the zone ----------------------------------------------------------------------------------------------------------


def get_zone(environ: Mapping[str, str] | None = None) -> tzinfo:
    """The zone of the wall clock: `TZ` if it is set, else the system's. Raises ConfigError for one nobody knows."""
    name = (os.environ if environ is None else environ).get("TZ")
    if name is None:
        return _read_zone(_LOCALTIME) if _LOCALTIME.exists() else UTC
    name = name.removeprefix(":")
    if not name:
        return UTC
    return _read_zone(Path(name)) if name.startswith("/") else _load_zone(name)


def _load_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "Set TZ to a name such as Europe/Berlin; a small system may lack the package tzdata."
        raise ConfigError(f"The time zone {name!r} is not known here.", hint=hint) from error


def _read_zone(path: Path) -> tzinfo:
    try:
        status = path.stat()
        return _read_zone_file(path, (status.st_dev, status.st_ino, status.st_mtime_ns))
    except (ValueError, OSError) as error:
        hint = "Set TZ to a name such as Europe/Berlin."
        raise ConfigError(f"The time zone file {path} cannot be read.", hint=hint) from error


@lru_cache(maxsize=4)
def _read_zone_file(path: Path, version: tuple[int, int, int]) -> tzinfo:
    """One zone for one `version` of the file, which is asked for at every tick."""
    with path.open("rb") as file:
        return ZoneInfo.from_file(file)

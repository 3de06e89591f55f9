# What is usual for a module, told by its own good runs. Pure figures; knows no database.
"""`find_usual_rows`, `find_usual_bytes` and `find_usual_shares`: ranges by median and median deviation.

A median is not moved by a few odd runs, nor is the median of the distances from it (MAD; 1.4826 times it is the
standard deviation of what is spread as chance spreads it). A range also holds what nine of ten runs were: what comes on
every fifth day is no surprise. Where a weekday has enough runs, they alone say what is usual on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, sqrt
from statistics import median

from pipekit.models import PastRun

LEAST_RUNS = 10
# Of the same weekday: two months of a daily module.
LEAST_OF_A_DAY = 8
_WIDE, _MAD = 5.0, 1.4826
# A spread is at least this share of the median, and of a share of NULLs this many points.
_LEAST_SHARE, _LEAST_POINTS = 0.05, 0.02


@dataclass(frozen=True, slots=True)
class Usual:
    """A range, and what it was told by (`14 runs`, `9 runs on Mondays`)."""

    low: float
    high: float
    by: str

    def holds(self, value: float) -> bool:
        """Whether a value is within."""
        return self.low <= value <= self.high


def find_usual_rows(past: Sequence[PastRun], at: datetime) -> Usual | None:
    """How many rows a run that begins then usually reads; None with too few runs to tell."""
    runs, by = _choose(past, at)
    return _find_usual([float(run.rows) for run in runs], by)


def find_usual_bytes(past: Sequence[PastRun], at: datetime, form: str) -> Usual | None:
    """How many bytes its rows usually are in a form; None with too few runs that came in it."""
    runs, by = _choose([run for run in past if run.bytes is not None and run.format == form], at)
    return _find_usual([float(run.bytes or 0) for run in runs], by)


def _find_usual(counts: Sequence[float], by: str) -> Usual | None:
    if not counts:
        return None
    middle = median(counts)
    low, high = _measure(counts, max(_LEAST_SHARE * middle, sqrt(middle), 2.0))
    return Usual(max(0, floor(low)), ceil(high), by)


def find_usual_shares(past: Sequence[PastRun], at: datetime, staged: int) -> dict[str, Usual]:
    """By column the share of NULLs among so many rows; columns without enough runs are left out."""
    counted = [run for run in past if run.nulls is not None and run.staged]
    runs, by = _choose(counted, at)
    names = {name for run in runs for name in run.nulls or {}}
    found = {}
    for name in names:
        shares = [(run.nulls or {})[name] / run.staged for run in runs if name in (run.nulls or {})]
        if len(shares) >= LEAST_OF_A_DAY:
            # Few rows have odd shares by chance.
            low, high = _measure(shares, max(_LEAST_POINTS, 0.5 / sqrt(staged or 1)))
            found[name] = Usual(max(0.0, low), min(1.0, high), by)
    return found


def _choose(past: Sequence[PastRun], at: datetime) -> tuple[Sequence[PastRun], str]:
    """The runs of the same weekday where there are enough, else all of them; none where those are too few."""
    if len(past) < LEAST_RUNS:
        return (), ""
    same = [run for run in past if _read_day(run) == at.astimezone().weekday()]
    if len(same) >= LEAST_OF_A_DAY and len(same) < len(past):
        return same, f"{len(same)} runs on {at.astimezone():%A}s"
    return past, f"{len(past)} runs"


def _read_day(run: PastRun) -> int:
    return datetime.fromisoformat(run.started_at).astimezone().weekday()


def _measure(values: Sequence[float], least: float) -> tuple[float, float]:
    middle, ordered = median(values), sorted(values)
    spread = max(_MAD * median(abs(value - middle) for value in values), least)
    tenth = len(ordered) // 10
    return min(middle - _WIDE * spread, ordered[tenth]), max(middle + _WIDE * spread, ordered[-1 - tenth])

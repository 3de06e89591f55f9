# How far a run is, told by what its module's good loads took. Knows figures, no run.
"""`find_usual` and `measure_progress`. Nothing is invented: what the past does not tell stays None."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from pipekit.repo import State
from pipekit.repo.progress import GoodLoad, list_good_loads

# A first moment of reading says nothing of the rate.
RATE_AFTER_S = 1.0
# Loads whose rows differ by more, and by more than a few, do not tell how many the next one has.
STEADY_WITHIN, FEW_ROWS = 2.0, 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """What good loads took: seconds by stage in their order; `rows` is None where they differ too much."""

    stages: Mapping[str, float]
    rows: int | None
    loads: int

    @property
    def seconds(self) -> float:
        """Of a whole load."""
        return sum(self.stages.values())


def build_usual(loads: Sequence[GoodLoad]) -> Usual | None:
    """The medians of some loads, the newest first; None without any."""
    if not loads:
        return None
    order = {name: None for load in loads for name in load.stages}
    newest = list(loads[0].stages)
    names = [*newest, *(name for name in order if name not in newest)]
    stages = {name: median([load.stages.get(name, 0.0) for load in loads]) for name in names}
    known = [load.rows for load in loads if load.rows is not None]
    is_steady = bool(known) and (
        max(known) <= STEADY_WITHIN * max(min(known), 1) or max(known) - min(known) <= FEW_ROWS
    )
    return Usual(
        stages={name: seconds for name, seconds in stages.items() if name in newest or seconds},
        rows=round(median(known)) if is_steady else None,
        loads=len(loads),
    )


def find_usual(db: State, module_ids: Iterable[int]) -> dict[int, Usual]:
    """What the latest good loads of some modules took; modules without any are left out. One query."""
    loads = list_good_loads(db, module_ids)
    return {module_id: usual for module_id, found in loads.items() if (usual := build_usual(found))}


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Where a run is: seconds of the stages behind it, its stage and for how long, rows that have arrived."""

    stages: Mapping[str, float] = field(default_factory=dict)
    stage: str = ""
    stage_s: float = 0.0
    rows: int | None = None
    rows_expected: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far it is.

    `expected` are rows of the whole, `by_source` when its database says so and no earlier load. `share` (0 to 1) is of
    the whole run, or with `of_reading` of its rows alone, `part` of the stage it is in. `left_s` is to its end, or to
    that of reading. `ahead` are usual seconds of the stage it is in and of those to come.
    """

    rows: int | None = None
    expected: int | None = None
    by_source: bool = False
    rows_per_s: float | None = None
    share: float | None = None
    of_reading: bool = False
    part: float | None = None
    left_s: float | None = None
    ahead: Mapping[str, float] = field(default_factory=dict)


def measure_progress(now: Moment, usual: Usual | None) -> Progress:
    """How far a run is by what is usual for it."""
    expected = usual.rows if usual and usual.rows is not None else now.rows_expected
    is_reading = now.stage == "stage"
    stage_s = now.stage_s if is_reading else now.stages.get("stage", 0.0)
    rate = now.rows / stage_s if now.rows and stage_s >= RATE_AFTER_S else None
    done = Progress(
        rows=now.rows,
        expected=expected,
        by_source=bool(expected is not None and (usual is None or usual.rows is None)),
        rows_per_s=rate,
        ahead=_list_ahead(now, usual),
    )
    part, left_s = _measure_stage(now, usual, expected, rate)
    done = replace(done, part=part)
    if usual is None or usual.rows is None:
        has_part = is_reading and part is not None and bool(now.rows) and expected is not None
        return replace(done, share=part, left_s=left_s, of_reading=True) if has_part else done
    if now.stage not in usual.stages or part is None:
        return done
    names = list(usual.stages)
    place = names.index(now.stage)
    before = sum(usual.stages[name] for name in names[:place])
    after = sum(usual.stages[name] for name in names[place + 1 :])
    share = (before + part * usual.stages[now.stage]) / usual.seconds if usual.seconds else None
    return replace(done, share=share, left_s=None if left_s is None else left_s + after)


def _measure_stage(
    now: Moment, usual: Usual | None, expected: int | None, rate: float | None
) -> tuple[float | None, float | None]:
    """How much of the stage is done, and how long the rest takes; None for what nobody can say."""
    took_s = usual.stages.get(now.stage) if usual else None
    if now.stage == "stage" and expected:
        part = (now.rows or 0) / expected
        if part > 1:
            return None, None
        usual_s = None if took_s is None else took_s * (1 - part)
        return part, (expected - (now.rows or 0)) / rate if rate else usual_s
    if took_s is None:
        return None, None
    if now.stage_s > took_s:
        return 1.0, None
    return now.stage_s / took_s if took_s else 1.0, took_s - now.stage_s


def _list_ahead(now: Moment, usual: Usual | None) -> dict[str, float]:
    if usual is None or (now.stage and now.stage not in usual.stages):
        return {}
    names = list(usual.stages)
    first = names.index(now.stage) if now.stage else 0
    return {name: usual.stages[name] for name in names[first:]}


def round_rows(rows: int) -> int:
    """A guess of rows, no more exact than it is: 1 193 354 -> 1 190 000."""
    size = int(10 ** max(len(str(rows)) - 3, 0))
    return round(rows / size) * size


def tell_left(seconds: float) -> str:
    """A guess of a time, no more exact than it is: `a few seconds`, `40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 55:
        return f"{max(round(seconds / 5) * 5, 5)} s"
    minutes = max(round(seconds / 60), 1)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(round(minutes / 5) * 5, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"

# Contenders in turn, each result compared before it counts. Knows nothing of what moves, from where or how.
"""`race`: every contender once in each round, one after the other, so that a disturbance hits all of them."""

import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench.measure import CommandFailed, Measurement, measure
from bench.tables import Limit, Table


class NotEqual(Exception):
    """The dest does not hold what the source holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A named command that brings `dest` (a table's name) where it should be.

    One that is `other` is another's tool: when it fails or what it brings is not equal, that is told instead of its
    figures, and the others go on.
    """

    name: str
    what: str
    argv: Sequence[str]
    dest: str = ""
    env: Mapping[str, str] | None = None
    other: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """All measurements of one contender; `waits` are a reader's longest waits, `problem` is why it does not count."""

    name: str
    what: str
    runs: tuple[Measurement, ...]
    waits: tuple[float, ...] = ()
    problem: str = ""

    @property
    def median_s(self) -> float:
        """The median wall time; without end where no run counts."""
        return statistics.median(run.seconds for run in self.runs) if self.runs else math.inf

    @property
    def cpu_s(self) -> float:
        """The median processor time of the moving processes."""
        return statistics.median(run.cpu_s for run in self.runs)

    @property
    def peak_mb(self) -> float:
        """The worst peak of all moving processes together."""
        return max(run.peak_mb for run in self.runs)

    @property
    def largest_mb(self) -> float:
        """The worst peak of one process."""
        return max(run.largest_mb for run in self.runs)

    @property
    def wait_s(self) -> float:
        """The median of the longest wait that a reader had in each run; without end where no run counts."""
        return statistics.median(self.waits) if self.waits else math.inf


@dataclass(slots=True)
class Watched:
    """What a reader beside a run saw."""

    longest_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What happens around each run: `prepare` before it, `compare` after it (raises NotEqual), `watch` beside it.

    No round begins that would not end within `within_s`, by the longest so far; the first always does.
    """

    cwd: Path
    within_s: float
    prepare: Callable[[Contender], None]
    compare: Callable[[Contender], None]
    watch: Callable[[Contender], AbstractContextManager[Watched]] | None = None


@dataclass(slots=True)
class _Lane:
    runs: list[Measurement] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    problem: str = ""


def race(contenders: Sequence[Contender], rounds: int, course: Course) -> list[Result]:
    """Runs every contender `rounds` times; raises NotEqual or CommandFailed for one that is ours to get right."""
    lanes = {each.name: _Lane() for each in contenders}
    began_s, longest_s = time.monotonic(), 0.0
    for number in range(1, rounds + 1):
        round_s = time.monotonic()
        if round_s + longest_s > began_s + course.within_s and number > 1:
            print(f"  no time for round {number}", file=sys.stderr, flush=True)
            break
        for contender in contenders:
            lane = lanes[contender.name]
            if lane.problem:
                continue
            try:
                _run_one(contender, course, lane)
                told = f"{lane.runs[-1].seconds:.2f} s"
                told += "".join(f", a reader waits {wait_s:.2f}" for wait_s in lane.waits[-1:])
            except (CommandFailed, NotEqual) as error:
                if not contender.other:
                    raise
                told = lane.problem = f"not counted: {_shorten(str(error))}"
            print(f"  round {number} of {rounds}: {contender.name} {told}", file=sys.stderr, flush=True)
        longest_s = max(longest_s, time.monotonic() - round_s)
    return [_build_result(each, lanes[each.name]) for each in contenders]


def _run_one(contender: Contender, course: Course, lane: _Lane) -> None:
    course.prepare(contender)
    with course.watch(contender) if course.watch else nullcontext() as watched:
        run = measure(contender.argv, cwd=course.cwd, env=contender.env)
    course.compare(contender)
    lane.runs.append(run)
    if watched is not None:
        lane.waits.append(watched.longest_s)


def _shorten(text: str) -> str:
    """The first line and the last, where programs say what is wrong."""
    lines = text.strip().splitlines()
    return " ... ".join(line.strip()[:150] for line in (lines[:1] + lines[1:][-1:]))


def _build_result(contender: Contender, lane: _Lane) -> Result:
    return Result(
        name=contender.name,
        what=contender.what,
        runs=tuple(lane.runs),
        waits=tuple(lane.waits),
        problem=lane.problem,
    )


def find_ratio(results: Sequence[Result], name: str, base: str) -> float:
    """A contender's median wall time as a multiple of another's."""
    medians = {result.name: result.median_s for result in results if result.name in (name, base)}
    return medians[name] / medians[base]


def build_limit(results: Sequence[Result], name: str, base: str, at_most: float, *, when: str = "") -> Limit:
    """That a contender takes at most so many times what another takes; `when` says in which case."""
    return Limit(
        what=f"{name}{when and ', '}{when}, of {base}", measured=find_ratio(results, name, base), at_most=at_most
    )


def build_table(words: str, results: Sequence[Result], base: str) -> Table:
    """A line for each contender; a column of readers' waits where there were readers."""
    has_waits = any(result.waits for result in results)
    head = (words, "median s", f"x {base}", *(["reader waits s"] * has_waits), "cpu s", "all MB", "largest MB", "runs")
    return Table(head=head, rows=[_build_row(each, results, base, has_waits) for each in results])


def _build_row(result: Result, results: Sequence[Result], base: str, has_waits: bool) -> Sequence[str]:
    if result.problem:
        return (result.name, *(["-"] * (5 + has_waits)), result.problem)
    return (
        result.name,
        f"{result.median_s:.2f}",
        f"{find_ratio(results, result.name, base):.2f}",
        *([f"{result.wait_s:.2f}"] if has_waits else []),
        f"{result.cpu_s:.1f}",
        f"{result.peak_mb:.0f}",
        f"{result.largest_mb:.0f}",
        " ".join(f"{run.seconds:.2f}" for run in result.runs),
    )

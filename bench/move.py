# The main measurement: one table, every contender, interleaved. Knows nothing of what the table holds.
"""Full loads of one table, `rounds` times by each contender in turn, each result compared before it counts."""

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import PIPE, PIPEKIT, Contender, list_contenders
from bench.data import TABLE, Fingerprint, empty_dest, take_fingerprint
from bench.measure import Measurement, measure
from bench.servers import Servers

LIMIT_RATIO = 1.6


class NotEqual(Exception):
    """The dest does not hold what the source holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """All measurements of one contender."""

    name: str
    what: str
    runs: tuple[Measurement, ...]

    @property
    def median_s(self) -> float:
        """The median wall time."""
        return statistics.median(run.seconds for run in self.runs)

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


def measure_moves(servers: Servers, home: Path, expected: Fingerprint, rounds: int) -> list[Result]:
    """Measures every contender `rounds` times, one after the other in each round; raises NotEqual."""
    contenders = list_contenders(servers, home)
    runs: dict[str, list[Measurement]] = {contender.name: [] for contender in contenders}
    for number in range(1, rounds + 1):
        for contender in contenders:
            run = _measure_one(servers, home, contender, expected)
            runs[contender.name].append(run)
            print(f"  round {number} of {rounds}: {contender.name} {run.seconds:.2f} s", file=sys.stderr, flush=True)
    return [Result(name=each.name, what=each.what, runs=tuple(runs[each.name])) for each in contenders]


def find_ratio(results: list[Result], name: str = PIPEKIT) -> float:
    """A contender's median wall time as a multiple of the pipe's."""
    medians = {result.name: result.median_s for result in results}
    return medians[name] / medians[PIPE]


def _measure_one(servers: Servers, home: Path, contender: Contender, expected: Fingerprint) -> Measurement:
    empty_dest(servers)
    run = measure(contender.argv, cwd=home.parent, env=contender.env)
    got = take_fingerprint(servers.dest, TABLE)
    if got != expected:
        raise NotEqual(f"{contender.name}: the dest holds {got}, the source {expected}")
    return run

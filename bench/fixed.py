# What a run costs however few rows it moves. Knows nothing of throughput.
"""A `full` run of 1,000 rows beside the starts of Python it contains and a bare script that moves the same rows."""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import build_module, build_pipekit_run, pipekit_path
from bench.data import make_tables, take_fingerprint
from bench.measure import Measurement, measure
from bench.place import Place
from bench.race import NotEqual
from bench.servers import DATABASE, Servers
from bench.tables import Limit, Part, Table

SMALL = "small"
ROWS = 1000
REPEATS = 5
LIMIT_S = 1.0

START, IMPORT_PSYCOPG, VERSION = "python -c pass", "python -c 'import psycopg'", "pipekit --version"
BARE, RUN = "bare script, same rows", "pipekit run"


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedCost:
    """Median seconds of each command, and the run's own stages by its record."""

    medians: Mapping[str, float]
    stages: Mapping[str, float]

    @property
    def python_s(self) -> float:
        """Python's own start: once for the command, once with psycopg for the runner."""
        return self.medians[START] + self.medians[IMPORT_PSYCOPG]

    @property
    def ours_s(self) -> float:
        """What Pipekit adds to a bare script that moves the same rows."""
        return self.medians[RUN] - self.medians[BARE]


def measure_fixed_cost(place: Place) -> Part:
    """Makes the small table and measures everything in turn, `REPEATS` times."""
    expected = make_tables(place.servers, ROWS, SMALL)
    home = place.make_home("fixed", [build_module(SMALL, f"select * from {SMALL}", f"public.{SMALL}")])
    commands = _list_commands(place.servers, home)
    runs: dict[str, list[Measurement]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, argv in commands.items():
            runs[name].append(measure(argv, cwd=place.folder, env=build_pipekit_run(home, SMALL).env))
    if take_fingerprint(place.servers.dest, SMALL) != expected:
        raise NotEqual("the small table did not arrive")
    medians = {name: statistics.median(run.seconds for run in each) for name, each in runs.items()}
    for name, seconds in medians.items():
        print(f"  {name} {seconds:.3f} s", file=sys.stderr, flush=True)
    return _build_part(FixedCost(medians=medians, stages=_find_stages(runs[RUN])))


def _build_part(fixed: FixedCost) -> Part:
    rows = [
        *fixed.medians.items(),
        ("ours: run less bare script", fixed.ours_s),
        ("of the run, two starts of Python", fixed.python_s),
        *((f"of the run, stage {stage}", seconds) for stage, seconds in fixed.stages.items()),
    ]
    head = (f"{ROWS:,} rows, from the shell", "median s")
    return Part(
        tables=[Table(head=head, rows=[(name, f"{seconds:.3f}") for name, seconds in rows])],
        limits=[Limit(what=f"a run of {ROWS:,} rows", measured=fixed.medians[RUN], at_most=LIMIT_S, unit=" s")],
        data=fixed,
    )


def _list_commands(servers: Servers, home: Path) -> dict[str, Sequence[str]]:
    mover = Path(__file__).with_name("bare_mover.py")
    return {
        START: [sys.executable, "-c", "pass"],
        IMPORT_PSYCOPG: [sys.executable, "-c", "import psycopg"],
        VERSION: [pipekit_path(), "--version"],
        BARE: [sys.executable, str(mover), str(servers.source.port), str(servers.dest.port), DATABASE, SMALL],
        RUN: build_pipekit_run(home, SMALL).argv,
    }


def _find_stages(runs: list[Measurement]) -> dict[str, float]:
    """The stages of the run whose wall time is the median."""
    middle = sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]
    stages: dict[str, float] = json.loads(middle.stdout)["stages"]
    return stages

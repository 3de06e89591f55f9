# Whether memory grows with the table. Knows nothing of time.
"""Peak memory of `pipekit run` for a tenth of the table and for all of it."""

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import build_pipekit_run
from bench.data import TABLE, empty_dest
from bench.measure import Process, measure
from bench.servers import Servers

TENTH = f"{TABLE}_tenth"
LIMIT_MB = 100.0
LIMIT_GROWTH = 1.10


@dataclass(frozen=True, kw_only=True, slots=True)
class Peak:
    """The processes of one run and their peaks."""

    rows: int
    processes: tuple[Process, ...]

    @property
    def runner_mb(self) -> float:
        """The peak of the process that moves the rows, the largest one."""
        return max(process.peak_mb for process in self.processes)


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryResult:
    """A tenth of the table beside all of it."""

    small: Peak
    large: Peak

    @property
    def is_flat(self) -> bool:
        """Whether the runner stays within its limit and needs no more for ten times the rows."""
        return self.large.runner_mb <= min(LIMIT_MB, self.small.runner_mb * LIMIT_GROWTH)


def build_tenth_query(rows: int) -> str:
    """The first tenth of the table, to within the lines of one order."""
    return f"select * from {TABLE} where l_orderkey <= {rows // 40}"


def measure_memory(servers: Servers, home: Path, rows: int) -> MemoryResult:
    """Runs both and reads the peaks."""
    peaks = []
    for module, count in ((TENTH, rows // 10), (TABLE, rows)):
        empty_dest(servers)
        contender = build_pipekit_run(home, module)
        run = measure(contender.argv, cwd=home.parent, env=contender.env)
        peaks.append(Peak(rows=count, processes=run.processes))
        print(f"  {count:,} rows: largest process {peaks[-1].runner_mb:.0f} MB", file=sys.stderr, flush=True)
    return MemoryResult(small=peaks[0], large=peaks[1])

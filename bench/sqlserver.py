# The command `python -m bench.sqlserver`. Measures against the TDS double of the tests, not against SQL Server.
"""PostgreSQL into SQL Server: Pipekit's runner beside the fastest plain scripts with mssql-python.

The dest is the double of the tests, which takes the bulk load's bytes and keeps them: what is measured is the moving
side. Exit code 1 when the runner reaches less than 0.9 of the best script's rows per second, or its memory grows.
"""

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.bulk_mover import COLUMNS
from bench.measure import CommandFailed, Measurement, measure
from pipekit.demo.postgres import LocalPostgres
from tests.databases.tds.double import TdsDouble

TABLE, DATABASE = "big", "bench"
OURS, BARE, BARE_ROWS = "pipekit runner", "COPY -> pyarrow -> bulkcopy_arrow", "rows -> bulkcopy"
LIMIT_RATIO = 0.9
LIMIT_MB = 250.0
LIMIT_GROWTH = 1.10
MAKE = f"""create table {TABLE} as select g::bigint as id, (g % 30000)::int as i, g / 3.0::float8 as d,
    ((g % 1000000) / 100.0)::numeric(12,2) as n, md5(g::text) as t, ('wörd ' || g)::varchar(40) as v,
    date '2000-01-01' + g % 9999 as day, timestamp '2001-01-01' + g * interval '1.000001 s' as at, g % 2 = 0 as ok,
    case when g % 7 <> 1 then g end as m from generate_series(1, {{rows}}) g"""


@dataclass(slots=True)
class Place:
    """The source, the dest, and what was measured."""

    postgres: LocalPostgres
    double: TdsDouble
    folder: Path
    runs: dict[str, list[Measurement]] = field(default_factory=dict)

    def list_contenders(self, rows: int) -> dict[str, list[str]]:
        """Each contender's command."""
        bare = [sys.executable, str(Path(__file__).with_name("bare_bulk.py"))]
        rest = [str(self.postgres.port), DATABASE, self.double.connection_string, TABLE]
        return {
            BARE: [*bare, "arrow", *rest],
            OURS: self.build_own(rows),
            BARE_ROWS: [*bare, "rows", *rest],
        }

    def build_own(self, rows: int) -> list[str]:
        """The command of our own contender for the first rows of the table."""
        urls = [self.postgres.jdbc_url(DATABASE), self.double.jdbc_url]
        return [sys.executable, str(Path(__file__).with_name("bulk_mover.py")), *urls, TABLE, str(rows)]

    def measure(self, argv: list[str], rows: int) -> Measurement:
        """One run into an empty table, whose rows are counted afterwards."""
        self.double.drop_table(TABLE)
        self.double.add_table(TABLE, [(name, stage) for name, _, stage in COLUMNS])
        run = measure(argv, cwd=self.folder)
        table = self.double.find_table(TABLE)
        if table is None or table.count_rows() != rows:
            raise CommandFailed(f"{' '.join(argv)[:100]}: not all rows arrived")
        self.double.forget()
        return run


def main(argv: list[str]) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="bench.sqlserver", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (default 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs (default 5)")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LocalPostgres(folder / "postgres") as postgres, TdsDouble(folder) as double:
            postgres.create_database(DATABASE)
            postgres.run_sql(MAKE.format(rows=options.rows), DATABASE, timeout_s=3600)
            return measure_all(Place(postgres, double, folder), options.rows, options.rounds)


def measure_all(place: Place, rows: int, rounds: int) -> int:
    """Every contender in turn, `rounds` times; then a tenth of the rows for the memory."""
    for number in range(1, rounds + 1):
        for name, argv in place.list_contenders(rows).items():
            run = place.measure(argv, rows)
            place.runs.setdefault(name, []).append(run)
            print(f"  round {number} of {rounds}: {name} {run.seconds:.2f} s", file=sys.stderr, flush=True)
    tenth = place.measure(place.build_own(rows // 10), rows // 10)
    failures = report(place.runs, rows, tenth)
    print("\n".join(f"FAILED: {failure}" for failure in failures) or "All limits hold.")
    return 1 if failures else 0


def report(runs: dict[str, list[Measurement]], rows: int, tenth: Measurement) -> list[str]:
    """Prints the table; the limits that do not hold."""
    medians = {name: statistics.median(run.seconds for run in each) for name, each in runs.items()}
    print(f"{rows:,} rows x {len(COLUMNS)} columns")
    print(f"{'':<36}{'median s':>9}{'k rows/s':>10}{'cpu s':>7}{'largest MB':>12}   runs")
    for name, each in runs.items():
        cpu = statistics.median(run.cpu_s for run in each)
        seconds = " ".join(f"{run.seconds:.2f}" for run in each)
        peak = max(run.largest_mb for run in each)
        print(
            f"{name:<36}{medians[name]:>9.2f}{rows / medians[name] / 1000:>10.0f}{cpu:>7.1f}{peak:>12.0f}   {seconds}"
        )
    ratio = min(medians[BARE], medians[BARE_ROWS]) / medians[OURS]
    peak, small = max(run.largest_mb for run in runs[OURS]), tenth.largest_mb
    print(f"rows per second beside the best script: {ratio:.2f}")
    print(f"largest process: {small:.0f} MB for a tenth of the rows, {peak:.0f} MB for all")
    failures = [f"{ratio:.2f} of the best script; the limit is {LIMIT_RATIO}"] if ratio < LIMIT_RATIO else []
    if peak > min(LIMIT_MB, small * LIMIT_GROWTH + 8):
        failures.append(f"memory grows with the rows, or is over {LIMIT_MB:.0f} MB")
    return failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

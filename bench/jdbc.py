# PostgreSQL as a source through its JDBC driver, beside psql's pipe and JPype's own DB-API. A command of its own.
"""`python -m bench.jdbc [--rows N] [--rounds N] [--jar PATH]`: exit code 1 when a limit does not hold."""

import argparse
import json
import statistics
import sys
from pathlib import Path

from bench.contenders import PIPE, Contender, list_contenders
from bench.data import TABLE, Fingerprint, empty_dest, make_tables, take_fingerprint
from bench.measure import CommandFailed, Measurement, measure
from bench.move import NotEqual
from bench.servers import DATABASE, Servers, start_servers
from pipekit.errors import PipekitError

JDBC = "through JDBC"
LIMIT_RATIO = 1.7
LIMIT_MB = 250.0
LIMIT_READING = 10.0


def main(argv: list[str]) -> int:
    """Measures, prints, and says by the exit code whether the limits hold."""
    options = parse_options(argv)
    folder = Path(options.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with start_servers(folder) as servers:
            expected = make_tables(servers, options.rows)
            runs = measure_moves(servers, folder, options, expected)
            speeds = measure_reading(servers, folder, options.jar)
    except (CommandFailed, NotEqual, PipekitError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return report(runs, speeds)


def parse_options(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench.jdbc", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (default 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs (default 5)")
    parser.add_argument("--folder", default=".bench", help="where the servers live (default .bench)")
    parser.add_argument("--jar", default="/usr/share/java/postgresql.jar", help="PostgreSQL's JDBC driver")
    return parser.parse_args(argv)


def measure_moves(
    servers: Servers, folder: Path, options: argparse.Namespace, expected: Fingerprint
) -> dict[str, list[Measurement]]:
    """The pipe and the move through JDBC in turn; each result is compared before it counts."""
    contenders = [each for each in list_contenders(servers, folder / "home") if each.name == PIPE]
    contenders.append(build_mover(servers, options.jar))
    runs: dict[str, list[Measurement]] = {each.name: [] for each in contenders}
    for number in range(1, options.rounds + 1):
        for contender in contenders:
            empty_dest(servers)
            run = measure(contender.argv, cwd=folder, env=contender.env)
            got = take_fingerprint(servers.dest)
            if got != expected:
                raise NotEqual(f"{contender.name}: the dest holds {got}, the source {expected}")
            runs[contender.name].append(run)
            print(f"  round {number}: {contender.name} {run.seconds:.2f} s", file=sys.stderr, flush=True)
    return runs


def build_mover(servers: Servers, jar: str) -> Contender:
    """A runner child and its parent; the start of Python and of Java count."""
    ports = [str(servers.source.port), str(servers.dest.port)]
    argv = [*_module_argv("bench.jdbc_mover"), jar, *ports, DATABASE, TABLE]
    return Contender(name=JDBC, what="a runner, straight into the dest", argv=argv)


def measure_reading(servers: Servers, folder: Path, jar: str) -> dict[str, float]:
    """Rows a second of each way of reading."""
    argv = [*_module_argv("bench.jdbc_reading"), jar, str(servers.source.port), DATABASE, TABLE]
    speeds: dict[str, float] = json.loads(measure(argv, cwd=folder).stdout)
    return speeds


def _module_argv(module: str) -> list[str]:
    """A module of this folder, run from wherever."""
    root = str(Path(__file__).parent.parent)
    start = f"import runpy, sys; sys.path.insert(0, {root!r}); runpy.run_module({module!r}, run_name='__main__')"
    return [sys.executable, "-c", start]


def report(runs: dict[str, list[Measurement]], speeds: dict[str, float]) -> int:
    """Prints the figures; 1 when one is beyond its limit."""
    medians = {name: statistics.median(run.seconds for run in each) for name, each in runs.items()}
    cpu = {name: statistics.median(run.cpu_s for run in each) for name, each in runs.items()}
    peak_mb = max(run.largest_mb for run in runs[JDBC])
    ratio, reading = medians[JDBC] / medians[PIPE], speeds["arrow"] / speeds["jpype.dbapi2"]
    for name, seconds in medians.items():
        print(f"{name}: median {seconds:.2f} s, processor {cpu[name]:.2f} s")
    for name, speed in speeds.items():
        print(f"reading, {name}: {speed:,.0f} rows/s")
    print(
        f"{JDBC}: {ratio:.2f} of the pipe (at most {LIMIT_RATIO}), largest process {peak_mb:.0f} MB (under {LIMIT_MB})"
    )
    print(f"reading as Arrow: {reading:.1f} times jpype.dbapi2 (at least {LIMIT_READING})")
    return 0 if ratio <= LIMIT_RATIO and peak_mb < LIMIT_MB and reading >= LIMIT_READING else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# PostgreSQL as a source through its JDBC driver, beside psql's pipe and JPype's own DB-API. A command of its own.
"""`python -m bench.jdbc [--rows N] [--rounds N] [--jar PATH]`: exit code 1 when a limit does not hold."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contenders import PIPE
from bench.data import TABLE
from bench.document import NoPlace
from bench.measure import CommandFailed, measure
from bench.move import list_pipes
from bench.place import Place
from bench.race import Contender, Course, NotEqual, Result, build_limit, build_table, race
from bench.report import Report
from bench.servers import DATABASE, Servers, start_servers
from bench.tables import Limit, Part, Table
from pipekit.errors import PipekitError

JDBC = "through JDBC"
LIMIT_RATIO = 1.45
LIMIT_MB = 250.0
LIMIT_READING = 10.0


def main(argv: list[str]) -> int:
    """Measures, prints, and says by the exit code whether the limits hold."""
    options = parse_options(argv)
    folder = Path(options.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with start_servers(folder) as servers:
            report = Report(rows=options.rows, rounds=options.rounds)
            report.servers = f"PostgreSQL {servers.dest.run_sql('show server_version', DATABASE)}"
            place = Place(servers, folder, options.rows, options.rounds)
            report.parts["jdbc"] = measure_jdbc(place, options.jar)
        return report.finish(folder, write=options.write)
    except (CommandFailed, NotEqual, NoPlace, PipekitError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


def parse_options(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench.jdbc", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (default 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs (default 5)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--folder", default=".bench", help="where the servers live (default .bench)")
    parser.add_argument("--jar", default="/usr/share/java/postgresql.jar", help="PostgreSQL's JDBC driver")
    return parser.parse_args(argv)


def measure_jdbc(place: Place, jar: str) -> Part:
    """The pipe and the move through JDBC in turn, then the ways of reading."""
    place.make_big_tables()
    contenders = [each for each in list_pipes(place.servers) if each.name == PIPE]
    course = Course(cwd=place.folder, prepare=place.empty, compare=place.compare)
    results = race([*contenders, build_mover(place.servers, jar)], place.rounds, course)
    speeds = measure_reading(place.servers, place.folder, jar)
    return build_part(results, speeds)


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


def build_part(results: Sequence[Result], speeds: Mapping[str, float]) -> Part:
    """Both tables and the limits."""
    moved = next(result for result in results if result.name == JDBC)
    faster = speeds["arrow"] / speeds["jpype.dbapi2"]
    return Part(
        tables=[
            build_table("PostgreSQL through its JDBC driver", results, PIPE),
            Table(
                head=("reading through JDBC", "rows/s"),
                rows=[(name, f"{speed:,.0f}") for name, speed in speeds.items()],
            ),
        ],
        limits=[
            build_limit(results, JDBC, PIPE, LIMIT_RATIO),
            Limit(what="memory of all processes together", measured=moved.peak_mb, at_most=LIMIT_MB, unit=" MB"),
            Limit(what="reading by jpype.dbapi2, of Arrow", measured=1 / faster, at_most=1 / LIMIT_READING),
        ],
        data={"moves": results, "reading": speeds},
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

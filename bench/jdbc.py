# PostgreSQL as a source through its JDBC driver. Knows nothing of how cells are read.
"""Beside psql's pipe; and how fast rows are read, beside JPype's own DB-API."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contenders import PIPE
from bench.data import TABLE
from bench.jdbc_reading import ARROW, COPY_TEXT, JPYPE
from bench.measure import CommandFailed, measure
from bench.move import list_pipes
from bench.place import Place
from bench.race import Contender, Result, build_limit, build_table, race
from bench.servers import DATABASE, Servers
from bench.tables import Limit, Part, Table

JDBC = "through JDBC"
LIMIT_RATIO = 1.45
LIMIT_MB = 250.0
LIMIT_READING = 10.0
READ_ROWS = 100_000


def measure_jdbc(place: Place) -> Part:
    """The pipe and the move through JDBC in turn, then the ways of reading."""
    if not place.jar.exists():
        raise CommandFailed(f"PostgreSQL's JDBC driver is not at {place.jar}: libpostgresql-jdbc-java, or --jar")
    jar = str(place.jar)
    place.make_big_tables()
    contenders = [each for each in list_pipes(place.servers) if each.name == PIPE]
    course = place.build_course(place.empty, place.compare)
    results = race([*contenders, build_mover(place.servers, jar)], place.rounds, course)
    speeds = measure_reading(place.servers, place.folder, jar)
    return build_part(results, speeds)


def build_mover(servers: Servers, jar: str) -> Contender:
    """A runner child and its parent; the start of Python and of Java count."""
    ports = [str(servers.source.port), str(servers.dest.port)]
    argv = [*build_module_argv("bench.jdbc_mover"), jar, *ports, DATABASE, TABLE]
    return Contender(name=JDBC, what="a runner, straight into the dest", argv=argv)


def measure_reading(servers: Servers, folder: Path, jar: str) -> dict[str, float]:
    """Rows a second of each way of reading."""
    url = f"jdbc:postgresql://127.0.0.1:{servers.source.port}/{DATABASE}"
    sql = f"select * from {TABLE} limit {READ_ROWS}"
    ways = ",".join((ARROW, COPY_TEXT, JPYPE))
    argv = [*build_module_argv("bench.jdbc_reading"), jar, "org.postgresql.Driver", url, "postgres", sql, ways]
    speeds: dict[str, float] = json.loads(measure(argv, cwd=folder).stdout)
    return speeds


def build_module_argv(module: str) -> list[str]:
    """A module of this folder, run from wherever."""
    root = str(Path(__file__).parent.parent)
    start = f"import runpy, sys; sys.path.insert(0, {root!r}); runpy.run_module({module!r}, run_name='__main__')"
    return [sys.executable, "-c", start]


def build_part(results: Sequence[Result], speeds: Mapping[str, float]) -> Part:
    """Both tables and the limits."""
    moved = next(result for result in results if result.name == JDBC)
    faster = speeds[ARROW] / speeds[JPYPE]
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

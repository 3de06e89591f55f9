# SQLite to PostgreSQL and back. Knows nothing of how rows become other types.
"""The big table as an SQLite file and into one, beside psql's pipe between two PostgreSQLs."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bench.bare_sqlite import move
from bench.contenders import PIPE, build_module, build_pipe, build_pipekit_run
from bench.data import COLUMNS, TABLE
from bench.place import Place, say
from bench.race import Contender, NotEqual, build_limit, build_table, race
from bench.servers import DATABASE
from bench.tables import Part

FROM_SQLITE, INTO_SQLITE = "SQLite to PostgreSQL", "PostgreSQL to SQLite"
BARE_FROM, BARE_INTO = "the same by sqlite3 and psycopg", "the other way by sqlite3 and psycopg"
LIMIT_FROM, LIMIT_INTO = 2.6, 3.0
# Of a contender's dest: an SQLite file, not the server.
FILE = "file"
_CONNECTIONS = """
  full:  {{driver: sqlite, jdbc_url: "jdbc:sqlite:{full}"}}
  empty: {{driver: sqlite, jdbc_url: "jdbc:sqlite:{empty}"}}
"""


def measure_sqlite(place: Place) -> Part:
    """Both ways, by Pipekit and by a bare script, and the pipe; what arrived is compared value by value."""
    place.make_big_tables()
    full, empty = (place.folder / f"{name}.db" for name in ("full", "empty"))
    expected = _make_files(place, full, empty)

    def prepare(contender: Contender) -> None:
        place.empty(Contender(name="", what="", argv=()))
        with closing(sqlite3.connect(empty)) as db:
            db.execute(f"DELETE FROM {TABLE}")
            db.commit()
            db.execute("VACUUM")

    def compare(contender: Contender) -> None:
        if contender.dest != FILE:
            place.compare(contender)
        elif (got := take_file_fingerprint(empty)) != expected:
            raise NotEqual(f"{contender.name}: the file holds {got}, not {expected}")

    course = place.build_course(prepare, compare)
    results = race(_list_contenders(place, full, empty), place.rounds, course)
    for path in (full, empty):
        path.unlink()
    return Part(
        tables=[build_table(f"SQLite, {place.rows:,} rows", results, PIPE)],
        limits=[
            build_limit(results, FROM_SQLITE, PIPE, LIMIT_FROM),
            build_limit(results, INTO_SQLITE, PIPE, LIMIT_INTO),
        ],
        data=results,
    )


def take_file_fingerprint(path: Path) -> tuple[int, int]:
    """The number of rows, and a sum over every value and its type in any order; good within one process."""
    with closing(sqlite3.connect(path)) as db:
        count = total = 0
        for row in db.execute(f"SELECT * FROM {TABLE}"):
            count += 1
            total += hash(repr(row))
    return count, total


def _make_files(place: Place, full: Path, empty: Path) -> tuple[int, int]:
    """A file with the rows, filled by the bare script, and one with the table alone; the first one's fingerprint."""
    say("  the SQLite file is being made")
    for path in (full, empty):
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"CREATE TABLE {TABLE} ({COLUMNS})")
    move("in", str(place.servers.source.port), DATABASE, TABLE, str(full))
    return take_file_fingerprint(full)


def _list_contenders(place: Place, full: Path, empty: Path) -> list[Contender]:
    query = f"select * from {TABLE}"
    modules = [
        build_module("out", query, f"public.{TABLE}", more="source: full"),
        build_module("in", query, TABLE, more="dest: empty"),
    ]
    home = place.make_home("sqlite", modules, connections=_CONNECTIONS.format(full=full, empty=empty))
    bare = [sys.executable, str(Path(__file__).with_name("bare_sqlite.py"))]
    source, dest = (str(server.port) for server in (place.servers.source, place.servers.dest))
    return [
        Contender(name=PIPE, what="psql's pipe between two PostgreSQLs", argv=build_pipe(place.servers)),
        build_pipekit_run(home, "out", name=FROM_SQLITE),
        Contender(
            name=BARE_FROM, what="values of sqlite3 into COPY", argv=[*bare, "out", dest, DATABASE, TABLE, str(full)]
        ),
        build_pipekit_run(home, "in", name=INTO_SQLITE, dest=FILE),
        Contender(
            name=BARE_INTO,
            what="text of COPY into executemany",
            argv=[*bare, "in", source, DATABASE, TABLE, str(empty)],
            dest=FILE,
        ),
    ]

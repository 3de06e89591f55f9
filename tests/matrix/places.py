# The dests of the matrix, one class a kind: how each is filled, read and judged from outside. Knows no run.
"""`PostgresPlace`, `SqlitePlace` and `MariadbPlace`, which promise what `Place` says."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from pipekit.models import Connection
from tests.databases import mariadb
from tests.left import CLAIMS_SQL, LEDGER_SQL, list_left, list_left_in_file
from tests.matrix.world import Row, World
from tests.project import Project


class Place(Protocol):
    """A dest with a table `t`."""

    kind: str

    def prepare(self, columns: str, rows: Sequence[Row]) -> None:
        """Makes it empty but for the table and its rows."""

    def connect(self, project: Project, port: int | None) -> Connection:
        """The connection of a project, through another port of this machine where one is given."""

    def read(self) -> list[Row]:
        """The rows of the table, whatever its columns are called by now, in no order."""

    def read_ledger(self) -> set[str]:
        """The keys of the runs that have merged."""

    def list_left(self) -> list[str]:
        """Tables and claims of Pipekit's own that nobody needs once everything has ended."""


class PostgresPlace:
    """The world's own dest."""

    kind = "postgresql"

    def __init__(self, world: World) -> None:
        self._world = world

    def prepare(self, columns: str, rows: Sequence[Row]) -> None:
        self._world.ask("dest", f"create table t ({columns})")
        self._world.put_rows("dest", "t", rows)

    def connect(self, project: Project, port: int | None) -> Connection:
        url = f"jdbc:postgresql://127.0.0.1:{port or self._world.servers['dest'].port}/dest"
        return project.add_connection("dest", url, username="postgres", password="$TEST_PASSWORD")

    def read(self) -> list[Row]:
        return [row[:3] for row in self._world.ask("dest", "select * from t")]

    def read_ledger(self) -> set[str]:
        ledger = LEDGER_SQL.format(ledger="pipekit_staging.pipekit_ledger")
        return {key for key, _ in self._world.ask("dest", ledger)}

    def list_left(self) -> list[str]:
        return list_left(lambda sql: self._world.ask("dest", sql))


class SqlitePlace:
    """A file."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self, columns: str, rows: Sequence[Row]) -> None:
        with closing(sqlite3.connect(self._path)) as db:
            db.execute(f"create table t ({columns})")
            db.executemany("insert into t (id, v, pad) values (?, ?, ?)", rows)
            db.commit()

    def connect(self, project: Project, port: int | None) -> Connection:
        return project.add_connection("dest", f"jdbc:sqlite:{self._path}")

    def read(self) -> list[Row]:
        with closing(sqlite3.connect(self._path, timeout=60)) as db:
            return [row[:3] for row in db.execute("select * from t")]

    def read_ledger(self) -> set[str]:
        with closing(sqlite3.connect(self._path, timeout=60)) as db:
            try:
                rows = db.execute(LEDGER_SQL.format(ledger='"pipekit_staging.pipekit_ledger"')).fetchall()
            except sqlite3.OperationalError:
                return set()
        return {key for key, _ in rows}

    def list_left(self) -> list[str]:
        with closing(sqlite3.connect(self._path, timeout=60)) as db:
            return list_left_in_file(lambda sql: db.execute(sql).fetchall())


class MariadbPlace:
    """A server that has no other dest."""

    kind = "mariadb"

    def __init__(self, server: mariadb.Mariadb) -> None:
        self._server = server

    def prepare(self, columns: str, rows: Sequence[Row]) -> None:
        self._server.clear()
        columns = columns.replace("pad text", "pad varchar(3000)").replace("v text", "v varchar(20)")
        values = ", ".join(f"({number}, '{v}', '{pad}')" for number, v, pad in rows)
        self._server.run(f"create table t ({columns}) engine=InnoDB character set utf8mb4")
        self._server.run(f"insert into t (id, v, pad) values {values}")

    def connect(self, project: Project, port: int | None) -> Connection:
        return mariadb.add_connection(project, self._server, "dest")

    def read(self) -> list[Row]:
        return [(int(number), v, pad) for number, v, pad, *_ in self._server.run("select * from t")]

    def read_ledger(self) -> set[str]:
        with contextlib.suppress(AssertionError):
            return {key for key, _ in self._server.run(LEDGER_SQL.format(ledger="pipekit_staging.pipekit_ledger"))}
        return set()

    def list_left(self) -> list[str]:
        named = "select table_name from information_schema.tables where table_schema = 'pipekit_staging'"
        tables = [name for (name,) in self._server.run(named)]
        claims = [key for (key,) in self._server.run(CLAIMS_SQL)] if tables else []
        return [name for name in [*tables, *claims] if not name.endswith("pipekit_ledger")]


@contextmanager
def open_mariadb() -> Iterator[MariadbPlace]:
    """A MariaDB, where its programs are installed."""
    with mariadb.start_mariadb() as server:
        yield MariadbPlace(server)

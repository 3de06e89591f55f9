# Scratch databases that a project loads from into itself, in two kinds. Knows no test.
"""`Postgres`, `Sqlite`; either is a `Place`."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.project import Project


class Postgres:
    """A scratch database that a project loads from into itself."""

    def __init__(self, folder: Path, connection: Any, url: str) -> None:
        self.project = Project(folder)
        self._connection = connection
        self.me = self.project.add_connection("me", url, username="postgres")

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def clear(self) -> None:
        self.execute("DROP SCHEMA IF EXISTS pipekit_staging CASCADE")
        self.execute("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._connection.execute(sql).fetchall()]

    def list_staging(self) -> list[str]:
        """Staging tables that are there, but for the ledger."""
        sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'pipekit_staging' AND tablename <> 'pipekit_ledger'"
        return [name for (name,) in self.rows(sql)]


class Sqlite:
    """A file that a project loads from into itself."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(folder)
        self._path = folder / "shop.db"
        self.me = self.project.add_connection("me", f"jdbc:sqlite:{self._path}")

    def execute(self, sql: str) -> None:
        with closing(sqlite3.connect(self._path)) as connection:
            connection.executescript(sql)

    def clear(self) -> None:
        for (name,) in self.rows("select name from sqlite_schema where type = 'table' and name not like 'sqlite%'"):
            self.execute(f'drop table "{name}"')

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path)) as connection:
            return connection.execute(sql).fetchall()

    def list_staging(self) -> list[str]:
        sql = "select name from sqlite_schema where type = 'table' and name like 'pipekit_staging.%'"
        return [name for (name,) in self.rows(sql) if not name.endswith("pipekit_ledger")]


Place = Postgres | Sqlite

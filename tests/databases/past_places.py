# A source in SQLite with a dest in PostgreSQL or SQLite, for runs that look at what the source no longer has.
"""`Place`, `open_place`, and what is asked of a run."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import open_look
from pipekit.models import Module, Run
from pipekit.runner_contract import Statement
from tests.lending import lend_database, take_back
from tests.project import Project

QUERY = "SELECT id, v, u FROM o WHERE u > '{since}'"
ROWS = [(number, f"v{number}", f"2026-01-0{number}") for number in range(1, 6)]


class Place:
    """A source in SQLite, `o`, and its dest of a kind, `d`, which is filled from it."""

    def __init__(self, folder: Path, url: str, **login: Any) -> None:
        self.project = Project(folder)
        self._file = sqlite3.connect(folder / "source.db", isolation_level=None)
        self._lite = self.project.add_connection("lite", f"jdbc:sqlite:{folder}/source.db")
        self.dest = self.project.add_connection("dest", url, **login)
        self.kind = self.dest.driver
        self.source("CREATE TABLE o (id INTEGER, v TEXT, u TEXT)")
        self._file.executemany("INSERT INTO o VALUES (?, ?, ?)", ROWS)

    def source(self, sql: str) -> None:
        self._file.execute(sql)

    def execute(self, *statements: str) -> None:
        with open_look(self.project.config, self.project.secrets, self.dest, read_only=False) as look:
            look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])

    def rows(self, sql: str = "SELECT id FROM d ORDER BY id") -> list[tuple[str | None, ...]]:
        with open_look(self.project.config, self.project.secrets, self.dest) as look:
            return list(look.query(sql).rows)

    def ids(self, where: str = "1 = 1") -> str:
        """The keys of a condition, together."""
        return "".join(cell or "-" for (cell,) in self.rows(f"SELECT id FROM d WHERE {where} ORDER BY id"))

    def module(self, name: str = "m", **options: Any) -> Module:
        given: dict[str, Any] = {"merge_strategy": "upsert", "merge_key": "id", "query": QUERY, "deletes": "hard"}
        given |= options
        if "{since}" in given["query"] and "watermarks" not in given:
            resolver = {"connection_id": self.dest.id, "resolver_sql": "SELECT max(u) FROM d"}
            given["watermarks"] = [{"name": "since", "default_value": "1900-01-01", **resolver}]
        return self.project.add_module(name, source=self._lite, dest=self.dest, table="d", **given)

    def run(self, module: Module) -> Run:
        return self.project.run(module)

    def close(self) -> None:
        self.project.close()
        self._file.close()


@contextmanager
def open_place(kind: str, folder: Path, postgres: LocalPostgres) -> Iterator[Place]:
    """A dest of the kind, empty."""
    name = lend_database(postgres, "past") if kind == "postgresql" else ""
    url = postgres.jdbc_url(name) if name else f"jdbc:sqlite:{folder}/dest.db"
    place = Place(folder, url, **({"username": "postgres"} if name else {}))
    yield place
    place.close()
    if name:
        take_back(postgres, name)


def get_check(run: Run, name: str) -> tuple[bool | None, str]:
    return next((check.ok, check.detail) for check in run.checks if check.name == name)


def find_staging(place: Place) -> list[tuple[str | None, ...]]:
    """Tables of staging that a run has left."""
    if place.kind == "sqlite":
        return place.rows("SELECT name FROM sqlite_master WHERE name LIKE 'pipekit_staging.m%'")
    return place.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('pipekit_staging') AND relname LIKE 'm%'"
    )

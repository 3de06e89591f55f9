# Indexes that a merge makes anew in SQLite: everything is as it was, or nothing has changed.
"""Large loads into SQLite tables with indexes."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.engine.planning.indexes import LEAST_ROWS
from pipekit.models import Module
from tests.project import Project

MANY = LEAST_ROWS + 1
DIRECT = "direct, behind 50,000 rows that were staged; "
MADE = (
    "CREATE TABLE t (id INTEGER, v TEXT, n REAL, UNIQUE (n, id))",
    'CREATE UNIQUE INDEX "odd ""name""" ON t (id)',
    "CREATE INDEX folded ON T(lower(v) DESC, n) WHERE id > 0",
    "CREATE INDEX other ON t (v COLLATE NOCASE)",
    "INSERT INTO t VALUES (-1, 'old', 0)",
)
CATALOGUE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name = 't' AND type = 'index' ORDER BY 2"
DESCRIBED = "SELECT idx FROM sqlite_stat1 WHERE tbl = 't' AND stat LIKE '50001 %' ORDER BY 1"


class File:
    """A file that is source and dest at once."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(folder)
        self.sql = sqlite3.connect(folder / "file.db", isolation_level=None)
        self.connection = self.project.add_connection("file", f"jdbc:sqlite:{folder / 'file.db'}")
        self.execute(*MADE)

    def execute(self, *statements: str) -> None:
        for sql in statements:
            self.sql.execute(sql)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.sql.execute(sql).fetchall()

    def module(self, name: str, rows: int, key: str = "n", **options: Any) -> Module:
        query = f"WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < {rows})"
        query += f" SELECT {key} AS id, 'v' || n AS v, n / 2.0 AS n FROM x"
        return self.project.add_module(
            name, source=self.connection, query=query, dest=self.connection, table="t", **options
        )


@pytest.fixture
def file(tmp_path: Path, near_when_quick: None) -> Iterator[File]:
    file = File(tmp_path)
    yield file
    file.sql.close()
    file.project.close()


@pytest.mark.parametrize("strategy", ["full", "append", "incremental"])
def test_a_large_load_makes_the_indexes_of_a_sqlite_table_anew_as_they_were(file: File, strategy: str) -> None:
    file.execute("ANALYZE t")
    before = file.ask(CATALOGUE)
    key = ("id",) if strategy == "incremental" else ()
    run = file.project.succeed(file.module("large", MANY, merge_strategy=strategy, merge_key=key))
    told = {check.name: check.detail for check in run.checks}
    made = 'odd "name", folded, other'
    staged, came = ("staged, ", "as 50,001 rows came") if key else (DIRECT, "as so many came")
    assert told["load"] == f"{staged}indexes are made anew after the rows, {came}: {made}"
    assert "DROP INDEX main." in (run.merge_sql or "")
    assert file.ask(CATALOGUE) == before
    kept = 0 if strategy == "full" else 1
    assert file.ask("SELECT count(*), max(id) FROM t") == [(MANY + kept, MANY)]
    assert file.ask("PRAGMA integrity_check") == [("ok",)]
    if strategy == "full":
        assert file.ask(DESCRIBED) == [('odd "name"',), ("other",)]


def test_a_small_load_and_a_module_that_says_staged_keep_them(file: File) -> None:
    for name, rows, options in (("small", 10, {}), ("staged", MANY, {"load": "staged"})):
        run = file.project.succeed(file.module(name, rows, **options))
        assert "DROP INDEX" not in (run.merge_sql or "")
        assert any("indexes are kept" in check.detail for check in run.checks if check.name == "load")


def test_a_key_that_comes_twice_leaves_the_sqlite_table_and_its_indexes_as_they_were(file: File) -> None:
    before = file.ask(CATALOGUE)
    run = file.project.run(file.module("twice", MANY, key=f"n % {LEAST_ROWS}"))
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert "UNIQUE constraint failed: t.id" in (run.error or "")
    assert (file.ask(CATALOGUE), file.ask("SELECT id FROM t")) == (before, [(-1,)])

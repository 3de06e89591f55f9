# Large loads into SQLite, whose rows go on into the dest behind those that were staged: all of it is seen, or nothing.
"""Rows of a large load are written once."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.sqlite.wire import connect
from pipekit.engine.planning.indexes import LEAST_ROWS
from pipekit.errors import StatementFailed
from pipekit.models import Module
from pipekit.runner_contract import Endpoint, Load, LoadColumn, Onward, Statement
from tests.project import Project

MANY = LEAST_ROWS + 700
BAD = LEAST_ROWS + 601
DIRECT = "direct, behind 50,000 rows that were staged; indexes are kept: it has none to make"


class File:
    """A file that is source and dest at once; the dest is `t`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = Project(folder)
        self.sql = sqlite3.connect(folder / "file.db", isolation_level=None)
        self.sql.execute("CREATE TABLE numbers (n INTEGER PRIMARY KEY)")
        self.sql.execute(
            "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < ?) INSERT INTO numbers"
            " SELECT n FROM x",
            (MANY,),
        )
        self.connection = self.project.add_connection("file", f"jdbc:sqlite:{folder / 'file.db'}")

    def make(self, sql: str) -> None:
        self.sql.executescript(sql)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.sql.execute(sql).fetchall()

    def module(self, query: str = "SELECT n AS a, 'v' || n AS v FROM numbers", **options: Any) -> Module:
        return self.project.add_module(
            "large", source=self.connection, query=query, dest=self.connection, table="t", **options
        )

    def list_staging(self) -> list[tuple[Any, ...]]:
        left = "SELECT name FROM sqlite_master WHERE name LIKE 'pipekit_staging.%' AND type = 'table'"
        return [row for row in self.ask(left) if row[0] not in ("pipekit_staging.pipekit_ledger",)]


@pytest.fixture
def file(tmp_path: Path, near_when_quick: None) -> Iterator[File]:
    file = File(tmp_path)
    yield file
    file.sql.close()
    file.project.close()


def told(run: Any) -> dict[str, str]:
    return {check.name: check.detail for check in run.checks}


@pytest.mark.parametrize(("strategy", "deleted"), [("full", 2), ("append", 0)])
def test_a_large_load_is_staged_in_part_and_goes_on_into_the_dest(file: File, strategy: str, deleted: int) -> None:
    file.make("CREATE TABLE t (a INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (-1, 'old'), (-2, 'old')")
    run = file.project.succeed(file.module(merge_strategy=strategy))
    kept = 2 - deleted
    assert told(run)["load"] == DIRECT
    assert told(run)["counts"] == f"read = loaded = {MANY}"
    assert (run.rows_staged, run.rows_inserted, run.rows_deleted) == (MANY, MANY, deleted)
    if strategy == "full":
        assert (run.dest_rows_before, run.dest_rows_after) == (2, MANY)
    assert file.ask("SELECT count(*), sum(a), min(v), max(a) FROM t") == [
        (MANY + kept, MANY * (MANY + 1) // 2 - (3 if kept else 0), "old" if kept else "v1", MANY)
    ]
    assert file.list_staging() == []
    assert file.ask('SELECT rows, state FROM "pipekit_staging.pipekit_ledger"') == [(MANY, "merged")]
    assert "INSERT OR ABORT INTO" in (run.merge_sql or "")
    assert file.ask("PRAGMA integrity_check") == [("ok",)]


# What the dest is, what the query gives for its row BAD, and what is said of it.
REFUSED = [
    ("a INTEGER PRIMARY KEY, v TEXT", "a", "NULL", "it is NULL, and the dest would put a number of its own there"),
    ("a INTEGER PRIMARY KEY, v TEXT", "a", "7", "UNIQUE constraint failed: t.a"),
    ("a INTEGER, v TEXT UNIQUE ON CONFLICT REPLACE", "v", "'v7'", "UNIQUE constraint failed: t.v"),
    ("a INTEGER NOT NULL ON CONFLICT IGNORE, v TEXT", "a", "NULL", "NOT NULL constraint failed: t.a"),
    ("a INTEGER CHECK (a > 0), v TEXT", "a", "-7", "CHECK constraint failed"),
    ("a INTEGER, v TEXT, PRIMARY KEY (a)", "a", "'x'", "datatype mismatch"),
]


@pytest.mark.parametrize(("columns", "column", "value", "message"), REFUSED)
def test_a_row_behind_the_staged_ones_that_is_refused_leaves_the_dest_as_it_was(
    file: File, columns: str, column: str, value: str, message: str
) -> None:
    file.make(f"CREATE TABLE t ({columns}); INSERT INTO t VALUES (1, 'old')")
    plain = {"a": "n", "v": "'v' || n"}
    plain[column] = f"CASE WHEN n = {BAD} THEN {value} ELSE {plain[column]} END"
    query = f"SELECT {plain['a']} AS a, {plain['v']} AS v FROM numbers"
    run = file.project.run(file.module(query))
    assert (run.status, run.error_stage, run.merge_state) == ("error", "stage", "none")
    assert message in (run.error or "")
    assert f"{BAD}" in (run.error or "")
    assert (file.ask("SELECT a, v FROM t"), file.list_staging()) == ([(1, "old")], [])


def test_a_load_that_leaves_too_little_is_refused_by_what_the_dest_held_before_it(file: File) -> None:
    file.make("CREATE TABLE t (a INTEGER, v TEXT); INSERT INTO t SELECT n, 'old' FROM numbers")
    run = file.project.run(file.module("SELECT n AS a, 'v' AS v FROM numbers WHERE n > 100", guards={"shrink": 1.0}))
    assert (run.status, run.error_stage) == ("error", "check")
    assert f"{MANY - 100} of {MANY} rows" in (run.error or "")
    assert file.ask("SELECT count(*), max(v) FROM t") == [(MANY, "old")]
    assert file.list_staging() == []


def _hold(file: File) -> sqlite3.Connection:
    """A reader who keeps the file from getting a write-ahead log."""
    file.sql.execute("PRAGMA journal_mode = DELETE")
    reader = sqlite3.connect(file.folder / "file.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM t").fetchall()
    return reader


TRIGGER = "CREATE TRIGGER looks AFTER INSERT ON t BEGIN SELECT 1; END"
CHILD = "CREATE TABLE child (a INTEGER REFERENCES t (a))"
INDEXED = f"CREATE INDEX i ON t (v); INSERT INTO t SELECT n, 'old' FROM numbers WHERE n > {MANY - LEAST_ROWS - 1}"
DETOURS = [
    (TRIGGER, {}, "staged first, as what trigger looks makes of the rows can only be seen beside staging"),
    (CHILD, {}, "staged first, as rows of child refer to the dest"),
    (INDEXED, {"merge_strategy": "append"}, "staged first, as their number decides whether indexes are made anew"),
    ("", {"undo_runs": 1}, "staged first, as what the run changes is kept so that it can be taken back"),
    ("", {"load": "staged"}, "staged, indexes are kept: the module says `load: staged`"),
    ("", {"merge_strategy": "incremental", "merge_key": ("a",)}, "staged, indexes are kept: "),
]


@pytest.mark.parametrize(("sql", "options", "why"), DETOURS, ids=[why for _, _, why in DETOURS])
def test_what_needs_all_rows_in_staging_gets_them_there_and_is_told(
    file: File, sql: str, options: dict[str, Any], why: str
) -> None:
    file.make(f"CREATE TABLE t (a INTEGER, v TEXT); {sql}")
    before = file.ask("SELECT count(*) FROM t")[0][0]
    run = file.project.succeed(file.module(**options))
    assert told(run)["load"].startswith("staged, ")
    assert why in told(run)["load"]
    kept = before if "append" in options.values() else 0
    assert file.ask("SELECT count(*) FROM t") == [(kept + MANY,)]


def test_a_file_that_gets_no_write_ahead_log_is_loaded_through_staging(tmp_path: Path, near_when_quick: None) -> None:
    file = File(tmp_path)
    source = file.project.add_connection("apart", f"jdbc:sqlite:{tmp_path / 'apart.db'}")
    with sqlite3.connect(tmp_path / "apart.db") as apart:
        apart.execute("CREATE TABLE numbers AS WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x"
                      f" WHERE n < {MANY}) SELECT n FROM x")  # fmt: skip
    file.make("CREATE TABLE t (a INTEGER)")
    reader = _hold(file)
    module = file.project.add_module(
        "held", source=source, query="SELECT n AS a FROM numbers", dest=file.connection, table="t"
    )
    run = file.project.run(module, dry_run=True)
    assert "straight into the dest" not in told(run)["load"]
    reader.close()
    assert "straight into the dest" in told(file.project.run(module, dry_run=True))["load"]
    file.sql.close()
    file.project.close()


def test_a_preview_of_a_large_load_touches_no_row_of_the_dest(file: File) -> None:
    file.make("CREATE TABLE t (a INTEGER, v TEXT); INSERT INTO t VALUES (1, 'old')")
    run = file.project.run(file.module(), preview=True)
    assert (run.status, run.rows_staged) == ("dry_run", MANY)
    assert file.ask("SELECT a, v FROM t") == [(1, "old")]


def test_rows_that_nobody_goes_on_with_are_gone_and_readers_never_see_them(file: File) -> None:
    file.make("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (-1); CREATE TABLE s (a INTEGER)")
    endpoint = Endpoint(kind="sqlite", jdbc_url=f"jdbc:sqlite:{file.folder / 'file.db'}")
    brought = (
        Statement(sql="DELETE FROM t", name="deleted"),
        Statement(sql="INSERT INTO t SELECT * FROM s", name="inserted"),
    )
    load = Load(
        table="s",
        columns=(LoadColumn(source_name="n", source_type="INTEGER", stage_name="a", stage_type="INTEGER"),),
        onward=Onward(after=1_000, table="t", statements=brought, held_sql="SELECT count(*) FROM t"),
    )
    for ending in ("closed", "asked for something else", "gone on with"):
        session = connect(endpoint)
        sink = session.sink(load)
        assert sink.load(session.source("SELECT n FROM numbers").open("rows"), lambda rows: None) == MANY
        assert sink.counts == {"deleted": 1, "inserted": MANY}
        assert file.ask("SELECT a FROM t") == [(-1,)]
        if ending == "gone on with":
            assert session.go_on([], []) == {}
            assert file.ask("SELECT count(*), min(a) FROM t") == [(MANY, 1)]
        elif ending == "asked for something else":
            session.execute([Statement(sql="CREATE TABLE other (a)")], [], False)
            with pytest.raises(StatementFailed, match="they are gone"):
                session.go_on([], [])
        session.close()
        assert file.ask("SELECT count(*) FROM s") == [(1_000 if ending == "gone on with" else 0,)]

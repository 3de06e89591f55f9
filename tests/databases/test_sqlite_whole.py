# Tests of SQLite merges whose rows go over whole: as by named columns, without reading one, and never by another order.
"""`MergePlan.whole` on real files."""

import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.base import MergePlan, TableName
from pipekit.drivers.sqlite.driver import DRIVER
from pipekit.drivers.sqlite.wire import SqliteSession, connect
from pipekit.errors import CheckFailed, PipekitError
from pipekit.models import Strategy
from pipekit.runner_contract import Endpoint
from tests.databases.test_sqlite_merge import DEST, STAGING, run, stage


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteSession]:
    session = connect(Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:dest.db", base_dir=str(tmp_path)))
    yield session
    session.close()


def plan_merge(session: SqliteSession, rows: Sequence[tuple[Any, ...]], strategy: Strategy, whole: bool) -> MergePlan:
    columns = stage(session, rows)
    return MergePlan(strategy=strategy, staging=STAGING, dest=DEST, columns=columns, key=("id",), whole=whole)


def count_steps(session: SqliteSession, plan: MergePlan) -> int:
    """Tens of steps of SQLite's machine that the merge takes."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    session._db.set_progress_handler(step, 10)
    session.execute(DRIVER.build_merge_sql(plan), (), False)
    session._db.set_progress_handler(None, 0)
    return steps


# Each takes rows of (id, a): some as they are, some changed, some not at all.
DESTS = [
    "(id INTEGER NOT NULL, a TEXT)",
    "(id, a)",
    "(id INTEGER, a ANY) STRICT",
    "(id INTEGER PRIMARY KEY, a TEXT)",
    "(id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT)",
    "(id INTEGER PRIMARY KEY ON CONFLICT REPLACE, a TEXT)",
    "(id INTEGER PRIMARY KEY, a TEXT) WITHOUT ROWID",
    "(id REAL, a TEXT COLLATE NOCASE UNIQUE ON CONFLICT IGNORE)",
    "(id INTEGER, a TEXT DEFAULT 'd' CHECK (a <> 'refused'))",
    "(id INTEGER, a TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'd')",
    "(id INTEGER, a TEXT, b TEXT GENERATED ALWAYS AS (a || '!') STORED)",
    "(id INTEGER, b TEXT GENERATED ALWAYS AS (a || '!') VIRTUAL, a TEXT)",
]
EXTRAS = (
    "SELECT 1",
    "CREATE INDEX i ON t (a)",
    "CREATE TRIGGER tr AFTER INSERT ON t BEGIN DELETE FROM t WHERE id = 2; END",
)
ROWS: list[list[tuple[Any, ...]]] = [
    [(1, "x"), (2, "y"), (2**62, "")],
    [(5, "x"), (5, "y")],
    [(1, "same"), (2, "SAME")],
    [(1, None), (2, "refused")],
    [],
]


@pytest.mark.parametrize("table", DESTS)
def test_rows_that_go_over_whole_are_what_they_are_by_name(db: SqliteSession, table: str) -> None:
    strategies: tuple[Strategy, ...] = ("full", "append", "incremental")
    for extra, strategy, rows in itertools.product(EXTRAS, strategies, ROWS):
        outcomes = []
        for whole in (False, True):
            run(
                db,
                "DROP TABLE IF EXISTS t",
                f"CREATE TABLE t {table}",
                "INSERT INTO t (id, a) VALUES (7, 'old')",
                extra,
            )
            outcomes.append(find_outcome(db, rows, strategy, whole))
        assert outcomes[0] == outcomes[1]


def find_outcome(
    db: SqliteSession, rows: list[tuple[Any, ...]], strategy: Strategy, whole: bool
) -> tuple[object, list[Any]]:
    """The counts or the error, and what the dest holds then, with its storage classes."""
    told: object
    try:
        counts = db.execute(DRIVER.build_merge_sql(plan_merge(db, rows, strategy, whole)), (), False)
        told = {name: count for name, count in counts.items() if name != "moved"}
    except PipekitError as error:
        told = error.message
    except sqlite3.IntegrityError as error:  # staging itself refuses the row
        told = str(error)
        db.roll_back()
    return told, db._db.execute("SELECT id, typeof(id), a, typeof(a) FROM t ORDER BY 1, 3").fetchall()


def test_rows_go_over_whole_without_a_look_at_their_columns(db: SqliteSession) -> None:
    names = [f"c{number}" for number in range(40)]
    run(db, f"CREATE TABLE t (id INTEGER, {', '.join(f'{name} TEXT' for name in names)})")
    rows = [(number, *("x" for _ in names)) for number in range(1000)]
    named = count_steps(db, plan_merge(db, rows, "full", False))
    assert count_steps(db, plan_merge(db, rows, "full", True)) < named / 5


@pytest.mark.parametrize(
    "change",
    [
        ("DROP TABLE t", "CREATE TABLE t (a TEXT, id INTEGER)"),
        ("ALTER TABLE t RENAME COLUMN a TO b",),
        ("ALTER TABLE t ADD COLUMN b TEXT",),
        ("DROP TABLE t", "CREATE TABLE t (id INTEGER)"),
    ],
)
def test_columns_that_are_changed_before_the_merge_are_never_filled_by_their_place(
    db: SqliteSession, change: tuple[str, ...]
) -> None:
    run(db, "CREATE TABLE t (id INTEGER, a TEXT)")
    plan = plan_merge(db, [(1, "x")], "full", True)
    run(db, *change, "INSERT INTO t (id) VALUES (9)")
    with pytest.raises(CheckFailed, match="columns of t were changed") as refused:
        db.execute(DRIVER.build_merge_sql(plan), (), False)
    assert refused.value.hint == "Run the module again."
    assert db.query("SELECT id FROM t").rows == (("9",),)


def test_a_table_of_another_name_is_told_apart(db: SqliteSession) -> None:
    run(db, 'CREATE TABLE "it\'s" (id INTEGER, a TEXT)', "CREATE TABLE t (id INTEGER, a TEXT)")
    plan = plan_merge(db, [(1, "x")], "append", True)
    other = MergePlan(
        strategy="append",
        staging=STAGING,
        dest=TableName(schema=None, name="it's"),
        columns=plan.columns,
        whole=True,
    )
    db.execute(DRIVER.build_merge_sql(other), (), False)
    assert db.query('SELECT id, a FROM "it\'s"').rows == (("1", "x"),)

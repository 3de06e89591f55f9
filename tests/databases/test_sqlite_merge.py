# Tests of SQLite's merges on real files: each strategy twice, keys of every kind, speed, the ledger, and kill -9.
"""The text of pipekit.drivers.sqlite run through its wire."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.base import LedgerEntry, MergePlan, StagedColumn, TableName
from pipekit.drivers.sqlite.driver import DRIVER
from pipekit.drivers.sqlite.wire import SqliteSession, connect
from pipekit.errors import StatementFailed
from pipekit.models import Strategy
from pipekit.runner_contract import Endpoint, Load, LoadColumn, ResultColumn, Statement
from tests.patience import PATIENCE_S

STAGING = DRIVER.staging_table("m")
DEST = TableName(schema=None, name="t")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[SqliteSession]:
    session = connect(Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:dest.db", base_dir=str(tmp_path)))
    yield session
    session.close()


def run(session: SqliteSession, *statements: str) -> None:
    session.execute([Statement(sql=sql) for sql in statements], (), False)


def fill(session: SqliteSession, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Many rows in one transaction."""
    session._db.execute("BEGIN")
    session._db.executemany(sql, rows)
    session._db.execute("COMMIT")


def stage(session: SqliteSession, rows: Sequence[tuple[Any, ...]]) -> tuple[StagedColumn, ...]:
    """Makes the staging table as a run does, from the dest's own columns, and fills it."""
    columns = DRIVER.get_columns(session.query, DEST)
    staged = tuple(
        DRIVER.stage_column(ResultColumn(name=c.name, type=c.type), DRIVER, c) for c in columns if not c.generated
    )
    run(session, *DRIVER.build_staging_sql(STAGING, DEST, staged))
    marks = ", ".join("?" for _ in staged)
    fill(session, f"INSERT INTO {DRIVER.quote_table(STAGING)} VALUES ({marks})", rows)
    return staged


def merge(
    session: SqliteSession,
    strategy: Strategy,
    rows: Sequence[tuple[Any, ...]],
    key: tuple[str, ...] = ("id",),
    null_keys: bool = False,
) -> dict[str, int]:
    plan = MergePlan(
        strategy=strategy, staging=STAGING, dest=DEST, columns=stage(session, rows), key=key, null_keys=null_keys
    )
    return session.execute(DRIVER.build_merge_sql(plan), (), False)


def rows_of(session: SqliteSession) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = session._db.execute("SELECT * FROM t ORDER BY 1, 2").fetchall()
    return rows


OLD = [(1, "a"), (2, "b"), (3, "c")]
NEW = [(2, "B"), (3, "C"), (4, "D")]


@pytest.mark.parametrize(
    "table",
    [
        "(id INTEGER PRIMARY KEY, v TEXT)",
        "(id INTEGER, v TEXT)",
        "(id INTEGER PRIMARY KEY, v TEXT) WITHOUT ROWID",
        "(id INT NOT NULL UNIQUE, v TEXT) STRICT",
    ],
)
@pytest.mark.parametrize(
    ("strategy", "first", "second", "after"),
    [
        ("full", {"deleted": 3, "inserted": 3}, {"deleted": 3, "inserted": 3}, NEW),
        ("incremental", {"deleted": 2, "inserted": 3}, {"deleted": 3, "inserted": 3}, [(1, "a"), *NEW]),
        ("upsert", {"updated": 2, "inserted": 1}, {"updated": 3, "inserted": 0}, [(1, "a"), *NEW]),
    ],
)
def test_a_strategy_run_twice_gives_what_it_says(
    db: SqliteSession, table: str, strategy: Strategy, first: dict[str, int], second: dict[str, int], after: list[Any]
) -> None:
    run(db, f"CREATE TABLE t {table}")
    fill(db, "INSERT INTO t VALUES (?, ?)", OLD)
    assert merge(db, strategy, NEW) == first
    assert rows_of(db) == after
    assert merge(db, strategy, NEW) == second
    assert rows_of(db) == after


def test_append_adds_the_rows_each_time(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id INTEGER, v TEXT)")
    assert merge(db, "append", OLD) == merge(db, "append", OLD) == {"inserted": 3}
    assert rows_of(db) == sorted(OLD * 2)


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_null_keys_match_each_other_only_when_they_are_allowed_to(db: SqliteSession, strategy: Strategy) -> None:
    run(db, "CREATE TABLE t (id INTEGER, part TEXT, v TEXT)")
    fill(
        db, "INSERT INTO t VALUES (?, ?, ?)", [(1, None, "old"), (1, "x", "old"), (None, None, "old"), (9, None, "old")]
    )
    new = [(1, None, "new"), (None, None, "new"), (1, "x", "new")]
    counts = merge(db, strategy, new, key=("id", "part"), null_keys=True)
    assert counts == ({"deleted": 3, "inserted": 3} if strategy == "incremental" else {"updated": 3, "inserted": 0})
    assert sorted(row[2] for row in rows_of(db)) == ["new", "new", "new", "old"]


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_keys_are_compared_as_the_dest_compares_them(db: SqliteSession, strategy: Strategy) -> None:
    run(db, "CREATE TABLE t (code TEXT COLLATE NOCASE, v TEXT)", "INSERT INTO t VALUES ('Ab', 'old')")
    merge(db, strategy, [("aB", "new")], key=("code",))
    assert [row[1] for row in rows_of(db)] == ["new"]
    plan = MergePlan(
        strategy=strategy, staging=STAGING, dest=DEST, columns=stage(db, [("x", "1"), ("X", "2")]), key=("code",)
    )
    assert db.query(DRIVER.build_repeated_key_sql(plan)).rows == (("1", "code = 'x'"),)


@pytest.mark.parametrize("null_keys", [False, True])
@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_keys_that_are_equal_but_for_blanks_at_their_end_meet_whatever_their_length(
    db: SqliteSession, strategy: Strategy, null_keys: bool
) -> None:
    run(db, "CREATE TABLE t (code COLLATE RTRIM, v TEXT)")
    held = [f"{number:02}{' ' * (number % 5)}" for number in range(40)]
    fill(db, "INSERT INTO t VALUES (?, 'old')", [(code,) for code in [*held, 7, b"7"]])
    staged = [(f"{number:02}{' ' * (number % 3)}", "new") for number in range(40)]
    merge(db, strategy, [*staged, (7, "seven")], key=("code",), null_keys=null_keys)
    assert sorted(rows_of(db), key=repr) == sorted([*staged, (7, "seven"), (b"7", "old")], key=repr)


def test_keys_with_blanks_at_their_end_are_looked_for_without_comparing_each_with_each(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id TEXT, n INTEGER)", "INSERT INTO t VALUES ('a', 1), ('b ', 2), ('c', 3)")
    columns = stage(db, [("a  ", 1), ("b ", 2), ("x", 4)])
    plan = MergePlan(strategy="upsert", staging=STAGING, dest=DEST, columns=columns, key=("id", "n"))
    sql = DRIVER.build_blank_key_sql(plan, ["id"])
    assert db.query(sql).rows == (("1", "id = 'a  ', n = 1"),)
    assert _count_nested_scans(db, sql) == 0


def test_large_integer_keys_are_told_apart(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id INTEGER, v TEXT)")
    fill(db, "INSERT INTO t VALUES (?, 'old')", [(2**63 - 1,), (2**63 - 2,), (-(2**63),)])
    assert merge(db, "incremental", [(2**63 - 2, "new")]) == {"deleted": 1, "inserted": 1}


def test_an_upsert_of_nothing_but_the_key_counts_its_matches(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)", "INSERT INTO t VALUES (1, 'a')")
    assert merge(db, "upsert", [(1, "a"), (2, "b")], key=("id", "v")) == {"updated": 1, "inserted": 1}


@pytest.mark.parametrize(("held", "staged", "declared"), [("AB", "ab", "TEXT COLLATE NOCASE"), (1, 1.0, "")])
def test_an_upsert_writes_a_key_that_is_equal_and_spelled_otherwise(
    db: SqliteSession, held: object, staged: object, declared: str
) -> None:
    run(db, f"CREATE TABLE t (id {declared} PRIMARY KEY, v TEXT)", f"INSERT INTO t VALUES ({held!r}, 'old')")
    assert merge(db, "upsert", [(staged, "new")], key=("id",)) == {"updated": 1, "inserted": 0}
    assert db.query("SELECT quote(id), v FROM t").rows == ((repr(staged), "new"),)


def test_a_dest_that_replaces_or_ignores_double_rows_fails_instead(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id INTEGER UNIQUE ON CONFLICT REPLACE, v TEXT)")
    with pytest.raises(StatementFailed, match="UNIQUE"):
        merge(db, "full", [(1, "a"), (1, "b")])


def test_null_and_repeated_keys_are_counted_with_an_example(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id INTEGER, part TEXT)")
    staged = stage(db, [(1, "it's"), (1, "it's"), (2, None), (None, None), (3, "x")])
    plan = MergePlan(strategy="upsert", staging=STAGING, dest=DEST, columns=staged, key=("id", "part"))
    assert db.query(DRIVER.build_null_key_sql(plan)).rows == (("2", "id = 2, part = NULL"),)
    assert db.query(DRIVER.build_repeated_key_sql(plan)).rows == (("1", "id = 1, part = 'it''s'"),)
    staged = stage(db, [(1, "a")])
    assert db.query(DRIVER.build_null_key_sql(plan)).rows == (("0", None),)
    assert db.query(DRIVER.build_repeated_key_sql(plan)).rows == (("0", None),)


@pytest.mark.parametrize("null_keys", [False, True])
@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_a_key_that_is_not_staged_fails_and_deletes_nothing(
    db: SqliteSession, strategy: Strategy, null_keys: bool
) -> None:
    run(db, "CREATE TABLE t (id INTEGER, v TEXT)", "INSERT INTO t VALUES (1, 'a')")
    plan = MergePlan(
        strategy=strategy,
        staging=STAGING,
        dest=DEST,
        columns=stage(db, [(2, "b")])[1:],
        key=("id",),
        null_keys=null_keys,
    )
    run(db, *DRIVER.build_staging_sql(STAGING, DEST, plan.columns), "INSERT INTO \"pipekit_staging.m\" VALUES ('b')")
    for look in (DRIVER.build_null_key_sql, DRIVER.build_repeated_key_sql):
        with pytest.raises(StatementFailed, match="no such column"):
            db.query(look(plan))
    with pytest.raises(StatementFailed):
        db.execute(DRIVER.build_merge_sql(plan), (), False)
    assert rows_of(db) == [(1, "a")]
    with pytest.raises(StatementFailed, match="no such column"):
        db.query(DRIVER.build_select_columns_sql("SELECT 1 AS a", ["b"]))


@pytest.mark.parametrize("null_keys", [False, True])
@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
@pytest.mark.parametrize(
    ("type_", "index"),
    [("INTEGER", ""), ("INTEGER", "CREATE UNIQUE INDEX i ON t (id, part)"), ("TEXT COLLATE RTRIM", "")],
)
def test_a_keyed_merge_never_compares_each_row_with_each(
    db: SqliteSession, strategy: Strategy, null_keys: bool, type_: str, index: str
) -> None:
    run(db, f"CREATE TABLE t (id {type_}, part INTEGER, v TEXT)")
    if index:
        run(db, index)
    fill(db, "INSERT INTO t VALUES (?, ?, 'old')", [(i, i % 7) for i in range(20_000)])
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1_000
        return 0

    db._db.set_progress_handler(step, 1_000)
    counts = merge(db, strategy, [(i, i % 7, "new") for i in range(10_000, 30_000)], ("id", "part"), null_keys)
    assert steps < 40_000 * 200  # comparing each with each would take 400,000,000 looks
    assert counts == (
        {"deleted": 10_000, "inserted": 20_000}
        if strategy == "incremental"
        else {"updated": 10_000, "inserted": 10_000}
    )
    plan = MergePlan(
        strategy=strategy, staging=STAGING, dest=DEST, columns=stage(db, []), key=("id", "part"), null_keys=null_keys
    )
    for statement in DRIVER.build_merge_sql(plan):
        if statement.name:
            assert _count_nested_scans(db, statement.sql) == 0, statement.sql
        else:
            run(db, statement.sql)


def _count_nested_scans(db: SqliteSession, sql: str) -> int:
    """Scans that are repeated for each row of another: a second scan in a join, or one in a correlated subquery."""
    plan: list[tuple[int, int, int, str]] = db._db.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    details = {node: detail for node, _, _, detail in plan}
    scans = [parent for _, parent, _, detail in plan if detail.startswith("SCAN")]
    joined = sum(scans.count(parent) - 1 for parent in set(scans))
    return joined + sum(details.get(parent, "").startswith("CORRELATED") for parent in scans)


# -- looking -----------------------------------------------------------------------------------------------------------


def test_columns_tell_what_can_be_fed_and_what_must(db: SqliteSession) -> None:
    run(
        db,
        """CREATE TABLE t (id INTEGER PRIMARY KEY, code VARCHAR(9) NOT NULL COLLATE NOCASE, n INT DEFAULT 5,
           twice INT GENERATED ALWAYS AS (n * 2), kept INT AS (n) STORED, x)""",
        "CREATE VIEW w AS SELECT id FROM t",
        "CREATE TABLE loose (x ANY)",
        "CREATE TABLE tight (x ANY) STRICT",
    )
    found = {c.name: c for c in DRIVER.get_columns(db.query, DRIVER.parse_table("main.T"))}
    assert [c.name for c in found.values() if c.generated] == ["twice", "kept"]
    assert (found["id"].has_default, found["id"].nullable, found["id"].in_key) == (True, False, True)
    assert (found["code"].type, found["code"].nullable) == ("VARCHAR(9) COLLATE NOCASE", False)
    assert (found["n"].has_default, found["x"].type) == (True, "")
    everything = DRIVER.column_inventory(db.query, "main")
    assert list(everything) == ["loose", "t", "tight", "w"]
    assert (everything["loose"][0].type, everything["tight"][0].type) == ("NUMERIC", "ANY")
    assert [(t.name, t.is_view) for t in DRIVER.list_tables(db.query, "main")][-1] == ("w", True)
    assert DRIVER.get_columns(db.query, DRIVER.parse_table("nothing")) == []


def test_only_plain_tables_can_be_written_to(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (a)", "CREATE VIEW w AS SELECT 1", "CREATE VIRTUAL TABLE f USING fts5(x)")
    facts = {
        name: DRIVER.get_table_facts(db.query, TableName(schema=None, name=name))
        for name in ("T", "w", "f", "no", "sqlite_master")
    }
    assert facts["T"].exists
    assert facts["T"].can_truncate
    assert not facts["T"].problem
    assert "view" in facts["w"].problem
    assert "virtual" in facts["f"].problem
    assert not facts["no"].exists
    assert "SQLite itself" in facts["sqlite_master"].problem


def test_a_null_never_becomes_a_row_number(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
    stage(db, [])
    column = LoadColumn(source_name="id", source_type="INTEGER", stage_name="id", stage_type="INTEGER")
    source = db.source("SELECT NULL AS id")
    with pytest.raises(StatementFailed, match="NOT NULL"):
        db.sink(Load(table=DRIVER.quote_table(STAGING), columns=(column,))).load(source.open("rows"), lambda rows: None)


def test_a_strict_dest_keeps_any_value_of_an_any_column(db: SqliteSession) -> None:
    run(db, "CREATE TABLE t (id INTEGER, v ANY) STRICT")
    merge(db, "full", [(1, "0123"), (2, b"\x00"), (3, 1.5), (4, None)])
    assert rows_of(db) == [(1, "0123"), (2, b"\x00"), (3, 1.5), (4, None)]


# -- ledger ------------------------------------------------------------------------------------------------------------


def make_entry(run_key: str, fence: int) -> LedgerEntry:
    return LedgerEntry(run_key=run_key, run_id=7, module="m", fence=fence, rows=3)


def write_ledger(db: SqliteSession, run_key: str, fence: int) -> int:
    return db.execute(DRIVER.build_ledger_sql(make_entry(run_key, fence)), (), False)["ledger"]


def test_the_ledger_is_made_once(db: SqliteSession) -> None:
    setup = DRIVER.find_setup_sql(db.query)
    assert setup
    run(db, *setup)
    run(db, *setup)
    assert DRIVER.find_setup_sql(db.query) == ()


def test_the_ledger_tells_a_merged_run_from_a_fenced_one(db: SqliteSession) -> None:
    run(db, *DRIVER.find_setup_sql(db.query))
    assert write_ledger(db, "k1", 1) == 1
    assert write_ledger(db, "k1", 1) == 0, "a run merges once"
    run(db, DRIVER.build_fence_sql(make_entry("k1", 1)), DRIVER.build_fence_sql(make_entry("k3", 3)))
    assert db.query(DRIVER.build_outcome_sql("k1")).first_cell() == "merged"
    assert db.query(DRIVER.build_outcome_sql("k3")).first_cell() == "fenced"
    assert db.query(DRIVER.build_outcome_sql("k9")).first_cell() is None
    assert write_ledger(db, "k3", 3) == 0, "a fenced run does not merge"
    assert write_ledger(db, "k2", 2) == 0, "an older fence does not merge"
    assert write_ledger(db, "k4", 3) == write_ledger(db, "k5", 4) == 1
    (row,) = db.query(
        "SELECT run_id, module, fence, rows, committed_at FROM \"pipekit_staging.pipekit_ledger\" WHERE run_key = 'k5'"
    ).rows
    assert row[:4] == ("7", "m", "4", "3")
    assert len(row[4] or "") == len("2024-01-01T00:00:00.000Z")


# -- kill -9 -----------------------------------------------------------------------------------------------------------

_WRITER = """
import sys, time
from pipekit.drivers.sqlite.wire import connect
from pipekit.drivers.wire import Stream
from pipekit.runner_contract import Endpoint, Load, LoadColumn, Statement
db = connect(Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:dest.db", base_dir=sys.argv[1]))
def blocks():
    for start in range(0, 400_000, 2_000):
        if start == 300_000:
            print("now", flush=True)
            time.sleep(60)
        yield [(i, "new " * 20) for i in range(start, start + 2_000)], 2_000
if sys.argv[2] == "load":
    types = (("id", "INTEGER"), ("v", "TEXT"))
    columns = tuple(LoadColumn(source_name=n, source_type=t, stage_name=n, stage_type=t) for n, t in types)
    stream = Stream(format="rows", columns=(), blocks=blocks())
    db.sink(Load(table="t", columns=columns)).load(stream, lambda rows: None)
else:
    db._db.create_function("wait", 0, lambda: (print("now", flush=True), time.sleep(60)))
    work = ("DELETE FROM t", "INSERT INTO t SELECT value, 'new' FROM generate", "SELECT wait()")
    db.execute([Statement(sql=sql) for sql in work], (), False)
"""


@pytest.mark.parametrize("work", ["load", "merge"])
def test_a_writer_that_is_killed_leaves_the_file_as_it_was(db: SqliteSession, tmp_path: Path, work: str) -> None:
    numbers = (
        "WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 2e5) SELECT * FROM n"
    )
    run(
        db,
        "CREATE TABLE t (id INTEGER, v TEXT)",
        "INSERT INTO t VALUES (1, 'old'), (2, 'old')",
        f"CREATE VIEW generate AS {numbers}",
    )
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path), work], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "now\n"
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=PATIENCE_S)
    assert rows_of(db) == [(1, "old"), (2, "old")]
    run(db, "INSERT INTO t VALUES (3, 'next')")
    assert db.query("PRAGMA integrity_check").first_cell() == "ok"


# -- rows that are left ------------------------------------------------------------------------------------------------

# Equal values that can be told apart: (declared, held, staged); each must be written.
TOLD_APART = [
    ("TEXT COLLATE NOCASE", "AB", "ab"), ("TEXT COLLATE RTRIM", "a", "a "), ("", 1, 1.0), ("", "1", 1), ("", "a", b"a"),
    ("TEXT", "", None), ("INTEGER", 0, None), ("TEXT", "a\0b", "a\0c"), ("REAL", 1.5, "x"), ("", 2**63 - 1, 2.0**63),
]  # fmt: skip


@pytest.mark.parametrize("unique", [True, False])
def test_a_value_that_can_be_told_from_what_is_held_is_written_and_no_other_is(db: SqliteSession, unique: bool) -> None:
    for declared, held, staged in TOLD_APART:
        run(db, "DROP TABLE IF EXISTS t", f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared})")
        fill(db, "INSERT INTO t VALUES (?, ?)", [(1, held), (2, held)])
        columns = stage(db, [(1, held), (2, staged), (3, None)])
        plan = MergePlan(strategy="upsert", staging=STAGING, dest=DEST, columns=columns, key=("id",), leaves=True)
        counts = db.execute(DRIVER.build_merge_sql(replace(plan, unique=unique)), (), False)
        assert counts == {"updated": 1, "inserted": 1} | ({} if unique else {"matched": 2}), (declared, held, staged)
        told = [row[0] for row in db.query("SELECT quote(v) || typeof(v) FROM t ORDER BY id").rows]
        wanted = db.query(f'SELECT quote(v) || typeof(v) FROM "{STAGING.name}" ORDER BY id').rows
        assert told == [row[0] for row in wanted]


SOLE = {
    "(id INTEGER PRIMARY KEY, v TEXT)": True,
    "(id TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID": True,
    "(id INTEGER, v TEXT, UNIQUE (id))": True,
    "(id TEXT COLLATE NOCASE PRIMARY KEY, v TEXT)": True,
    "(id INTEGER PRIMARY KEY, v TEXT UNIQUE)": False,
    "(id INTEGER, v TEXT)": False,
    "(id INTEGER PRIMARY KEY, v TEXT); CREATE UNIQUE INDEX i ON t (v) WHERE v <> ''": False,
    "(id INTEGER PRIMARY KEY, v TEXT); CREATE UNIQUE INDEX i ON t (lower(v))": False,
    "(id TEXT COLLATE NOCASE, v TEXT); CREATE UNIQUE INDEX i ON t (id COLLATE BINARY)": False,
}


@pytest.mark.parametrize("table", SOLE)
def test_a_key_is_the_only_one_when_nothing_else_is_unique_and_it_compares_as_its_column_does(
    db: SqliteSession, table: str
) -> None:
    run(db, *f"CREATE TABLE t {table}".split("; "))
    facts = DRIVER.get_table_facts(db.query, DEST)
    assert facts.sole_key is SOLE[table]
    assert not facts.sole_key or facts.keys == (("id",),)


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_a_merge_that_leaves_rows_never_compares_each_with_each(db: SqliteSession, strategy: Strategy) -> None:
    for table in ("(id INTEGER, v TEXT)", "(id INTEGER PRIMARY KEY, v TEXT)", "(id TEXT COLLATE RTRIM, v TEXT)"):
        run(db, "DROP TABLE IF EXISTS t", f"CREATE TABLE t {table}")
        columns = stage(db, [(1, "a")])
        plan = MergePlan(strategy=strategy, staging=STAGING, dest=DEST, columns=columns, key=("id",), leaves=True)
        for statement in DRIVER.build_merge_sql(plan):
            if statement.name:
                assert _count_nested_scans(db, statement.sql) == 0, statement.sql
            else:
                run(db, statement.sql)

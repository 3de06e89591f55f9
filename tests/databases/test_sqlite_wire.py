# Tests of SQLite's connection with real files: opening, reading, transactions, and what a move does to odd values.
"""pipekit.drivers.sqlite.wire."""

import itertools
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.sqlite.driver import DRIVER
from pipekit.drivers.sqlite.wire import SqliteSession, connect
from pipekit.drivers.wire import Stream
from pipekit.errors import CheckFailed, ConnectFailed, Inexact, RunnerError, StatementFailed
from pipekit.runner_contract import Endpoint, Expect, Load, LoadColumn, ResultColumn, Statement


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def make_endpoint(folder: Path, name: str = "dest.db", *, read_only: bool = False, options: str = "") -> Endpoint:
    return Endpoint(kind="sqlite", jdbc_url=f"jdbc:sqlite:{name}{options}", base_dir=str(folder), read_only=read_only)


@pytest.fixture
def dest(folder: Path) -> Iterator[SqliteSession]:
    session = connect(make_endpoint(folder))
    yield session
    session.close()


def run(session: SqliteSession, *statements: str) -> dict[str, int]:
    return session.execute([Statement(sql=sql) for sql in statements], (), False)


def fill(session: SqliteSession, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Many rows in one transaction."""
    session._db.execute("BEGIN")
    session._db.executemany(sql, rows)
    session._db.execute("COMMIT")


def read(session: SqliteSession, sql: str) -> list[tuple[str | None, ...]]:
    return list(session.query(sql).rows)


# -- opening -----------------------------------------------------------------------------------------------------------


def test_a_source_that_does_not_exist_is_refused_by_its_full_path(folder: Path) -> None:
    with pytest.raises(ConnectFailed, match=str(folder / "gone.db")):
        connect(make_endpoint(folder, "gone.db", read_only=True))
    assert not (folder / "gone.db").exists()


def test_a_dest_is_made_unless_its_folder_is_missing(folder: Path) -> None:
    connect(make_endpoint(folder, "new.db")).close()
    assert (folder / "new.db").exists()
    with pytest.raises(ConnectFailed, match="no folder"):
        connect(make_endpoint(folder, "no/new.db"))


def test_a_folder_and_a_file_of_another_kind_are_refused(folder: Path) -> None:
    (folder / "text.db").write_text("this is no database, just a long enough text " * 40)
    with pytest.raises(ConnectFailed, match="not an SQLite database"):
        connect(make_endpoint(folder, "text.db"))
    with pytest.raises(ConnectFailed, match="is a folder"):
        connect(make_endpoint(folder, "."))
    os.mkfifo(folder / "pipe.db")
    (folder / "link.db").symlink_to("pipe.db")
    for name, read_only in itertools.product(("pipe.db", "link.db", "/dev/zero"), (True, False)):
        with pytest.raises(ConnectFailed, match="not a database file"):
            connect(make_endpoint(folder, name, read_only=read_only))


def test_a_dest_that_is_made_is_its_owners_alone_and_one_that_is_there_keeps_its_mode(folder: Path) -> None:
    before = os.umask(0)
    try:
        connect(make_endpoint(folder, "new.db")).close()
        (folder / "old.db").touch(0o664)
        with closing(connect(make_endpoint(folder, "old.db"))) as session:
            session.run("create table t (id)")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert (modes["new.db"], modes["old.db"]) == (0o600, 0o664)


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Without root's right to write everywhere, where the tests run as root."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_write_ahead_log_in_a_folder_one_may_only_read_is_named_as_the_reason() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        session = connect(make_endpoint(folder, "s.db"))
        run(session, "CREATE TABLE t (a)")
        session.close()
        (folder / "s.db").chmod(0o644)
        folder.chmod(0o555)
        try:
            with as_somebody_else(), pytest.raises(ConnectFailed, match="write-ahead log") as caught:
                connect(make_endpoint(folder, "s.db", read_only=True))
        finally:
            folder.chmod(0o755)
        assert name in caught.value.message
        assert "journal_mode = DELETE" in caught.value.hint


@pytest.mark.parametrize("name", ["a b.db", "50%#1.db", "ü&=+;.db", "'quoted'.db", "%20.db"])
def test_a_file_may_have_an_odd_name(folder: Path, name: str) -> None:
    session = connect(make_endpoint(folder, name))
    run(session, "CREATE TABLE t (a)")
    session.close()
    session.close()
    assert [entry.name for entry in folder.iterdir()] == [name]


def test_an_absolute_path_is_taken_as_it_is(folder: Path) -> None:
    session = connect(make_endpoint(Path("/nowhere"), str(folder / "here.db")))
    session.close()
    assert (folder / "here.db").exists()


def test_a_read_only_session_cannot_write(folder: Path, dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a)")
    session = connect(make_endpoint(folder, read_only=True))
    with pytest.raises(StatementFailed, match="readonly"):
        run(session, "INSERT INTO t VALUES (1)")
    assert session.query("SELECT * FROM t").columns == (ResultColumn(name="a", type=""),)
    session.close()


def test_a_file_we_write_gets_a_write_ahead_log(dest: SqliteSession) -> None:
    assert dest.query("PRAGMA journal_mode").first_cell() == "wal"


def test_a_file_another_process_writes_to_is_a_fault_that_passes(folder: Path, dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a)")
    dest._db.execute("BEGIN IMMEDIATE")
    other = connect(make_endpoint(folder, options="?busy_timeout=50"))
    with pytest.raises(StatementFailed, match="another process") as caught:
        run(other, "INSERT INTO t VALUES (1)")
    assert caught.value.transient
    assert caught.value.sqlstate == "SQLITE_BUSY"
    dest._db.execute("ROLLBACK")
    run(other, "INSERT INTO t VALUES (1)")
    other.close()


# -- queries -----------------------------------------------------------------------------------------------------------


def test_cells_come_as_text(dest: SqliteSession) -> None:
    sql = "SELECT 1, -9223372036854775808, 0.1, 1e308, x'00ff', 'it''s', '', NULL, 9e999"
    expected = ("1", "-9223372036854775808", "0.1", "1e+308", "0x00FF", "it's", "", None, "inf")
    assert read(dest, sql) == [expected]


def test_result_columns_have_declared_types_and_their_own_names(dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a INTEGER PRIMARY KEY, b DECIMAL(10,2), c VARCHAR(9))")
    columns = dest.query("-- why\nSELECT a, b AS price, c, c, a + 1 FROM t; -- done").columns
    assert [(c.name, c.type) for c in columns] == [
        ("a", "INTEGER"), ("price", "DECIMAL(10,2)"), ("c", "VARCHAR(9)"), ("c", "VARCHAR(9)"), ("a + 1", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, a FROM t",
        "SELECT a, a FROM t LIMIT 5; -- x",
        "WITH x AS (SELECT a FROM t) SELECT a, a FROM x",
        "VALUES (1, 2)",
    ],
)
def test_the_columns_of_a_query_are_found_without_rows(dest: SqliteSession, sql: str) -> None:
    run(dest, "CREATE TABLE t (a INTEGER)", "INSERT INTO t VALUES (1)")
    columns = DRIVER.introspect_query_columns(dest.query, sql)
    assert [c.name for c in columns] == (["column1", "column2"] if sql.startswith("VALUES") else ["a", "a"])
    assert all(c.type == "INTEGER" for c in columns) or sql.startswith("VALUES")


def test_a_limit_is_kept_and_a_stream_always_has_a_block(dest: SqliteSession) -> None:
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n"
    assert len(dest.query(numbers, limit=3).rows) == 3
    assert dest.query(numbers, limit=0).rows == ()
    assert sum(len(block.rows) for block in dest.stream(numbers)) == 5000
    (empty,) = dest.stream("SELECT 1 AS a WHERE 0")
    assert empty.columns == (ResultColumn(name="a", type=""),)


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM nothing", "SELECT 1; SELECT 2", ""])
def test_a_bad_query_says_why(dest: SqliteSession, sql: str) -> None:
    if sql:
        with pytest.raises(StatementFailed):
            dest.query(sql)
    else:
        assert dest.query(sql).rows == ()


def test_a_text_that_is_not_utf8_is_refused_by_column_and_row(folder: Path, dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (id INTEGER, note TEXT)")
    fill(dest, "INSERT INTO t VALUES (?, 'fine')", [(i,) for i in range(3000)])
    run(dest, "UPDATE t SET note = CAST(x'41ff42' AS TEXT) WHERE id = 2500")
    source = dest.source("SELECT id, note FROM t")
    with pytest.raises(Inexact, match="UTF-8") as caught:
        list(source.open("rows").blocks)
    assert (caught.value.column, caught.value.row) == ("note", 2501)
    with pytest.raises(Inexact):
        dest.query("SELECT note FROM t")


# -- transactions ------------------------------------------------------------------------------------------------------


def test_a_transaction_counts_its_statements(dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a INTEGER)")
    values = ", ".join(f"({i})" for i in range(100))
    counts = dest.execute(
        [
            Statement(sql=f"INSERT INTO t VALUES {values}", name="inserted"),
            Statement(sql="SELECT count(*) FROM t", name="before", value=True),
            Statement(sql="UPDATE t SET a = a + 1 WHERE a < 10", name="updated"),
            Statement(sql="DELETE FROM t", name="deleted"),
        ],
        [Expect(names=("inserted",), equals=100, message="{got} of {equals}")],
        False,
    )
    assert counts == {"inserted": 100, "before": 100, "updated": 10, "deleted": 100}


def test_an_expectation_that_does_not_hold_rolls_everything_back(dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a)")
    expect = [Expect(names=("inserted",), equals=2, message="{got} instead of {equals}")]
    with pytest.raises(CheckFailed, match="1 instead of 2"):
        dest.execute([Statement(sql="INSERT INTO t VALUES (1)", name="inserted")], expect, False)
    assert read(dest, "SELECT count(*) FROM t") == [("0",)]


def test_a_failing_statement_rolls_back_the_ones_before_it(dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a UNIQUE)", "INSERT INTO t VALUES (1)")
    with pytest.raises(StatementFailed, match="UNIQUE"):
        run(dest, "DELETE FROM t", "INSERT INTO t VALUES (2), (2)")
    assert read(dest, "SELECT a FROM t") == [("1",)]


def test_a_script_runs_statement_by_statement(dest: SqliteSession) -> None:
    script = """CREATE TABLE t (a); -- one; two
      CREATE TRIGGER w AFTER INSERT ON t BEGIN UPDATE t SET a = a + 1; DELETE FROM t WHERE a > 5; END;
      INSERT INTO t VALUES (1); SELECT ';' /* ; */"""
    dest.execute([Statement(sql=script)], (), True)
    assert read(dest, "SELECT a FROM t") == [("2",)]


def test_a_script_that_leaves_a_transaction_open_is_rolled_back_and_refused(dest: SqliteSession) -> None:
    with pytest.raises(StatementFailed, match="left a transaction open"):
        dest.execute([Statement(sql="BEGIN; CREATE TABLE t (a)")], (), True)
    assert read(dest, "SELECT name FROM sqlite_master") == []


# -- moving ------------------------------------------------------------------------------------------------------------


def test_a_source_of_a_session_that_writes_may_be_closed_after_its_last_row(dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1)")
    source = dest.source("SELECT a FROM t")
    assert [block for block, _ in source.open("rows").blocks] == [[(1,)]]
    source.close()
    assert read(dest, "SELECT a FROM t") == [("1",)]


def test_a_source_reads_one_snapshot_while_its_own_file_is_written(dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a INTEGER)", "CREATE TABLE s (a INTEGER)")
    fill(dest, "INSERT INTO t VALUES (?)", [(i,) for i in range(6000)])
    source = dest.source("SELECT a FROM t")
    run(dest, "DELETE FROM t")
    column = LoadColumn(source_name="a", source_type="INTEGER", stage_name="a", stage_type="INTEGER")
    assert dest.sink(Load(table="s", columns=(column,))).load(source.open("rows"), lambda rows: None) == 6000


def test_a_source_that_gives_no_columns_is_refused(dest: SqliteSession) -> None:
    run(dest, "CREATE TABLE t (a INTEGER)")
    for sql in ("PRAGMA query_only = 1", "DELETE FROM t"):
        with pytest.raises(StatementFailed):
            dest.source(sql)
    run(dest, "INSERT INTO t VALUES (1)")


@pytest.mark.parametrize("declared", ["a INTEGER, b BLOB", "a INTEGER, b VARCHAR(40)", "a INTEGER, b DATE"])
@pytest.mark.parametrize("many", [[300_000], [300_000, 10]], ids=["a run of long ones", "every other one long"])
def test_blocks_stay_small_when_the_values_are_long(dest: SqliteSession, declared: str, many: list[int]) -> None:
    run(dest, f"CREATE TABLE t ({declared})")
    sizes = [10] * 3000 + many * 60 + [10] * 3000
    fill(dest, "INSERT INTO t VALUES (?, zeroblob(?))", list(enumerate(sizes)))
    stream = dest.source("SELECT a, b FROM t ORDER BY rowid").open("rows")
    blocks = [block for block, _ in itertools.islice(stream.blocks, 1000)]
    assert sum(map(len, blocks)) == len(sizes)
    assert max(sum(len(row[1]) for row in block) for block in blocks) < 33 * 300_000
    assert max(map(len, blocks)) == 500


def test_rows_are_counted_over_all_blocks(dest: SqliteSession) -> None:
    seen: list[int] = []
    run(dest, "CREATE TABLE s (a INTEGER, b TEXT)")
    columns = tuple(
        LoadColumn(source_name=n.upper(), source_type=t, stage_name=n, stage_type=t)
        for n, t in (("a", "INTEGER"), ("b", "TEXT"))
    )
    blocks: list[tuple[Any, int]] = [(b"1\tx\n2\ty\n", 2), (b"", 0), (b"3\t\\N\nx\tz\n", 2)]
    load = Load(table="s", columns=columns)
    with pytest.raises(RunnerError) as caught:
        dest.sink(load).load(Stream(format="copy-text", columns=(), blocks=iter(blocks)), seen.append)
    assert (caught.value.column, caught.value.row, seen) == ("A", 4, [2])
    good: Iterator[tuple[Any, int]] = iter(blocks[:2])
    assert dest.sink(load).load(Stream(format="copy-text", columns=(), blocks=good), seen.append) == 2


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select a, amonut from t", "amonut"),
        ("select a\nfrom nowhere", "nowhere"),
        ("select a form t", "t"),
        ("select strange(a) from t", "strange"),
        ("select nope, a from t where nope = 1", None),
    ],
)
def test_a_refusal_says_where_the_word_stands_that_it_names(dest: SqliteSession, sql: str, word: str | None) -> None:
    run(dest, "CREATE TABLE t (a INTEGER)")
    with pytest.raises(StatementFailed) as caught:
        dest.query(sql)
    assert caught.value.position == (sql.rindex(word) + 1 if word else None)
    assert caught.value.statement == (sql if word else "")

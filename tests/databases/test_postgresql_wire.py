# The connection to PostgreSQL on a real server: sessions, transactions, moving, errors, cleaning up.
"""`drivers/postgresql/wire.py` and what stands on it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.wire import connect
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import CheckFailed, ConnectFailed, Inexact, StatementFailed
from pipekit.runner_contract import Endpoint, Expect, Statement
from tests.databases.moving import STAGING, Mover, OpenSession, run

# -- connecting --------------------------------------------------------------------------------------------------------


def test_a_session_pins_everything_that_changes_how_values_are_written(
    session: PostgresSession, open_session: OpenSession, database: str
) -> None:
    for setting in ("timezone TO 'Asia/Tokyo'", "datestyle TO 'German'", "bytea_output TO 'escape'"):
        run(session, f'ALTER DATABASE "{database}" SET {setting}')
    session = open_session(application_name="pipekit:tests")
    wanted = {
        "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "bytea_output": "hex",
        "lc_monetary": "C",
        "extra_float_digits": "3", "client_encoding": "UTF8", "client_connection_check_interval": "1s",
        "application_name": "pipekit:tests", "standard_conforming_strings": "on", "lock_timeout": "1min",
    }  # fmt: skip
    assert {name: session.query(f"SHOW {name}").first_cell() for name in wanted} == wanted


@pytest.mark.parametrize("ask", ["query", "source"])
def test_a_refused_query_says_where(session: PostgresSession, ask: str) -> None:
    sql = "select 'é' as a,\n  amonut\nfrom (values (1)) as t (amount)"
    with pytest.raises(StatementFailed, match="amonut") as refused:
        getattr(session, ask)(sql)
    assert (refused.value.position, refused.value.statement) == (sql.index("amonut") + 1, sql)
    with pytest.raises(StatementFailed, match="zero") as refused:
        session.query("select 1 / 0")
    assert (refused.value.position, refused.value.statement) == (None, "")


def test_a_read_only_session_cannot_write(session: PostgresSession, open_session: OpenSession) -> None:
    reader = open_session(read_only=True)
    with pytest.raises(StatementFailed, match="read-only transaction") as refused:
        run(reader, "CREATE TABLE x (a integer)")
    assert refused.value.sqlstate == "25006"
    assert reader.query("SELECT 1").first_cell() == "1"


def test_the_search_path_follows_the_address(
    session: PostgresSession, open_session: OpenSession, postgres: LocalPostgres, database: str
) -> None:
    run(session, 'CREATE SCHEMA IF NOT EXISTS "my schema"')
    url = postgres.jdbc_url(database) + "?currentSchema=%22my%20schema%22&connectTimeout=3"
    assert open_session(jdbc_url=url).query("SELECT current_schema").first_cell() == "my schema"


@pytest.mark.parametrize(
    ("change", "text", "transient"),
    [
        ({"username": "nobody_here"}, 'role "nobody_here" does not exist', False),
        ({"jdbc_url": "jdbc:postgresql://127.0.0.1:1/x"}, "refused", True),
        ({"jdbc_url": "jdbc:postgresql://127.0.0.1:{port}/no_such"}, 'database "no_such" does not exist', False),
    ],
)
def test_a_failed_login_says_why_and_whether_to_try_again(
    open_session: OpenSession, postgres: LocalPostgres, change: dict[str, str], text: str, transient: bool
) -> None:
    change = {name: value.replace("{port}", str(postgres.port)) for name, value in change.items()}
    with pytest.raises(ConnectFailed, match=text) as failed:
        open_session(password="never-shown", **change)
    assert failed.value.transient is transient
    assert "never-shown" not in f"{failed.value!r} {failed.value} {failed.value.hint}"


def test_a_password_is_asked_for_and_never_repeated(tmp_path: Path) -> None:
    secret = "it's a \\ p:ss wörd"
    with LocalPostgres(tmp_path / "pg", password=secret) as server:
        right = Endpoint(kind="postgresql", jdbc_url=server.jdbc_url(), username="postgres", password=secret)
        session = connect(right)
        assert session.query("SELECT current_user").first_cell() == "postgres"
        session.close()
        with pytest.raises(ConnectFailed, match="password authentication failed") as failed:
            connect(replace(right, password=secret + "!"))
        assert secret not in str(failed.value)
        assert failed.value.transient is False
        assert server.run_sql("SELECT 1") == "1"


# -- queries -----------------------------------------------------------------------------------------------------------


def test_a_query_gives_the_servers_own_text_and_types(session: PostgresSession) -> None:
    result = session.query("SELECT 1.50::numeric(9,2) AS n, NULL::date AS d, true AS b, '' AS t; -- the end")
    assert [(column.name, column.type) for column in result.columns] == [
        ("n", "numeric(9,2)"), ("d", "date"), ("b", "boolean"), ("t", "text"),
    ]  # fmt: skip
    assert result.rows == (("1.50", None, "t", ""),)


def test_a_limit_stops_the_server_and_leaves_the_session_usable(session: PostgresSession) -> None:
    run(session, "CREATE SEQUENCE seen")
    assert len(session.query("SELECT nextval('seen') FROM generate_series(1, 10000000)", limit=3).rows) == 3
    assert int(session.query("SELECT last_value FROM seen").first_cell() or 0) < 10_000_000
    assert session.query("SELECT 2", limit=5).first_cell() == "2"


def test_a_stream_comes_in_blocks_and_always_has_one(session: PostgresSession) -> None:
    blocks = list(session.stream("SELECT g FROM generate_series(1, 5000) AS g"))
    assert len(blocks) > 1
    assert [row[0] for block in blocks for row in block.rows] == [str(number) for number in range(1, 5001)]
    assert [block.columns[0].name for block in session.stream("SELECT 1 AS a WHERE false")] == ["a"]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT 1; SELECT 2", "multiple commands"),
        ("", "empty"),
        ("SELECT 1/0", "division by zero"),
        ("COPY (SELECT 1) TO STDOUT", "COPY cannot be used here"),
        ("SELECT '\0'", "NUL"),
    ],
)
def test_a_query_that_cannot_be_run_is_refused(session: PostgresSession, sql: str, text: str) -> None:
    with pytest.raises(StatementFailed, match=text):
        session.query(sql)


# -- transactions ------------------------------------------------------------------------------------------------------


def test_counts_of_a_transaction_add_up_by_name(session: PostgresSession) -> None:
    statements = [
        Statement(sql="CREATE TABLE t AS SELECT g FROM generate_series(1, 10) AS g"),
        Statement(sql="SELECT count(*) FROM t", name="before", value=True),
        Statement(sql="DELETE FROM t WHERE g < 3", name="deleted"),
        Statement(sql="DELETE FROM t WHERE g > 8", name="deleted"),
        Statement(sql="INSERT INTO t VALUES (1), (2); UPDATE t SET g = 0 WHERE g = 1", name="updated"),
    ]
    assert session.execute(statements, (), False) == {"before": 10, "deleted": 4, "updated": 1}


def test_a_broken_expectation_rolls_everything_back(session: PostgresSession) -> None:
    run(session, "CREATE TABLE t (a integer)")
    expect = [Expect(names=("inserted",), equals=2, message="{got} instead of {equals}")]
    with pytest.raises(CheckFailed, match="1 instead of 2"):
        session.execute([Statement(sql="INSERT INTO t VALUES (1)", name="inserted")], expect, False)
    assert session.query("SELECT count(*) FROM t").first_cell() == "0"


def test_of_statements_that_go_together_the_one_that_fails_is_told_and_none_stays(session: PostgresSession) -> None:
    run(session, "CREATE TABLE t (a integer)")
    statements = [Statement(sql=f"INSERT INTO t VALUES ({value})") for value in ("1", "1 / 0", "2")]
    with pytest.raises(StatementFailed, match="division by zero") as failed:
        session.execute(statements, (), False)
    assert (failed.value.sqlstate, failed.value.transient) == ("22012", False)
    assert session.look(["SELECT count(*) FROM t", "SELECT 'é', NULL"])[0].rows == (("0",),)


def test_nothing_runs_after_a_statement_that_is_refused(session: PostgresSession) -> None:
    run(session, "CREATE SEQUENCE numbers")
    refused = Statement(sql="SELECT 3", name="n", value=True, refusal="there are {got}")
    with pytest.raises(CheckFailed, match="there are 3"):
        session.execute([refused, Statement(sql="SELECT nextval('numbers')")], (), False)
    assert session.look(["SELECT is_called FROM numbers"])[0].rows == (("f",),)


def test_looks_are_answered_in_their_order_and_one_that_fails_leaves_the_session_well(session: PostgresSession) -> None:
    found = session.look(
        ["SELECT 1 AS a, NULL AS b", "SELECT 'é' AS c WHERE false", "SELECT 2 UNION SELECT 3 ORDER BY 1"]
    )
    assert [block.rows for block in found] == [(("1", None),), (), (("2",), ("3",))]
    assert [[column.name for column in block.columns] for block in found[:2]] == [["a", "b"], ["c"]]
    with pytest.raises(StatementFailed, match="nowhere"):
        session.look(["SELECT 1", "SELECT * FROM nowhere", "SELECT 2"])
    assert session.query("SELECT 4").first_cell() == "4"


def test_a_statement_may_not_end_the_transaction_it_is_in(session: PostgresSession) -> None:
    for ends in ("COMMIT", "SELECT 1; COMMIT", "/* a note */ COMMIT"):
        run(session, "CREATE TABLE IF NOT EXISTS t (a integer)")
        statements = [Statement(sql=sql) for sql in ("SELECT 0", ends, "INSERT INTO t VALUES (1)")]
        with pytest.raises(StatementFailed, match="ended the transaction"):
            session.execute(statements, (), False)
        assert session.query("SELECT count(*) FROM t").first_cell() == "0"


def test_autocommit_runs_what_cannot_run_in_a_transaction(session: PostgresSession) -> None:
    session.execute([Statement(sql="CREATE TABLE t (a integer)"), Statement(sql="VACUUM ANALYZE t")], (), True)


def test_a_value_that_is_no_number_is_refused(session: PostgresSession) -> None:
    with pytest.raises(StatementFailed, match="not a whole number"):
        session.execute([Statement(sql="SELECT 'x'", name="n", value=True)], (), False)


def test_a_lost_connection_is_transient_and_says_who_ended_it(
    open_session: OpenSession, session: PostgresSession
) -> None:
    lost = open_session(application_name="pipekit:lost")
    assert session.query(DRIVER.build_end_sessions_sql("pipekit:lost")).first_cell() == "1"
    with pytest.raises(StatementFailed, match="terminating connection") as failed:
        lost.query("SELECT pg_sleep(10)")
    assert failed.value.transient
    assert lost.link.is_lost


# -- moving ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["copy-binary", "copy-text", "rows"])
@pytest.mark.parametrize("count", [0, 1, 100_000])
def test_rows_arrive_equal_in_every_format(mover: Mover, format: Format, count: int) -> None:
    shape = "(id bigint, name text, amount numeric(12,2), at timestamptz, odd text)"
    fill = (
        "SELECT g, 'naïve ' || g, g / 7.0, now() + g * interval '1 s', "
        f"CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE E'a\\t\\\\N\\n' END FROM generate_series(1, {count}) AS g"
    )
    run(mover.dest, f"CREATE TABLE sent {shape}", f"INSERT INTO sent {fill}", f"CREATE TABLE arrived {shape}")
    staged = mover.move("SELECT * FROM sent; -- all", format)
    assert mover.merge(mover.build_plan(staged, "full")) == {"before": 0, "deleted": 0, "inserted": count}
    for one, other in (("sent", "arrived"), ("arrived", "sent")):
        assert mover.dest.query(f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {other}").rows == ()


def test_columns_meet_by_name_whatever_their_order(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a text, b text, c text DEFAULT 'left alone')")
    staged = mover.move("SELECT 'is b' AS b, 'is a' AS a", "copy-binary")
    mover.merge(mover.build_plan(staged, "append"))
    assert mover.dest.query("SELECT a, b, c FROM arrived").rows == (("is a", "is b", "left alone"),)


def test_progress_counts_up_to_every_row(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text)")
    source = mover.source.source("SELECT g AS a, repeat('x', 100) AS b FROM generate_series(1, 20000) AS g")
    staged = mover.stage(source.columns)
    stream = source.open("copy-binary")
    seen: list[int] = []
    load = mover.dest.sink(mover.build_load(staged))
    assert load.load(stream, seen.append) == 20000
    assert seen == sorted(set(seen))
    assert seen[-1] == 20000
    assert len(seen) > 3


def test_a_source_that_fails_in_the_middle_leaves_staging_empty(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer)")
    source = mover.source.source("SELECT 1 / (90000 - g) AS a FROM generate_series(1, 100000) AS g")
    staged = mover.stage(source.columns)
    with pytest.raises(StatementFailed, match="division by zero") as failed:
        mover.load(source.open("copy-text"), staged)
    assert (failed.value.row, failed.value.sqlstate) == (None, "22012")
    assert mover.dest.query(f"SELECT count(*) FROM {DRIVER.quote_table(STAGING)}").first_cell() == "0"
    assert mover.source.query("SELECT 1").first_cell() == "1"


def test_a_reader_that_stops_leaves_the_source_usable(mover: Mover) -> None:
    stream = mover.source.source("SELECT generate_series(1, 1000000000)").open("copy-text")
    next(stream.blocks)
    stream.blocks.close()  # type: ignore[attr-defined]
    assert mover.source.query("SELECT 1").first_cell() == "1"


def test_a_refused_row_stops_the_source_early(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a smallint NOT NULL)")
    columns = mover.source.source("SELECT 1::smallint AS a").columns
    staged = mover.stage(columns)
    blocks = (b"40000\n" * 40000, 40000)
    given: list[int] = []

    def endless() -> Iterator[tuple[bytes, int]]:
        while len(given) < 2000:
            given.append(1)
            yield blocks

    with pytest.raises(Inexact, match='Row 1, column a: value "40000" is out of range') as refused:
        mover.load(Stream(format="copy-text", columns=columns, blocks=endless()), staged)
    assert (refused.value.row, refused.value.column, refused.value.sqlstate) == (1, "a", "22003")
    assert len(given) < 2000


def test_a_null_for_a_column_that_takes_none_is_named_by_row_and_column(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text NOT NULL)")
    source = mover.source.source(
        "SELECT g AS a, CASE WHEN g <> 777 THEN 'x' END AS b FROM generate_series(1, 2000) AS g"
    )
    staged = mover.stage(source.columns)
    with pytest.raises(StatementFailed, match="Row 777, column b") as refused:
        mover.load(source.open("copy-binary"), staged)
    assert (refused.value.row, refused.value.column, refused.value.sqlstate) == (777, "b", "23502")


def test_memory_does_not_grow_with_the_rows(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text)")

    def move(count: int, format: Format) -> int:
        """The most KiB this process has held meanwhile."""
        Path("/proc/self/clear_refs").write_text("5")
        mover.move(f"SELECT g AS a, repeat('x', 50) AS b FROM generate_series(1, {count}) AS g", format)
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

    formats: tuple[Format, ...] = ("copy-text", "copy-binary", "rows")
    for format in formats:
        few = move(10_000, format)
        assert move(150_000, format) - few < 4 * 1024


def test_waiting_for_the_server_lets_other_threads_run(mover: Mover, database: str, postgres: LocalPostgres) -> None:
    """The child's own watch over its parent is such a thread. What is waited for comes when another thread has run."""
    run(mover.dest, "CREATE TABLE arrived (a integer)")
    columns = mover.source.source("SELECT 1 AS a").columns
    staged = mover.stage(columns)
    holder = psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=database, autocommit=True)

    def while_another_lets_go(lock: str, let_go: str, work: Callable[[], object]) -> None:
        """Holds up what `work` waits for until another thread has had its turn ten times."""
        holder.execute(lock)
        turns = [0]

        def turn() -> None:
            for _ in range(10):
                time.sleep(0.01)
                turns[0] += 1
            holder.execute(let_go)

        thread = threading.Thread(target=turn)
        thread.start()
        work()
        assert turns[0] == 10
        thread.join()

    advisory = ("SELECT pg_advisory_lock(7)", "SELECT pg_advisory_unlock_all()")
    while_another_lets_go(*advisory, lambda: mover.dest.query("SELECT pg_advisory_xact_lock(7)"))
    while_another_lets_go(*advisory, lambda: run(mover.dest, "SELECT pg_advisory_xact_lock(7)"))
    slow = mover.source.source("SELECT g, pg_advisory_xact_lock(7) IS NULL FROM generate_series(1, 5) AS g")
    while_another_lets_go(*advisory, lambda: list(slow.open("copy-text").blocks))

    def blocks() -> Iterator[tuple[bytes, int]]:
        yield b"1\n" * 4_000_000, 4_000_000

    locked = f"BEGIN; LOCK TABLE {DRIVER.quote_table(STAGING)} IN ACCESS EXCLUSIVE MODE"
    while_another_lets_go(locked, "COMMIT", lambda: mover.load(Stream("copy-text", columns, blocks()), staged))
    holder.close()

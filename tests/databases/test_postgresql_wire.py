# The connection to PostgreSQL on a real server: sessions, transactions, moving, errors, cleaning up.
"""`drivers/postgresql/wire.py` and what stands on it."""

import random
import resource
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.base import LedgerEntry
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.wire import connect
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import CheckFailed, ConnectFailed, Inexact, StatementFailed
from pipekit.localpg import LocalPostgres
from pipekit.models import Strategy
from pipekit.runner.base import Endpoint, Expect, ResultColumn, Statement
from tests.databases.moving import STAGING, Mover, run

Opener = Callable[..., PostgresSession]


@pytest.fixture(scope="module")
def database(postgres: LocalPostgres) -> str:
    """One database for all tests of this file; each starts without tables."""
    postgres.create_database("wire")
    return "wire"


@pytest.fixture
def open_session(database: str, postgres: LocalPostgres) -> Iterator[Opener]:
    sessions: list[PostgresSession] = []

    def open_one(**more: Any) -> PostgresSession:
        endpoint = Endpoint(kind="postgresql", jdbc_url=postgres.jdbc_url(database), username="postgres")
        sessions.append(connect(replace(endpoint, **more)))
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.close()


@pytest.fixture
def session(open_session: Opener) -> PostgresSession:
    one = open_session(application_name="pipekit:tests")
    run(one, "DROP SCHEMA IF EXISTS pipekit_staging CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return one


@pytest.fixture
def mover(session: PostgresSession, open_session: Opener) -> Mover:
    """From `sent` to `arrived` in one database, over two sessions."""
    return Mover(open_session(), session, "arrived")


def make_entry(run_key: str, fence: int = 1) -> LedgerEntry:
    return LedgerEntry(run_key=run_key, run_id=1, module="orders@abc", fence=fence, rows=3)


def give(rows: list[tuple[Any, ...]], names: str, block: int = 1000) -> Stream:
    """Rows as another kind of database sends them."""
    columns = tuple(ResultColumn(name=name) for name in names.split())
    blocks = ((rows[i : i + block], len(rows[i : i + block])) for i in range(0, len(rows), block))
    return Stream(format="rows", columns=columns, blocks=iter(blocks))


def load_rows(mover: Mover, rows: list[tuple[Any, ...]], *, exact: bool = True, block: int = 1000) -> int:
    """Loads rows into staging made like `arrived`, all columns of it."""
    columns = DRIVER.get_columns(mover.dest.query, mover.table)
    staged = mover.stage([ResultColumn(name=column.name, type=column.type) for column in columns])
    return mover.load(give(rows, " ".join(column.name for column in columns), block), staged, exact)


# -- connecting ----------------------------------------------------------------------------------------------------------


def test_a_session_pins_everything_that_changes_how_values_are_written(session: PostgresSession) -> None:
    run(session, "ALTER DATABASE wire SET timezone TO 'Asia/Tokyo'; ALTER DATABASE wire SET datestyle TO 'German'")
    wanted = {
        "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "bytea_output": "hex", "lc_monetary": "C",
        "extra_float_digits": "3", "client_encoding": "UTF8", "client_connection_check_interval": "1s",
        "application_name": "pipekit:tests", "standard_conforming_strings": "on", "lock_timeout": "1min",
    }  # fmt: skip
    assert {name: session.query(f"SHOW {name}").first_cell() for name in wanted} == wanted


def test_a_read_only_session_cannot_write(session: PostgresSession, open_session: Opener) -> None:
    reader = open_session(read_only=True)
    with pytest.raises(StatementFailed, match="read-only transaction") as refused:
        run(reader, "CREATE TABLE x (a integer)")
    assert refused.value.sqlstate == "25006"
    assert reader.query("SELECT 1").first_cell() == "1"


def test_the_search_path_follows_the_address(
    session: PostgresSession, open_session: Opener, postgres: LocalPostgres
) -> None:
    run(session, 'CREATE SCHEMA IF NOT EXISTS "my schema"')
    url = postgres.jdbc_url("wire") + "?currentSchema=%22my%20schema%22&connectTimeout=3"
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
    open_session: Opener, postgres: LocalPostgres, change: dict[str, str], text: str, transient: bool
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


# -- queries ---------------------------------------------------------------------------------------------------------------


def test_a_query_gives_the_servers_own_text_and_types(session: PostgresSession) -> None:
    result = session.query("SELECT 1.50::numeric(9,2) AS n, NULL::date AS d, true AS b, '' AS t; -- the end")
    assert [(column.name, column.type) for column in result.columns] == [
        ("n", "numeric(9,2)"), ("d", "date"), ("b", "boolean"), ("t", "text"),
    ]  # fmt: skip
    assert result.rows == (("1.50", None, "t", ""),)


def test_a_limit_stops_the_server_and_leaves_the_session_usable(session: PostgresSession) -> None:
    started = time.monotonic()
    assert len(session.query("SELECT * FROM generate_series(1, 1000000000) AS g", limit=3).rows) == 3
    assert time.monotonic() - started < 20
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


# -- transactions ----------------------------------------------------------------------------------------------------------


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


def test_a_statement_may_not_end_the_transaction_it_is_in(session: PostgresSession) -> None:
    with pytest.raises(StatementFailed, match="ended the transaction"):
        session.execute([Statement(sql="COMMIT"), Statement(sql="SELECT 1")], (), False)


def test_autocommit_runs_what_cannot_run_in_a_transaction(session: PostgresSession) -> None:
    session.execute([Statement(sql="CREATE TABLE t (a integer)"), Statement(sql="VACUUM ANALYZE t")], (), True)


def test_a_value_that_is_no_number_is_refused(session: PostgresSession) -> None:
    with pytest.raises(StatementFailed, match="not a whole number"):
        session.execute([Statement(sql="SELECT 'x'", name="n", value=True)], (), False)


def test_a_lost_connection_is_transient_and_says_who_ended_it(open_session: Opener, session: PostgresSession) -> None:
    lost = open_session(application_name="pipekit:lost")
    assert session.query(DRIVER.build_end_sessions_sql("pipekit:lost")).first_cell() == "1"
    with pytest.raises(StatementFailed) as failed:
        for _ in range(100):
            lost.query("SELECT pg_sleep(0.05)")
    assert failed.value.transient
    assert "terminating connection" in str(failed.value)
    assert lost.link.is_lost


# -- moving ----------------------------------------------------------------------------------------------------------------


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
    stream, seen = source.open("copy-binary"), []
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
    stream = mover.source.source("SELECT * FROM generate_series(1, 100000000) AS g").open("copy-text")
    next(stream.blocks)
    stream.blocks.close()  # type: ignore[attr-defined]
    assert mover.source.query("SELECT 1").first_cell() == "1"


def test_a_refused_row_stops_the_source_early(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a smallint NOT NULL)")
    columns = mover.source.source("SELECT 1::smallint AS a").columns
    staged = mover.stage(columns)
    blocks, given = (b"40000\n" * 40000, 40000), []

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
        mover.move(f"SELECT g AS a, repeat('x', 50) AS b FROM generate_series(1, {count}) AS g", format)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for format in ("copy-text", "copy-binary", "rows"):
        few = move(20_000, format)  # type: ignore[arg-type]
        assert move(400_000, format) - few < 8 * 1024  # type: ignore[arg-type]


# -- rows of another kind of database ---------------------------------------------------------------------------------------

DATE, MOMENT = "2024-02-29", "2024-02-29 23:59:59"

KEPT = [
    ("smallint", 3, "3"), ("integer", 3.0, "3"), ("bigint", 2**63 - 1, str(2**63 - 1)), ("integer", "12", "12"),
    ("numeric(6,2)", 12.34, "12.34"), ("numeric(6,2)", "12.340", "12.34"), ("numeric(6,2)", 12, "12.00"),
    ("numeric(6,2)", 0.1, "0.10"), ("numeric(6,2)", Decimal("1.5"), "1.50"), ("numeric", 1e-7, "0.0000001"),
    ("numeric", 10**40, str(10**40)), ("numeric(38,10)", "1234567890123456789012345678.0123456789", None),
    ("double precision", 0.1, "0.1"), ("double precision", 2**53, "9007199254740992"), ("double precision", "0.1", "0.1"),
    ("double precision", float("inf"), "Infinity"), ("double precision", 10**22, "1e+22"), ("real", 0.5, "0.5"),
    ("real", "0.1", "0.1"), ("boolean", 1, "t"), ("boolean", False, "f"), ("money", 12, "$12.00"),
    ("text", "", ""), ("text", "\\N", "\\N"), ("text", "a\tb\nc\\d\r\n", None), ("text", "naïve 😀", None), ("text", 12, "12"),
    ("text", 0.1, "0.1"), ("text", "NULL", "NULL"), ("text", "\\.", "\\."), ("text", "x" * 100_000, None),
    ("varchar(3)", "abc", "abc"), ("varchar(3)", "ab ", "ab "), ("character(3)", "ab", "ab "), ("character(3)", "ab ", "ab "),
    ("bytea", b"", "\\x"), ("bytea", b"\x00\\\t\n\xff", "\\x005c090aff"),
    ("date", DATE, DATE), ("date", f"{DATE} 00:00:00.000", DATE), ("date", "infinity", "infinity"),
    ("date", "0044-03-15 BC", "0044-03-15 BC"), ("timestamp", MOMENT, MOMENT), ("timestamp", f"{DATE}T23:59:59Z", MOMENT),
    ("timestamp", DATE, f"{DATE} 00:00:00"), ("timestamp", f"{MOMENT}.123456000", f"{MOMENT}.123456"),
    ("timestamp(0)", f"{MOMENT}.000", MOMENT), ("timestamptz", f"{DATE}T23:59:59+02:00", f"{DATE} 21:59:59+00"),
    ("timestamptz", MOMENT, f"{MOMENT}+00"), ("time", "24:00", "24:00:00"), ("timetz", "10:00:00+05:30", "10:00:00+05:30"),
    ("interval", "1 day 01:02:03.000004", "1 day 01:02:03.000004"), ("interval", "PT1H", "01:00:00"),
    ("uuid", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", ' {"a": 1, "a": 2} ', None), ("jsonb", '{"b":1.10,"a":1}', '{"a": 1, "b": 1.10}'), ("jsonb", 5, "5"),
    ("integer[]", "{1,NULL}", "{1,NULL}"), ("inet", "::1", "::1"), ("name", "n" * 63, "n" * 63),
]  # fmt: skip

REFUSED = [
    ("integer", 1.5, "not a whole number"), ("integer", float("nan"), "not a whole number"), ("integer", b"1", "bytes"),
    ("integer", "abc", "invalid input syntax"), ("integer", 2**31, "out of range"), ("bigint", 2**63, "out of range"),
    ("numeric(6,2)", 1.005, "more than 2 decimals"), ("numeric(6,2)", "1.005", "more than 2 decimals"),
    ("numeric(6,2)", Decimal("0.001"), "more than 2 decimals"), ("numeric(6,2)", 12345, "overflow"),
    ("numeric(6,2)", 1e-7, "more than 2 decimals"), ("numeric", b"1", "bytes"), ("money", "1.005", "more than 2 decimals"),
    ("double precision", 2**53 + 1, "precision would be lost"), ("double precision", "0.12345678901234567890", "precision"),
    ("real", 0.1, "precision would be lost"), ("real", 2**24 + 1, "precision would be lost"), ("real", 1e300, "too large"),
    ("boolean", 2, "invalid input syntax"), ("text", "a\0b", "NUL"), ("text", b"bytes", "bytes"), ("text", "\ud800", "half"),
    ("varchar(3)", "abcd", "longer than 3"), ("varchar(3)", "abc ", "longer than 3"), ("character(3)", "abc ", "longer than"),
    ("character(3)", "a ", "trailing blanks"), ("bytea", "text", "only bytes"), ("bytea", 1, "only bytes"),
    ("date", MOMENT, "time of day would be lost"), ("date", "today", "not a date"), ("date", 20240229, "not a date"),
    ("date", "2024-02-30", "out of range"), ("date", "29.02.2024", "not a date"), ("timestamp", "now", "not a time"),
    ("timestamp", f"{MOMENT}.1234567", "more than 6 digits"), ("timestamp(3)", f"{MOMENT}.1234", "more than 3 digits"),
    ("timestamp", f"{MOMENT}+02", "time zone would be lost"), ("timestamp", f"{DATE} 23:59:60", "not a time"),
    ("timestamptz", 1709251199, "not a time"), ("time", "10:00+02", "time zone would be lost"),
    ("time", "10:00:00.1234567", "more than 6 digits"), ("interval", "00:00:00.0000001", "more than 6 digits"),
    ("uuid", "x", "invalid input syntax"), ("json", "{", "invalid input syntax"), ("name", "n" * 64, "longer than 63"),
    ("jsonb", '{"a":1,"a":2}', "same key twice"), ('"char"', "xy", "longer than 1"), ("text", object(), "of type object"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "shown"), KEPT, ids=lambda item: repr(item)[:30])
def test_a_value_of_another_database_is_kept(mover: Mover, type_: str, value: object, shown: str | None) -> None:
    run(mover.dest, f"CREATE TABLE arrived (a {type_})")
    assert load_rows(mover, [(None,), (value,)]) == 2
    rows = mover.dest.query(f"SELECT a FROM {DRIVER.quote_table(STAGING)}").rows
    assert rows == ((None,), (value if shown is None else shown,))


@pytest.mark.parametrize(("type_", "value", "reason"), REFUSED, ids=lambda item: repr(item)[:30])
def test_a_value_that_would_change_is_refused_by_row_and_column(
    mover: Mover, type_: str, value: object, reason: str
) -> None:
    run(mover.dest, f"CREATE TABLE arrived (id integer, a {type_})")
    rows: list[tuple[Any, ...]] = [(number, None) for number in range(1, 12)]
    rows[8] = (9, value)
    with pytest.raises(Inexact, match=f"Row 9, column a: .*{reason}") as refused:
        load_rows(mover, rows, block=4)
    assert (refused.value.row, refused.value.column) == (9, "a")
    assert mover.dest.query(f"SELECT count(*) FROM {DRIVER.quote_table(STAGING)}").first_cell() == "0"


def test_without_exactness_the_dest_makes_of_a_value_what_it_does(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a numeric(4,1), b date, c bytea)")
    assert load_rows(mover, [(1.25, MOMENT, "text")], exact=False) == 1
    rows = mover.dest.query(f"SELECT * FROM {DRIVER.quote_table(STAGING)}").rows
    assert rows == (("1.3", DATE, "\\x74657874"),)


def test_even_without_exactness_a_nul_is_an_error_with_its_place(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a text)")
    with pytest.raises(Inexact, match="Row 2, column a: text cannot hold a NUL"):
        load_rows(mover, [("x",), ("\0",)], exact=False)


def test_the_name_of_a_refused_column_may_hold_anything(mover: Mover) -> None:
    run(mover.dest, 'CREATE TABLE arrived ("a, line 7, column b: ""x""" smallint, b smallint)')
    with pytest.raises(Inexact) as refused:
        load_rows(mover, [(1, 1), (99999, 1)])
    assert (refused.value.row, refused.value.column) == (2, 'a, line 7, column b: "x"')


def test_mixed_python_types_in_one_column_arrive(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a numeric, b text)")
    values: list[Any] = [1, 2.5, "3.75", None, Decimal("4.125"), True]
    assert load_rows(mover, [(value if value is not True else 1, value) for value in values]) == 6
    rows = mover.dest.query(f"SELECT * FROM {DRIVER.quote_table(STAGING)}").rows
    assert rows == (("1", "1"), ("2.5", "2.5"), ("3.75", "3.75"), (None, None), ("4.125", "4.125"), ("1", "t"))


# -- merging ---------------------------------------------------------------------------------------------------------------


def merge_model(
    strategy: Strategy, dest: list[tuple[Any, ...]], staged: list[tuple[Any, ...]], null_keys: bool
) -> list[tuple[Any, ...]]:
    """What the strategies mean, in Python; the key is the first two columns."""
    keys = {row[:2] for row in staged if null_keys or None not in row[:2]}
    if strategy == "full":
        return staged
    if strategy == "append":
        return dest + staged
    if strategy == "incremental":
        return [row for row in dest if row[:2] not in keys] + staged
    there = {row[:2] for row in dest}
    updates = {row[:2]: row for row in staged if row[:2] in keys}
    kept = [updates.get(row[:2], row) for row in dest]
    return kept + [row for row in staged if row[:2] not in there or row[:2] not in keys]


@pytest.mark.parametrize("can_truncate", [True, False])
@pytest.mark.parametrize("null_keys", [True, False])
@pytest.mark.parametrize("strategy", ["full", "incremental", "append", "upsert"])
def test_a_merge_does_what_its_strategy_says(
    mover: Mover, strategy: Strategy, null_keys: bool, can_truncate: bool
) -> None:
    chance = random.Random(f"{strategy}{null_keys}")
    keys = [(a, b) for a in (None, 1, 2, 3) for b in (None, "x", "y")]
    dest = [(*key, f"old {key}") for key in keys if chance.random() < 0.6]
    unique = [key for key in keys if chance.random() < 0.6 and (null_keys or None not in key)]
    staged = [(*key, f"new {key}") for key in unique]
    if strategy == "incremental":
        staged += [(*key, "again") for key in unique[:2]]
    run(mover.dest, "CREATE TABLE arrived (a integer, b text, c text)")
    load_rows(mover, dest)
    columns = DRIVER.get_columns(mover.dest.query, mover.table)
    plan = mover.build_plan(mover.stage([ResultColumn(name=c.name, type=c.type) for c in columns]), "append")
    load_rows(mover, dest)
    mover.merge(plan)
    load_rows(mover, staged)
    plan = replace(plan, strategy=strategy, key=("a", "b"), null_keys=null_keys, can_truncate=can_truncate)
    counts = mover.merge(plan)
    rows = [tuple(row) for row in mover.dest.query("SELECT a, b, c FROM arrived").rows]
    wanted = [(None if a is None else str(a), b, c) for a, b, c in merge_model(strategy, dest, staged, null_keys)]
    assert sorted(rows, key=repr) == sorted(wanted, key=repr)
    changed = counts["inserted"] + counts.get("updated", 0)
    assert changed == len(staged)
    if strategy == "full":
        assert counts == {"before": len(dest), "deleted": len(dest), "inserted": len(staged)}


def test_null_and_repeated_keys_are_counted_with_an_example(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text)")
    load_rows(mover, [(1, "x"), (1, "x"), (2, "y"), (None, "z"), (3, None), (2, "y")])
    columns = DRIVER.get_columns(mover.dest.query, mover.table)
    staged = tuple(DRIVER.stage_column(ResultColumn(name=c.name, type=c.type), DRIVER, c) for c in columns)
    plan = mover.build_plan(staged, "incremental", ("a", "b"))
    assert mover.dest.query(DRIVER.build_null_key_sql(plan)).rows == (("2", "a = 3, b = NULL"),)
    assert mover.dest.query(DRIVER.build_repeated_key_sql(plan)).rows == (("2", "a = 1, b = x"),)


def test_a_converted_key_merges_by_its_value_in_the_dest(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text)", "INSERT INTO arrived VALUES (1, 'old'), (2, 'old')")
    staged = mover.move("SELECT * FROM (VALUES (1::numeric, 'new'), (3, 'new')) AS v (a, b)")
    assert staged[0].lossy
    plan = mover.build_plan(staged, "upsert", ("a",))
    assert mover.merge(plan) == {"updated": 1, "inserted": 1}
    assert mover.merge(replace(plan, strategy="incremental")) == {"deleted": 2, "inserted": 2}
    rows = mover.dest.query("SELECT * FROM arrived ORDER BY a").rows
    assert rows == (("1", "new"), ("2", "old"), ("3", "new"))


# -- the ledger ------------------------------------------------------------------------------------------------------------


def test_setup_is_asked_for_once_and_survives_two_at_once(session: PostgresSession, open_session: Opener) -> None:
    setup = DRIVER.find_setup_sql(session.query)
    assert len(setup) == 4
    others = [open_session() for _ in range(4)]
    threads = [threading.Thread(target=run, args=(other, *setup)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert DRIVER.find_setup_sql(session.query) == ()


def test_the_ledger_takes_a_run_once_and_knows_its_outcome(mover: Mover) -> None:
    session = mover.dest
    assert session.query(DRIVER.build_outcome_sql("k1")).rows == ()
    assert session.execute(DRIVER.build_ledger_sql(make_entry("k1")), (), False) == {"ledger": 1}
    assert session.execute(DRIVER.build_ledger_sql(make_entry("k1")), (), False) == {"ledger": 0}
    run(session, DRIVER.build_fence_sql(make_entry("k1")))
    assert session.query(DRIVER.build_outcome_sql("k1")).first_cell() == "merged"
    run(session, DRIVER.build_fence_sql(make_entry("k2")))
    assert session.query(DRIVER.build_outcome_sql("k2")).first_cell() == "fenced"
    assert session.execute(DRIVER.build_ledger_sql(make_entry("k2")), (), False) == {"ledger": 0}


def test_a_run_older_than_the_modules_newest_is_shut_out(mover: Mover) -> None:
    session = mover.dest
    assert session.execute(DRIVER.build_ledger_sql(make_entry("new", fence=5)), (), False) == {"ledger": 1}
    assert session.execute(DRIVER.build_ledger_sql(make_entry("old", fence=4)), (), False) == {"ledger": 0}
    other = replace(make_entry("other", fence=1), module="another")
    assert session.execute(DRIVER.build_ledger_sql(other), (), False) == {"ledger": 1}


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
def test_a_fence_waits_for_the_merge_it_shuts_out(mover: Mover, open_session: Opener, ending: str) -> None:
    merging, fencing = open_session(), open_session()
    merging.link.run("BEGIN")
    for statement in DRIVER.build_ledger_sql(make_entry("k")):
        merging.link.run(statement.sql)
    thread = threading.Thread(target=run, args=(fencing, DRIVER.build_fence_sql(make_entry("k"))))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    merging.link.run(ending)
    thread.join(10)
    outcome = mover.dest.query(DRIVER.build_outcome_sql("k")).first_cell()
    assert outcome == ("merged" if ending == "COMMIT" else "fenced")


def test_an_older_merge_waits_for_a_newer_one_and_is_then_shut_out(mover: Mover, open_session: Opener) -> None:
    newer, older, counts = open_session(), open_session(), {}
    newer.link.run("BEGIN")
    for statement in DRIVER.build_ledger_sql(make_entry("new", fence=2)):
        newer.link.run(statement.sql)
    entry = make_entry("old", fence=1)
    thread = threading.Thread(target=lambda: counts.update(older.execute(DRIVER.build_ledger_sql(entry), (), False)))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    newer.link.run("COMMIT")
    thread.join(10)
    assert counts == {"ledger": 0}


def test_ending_sessions_takes_those_of_the_name_and_no_other(session: PostgresSession, open_session: Opener) -> None:
    doomed, spared = open_session(application_name="pipekit:7@a"), open_session(application_name="pipekit:77@a")
    sql = DRIVER.build_end_sessions_sql("pipekit:7@a")
    assert session.query(sql).first_cell() == "1"
    deadline = time.monotonic() + 10
    while session.query(sql).first_cell() != "0" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert session.query(sql).first_cell() == "0"
    assert spared.query("SELECT 1").first_cell() == "1"
    with pytest.raises(StatementFailed):
        doomed.query("SELECT 1")


# -- looking ---------------------------------------------------------------------------------------------------------------


def test_columns_are_described_with_everything_a_load_must_know(session: PostgresSession) -> None:
    run(
        session,
        "CREATE DOMAIN word AS text NOT NULL DEFAULT 'w'",
        """CREATE TABLE "My Table" (id bigint GENERATED ALWAYS AS IDENTITY, seq serial, by_default integer GENERATED BY DEFAULT
        AS IDENTITY, "Ünï" numeric(9,2) NOT NULL, twice integer GENERATED ALWAYS AS (seq * 2) STORED, w word, gone text,
        at timestamptz(3) DEFAULT now(), PRIMARY KEY (id, seq))""",
        'ALTER TABLE "My Table" DROP COLUMN gone',
        DRIVER.build_comment_sql(DRIVER.parse_table('"My Table"'), "Ünï", "what it's about"),
    )
    columns = {column.name: column for column in DRIVER.get_columns(session.query, DRIVER.parse_table('"My Table"'))}
    assert list(columns) == ["id", "seq", "by_default", "Ünï", "twice", "w", "at"]
    assert [name for name, column in columns.items() if column.generated] == ["id", "twice"]
    assert [name for name, column in columns.items() if column.has_default] == ["seq", "by_default", "w", "at"]
    assert [name for name, column in columns.items() if column.in_key] == ["id", "seq"]
    assert [name for name, column in columns.items() if column.nullable] == ["twice", "at"]
    assert columns["Ünï"].comment == "what it's about"
    assert [columns[name].type for name in ("Ünï", "at", "w")] == [
        "numeric(9,2)",
        "timestamp(3) with time zone",
        "word",
    ]
    assert DRIVER.column_inventory(session.query, "public") == {"My Table": list(columns.values())}
    assert DRIVER.get_columns(session.query, DRIVER.parse_table("nothing")) == []


def test_tables_and_schemas_are_listed_without_the_systems_own(mover: Mover) -> None:
    session = mover.dest
    run(
        session,
        "CREATE TABLE a AS SELECT g FROM generate_series(1, 50) AS g",
        "COMMENT ON TABLE a IS 'fifty'",
        "CREATE VIEW v AS SELECT * FROM a",
        "CREATE TABLE p (x integer) PARTITION BY LIST (x)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        "ANALYZE a",
    )
    tables = DRIVER.list_tables(session.query, "public")
    assert [(table.name, table.is_view, table.rows) for table in tables] == [
        ("a", False, 50), ("p", False, None), ("v", True, None),
    ]  # fmt: skip
    assert tables[0].comment == "fifty"
    schemas = DRIVER.list_schemas(session.query)
    assert "public" in schemas
    assert not {"pipekit_staging", "pg_catalog", "information_schema"} & set(schemas)


def test_facts_say_how_a_table_may_be_emptied(session: PostgresSession) -> None:
    run(
        session,
        "CREATE TABLE plain (a integer PRIMARY KEY, b integer REFERENCES plain)",
        "CREATE TABLE held (a integer PRIMARY KEY)",
        "CREATE TABLE holding (a integer REFERENCES held)",
        "CREATE VIEW simple AS SELECT a FROM holding",
        "CREATE VIEW summed AS SELECT sum(a) AS a FROM holding",
        "CREATE MATERIALIZED VIEW kept AS SELECT 1 AS a",
        "CREATE SEQUENCE numbers",
        "CREATE TABLE parts (x integer) PARTITION BY LIST (x)",
    )
    facts = {
        name: DRIVER.get_table_facts(session.query, DRIVER.parse_table(name))
        for name in ("plain", "held", "holding", "simple", "summed", "kept", "numbers", "parts", "absent")
    }
    assert [name for name, fact in facts.items() if not fact.exists] == ["absent"]
    assert [name for name, fact in facts.items() if fact.can_truncate] == ["plain", "holding", "parts"]
    assert [name for name, fact in facts.items() if fact.problem] == ["summed", "kept", "numbers"]


def test_facts_say_what_a_login_may_not_do(session: PostgresSession, open_session: Opener) -> None:
    run(
        session,
        "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN",
        "CREATE TABLE t (a integer)",
        "CREATE TABLE r (a integer)",
        "CREATE SCHEMA IF NOT EXISTS closed; CREATE TABLE IF NOT EXISTS closed.c (a integer)",
        "GRANT USAGE ON SCHEMA public TO clerk; GRANT SELECT, INSERT, DELETE ON t TO clerk; GRANT SELECT ON r TO clerk",
    )
    clerk = open_session(username="clerk")
    may = {name: DRIVER.get_table_facts(clerk.query, DRIVER.parse_table(name)) for name in ("t", "r", "closed.c")}
    assert (may["t"].problem, may["t"].can_truncate) == ("", False)
    assert "no right to insert" in may["r"].problem
    assert "no right to use the schema" in may["closed.c"].problem
    assert "closed" not in DRIVER.list_schemas(clerk.query)
    run(session, "DROP OWNED BY clerk; DROP ROLE clerk")


def test_a_query_is_described_without_being_run(session: PostgresSession) -> None:
    sql = "SELECT 1::numeric(5,2) AS a, 'x'::varchar(3) AS a, 1 / 0 AS b; -- never computed"
    columns = session.source(sql).columns
    assert [(c.name, c.type) for c in columns] == [
        ("a", "numeric(5,2)"),
        ("a", "character varying(3)"),
        ("b", "integer"),
    ]
    again = DRIVER.introspect_query_columns(
        session.query, "WITH q AS (SELECT 1 AS x) SELECT x, now() AS y FROM q -- end"
    )
    assert [(c.name, c.type) for c in again] == [("x", "integer"), ("y", "timestamp with time zone")]

# Tests of reading over JDBC: every type of column in every format, streaming, lost data. Derby, H2, HSQLDB, PostgreSQL.
"""pipekit.drivers.jdbc.reading, batches and the Java reader."""

import itertools
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.jdbc import jvm
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.drivers.jdbc.wire import connect
from pipekit.drivers.postgresql.wire import connect as connect_postgres
from pipekit.errors import Inexact, StatementFailed
from pipekit.runner.process import wait_until
from pipekit.runner_contract import Endpoint
from tests.databases.jdbc import (
    DERBY_CLIENT,
    POSTGRESQL,
    Open,
    build_load,
    make_embedded,
    make_endpoint,
    read,
    run,
    take,
)
from tests.patience import PATIENCE_S

_NUMBERS = itertools.count(1)
PRODUCTS = ("derby", "h2", "hsqldb")
NUMBERS = "a SMALLINT, b INT, c BIGINT, d DECIMAL(31,5), e REAL, f DOUBLE PRECISION, g BOOLEAN"
TEXTS = "h CHAR(3), i VARCHAR(20), j CLOB, l BLOB, m DATE, n TIME, o TIMESTAMP"


@pytest.fixture(params=PRODUCTS)
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    return make_embedded(request.param, f"reading{next(_NUMBERS)}")


@pytest.fixture
def session(open_jdbc: Open, endpoint: Endpoint) -> JdbcSession:
    return open_jdbc(endpoint)


@pytest.fixture
def derby(open_jdbc: Open) -> JdbcSession:
    return open_jdbc(make_embedded("derby", f"reading{next(_NUMBERS)}"))


@pytest.fixture
def h2(open_jdbc: Open) -> JdbcSession:
    return open_jdbc(make_embedded("h2", f"reading{next(_NUMBERS)}"))


@pytest.fixture
def postgres_endpoint(postgres: LocalPostgres, source_db: str) -> Endpoint:
    return make_endpoint(POSTGRESQL, postgres.jdbc_url(source_db), username="postgres")


def multiply(session: JdbcSession, doublings: int) -> None:
    """Doubles the rows of `t` again and again."""
    for _ in range(doublings):
        run(session, "INSERT INTO t SELECT * FROM t")


def fill(session: JdbcSession) -> None:
    """One row of values and one of NULL, in every type that all of them have."""
    run(session, f"CREATE TABLE t ({NUMBERS}, {TEXTS})")
    insert = session.connection.prepareStatement(f"INSERT INTO t VALUES ({', '.join('?' * 14)})")
    for place, value in enumerate([-32768, 2**31 - 1, -(2**63)], start=1):
        insert.setLong(place, value)
    insert.setBigDecimal(4, jvm.find_class("java.math.BigDecimal")("12345678901234567890123456.00001"))
    insert.setFloat(5, 0.1)
    insert.setDouble(6, -1.7976931348623157e308)
    insert.setBoolean(7, True)
    for place, text in ((8, "ab"), (9, "\\N\té😀"), (10, "long"), (12, "2024-02-29"), (13, "23:59:59")):
        insert.setString(place, text)
    insert.setBytes(11, jvm.make_bytes(b"\x00\xff"))
    insert.setTimestamp(14, jvm.find_class("java.sql.Timestamp").valueOf("2024-03-31 02:30:00.123456"))
    insert.execute()
    insert.close()
    session.connection.commit()
    run(session, f"INSERT INTO t VALUES ({', '.join(['NULL'] * 14)})")


def test_copy_text_holds_every_value_exactly(session: JdbcSession) -> None:
    fill(session)
    first, second, end = b"".join(take(session, "SELECT * FROM t", "copy-text")).decode().split("\n")
    assert first.split("\t") == [
        *("-32768", "2147483647", "-9223372036854775808", "12345678901234567890123456.00001"),
        *(first.split("\t")[4], "-1.7976931348623157E308", "t", "ab ", "\\\\N\\té😀", "long", "\\\\x00FF"),
        *("2024-02-29", "23:59:59", "2024-03-31 02:30:00.123456"),
    ]
    assert first.split("\t")[4] in ("0.1", "0.10000000149011612")  # HSQLDB has no float of 32 bits
    assert second.split("\t") == ["\\N"] * 14
    assert end == ""


def test_batches_are_typed_where_arrow_holds_every_value(session: JdbcSession) -> None:
    fill(session)
    (batch,) = take(session, "SELECT * FROM t", "arrow")
    kinds = dict(zip(batch.schema.names, batch.schema.types, strict=True))
    assert kinds["A"] == pa.int16()
    assert kinds["B"] == pa.int32()
    assert kinds["C"] == pa.int64()
    assert kinds["D"] == pa.decimal128(31, 5)
    assert kinds["G"] == pa.bool_()
    assert kinds["L"] == pa.binary()
    assert kinds["M"] == pa.date32()
    assert kinds["N"] == pa.string()
    batch.validate(full=True)
    row, empty = batch.to_pylist()
    assert set(empty.values()) == {None}
    assert (row["A"], row["B"], row["C"]) == (-32768, 2**31 - 1, -(2**63))
    assert row["D"] == Decimal("12345678901234567890123456.00001")
    assert (row["F"], row["G"], row["L"]) == (-1.7976931348623157e308, True, b"\x00\xff")
    assert (row["H"], row["I"], row["J"]) == ("ab ", "\\N\té😀", "long")


def test_rows_are_plain_python_values(session: JdbcSession) -> None:
    fill(session)
    ((row, empty),) = take(session, "SELECT * FROM t", "rows")
    assert empty == (None,) * 14
    assert row[1] == 2**31 - 1
    assert row[3] == Decimal("12345678901234567890123456.00001")
    assert row[10:] == (b"\x00\xff", "2024-02-29", "23:59:59", "2024-03-31 02:30:00.123456")


def test_an_hour_that_a_time_zone_leaves_out_and_days_before_the_calendar_arrive(derby: JdbcSession) -> None:
    values = [
        "2024-03-31 02:30:00.0",
        "1582-10-04 00:00:00.0",
        "1582-10-25 00:00:00.0",
        "0001-01-01 00:00:00.0",
        "9999-12-31 23:59:59.999999999",
    ]
    run(derby, "CREATE TABLE t (o TIMESTAMP)", *[f"INSERT INTO t VALUES ('{value}')" for value in values])
    assert [row[0] for row in read(derby, "SELECT o FROM t")] == [value.removesuffix(".0") for value in values]


def test_a_day_that_derby_tells_as_another_is_refused(derby: JdbcSession) -> None:
    """It keeps 1582-10-05 and tells it as 1582-10-15, so that neither can be believed."""
    run(derby, "CREATE TABLE t (o DATE)", "INSERT INTO t VALUES ('1582-10-05')")
    with pytest.raises(Inexact, match="Column O, row 1: '1582-10-15' is not a date that can be read exactly"):
        read(derby, "SELECT o FROM t")


def test_zoned_times_keep_their_offset(h2: JdbcSession) -> None:
    sql = "VALUES (TIMESTAMP WITH TIME ZONE '2024-02-29 12:00:00.5+05:30', TIME WITH TIME ZONE '12:00:00-03')"
    ((row,),) = take(h2, sql, "rows")
    assert row == ("2024-02-29 12:00:00.5+05:30", "12:00:00-03:00")


def test_decimals_without_an_exponent_and_of_any_length(h2: JdbcSession) -> None:
    ((row,),) = take(h2, "VALUES (CAST(1E+20 AS NUMERIC(30,0)), CAST('1E-30' AS DECFLOAT), 1e3)", "rows")
    assert [str(value) for value in row[:2]] == ["100000000000000000000", "0.000000000000000000000000000001"]


def test_trailing_blanks_of_fixed_text_are_dropped_where_asked_for(open_jdbc: Open, endpoint: Endpoint) -> None:
    session = open_jdbc(replace(endpoint, trim_char=True))
    run(session, "CREATE TABLE t (a CHAR(5), b VARCHAR(5))", "INSERT INTO t VALUES ('x', 'y  ')")
    assert take(session, "SELECT * FROM t", "copy-text") == [b"x\ty  \n"]
    assert read(session, "SELECT * FROM t") == [("x", "y  ")]


def test_an_array_is_refused_by_its_column(h2: JdbcSession) -> None:
    for ask in (h2.source, h2.query):
        with pytest.raises(StatementFailed, match=r"Column LIST .*an array cannot be moved"):
            ask("SELECT 1 AS n, ARRAY[1, 2] AS list")


def test_large_objects_are_streamed_whole(session: JdbcSession) -> None:
    text, data = "é\t😀x" * 500_000, bytes(range(256)) * 4000
    run(session, "CREATE TABLE t (a CLOB(10M), b BLOB(10M))")
    insert = session.connection.prepareStatement("INSERT INTO t VALUES (?, ?)")
    insert.setString(1, text)
    insert.setBytes(2, jvm.make_bytes(data))
    insert.execute()
    session.connection.commit()
    assert take(session, "SELECT * FROM t", "rows") == [[(text, data)]]
    (block,) = take(session, "SELECT * FROM t", "copy-text")
    assert block == text.replace("\t", "\\t").encode() + b"\t\\\\x" + data.hex().upper().encode() + b"\n"


def test_blocks_are_bounded_and_rows_are_counted(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a VARCHAR(100))", f"INSERT INTO t VALUES ('{'x' * 100}')")
    multiply(session, 13)
    blocks = take(session, "SELECT a FROM t", "copy-text")
    assert len(blocks) >= 3
    assert max(map(len, blocks)) < 300_000
    assert sum(block.count(b"\n") for block in blocks) == 8192


def test_a_stream_that_is_left_early_leaves_nothing_behind(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a VARCHAR(100))", f"INSERT INTO t VALUES ('{'x' * 100}')")
    multiply(session, 15)
    stream: Any = session.source("SELECT a FROM t").open("copy-text")
    next(stream.blocks)
    stream.blocks.close()
    assert stream.total is None
    run(session, "DROP TABLE t")


def test_a_query_that_fails_on_its_way_names_what_was_wrong(session: JdbcSession) -> None:
    run(session, "CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), (2), (0)")
    with pytest.raises((StatementFailed, Inexact)) as caught:
        take(session, "SELECT 10 / a FROM t", "copy-text")
    assert caught.value.sqlstate in ("22012", "")
    assert "zero" in caught.value.message


def test_half_a_character_is_refused_by_column_and_row(h2: JdbcSession) -> None:
    run(h2, "CREATE TABLE t (a INT, b VARCHAR(5))", "INSERT INTO t VALUES (1, 'ok'), (2, U&'\\d83d')")
    with pytest.raises(Inexact, match="Column B, row 2") as caught:
        take(h2, "SELECT * FROM t", "copy-text")
    assert (caught.value.column, caught.value.row) == ("B", 2)


# -- PostgreSQL through its JDBC driver --------------------------------------------------------------------------------

TORTURE = """
CREATE TABLE torture AS SELECT * FROM (VALUES
    (1::int2, 'NaN'::numeric, 'infinity'::date, '-infinity'::timestamp, 'infinity'::timestamptz, '24:00'::time,
     '-0'::float8, 'NaN'::float4, '{"a": 1.50, "a": 2}'::json, '\\xdeadbeef'::bytea, true, 'a'::char(3), ''),
    (2, 1e131::numeric, '0044-03-15 BC', '294276-12-31 23:59:59.999999', '2024-03-31 01:30:00.000001+00',
     '00:00:00.000001', 5e-324, 3.4028235e38, 'null', '', false, '', E'tab\\t nl\\n cr\\r bs\\\\ \\\\N \\\\. é😀'),
    (-32768, -1.10, '9999-12-31', '0001-01-01 00:00:00', '1800-01-01 00:00:00+00', '23:59:59.999999',
     1.7976931348623157e308, 1e-45, '[]', NULL, NULL, NULL, NULL)
) AS v (a, b, c, d, e, f, g, h, i, j, k, l, m)
"""
MORE = """
ALTER TABLE torture ADD n uuid DEFAULT '123e4567-e89b-12d3-a456-426614174000', ADD o jsonb DEFAULT '{"x": 1.10}',
    ADD p inet DEFAULT '10.0.0.1/8', ADD q interval DEFAULT '1 mon -3 days 04:05:06.7',
    ADD r timetz DEFAULT '12:00:00.1+02',
    ADD s money DEFAULT '-1234.56', ADD t bit(3) DEFAULT '101', ADD u varbit DEFAULT '1', ADD v oid DEFAULT 4294967295,
    ADD w bool DEFAULT true, ADD x numeric(38,10) DEFAULT -0.0000000001, ADD y bigint DEFAULT 9223372036854775807
"""


def test_every_type_of_postgresql_arrives_as_it_left(postgres: LocalPostgres, source_db: str) -> None:
    postgres.run_sql(f"{TORTURE}; {MORE}; CREATE TABLE arrived (LIKE torture)", source_db)
    source = connect(make_endpoint(POSTGRESQL, postgres.jdbc_url(source_db), username="postgres", read_only=True))
    dest = connect_postgres(Endpoint(kind="postgresql", jdbc_url=postgres.jdbc_url(source_db), username="postgres"))
    opened = source.source("SELECT * FROM torture")
    load = build_load("arrived", [column.name for column in opened.columns])
    assert dest.sink(load).load(opened.open("copy-text"), lambda rows: None) == 3
    differ = "SELECT t::text FROM torture t EXCEPT ALL SELECT t::text FROM arrived t"
    assert dest.query(differ).rows == ()
    source.close()
    dest.close()


def test_a_result_that_travels_in_binary_reads_as_one_that_travels_as_text(
    open_jdbc: Open, postgres_endpoint: Endpoint
) -> None:
    values = "n AS a, n::bigint AS b, n / 4.0 AS c, 'tab\t é ' || n AS d, date '2024-02-29' + n AS e, n > 1 AS f"
    sql = f"SELECT {values}, timestamp '2024-02-29 12:34:56.5' AS g, nullif(n, 1) AS h FROM generate_series(1, 2) AS n"
    binary = replace(postgres_endpoint, jdbc_url=f"{postgres_endpoint.jdbc_url}?prepareThreshold=-1")
    (text,) = take(open_jdbc(postgres_endpoint), sql, "copy-text")
    assert take(open_jdbc(binary), sql, "copy-text") == [text]
    assert text.decode().splitlines()[0] == (
        "1\t1\t0.25000000000000000000\ttab\\t é 1\t2024-03-01\tf\t2024-02-29 12:34:56.5\t\\N"
    )


def test_what_arrow_cannot_hold_is_refused_by_column_and_row(open_jdbc: Open, postgres_endpoint: Endpoint) -> None:
    session = open_jdbc(postgres_endpoint)
    for sql, value in (
        ("'infinity'::date", "infinity"),
        ("'NaN'::numeric(5,2)", "NaN"),
        ("'0044-03-15 BC'::date", "BC"),
    ):
        with pytest.raises(Inexact, match=value) as caught:
            take(session, f"SELECT 1 AS n, {sql} AS v", "arrow")
        assert (caught.value.column, caught.value.row) == ("v", 1)


def test_a_result_larger_than_memory_streams(open_jdbc: Open, postgres_endpoint: Endpoint) -> None:
    session = open_jdbc(postgres_endpoint)
    sql = "SELECT repeat('x', 1000000) FROM generate_series(1, 600)"
    stream = session.source(sql).open("copy-text")
    assert sum(len(block) for block, _ in stream.blocks) == 600 * 1_000_001
    assert stream.total == 600


def test_a_statement_that_still_runs_is_ended(open_jdbc: Open, postgres_endpoint: Endpoint) -> None:
    """It waits for a lock that another session keeps until all is over."""
    session, holder = open_jdbc(postgres_endpoint), open_jdbc(postgres_endpoint)
    holder.query("SELECT pg_advisory_lock(11)")
    wait = "CASE WHEN n < 100 THEN repeat('x', 10000) ELSE pg_advisory_lock(11)::text END"
    stream: Any = session.source(f"SELECT {wait} FROM generate_series(1, 200) AS n").open("copy-text")
    next(stream.blocks)
    next(stream.blocks)
    waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    assert wait_until(lambda: holder.query(waits).first_cell() == "1", PATIENCE_S)
    stream.blocks.close()
    assert holder.query("SELECT pg_advisory_unlock(11)").first_cell() == "true", "it was held all the time"


def test_derby_over_the_network_gives_the_same_values(open_jdbc: Open, derby_server: int) -> None:
    session = open_jdbc(make_endpoint(DERBY_CLIENT, f"jdbc:derby://127.0.0.1:{derby_server}/read;create=true"))
    fill(session)
    ((row, empty),) = take(session, "SELECT * FROM t", "rows")
    assert empty == (None,) * 14
    assert row[9:] == ("long", b"\x00\xff", "2024-02-29", "23:59:59", "2024-03-31 02:30:00.123456")

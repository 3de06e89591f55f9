# Values of every type out of MariaDB and into it, through a server that is set up unkindly. No runs here.
"""What arrives is what the server wrote, a value that is it, or a refusal by row; what goes in is what was read."""

from dataclasses import replace

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.wire import Format
from pipekit.errors import ConnectFailed, Inexact, PipekitError, StatementFailed
from pipekit.runner_contract import Load, LoadColumn
from tests.databases.jdbc import Open, load, read, take
from tests.databases.mariadb import Mariadb

# A column's type, values as SQL writes them, and what arrives.
TYPES: tuple[tuple[str, tuple[str, ...], tuple[str | None, ...]], ...] = (
    ("tinyint(1)", ("2", "-1", "0"), ("2", "-1", "0")),
    ("boolean", ("true", "false"), ("1", "0")),
    ("bit(1)", ("b'1'", "b'0'"), ("true", "false")),
    ("bit(5)", ("b'10101'",), ("21",)),
    ("bit(64)", ("b'1111111111111111111111111111111111111111111111111111111111111111'",), ("18446744073709551615",)),
    ("tinyint unsigned", ("255",), ("255",)),
    ("mediumint unsigned zerofill", ("42",), ("42",)),
    ("int unsigned", ("4294967295",), ("4294967295",)),
    ("bigint unsigned", ("18446744073709551615", "0"), ("18446744073709551615", "0")),
    ("bigint", ("-9223372036854775808",), ("-9223372036854775808",)),
    ("float", ("1234567.875", "0.1", "-3.4e38"), ("1234567.9", "0.1", "-3.4E38")),
    ("float(10,3)", ("1234.567",), ("1234.567",)),
    ("double", ("1.7976931348623157e308", "0.1"), ("1.7976931348623157E308", "0.1")),
    ("decimal(65,30)", ("12345678901234567890123456789012345.5", "0"),
     (f"12345678901234567890123456789012345.5{'0' * 29}", f"0.{'0' * 30}")),
    ("year", ("2020", "0", "1901"), ("2020", "0", "1901")),
    ("date", ("'2020-02-29'", "'0000-00-00'", "'2020-00-00'", "'1582-10-10'", "'0001-01-01'"),
     ("2020-02-29", "0000-00-00", "2020-00-00", "1582-10-10", "0001-01-01")),
    ("time(6)", ("'838:59:59'", "'-12:30:00'", "'-00:00:00.5'", "'24:00:00'", "'00:00:00'"),
     ("838:59:59", "-12:30:00", "-00:00:00.5", "24:00:00", "00:00:00")),
    ("datetime", ("'1582-10-10 10:00:00'", "'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'"),
     ("1582-10-10 10:00:00", "0000-00-00 00:00:00", "9999-12-31 23:59:59")),
    ("datetime(6)", ("'2020-02-29 12:00:00.000001'",), ("2020-02-29 12:00:00.000001",)),
    ("timestamp(3) null", ("'2021-10-31 00:50:00.5'", "'2021-03-28 02:30:00'"),
     ("2021-10-31 00:50:00.5+00:00", "2021-03-28 02:30:00+00:00")),
    ("char(5)", ("'ab'", "''"), ("ab", "")),
    ("varchar(10) character set utf8mb4", ("'ab  '", "'é😀'"), ("ab  ", "é😀")),
    ("varchar(10) character set latin1", ("'é€'",), ("é€",)),
    ("longtext character set utf8mb4", ("'\\t\\\\x\\n'",), ("\t\\x\n",)),
    ("json", ("'{\"a\": 1.50}'",), ('{"a": 1.50}',)),
    ("enum('a','it''s','(b)')", ("'it''s'", "'(b)'"), ("it's", "(b)")),
    ("set('x','y','z')", ("'z,x'", "''"), ("x,z", "")),
    ("binary(4)", ("x'00ff'",), ("0x00FF0000",)),
    ("varbinary(4)", ("x'00ff'", "''"), ("0x00FF", "0x")),
    ("blob", ("x'5c785c'",), ("0x5C785C",)),
    ("point", ("ST_GeomFromText('POINT(1 2)')",), ("0x000000000101000000000000000000F03F0000000000000040",)),
    ("inet6", ("'::1'",), ("::1",)),
    ("uuid", ("'123e4567-e89b-12d3-a456-426614174000'",), ("123e4567-e89b-12d3-a456-426614174000",)),
)  # fmt: skip

# A column's type, what it cannot hold, and the word of the refusal.
REFUSED = (
    ("datetime", "2020-02-29 12:00:00.5", "digits of a second"),
    ("timestamp(3)", "2020-02-29 12:00:00.0005", "digits of a second"),
    ("time", "838:59:59.5", "digits of a second"),
    ("timestamp", "2040-01-01 00:00:00", "row 1"),
    ("date", "2020-02-30", "row 1"),
    ("year", "70", "not a year"),
    ("tinyint unsigned", "-1", "out of the range"),
    ("tinyint", "200", "row 1"),
    ("bigint unsigned", "-1", "row 1"),
    ("bit(5)", "32", "row 1"),
    ("float", "16777217", "digits"),
    ("float(10,3)", "0.1234", "decimal places"),
    ("decimal(5,2)", "0.125", "decimal places"),
    ("decimal(5,2) unsigned", "-1", "row 1"),
    ("varchar(3)", "äöüß", "longer than"),
    ("varchar(9) character set latin1", "😀", "row 1"),
    ("enum('a','bb')", "2", "not among"),
    ("enum('a','bb')", "A", "not among"),
    ("set('x','y')", "3", "not among"),
    ("set('x','y')", "y,x", "not among"),
    ("binary(4)", "\\\\x00", "would be changed"),
)  # fmt: skip


WRITES = (
    "TRUNCATE TABLE w", "DELETE FROM my", "CREATE TABLE made (a int)", "CREATE TEMPORARY TABLE made (a int)",
    "/* a */ DROP TABLE w", "/*!50000 DROP TABLE w */", "SET GLOBAL max_connections = 7", "ANALYZE TABLE w",
    "SELECT 1 INTO OUTFILE '/nowhere/x'", "SET TRANSACTION READ WRITE", "COMMIT",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(mariadb: Mariadb) -> Mariadb:
    mariadb.clear()
    names = [f"c{place}" for place in range(len(TYPES))]
    fields = ", ".join(f"{name} {type_}" for name, (type_, _, _) in zip(names, TYPES, strict=True))
    mariadb.run(f"CREATE TABLE t (id int primary key, {fields}) ENGINE=InnoDB")
    for row in range(max(len(values) for _, values, _ in TYPES)):
        cells = [values[row] if row < len(values) else "NULL" for _, values, _ in TYPES]
        mariadb.run(f"INSERT INTO t VALUES ({row}, {', '.join(cells)})")
    return mariadb


def build_typed_load(server: Mariadb, table: str, source_type: str = "") -> Load:
    """A load of a table's columns, which are described as a run describes them."""
    driver = get_driver("mariadb")
    rows = server.run(
        f"SELECT column_name, column_type FROM information_schema.columns WHERE table_name = '{table}'"
        " ORDER BY ordinal_position"
    )
    columns = [LoadColumn(source_name=n, source_type=source_type, stage_name=n, stage_type=t) for n, t in rows]
    return Load(table=driver.quote_identifier(table), columns=tuple(columns))


def test_every_value_arrives_as_the_server_wrote_it(server: Mariadb, open_jdbc: Open) -> None:
    session = open_jdbc(server.endpoint(read_only=True))
    for place, (type_, values, told) in enumerate(TYPES):
        found = [cell for (cell,) in read(session, f"SELECT c{place} FROM t ORDER BY id")]
        assert found[: len(values)] == list(told), type_
        assert set(found[len(values) :]) <= {None}, type_


def test_each_way_to_travel_tells_the_same_or_refuses(server: Mariadb, open_jdbc: Open) -> None:
    """Batches and rows hold no day 0 and no month 0; they are refused by column and row."""
    session = open_jdbc(server.endpoint(read_only=True))
    formats: tuple[Format, ...] = ("arrow", "rows")
    for format in formats:
        for place, (type_, values, _) in enumerate(TYPES):
            sql = f"SELECT c{place} FROM t ORDER BY id"
            if type_ == "date":
                with pytest.raises(Inexact, match="'0000-00-00' is not a date"):
                    take(session, sql, format)
                continue
            [block] = take(session, sql, format)
            cells = block.column(0).to_pylist() if format == "arrow" else [cell for (cell,) in block]
            assert sum(cell is not None for cell in cells) == len(values), type_


def test_what_was_read_goes_into_a_table_of_the_same_types_unchanged(server: Mariadb, open_jdbc: Open) -> None:
    source, dest = open_jdbc(server.endpoint(read_only=True)), open_jdbc(server.endpoint())
    server.run("CREATE OR REPLACE TABLE t2 LIKE t")
    stream = source.source("SELECT * FROM t").open("copy-text")
    typed = build_typed_load(server, "t2")
    columns = [replace(c, source_type=s.type) for c, s in zip(typed.columns, stream.columns, strict=True)]
    rows = dest.sink(Load(table=typed.table, columns=tuple(columns))).load(stream, lambda rows: None)
    assert rows == 5
    [(different, same)] = server.run(
        "SELECT (SELECT COUNT(*) FROM (SELECT * FROM t EXCEPT SELECT * FROM t2) x), (SELECT COUNT(*) FROM t2)"
    )
    assert (different, same) == ("0", "5")


def test_what_a_column_cannot_hold_is_refused_by_row(server: Mariadb, open_jdbc: Open) -> None:
    session = open_jdbc(server.endpoint())
    for number, (type_, text, word) in enumerate(REFUSED):
        server.run(f"CREATE TABLE r{number} (v {type_} NULL) ENGINE=InnoDB CHARACTER SET utf8mb4")
        with pytest.raises(PipekitError) as caught:
            load(session, build_typed_load(server, f"r{number}"), "copy-text", (f"{text}\n".encode(), 1))
        message = caught.value.message.lower()
        assert word in message, (type_, message)
        assert "row 1" in message, (type_, message)
        assert server.run(f"SELECT COUNT(*) FROM r{number}") == [("0",)], type_


def test_an_instant_goes_into_a_timestamp_as_that_instant(server: Mariadb, open_jdbc: Open) -> None:
    session = open_jdbc(server.endpoint())
    server.run("CREATE OR REPLACE TABLE i (v timestamp(6) NULL, d datetime(6) NULL) ENGINE=InnoDB")
    text = "2021-07-01 14:00:00.5+02:00\t2021-07-01 14:00:00.5+02:00\n\\N\t\\N\n"
    load(session, build_typed_load(server, "i"), "copy-text", (text.encode(), 2))
    told = "2021-07-01 12:00:00.500000"
    assert server.run("SELECT v, d FROM i") == [(told, told), ("NULL", "NULL")]


def test_a_float_that_cannot_be_told_exactly_is_refused_by_its_column(server: Mariadb, open_jdbc: Open) -> None:
    """Two columns of one name cannot be nested in a query of Pipekit's own."""
    session = open_jdbc(server.endpoint(read_only=True))
    with pytest.raises(StatementFailed, match="six digits of a FLOAT"):
        read(session, "SELECT c10, c10 FROM t")
    assert read(session, "SELECT CAST(c10 AS DOUBLE), id, id FROM t WHERE id = 0") == [("1234567.875", "0", "0")]


def test_a_session_is_as_it_must_be_whatever_the_server_is_set_to(server: Mariadb, open_jdbc: Open) -> None:
    server.run("SET GLOBAL sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES'")
    try:
        session = open_jdbc(server.endpoint())
        [told] = read(
            session,
            "SELECT @@time_zone, @@sql_select_limit, @@sql_safe_updates, @@foreign_key_checks,"
            " @@net_write_timeout, @@tx_isolation, @@character_set_client, @@sql_mode",
        )
    finally:
        server.run("SET GLOBAL sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,ALLOW_INVALID_DATES'")
    *settings, modes = told
    assert settings == ["+00:00", "18446744073709551615", "0", "1", "3600", "READ-COMMITTED", "utf8mb4"]
    assert {"STRICT_ALL_TABLES", "NO_AUTO_VALUE_ON_ZERO", "ANSI_QUOTES"} <= set((modes or "").split(","))
    assert "PAD_CHAR_TO_FULL_LENGTH" not in (modes or "")


def test_a_session_that_reads_only_writes_nothing(server: Mariadb, open_jdbc: Open) -> None:
    server.run(
        "CREATE OR REPLACE TABLE w (a int) ENGINE=InnoDB; INSERT INTO w VALUES (1);"
        "CREATE OR REPLACE TABLE my (a int) ENGINE=MyISAM; INSERT INTO my VALUES (1)"
    )
    session = open_jdbc(server.endpoint(read_only=True))
    for sql in WRITES:
        with pytest.raises(StatementFailed):
            session.query(sql)
    for sql in ("SHOW TABLES", "-- a\n# b\nSELECT 1", "(SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a", "DESC w"):
        assert session.query(sql).rows
    assert server.run("SELECT (SELECT COUNT(*) FROM w), (SELECT COUNT(*) FROM my)") == [("1", "1")]
    assert ("made",) not in server.run("SHOW TABLES")


def test_an_address_that_would_change_values_is_refused() -> None:
    driver = get_driver("mariadb")
    with pytest.raises(PipekitError, match="yearIsDateType"):
        driver.parse_url("jdbc:mariadb://h/d?yearIsDateType=true")
    assert "tinyInt1isBit=true" in driver.build_connect_url("jdbc:mariadb://h/d?tinyInt1isBit=true")


def test_booleans_that_are_asked_for_must_be_some(server: Mariadb, open_jdbc: Open) -> None:
    url = get_driver("mariadb").build_connect_url(server.url() + "?tinyInt1isBit=true")
    session = open_jdbc(server.endpoint(read_only=True, jdbc_url=url))
    assert read(session, "SELECT c1 FROM t WHERE id < 2 ORDER BY id") == [("true",), ("false",)]
    with pytest.raises(Inexact, match="'2' is neither true nor false"):
        read(session, "SELECT c0 FROM t")


def test_a_server_that_keeps_its_own_settings_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, server: Mariadb, open_jdbc: Open
) -> None:
    """As a pooler does that swallows SET."""
    from pipekit.drivers.jdbc.mysql import pins

    monkeypatch.setattr(pins, "_run", lambda session, sql: None)
    monkeypatch.setattr(pins, "_SOME", {})
    with pytest.raises((StatementFailed, ConnectFailed), match="time_zone"):
        open_jdbc(server.endpoint())

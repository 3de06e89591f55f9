# Tests of SQL Server as a source, through a real runner: what the sinks of every kind make of its rows.
"""pipekit.drivers.sqlserver.reading, and the `arrow` format in the other kinds' sinks."""

import datetime
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.sqlserver.querying import BatchSize
from pipekit.errors import Inexact, StatementFailed
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Load, LoadColumn, Loaded
from tests.databases.moving import run
from tests.databases.sqlservers import Place, build_load, open_place, take_provider
from tests.databases.tds.library import PROVIDERS
from tests.databases.tds.replies import Error, RepeatedRows, Rows
from tests.near import NearRunner
from tests.profiles import is_quick


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        yield place


@pytest.fixture
def runner() -> Iterator[NativeRunner]:
    with (NearRunner if is_quick() else NativeRunner)() as runner:
        yield runner


@pytest.fixture
def dest(postgres: LocalPostgres, database: str) -> Endpoint:
    return Endpoint(kind="postgresql", jdbc_url=postgres.jdbc_url(database), username="postgres")


# (name, SQL Server's type, PostgreSQL's, a value, how PostgreSQL writes it)
COLUMNS: list[tuple[str, str, str, Any, str]] = [
    ("bi", "bit", "boolean", True, "t"),
    ("ti", "tinyint", "smallint", 200, "200"),
    ("si", "smallint", "smallint", -5, "-5"),
    ("i", "int", "integer", 7, "7"),
    ("l", "bigint", "bigint", 2**63 - 1, "9223372036854775807"),
    ("d", "decimal(38,10)", "numeric(38,10)", Decimal("-0.0000000001"), "-0.0000000001"),
    ("wide", "decimal(10,2)", "numeric", Decimal("12.5"), "12.50"),
    ("m", "money", "numeric(19,4)", Decimal("-12.5"), "-12.5000"),
    ("r", "real", "real", 1.5, "1.5"),
    ("f", "float", "double precision", 0.1, "0.1"),
    ("f2", "float", "numeric(12,1)", 0.1, "0.1"),
    ("da", "date", "date", datetime.date(1, 1, 1), "0001-01-01"),
    ("t6", "time(6)", "time", datetime.time(23, 59, 59, 999999), "23:59:59.999999"),
    ("dt", "datetime", "timestamp(3)", datetime.datetime(2020, 1, 2, 3, 4, 5, 123000), "2020-01-02 03:04:05.123"),
    ("d6", "datetime2(6)", "timestamp", datetime.datetime(9999, 12, 31, 23, 59, 59, 1), "9999-12-31 23:59:59.000001"),
    ("u", "uniqueidentifier", "uuid", UUID(int=255), "00000000-0000-0000-0000-0000000000ff"),
    ("ut", "uniqueidentifier", "text", UUID(int=255), "00000000-0000-0000-0000-0000000000FF"),
    ("c", "char(4)", "character(4)", "ab", "ab  "),
    ("v", "varchar(10)", "character varying(10)", "wörd", "wörd"),
    ("n", "nvarchar(20)", "text", "tab\t \\N \U0001f600", "tab\t \\N \U0001f600"),
    ("e", "nvarchar(20)", "text", "", ""),
    ("nm", "nvarchar(max)", "text", "x" * 5000, "x" * 5000),
    ("b", "binary(3)", "bytea", b"\x01", "\\x010000"),
    ("bm", "varbinary(max)", "bytea", b"\xff\x00", "\\xff00"),
    ("x", "xml", "text", "<a/>", "<a/>"),
]


def build_moves(columns: list[tuple[str, str, str]], table: str) -> Load:
    return Load(
        table=table,
        columns=tuple(
            LoadColumn(source_name=name, source_type=source, stage_name=name, stage_type=stage)
            for name, source, stage in columns
        ),
    )


def move_value(
    place: Place, runner: NativeRunner, dest: Endpoint, source_type: str, stage_type: str, value: Any
) -> Loaded:
    """One column `v` of two rows, the second of them the value, into PostgreSQL's table `t`."""
    place.make("one", [("v", source_type)], [(None,), (value,)])
    place.explain("", [("v", source_type)], [(None,), (value,)])
    load = build_moves([("v", source_type, stage_type)], "public.t")
    return runner.migrate(place.endpoint(read_only=True), "SELECT * FROM one", dest, load)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_sql_server_arrives_in_postgresql_as_it_was(
    place: Place, dest: Endpoint, session: PostgresSession, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_provider(monkeypatch, provider)
    types = [(name, type_) for name, type_, *_ in COLUMNS]
    place.make("s", [("id", "int"), *types], [(1, *(c[3] for c in COLUMNS)), (2, *[None] * len(COLUMNS))])
    place.explain("", [("id", "int"), *types])
    run(session, f"CREATE TABLE t (id int, {', '.join(f'{c[0]} {c[2]}' for c in COLUMNS)})")
    load = build_moves([("id", "int", "integer"), *((c[0], c[1], c[2]) for c in COLUMNS)], "public.t")
    with NativeRunner() as runner:
        loaded = runner.migrate(place.endpoint(read_only=True), "SELECT * FROM s", dest, load)
    assert (loaded.rows_read, loaded.rows_staged, loaded.format) == (2, 2, "arrow")
    assert session.query("SELECT * FROM t ORDER BY id").rows == (
        ("1", *(column[4] for column in COLUMNS)),
        ("2", *[None] * len(COLUMNS)),
    )


@pytest.mark.parametrize(
    ("type_", "stage", "value", "text"),
    [
        ("datetime2(7)", "timestamp", "2024-02-29 12:00:00.1234560", "2024-02-29 12:00:00.123456"),
        ("datetimeoffset(7)", "timestamptz", "2024-02-29 12:00:00.1234560 +05:30", "2024-02-29 06:30:00.123456+00"),
        ("datetimeoffset(0)", "text", "2024-02-29 12:00:00 -08:00", "2024-02-29 12:00:00 -08:00"),
        ("datetime2(7)", "text", "9999-12-31 23:59:59.9999999", "9999-12-31 23:59:59.9999999"),
        ("time(7)", "text", "23:59:59.9999999", "23:59:59.9999999"),
    ],
)
def test_seven_digits_and_offsets_arrive(
    place: Place,
    runner: NativeRunner,
    dest: Endpoint,
    session: PostgresSession,
    type_: str,
    stage: str,
    value: str,
    text: str,
) -> None:
    run(session, f"CREATE TABLE t (v {stage})")
    move_value(place, runner, dest, type_, stage, value)
    assert session.query("SELECT v FROM t").rows == ((None,), (text,))


@pytest.mark.parametrize(
    ("type_", "stage", "value"),
    [
        ("datetime2(7)", "timestamp", "2024-02-29 12:00:00.1234567"),
        ("datetimeoffset(7)", "timestamp", "2024-02-29 12:00:00.0000000 +05:30"),
        ("time(7)", "time", "23:59:59.9999999"),
        ("decimal(10,3)", "numeric(10,2)", Decimal("1.005")),
        ("float", "numeric(10,2)", 0.125),
        ("float", "real", 0.123456789),
        ("int", "smallint", 40000),
        ("nvarchar(10)", "varchar(3)", "abcd"),
        ("nvarchar(10)", "text", "a\0b"),
        ("datetime2(3)", "timestamp(0)", datetime.datetime(2020, 1, 1, 0, 0, 0, 1000)),
        ("datetime", "date", datetime.datetime(2020, 1, 1, 1)),
    ],
)
def test_postgresql_is_given_nothing_it_would_change(
    place: Place, runner: NativeRunner, dest: Endpoint, session: PostgresSession, type_: str, stage: str, value: Any
) -> None:
    run(session, f"CREATE TABLE t (v {stage})")
    with pytest.raises(Inexact) as caught:
        move_value(place, runner, dest, type_, stage, value)
    assert (caught.value.column, caught.value.row) == ("v", 2)
    assert session.query("SELECT v FROM t").rows == ()


def test_sql_server_arrives_in_sqlite(place: Place, tmp_path: Path, runner: NativeRunner) -> None:
    columns = [
        ("bi", "bit", "BOOLEAN", True, 1),
        ("l", "bigint", "INTEGER", 2**63 - 1, 2**63 - 1),
        ("d", "decimal(10,2)", "DECIMAL(10,2)", Decimal("12.50"), 12.5),
        ("w", "decimal(38,10)", "TEXT", Decimal("-0.0000000001"), "-0.0000000001"),
        ("r", "real", "REAL", 1.5, 1.5),
        ("f", "float", "REAL", 0.1, 0.1),
        ("da", "date", "DATE", datetime.date(2024, 2, 29), "2024-02-29"),
        ("t", "time(3)", "TIME", datetime.time(1, 2, 3, 450000), "01:02:03.45"),
        ("dt", "datetime2(6)", "TIMESTAMP", datetime.datetime(2024, 2, 29), "2024-02-29 00:00:00"),
        ("n", "nvarchar(20)", "TEXT", "wörd\0", "wörd\0"),
        ("b", "varbinary(9)", "BLOB", b"\x00\xff", b"\x00\xff"),
        ("u", "uniqueidentifier", "TEXT", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ]
    types = [(name, type_) for name, type_, *_ in columns]
    place.make("s", types, [tuple(column[3] for column in columns), (None,) * len(columns)])
    place.explain("", types)
    with closing(sqlite3.connect(tmp_path / "dest.db")) as db:
        db.execute(f"CREATE TABLE t ({', '.join(f'{column[0]} {column[2]}' for column in columns)})")
        dest = Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:dest.db", base_dir=str(tmp_path))
        load = build_moves([(c[0], c[1], c[2]) for c in columns], '"t"')
        assert runner.migrate(place.endpoint(), "SELECT * FROM s", dest, load).format == "arrow"
        assert db.execute("SELECT * FROM t").fetchall() == [
            tuple(column[4] for column in columns),
            (None,) * len(columns),
        ]


def test_sql_server_arrives_in_sql_server(place: Place, runner: NativeRunner) -> None:
    columns = [
        ("i", "int", "int"),
        ("m", "money", "decimal(19,4)"),
        ("t", "time(7)", "time(7)"),
        ("d", "datetime2(7)", "nvarchar(27)"),
        ("o", "datetimeoffset(7)", "nvarchar(34)"),
        ("v", "varchar(10)", "nvarchar(10)"),
        ("c", "nchar(4)", "nchar(4)"),
        ("b", "binary(3)", "binary(3)"),
        ("u", "uniqueidentifier", "uniqueidentifier"),
    ]
    row = (
        1, Decimal("-12.5"), "23:59:59.9999999", "9999-12-31 23:59:59.9999999", "2024-02-29 12:00:00.1234567 +05:30",
        "wörd", "äb", b"\x01\x02\x03", UUID(int=7),
    )  # fmt: skip
    source = [(name, type_) for name, type_, _ in columns]
    place.make("s", source, [row])
    place.explain("", source, [row])
    place.make("d", [(name, stage) for name, _, stage in columns])
    runner.migrate(place.endpoint(read_only=True), "SELECT * FROM s", place.endpoint(), build_load("d", columns))
    [arrived] = place.double.rows("d")
    assert arrived == (*row[:1], Decimal("-12.5000"), *row[2:6], "äb  ", *row[7:])


def test_rows_are_counted_over_many_batches(place: Place, runner: NativeRunner, dest: Endpoint, session: Any) -> None:
    place.explain("", [("n", "int"), ("t", "nvarchar(max)")])
    rows = [(number, "x" * number) for number in range(100)]
    place.double.answer(r"^SELECT n\b", RepeatedRows([("n", "int"), ("t", "nvarchar(max)")], rows, 200))
    run(session, "CREATE TABLE t (n int, t text)")
    load = build_moves([("n", "int", "integer"), ("t", "nvarchar(max)", "text")], "public.t")
    loaded = runner.migrate(place.endpoint(read_only=True), "SELECT n, t FROM many", dest, load)
    assert (loaded.rows_read, loaded.rows_staged) == (20_000, 20_000)
    assert session.query("SELECT count(*), count(*) FILTER (WHERE length(t) = n) FROM t").rows == (("20000", "20000"),)


@pytest.mark.parametrize(
    ("rows", "size", "seconds", "then"),
    [(256, 10_000, 0.01, 1024), (256, 4 * 2**20, 0.01, 127), (256, 10_000, 128.0, 1), (8192, 100_000, 0.01, 8192)],
)
def test_batches_grow_until_they_are_large_or_slow(rows: int, size: int, seconds: float, then: int) -> None:
    batches = BatchSize([])
    batches.rows = rows
    batches.learn(rows, size, seconds)
    assert batches.rows == then


@pytest.mark.parametrize("type_", ["sql_variant", "geography", "hierarchyid"])
def test_a_type_without_an_exact_form_is_refused_with_a_reason(
    place: Place, runner: NativeRunner, dest: Endpoint, type_: str
) -> None:
    place.make_real("odd", [("v", type_)])
    place.explain("", [("v", type_)])
    load = build_moves([("v", type_, "text")], "public.t")
    with pytest.raises(StatementFailed, match="Column v cannot be read"):
        runner.migrate(place.endpoint(), "SELECT v FROM odd", dest, load)


def test_a_replacement_of_the_texts_own_arrives(
    place: Place, runner: NativeRunner, dest: Endpoint, session: PostgresSession
) -> None:
    run(session, "CREATE TABLE t (v text)")
    place.teach(r"NCHAR\(65533\)", Rows([("n0", "bigint")], [(2,)]))
    move_value(place, runner, dest, "nvarchar(9)", "text", "a\ufffd\ufffd")
    assert session.query("SELECT v FROM t").rows == ((None,), ("a\ufffd\ufffd",))


def test_half_a_character_is_not_passed_on_as_a_replacement(
    place: Place, runner: NativeRunner, dest: Endpoint, session: PostgresSession
) -> None:
    run(session, "CREATE TABLE t (v text)")
    place.double.answer(r"NCHAR\(65533\)", Rows([("n0", "bigint")], [(1,)]))
    with pytest.raises(Inexact, match="half a character") as caught:
        move_value(place, runner, dest, "nvarchar(9)", "text", "a\ufffd\ud800")
    assert (caught.value.column, caught.value.row) == ("v", 2)
    assert session.query("SELECT v FROM t").rows == ()


def test_a_source_error_in_the_middle_leaves_the_staging_table_empty(
    place: Place, runner: NativeRunner, dest: Endpoint, session: PostgresSession
) -> None:
    run(session, "CREATE TABLE t (n int)")
    place.explain("", [("n", "int")])
    rows = [(number,) for number in range(20_000)]
    place.double.answer(
        r"^SELECT n\b", Rows([("n", "int")], rows), Error(8134, "Divide by zero error encountered.", 16)
    )
    load = build_moves([("n", "int", "integer")], "public.t")
    with pytest.raises(StatementFailed, match="Divide by zero"):
        runner.migrate(place.endpoint(read_only=True), "SELECT n FROM broken", dest, load)
    assert session.query("SELECT count(*) FROM t").first_cell() == "0"

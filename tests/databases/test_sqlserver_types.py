# Every type of SQL Server on its way into PostgreSQL and SQLite, and theirs on the way back, as the drivers map them.
"""Types between `sqlserver` and the core's kinds, by the dest tables that Pipekit makes for them."""

import datetime
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, StagedColumn, TableColumn
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Load, LoadColumn, ResultColumn
from tests.databases.moving import run
from tests.databases.sqlservers import Place, open_place

POSTGRES, SQLITE = get_driver("postgresql"), get_driver("sqlite")
LONG = "x" * 9000
# The PostgreSQL of the tests is built without XML.
MADE = {"xml": "text"}

# (type, a value, how PostgreSQL writes it, what SQLite holds)
OUT: list[tuple[str, Any, str, Any]] = [
    ("bit", True, "t", 1),
    ("tinyint", 255, "255", 255),
    ("smallint", -32768, "-32768", -32768),
    ("int", 2**31 - 1, "2147483647", 2147483647),
    ("bigint", -(2**63), "-9223372036854775808", -(2**63)),
    ("decimal(12,2)", Decimal("-0.01"), "-0.01", -0.01),
    ("decimal(38,10)", Decimal("9" * 28 + ".0000000001"), "9" * 28 + ".0000000001", "9" * 28 + ".0000000001"),
    ("money", Decimal("922337203685477.5807"), "922337203685477.5807", "922337203685477.5807"),
    ("smallmoney", Decimal("-214748.3648"), "-214748.3648", -214748.3648),
    ("real", 1.5, "1.5", 1.5),
    ("float", 0.1, "0.1", 0.1),
    ("date", datetime.date(9999, 12, 31), "9999-12-31", "9999-12-31"),
    ("time(7)", "23:59:59.9999990", "23:59:59.999999", "23:59:59.999999"),
    ("datetime", datetime.datetime(2020, 1, 2, 3, 4, 5, 123000), "2020-01-02 03:04:05.123", "2020-01-02 03:04:05.123"),
    ("datetime2(7)", "2024-02-29 12:00:00.1234560", "2024-02-29 12:00:00.123456", "2024-02-29 12:00:00.1234560"),
    ("smalldatetime", datetime.datetime(2079, 6, 6, 23, 59), "2079-06-06 23:59:00", "2079-06-06 23:59:00"),
    (
        "datetimeoffset(7)",
        "2024-02-29 12:00:00.1234560 +05:30",
        "2024-02-29 06:30:00.123456+00",
        "2024-02-29 12:00:00.1234560 +05:30",
    ),
    ("char(4)", "ab", "ab  ", "ab  "),
    ("varchar(10)", "wörd", "wörd", "wörd"),
    ("varchar(max)", LONG, LONG, LONG),
    ("nchar(4)", "é", "é   ", "é   "),
    ("nvarchar(10)", "a\U0001f600", "a\U0001f600", "a\U0001f600"),
    ("nvarchar(max)", LONG, LONG, LONG),
    ("text", "old", "old", "old"),
    ("ntext", "\U0001f600", "\U0001f600", "\U0001f600"),
    ("binary(3)", b"\x01", "\\x010000", b"\x01\0\0"),
    ("varbinary(9)", b"\0\xff", "\\x00ff", b"\0\xff"),
    ("varbinary(max)", b"", "\\x", b""),
    ("image", b"\0", "\\x00", b"\0"),
    ("uniqueidentifier", UUID(int=255), f"{UUID(int=255)}", f"{UUID(int=255)}".upper()),
    ("xml", "<a>\u00e9</a>", "<a>\u00e9</a>", "<a>\u00e9</a>"),
]
NAMES = [f"c{number}" for number in range(len(OUT))]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        yield place


@pytest.fixture
def postgresql(postgres: LocalPostgres, database: str) -> Endpoint:
    return Endpoint(kind="postgresql", jdbc_url=postgres.jdbc_url(database), username="postgres")


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Endpoint:
    with closing(sqlite3.connect(tmp_path / "file.db")) as db:
        db.execute("CREATE TABLE made (x)")
    return Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:file.db", base_dir=str(tmp_path))


def stage(source: Driver, dest: Driver, types: Sequence[tuple[str, str]]) -> list[StagedColumn]:
    """How columns of (source type, dest type) are staged; an empty dest type is the one that Pipekit makes."""
    staged = []
    for number, (source_type, dest_type) in enumerate(types):
        made = TableColumn(name=f"c{number}", type=dest_type or dest.map_type(source_type, source))
        staged.append(dest.stage_column(ResultColumn(name=made.name, type=source_type), source, made))
    assert [column.refused for column in staged if column.refused] == []
    return staged


def build_load(table: str, staged: Sequence[StagedColumn]) -> tuple[Load, str]:
    """The load of a staging table, and what stands between the parentheses of its CREATE TABLE."""
    types = [column.stage_type or column.dest.type for column in staged]
    columns = [
        LoadColumn(source_name=c.dest.name, source_type=c.source.type, stage_name=c.dest.name, stage_type=type_)
        for c, type_ in zip(staged, types, strict=True)
    ]
    body = ", ".join(f"{column.dest.name} {type_}" for column, type_ in zip(staged, types, strict=True))
    return Load(table=table, columns=tuple(columns)), body


def make_source(place: Place) -> None:
    """A table `s` of every type with a row of values and one of NULLs."""
    columns = [(name, type_) for name, (type_, *_) in zip(NAMES, OUT, strict=True)]
    rows = [tuple(value for _, value, *_ in OUT), (None,) * len(OUT)]
    place.make("s", columns, rows)
    place.explain("", columns, rows)


def test_every_type_arrives_in_postgresql(place: Place, postgresql: Endpoint, session: PostgresSession) -> None:
    make_source(place)
    load, body = build_load("public.t", stage(DRIVER, POSTGRES, [(type_, MADE.get(type_, "")) for type_, *_ in OUT]))
    run(session, f"CREATE TABLE t ({body})")
    with NativeRunner() as runner:
        runner.migrate(place.endpoint(read_only=True), "SELECT * FROM s", postgresql, load)
    first, second = session.query("SELECT * FROM t").rows
    assert dict(zip((c[0] for c in OUT), first, strict=True)) == {type_: text for type_, _, text, _ in OUT}
    assert set(second) == {None}


def test_every_type_arrives_in_sqlite(place: Place, sqlite_file: Endpoint, tmp_path: Path) -> None:
    make_source(place)
    load, body = build_load('"t"', stage(DRIVER, SQLITE, [(type_, "") for type_, *_ in OUT]))
    with closing(sqlite3.connect(tmp_path / "file.db")) as db, NativeRunner() as runner:
        db.execute(f"CREATE TABLE t ({body})")
        runner.migrate(place.endpoint(read_only=True), "SELECT * FROM s", sqlite_file, load)
        first, second = db.execute("SELECT * FROM t").fetchall()
    assert dict(zip((c[0] for c in OUT), first, strict=True)) == {type_: held for type_, _, _, held in OUT}
    assert set(second) == {None}


# (dest type, PostgreSQL's type, its text, SQLite's type, its value, what the staging table then holds)
INTO: list[tuple[str, str, str, str, Any, Any]] = [
    ("bit", "boolean", "true", "BOOLEAN", 1, True),
    ("tinyint", "smallint", "255", "INTEGER", 255, 255),
    ("smallint", "smallint", "-32768", "INTEGER", -32768, -32768),
    ("int", "integer", "7", "INTEGER", 7, 7),
    ("bigint", "bigint", "-9223372036854775808", "INTEGER", -(2**63), -(2**63)),
    ("decimal(38,10)", "numeric(38,10)", "9" * 28 + ".0000000001", "TEXT", "9" * 28 + ".0000000001",
     Decimal("9" * 28 + ".0000000001")),
    ("nvarchar(max)", "numeric", "0.00000000000000000000000000001", "TEXT", "0.00000000000000000000000000001",
     "0.00000000000000000000000000001"),
    ("money", "numeric(19,4)", "922337203685477.5807", "TEXT", "922337203685477.5807",
     Decimal("922337203685477.5807")),
    ("smallmoney", "numeric(10,4)", "-214748.3648", "DECIMAL(10,4)", -214748.3648, Decimal("-214748.3648")),
    ("real", "real", "1.5", "REAL", 1.5, 1.5),
    ("float", "double precision", "0.1", "REAL", 0.1, 0.1),
    ("date", "date", "9999-12-31", "DATE", "9999-12-31", datetime.date(9999, 12, 31)),
    ("time(7)", "time", "23:59:59.999999", "TIME", "23:59:59.999999", "23:59:59.9999990"),
    ("datetime", "timestamp", "2020-01-02 03:04:05.123", "TIMESTAMP", "2020-01-02 03:04:05.123",
     "2020-01-02 03:04:05.1230000"),
    ("smalldatetime", "timestamp", "2079-06-06 23:59:00", "TIMESTAMP", "2079-06-06 23:59:00",
     "2079-06-06 23:59:00.0000000"),
    ("datetime2(7)", "timestamp", "9999-12-31 23:59:59.999999", "TIMESTAMP", "9999-12-31 23:59:59.999999",
     "9999-12-31 23:59:59.9999990"),
    ("datetimeoffset(7)", "timestamp with time zone", "2024-02-29 12:00:00.123456+00", "TIMESTAMPTZ",
     "2024-02-29 12:00:00.123456+00:00", "2024-02-29 12:00:00.1234560 +00:00"),
    ("char(4)", "text", "ab", "TEXT", "ab", "ab"),
    ("varchar(10)", "text", "wörd", "TEXT", "wörd", "wörd"),
    ("nchar(4)", "text", "é", "TEXT", "é", "é"),
    ("nvarchar(10)", "text", "a\U0001f600", "TEXT", "a\U0001f600", "a\U0001f600"),
    ("nvarchar(max)", "character varying(3)", "\U0001f600" * 3, "VARCHAR(2)", "\U0001f600" * 3, "\U0001f600" * 3),
    ("text", "text", "old", "TEXT", "old", "old"),
    ("ntext", "text", "\U0001f600", "TEXT", "\U0001f600", "\U0001f600"),
    ("binary(2)", "bytea", "\\x00ff", "BLOB", b"\0\xff", b"\0\xff"),
    ("varbinary(max)", "bytea", "\\x", "BLOB", b"", b""),
    ("image", "bytea", "\\x00", "BLOB", b"\0", b"\0"),
    ("uniqueidentifier", "uuid", f"{UUID(int=255)}", "TEXT", f"{UUID(int=255)}", UUID(int=255)),
    ("xml", "text", "<a>é</a>", "TEXT", "<a>é</a>", "<a>é</a>"),
]  # fmt: skip


def load_rows(place: Place, source: Endpoint, staged: list[StagedColumn]) -> list[tuple[Any, ...]]:
    """What a staging table at the double holds of the source's table `t`."""
    load, _ = build_load("[dbo].[d]", staged)
    place.make("d", [(column.stage_name, column.stage_type) for column in load.columns])
    with NativeRunner() as runner:
        runner.migrate(source, "SELECT * FROM t", place.endpoint(), load)
    return place.double.rows("d")


def check_arrived(rows: list[tuple[Any, ...]]) -> None:
    first, second = rows
    types = [f"{number} {column[0]}" for number, column in enumerate(INTO)]
    assert dict(zip(types, first, strict=True)) == dict(zip(types, (column[5] for column in INTO), strict=True))
    assert set(second) == {None}


def test_every_type_takes_values_of_postgresql(place: Place, postgresql: Endpoint, session: PostgresSession) -> None:
    names = ", ".join(f"c{number} {column[1]}" for number, column in enumerate(INTO))
    texts = ", ".join(f"'{column[2]}'::{column[1]}" for column in INTO)
    nulls = ", ".join(["NULL"] * len(INTO))
    run(session, f"CREATE TABLE t ({names})", f"INSERT INTO t VALUES ({texts}), ({nulls})")
    check_arrived(load_rows(place, postgresql, stage(POSTGRES, DRIVER, [(c[1], c[0]) for c in INTO])))


def test_every_type_takes_values_of_sqlite(place: Place, sqlite_file: Endpoint, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "file.db")) as db:
        db.execute(f"CREATE TABLE t ({', '.join(f'c{number} {column[3]}' for number, column in enumerate(INTO))})")
        marks = ", ".join("?" * len(INTO))
        db.executemany(f"INSERT INTO t VALUES ({marks})", [tuple(c[4] for c in INTO), (None,) * len(INTO)])
        db.commit()
    check_arrived(load_rows(place, sqlite_file, stage(SQLITE, DRIVER, [(c[3], c[0]) for c in INTO])))

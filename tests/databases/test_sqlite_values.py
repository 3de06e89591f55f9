# Tests of what a move does to odd values: kept as they are or refused by column and row. Reads real files.
"""Values on their way into SQLite."""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.sqlite.wire import SqliteSession, connect
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import Inexact, RunnerError, StatementFailed
from pipekit.runner_contract import Endpoint, Load, LoadColumn, ResultColumn, Statement


@pytest.fixture
def dest(tmp_path: Path) -> Iterator[SqliteSession]:
    session = connect(Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:dest.db", base_dir=str(tmp_path)))
    yield session
    session.close()


def run(session: SqliteSession, *statements: str) -> None:
    session.execute([Statement(sql=sql) for sql in statements], (), False)


def count_rows(session: SqliteSession) -> str | None:
    return session.query("SELECT count(*) FROM s").first_cell()


def load_values(
    session: SqliteSession, source_type: str, stage_type: str, values: Sequence[Any], *, exact: bool = True
) -> list[tuple[Any, Any]]:
    """Loads one column of rows and returns what is stored, with its storage class, as SQLite itself gives it."""
    blocks: list[tuple[Any, int]] = [([(value,) for value in values], len(values))]
    return _load(session, source_type, stage_type, "rows", blocks, exact)


def load_copy(
    session: SqliteSession, source_type: str, stage_type: str, cells: Sequence[str], *, exact: bool = True
) -> list[tuple[Any, Any]]:
    """The same from PostgreSQL's COPY text."""
    block = "".join(f"{cell}\n" for cell in cells).encode()
    return _load(session, source_type, stage_type, "copy-text", [(block, len(cells))], exact)


def _load(
    session: SqliteSession,
    source_type: str,
    stage_type: str,
    format: Format,
    blocks: list[tuple[Any, int]],
    exact: bool,
) -> list[tuple[Any, Any]]:
    run(session, "DROP TABLE IF EXISTS s", f"CREATE TABLE s (v {stage_type})")
    column = LoadColumn(source_name="v", source_type=source_type, stage_name="v", stage_type=stage_type)
    stream = Stream(format=format, columns=(ResultColumn(name="v", type=source_type),), blocks=iter(blocks))
    try:
        held = session.sink(Load(table="s", columns=(column,), exact=exact)).load(stream, lambda rows: None)
    except RunnerError:
        assert count_rows(session) == "0", "a refused load left rows behind"
        raise
    stored: list[tuple[Any, Any]] = session._db.execute("SELECT v, typeof(v) FROM s ORDER BY rowid").fetchall()
    assert held == len(stored)
    return stored


# -- values ------------------------------------------------------------------------------------------------------------

ODD_VALUES: list[Any] = [
    None, "", " ", "NULL", "\\N", "a\tb\nc\r\\d", "naïve 🐘", "nul\0here", 0, 1, -1, 2**63 - 1, -(2**63), 1e308,
    5e-324, -0.5, 0.1 + 0.2, math.inf, -math.inf, b"", b"\x00\xff", "0123", "1e5", "1.0", "abc", "12:30:00",
    "2024-02-30", "x" * 70_000,
]  # fmt: skip


@pytest.mark.parametrize(
    "declared", ["", "BLOB", "TEXT", "INTEGER", "REAL", "DECIMAL(10,2)", "DATE", "VARCHAR(5)", "BOOLEAN"]
)
def test_what_one_sqlite_column_holds_another_of_its_type_holds_the_same(dest: SqliteSession, declared: str) -> None:
    run(
        dest,
        f"CREATE TABLE t (id INTEGER PRIMARY KEY, v {declared})",
        f"CREATE TABLE s (id INTEGER NOT NULL, v {declared})",
    )
    dest._db.executemany("INSERT INTO t (v) VALUES (?)", [(value,) for value in ODD_VALUES])
    source = dest.source("SELECT id, v FROM t ORDER BY id")
    columns = tuple(
        LoadColumn(source_name=c.name, source_type=c.type, stage_name=c.name, stage_type=c.type) for c in source.columns
    )
    stream = source.open("rows")
    assert (
        dest.sink(Load(table="s", columns=columns)).load(stream, lambda rows: None) == len(ODD_VALUES) == stream.total
    )
    stored = [dest._db.execute(f"SELECT id, v, typeof(v) FROM {table} ORDER BY id").fetchall() for table in ("t", "s")]
    assert stored[0] == stored[1]


@pytest.mark.parametrize("value", ["0123", "1.0", "1e5", " 12", "+5", ".5", "9" * 30, "1e999", "100.0"])
@pytest.mark.parametrize("declared", ["INTEGER", "DECIMAL(10,2)", "DATE"])
def test_a_text_that_would_become_another_number_is_refused(dest: SqliteSession, declared: str, value: str) -> None:
    with pytest.raises(Inexact, match="would become") as caught:
        load_values(dest, "TEXT", declared, ["1", value])
    assert (caught.value.column, caught.value.row) == ("v", 2)
    assert len(load_values(dest, "TEXT", declared, [value], exact=False)) == 1


@pytest.mark.parametrize(
    ("declared", "value", "stored"),
    [
        ("INTEGER", "123", (123, "integer")),
        ("INTEGER", "-9223372036854775808", (-(2**63), "integer")),
        ("INTEGER", "abc", ("abc", "text")),
        ("INTEGER", True, (1, "integer")),
        ("INTEGER", Decimal("7.00"), (7, "integer")),
        ("DECIMAL(10,2)", "1.5", (1.5, "real")),
        ("DECIMAL(10,2)", Decimal("1.10"), (1.1, "real")),
        ("DECIMAL(10,2)", Decimal("1E+3"), (1000, "integer")),
        ("REAL", "1.5", (1.5, "real")),
        ("REAL", 5, (5.0, "real")),
        ("REAL", Decimal("0.1"), (0.1, "real")),
        ("REAL", False, (0.0, "real")),
        ("TEXT", 5, ("5", "text")),
        ("TEXT", 0.1 + 0.2, ("0.30000000000000004", "text")),
        ("TEXT", True, ("true", "text")),
        ("TEXT", Decimal("1.10"), ("1.10", "text")),
        ("TEXT", b"\x00", (b"\x00", "blob")),
        ("BLOB", "0123", ("0123", "text")),
        ("BLOB", Decimal("1.10"), ("1.10", "text")),
        ("BOOLEAN", True, (1, "integer")),
        ("DATE", "2024-01-01", ("2024-01-01", "text")),
    ],
)
def test_a_value_is_stored_as_the_column_would_have_it(
    dest: SqliteSession, declared: str, value: Any, stored: tuple[Any, str]
) -> None:
    assert load_values(dest, "", declared, [value, None]) == [stored, (None, "null")]


@pytest.mark.parametrize(
    ("declared", "value", "reason"),
    [
        ("REAL", math.nan, "no NaN"),
        ("DECIMAL(10,2)", Decimal("NaN"), "no NaN"),
        ("", math.nan, "no NaN"),
        ("INTEGER", 2**63, "64-bit"),
        ("INTEGER", -(2**63) - 1, "64-bit"),
        ("INTEGER", Decimal(10**20), "64-bit"),
        ("INTEGER", Decimal("1.5"), "not a whole number"),
        ("DECIMAL(10,2)", Decimal("12345678901234567.89"), "more digits"),
        ("DECIMAL(10,2)", 2**63, "more digits"),
        ("REAL", 2**53 + 1, "more digits"),
        ("REAL", Decimal("0.1234567890123456789"), "more digits"),
        ("VARCHAR(3)", "abcd", "declared for 3"),
        ("TEXT", "\ud800", "Unicode"),
    ],
)
def test_a_value_sqlite_cannot_hold_is_refused_by_column_and_row(
    dest: SqliteSession, declared: str, value: Any, reason: str
) -> None:
    with pytest.raises(Inexact, match=reason) as caught:
        load_values(dest, "", declared, [None, None, value])
    assert (caught.value.column, caught.value.row) == ("v", 3)


@pytest.mark.parametrize(
    ("declared", "value", "stored"),
    [
        ("REAL", math.nan, None),
        ("INTEGER", 2**63, float(2**63)),
        ("INTEGER", Decimal("1.5"), 1.5),
        ("REAL", Decimal("0.1234567890123456789"), 0.12345678901234568),
        ("VARCHAR(3)", "abcd", "abcd"),
    ],
)
def test_without_exactness_the_dest_keeps_what_it_can(
    dest: SqliteSession, declared: str, value: Any, stored: Any
) -> None:
    assert load_values(dest, "", declared, [value], exact=False)[0][0] == stored


def test_a_null_for_a_column_without_nulls_is_refused_by_column_and_row(dest: SqliteSession) -> None:
    with pytest.raises(StatementFailed, match="NOT NULL") as caught:
        load_values(dest, "", "INTEGER NOT NULL", [1, 2, None, 4])
    assert (caught.value.column, caught.value.row) == ("v", 3)


# -- COPY text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "declared", "cell", "stored"),
    [
        ("integer", "INTEGER", "-5", (-5, "integer")),
        ("bigint", "DECIMAL(10,2)", "9223372036854775807", (2**63 - 1, "integer")),
        ("integer", "TEXT", "5", ("5", "text")),
        ("integer", "", "5", (5, "integer")),
        ("numeric(10,2)", "DECIMAL(10,2)", "1.50", (1.5, "real")),
        ("numeric(10,2)", "DECIMAL(10,2)", "2.00", (2, "integer")),
        ("numeric", "TEXT", "1.500", ("1.500", "text")),
        ("numeric", "REAL", "0.1", (0.1, "real")),
        ("numeric", "INTEGER", "7.00", (7, "integer")),
        ("double precision", "REAL", "1e-07", (1e-07, "real")),
        ("double precision", "REAL", "-Infinity", (-math.inf, "real")),
        ("real", "REAL", "0.1", (0.1, "real")),
        ("boolean", "BOOLEAN", "t", (1, "integer")),
        ("boolean", "BOOLEAN", "f", (0, "integer")),
        ("boolean", "TEXT", "f", ("false", "text")),
        ("bytea", "BLOB", "\\\\x00ff", (b"\x00\xff", "blob")),
        ("bytea", "BLOB", "\\\\x", (b"", "blob")),
        ("BLOB", "BLOB", "\\\\x00FF", (b"\x00\xff", "blob")),
        ("VARBINARY(4)", "BLOB", "\\\\x", (b"", "blob")),
        ("BINARY", "BLOB", "\\\\x5C78", (b"\\x", "blob")),
        ("text", "TEXT", "a\\tb\\nc\\\\N\\r\\b\\f\\v", ("a\tb\nc\\N\r\b\f\v", "text")),
        ("text", "TEXT", "", ("", "text")),
        ("text", "TEXT", "0123 🐘", ("0123 🐘", "text")),
        ("date", "DATE", "infinity", ("infinity", "text")),
        ("date", "DATE", "0044-03-15 BC", ("0044-03-15 BC", "text")),
        ("timestamp(3) without time zone", "TIMESTAMP", "2024-01-01 24:00:00.5", ("2024-01-01 24:00:00.5", "text")),
        ("timestamp with time zone", "TIMESTAMPTZ", "2024-01-01 00:00:00+00", ("2024-01-01 00:00:00+00", "text")),
        ("json", "TEXT", '{"a": 2.50}', ('{"a": 2.50}', "text")),
        ("integer[]", "TEXT", "{1,2}", ("{1,2}", "text")),
    ],
)
def test_copy_text_arrives_as_what_it_means(
    dest: SqliteSession, source: str, declared: str, cell: str, stored: tuple[Any, str]
) -> None:
    assert load_copy(dest, source, declared, [cell, "\\N"]) == [stored, (None, "null")]
    assert load_copy(dest, source, declared, [cell]) == [stored]


@pytest.mark.parametrize(
    ("source", "declared", "cell", "reason"),
    [
        ("double precision", "REAL", "NaN", "no NaN"),
        ("numeric", "REAL", "NaN", "no NaN"),
        ("numeric(10,2)", "DECIMAL(10,2)", "NaN", "no NaN"),
        ("numeric", "DECIMAL(10,2)", "0.12345678901234567", "more digits"),
        ("numeric", "INTEGER", "1.5", "not a whole number"),
        ("numeric", "INTEGER", "NaN", "not a whole number"),
        ("numeric", "INTEGER", "9223372036854775808", "64-bit"),
        ("bigint", "REAL", "9007199254740993", "more digits"),
        ("text", "INTEGER", "abc", "not a whole number"),
        ("text", "REAL", "abc", "not a number"),
        ("text", "DATE", "20240101.0", "would become"),
        ("text", "VARCHAR(2)", "a\\tb", "3 characters"),
    ],
)
def test_copy_text_that_does_not_fit_is_refused_by_column_and_row(
    dest: SqliteSession, source: str, declared: str, cell: str, reason: str
) -> None:
    with pytest.raises(Inexact, match=reason) as caught:
        load_copy(dest, source, declared, ["\\N", cell])
    assert (caught.value.column, caught.value.row) == ("v", 2)


def test_a_negative_zero_arrives_as_the_zero_it_is_equal_to(dest: SqliteSession) -> None:
    for stored in (load_values(dest, "REAL", "REAL", [-0.0]), load_copy(dest, "double precision", "REAL", ["-0"])):
        assert stored == [(0.0, "real")]


@pytest.mark.parametrize("row", [1, 8, 9, 16, 20, 21])
def test_a_refused_value_is_named_wherever_it_stands_in_a_block(dest: SqliteSession, row: int) -> None:
    """Values that repeat are read once, and several rows go into one statement."""
    cells = ["1.50"] * 21
    cells[row - 1] = "NaN"
    with pytest.raises(Inexact, match="no NaN") as inexact:
        load_copy(dest, "numeric(10,2)", "DECIMAL(10,2)", cells)
    values: list[Any] = [1] * 21
    values[row - 1] = None
    with pytest.raises(StatementFailed, match="NOT NULL") as missing:
        load_values(dest, "INTEGER", "INTEGER NOT NULL", values)
    assert (inexact.value.row, missing.value.row) == (row, row)


def test_repeated_decimals_arrive_beside_nulls_and_others(dest: SqliteSession) -> None:
    cells = ["1.50", "\\N", "0.00", "-0.00", "2.00"] * 5
    stored = [(1.5, "real"), (None, "null"), (0, "integer"), (0, "integer"), (2, "integer")]
    assert load_copy(dest, "numeric(10,2)", "DECIMAL(10,2)", cells) == stored * 5

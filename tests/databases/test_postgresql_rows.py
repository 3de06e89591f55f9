# Values of another kind of database entering PostgreSQL: kept exactly, or refused by row and column.
"""Rows of Python values into a staging table."""

from decimal import Decimal
from typing import Any

import pytest

from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.errors import Inexact
from tests.databases.moving import STAGING, Mover, load_rows, run

DATE, MOMENT = "2024-02-29", "2024-02-29 23:59:59"

KEPT = [
    ("smallint", 3, "3"),
    ("integer", 3.0, "3"),
    ("bigint", 2**63 - 1, str(2**63 - 1)),
    ("integer", "12", "12"),
    ("numeric(6,2)", 12.34, "12.34"),
    ("numeric(6,2)", "12.340", "12.34"),
    ("numeric(6,2)", 12, "12.00"),
    ("numeric(6,2)", 0.1, "0.10"),
    ("numeric(6,2)", Decimal("1.5"), "1.50"),
    ("numeric", 1e-7, "0.0000001"),
    ("numeric", 10**40, str(10**40)),
    ("numeric(38,10)", "1234567890123456789012345678.0123456789", None),
    ("double precision", 0.1, "0.1"),
    ("double precision", 2**53, "9.007199254740992e+15"),
    ("double precision", "0.1", "0.1"),
    ("double precision", float("inf"), "Infinity"),
    ("double precision", 10**22, "1e+22"),
    ("real", 0.5, "0.5"),
    ("real", "0.1", "0.1"),
    ("boolean", 1, "t"),
    ("boolean", False, "f"),
    ("money", 12, "$12.00"),
    ("text", "", ""),
    ("text", "\\N", "\\N"),
    ("text", "a\tb\nc\\d\r\n", None),
    ("text", "naïve 😀", None),
    ("text", 12, "12"),
    ("text", 0.1, "0.1"),
    ("text", "NULL", "NULL"),
    ("text", "\\.", "\\."),
    ("text", "x" * 100_000, None),
    ("varchar(3)", "abc", "abc"),
    ("varchar(3)", "ab ", "ab "),
    ("character(3)", "ab", "ab "),
    ("character(3)", "ab ", "ab "),
    ("bytea", b"", "\\x"),
    ("bytea", b"\x00\\\t\n\xff", "\\x005c090aff"),
    ("date", DATE, DATE),
    ("date", f"{DATE} 00:00:00.000", DATE),
    ("date", "infinity", "infinity"),
    ("date", "0044-03-15 BC", "0044-03-15 BC"),
    ("timestamp", MOMENT, MOMENT),
    ("timestamp", f"{DATE}T23:59:59Z", MOMENT),
    ("timestamp", DATE, f"{DATE} 00:00:00"),
    ("timestamp", f"{MOMENT}.123456000", f"{MOMENT}.123456"),
    ("timestamp(0)", f"{MOMENT}.000", MOMENT),
    ("timestamptz", f"{DATE}T23:59:59+02:00", f"{DATE} 21:59:59+00"),
    ("timestamptz", MOMENT, f"{MOMENT}+00"),
    ("time", "24:00", "24:00:00"),
    ("timetz", "10:00:00+05:30", "10:00:00+05:30"),
    ("interval", "1 day 01:02:03.000004", "1 day 01:02:03.000004"),
    ("interval", "PT1H", "01:00:00"),
    ("uuid", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", ' {"a": 1, "a": 2} ', None),
    ("jsonb", '{"b":1.10,"a":1}', '{"a": 1, "b": 1.10}'),
    ("jsonb", 5, "5"),
    ("integer[]", "{1,NULL}", "{1,NULL}"),
    ("inet", "::1", "::1"),
    ("name", "n" * 63, "n" * 63),
]

REFUSED = [
    ("integer", 1.5, "not a whole number"),
    ("integer", float("nan"), "not a whole number"),
    ("integer", b"1", "bytes"),
    ("integer", "abc", "invalid input syntax"),
    ("integer", 2**31, "out of range"),
    ("bigint", 2**63, "out of range"),
    ("numeric(6,2)", 1.005, "more than 2 decimals"),
    ("numeric(6,2)", "1.005", "more than 2 decimals"),
    ("numeric(6,2)", Decimal("0.001"), "more than 2 decimals"),
    ("numeric(6,2)", 12345, "overflow"),
    ("numeric(6,2)", 1e-7, "more than 2 decimals"),
    ("numeric", b"1", "bytes"),
    ("money", "1.005", "more than 2 decimals"),
    ("double precision", 2**53 + 1, "precision would be lost"),
    ("double precision", "0.12345678901234567890", "precision"),
    ("real", 0.1, "precision would be lost"),
    ("real", 2**24 + 1, "precision would be lost"),
    ("real", 1e300, "too large"),
    ("boolean", 2, "invalid input syntax"),
    ("text", "a\0b", "NUL"),
    ("text", b"bytes", "bytes"),
    ("text", "\ud800", "half"),
    ("varchar(3)", "abcd", "longer than 3"),
    ("varchar(3)", "abc ", "longer than 3"),
    ("character(3)", "abc ", "longer than"),
    ("character(3)", "a ", "trailing blanks"),
    ("bytea", "text", "only bytes"),
    ("bytea", 1, "only bytes"),
    ("date", MOMENT, "time of day would be lost"),
    ("date", "today", "not a date"),
    ("date", 20240229, "not a date"),
    ("date", "2024-02-30", "out of range"),
    ("date", "29.02.2024", "not a date"),
    ("timestamp", "now", "not a time"),
    ("timestamp", f"{MOMENT}.1234567", "more than 6 digits"),
    ("timestamp(3)", f"{MOMENT}.1234", "more than 3 digits"),
    ("timestamp", f"{MOMENT}+02", "time zone would be lost"),
    ("timestamp", f"{DATE} 23:59:60", "not a time"),
    ("timestamptz", 1709251199, "not a time"),
    ("time", "10:00+02", "time zone would be lost"),
    ("time", "10:00:00.1234567", "more than 6 digits"),
    ("interval", "00:00:00.0000001", "more than 6 digits"),
    ("uuid", "x", "invalid input syntax"),
    ("json", "{", "invalid input syntax"),
    ("name", "n" * 64, "longer than 63"),
    ("jsonb", '{"a":1,"a":2}', "same key twice"),
    ('"char"', "xy", "longer than 1"),
    ("text", Ellipsis, "of type ellipsis"),
]


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

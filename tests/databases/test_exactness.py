# Values that do not fit, and values that must survive, through whole runs between every pair of kinds.
"""A value arrives as it left, or the run names the table's column and the row."""

import re
from typing import Any

import pytest

from pipekit.models import Guards, Run
from tests.databases.test_runs import Bench, bench, refuse

__all__ = ["bench"]

SQLITE_TO_POSTGRESQL = [
    # (value, dest type, what the error says)
    ("a\0b", "text", "NUL"),
    ("abc", "integer", "abc"),
    (1.5, "integer", "1.5"),
    (2**31, "integer", "2147483648"),
    (70000, "smallint", "70000"),
    (1.239, "numeric(10,2)", "1.239"),
    ("12345678901.5", "numeric(10,2)", "12345678901.5"),
    ("2020-01-01 12:30:00", "date", "2020-01-01 12:30:00"),
    ("2020-02-30", "date", "2020-02-30"),
    ("2020-01-01 00:00:00.1234567", "timestamp", "2020-01-01 00:00:00.1234567"),
    ("toolong", "varchar(3)", "toolong"),
    ("abc   ", "varchar(3)", "abc"),
    (2**53 + 1, "double precision", "9007199254740993"),
    (b"\x01", "text", ""),
    ("text", "bytea", ""),
    ("maybe", "boolean", "maybe"),
    ("{bad json", "jsonb", "json"),
    (0.1234567890123, "real", "0.1234567890123"),
    ("{0.1234567890123}", "real[]", "0.1234567890123"),
    ("{today}", "date[]", "today"),
    ("[now,)", "tstzrange", "now"),
    ("{2020-01-01 00:00:00.1234567}", "timestamp[]", "00.1234567"),
]


@pytest.mark.parametrize("bench", [("sqlite", "postgresql")], indirect=True, ids=["sqlite-postgresql"])
@pytest.mark.parametrize(("value", "dest_type", "says"), SQLITE_TO_POSTGRESQL)
def test_a_sqlite_value_that_does_not_fit_is_named(bench: Bench, value: Any, dest_type: str, says: str) -> None:
    bench.source.execute("create table t (id integer, v)")
    bench.source.connection.executemany("insert into t values (?, ?)", [(1, None), (2, None), (3, value)])
    bench.dest.execute(f"create table t (id integer, v {dest_type})")
    run = refuse(bench, bench.module("select id, v from t"), "stage", says)
    assert_place(run)


@pytest.mark.parametrize("bench", [("sqlite", "postgresql")], indirect=True, ids=["sqlite-postgresql"])
@pytest.mark.parametrize(
    ("make", "dest_type", "changed", "kept"),
    [
        ("create type c as (a numeric(5,1), b text)", "c", "(1.25,x)", '(1.2,"x y")'),
        ("create type c as (a numeric(5,1))", "c[]", "{(1.25)}", "{(1.2),NULL}"),
        ("create domain d as numeric(5,1)", "d[]", "{1.25}", "{1,2.5}"),
        ("create domain d as numeric(5,1)[]", "d", "{1.25}", "{1,2.5}"),
        ("create domain d as interval(0)", "d", "00:00:00.6", "00:00:01"),
    ],
)
def test_a_value_inside_a_type_of_ones_own_is_kept_or_named(
    bench: Bench, make: str, dest_type: str, changed: str, kept: str
) -> None:
    bench.source.execute("create table t (id integer, v text)")
    bench.source.connection.executemany("insert into t values (?, ?)", [(1, None), (2, kept), (3, changed)])
    bench.dest.execute(make, f"create table t (id integer, v {dest_type})")
    run = refuse(bench, bench.module("select id, v from t"), "check", changed)
    assert_place(run)
    bench.project.succeed(bench.module("select id, v from t where id < 3", name="kept"))
    assert bench.dest.rows(f"select count(*) from t where v::text = '{kept}'::{dest_type}::text") == [(1,)]


def assert_place(run: Run) -> None:
    """The error names the dest table, the column and the row."""
    error = (run.error or "").lower()
    assert re.search(r"\bt\b", error), error
    assert re.search(r"\bv\b", error), error
    assert re.search(r"\b(row|line) 3\b", error), error


POSTGRESQL_TO_SQLITE = [
    ("numeric '12345678901234567.89'", "decimal(20,2)", "12345678901234567.89"),
    ("float8 'NaN'", "real", "NaN"),
    ("'abc'", "integer", "abc"),
    ("numeric '9223372036854775808'", "integer", "9223372036854775808"),
    ("'toolong'", "varchar(3)", "toolong"),
]


@pytest.mark.parametrize("bench", [("postgresql", "sqlite")], indirect=True, ids=["postgresql-sqlite"])
@pytest.mark.parametrize(("value", "dest_type", "says"), POSTGRESQL_TO_SQLITE)
def test_a_postgresql_value_that_does_not_fit_is_named(bench: Bench, value: str, dest_type: str, says: str) -> None:
    bench.dest.execute(f"create table t (id integer, v {dest_type})")
    query = f"select i as id, case when i = 3 then {value} end as v from generate_series(1, 3) i"
    run = refuse(bench, bench.module(query), "stage", says)
    assert_place(run)


POSTGRESQL_NARROWING = [
    ("1.239::numeric(10,3)", "numeric(10,2)", "1.239"),
    ("timestamp '2020-01-01 12:00'", "date", "2020-01-01 12:00:00"),
    ("timestamptz '2020-01-01 12:00:00.5+00'", "timestamptz(0)", "12:00:00.5"),
    ("1.5::float8", "integer", "1.5"),
    ("0.1::float8", "real", "0.1"),
    ("'toolong'::text", "varchar(3)", "toolong"),
    ("70000", "smallint", "70000"),
    ("time '12:00:00.123456'", "time(3)", "12:00:00.123456"),
    ("interval '1 day 1 hour'", "interval day", "1 day"),
    ("B'10101'", "bit(7)", "10101"),
    ("ARRAY[B'10101']", "bit(7)[]", "10101"),
    ("9007199254740993::bigint", "float8", "9007199254740993"),
]


@pytest.mark.parametrize("bench", [("postgresql", "postgresql")], indirect=True, ids=["postgresql-postgresql"])
@pytest.mark.parametrize(("value", "dest_type", "says"), POSTGRESQL_NARROWING)
def test_a_conversion_that_loses_is_refused_between_postgresqls(
    bench: Bench, value: str, dest_type: str, says: str
) -> None:
    bench.dest.execute(f"create table t (id integer, v {dest_type})", "insert into t values (9, null)")
    query = f"select i as id, case when i = 3 then {value} end as v from generate_series(1, 5) i"
    run = bench.project.run(bench.module(query))
    assert (run.status, run.merge_state) == ("error", "none")
    assert run.error_stage in ("check", "stage", "merge")
    assert says in f"{run.error}", run.error
    assert_place(run)
    assert bench.dest.rows("select * from t") == [(9, None)]


@pytest.mark.parametrize("bench", [("postgresql", "postgresql")], indirect=True, ids=["postgresql-postgresql"])
def test_an_address_is_the_same_text_as_a_query_gives(bench: Bench) -> None:
    bench.dest.execute("create table t (a text, b inet)")
    bench.project.succeed(bench.module("select inet '10.0.0.1' as a, text '10.0.0.1' as b"))
    assert bench.dest.rows("select a, b = inet '10.0.0.1' from t") == [("10.0.0.1", True)]


@pytest.mark.parametrize("bench", [("sqlite", "postgresql")], indirect=True, ids=["sqlite-postgresql-sqlite"])
def test_a_table_goes_to_postgresql_and_back_unchanged(bench: Bench) -> None:
    columns = "id integer, n decimal(10,2), r real, t text, v varchar(20), b blob, d date, at timestamp, ok boolean"
    rows = [
        (1, 1.10, 1e308, "", "ü", b"", "2020-02-29", "2020-01-01 00:00:00", 1),
        (2, -99999999.99, 5e-324, "NULL", "", b"\x00\xff", "0001-01-01", "9999-12-31 23:59:59.999999", 0),
        (3, 0, 0.1, "a\tb\n\\N", "😀", bytes(range(256)), "9999-12-31", "1970-01-01 00:00:00.5", None),
        (2**63 - 1, None, None, None, None, None, None, None, None),
        (-(2**63), 1, 1.0, " x ", " ", b"\\x00", "1582-10-10", "2020-10-25 02:30:00", 1),
    ]
    bench.source.execute(f"create table t ({columns})")
    bench.source.connection.executemany("insert into t values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    bench.project.succeed(bench.module("select * from t", table="there", create_table=True))
    back = bench.project.add_module(
        "back",
        source=bench.dest_connection,
        query="select * from there",
        dest=bench.source_connection,
        table="back",
        create_table=True,
    )
    bench.project.succeed(back)
    assert bench.source.rows("select * from t except select * from back") == []
    assert bench.source.rows("select * from back except select * from t") == []
    assert bench.source.rows("select count(*) from back") == [(5,)]


@pytest.mark.parametrize("bench", [("postgresql", "postgresql")], indirect=True, ids=["postgresql-postgresql"])
def test_without_exactness_the_dest_converts(bench: Bench) -> None:
    bench.dest.execute("create table t (v numeric(10,2))")
    bench.project.succeed(bench.module("select 1.239::numeric(10,3) as v", guards=Guards(exactness=False)))
    assert [str(row[0]) for row in bench.dest.rows("select v from t")] == ["1.24"]

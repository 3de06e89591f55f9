# Every value of every type of PostgreSQL arrives as it was, in binary and in text, or is refused by name.
"""PostgreSQL to PostgreSQL: exactness on real databases."""

from collections.abc import Iterator

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.wire import connect
from pipekit.drivers.wire import Format
from pipekit.errors import Inexact, StatementFailed
from pipekit.runner_contract import Endpoint
from tests.databases.moving import Mover, run

SETUP = (
    "CREATE TYPE mood AS ENUM ('sad', 'so-so', 'it''s \"fine\"')",
    "CREATE DOMAIN posint AS integer CHECK (value > 0)",
    "CREATE DOMAIN price AS numeric(8,2)",
    "CREATE TYPE place AS (street text, number integer)",
)

# type -> values as SQL expressions; every list gets a NULL as well. (xml is not built into the server of the tests.)
TORTURE = {
    "smallint": ["-32768", "32767"],
    "integer": ["-2147483648", "2147483647"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "numeric": [
        "'NaN'", "'Infinity'", "'-Infinity'", "1e131", "1e-21", "0.00", "12345678901234567890123456789012345678.5",
    ],
    "numeric(38,10)": ["1234567890123456789012345678.0123456789", "'NaN'", "-0.0000000001"],
    "real": ["'NaN'", "'Infinity'", "'-Infinity'", "1.17549435e-38", "3.4028235e38", "0.1", "'-0'"],
    "double precision": ["'NaN'", "'-Infinity'", "2.2250738585072014e-308", "1.7976931348623157e308", "0.1", "'-0'"],
    "money": ["'-92233720368547758.08'", "'1234.56'"],
    "boolean": ["true", "false"],
    "text": [
        "''", "'NULL'", "E'\\\\N'", "E'\\\\.'", "'N'", "' trailing  '", "E'a\\tb\\nc\\rd\\r\\ne'",
        "E'back\\\\slash\\\\'", "'😀👩‍👩‍👧'", "repeat('x', 9000)",
        "E'\\b\\f\\v\\x01\\x7f'", "'\"quoted\" ''single'' `tick`'", "'a,b;c|d'", "'naïve 日本語'",
    ],
    "character varying(12)": ["''", "'twelve chars'", "'😀😀'"],
    "character(5)": ["'ab'", "''", "'abcde'", "'  x'"],
    "bpchar": ["'ab'", "'ab   '"],
    "name": ["'a_name'"],
    '"char"': ["'x'", "''"],
    "bytea": ["''", "'\\x00ff5c0a0d09'", "decode('5c4e', 'hex')"],
    "date": ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'0001-01-01'", "'5874897-12-31'", "'1582-10-10'"],
    "time": ["'00:00'", "'24:00'", "'23:59:59.999999'"],
    "time(3)": ["'12:34:56.789'"],
    "timetz": ["'24:00:00+15:59'", "'12:34:56.123456-07:30'", "'00:00:00-15:59:59'"],
    "timestamp": ["'infinity'", "'-infinity'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"],
    "timestamp(0)": ["'2024-02-29 23:59:59'"],
    "timestamptz": [
        "'infinity'", "'4713-12-01 00:00:00+00 BC'", "'294276-12-31 23:59:59.999999+00'", "'2024-03-31 02:30+01'",
    ],
    "interval": ["'1 year -2 mons 3 days -04:05:06.789'", "'-1 mon'", "'30 days'", "'0'", "'178000000 years'"],
    "interval day to second(3)": ["'5 days 01:02:03.004'"],
    "uuid": ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
    "json": ["'{\"b\": 2.50, \"a\":1, \"a\":2, \"t\": \"\\u00e9\\\\n\"}'", "' [ 1 , 1e2 ] '", "'null'", "'\"\"'"],
    "jsonb": ["'{\"b\": 1.10, \"a\": [1, null, \"x\\ty\"]}'", "'123456789012345678901234567890.1'", "'null'"],
    "inet": ["'::1'", "'10.1.2.3/8'"],
    "cidr": ["'10.0.0.0/8'"],
    "macaddr": ["'08:00:2b:01:02:03'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'"],
    "bit(5)": ["B'10101'"],
    "bit varying(9)": ["B''", "B'101'"],
    "oid": ["4294967295"],
    "pg_lsn": ["'FFFFFFFF/FFFFFFFF'"],
    "tsvector": ["'fat:1A,3 ''it''''s'':2'"],
    "tsquery": ["'fat & (rat | !cat)'"],
    "point": ["'(0.1,-2e300)'"],
    "box": ["'((3,4),(1,2))'"],
    "path": ["'[(1,2),(3,4)]'", "'((1,2),(3,4))'"],
    "polygon": ["'((0,0),(1,1),(1,0))'"],
    "circle": ["'<(1,2),3>'"],
    "int4range": ["'[1,5)'", "'empty'", "'(,)'"],
    "tstzrange": ["'[\"2024-01-01 00:00:00+00\",infinity)'"],
    "nummultirange": ["'{[1.0,2.0),(3,)}'"],
    "integer[]": ["'{}'", "'{1,NULL,3}'", "'[0:1]={1,2}'", "'{{1,2},{3,4}}'", "'[2:3][-1:0]={{1,2},{3,4}}'"],
    "text[]": ["array['', 'NULL', NULL, E'a\\tb', '{\"x\"}', E'back\\\\', 'ünï']"],
    "numeric(5,2)[]": ["'{1.25,NaN}'"],
    "timestamptz[]": ["'{infinity,\"2024-01-01 00:00:00+00\"}'"],
    "bytea[]": ["'{\"\\\\x00\"}'"],
    "mood": ["'sad'", "'it''s \"fine\"'"],
    "mood[]": ["'{sad,NULL}'"],
    "posint": ["7"],
    "price": ["12.34"],
    "place": ["row('a \"b\" \\ c,', 1)", "row(NULL, NULL)", "row('', 2)"],
    "jsonpath": ["'$.a[*] ? (@ > 1)'"],
}  # fmt: skip
IN_TEXT_ONLY = {
    "money", '"char"', "macaddr8", "bit(5)", "bit varying(9)", "oid", "pg_lsn", "tsvector", "tsquery", "point", "box",
    "path", "polygon", "circle", "int4range", "tstzrange", "nummultirange", "mood", "mood[]", "place", "jsonpath",
}  # fmt: skip

# (source type, dest type, a value that fits, a value that does not, and how it shows)
LOSSY = [
    ("numeric", "numeric(6,2)", "1.50", "1.505", "1.505"),
    ("numeric(10,4)", "numeric(10,2)", "1.5000", "1.5001", "1.5001"),
    ("numeric", "integer", "7", "7.5", "7.5"),
    ("numeric", "double precision", "9007199254740992", "9007199254740993", "9007199254740993"),
    ("numeric", "real", "0.5", "0.123456789", "0.123456789"),
    ("double precision", "numeric(6,2)", "0.25", "0.125", "0.125"),
    ("double precision", "numeric", "0.1", None, None),
    ("double precision", "real", "0.5", "0.1", "0.1"),
    ("double precision", "bigint", "3", "3.25", "3.25"),
    ("double precision", "money", "3.25", "3.255", "3.255"),
    ("bigint", "double precision", "9007199254740992", "9007199254740993", "9007199254740993"),
    ("bigint", "boolean", "1", "2", "2"),
    ("timestamp", "date", "'2024-01-01 00:00:00'", "'2024-01-01 10:00:00'", "2024-01-01 10:00:00"),
    ("timestamptz", "date", "'2024-01-01 00:00:00+00'", "'2024-01-01 00:00:00+02'", "2023-12-31 22:00:00+00"),
    ("timestamp", "timestamp(0)", "'2024-01-01 10:00:00'", "'2024-01-01 10:00:00.4'", "2024-01-01 10:00:00.4"),
    ("timetz", "time", "'10:00+00'", "'10:00+02'", "10:00:00+02"),
    ("interval", "time", "'10:00'", "'1 day 10:00'", "1 day 10:00:00"),
    ("interval", "interval day", "'3 days'", "'3 days 01:00'", "3 days 01:00:00"),
    ("text", "character varying(3)", "'abc'", "'abcd'", "abcd"),
    ("text", "character varying(3)", "''", "'abc '", "abc "),
    ("text", "character(3)", "'abc'", "'ab '", "ab "),
    ("character(5)", "character varying(3)", None, "'ab'", "ab   "),
    ("character(5)", "character(3)", "'abc'", "'abcd'", "abcd"),
    ("character varying(9)", "character varying(3)", "'abc'", "'abcd'", "abcd"),
    ("text", "integer", "'42'", "'007'", "007"),
    ("text", "date", "'2024-01-31'", "'20240131'", "20240131"),
    ("text", "name", "'short'", "repeat('n', 64)", "n" * 64),
    ("text", '"char"', "'x'", "'xy'", "xy"),
    ("json", "jsonb", "'[1, 2]'", "'{\"a\": 1, \"a\": 2}'", '{"a": 1, "a": 2}'),
    ("boolean", "smallint", "true", None, None),
    ("boolean", "text", "true", None, None),
    ("smallint", "boolean", "1", "3", "3"),
    ("inet", "cidr", "'10.0.0.0/8'", "'10.1.2.3/8'", "10.1.2.3/8"),
    ("numeric[]", "numeric(5,2)[]", "'{1.25}'", "'{1.255}'", "{1.255}"),
    ("integer[]", "bigint[]", "'{1,2}'", None, None),
    ("bit(3)", "bit varying(2)", None, "B'101'", "101"),
    ("mood", "text", "'sad'", None, None),
    ("text", "mood", "'sad'", None, None),
    ("text", "price", "'1.25'", "'1.255'", "1.255"),
    ("bigint", "smallint", "-32768", "70000", "70000"),
    ("numeric", "bigint", "-9223372036854775808", "9223372036854775808", "9223372036854775808"),
    ("double precision", "bigint", "-9223372036854775808", "9223372036854775808", "9.223372036854776e+18"),
    ("double precision", "integer", "1", "'NaN'", "NaN"),
    ("numeric", "numeric(4,2)", "'NaN'", "99.999", "99.999"),
    ("numeric", "numeric(4,2)", "-99.99", "1e40", "1" + "0" * 40),
    ("numeric", "numeric(4,2)", "0", "'Infinity'", "Infinity"),
    ("integer", "numeric(3,0)", "999", "1000", "1000"),
    ("double precision", "real", "'Infinity'", "1e300", "1e+300"),
    ("double precision", "real", "0", "1e-300", "1e-300"),
    ("numeric", "double precision", "0.00", "1e400", "1" + "0" * 400),
    ("text", "smallint", "'-5'", "'abc'", "abc"),
    ("text", "integer", "'0'", "'99999999999'", "99999999999"),
    ("text", "numeric(4,1)", "'-0.5'", "'12345.0'", "12345.0"),
    ("text", "numeric", "'12.50'", "'1e5'", "1e5"),
    ("text", "boolean", "'false'", "'maybe'", "maybe"),
    ("text", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'{a0ee}'", "{a0ee}"),
    ("date", "timestamp", "'-infinity'", "'300000-01-01'", "300000-01-01"),
    ("uuid", "character(36)", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", None, None),
]  # fmt: skip

# Types whose text is read by the wider type as the same value: staged like the dest, no check needed.
WIDER = [
    ("smallint", "integer"), ("smallint", "bigint"), ("integer", "bigint"), ("integer", "numeric"),
    ("bigint", "numeric(19,0)"), ("integer", "numeric(12,2)"), ("numeric(6,2)", "numeric"),
    ("numeric(6,2)", "numeric(8,3)"), ("time(3)", "time"),
    ("character varying(5)", "text"), ("character varying(5)", "character varying(6)"), ("text", "character varying"),
    ("character(3)", "character(5)"), ("character(5)", "text"), ("bpchar", "text"),
    ("character(5)", "character varying(5)"), ("timestamp(0)", "timestamp"), ("timestamp(0)", "timestamp(3)"),
    ("integer", "double precision"), ("smallint", "real"), ("uuid", "text"), ("json", "text"),
]  # fmt: skip
NOT_WIDER = [
    ("bigint", "numeric(18,0)"), ("integer", "numeric(11,2)"), ("numeric", "numeric(38,10)"),
    ("numeric(6,2)", "numeric(6,3)"), ("text", "character varying(9)"), ("integer", "real"), ("date", "timestamp"),
    ("real", "double precision"), ("timestamp", "timestamptz"), ("character(5)", "character varying(4)"),
    ("jsonb", "text"),
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(postgres: LocalPostgres) -> Iterator[Mover]:
    """Two databases for all tests of this file: making them takes longer than any of the tests."""
    sessions = []
    for name in ("types_source", "types_dest"):
        postgres.create_database(name)
        url = postgres.jdbc_url(name)
        sessions.append(connect(Endpoint(kind="postgresql", jdbc_url=url, username="postgres")))
        run(sessions[-1], *SETUP)
    yield Mover(sessions[0], sessions[1], "arrived")
    for session in sessions:
        session.close()


@pytest.fixture
def mover(shared: Mover) -> Mover:
    """Without the tables of the test before."""
    for session in (shared.source, shared.dest):
        run(session, "DROP TABLE IF EXISTS sent, arrived, other")
    return shared


def _make_table(name: str, types: dict[str, list[str]]) -> str:
    columns = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(types))
    return f"CREATE TABLE {name} (row_number integer, {columns})"


def _list_inserts(types: dict[str, list[str]]) -> list[str]:
    inserts = []
    for number in range(max(map(len, types.values())) + 1):
        cells = [
            f"CAST({values[number]} AS {type_})" if number < len(values) else "NULL" for type_, values in types.items()
        ]
        inserts.append(f"INSERT INTO sent VALUES ({number}, {', '.join(cells)})")
    return inserts


@pytest.mark.parametrize("format", ["copy-binary", "copy-text"])
def test_every_value_of_every_type_arrives_as_it_was(mover: Mover, format: Format) -> None:
    types = TORTURE if format == "copy-text" else {t: v for t, v in TORTURE.items() if t not in IN_TEXT_ONLY}
    run(mover.source, _make_table("sent", types), *_list_inserts(types))
    run(mover.dest, _make_table("arrived", types))
    source = mover.source.source("SELECT * FROM sent")
    staged = mover.stage(source.columns)
    assert (source.type_signature() is None) == (format == "copy-text")
    stream = source.open(format)
    assert mover.load(stream, staged) == stream.total
    plan = mover.build_plan(staged, "full")
    assert mover.find_inexact(plan) == []
    mover.merge(plan)
    names = ", ".join(f"c{number}::text" for number in range(len(types)))
    read = "SELECT row_number, {} FROM {} ORDER BY 1"
    sent = mover.source.query(read.format(names, "sent")).rows
    assert mover.dest.query(read.format(names, "arrived")).rows == sent
    assert len(sent) == max(map(len, types.values())) + 1


def test_the_same_types_have_the_same_signature_and_others_do_not(mover: Mover) -> None:
    run(mover.source, "CREATE TABLE sent (a numeric(6,2), b varchar(5))")
    run(
        mover.dest,
        "CREATE TABLE arrived (a numeric(6,2), b varchar(5))",
        "CREATE TABLE other (a numeric(7,2), b varchar(5))",
    )
    one = mover.source.source("SELECT * FROM sent").type_signature()
    assert one == mover.dest.source("SELECT * FROM arrived").type_signature()
    assert one != mover.dest.source("SELECT * FROM other").type_signature()


@pytest.mark.parametrize(("source", "dest", "good", "bad", "shown"), LOSSY)
def test_a_value_the_dest_would_change_is_found_with_its_row(
    mover: Mover, source: str, dest: str, good: str | None, bad: str | None, shown: str | None
) -> None:
    run(mover.source, f"CREATE TABLE sent (a {source})")
    run(mover.dest, f"CREATE TABLE arrived (a {dest})")
    run(mover.source, f"INSERT INTO sent VALUES (NULL), ({good or 'NULL'}), ({bad or 'NULL'})")
    staged = mover.move("SELECT a FROM sent")
    plan = mover.build_plan(staged, "full")
    assert mover.find_inexact(plan) == ([("a", "3", shown)] if bad else [])
    if bad is None:
        assert mover.merge(plan)["inserted"] == 3


@pytest.mark.parametrize(("source", "dest"), WIDER)
def test_a_wider_type_is_staged_like_the_dest(mover: Mover, source: str, dest: str) -> None:
    run(mover.source, f"CREATE TABLE sent (a {source})")
    run(mover.dest, f"CREATE TABLE arrived (a {dest})")
    staged = mover.stage(mover.source.source("SELECT a FROM sent").columns)
    assert (staged[0].stage_type, staged[0].lossy) == (None, False)


@pytest.mark.parametrize(("source", "dest"), NOT_WIDER)
def test_a_type_that_is_not_surely_wider_is_checked(mover: Mover, source: str, dest: str) -> None:
    run(mover.source, f"CREATE TABLE sent (a {source})")
    run(mover.dest, f"CREATE TABLE arrived (a {dest})")
    staged = mover.stage(mover.source.source("SELECT a FROM sent").columns)
    assert staged[0].lossy


def test_a_type_the_dest_may_not_know_is_staged_as_text(mover: Mover) -> None:
    run(
        mover.source,
        "CREATE TYPE color AS ENUM ('red')",
        "CREATE TABLE sent (a color)",
        "INSERT INTO sent VALUES ('red')",
    )
    run(mover.dest, "CREATE TABLE arrived (a varchar(9))")
    staged = mover.move("SELECT a FROM sent")
    assert (staged[0].stage_type, staged[0].lossy) == ("text", True)
    mover.merge(mover.build_plan(staged, "append"))
    assert mover.dest.query("SELECT a FROM arrived").rows == (("red",),)


@pytest.mark.parametrize(
    ("type_", "value"), [("smallint", "40000"), ("numeric(4,2)", "123.45"), ("varchar(2)", "'abc'"), ("posint", "-1")]
)
def test_a_value_that_does_not_fit_at_all_stops_the_load_or_the_check(mover: Mover, type_: str, value: str) -> None:
    run(
        mover.source,
        "CREATE TABLE sent (id integer, a text)",
        f"INSERT INTO sent VALUES (1, '1'), (2, ({value})::text)",
    )
    run(mover.dest, f"CREATE TABLE arrived (id integer, a {type_})")
    source = mover.source.source("SELECT * FROM sent")
    staged = tuple(
        DRIVER.stage_column(column, DRIVER, dest)
        for column, dest in zip(source.columns, DRIVER.get_columns(mover.dest.query, mover.table), strict=True)
    )
    as_dest = tuple(type(column)(source=column.source, dest=column.dest) for column in staged)
    run(mover.dest, *DRIVER.build_staging_sql(DRIVER.staging_table("moved"), mover.table, as_dest))
    kind = StatementFailed if type_ == "posint" else Inexact
    with pytest.raises(kind, match="Row 2, column a: ") as refused:
        mover.load(source.open("copy-text"), as_dest)
    assert (refused.value.row, refused.value.column) == (2, "a")
    assert mover.dest.query("SELECT count(*) FROM pipekit_staging.moved").first_cell() == "0"

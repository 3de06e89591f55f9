# Tests of the PostgreSQL driver as text: addresses, names, types, staging, COPY text. Opens no database.
"""pipekit.drivers.postgresql without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.drivers import get_driver
from pipekit.drivers.base import Address, StagedColumn, TableColumn, TableName
from pipekit.drivers.postgresql.copytext import NULL, decode_rows, escape, escape_all, find_copy_place
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.encode import RowEncoder
from pipekit.drivers.postgresql.exact import build_rule
from pipekit.drivers.postgresql.faults import tidy_hint
from pipekit.drivers.postgresql.types import BUILT_IN, Spelling, build_cast, parse_type
from pipekit.drivers.types import TEXT, Type
from pipekit.errors import Inexact, Invalid
from pipekit.runner_contract import ResultColumn

SQLITE = get_driver("sqlite")


def stage(source: str, dest: str, *, foreign: bool = False) -> StagedColumn:
    column = TableColumn(name="a", type=dest)
    return DRIVER.stage_column(ResultColumn(name="A", type=source), SQLITE if foreign else DRIVER, column)


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("jdbc:postgresql://db/dw", Address(host="db", port=5432, database="dw")),
        ("jdbc:postgresql://127.0.0.1:6000/dw", Address(host="127.0.0.1", port=6000, database="dw")),
        ("jdbc:postgresql://[::1]:6000/dw", Address(host="::1", port=6000, database="dw")),
        ("jdbc:postgresql:///dw", Address(host="localhost", port=5432, database="dw")),
        ("jdbc:postgresql://db/my%20d%C3%BC", Address(host="db", port=5432, database="my dü")),
        (
            "jdbc:postgresql://db/dw?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&currentSchema=a,b&connectTimeout=5",
            Address(
                host="db",
                port=5432,
                database="dw",
                options={
                    "sslmode": "verify-full",
                    "sslrootcert": "/etc/ca.pem",
                    "currentSchema": "a,b",
                    "connectTimeout": "5",
                },
            ),
        ),
    ],
)
def test_an_address_is_read(url: str, address: Address) -> None:
    assert DRIVER.parse_url(url) == address


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("jdbc:postgresql:dw", "must start with"),
        ("jdbc:postgresql://db", "one database"),
        ("jdbc:postgresql://db/", "one database"),
        ("jdbc:postgresql://db/a/b", "one database"),
        ("jdbc:postgresql://db/dw#x", "one database"),
        ("jdbc:postgresql://one,two/dw", "one host"),
        ("jdbc:postgresql://one:1,two:2/dw", "several hosts"),
        ("jdbc:postgresql://db:x/dw", "usable host and port"),
        ("jdbc:postgresql://db/dw?socketFactory=x", "'socketFactory' is not allowed"),
        ("jdbc:postgresql://db/dw?loggerFile=/tmp/x", "'loggerFile' is not allowed"),
        ("jdbc:postgresql://db/dw?sslMode=require", "'sslMode' is not allowed"),
        ("jdbc:postgresql://db/dw?localSocketAddress=h", "'localSocketAddress' is not allowed"),
        ("jdbc:postgresql://db/dw?options=-c", "in `options` is not allowed"),
        ("jdbc:postgresql://db/dw?options=-c%20role%3Detl", "'role' in `options` is not allowed"),
        ("jdbc:postgresql://db/dw?sslfactory=com.acme.Factory", "'com.acme.Factory' of sslfactory"),
        ("jdbc:postgresql://db/dw?sslmode=maybe", "sslmode cannot be"),
        ("jdbc:postgresql://db/dw?sslmode=", "no value"),
        ("jdbc:postgresql://db/dw?connectTimeout=soon", "whole number"),
        ("jdbc:postgresql://db/dw?ApplicationName=me", "set by Pipekit"),
        ("jdbc:postgresql://db/dw?gssEncMode=require", "'gssEncMode' is not allowed"),
        ("jdbc:postgresql://db/dw?targetServerType=other", "targetServerType cannot be 'other'"),
        ("jdbc:postgresql://db/dw?readOnly=maybe", "readOnly cannot be 'maybe'"),
    ],
)
def test_an_address_that_says_too_much_or_too_little_is_refused(url: str, text: str) -> None:
    with pytest.raises(Invalid, match=text) as refused:
        DRIVER.parse_url(url)
    assert refused.value.field == "jdbc_url"


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ("reWriteBatchedInserts=true&sslmode=require&prepareThreshold=0", {"sslmode": "require"}),
        ("socketTimeout=30", {}),
        ("options=-c%20search_path%3Drpt,public", {"currentSchema": "rpt,public"}),
        ("options=--search_path%3Da%5C%20b", {"currentSchema": "a b"}),
        ("ssl=true", {"sslmode": "verify-full"}),
        ("ssl=true&sslmode=prefer", {"sslmode": "prefer"}),
        ("ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", {"sslmode": "require"}),
        ("ssl=false&loginTimeout=5", {"connectTimeout": "5"}),
        ("gssEncMode=prefer&targetServerType=preferSecondary&readOnly=false&channelBinding=disable", {}),
        ("targetServerType=primary&readOnly=true", {"targetServerType": "primary", "readOnly": "true"}),
    ],
)
def test_an_address_of_the_jdbc_driver_keeps_its_meaning(parameters: str, options: dict[str, str]) -> None:
    assert DRIVER.parse_url(f"jdbc:postgresql://db/dw?{parameters}").options == options


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:postgresql://bob:hunter2@db/dw",
        "jdbc:postgresql://db/dw?user=bob&password=hunter2",
        "jdbc:postgresql://db/dw?PASSWORD=hunter2",
        "jdbc:postgresql://db/dw?sslpassword=hunter2",
        "jdbc:postgresql://db/dw?pass%77ord=hunter2",
    ],
)
def test_a_login_in_an_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        DRIVER.parse_url(url)
    assert "username and password" in str(refused.value)
    assert "hunter2" not in f"{refused.value} {refused.value.hint} {refused.value!r}"


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("orders", TableName(schema=None, name="orders")),
        ("RPT.Orders", TableName(schema="rpt", name="orders")),
        ("ÄRA_1$", TableName(schema=None, name="Ära_1$")),
        ('Rpt."Orders"', TableName(schema="rpt", name="Orders")),
        ("sales.orders", TableName(schema="sales", name="orders")),
        (' "My Schema" . "a.b""c" ', TableName(schema="My Schema", name='a.b"c')),
        ("sales.Order Lines", TableName(schema="sales", name="Order Lines")),
    ],
)
def test_a_table_is_read_as_a_statement_means_it(text: str, table: TableName) -> None:
    assert DRIVER.parse_table(text) == table


@pytest.mark.parametrize("text", ["a.b.c", 'a"b', '"a" b', "a..b", '""', "x" * 64, "é" * 32])
def test_a_table_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        DRIVER.parse_table(text)


def test_a_name_is_limited_by_its_bytes_and_not_cut() -> None:
    assert DRIVER.quote_identifier("é" * 31) == '"' + "é" * 31 + '"'
    with pytest.raises(Invalid, match="longer than 63 bytes"):
        DRIVER.quote_identifier("é" * 32)


@given(st.text(min_size=1, max_size=15).filter(lambda name: "\0" not in name))
def test_any_name_survives_quoting(name: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return
    table = TableName(schema="public", name=name)
    assert DRIVER.parse_table(DRIVER.quote_table(table)) == table


# -- types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("integer", Spelling("integer")),
        ("INT4", Spelling("integer")),
        ("numeric(10,2)", Spelling("numeric", (10, 2))),
        ("numeric(5,-2)", Spelling("numeric", (5, -2))),
        ("Decimal( 10 , 2 )", Spelling("numeric", (10, 2))),
        ("timestamp(3) without time zone", Spelling("timestamp without time zone", (3,))),
        ("timestamptz", Spelling("timestamp with time zone")),
        ("time with time zone", Spelling("time with time zone")),
        ("interval day to second(3)", Spelling("interval", (3,), "day to second")),
        ("interval(2)", Spelling("interval", (2,))),
        ("character varying(20)[]", Spelling("character varying", (20,), "", 1)),
        ("integer[][]", Spelling("integer", (), "", 2)),
        ("char", Spelling("character", (1,))),
        ("character(5)", Spelling("character", (5,))),
        ("bpchar", Spelling("bpchar")),
        ('"char"', Spelling('"char"')),
        ('"My Type(3)"', Spelling('"My Type(3)"')),
        ('shop."Mood"[]', Spelling('shop."Mood"', (), "", 1)),
        ("shop.mood", Spelling("shop.mood")),
        ("Mood", Spelling("Mood")),
    ],
)
def test_a_spelling_is_taken_apart(text: str, spelling: Spelling) -> None:
    assert parse_type(text) == spelling


def test_only_the_servers_own_types_are_built_in() -> None:
    assert parse_type("pg_lsn").is_built_in
    assert parse_type("bit varying(3)[]").is_built_in
    assert not parse_type("shop.mood").is_built_in
    assert "" not in BUILT_IN


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("", TEXT),
        ("numeric", Type(name="decimal")),
        ("numeric(7)", Type(name="decimal", precision=7, scale=0)),
        ("name", Type(name="text", length=63)),
        ("jsonb", Type(name="json")),
        ("oid", Type(name="int64")),
        ("bpchar", TEXT),
        ("integer[]", Type(name="other")),
        ("mood", Type(name="other")),
        ("tsvector", Type(name="other")),
        ("money", Type(name="other")),
        ("interval year", Type(name="interval")),
    ],
)
def test_a_spelling_has_a_neutral_type(text: str, neutral: Type) -> None:
    assert DRIVER.to_neutral(text) == neutral


@pytest.mark.parametrize(
    ("neutral", "text"),
    [
        (Type(name="decimal", precision=2000, scale=0), "numeric"),
        (Type(name="decimal", precision=5, scale=7), "numeric"),
        (Type(name="decimal", precision=5, scale=-2), "numeric"),
        (Type(name="text", length=20_000_000), "text"),
        (Type(name="text", length=0), "text"),
        (Type(name="timestamp", precision=9), "timestamp without time zone"),
    ],
)
def test_a_neutral_type_beyond_the_limits_gets_the_widest_spelling(neutral: Type, text: str) -> None:
    assert DRIVER.from_neutral(neutral) == text


# -- staging -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["integer", "numeric(10,2)", "mood", "shop.mood[]", "interval day", "character(3)"])
def test_the_same_type_is_staged_like_the_dest(type_: str) -> None:
    assert stage(type_, type_) == StagedColumn(
        source=ResultColumn(name="A", type=type_), dest=TableColumn(name="a", type=type_)
    )


@pytest.mark.parametrize(
    ("source", "dest", "stage_type"),
    [
        ("numeric", "numeric(10,2)", "numeric"),
        ("timestamp with time zone", "date", "timestamp with time zone"),
        ("mood", "character varying(9)", "text"),
        ("character(5)", "character varying(4)", "text"),
        ("bpchar", "name", "text"),
        ("character(5)", "character(3)", "character(5)"),
        ("character(5)", "integer", "character(5)"),
        ("integer[]", "bigint[]", "integer[]"),
        ("text", "mood", "text"),
    ],
)
def test_another_type_is_staged_as_it_is_and_checked(source: str, dest: str, stage_type: str) -> None:
    staged = stage(source, dest)
    assert (staged.stage_type, staged.lossy) == (stage_type, True)


@pytest.mark.parametrize(
    ("dest", "stage_type", "lossy"),
    [
        ("character(5)", None, False),
        ("character(8)", "character(5)", False),
        ("character(3)", "character(5)", True),
        ("text", None, False),
        ("character varying(3)", None, False),
    ],
)
def test_fixed_text_of_another_kind_is_staged_so_that_its_padding_does_not_count(
    dest: str, stage_type: str | None, lossy: bool
) -> None:
    target = TableColumn(name="c", type=dest)
    staged = DRIVER.stage_column(ResultColumn(name="c", type="char(5)"), get_driver("sqlserver"), target)
    assert (staged.stage_type, staged.lossy) == (stage_type, lossy)


@pytest.mark.parametrize(
    ("kind", "type_text", "trimmed"),
    [
        ("postgresql", "character(5)", "character varying(5)"),
        ("postgresql", "bpchar", "text"),
        ("postgresql", "character(5)[]", "character(5)[]"),
        ("postgresql", "character varying(5)", "character varying(5)"),
        ("sqlserver", "char(5)", "varchar(5)"),
        ("sqlserver", "nchar(5)", "nvarchar(5)"),
        ("sqlserver", "varchar(5)", "varchar(5)"),
        ("db2i", "CHAR(3) CCSID 37", "VARCHAR(3) CCSID 37"),
        ("db2i", "CHAR(3) FOR BIT DATA", "CHAR(3) FOR BIT DATA"),
        ("sqlite", "CHAR(5)", "CHAR(5)"),
    ],
)
def test_a_type_without_its_padding_is_the_varying_one(kind: str, type_text: str, trimmed: str) -> None:
    assert get_driver(kind).trimmed_type(type_text) == trimmed


@pytest.mark.parametrize(
    ("dest", "stage_type"),
    [
        ("numeric(10,2)", None),
        ("character varying(3)", None),
        ("interval", None),
        ("mood", None),
        ("numeric(5,2)[]", "numeric[]"),
        ("character(3)[]", "bpchar[]"),
        ("interval(0)", "interval"),
        ("interval year to month", "interval"),
    ],
)
def test_values_of_another_kind_are_compared_where_they_cannot_be_looked_into(
    dest: str, stage_type: str | None
) -> None:
    staged = stage("TEXT", dest, foreign=True)
    assert (staged.stage_type, staged.lossy) == (stage_type, stage_type is not None)


@pytest.mark.parametrize(
    ("source", "dest", "cast"),
    [
        ("integer", "bigint", "CAST(x AS bigint)"),
        ("double precision", "numeric(5,2)", "CAST(CAST(x AS text) AS numeric(5,2))"),
        ("numeric", "double precision", "CAST(x AS double precision)"),
        ("boolean", "smallint", "CAST(CAST(x AS integer) AS smallint)"),
        ("boolean", "integer", "CAST(x AS integer)"),
        ("real", "money", "CAST(CAST(x AS numeric) AS money)"),
        ("json", "integer", "CAST(CAST(x AS text) AS integer)"),
        ("inet", "uuid", "CAST(CAST(x AS text) AS uuid)"),
        ("text", "uuid", "CAST(x AS uuid)"),
        ("text", "mood", "CAST(x AS mood)"),
        ("integer[]", "bigint[]", "CAST(CAST(x AS text) AS bigint[])"),
        ("numeric[]", "numeric(5,2)[]", "CAST(x AS numeric(5,2)[])"),
    ],
)
def test_a_conversion_takes_the_way_that_keeps_the_value(source: str, dest: str, cast: str) -> None:
    assert build_cast("x", source, dest) == cast


# -- COPY text ---------------------------------------------------------------------------------------------------------

CELLS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))


@given(st.lists(st.tuples(CELLS, CELLS), max_size=20))
def test_copy_text_reads_what_it_writes(rows: list[tuple[str | None, str | None]]) -> None:
    encoder = RowEncoder([("a", "text"), ("b", "text")], exact=True)
    block = encoder.encode(rows, 1)
    columns = (ResultColumn(name="a"), ResultColumn(name="b"))
    assert [row for block, _ in decode_rows(iter([(block, len(rows))]), columns) for row in block] == rows


def test_the_servers_escapes_are_read() -> None:
    line = b"\\b\\f\\n\\r\\t\\v\\\\\t\\N\t\\\\N\t\n"
    columns = [ResultColumn(name=name) for name in "abcd"]
    assert list(decode_rows(iter([(line, 1)]), columns)) == [([("\b\f\n\r\t\v\\", None, "\\N", "")], 1)]


def test_text_that_is_not_utf8_is_named_by_row_and_column() -> None:
    blocks = iter([(b"1\ta\n", 1), (b"2\tb\n3\t\xff\n", 2)])
    with pytest.raises(Inexact, match="Row 3, column b") as refused:
        list(decode_rows(blocks, [ResultColumn(name="a"), ResultColumn(name="b")]))
    assert (refused.value.row, refused.value.column) == (3, "b")


def test_escaping_leaves_plain_text_alone() -> None:
    texts = ["plain", "", "naïve"]
    assert escape_all(texts, "".join(texts)) is texts
    assert escape(NULL) == "\\\\N"


@pytest.mark.parametrize(
    ("context", "place"),
    [
        ('COPY orders, line 5, column qty: "abc"', (5, "qty")),
        ("COPY orders, line 5, column qty", (5, "qty")),
        ("COPY orders, line 5, column qty: null input", (5, "qty")),
        ('COPY orders, line 12: "1\tx"', (12, "")),
        ("COPY orders, Zeile 5, Spalte qty: »abc«", (5, "qty")),
        ("COPY orders, ligne 5, colonne a, b : « x »", (5, "a, b")),
        ('PL/pgSQL function f() line 3\nCOPY orders, line 5, column a, b: "x"', (5, "a, b")),
        ('COPY other, line 5, column qty: "abc"', (None, "")),
        ('COPY orders, line 5, column qty: "COPY orders, line 9, column a, b: x"', (5, "qty")),
        ("", (None, "")),
    ],
)
def test_the_place_of_a_refused_value_is_found_in_any_language(context: str, place: tuple[int | None, str]) -> None:
    assert find_copy_place(context, "orders", ["a, b", "qty"]) == place


@pytest.mark.parametrize(
    ("type_", "kept", "changed"),
    [
        ("point", "(0.1,-2e5)", "(0.1,0.20000000000000000001)"),
        ("real[]", "{0.1,NaN,NULL,1e10}", "{{0.123456789}}"),
        ("date[]", '{2024-01-01,infinity,NULL,"0001-01-01 BC"}', "{2024-01-01,Tomorrow}"),
        (
            "tstzmultirange",
            "{[2024-01-01T00:00:00Z,2024-01-02 00:00:00.5+02),empty}",
            "{[2024-01-01 00:00:00.0000001,)}",
        ),
        ("interval[]", "{1 day,00:00:00.5}", "{00:00:00.0000001}"),
    ],
)
def test_values_inside_a_text_are_looked_at_too(type_: str, kept: str, changed: str) -> None:
    check = build_rule(type_).check
    assert (check(kept), bool(check(changed))) == ("", True)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("character varying(3)", ["abc", ""]),
        ("character(3)", ["abc", "a  "]),
        ("date", ["2024-02-29"]),
        ("timestamp(3) without time zone", ["2024-02-29 23:59:59.123", "2024-02-29T00:00:00"]),
        ("timestamp with time zone", ["2024-02-29 23:59:59.123456+05:30"]),
        ("real", [0.5, -2.25]),
    ],
)
def test_a_glance_agrees_with_the_look_at_each_value(type_: str, values: list[object]) -> None:
    rule = build_rule(type_)
    glance = rule.glances[type(values[0])]
    assert glance(values)
    assert [rule.check(value) for value in values] == [""] * len(values)


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hint", "kept"),
    [
        ('Truncate table "lines" at the same time, or use TRUNCATE ... CASCADE.', False),
        ("Use DROP ... CASCADE to drop the dependent objects too.", False),
        ("No function matches the given name and argument types.", True),
        ("", True),
    ],
)
def test_a_hint_that_would_take_other_tables_along_is_left_out(hint: str, kept: bool) -> None:
    assert tidy_hint(hint) == (hint if kept else "")

# Db2 for i's driver beyond its golden files: addresses, ends of queries, types of a code page, dates. Loads no driver.
"""What was never run against an IBM i is at least written down here."""

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn, TableName
from pipekit.drivers.db2i.address import ALLOWED, FORCED, build_connect_url, parse_url
from pipekit.drivers.db2i.catalogue import get_table_facts, spell_type
from pipekit.drivers.db2i.driver import DRIVER, RRN_NOTE
from pipekit.drivers.db2i.queries import build_limited, build_nested, split_query
from pipekit.errors import Invalid, StatementFailed
from pipekit.runner_contract import QueryResult, ResultColumn

POSTGRES = get_driver("postgresql")

# -- addresses ---------------------------------------------------------------------------------------------------------


def test_an_address_names_host_port_library_and_properties() -> None:
    address = parse_url("jdbc:as400://ibmi.example.com:9471/SHOPLIB;Translate  Binary=true;libraries=A,B C")
    assert (address.host, address.port, address.database) == ("ibmi.example.com", 9471, "SHOPLIB")
    assert address.options == {"translate binary": "true", "libraries": "A,B C"}


def test_the_properties_that_keep_values_whole_are_always_in_the_url() -> None:
    url = build_connect_url("jdbc:as400://h/LIB;block size=32")
    assert url.startswith("jdbc:as400://h/LIB;block size=32;prompt=false;")
    for name, value in FORCED.items():
        assert f";{name}={value}" in url
    assert "date format=iso" in url
    assert url.count("block size") == 1
    # Which is the best one only the jar can tell.
    assert "block size" not in build_connect_url("jdbc:as400://h")


@pytest.mark.parametrize("size", ["0", "8", "512", "513", "999", "1000", "4096", "9999", "15999", "16000"])
def test_blocks_of_every_size_that_some_jar_takes_may_be_written(size: str) -> None:
    assert parse_url(f"jdbc:as400://h/LIB;block size={size}").options == {"block size": size}


def test_properties_that_people_have_in_their_addresses_are_kept_or_left_out_and_told() -> None:
    """None of them changes a value, a row or a right."""
    url = "jdbc:as400://h/LIB;tcp no delay=true;stay alive=60;access=read only;sort=table;sort table=QGPL/MYSORT"
    assert list(parse_url(url).options) == ["tcp no delay", "stay alive", "access", "sort", "sort table"]
    idle = "driver=toolbox;date separator=/;package ccsid=1200;true autocommit=false;timestamp format=iso;trace=false"
    assert parse_url(f"jdbc:as400://h/LIB;{idle}").options == {}
    assert list(DRIVER.list_unused(f"jdbc:as400://h/LIB;{idle}")) == [item.split("=")[0] for item in idle.split(";")]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("jdbc:as400:h", "must start with"),
        ("jdbc:as400://", "no usable host"),
        ("jdbc:as400://h x", "no usable host"),
        ("jdbc:as400://h/TOO_LONG_NAME", "not the name of a library"),
        ("jdbc:as400://h;date format=mdy", "always iso"),
        ("jdbc:as400://h;naming=system", "write LIBRARY.TABLE in queries"),
        ("jdbc:as400://h;prompt=true", "always false"),
        ("jdbc:as400://h;extended metadata=true", "always false"),
        ("jdbc:as400://h;ignore warnings=01004", "'ignore warnings' is not allowed"),
        ("jdbc:as400://h;query replace truncated parameter=x", "not allowed"),
        ("jdbc:as400://h;toolbox trace=all", "reach files"),
        ("jdbc:as400://h;proxy server=e", "not allowed"),
        ("jdbc:as400://h;secondary URL=jdbc:x", "not allowed"),
        ("jdbc:as400://h;qaqqinilib=X", "not allowed"),
        ("jdbc:as400://h;transaction isolation=some", "cannot be 'some'"),
        ("jdbc:as400://h;translate binary=maybe", "cannot be 'maybe'"),
        ("jdbc:as400://h;block size=16001", "cannot be '16001'"),
        ("jdbc:as400://h;block size=100", "cannot be '100'"),
        ("jdbc:as400://h;concurrent access resolution=3", "cannot be '3'"),
        ("jdbc:as400://h;timestamp format=ibmsql", "not allowed"),
        ("jdbc:as400://h;true autocommit=true", "not allowed"),
        ("jdbc:as400://h;additional authentication factor=x", "username and password"),
        ("jdbc:as400://h\t;secure=true", "must start with"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_its_reason(url: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_url(url)
    assert refused.value.field == "jdbc_url"
    assert words in f"{refused.value.message} {refused.value.hint}"


def test_nothing_is_both_forced_and_allowed() -> None:
    assert not set(FORCED) & set(ALLOWED)


def test_a_forced_property_may_stand_in_the_address_if_it_says_the_same() -> None:
    assert build_connect_url("jdbc:as400://h;date format=ISO").count("date format") == 1


# -- ends of queries ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "limited"),
    [
        ("select a from t", "select a from t\nFETCH FIRST 1 ROW ONLY"),
        ("select a from t -- all\n ; ", "select a from t\nFETCH FIRST 1 ROW ONLY"),
        ("select a from t with ur", "select a from t\nFETCH FIRST 1 ROW ONLY\nwith ur"),
        ("select a from t for read only", "select a from t\nFETCH FIRST 1 ROW ONLY\nfor read only"),
        (
            "select a from t fetch first 500 rows only optimize for 10 rows with cs",
            "select a from t\nFETCH FIRST 1 ROW ONLY\noptimize for 10 rows with cs",
        ),
        ("select a from t limit 5 offset 10", "select a from t OFFSET 10 ROWS\nFETCH FIRST 1 ROW ONLY"),
        (
            "with x as (select 1 a from t fetch first 3 rows only) select a from x",
            "with x as (select 1 a from t fetch first 3 rows only) select a from x\nFETCH FIRST 1 ROW ONLY",
        ),
        (
            "select 'with ur' a, \"FETCH FIRST\" from t",
            "select 'with ur' a, \"FETCH FIRST\" from t\nFETCH FIRST 1 ROW ONLY",
        ),
        ("values current timestamp", "values current timestamp"),
        ("select a /* fetch first */ from t", "select a /* fetch first */ from t\nFETCH FIRST 1 ROW ONLY"),
        (
            "select a from (select a from t with_ur) x",
            "select a from (select a from t with_ur) x\nFETCH FIRST 1 ROW ONLY",
        ),
    ],
)
def test_one_row_is_asked_for_at_the_querys_own_end(query: str, limited: str) -> None:
    assert build_limited(query, 1) == limited


def test_a_preview_shows_no_more_than_the_query_itself_would() -> None:
    assert build_limited("select a from t fetch first 5 rows only", 20).endswith("FETCH FIRST 5 ROWS ONLY")
    assert build_limited("select a from t fetch first row only", 20).endswith("FETCH FIRST 20 ROWS ONLY")
    assert DRIVER.build_preview_sql("select a from t", 20).endswith("FETCH FIRST 20 ROWS ONLY")


def test_a_cut_query_keeps_its_limit_and_puts_the_statements_clauses_last() -> None:
    sql = "select a, b from t fetch first 5 rows only with ur"
    assert build_nested(sql, '"A"') == (
        'SELECT "A" FROM (\nselect a, b from t\nFETCH FIRST 5 ROWS ONLY\n) AS pipekit_query\nwith ur'
    )


def test_a_query_with_with_is_not_put_into_a_table_expression() -> None:
    sql = "with x (a) as (select 1 from t), y as (select 2 b from t) select a, b from x, y for read only"
    assert build_nested(sql, '"A"') == (
        "with x (a) as (select 1 from t), y as (select 2 b from t),\npipekit_query AS (\nselect a, b from x, y\n)\n"
        'SELECT "A" FROM pipekit_query\nfor read only'
    )


def test_what_is_no_query_is_refused() -> None:
    with pytest.raises(Invalid):
        split_query(" ; ")


def test_rrn_in_a_query_is_noted_and_in_a_text_not() -> None:
    assert DRIVER.find_notes("select rrn (t) as r, t.* from t where RRN(t) > {since}") == (RRN_NOTE,)
    assert DRIVER.find_notes("select 'rrn(t)', \"RRN\" from t -- rrn(t)") == ()
    assert "RGZPFM" in RRN_NOTE


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("shoplib.ord#hdr", TableName(schema="SHOPLIB", name="ORD#HDR")),
        ("@TMP.$AMT", TableName(schema="@TMP", name="$AMT")),
        ("@tmp.#ord", TableName(schema="@TMP", name="#ORD")),
        ('shoplib."Mixed"', TableName(schema="SHOPLIB", name="Mixed")),
        ("orders", TableName(schema=None, name="ORDERS")),
    ],
)
def test_a_name_without_quotes_is_in_capitals_odd_letters_included(text: str, table: TableName) -> None:
    assert DRIVER.parse_table(text) == table
    assert DRIVER.parse_table(DRIVER.quote_table(table)) == table


def test_a_dest_is_named_with_a_period_whichever_way_queries_name_theirs() -> None:
    with pytest.raises(Invalid, match="'SHOPLIB/ORDERS' is no name of a table") as refused:
        DRIVER.parse_table("SHOPLIB/ORDERS")
    assert "Write SHOPLIB.ORDERS" in refused.value.hint
    assert DRIVER.parse_table('SHOPLIB."IN/OUT"').name == "IN/OUT"


def test_a_column_name_has_up_to_128_bytes() -> None:
    assert DRIVER.quote_identifier("C" * 128)
    with pytest.raises(Invalid):
        DRIVER.quote_identifier("C" * 129)


# -- types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "spelled"),
    [
        (("CHAR", 10, 0, 37, None), "CHAR(10) CCSID 37"),
        (("CHAR", 10, 0, 65535, None), "CHAR(10) FOR BIT DATA"),
        (("VARCHAR", 40, 0, 1208, None), "VARCHAR(40) CCSID 1208"),
        (("VARG", 40, 0, 1200, None), "VARGRAPHIC(40) CCSID 1200"),
        (("GRAPHIC", 4, 0, 1200, None), "GRAPHIC(4) CCSID 1200"),
        (("DBCLOB", 100, 0, 1200, None), "DBCLOB(100) CCSID 1200"),
        (("VARBIN", 16, 0, None, None), "VARBINARY(16)"),
        (("BLOB", 100, 0, 65535, None), "BLOB(100)"),
        (("DECIMAL", 11, 2, None, None), "DECIMAL(11,2)"),
        (("NUMERIC", 7, 0, None, None), "NUMERIC(7,0)"),
        (("FLOAT", 4, 0, None, None), "REAL"),
        (("FLOAT", 8, 0, None, None), "DOUBLE"),
        (("DECFLOAT", 8, 0, None, None), "DECFLOAT(16)"),
        (("DECFLOAT", 16, 0, None, None), "DECFLOAT(34)"),
        (("TIMESTMP", 10, 0, None, 6), "TIMESTAMP(6)"),
        (("TIMESTMP", 7, 0, None, 0), "TIMESTAMP(0)"),
        (("TIMESTMP", 10, 0, None, None), "TIMESTAMP(6)"),
        (("DATE    ", 4, 0, None, None), "DATE"),
        (("XML", 2147483647, 0, 1208, None), "XML"),
        (("DATALINK", 200, 0, 37, None), "DATALINK"),
    ],
)
def test_the_catalogues_words_become_types(told: tuple[str, int, int, int | None, int | None], spelled: str) -> None:
    assert spell_type(*told) == spelled


def test_text_for_a_column_of_one_code_page_is_staged_in_unicode_and_compared() -> None:
    source, dest = ResultColumn(name="a", type="text"), TableColumn(name="A", type="CHAR(10) CCSID 37")
    staged = DRIVER.stage_column(source, POSTGRES, dest)
    assert (staged.stage_type, staged.lossy) == ("VARGRAPHIC(10) CCSID 1200", True)
    for plain in ("VARCHAR(10) CCSID 1208", "VARGRAPHIC(10) CCSID 1200", "CHAR(10) FOR BIT DATA", "DECIMAL(5,2)"):
        assert DRIVER.stage_column(source, POSTGRES, TableColumn(name="A", type=plain)).stage_type is None


def test_a_datalink_is_refused_on_both_sides() -> None:
    dest = TableColumn(name="A", type="DATALINK")
    assert "DATALINK" in DRIVER.stage_column(ResultColumn(name="a", type="text"), POSTGRES, dest).refused
    columns = (ResultColumn(name="LINK", type="DATALINK"),)
    with pytest.raises(StatementFailed, match="'LINK' cannot be read"):
        DRIVER.introspect_query_columns(lambda sql: QueryResult(columns=columns, rows=()), "select link from t")


def test_the_number_that_stands_for_no_date_becomes_null() -> None:
    century = DRIVER.list_casts(TableColumn(name="ORDDTE", type="DECIMAL(7,0)"))[0]
    assert century.expression == (
        'DATE(TIMESTAMP_FORMAT(SUBSTR(DIGITS(DEC(DEC(NULLIF(NULLIF(CAST("ORDDTE" AS BIGINT), 0), 9999999) + 19000000,'
        " 8, 0) + 100000000, 9, 0)), 2), 'YYYYMMDD'))"
    )
    assert (century.label, century.type) == ("date from CYYMMDD", "DATE")


# -- labels and journals -----------------------------------------------------------------------------------------------


def test_a_comment_becomes_a_label_of_fifty_characters() -> None:
    sql = DRIVER.build_comment_sql(TableName(schema="L", name="T"), "C", "it's " + "long " * 20)
    assert sql.startswith('LABEL ON COLUMN "L"."T"."C" TEXT IS \'it\'\'s long')
    assert len(sql.split(" IS ")[1].strip("'").replace("''", "'")) <= 50


def test_a_file_the_journals_do_not_know_is_told_and_an_older_release_is_not_asked_twice() -> None:
    row = ("P", "YES", "SHOPLIB", "ORDERS", "D")

    def ask(count: str | None, isolation: str = "some") -> str:
        def query(sql: str) -> QueryResult:
            if sql.startswith("{pipekit isolation"):
                return QueryResult(columns=(), rows=((isolation,),))
            if "JOURNALED_OBJECTS" not in sql:
                return QueryResult(columns=(), rows=(row,))
            if count is None:
                raise StatementFailed("JOURNALED_OBJECTS in QSYS2 type *FILE not found.")
            return QueryResult(columns=(), rows=((count,),))

        return get_table_facts(query, DRIVER.quote_literal, TableName(schema="SHOPLIB", name="ORDERS")).not_atomic

    assert "SHOPLIB/ORDERS is not journaled" in ask("0")
    assert ask("1") == ""
    assert ask(None) == ""
    assert "no commitment control" in ask("1", "none")

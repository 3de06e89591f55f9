# Tests of the SQL Server driver as text: names, types, staging, queries put into queries. Opens no database.
"""pipekit.drivers.sqlserver without a server."""

from dataclasses import replace

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, LedgerEntry, MergePlan, StagedColumn, TableColumn, TableName
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.drivers.sqlserver.query import split_query
from pipekit.drivers.sqlserver.types import MAX, Spelling, find_refusal, parse_type, spell_type
from pipekit.drivers.types import Type
from pipekit.errors import Invalid, StatementFailed
from pipekit.models import Strategy
from pipekit.runner_contract import Query, QueryResult, ResultColumn

POSTGRES = get_driver("postgresql")
SQLITE = get_driver("sqlite")


def stage(source: str, dest: str, driver: Driver = DRIVER) -> StagedColumn:
    return DRIVER.stage_column(ResultColumn(name="A", type=source), driver, TableColumn(name="a", type=dest))


def how(source: str, dest: str, driver: Driver = DRIVER) -> tuple[str | None, bool]:
    staged = stage(source, dest, driver)
    assert staged.refused == ""
    return staged.stage_type, staged.lossy


def answer(*rows: tuple[str | None, ...]) -> Query:
    return lambda sql: QueryResult(columns=(), rows=rows)


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("orders", TableName(schema=None, name="orders")),
        ("sales.Orders", TableName(schema="sales", name="Orders")),
        ("[sales].[odd ]] name]", TableName(schema="sales", name="odd ] name")),
        ('"sales" . "a.b"', TableName(schema="sales", name="a.b")),
        ("#temp", TableName(schema=None, name="#temp")),
    ],
)
def test_a_table_is_read_with_brackets_and_quotes(text: str, table: TableName) -> None:
    assert DRIVER.parse_table(text) == table


@pytest.mark.parametrize("text", ["[a", "a]", "a b]c", "server.db.dbo.orders", "db.dbo.orders"])
def test_what_is_no_table_of_this_database_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        DRIVER.parse_table(text)


def test_a_bracket_in_a_name_is_doubled() -> None:
    assert DRIVER.quote_identifier("a]b[c") == "[a]]b[c]"


def test_a_name_has_128_units_of_utf_16() -> None:
    assert DRIVER.quote_identifier("ä" * 128)
    for name in ("a" * 129, "😀" * 65):
        with pytest.raises(Invalid):
            DRIVER.quote_identifier(name)


def test_a_backslash_at_the_end_of_a_line_does_not_swallow_the_line_end() -> None:
    asked: list[str] = []

    def query(sql: str) -> QueryResult:
        asked.append(sql)
        return QueryResult(columns=(), rows=(("a", "int", None, None),))

    DRIVER.introspect_query_columns(query, "SELECT 'x\\\ny' AS a")
    assert "CAST(N'' AS nvarchar(max)) + N'SELECT ''x\\' + N'\ny'' AS a'" in asked[0]


# -- types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("NVARCHAR(MAX)", Spelling("nvarchar", (MAX,))),
        ("varchar(40) COLLATE Cyrillic_General_CI_AS", Spelling("varchar", (40,), "Cyrillic_General_CI_AS")),
        ("numeric( 12 , 2 )", Spelling("decimal", (12, 2))),
        ("decimal", Spelling("decimal", (18, 0))),
        ("float(24)", Spelling("real")),
        ("float(53)", Spelling("float")),
        ("datetime2", Spelling("datetime2", (7,))),
        ("timestamp", Spelling("rowversion")),
        ("[sys].[sysname]", Spelling("nvarchar", (128,))),
        ("national character varying(3)", Spelling("nvarchar", (3,))),
        ("dbo.Point", Spelling("dbo.Point")),
    ],
)
def test_a_type_is_taken_apart(text: str, spelling: Spelling) -> None:
    assert parse_type(text) == spelling


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (("nvarchar", 80, 0, 0), "nvarchar(40)"),
        (("nvarchar", -1, 0, 0), "nvarchar(max)"),
        (("varchar", 80, 0, 0), "varchar(80)"),
        (("decimal", 9, 12, 2), "decimal(12,2)"),
        (("datetime2", 8, 27, 7), "datetime2(7)"),
        (("datetime", 8, 23, 3), "datetime"),
        (("int", 4, 10, 0), "int"),
        (("char", 3, 0, 0, "Latin1_General_BIN2"), "char(3) COLLATE Latin1_General_BIN2"),
    ],
)
def test_a_type_is_spelled_from_the_catalogue(numbers: tuple[str, int, int, int], text: str) -> None:
    assert spell_type(*numbers) == text


@pytest.mark.parametrize(
    ("source", "dest"),
    [
        ("numeric", "nvarchar(max)"),
        ("numeric(38,10)", "decimal(38,10)"),
        ("numeric(39,10)", "nvarchar(max)"),
        ("numeric(5,-2)", "decimal(7,0)"),
        ("numeric(3,5)", "decimal(5,5)"),
        ("text", "nvarchar(max)"),
        ("boolean", "bit"),
        ("bytea", "varbinary(max)"),
        ("timestamp with time zone", "datetimeoffset(7)"),
        ("time(3) without time zone", "time(3)"),
        ("uuid", "uniqueidentifier"),
        ("xml", "nvarchar(max)"),
        ("integer[]", "nvarchar(max)"),
    ],
)
def test_a_postgresql_type_finds_one_that_holds_all_its_values(source: str, dest: str) -> None:
    assert DRIVER.map_type(source, POSTGRES) == dest


@pytest.mark.parametrize(
    ("source", "dest"),
    [
        ("character varying(40)", "nvarchar(80)"),
        ("character varying(2001)", "nvarchar(max)"),
        ("character(3)", "nvarchar(6)"),
    ],
)
def test_a_character_of_another_kind_may_be_two_units(source: str, dest: str) -> None:
    assert DRIVER.map_type(source, POSTGRES) == dest


def test_a_rowversion_is_kept_as_its_eight_bytes() -> None:
    assert DRIVER.map_type("timestamp", DRIVER) == "binary(8)"
    assert DRIVER.to_neutral("rowversion") == Type(name="bytes", length=8)
    assert how("timestamp", "binary(8)") == (None, False)
    assert "binary(8)" in stage("timestamp", "rowversion").refused


@pytest.mark.parametrize(
    ("source", "sqlite", "postgresql"),
    [
        ("tinyint", "INTEGER", "smallint"),
        ("money", "TEXT", "numeric(19,4)"),
        ("smallmoney", "DECIMAL(10,4)", "numeric(10,4)"),
        ("datetime", "TIMESTAMP", "timestamp(3) without time zone"),
        ("smalldatetime", "TIMESTAMP", "timestamp(0) without time zone"),
        ("datetime2(7)", "TIMESTAMP", "timestamp without time zone"),
        ("datetimeoffset(3)", "TIMESTAMPTZ", "timestamp(3) with time zone"),
        ("time(7)", "TIME", "time without time zone"),
        ("nvarchar(40)", "VARCHAR(40)", "character varying(40)"),
        ("ntext", "TEXT", "text"),
        ("image", "BLOB", "bytea"),
        ("bit", "BOOLEAN", "boolean"),
        ("uniqueidentifier", "TEXT", "uuid"),
        ("xml", "TEXT", "xml"),
        ("hierarchyid", "TEXT", "text"),
    ],
)
def test_other_kinds_take_its_types(source: str, sqlite: str, postgresql: str) -> None:
    assert (SQLITE.map_type(source, DRIVER), POSTGRES.map_type(source, DRIVER)) == (sqlite, postgresql)


@pytest.mark.parametrize("type_text", ["sql_variant", "geography", "geometry", "hierarchyid", "dbo.Point"])
def test_a_type_that_cannot_be_read_is_refused_with_what_to_do(type_text: str) -> None:
    assert "in the query" in find_refusal(type_text)
    assert stage(type_text, "nvarchar(max)").refused == find_refusal(type_text)


@pytest.mark.parametrize("type_text", ["sql_variant", "geography", "hierarchyid"])
def test_nothing_is_loaded_into_a_type_without_a_text_of_its_own(type_text: str) -> None:
    assert stage("text", type_text, POSTGRES).refused


def test_a_hierarchyid_of_a_browsed_table_is_read_as_its_path() -> None:
    assert DRIVER.default_expression(TableColumn(name="node", type="hierarchyid")) == "[node].ToString()"
    assert DRIVER.default_expression(TableColumn(name="rv", type="rowversion")) == "[rv]"


# -- staging -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dest",
    ["bit", "tinyint", "bigint", "decimal(38,10)", "real", "float", "date", "time(7)", "datetime2(3)", "nvarchar(40)"]
    + ["datetimeoffset(7)", "nvarchar(max)", "varbinary(16)", "varbinary(max)", "uniqueidentifier"],
)
def test_what_the_load_fills_exactly_is_staged_as_it_is(dest: str) -> None:
    assert how("text", dest, POSTGRES) == (None, False)


@pytest.mark.parametrize(
    ("dest", "staged"),
    [
        ("varchar(40)", "nvarchar(40)"),
        ("varchar(40) COLLATE Cyrillic_General_CI_AS", "nvarchar(40) COLLATE Cyrillic_General_CI_AS"),
        ("varchar(8000)", "nvarchar(max)"),
        ("char(3)", "nvarchar(3)"),
        ("nchar(3)", "nvarchar(3)"),
        ("text", "nvarchar(max)"),
        ("binary(16)", "varbinary(16)"),
        ("money", "decimal(19,4)"),
        ("smallmoney", "decimal(10,4)"),
        ("datetime", "datetime2(7)"),
        ("smalldatetime", "datetime2(7)"),
        ("xml", "nvarchar(max)"),
    ],
)
def test_what_the_server_would_change_silently_is_staged_wider_and_proved(dest: str, staged: str) -> None:
    assert how("text", dest, POSTGRES) == (staged, True)


@pytest.mark.parametrize(
    ("type_text", "staged"),
    [
        ("money", "decimal(19,4)"),
        ("datetime", "datetime2(3)"),
        ("smalldatetime", "datetime2(0)"),
        ("xml", "nvarchar(max)"),
        ("ntext", "nvarchar(max)"),
        ("image", "varbinary(max)"),
        ("nchar(3)", None),
        ("binary(3)", None),
        ("datetime2(6)", None),
        ("datetime2(7)", "nvarchar(40)"),
        ("datetimeoffset(3)", "nvarchar(40)"),
    ],
)
def test_a_value_of_the_dest_s_own_type_needs_no_proof(type_text: str, staged: str | None) -> None:
    assert how(type_text, type_text) == (staged, False)


@pytest.mark.parametrize(
    ("source", "driver", "dest", "staged"),
    [
        ("character varying(40)", POSTGRES, "nvarchar(max)", "nvarchar(80)"),
        (
            "character(3)",
            POSTGRES,
            "nvarchar(max) COLLATE Latin1_General_BIN2",
            "nvarchar(6) COLLATE Latin1_General_BIN2",
        ),
        ("character varying(40)", POSTGRES, "varchar(max)", "nvarchar(80)"),
        ("character varying(40)", POSTGRES, "ntext", "nvarchar(80)"),
        ("nvarchar(40)", DRIVER, "nvarchar(max)", "nvarchar(40)"),
        ("varchar(40)", DRIVER, "text", "nvarchar(40)"),
        ("character varying(40)", POSTGRES, "nvarchar(60)", None),
        ("character varying(40)", POSTGRES, "xml", "nvarchar(max)"),
        ("character varying(2001)", POSTGRES, "nvarchar(max)", None),
        ("text", POSTGRES, "nvarchar(max)", None),
        ("nvarchar(max)", DRIVER, "nvarchar(max)", None),
        ("VARCHAR(40)", SQLITE, "nvarchar(max)", None),
    ],
)
def test_a_text_without_a_limit_is_staged_with_that_of_a_source_that_keeps_one(
    source: str, driver: Driver, dest: str, staged: str | None
) -> None:
    assert stage(source, dest, driver).stage_type == staged


def test_an_offset_with_fewer_digits_is_proved_as_an_instant_and_an_offset() -> None:
    staged = stage("datetimeoffset(7)", "datetimeoffset(3)")
    assert (staged.stage_type, staged.lossy) == ("nvarchar(40)", True)
    [(_, sql)] = DRIVER.build_exactness_sql(build_plan("append", staged))
    seven = "TRY_CAST(s.[a] AS datetimeoffset(7))"
    three = f"TRY_CAST(TRY_CAST({seven} AS datetimeoffset(3)) AS datetimeoffset(7))"
    sides = [f"{side}, DATEPART(tzoffset, {side})" for side in (seven, three)]
    assert f"EXISTS (SELECT {sides[0]} EXCEPT SELECT {sides[1]})" in sql


def test_a_code_page_is_proved_between_two_sql_servers_too() -> None:
    """The source's database may have another one, and a query's columns do not say which."""
    assert how("varchar(40)", "varchar(40)") == ("nvarchar(40)", True)


def build_plan(strategy: Strategy, *columns: StagedColumn, key: tuple[str, ...] = ()) -> MergePlan:
    staging, dest = DRIVER.staging_table("m"), DRIVER.parse_table("dbo.t")
    return MergePlan(strategy=strategy, staging=staging, dest=dest, columns=columns, key=key)


def test_staging_counts_its_rows_only_where_a_value_must_be_proved() -> None:
    plain, lossy = stage("int", "int"), stage("varchar(3)", "varchar(3)")
    table = DRIVER.parse_table("t")
    assert "IDENTITY" not in DRIVER.build_staging_sql(table, table, [plain])[1]
    assert "[pipekit_row] bigint IDENTITY(1,1) NOT NULL" in DRIVER.build_staging_sql(table, table, [lossy])[1]


def test_the_row_count_steps_aside_for_a_column_of_its_name() -> None:
    lossy = stage("varchar(3)", "varchar(3)")
    taken = replace(lossy, dest=replace(lossy.dest, name="Pipekit_Row"))
    [(_, sql)] = DRIVER.build_exactness_sql(build_plan("append", taken))
    assert "s.[pipekit_row_]" in sql


@pytest.mark.parametrize(
    ("dest", "condition"),
    [
        (
            "varchar(9)",
            "EXISTS (SELECT CAST(s.[a] AS varbinary(8000)), DATALENGTH(s.[a]) EXCEPT SELECT "
            "CAST(CAST(CAST(s.[a] AS varchar(9)) AS nvarchar(max)) AS varbinary(max)), "
            "DATALENGTH(CAST(CAST(s.[a] AS varchar(9)) AS nvarchar(max))))",
        ),
        ("datetime", "EXISTS (SELECT s.[a] EXCEPT SELECT TRY_CAST(TRY_CAST(s.[a] AS datetime) AS datetime2(3)))"),
        (
            "smalldatetime",
            "EXISTS (SELECT s.[a] EXCEPT SELECT TRY_CAST(TRY_CAST(s.[a] AS smalldatetime) AS datetime2(0)))",
        ),
        ("money", "EXISTS (SELECT s.[a] EXCEPT SELECT TRY_CAST(TRY_CAST(s.[a] AS money) AS decimal(19,4)))"),
        ("binary(4)", "DATALENGTH(s.[a]) <> 4"),
    ],
)
def test_a_value_is_exact_when_it_comes_back_from_the_dest_s_type(dest: str, condition: str) -> None:
    [(name, sql)] = DRIVER.build_exactness_sql(build_plan("append", stage("text", dest, POSTGRES)))
    assert name == "a"
    assert f"WHERE {condition}\nORDER BY s.[pipekit_row]" in sql


def test_padding_is_forgiven_but_not_blanks_that_would_be_lost_in_it() -> None:
    [(_, sql)] = DRIVER.build_exactness_sql(build_plan("append", stage("text", "nchar(3)", POSTGRES)))
    assert sql.count("EXCEPT") == 2
    assert "RTRIM(CAST(s.[a] AS nchar(3)))" in sql


def test_a_primary_key_without_a_limit_is_refused_before_the_server_does() -> None:
    column = TableColumn(name="a", type="nvarchar(max)", nullable=False, in_key=True)
    with pytest.raises(Invalid, match="primary key cannot hold 'a'"):
        DRIVER.build_create_table_sql(DRIVER.parse_table("t"), [column])
    [sql] = DRIVER.build_create_table_sql(DRIVER.parse_table("t"), [replace(column, type="nvarchar(450)")])
    assert "PRIMARY KEY ([a])" in sql


# -- merge -------------------------------------------------------------------------------------------------------------


def numbered() -> StagedColumn:
    column = TableColumn(name="id", type="int", identity=True, has_default=True)
    return StagedColumn(source=ResultColumn(name="id", type="int"), dest=column)


def test_an_identity_column_that_is_fed_takes_the_source_s_values() -> None:
    statements = [s.sql for s in DRIVER.build_merge_sql(build_plan("append", numbered()))]
    assert statements[0] == "SET IDENTITY_INSERT [dbo].[t] ON"
    assert statements[1].startswith("INSERT INTO [dbo].[t] ([id])")
    assert statements[2] == "SET IDENTITY_INSERT [dbo].[t] OFF"


def test_staging_has_no_identity_of_the_dest() -> None:
    table = DRIVER.parse_table("t")
    assert "IDENTITY" not in "".join(DRIVER.build_staging_sql(table, table, [numbered()]))


def test_upsert_may_find_rows_by_an_identity_but_not_change_one() -> None:
    name = stage("nvarchar(9)", "nvarchar(9)")
    found = DRIVER.build_merge_sql(build_plan("upsert", numbered(), name, key=("id",)))
    assert [statement.name for statement in found] == ["updated", "", "", "inserted", ""]
    with pytest.raises(Invalid, match="identity"):
        DRIVER.build_merge_sql(build_plan("upsert", numbered(), name, key=("a",)))


@pytest.mark.parametrize("type_text", ["xml", "text", "ntext", "image"])
def test_what_cannot_be_compared_is_no_key(type_text: str) -> None:
    with pytest.raises(Invalid, match="cannot be compared"):
        DRIVER.build_merge_sql(build_plan("incremental", stage(type_text, type_text), key=("a",)))


def test_a_key_is_compared_as_the_dest_s_own_type_so_that_an_index_serves() -> None:
    [delete, _] = DRIVER.build_merge_sql(build_plan("incremental", stage("varchar(9)", "varchar(9)"), key=("a",)))
    assert "d.[a] = CAST(s.[a] AS varchar(9))" in delete.sql


def test_a_text_key_that_is_equal_but_not_the_same_is_written_anew() -> None:
    statements = DRIVER.build_merge_sql(build_plan("upsert", stage("nvarchar(9)", "nvarchar(9)"), key=("a",)))
    assert "UPDATE d SET [a] = s.[a]" in statements[1].sql


@pytest.mark.parametrize(
    ("dest", "identity"),
    [
        ("nvarchar(9)", "CAST(d.[a] AS varbinary(8000)), DATALENGTH(d.[a])"),
        ("varchar(max)", "CAST(d.[a] AS varbinary(max)), DATALENGTH(d.[a])"),
        ("text", "CAST(CAST(d.[a] AS varchar(max)) AS varbinary(max)), DATALENGTH(d.[a])"),
        ("xml", "CAST(CAST(d.[a] AS nvarchar(max)) AS varbinary(max)), DATALENGTH(CAST(d.[a] AS nvarchar(max)))"),
        ("varbinary(9)", "d.[a], DATALENGTH(d.[a])"),
        ("float", "CAST(d.[a] AS binary(8))"),
        ("datetimeoffset(7)", "d.[a], DATEPART(tzoffset, d.[a])"),
        ("int", "d.[a]"),
    ],
)
def test_an_update_sees_every_change_of_a_value(dest: str, identity: str) -> None:
    columns = (stage(dest, dest), numbered())
    statements = DRIVER.build_merge_sql(build_plan("upsert", *columns, key=("id",)))
    assert statements[1].sql.endswith(f"EXCEPT SELECT {identity})")


def test_a_run_takes_its_own_turn_before_its_module_s() -> None:
    entry = LedgerEntry(run_key="k-1", run_id=1, module="m@i", fence=2)
    turn, insert = DRIVER.build_ledger_sql(entry)
    assert turn.sql.index("N'pipekit:run:k-1'") < turn.sql.index("N'pipekit:module:m@i'")
    assert insert.name == "ledger"
    assert "pipekit:module" not in DRIVER.build_fence_sql(entry)


# -- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "head", "body", "tail"),
    [
        ("SELECT 1 AS a", "", "SELECT 1 AS a", ""),
        ("with c as (select 1 a) select a from c", "with c as (select 1 a) ", "select a from c", ""),
        ("WITH c (x) AS (SELECT 1), d AS (SELECT 2 y)\nSELECT * FROM c, d", None, "SELECT * FROM c, d", ""),
        ("WITH XMLNAMESPACES ('u' AS n), c AS (SELECT 1 x) SELECT x FROM c", None, "SELECT x FROM c", ""),
        ("SELECT a FROM t -- with (x) as\nORDER BY a", "", "SELECT a FROM t -- with (x) as\nORDER BY a\n#", ""),
        ("SELECT a FROM t ORDER BY a OFFSET 5 ROWS", "", "SELECT a FROM t ORDER BY a OFFSET 5 ROWS", ""),
        ("SELECT TOP 5 a FROM t ORDER BY a", "", "SELECT TOP 5 a FROM t ORDER BY a", ""),
        ("SELECT DISTINCT TOP (5) a FROM t ORDER BY a", "", "SELECT DISTINCT TOP (5) a FROM t ORDER BY a", ""),
        ("SELECT a FROM t UNION SELECT 1 ORDER BY a", "", "SELECT a FROM t UNION SELECT 1 ORDER BY a\n#", ""),
        ("SELECT [order by] FROM t", "", "SELECT [order by] FROM t", ""),
        ("SELECT ROW_NUMBER() OVER (ORDER BY a) n FROM t", "", "SELECT ROW_NUMBER() OVER (ORDER BY a) n FROM t", ""),
        ("SELECT a FROM t OPTION (MAXDOP 1);", "", "SELECT a FROM t", "OPTION (MAXDOP 1)"),
        ("SELECT a FROM t ORDER BY a OPTION (RECOMPILE)", "", "SELECT a FROM t ORDER BY a\n#", "OPTION (RECOMPILE)"),
    ],
)
def test_a_query_is_cut_where_t_sql_wants_its_parts(sql: str, head: str | None, body: str, tail: str) -> None:
    parts = split_query(sql)
    assert (parts.body, parts.tail) == (body.replace("#", "OFFSET 0 ROWS"), tail)
    assert head is None or parts.head == head


def test_a_query_with_all_of_it_becomes_a_derived_table() -> None:
    sql = "WITH c AS (SELECT 1 AS a, 2 AS b) SELECT a, b FROM c ORDER BY b OPTION (MAXDOP 1)"
    assert DRIVER.build_select_columns_sql(sql, ["a"]) == (
        "WITH c AS (SELECT 1 AS a, 2 AS b) SELECT [a] FROM (\n"
        "SELECT a, b FROM c ORDER BY b\nOFFSET 0 ROWS\n) AS pipekit_query\nOPTION (MAXDOP 1)"
    )


def test_a_preview_is_the_query_itself() -> None:
    assert DRIVER.build_preview_sql("WITH c AS (SELECT 1 a) SELECT a, a FROM c ORDER BY a;", 20) == (
        "WITH c AS (SELECT 1 a) SELECT a, a FROM c ORDER BY a"
    )


# -- looking -----------------------------------------------------------------------------------------------------------


def test_what_the_server_has_against_a_query_is_told() -> None:
    query = answer((None, None, "208", "Invalid object name 'nowhere'."))
    with pytest.raises(StatementFailed, match=r"Invalid object name 'nowhere'\. \(error 208\)"):
        DRIVER.introspect_query_columns(query, "SELECT * FROM nowhere")


def test_a_statement_without_rows_is_no_query() -> None:
    with pytest.raises(StatementFailed, match="no rows"):
        DRIVER.introspect_query_columns(answer(), "DELETE FROM t")


def test_a_query_s_columns_are_described_with_their_types() -> None:
    query = answer(("a", "nvarchar(40)", None, None), (None, "geography", None, None))
    assert DRIVER.introspect_query_columns(query, "SELECT 1") == [
        ResultColumn(name="a", type="nvarchar(40)"),
        ResultColumn(name="", type="geography"),
    ]


def test_a_column_of_the_catalogue_is_read_whole() -> None:
    row = ("t", "id", "int", "4", "10", "0", None, "0", "0", "0", "1", "1", "the number")
    [column] = DRIVER.get_columns(answer(row), DRIVER.parse_table("t"))
    assert column == TableColumn(
        name="id", type="int", nullable=False, has_default=True, identity=True, in_key=True, comment="the number"
    )


@pytest.mark.parametrize(
    ("row", "problem", "can_truncate"),
    [
        (("U", "1", "1", "0", "0", "0", "1"), "", True),
        (("U", "1", "0", "0", "0", "0", "1"), "", False),
        (("U", "1", "1", "0", "0", "2", "0"), "", False),
        (("U", "0", "1", "0", "0", "0", "1"), "there is no right to insert into it", False),
        (("U", "1", "1", "1", "0", "0", "1"), "it is memory-optimized, and takes no table locks", False),
        (("U", "1", "1", "0", "1", "0", "1"), "it is an external table", False),
        (("U", "1", "1", "0", "0", "1", "0"), "it is the history of another table", False),
        (("V", "1", "1", None, None, None, "0"), "", False),
        (("SN", "1", "1", None, None, None, "0"), "it is a synonym", False),
    ],
)
def test_a_table_says_what_may_be_done_with_it(row: tuple[str | None, ...], problem: str, can_truncate: bool) -> None:
    facts = DRIVER.get_table_facts(answer((*row, "1", "0", "0", *[None] * 5)), DRIVER.parse_table("t"))
    assert (facts.exists, facts.problem, facts.can_truncate) == (True, problem, can_truncate)


def test_only_what_is_missing_is_set_up() -> None:
    assert DRIVER.find_setup_sql(answer(("5", "245575913"))) == ()
    statements = DRIVER.find_setup_sql(answer((None, None)))
    assert "EXEC (N'CREATE SCHEMA [pipekit_staging]')" in statements[1]
    assert "CREATE TABLE [pipekit_staging].[pipekit_ledger]" in statements[2]


def test_a_long_comment_is_cut_between_two_characters() -> None:
    sql = DRIVER.build_comment_sql(DRIVER.parse_table("t"), "a", "x" * 3749 + "😀")
    assert sql.startswith("DECLARE @comment nvarchar(3750) = N'" + "x" * 3749 + "';")


@pytest.mark.parametrize(
    ("types", "refused"),
    [
        (["int", "nvarchar(40)"], ""),
        (["nvarchar(450)"], ""),
        (["nvarchar(451)"], "900 bytes"),
        (["varchar(800)", "binary(101)"], "900 bytes"),
        (["int", "nvarchar(max)"], "nvarchar(max)"),
        (["xml"], "xml"),
        (["text"], "text"),
    ],
)
def test_a_key_is_what_an_index_can_hold(types: list[str], refused: str) -> None:
    told = DRIVER.find_key_refusal([TableColumn(name="a", type=type_text) for type_text in types])
    assert refused in told
    assert bool(refused) == bool(told)

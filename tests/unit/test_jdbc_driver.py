# The generic JDBC driver beyond its golden files: names, types, what differs by product. Loads no driver.
"""Folding, spelling, keys as text, statements for products that lack one."""

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import MergePlan, StagedColumn, TableColumn, TableName
from pipekit.drivers.jdbc.around import list_firing
from pipekit.drivers.jdbc.catalogue import get_columns, get_table_facts, list_schemas
from pipekit.drivers.jdbc.conditions import build_if_there, find_condition
from pipekit.drivers.jdbc.products import STANDARD
from pipekit.drivers.jdbc.types import find_key_refusal, parse_type, to_neutral
from pipekit.drivers.types import Type
from pipekit.errors import Invalid
from pipekit.models import Strategy
from pipekit.runner_contract import QueryResult, ResultColumn


@pytest.mark.parametrize(
    ("kind", "text", "table"),
    [
        ("jdbc", "orders", TableName(schema=None, name="orders")),
        ("teradata", "Orders", TableName(schema=None, name="Orders")),
        ("h2", "orders", TableName(schema=None, name="ORDERS")),
        ("derby", 'shop."orders"', TableName(schema="SHOP", name="orders")),
        ("postgresql_jdbc", "Orders", TableName(schema=None, name="orders")),
        ("mysql", "`a``b`.Orders", TableName(schema="a`b", name="Orders")),
        ("derby", "order lines", TableName(schema=None, name="order lines")),
    ],
)
def test_a_plain_name_is_folded_as_the_product_folds_it(kind: str, text: str, table: TableName) -> None:
    assert get_driver(kind).parse_table(text) == table


def test_staging_of_a_product_without_schemas_of_its_own_lies_beside_the_rest() -> None:
    assert get_driver("oracle").staging_table("m") == TableName(schema=None, name="pipekit_staging.m")
    assert get_driver("derby").staging_table("m") == TableName(schema="pipekit_staging", name="m")


@pytest.mark.parametrize(
    ("kind", "neutral", "spelled"),
    [
        ("derby", Type(name="bytes", length=16), "VARCHAR(16) FOR BIT DATA"),
        ("derby", Type(name="timestamp", precision=6), "TIMESTAMP"),
        ("derby", Type(name="timestamptz", precision=6), "VARCHAR(40)"),
        ("derby", Type(name="decimal", precision=38, scale=2), "DECIMAL(31,10)"),
        ("h2", Type(name="decimal"), "DECFLOAT"),
        ("h2", Type(name="timestamptz"), "TIMESTAMP WITH TIME ZONE"),
        ("postgresql_jdbc", Type(name="text"), "text"),
        ("oracle", Type(name="text", length=40), "VARCHAR2(40 CHAR)"),
        ("oracle", Type(name="time"), "VARCHAR2(20 CHAR)"),
        ("mysql", Type(name="timestamp", precision=3), "DATETIME(3)"),
        ("sqlserver_jdbc", Type(name="text"), "NVARCHAR(MAX)"),
        ("jdbc", Type(name="text", length=40), "VARCHAR(40)"),
    ],
)
def test_a_type_is_spelled_as_the_product_spells_it(kind: str, neutral: Type, spelled: str) -> None:
    assert get_driver(kind).from_neutral(neutral) == spelled


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("VARCHAR () FOR BIT DATA", Type(name="bytes")),
        ("CHAR(3) FOR BIT DATA", Type(name="bytes", length=3)),
        ("decimal(9)", Type(name="decimal", precision=9, scale=0)),
        ("DECFLOAT(34)", Type(name="decimal")),
        ("CLOB(1M)", Type(name="text")),
        ("VARCHAR(2147483647)", Type(name="text")),
        ("TIMESTAMP(3) WITH TIME ZONE", Type(name="timestamptz", precision=3)),
        ("DBCLOB(512M) CCSID 1200", Type(name="text")),
        ("", Type(name="text")),
        ("GEOMETRY", Type(name="other")),
        ("CHAR", Type(name="char", length=1)),
    ],
)
def test_a_spelling_is_read(text: str, neutral: Type) -> None:
    assert to_neutral(text) == neutral


def test_a_character_set_is_no_part_of_a_types_name() -> None:
    assert parse_type("varchar(40) ccsid 37").ccsid == 37
    assert parse_type("varchar(40) ccsid 37").base == "VARCHAR"


def test_a_table_made_in_the_same_kind_has_types_it_knows() -> None:
    derby = get_driver("derby")
    assert derby.map_type("VARBINARY(8)", derby) == "VARCHAR(8) FOR BIT DATA"
    assert derby.map_type("GEOMETRY", derby) == "GEOMETRY"


def build_plan(kind: str, strategy: Strategy, *types: str) -> MergePlan:
    driver = get_driver(kind)
    columns = tuple(
        StagedColumn(source=ResultColumn(name=name), dest=TableColumn(name=name, type=type_))
        for name, type_ in zip("abc", types, strict=False)
    )
    return MergePlan(
        strategy=strategy,
        staging=driver.staging_table("m"),
        dest=driver.parse_table("dbo.t" if kind.startswith("sqlserver") else "t"),
        columns=columns,
        key=("a",),
    )


def test_a_product_without_merge_updates_column_by_column() -> None:
    driver = get_driver("sqlserver_jtds")
    update, *_ = driver.build_merge_sql(build_plan("sqlserver_jtds", "upsert", "INT", "INT"))
    assert update.sql == (
        'UPDATE d\nSET "b" = (SELECT s."b" FROM "pipekit_staging"."m" s WHERE d."a" = s."a")\nFROM "dbo"."t" d\n'
        'WHERE EXISTS (SELECT 1 FROM "pipekit_staging"."m" s WHERE d."a" = s."a")'
    )
    delete, _ = driver.build_merge_sql(build_plan("sqlserver_jtds", "incremental", "INT"))
    assert delete.sql.startswith('DELETE d FROM "dbo"."t" d\nWHERE EXISTS')


def test_mysql_joins_what_it_deletes_and_updates() -> None:
    driver = get_driver("mysql")
    update, insert = driver.build_merge_sql(build_plan("mysql", "upsert", "INT", "INT"))
    joined = "`t` d JOIN `pipekit_staging`.`m` s\nON d.`a` = s.`a`"
    assert update.sql == f"UPDATE {joined}\nSET d.`b` = s.`b`"
    assert insert.sql.endswith("WHERE (s.`a`) NOT IN (SELECT d.`a` FROM `t` d WHERE d.`a` IS NOT NULL)")
    delete, _ = driver.build_merge_sql(build_plan("mysql", "incremental", "INT"))
    assert delete.sql == f"DELETE d FROM {joined}"


def test_a_key_is_shown_without_joining_texts_where_the_product_cannot() -> None:
    sql = get_driver("mysql").build_null_key_sql(build_plan("mysql", "upsert", "INT"))
    assert "||" not in sql
    assert "COALESCE(CAST(s.`a` AS CHAR(200)), 'NULL')" in sql


def test_a_key_of_bytes_is_not_made_text() -> None:
    sql = get_driver("derby").build_null_key_sql(build_plan("derby", "upsert", "VARCHAR(8) FOR BIT DATA"))
    assert "'(bytes)'" in sql


def test_a_keyed_strategy_needs_a_key() -> None:
    plan = MergePlan(
        strategy="incremental",
        staging=TableName(schema="s", name="m"),
        dest=TableName(schema=None, name="t"),
        columns=(),
    )
    with pytest.raises(Invalid, match="needs a merge key"):
        get_driver("derby").build_merge_sql(plan)
    assert get_driver("derby").build_index_sql(plan) == ()


def test_staging_gets_an_index_on_its_key_outside_of_the_merge() -> None:
    driver = get_driver("derby")
    plan = build_plan("derby", "incremental", "INTEGER")
    assert driver.build_index_sql(plan) == ('CREATE INDEX "pipekit_staging"."m.key" ON "pipekit_staging"."m" ("a")',)
    assert not any("INDEX" in statement.sql or "DROP" in statement.sql for statement in driver.build_merge_sql(plan))
    assert driver.commits_ddl


def test_a_statement_for_a_table_that_may_be_missing_carries_its_name() -> None:
    sql = build_if_there('DROP TABLE "S"."a""b"', "S", 'a"b')
    assert find_condition(sql) == ("S", 'a"b')
    assert find_condition('DROP TABLE "S"."T"') is None
    assert find_condition("SELECT 1 -- {pipekit if-there [1]} and more") is None


# -- the driver's own catalogue ----------------------------------------------------------------------------------------


def answer(rows: dict[str, list[dict[str, str | None]]]) -> tuple[list[str], object]:
    asked: list[str] = []

    def query(sql: str) -> QueryResult:
        asked.append(sql)
        word = sql.removeprefix("{pipekit ").split()[0]
        found = rows.get(word, [])
        names = tuple(found[0]) if found else ()
        columns = tuple(ResultColumn(name=name) for name in names)
        return QueryResult(columns=columns, rows=tuple(tuple(row.values()) for row in found))

    return asked, query


def test_a_table_without_a_schema_is_looked_for_in_the_sessions_own() -> None:
    asked, query = answer({"database": [{"name": "schema", "value": "APP"}], "tables": [{"name": "T", "type": "VIEW"}]})
    facts = get_table_facts(query, TableName(schema=None, name="T"))  # type: ignore[arg-type]
    assert asked[-1] == '{pipekit tables ["APP", "T"]}'
    assert facts.exists
    assert "is a view" in facts.problem


def test_columns_are_spelled_as_the_product_spells_them() -> None:
    plain: dict[str, str | None] = {"nullable": "true", "default": None, "autoincrement": None, "generated": None}
    rows: dict[str, list[dict[str, str | None]]] = {
        "columns": [
            {"name": "A", "type": "VARBINARY(8)", "type_name": "VARCHAR () FOR BIT DATA", "remarks": "x", **plain},
            {"name": "B", "type": "GEOMETRY", "type_name": "GEOMETRY", "remarks": "", **plain, "generated": "true"},
            {"name": "C", "type": "INTEGER", "type_name": "INTEGER", "remarks": None, **plain, "autoincrement": "true"},
        ],
        "primary-key": [{"name": "A"}],
    }
    _, query = answer(rows)
    product = get_driver("derby").product  # type: ignore[attr-defined]
    columns = get_columns(query, product, TableName(schema="S", name="T"), repr)  # type: ignore[arg-type]
    assert [(c.name, c.type, c.in_key, c.generated, c.has_default, c.comment) for c in columns] == [
        ("A", "VARCHAR(8) FOR BIT DATA", True, False, False, "x"),
        ("B", "GEOMETRY", False, True, False, None),
        ("C", "INTEGER", False, False, True, None),
    ]


def test_schemas_of_the_system_and_our_own_are_left_out() -> None:
    names = ("SYS", "SYSIBM", "INFORMATION_SCHEMA", "pipekit_staging", "SHOP", "db_owner")
    _, query = answer({"schemas": [{"schema": name} for name in names]})
    assert list_schemas(query, "pipekit_staging") == ["SHOP"]  # type: ignore[arg-type]


def test_a_merge_of_an_unknown_product_is_looked_after_by_counting() -> None:
    """Neither its triggers nor what it compares is known."""
    driver = get_driver("teradata")
    look = driver.build_look(build_plan("teradata", "full", "INT"))
    assert look is not None
    assert look.count.startswith(
        'SELECT ABS((SELECT COUNT(*) FROM "t") - (SELECT COUNT(*) FROM "pipekit_staging"."m"))'
    )
    assert driver.build_look(build_plan("teradata", "upsert", "INT")) is None
    [firing] = list_firing(
        lambda sql: pytest.fail(sql), STANDARD, driver.quote_literal, TableName(schema=None, name="t")
    )
    assert firing.events == {"insert", "update", "delete"}


@pytest.mark.parametrize(
    ("types", "refused"),
    [
        (["INTEGER", "VARCHAR(40)"], ""),
        (["VARCHAR(190)"], ""),
        (["VARCHAR(100)", "VARCHAR(91)"], "190 characters"),
        (["CLOB"], "190 characters"),
        (["VARCHAR"], "190 characters"),
        (["XML"], "xml"),
        (["DECIMAL(10,2)", "TIMESTAMP(6)"], ""),
    ],
)
def test_a_key_is_what_every_database_can_hold(types: list[str], refused: str) -> None:
    told = find_key_refusal([to_neutral(type_text) for type_text in types])
    assert refused in told
    assert bool(refused) == bool(told)

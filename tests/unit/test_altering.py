# Changing a column as text: which types hold which, the text of a table of SQLite, what other kinds are sent.
"""`pipekit.drivers.altering` and its like of each kind, the pure parts."""

from dataclasses import replace
from typing import Any

import pytest
import sqlglot

from pipekit.drivers import get_driver
from pipekit.drivers.altering import is_wider
from pipekit.drivers.base import TableColumn, TableName
from pipekit.drivers.sqlite.altering import find_constraints, find_dropped, find_retyped
from pipekit.drivers.sqlserver import altering as sqlserver
from pipekit.drivers.types import Type
from pipekit.runner_contract import QueryResult


def no_query(sql: str) -> QueryResult:
    raise AssertionError(sql)


@pytest.mark.parametrize(
    ("have", "want", "wider"),
    [
        ({"name": "int32"}, {"name": "int64"}, True),
        ({"name": "int64"}, {"name": "int32"}, False),
        ({"name": "int32"}, {"name": "decimal"}, False),
        ({"name": "text", "length": 3}, {"name": "text", "length": 4}, True),
        ({"name": "text", "length": 3}, {"name": "text"}, True),
        ({"name": "text"}, {"name": "text", "length": 4}, False),
        ({"name": "decimal", "precision": 8, "scale": 2}, {"name": "decimal", "precision": 9, "scale": 3}, True),
        ({"name": "decimal", "precision": 8, "scale": 2}, {"name": "decimal", "precision": 9, "scale": 4}, False),
        ({"name": "decimal", "precision": 8, "scale": 2}, {"name": "decimal", "precision": 8, "scale": 2}, False),
        ({"name": "decimal", "precision": 8}, {"name": "decimal"}, True),
        ({"name": "decimal"}, {"name": "decimal", "precision": 8}, False),
    ],
)
def test_a_type_is_wider_that_holds_every_value_of_another(have: Any, want: Any, wider: bool) -> None:
    assert is_wider(Type(**have), Type(**want)) is wider


ODD = 'CREATE TABLE t (a INT, [b,c] VARCHAR(3) NOT NULL DEFAULT (x\'2c\'), "d" /* e */ , UNIQUE (a, "d"))'


@pytest.mark.parametrize(
    ("name", "retyped", "dropped"),
    [
        ("a", ODD.replace("a INT", "a BIG", 1), ODD.replace("a INT,", "", 1)),
        ("B,C", ODD.replace("VARCHAR(3)", "BIG"), ODD.replace(" [b,c] VARCHAR(3) NOT NULL DEFAULT (x'2c'),", "")),
        ("d", ODD.replace('"d" /* e */ ', '"d" BIG', 1), ODD.replace(' "d" /* e */ ,', "", 1)),
    ],
)
def test_a_column_is_found_in_the_text_of_its_table_however_it_is_written(
    name: str, retyped: str, dropped: str
) -> None:
    assert find_retyped(ODD, name, "BIG") == retyped
    assert find_dropped(ODD, name) == dropped
    assert find_constraints(ODD, name) == (False, name != "B,C")


def test_a_type_with_a_collation_does_not_say_it_twice() -> None:
    made = "CREATE TABLE t (a TEXT COLLATE NOCASE)"
    assert find_retyped(made, "a", "VARCHAR(9) COLLATE NOCASE") == "CREATE TABLE t (a VARCHAR(9) COLLATE NOCASE)"


def test_sql_server_is_told_null_and_collation_again_and_its_statements_parse() -> None:
    table, was = (
        TableName(schema="dbo", name="t"),
        TableColumn(name="v]", type="varchar(3) COLLATE Latin1_General_BIN2"),
    )
    driver = get_driver("sqlserver")
    [retype] = sqlserver.build_retype(table, replace(was, type="varchar(9) COLLATE Other", nullable=False), was.type)
    assert retype.sql == "ALTER TABLE [dbo].[t] ALTER COLUMN [v]]] varchar(9) COLLATE Latin1_General_BIN2 NOT NULL"
    [rename] = driver.build_rename_sql(no_query, table, "v]", "w'")
    assert rename.sql == "EXEC sp_rename N'[dbo].[t].[v]]]', N'w''', N'COLUMN'"
    [drop] = driver.build_drop_column_sql(no_query, table, "v]")
    [look] = driver.build_fitting_looks(table, replace(was, type="nvarchar(9)"), "int", ("id",))
    assert driver.build_fitting_looks(table, was, "varchar(9)", ()) == ()
    for sql in (retype.sql.replace(" COLLATE Latin1_General_BIN2", ""), drop.sql, look.sql):
        assert sqlglot.parse_one(sql, dialect="tsql")
    assert look.details.startswith("SELECT STUFF((SELECT N'; ' + told FROM (SELECT TOP (5) N'id = ' + COALESCE(")


def test_db2_for_i_alters_types_and_drops_and_has_no_statement_that_renames() -> None:
    driver, table = get_driver("db2i"), TableName(schema="SHOP", name="T")
    column = TableColumn(name="V", type="INTEGER")
    [retype] = driver.build_retype_sql(no_query, table, replace(column, type="BIGINT"))
    assert retype.sql == 'ALTER TABLE "SHOP"."T" ALTER COLUMN "V" SET DATA TYPE BIGINT'
    [drop] = driver.build_drop_column_sql(no_query, table, "V")
    assert drop.sql == 'ALTER TABLE "SHOP"."T" DROP COLUMN "V" RESTRICT'
    assert driver.find_alter_refusal("retype", column, "BIGINT") == ""
    assert "can grow" in driver.find_alter_refusal("retype", column, "SMALLINT")

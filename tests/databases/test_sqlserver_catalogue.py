# Tests of looking at SQL Server's catalogue through a session: the double answers with the catalogue's own types.
"""pipekit.drivers.sqlserver.catalogue over a connection; a real server answers by itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.base import TableColumn, TableFacts, TableInfo
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.runner_contract import ResultColumn
from tests.databases.sqlservers import Place, open_place
from tests.databases.tds.replies import Rows

TABLE = DRIVER.parse_table("dbo.looked")
MADE = (
    """CREATE TABLE dbo.looked (
  id int IDENTITY(1,1) NOT NULL PRIMARY KEY, qty decimal(12,3) NOT NULL DEFAULT 0, loud AS name + N'!',
  name nvarchar(40) NULL, code varchar(7) COLLATE Latin1_General_BIN2 NULL, at datetime2(7) NULL, rv rowversion
)""",
    DRIVER.build_comment_sql(TABLE, "name", "what it's called"),
    "EXEC sys.sp_addextendedproperty @name = N'MS_Description', @value = N'looked at', @level0type = N'SCHEMA',"
    " @level0name = N'dbo', @level1type = N'TABLE', @level1name = N'looked'",
    "INSERT INTO dbo.looked (name) VALUES (N'one'), (N'two')",
    "DROP VIEW IF EXISTS dbo.looked_view",
    "EXEC (N'CREATE VIEW dbo.looked_view AS SELECT id FROM dbo.looked')",
)

# The columns of the catalogue's answers with their types.
_COLUMNS = [
    ("table", "nvarchar(128)"), ("name", "nvarchar(128)"), ("type", "nvarchar(128)"), ("max_length", "smallint"),
    ("precision", "tinyint"), ("scale", "tinyint"), ("collation", "nvarchar(128)"), ("is_nullable", "bit"),
    ("default", "int"), ("generated", "int"), ("identity", "int"), ("in_key", "int"), ("comment", "nvarchar(4000)"),
]  # fmt: skip
_ROWS: list[tuple[Any, ...]] = [
    ("looked", "id", "int", 4, 10, 0, None, False, 0, 0, 1, 1, None),
    ("looked", "qty", "decimal", 9, 12, 3, None, False, 1, 0, 0, 0, None),
    ("looked", "loud", "nvarchar", 82, 0, 0, None, True, 0, 1, 0, 0, None),
    ("looked", "name", "nvarchar", 80, 0, 0, None, True, 0, 0, 0, 0, "what it's called"),
    ("looked", "code", "varchar", 7, 0, 0, "Latin1_General_BIN2", True, 0, 0, 0, 0, None),
    ("looked", "at", "datetime2", 8, 27, 7, None, True, 0, 0, 0, 0, None),
    ("looked", "rv", "timestamp", 8, 0, 0, None, False, 0, 1, 0, 0, None),
]
EXPECTED = [
    TableColumn(name="id", type="int", nullable=False, has_default=True, identity=True, in_key=True),
    TableColumn(name="qty", type="decimal(12,3)", nullable=False, has_default=True),
    TableColumn(name="loud", type="nvarchar(41)", generated=True),
    TableColumn(name="name", type="nvarchar(40)", comment="what it's called"),
    TableColumn(name="code", type="varchar(7) COLLATE Latin1_General_BIN2"),
    TableColumn(name="at", type="datetime2(7)"),
    TableColumn(name="rv", type="timestamp", nullable=False, generated=True),
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        if not place.is_double:
            place.drop("looked")
            place.run(*MADE)
        yield place
        if not place.is_double:
            place.run("DROP VIEW IF EXISTS dbo.looked_view")


def test_schemas_are_listed_without_the_systems_and_our_own(place: Place) -> None:
    place.teach(r"FROM sys\.schemas AS s", Rows([("name", "nvarchar(128)")], [("dbo",), ("sales",)]))
    with place.session() as session:
        schemas = DRIVER.list_schemas(session.query)
    assert "dbo" in schemas
    assert not {"sys", "INFORMATION_SCHEMA", DRIVER.staging_schema} & set(schemas)


def test_tables_and_views_are_listed_with_rows_and_comments(place: Place) -> None:
    columns = [("name", "nvarchar(128)"), ("is_view", "int"), ("rows", "bigint"), ("comment", "nvarchar(4000)")]
    rows = [("looked", 0, 2, "looked at"), ("looked_view", 1, None, None)]
    place.teach(r"AS row_count", Rows(columns, rows))
    with place.session() as session:
        found = {info.name: info for info in DRIVER.list_tables(session.query, "dbo")}
    assert found["looked"] == TableInfo(schema="dbo", name="looked", is_view=False, rows=2, comment="looked at")
    assert found["looked_view"] == TableInfo(schema="dbo", name="looked_view", is_view=True, rows=None, comment=None)


def test_columns_are_read_with_types_keys_and_what_the_server_fills(place: Place) -> None:
    place.teach(r"JOIN sys\.columns AS c", Rows(_COLUMNS, _ROWS))
    with place.session() as session:
        assert DRIVER.get_columns(session.query, TABLE) == EXPECTED
        assert DRIVER.column_inventory(session.query, "dbo")["looked"] == EXPECTED


def test_a_table_says_how_it_may_be_emptied_and_by_which_key_a_row_is_known(place: Place) -> None:
    columns = [
        ("type", "varchar(2)"), ("insert", "int"), ("alter", "int"), ("in_memory", "bit"), ("external", "bit"),
        ("temporal", "tinyint"), ("can_truncate", "int"), ("can_keep", "int"), ("hidden", "int"), ("unseen", "int"),
        *((name, "nvarchar(max)") for name in ("events", "triggers", "columns", "keys", "references")),
    ]  # fmt: skip
    keys = '[{"number":1,"name":"id"}]'
    row = ("U", 1, 1, False, False, 0, 1, 1, 0, 0, None, None, None, keys, None)
    place.teach(r"SELECT RTRIM\(o\.type\)", Rows(columns, [row]))
    with place.session() as session:
        facts = DRIVER.get_table_facts(session.query, TABLE)
    assert facts == TableFacts(exists=True, can_truncate=True, can_keep=True, keys=(("id",),))


def test_a_query_is_described_without_being_run(place: Place) -> None:
    columns = [("a", "int"), ("b", "nvarchar(3)"), ("", "numeric(2,1)")]
    place.explain("", [(name or None, type_) for name, type_ in columns])  # type: ignore[misc]
    with place.session() as session:
        found = DRIVER.introspect_query_columns(
            session.query, "WITH c AS (SELECT 1 AS a) SELECT a, N'abc' AS b, 1.5 FROM c; --"
        )
    assert found == [ResultColumn(name=name, type=type_) for name, type_ in columns]

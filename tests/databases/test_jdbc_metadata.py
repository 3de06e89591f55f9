# Tests of what a driver may ask about its database through the wire. Derby, H2, HSQLDB.
"""pipekit.drivers.jdbc.metadata."""

import itertools
from typing import Any

import pytest

from pipekit.drivers.jdbc.asking import build_ask
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.errors import Invalid, StatementFailed
from tests.databases.jdbc import Open, make_embedded, run

_NUMBERS = itertools.count(1)
SCHEMA = {"derby": "SHOP", "h2": "SHOP", "hsqldb": "SHOP"}


@pytest.fixture(params=SCHEMA)
def session(request: pytest.FixtureRequest, open_jdbc: Open) -> JdbcSession:
    """A schema of two tables and a view."""
    one = open_jdbc(make_embedded(request.param, f"metadata{next(_NUMBERS)}"))
    run(
        one,
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.orders (id INT NOT NULL, line INT NOT NULL, name VARCHAR(20) DEFAULT 'x',"
        " price DECIMAL(8,2), PRIMARY KEY (id, line))",
        "CREATE TABLE shop.o_ders (id INT NOT NULL UNIQUE)",
        "CREATE TABLE shop.items (id INT, line INT, FOREIGN KEY (id, line) REFERENCES shop.orders)"
        if request.param != "h2"
        else "CREATE TABLE shop.items (id INT, line INT, FOREIGN KEY (id, line) REFERENCES shop.orders (id, line))",
        "CREATE VIEW shop.names AS SELECT name FROM shop.orders",
    )
    return one


def ask(session: JdbcSession, word: str, *arguments: str | None) -> list[dict[str, Any]]:
    result = session.query(build_ask(word, *arguments))
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


def test_the_database_says_what_it_is(session: JdbcSession) -> None:
    facts = {row["name"]: row["value"] for row in ask(session, "database")}
    assert facts["product"] in ("Apache Derby", "H2", "HSQL Database Engine")
    assert (facts["quote"], facts["upper_names"], facts["transactions"]) == ('"', "true", "true")
    assert facts["schema"] in ("APP", "PUBLIC")


def test_schemas_and_their_tables_and_views_are_listed(session: JdbcSession) -> None:
    assert {"schema": "SHOP"} in ask(session, "schemas")
    tables = {row["name"]: row["type"] for row in ask(session, "tables", "SHOP")}
    assert {name: "VIEW" in kind for name, kind in tables.items()} == {
        "ORDERS": False,
        "O_DERS": False,
        "ITEMS": False,
        "NAMES": True,
    }


def test_columns_come_in_order_with_their_types(session: JdbcSession) -> None:
    columns = ask(session, "columns", "SHOP", "ORDERS")
    assert [(row["name"], row["type"], row["nullable"]) for row in columns] == [
        ("ID", "INTEGER", "false"),
        ("LINE", "INTEGER", "false"),
        ("NAME", "VARCHAR(20)", "true"),
        ("PRICE", "DECIMAL(8,2)", "true"),
    ]
    assert columns[2]["default"] == "'x'"


def test_a_name_with_an_underscore_matches_only_itself(session: JdbcSession) -> None:
    assert [row["name"] for row in ask(session, "columns", "SHOP", "O_DERS")] == ["ID"]
    assert {row["table"] for row in ask(session, "columns", "SHOP", None)} == {"ORDERS", "O_DERS", "ITEMS", "NAMES"}


def test_keys_and_what_refers_to_them_are_told(session: JdbcSession) -> None:
    assert [row["name"] for row in ask(session, "primary-key", "SHOP", "ORDERS")] == ["ID", "LINE"]
    assert [row["name"] for row in ask(session, "unique-indexes", "SHOP", "O_DERS")] == ["ID"]
    assert {(row["from_table"], row["from_column"]) for row in ask(session, "references", "SHOP", "ORDERS")} == {
        ("ITEMS", "ID"),
        ("ITEMS", "LINE"),
    }


def test_a_query_is_described_without_running_it(session: JdbcSession) -> None:
    rows = ask(session, "describe", "SELECT id, price, 1 / (id - id) AS x FROM shop.orders")
    assert [(row["name"], row["type"]) for row in rows[:2]] == [("ID", "INTEGER"), ("PRICE", "DECIMAL(8,2)")]


def test_a_query_that_cannot_be_prepared_is_refused(session: JdbcSession) -> None:
    with pytest.raises(StatementFailed, match="NOWHERE"):
        ask(session, "describe", "SELECT * FROM nowhere")


def test_the_types_are_listed(session: JdbcSession) -> None:
    assert {"INTEGER", "BIGINT"} <= {row["type_name"] for row in ask(session, "types")}


def test_too_many_arguments_are_refused(session: JdbcSession) -> None:
    with pytest.raises(Invalid, match="'schemas' does not take 1 arguments"):
        ask(session, "schemas", "x")


def test_answers_stream_too(session: JdbcSession) -> None:
    (block,) = session.stream(build_ask("schemas"))
    assert ("SHOP",) in block.rows

# Which modules are made from which: by what a database told of queries, else by the names in them. Opens nothing.
"""`find_lineage`."""

from dataclasses import replace

import pytest

from pipekit.engine.looking.lineage import Told, find_lineage, list_words, sign_asked, split_table
from pipekit.models import Connection, Module

CONNECTIONS = {
    number: Connection(id=number, name=name, driver="postgresql", jdbc_url=url)
    for number, name, url in ((1, "shop", "jdbc:a"), (2, "dw", "jdbc:b"), (3, "dw as reader", "jdbc:b"))
}
ORDERS = Module(id=1, name="orders", source_id=1, dest_id=2, source_query="select 1", dest_table="core.orders")
SALES = replace(
    ORDERS, id=2, name="sales", source_id=3, dest_table="mart.sales", source_query='select * from core."orders"'
)
QUOTES = replace(
    SALES, id=3, name="quotes", source_query="select 'orders' -- orders\n from core.ordersx", dest_table="q"
)


def test_names_in_a_query_tell_both_ways_where_nobody_has_looked() -> None:
    found = find_lineage(ORDERS, [SALES, QUOTES], CONNECTIONS, {})
    assert [(item.name, item.by_database) for item in found.read_by] == [("sales", False)]
    other = find_lineage(SALES, [ORDERS, QUOTES], CONNECTIONS, {})
    assert [(item.name, item.table) for item in other.made_from] == [("orders", "core.orders")]
    assert other.read_by == []


@pytest.mark.parametrize(
    ("tables", "expected"),
    [([("core", "orders")], ["sales"]), ([("old", "orders")], []), ([(None, "ORDERS")], ["sales"]), ([], [])],
)
def test_what_the_database_told_of_a_query_counts_before_its_names(
    tables: list[tuple[str | None, str]], expected: list[str]
) -> None:
    told = {SALES.id: (sign_asked(SALES, CONNECTIONS), tables)}
    found = find_lineage(ORDERS, [SALES], CONNECTIONS, told)
    assert [item.name for item in found.read_by] == expected
    assert all(item.by_database for item in found.read_by)


def test_what_was_told_of_another_query_is_not_taken() -> None:
    told: Told = {SALES.id: (sign_asked(replace(SALES, source_query="select 2"), CONNECTIONS), [])}
    assert [item.by_database for item in find_lineage(ORDERS, [SALES], CONNECTIONS, told).read_by] == [False]


def test_another_database_with_a_table_of_the_name_is_no_neighbour() -> None:
    elsewhere = replace(SALES, source_id=1)
    assert find_lineage(ORDERS, [elsewhere], CONNECTIONS, {}).read_by == []


def test_tables_and_words_are_read_as_they_are_quoted() -> None:
    tables = ["orders", "core.orders", '"My Schema"."The.Table"', "[dbo].[Orders]"]
    assert [split_table(text) for text in tables] == [
        (None, "orders"), ("core", "orders"), ("My Schema", "The.Table"), ("dbo", "Orders"),
    ]  # fmt: skip
    words = {"select", "a", "b c", "from", "x", "y", "where", "q"}
    assert list_words("select a.\"B c\" from x.y -- z\n where q = 'w'") == words

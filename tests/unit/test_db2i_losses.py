# The query that finds every value like one that Db2 for i could not give, made from a module's own. Text only.
"""pipekit.drivers.db2i.losses."""

import pytest

from pipekit.drivers.db2i.losses import find_lost
from pipekit.runner_contract import ResultColumn

PACKED = ResultColumn(name="AMT", type="DECIMAL(7,2)")
WHOLE = "SYSTOOLS.VALIDATE_DATA"


@pytest.mark.parametrize(
    ("query", "place", "table", "column"),
    [
        ("SELECT * FROM SHOPLIB.ORDERS", 3, "SHOPLIB.ORDERS", "AMT"),
        ("SELECT o.* FROM orders o WHERE o.amt > 1 WITH UR", 3, "orders", "AMT"),
        ("SELECT id, o.amount AS amt FROM l.orders AS o ORDER BY 1 FETCH FIRST 5 ROWS ONLY", 1, "l.orders", "amount"),
        ('SELECT COALESCE(a, \',\') a, "Amt,1" "AMT" /* x, */ FROM "Lib"."Tab" -- end', 1, '"Lib"."Tab"', '"Amt,1"'),
    ],
)  # fmt: skip
def test_a_number_of_one_table_is_found_by_its_bytes_and_row_number(
    query: str, place: int, table: str, column: str
) -> None:
    assert find_lost(query, place, PACKED) == (
        f"All of them: SELECT RRN(t), HEX(t.{column}) FROM {table} AS t WHERE"
        f" TRANSLATE(HEX(t.{column}), '000000000FFFFF', '123456789ABCDE') NOT IN ('0000000F', 'F0F0F0F0F0F0F0')."
    )


@pytest.mark.parametrize(
    "query",
    [
        "SELECT amt * 2 AS amt FROM orders",
        "SELECT o.amt FROM orders o JOIN lines l ON l.id = o.id",
        "SELECT amt FROM orders, lines",
        "SELECT amt FROM (SELECT amt FROM orders) AS x",
        "SELECT amt FROM orders UNION ALL SELECT amt FROM old",
        "WITH x AS (SELECT amt FROM orders) SELECT amt FROM x",
        "SELECT amt FROM TABLE(f()) AS x",
        "VALUES 1",
    ],
)
def test_where_the_query_does_more_the_systems_own_function_is_named(query: str) -> None:
    assert WHOLE in find_lost(query, 0, PACKED)


@pytest.mark.parametrize("type_text", ["INTEGER", "DATE", "VARCHAR(9) CCSID 37", "DECFLOAT(34)", "DECIMAL"])
def test_of_a_type_whose_bytes_tell_nothing_nothing_is_said(type_text: str) -> None:
    assert find_lost("SELECT amt FROM orders", 0, ResultColumn(name="AMT", type=type_text)) == ""


@pytest.mark.parametrize(("type_text", "forms"), [
    ("DECIMAL(1,0)", ("0F", "F0")),
    ("DECIMAL(6,0)", ("0000000F", "F0" * 6)),
    ("DECIMAL(31,10)", ("0" * 31 + "F", "F0" * 31)),
])  # fmt: skip
def test_the_forms_are_as_long_as_the_bytes(type_text: str, forms: tuple[str, str]) -> None:
    """Packed: two digits a byte and the sign in the last half; zoned: a digit a byte."""
    found = find_lost("SELECT amt FROM orders", 0, ResultColumn(name="AMT", type=type_text))
    assert f"NOT IN ('{forms[0]}', '{forms[1]}')" in found

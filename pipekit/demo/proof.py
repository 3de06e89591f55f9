# The proof that the dest holds what the source holds. Knows the shop's columns, no module and no run.
"""Reads both sides in the order of their keys and compares every value."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint

# Every column as text both kinds of database spell the same way: decimals as whole cents, dates as they are.
READ_SQL = {
    "customers": """SELECT customer_id, name, email, city, born, CAST(round(credit_limit * 100) AS INTEGER), updated_at
        FROM customers ORDER BY customer_id""",
    "orders": """SELECT order_id, customer_id, status, CAST(round(total * 100) AS INTEGER), note, ordered_on, updated_at
        FROM orders ORDER BY order_id""",
    "order_lines": """SELECT line_id, order_id, product, quantity, CAST(round(price * 100) AS INTEGER),
        CAST(round(discount * 1000) AS INTEGER), shipped_on FROM order_lines ORDER BY line_id""",
}

Row = tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """How a table's two sides compare. `difference` tells the first rows that are not equal, `""` when all are."""

    table: str
    rows: int
    values: int
    difference: str = ""


def compare_table(table: str, source: Endpoint, dest: Endpoint) -> Verdict:
    """Reads a table on both sides at once, each through a runner of its own, never holding it whole."""
    rows = values = 0
    with NativeRunner() as left, NativeRunner() as right:
        sides = (_read(runner, endpoint, table) for runner, endpoint in ((left, source), (right, dest)))
        for one, other in zip_longest(*sides):
            if one != other:
                return Verdict(table=table, rows=rows, values=values, difference=f"source {one}, dest {other}")
            rows += 1
            values += len(one)
    return Verdict(table=table, rows=rows, values=values)


def _read(runner: NativeRunner, endpoint: Endpoint, table: str) -> Iterator[Row]:
    for block in runner.stream(endpoint, READ_SQL[table]):
        yield from block.rows

# Which tables a PostgreSQL query reads, by its plan. SQL text and its answer; no I/O here.
"""`list_query_tables`."""

import json
from collections.abc import Iterator
from typing import Any

from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.tables import TableName
from pipekit.runner_contract import Query


def list_query_tables(query: Query, sql: str) -> tuple[TableName, ...]:
    """The tables of a query's plan, in which views are gone already. Raises as the query does."""
    answer = query(f"EXPLAIN (VERBOSE, FORMAT json)\n{strip_query(sql)}").first_cell()
    plan = json.loads(answer or "[{}]")[0].get("Plan", {})
    found = {(node.get("Schema"), node["Relation Name"]) for node in _walk(plan) if "Relation Name" in node}
    return tuple(TableName(schema=schema, name=name) for schema, name in sorted(found))


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _walk(inner)

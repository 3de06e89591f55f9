# What stands around a dest over JDBC: keys, foreign keys that point at it, triggers. Asks, opens nothing.
"""`look_around`, and its parts.

Keys come from the driver's metadata. Triggers are in no part of JDBC: each product has a catalogue of its own for them,
and where none is known a merge is looked after as if something fired.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipekit.drivers.base import TableName
from pipekit.drivers.facts import CHANGING, Action, Event, Firing, Reference
from pipekit.drivers.jdbc.asking import build_ask
from pipekit.drivers.jdbc.products import Product
from pipekit.drivers.jdbc.triggers import TRIGGERS
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Query

Row = dict[str, str | None]
Literal = Callable[[str], str]
# The foreign keys that point at a table, a row for each column, in order.
Ask = Callable[[TableName], Sequence[Row]]

# `DatabaseMetaData.importedKeyCascade` and its like.
_RULES: dict[str, Action] = {
    "0": "cascade", "1": "restrict", "2": "set null", "3": "no action", "4": "set default",
    "cascade": "cascade", "restrict": "restrict", "set null": "set null", "set default": "set default",
}  # fmt: skip
_EVENTS: dict[str, Event] = {"I": "insert", "U": "update", "D": "delete", "T": "truncate"}
_ALL: frozenset[Event] = frozenset({"insert", "update", "delete"})
# A chain of cascades longer than this is followed no further.
_DEEPEST = 8
# What a DECFLOAT has that says no number.
_DECFLOAT_DIGITS = 34


def look_around(query: Query, product: Product, literal: Literal, table: TableName) -> dict[str, Any]:
    """The fields of `TableFacts` that say who a merge touches; the table's schema is known."""
    return {
        "keys": list_keys(query, table),
        "can_keep": True,
        "referring": gather_references(lambda place: ask_references(query, place), table),
        "fires": (*list_firing(query, product, literal, table), *_list_converting(query, product, table)),
    }


def _list_converting(query: Query, product: Product, table: TableName) -> Iterator[Firing]:
    """Columns that may round what they are given, and of which JDBC does not tell how."""
    for row in _ask(query, "columns", table.schema, table.name) if product.compares else ():
        name = (row["type_name"] or "").upper()
        if name.startswith("INTERVAL") or (name == "DECFLOAT" and int(row["size"] or 0) < _DECFLOAT_DIGITS):
            yield Firing(name=f"column {row['name']} of type {name}", events=_ALL)


def list_keys(query: Query, table: TableName) -> tuple[tuple[str, ...], ...]:
    """Unique keys whose columns take no NULL, the primary key first."""
    primary = [(row["position"], row["name"]) for row in _ask(query, "primary-key", table.schema, table.name)]
    found: dict[str, list[str]] = {}
    columns = {row["name"]: row["nullable"] for row in _ask(query, "columns", table.schema, table.name)}
    for row in _ask(query, "unique-indexes", table.schema, table.name):
        found.setdefault(row["index"] or "", []).append(row["name"] or "")
    others = [tuple(names) for names in found.values() if all(columns.get(name) == "false" for name in names)]
    key = tuple(name or "" for _, name in primary)
    return tuple(dict.fromkeys([key, *others] if key else others))


def gather_references(ask: Ask, dest: TableName) -> tuple[Reference, ...]:
    """Foreign keys that point at a table, and through them at the tables whose rows would go along or be changed."""
    return tuple(_walk(ask, dest, dest, None, (dest,)))


def _walk(
    ask: Ask, dest: TableName, table: TableName, parent: Reference | None, path: tuple[TableName, ...]
) -> Iterator[Reference]:
    for parts in _group(ask(table)):
        child = TableName(schema=parts[0]["from_schema"], name=parts[0]["from_table"] or "")
        reference = Reference(
            child=child,
            columns=tuple(part["from_column"] or "" for part in parts),
            referred=tuple(part["column"] or "" for part in parts),
            on_delete=_read_rule(parts[0]["on_delete"]),
            on_update=_read_rule(parts[0]["on_update"]),
            is_own=child == dest,
            parent=parent,
        )
        yield reference
        if {reference.on_delete, reference.on_update} & {*CHANGING} and child not in path and len(path) < _DEEPEST:
            yield from _walk(ask, dest, child, reference, (*path, child))


def _group(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each constraint; one without a name ends where its columns begin anew."""
    found: dict[tuple[str | None, ...], list[Row]] = {}
    number = 0
    for row in rows:
        number += row.get("position") in (None, "1") and not row["constraint"]
        name = row["constraint"] or str(number)
        found.setdefault((row["from_schema"], row["from_table"], name), []).append(row)
    return list(found.values())


def _read_rule(text: str | None) -> Action:
    """A rule by its number in JDBC, or by its words."""
    words = (text or "").lower().replace("_", " ")
    return _RULES.get(words, "no action")


def list_firing(query: Query, product: Product, literal: Literal, table: TableName) -> tuple[Firing, ...]:
    """The triggers that are on; one that stands for all where the product does not tell."""
    sql = TRIGGERS.get(product.name)
    if sql is None:
        return (Firing(name="triggers, of which this kind cannot tell", events=_ALL),)
    try:
        rows = query(sql.format(schema=literal(table.schema or ""), table=literal(table.name))).rows
    except StatementFailed:
        return (Firing(name="triggers, of which this login may not know", events=_ALL),)
    found: dict[str, set[Event]] = {}
    for name, events in rows:
        found.setdefault(name or "", set()).update(read_events(events or ""))
    return tuple(Firing(name=f"trigger {name}", events=frozenset(events)) for name, events in sorted(found.items()))


def read_events(text: str) -> frozenset[Event]:
    """`INSERT OR UPDATE`, `I`; one that says nothing known is for all of them."""
    words = text.upper().replace(",", " ").split()
    return frozenset(_EVENTS[word[0]] for word in words if word != "OR" and word[:1] in _EVENTS) or _ALL


def ask_references(query: Query, table: TableName) -> list[Row]:
    """As JDBC tells them."""
    return _ask(query, "references", table.schema, table.name)


def _ask(query: Query, word: str, *arguments: str | None) -> list[Row]:
    result = query(build_ask(word, *arguments))
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]

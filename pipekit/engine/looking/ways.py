# How a table is best kept in step, as far as its columns tell: a proposal for a person to change. Pure.
"""`propose_way`, `list_growing`, `find_schemas`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.base import Driver, TableColumn
from pipekit.engine.looking.look import Look
from pipekit.models import Strategy

# A smaller table is read whole in no time, and then it is right whatever happened to its rows.
LARGE_ROWS = 100_000
# A listing of more schemas than these is not counted: each is a question of its own.
MOST_COUNTED = 40
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})
_WHOLE = frozenset({"int16", "int32", "int64"})
_GROWING = frozenset({*_MOMENTS, *_WHOLE, "decimal"})
_CHANGED = re.compile(r"upd|modif|chang|chg|edited|last_?(?:write|touch)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """A strategy with its key, and the column whose greatest value a run reads on from; `""` for none."""

    strategy: Strategy = "full"
    key: tuple[str, ...] = ()
    watermark: str = ""


def propose_way(driver: Driver, columns: Sequence[TableColumn], rows: int | None) -> Way:
    """By a moment of the last change where there is one; a large table by its key that grows; the others whole."""
    key = tuple(column.name for column in columns if column.in_key)
    changed = next((column.name for column in columns if _tells_change(driver, column)), "")
    if key and changed:
        return Way(strategy="upsert", key=key, watermark=changed)
    grows = [column for column in columns if column.in_key and driver.to_neutral(column.type).name in _WHOLE]
    if len(key) == 1 and grows and rows is not None and rows >= LARGE_ROWS:
        return Way(strategy="append", key=key, watermark=key[0])
    return Way(key=key)


def _tells_change(driver: Driver, column: TableColumn) -> bool:
    name = driver.to_neutral(column.type).name
    if name == "bytes":
        # The counter of changes that a server keeps itself.
        return driver.has_bare_bytes and column.type.lower() in ("rowversion", "timestamp")
    return name in _MOMENTS and name != "date" and bool(_CHANGED.search(column.name))


def list_growing(driver: Driver, columns: Sequence[TableColumn]) -> list[str]:
    """The columns whose values may grow with the rows, those that tell of a change or are the key first."""
    found = [c for c in columns if driver.to_neutral(c.type).name in _GROWING or _tells_change(driver, c)]
    return [c.name for c in sorted(found, key=lambda c: (not _tells_change(driver, c), not c.in_key))]


def find_schemas(look: Look) -> dict[str, int | None]:
    """A database's schemas with how many tables each has, those with tables first; None where there are too many."""
    schemas = look.driver.list_schemas(look.query)
    if len(schemas) > MOST_COUNTED or not look.driver.has_schemas:
        return dict.fromkeys(schemas)
    counted = {schema: len(look.driver.list_tables(look.query, schema)) for schema in schemas}
    return dict(sorted(counted.items(), key=lambda item: not item[1]))

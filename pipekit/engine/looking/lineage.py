# Which modules are made from which: by the tables their queries read and the dests they fill. Pure; opens no database.
"""`find_lineage`, `sign_asked`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from pipekit.drivers.sqltext import tokens
from pipekit.models import Connection, Module

Table = tuple[str | None, str]
# What tables were told by the database for: what was asked then, and the tables.
Told = Mapping[int, tuple[str, Sequence[Table]]]
_QUOTES = '"`[]'


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbour:
    """A module that fills what another one reads, or reads what it fills; `by_database` where the database says so."""

    module_id: int
    name: str
    table: str
    by_database: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Lineage:
    """What a module is made from, and who reads its dest."""

    made_from: Sequence[Neighbour]
    read_by: Sequence[Neighbour]


def sign_asked(module: Module, connections: Mapping[int, Connection]) -> str:
    """A digest of what a look at a module asks: an answer to something else is none."""
    places = [connections[place].jdbc_url for place in (module.source_id, module.dest_id)]
    return sha256("\0".join([*places, module.source_query, module.dest_table]).encode()).hexdigest()[:16]


def find_lineage(
    module: Module, modules: Sequence[Module], connections: Mapping[int, Connection], told: Told
) -> Lineage:
    """The neighbours of a module by what its database told of queries, else by the names that stand in them."""
    others = [other for other in modules if other.id != module.id]
    made_from = [_meet(other, other, module, connections, told) for other in others]
    read_by = [_meet(other, module, other, connections, told) for other in others]
    return Lineage(made_from=_sort(made_from), read_by=_sort(read_by))


def _sort(found: Sequence[Neighbour | None]) -> list[Neighbour]:
    return sorted((item for item in found if item), key=lambda item: item.name.casefold())


def _meet(
    other: Module, filler: Module, reader: Module, connections: Mapping[int, Connection], told: Told
) -> Neighbour | None:
    """The other one of two modules, where `reader` reads what `filler` fills."""
    place, dest = connections[reader.source_id], connections[filler.dest_id]
    if (place.driver, place.jdbc_url) != (dest.driver, dest.jdbc_url):
        return None
    filled = split_table(filler.dest_table)
    asked, tables = told.get(reader.id, ("", ()))
    if asked == sign_asked(reader, connections):
        is_read, by_database = any(_is_same(filled, table) for table in tables), True
    else:
        is_read, by_database = filled[1].casefold() in list_words(reader.source_query), False
    if not is_read:
        return None
    return Neighbour(module_id=other.id, name=other.name, table=filler.dest_table, by_database=by_database)


def split_table(text: str) -> Table:
    """`mart."Orders"` -> `mart`, `Orders`."""
    parts = [part.strip(_QUOTES) for part in re.findall(r'"[^"]*"|`[^`]*`|\[[^\]]*\]|[^."`\[\]]+', text.strip())]
    parts = [part for part in parts if part.strip()]
    return (parts[-2] if len(parts) > 1 else None, parts[-1]) if parts else (None, text)


def _is_same(one: Table, two: Table) -> bool:
    (schema, name), (other_schema, other_name) = one, two
    is_schema = schema is None or other_schema is None or schema.casefold() == other_schema.casefold()
    return name.casefold() == other_name.casefold() and is_schema


@lru_cache(maxsize=4096)
def list_words(sql: str) -> frozenset[str]:
    """The names that stand in a query, folded; none of its comments and strings."""
    plain = "".join(sql[start:end] if kind in ("name", "other") else " " for kind, start, end in tokens(sql))
    return frozenset(word.strip(_QUOTES).casefold() for word in re.findall(r'"[^"]+"|`[^`]+`|\[[^\]]+\]|\w+', plain))

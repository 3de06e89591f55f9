# Which column of a query ends in which column of the dest, through a staging table in between. Names only.
"""`map_direct` and `map_columns`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipekit.models import Match
from pipekit.scripts.statements import Statement

Names = Sequence[str] | None


@dataclass(slots=True)
class Mapped:
    """How columns meet: `pairs` are those whose names differ on both sides."""

    match: Match = "name"
    pairs: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def map_direct(source: Names, dest: Names) -> Mapped:
    """jrunner inserts by position."""
    if source and all(source) and dest and len(source) <= len(dest):
        return _pair(source, dest)
    return Mapped(match="position")


def _pair(source: Sequence[str], dest: Sequence[str]) -> Mapped:
    pairs = zip(source, dest, strict=False)
    return Mapped(pairs=[(one, other) for one, other in pairs if one.casefold() != other.casefold()])


def map_columns(source: Names, staging: Names, feed: Statement, dest: Names) -> Mapped:
    """Source to staging by position, staging to dest by the insert's select list and columns."""
    targets = feed.columns or dest
    if feed.items == ("*",):
        return _map_star(source, staging, targets, dest)
    if "" in feed.items or "*" in feed.items:
        return Mapped(problems=["the insert computes columns; do that in the module's query"])
    if targets is None:
        if source and [name.casefold() for name in source] == [name.casefold() for name in feed.items]:
            return Mapped(match="position")
        return Mapped(problems=["which columns the insert fills is not known: it names none, and there is no DDL"])
    if len(targets) < len(feed.items) or (feed.columns and len(targets) != len(feed.items)):
        return Mapped(problems=["the insert names as many columns as it selects neither more nor less: it does not"])
    return _map_names(source, staging, feed.items, targets)


def _map_star(source: Names, staging: Names, targets: Names, dest: Names) -> Mapped:
    if targets is None:
        return Mapped(match="position")
    named = source if source and all(source) else None
    if named is not None and len(named) == len(targets):
        return _pair(named, targets)
    if dest and [name.casefold() for name in dest] == [name.casefold() for name in targets]:
        return Mapped(match="position")
    if staging and len(staging) == len(targets):
        mapped = _pair(staging, targets)
        mapped.notes.append("the query's columns are taken to be called like those of the table that jrunner filled")
        return mapped
    return Mapped(problems=["which column of the query feeds which column of the dest cannot be told"])


def _map_names(source: Names, staging: Names, items: Sequence[str], targets: Sequence[str]) -> Mapped:
    mapped = Mapped()
    origin: dict[str, str] = {}
    if staging and source and all(source) and len(staging) == len(source):
        origin = {one.casefold(): other for one, other in zip(staging, source, strict=True)}
    elif source:
        origin = {name.casefold(): name for name in source}
    else:
        mapped.notes.append("the query's columns are taken to be called like those of the table that jrunner filled")
    used = set()
    for item, target in zip(items, targets, strict=False):
        name = origin.get(item.casefold(), "" if origin else item)
        if not name:
            mapped.problems.append(f"the insert takes the column {item}, which the query does not have")
            continue
        used.add(name.casefold())
        if name.casefold() != target.casefold():
            mapped.pairs.append((name, target))
    left = [name for name in origin.values() if name.casefold() not in used]
    if left:
        mapped.problems.append(f"the query's columns {', '.join(left)} are not inserted; take them out of the query")
    return mapped

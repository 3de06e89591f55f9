# Column truth: which source column feeds which dest column. Knows records only, no database.
"""Matching a query's columns with a table's, by name or by position."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.base import Driver, StagedColumn, TableColumn
from pipekit.engine.planning.naming import find_mapped_name, name_columns
from pipekit.engine.planning.past.own_columns import drop_own_columns
from pipekit.errors import RunFailed
from pipekit.models import Column, Module
from pipekit.pairs import parse_pairs
from pipekit.runner_contract import ResultColumn

# What databases call an expression is none: `?column?`, `count(*)`, `1`, nothing, and the column1 of a list of values.
_USABLE = re.compile(r"(?!column\d+\Z)[^\W\d][\w$#@ .-]*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnMatch:
    """Which columns travel, and what is left out: `ignored` of the source, `unfed` of the dest."""

    columns: tuple[StagedColumn, ...]
    ignored: tuple[str, ...] = ()
    unfed: tuple[str, ...] = ()


def check_translated(translate: str, source: Sequence[ResultColumn]) -> None:
    """Raises RunFailed for a name of `translate` that is no column of the query, or one that was text already."""
    types = {column.name: column.type for column in source}
    for name, ccsid in parse_pairs(translate).items():
        if name not in types:
            message = f"`translate` names '{name}', which is no column of the query."
            raise RunFailed(message, stage="plan", hint=f"Its columns: {', '.join(types)}.")
        if not types[name].endswith(f" CCSID {ccsid}"):
            told = types[name] or "of a type that is not told"
            message = f"`translate` names '{name}', which is {told} and not text as bytes (CCSID 65535 of Db2 for i)."
            raise RunFailed(message, stage="plan", hint="Take it out of the module's `translate`.")


def match_columns(
    module: Module,
    source_driver: Driver,
    dest_driver: Driver,
    source: Sequence[ResultColumn],
    dest: Sequence[TableColumn],
) -> ColumnMatch:
    """Pairs the columns, in the source's order. Raises RunFailed (stage `check`) that names every column in the way."""
    strict, dest = module.guards.column_truth, drop_own_columns(dest_driver, module, dest)
    problems: list[str] = []
    if module.match == "position":
        pairs = _by_position(source, dest, problems)
    else:
        pairs = _by_name(dest_driver, module.columns, source, dest, problems if strict else [])
    fed = {column.name for _, column in pairs}
    unfed = [column for column in dest if column.name not in fed and not column.generated]
    if strict:
        problems += [
            f"the dest column '{column.name}' is NOT NULL, has no default and is fed by nothing"
            for column in unfed
            if not column.nullable and not column.has_default
        ]
    staged = [dest_driver.stage_column(column, source_driver, target) for column, target in pairs]
    problems += [f"'{s.source.name}' cannot be stored in '{s.dest.name}': {s.refused}" for s in staged if s.refused]
    if not pairs and not problems:
        problems.append("the query and the dest table have no column in common")
    if problems:
        _refuse(module, problems, source)
    kept = {id(column) for column, _ in pairs}
    return ColumnMatch(
        columns=tuple(staged),
        ignored=tuple(column.name for column in source if id(column) not in kept),
        unfed=tuple(column.name for column in unfed),
    )


Pairs = list[tuple[ResultColumn, TableColumn]]


def _by_name(
    driver: Driver,
    mapping: Sequence[Column],
    source: Sequence[ResultColumn],
    dest: Sequence[TableColumn],
    problems: list[str],
) -> Pairs:
    repeated = [(name, n) for name, n in Counter(column.name for column in source).items() if n > 1]
    problems += [f"the query has {n} columns named '{name}'" for name, n in repeated]
    pairs: Pairs = []
    feeds: dict[str, str] = {}
    for column, target in zip(source, find_targets(driver, mapping, source, dest), strict=True):
        if target is None:
            problems.append(f"the source column '{column.name}' has no dest column")
        elif target.generated:
            problems.append(f"the dest column '{target.name}' is computed by the database and cannot be fed")
        elif target.name in feeds and feeds[target.name] != column.name:
            both = f"'{feeds[target.name]}' and '{column.name}'"
            problems.append(f"{both} would both feed the dest column '{target.name}'")
        elif target.name not in feeds:
            feeds[target.name] = column.name
            pairs.append((column, target))
    return pairs


def find_targets(
    driver: Driver, mapping: Sequence[Column], source: Sequence[ResultColumn], dest: Sequence[TableColumn]
) -> list[TableColumn | None]:
    """The dest column of each source column: the mapping's, else one of its name, else one called as it would be made.

    What another source column is called exactly is not taken from it by one that is only like it.
    """
    names = [column.name for column in source]
    proposed = name_columns(driver, mapping, names)
    targets: list[TableColumn | None] = []
    for name, made in zip(names, proposed, strict=True):
        if find_mapped_name(mapping, name):
            targets.append(_find_column(dest, made))
            continue
        in_doubt = len(_list_alike(dest, name)) > 1  # only an exact name tells these apart
        texts = (name,) if in_doubt else (name, made)
        found = [target for target in (_find_column(dest, text) for text in texts) if target]
        own = [target for target in found if target.name == name or target.name not in names]
        targets.append(next(iter(own or found), None))
    return targets


def _find_column(dest: Sequence[TableColumn], name: str) -> TableColumn | None:
    """The column of this name; ignoring case where exactly one differs only in case."""
    for column in dest:
        if column.name == name:
            return column
    alike = _list_alike(dest, name)
    return alike[0] if len(alike) == 1 else None


def _list_alike(dest: Sequence[TableColumn], name: str) -> list[TableColumn]:
    return [column for column in dest if column.name.casefold() == name.casefold()]


def _by_position(source: Sequence[ResultColumn], dest: Sequence[TableColumn], problems: list[str]) -> Pairs:
    takers = [column for column in dest if not column.generated]
    numbered = [column for column in takers if column.identity]
    if numbered and len(source) < len(takers) and not _names_one(source, numbered):
        if len(source) != len(takers) - len(numbered):
            names = ", ".join(f"'{column.name}'" for column in numbered)
            count = f"the query has {len(source)} columns, the dest table takes {len(takers)}"
            problems.append(f"{count}, and position does not tell whether {names}, an identity, is one of them")
        takers = [column for column in takers if not column.identity]
    if len(source) > len(takers):
        problems.append(f"the query has {len(source)} columns, the dest table takes {len(takers)} by position")
    return list(zip(source, takers, strict=False))


def _names_one(source: Sequence[ResultColumn], numbered: Sequence[TableColumn]) -> bool:
    """Whether a query has a column that is called like one of those that the database numbers."""
    names = {column.name.casefold() for column in numbered}
    return any(column.name.casefold() in names for column in source)


def _refuse(module: Module, problems: list[str], source: Sequence[ResultColumn]) -> None:
    hint = "Name the columns in the query or map them in the module's `columns`."
    if module.match == "name":
        names = [column.name for column in source]
        if any(names.count(name) > 1 or not _USABLE.fullmatch(name) for name in names):
            hint += " Where they have no usable names, `match: position` on the module takes them in their order."
        hint += " With `guards: {column_truth: false}` on the module the columns that do not meet would be left out."
    raise RunFailed(f"The columns do not meet: {'; '.join(problems)}.", stage="check", hint=hint)

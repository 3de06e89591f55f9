# The key of a dest that is made: by which columns a merge will search it, and whether they may repeat. Builds no SQL.
"""A merge finds rows by its key: a dest that is made gets a primary key where none can repeat, an index elsewhere.

`upsert` has one row for each key by contract. `incremental` may repeat keys, except where the key is the source table's
own; even then only where two different keys cannot become equal on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipekit.drivers.base import Driver, TableColumn
from pipekit.drivers.selects import read_plain_select
from pipekit.engine.context import RunContext
from pipekit.engine.planning.columns import ColumnMatch
from pipekit.engine.planning.naming import find_named, name_columns
from pipekit.errors import RunFailed, RunnerError
from pipekit.models import KEYED, Module
from pipekit.runner_contract import ResultColumn

_NUMBERS = frozenset({"int16", "int32", "int64", "decimal", "date", "uuid"})


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyedColumns:
    """Columns with their key marked; `indexed` are those that get an index instead; `told` says it for the receipt."""

    columns: Sequence[TableColumn]
    indexed: tuple[str, ...] = ()
    told: str = ""


def set_key(driver: Driver, module: Module, columns: Sequence[TableColumn], *, unique: bool) -> KeyedColumns:
    """The columns with the key that the module's merge asks for; `unique` says that no key can come twice.

    A primary key that they have been given stays; it serves a merge whose key it begins with.
    """
    key = _find_key(driver, module, columns)
    if module.merge_strategy == "snapshot":
        return _set_version_key(driver, module, columns, key)
    given = [column.name for column in columns if column.in_key]
    if not key or {*given[: len(key)]} == {column.name for column in key}:
        return KeyedColumns(columns=columns)
    names = ", ".join(column.name for column in key)
    if refused := driver.find_key_refusal(key):
        return KeyedColumns(columns=columns, told=f"no index on {names}: {refused}")
    listed = tuple(column.name for column in key)
    if module.guards.null_keys or not unique or given:
        return KeyedColumns(columns=columns, indexed=listed, told=f"index on {names}")
    keyed = [replace(c, nullable=False, in_key=True) if c.name in listed else c for c in columns]
    return KeyedColumns(columns=keyed, told=f"primary key {names}")


def _set_version_key(
    driver: Driver, module: Module, columns: Sequence[TableColumn], key: Sequence[TableColumn]
) -> KeyedColumns:
    """A key has many versions: what tells them apart is when each began."""
    columns = [replace(column, in_key=False) for column in columns]
    begin = next(
        (c for c in columns if c.name == find_named(driver, module.history_from, [c.name for c in columns])), None
    )
    listed = [*key, begin] if begin else list(key)
    names = ", ".join(column.name for column in listed)
    if not key or (refused := driver.find_key_refusal(listed)):
        return KeyedColumns(columns=columns, told=f"no index on {names}: {refused}" if key else "")
    told = [column.name for column in listed]
    if module.guards.null_keys:
        return KeyedColumns(columns=columns, indexed=tuple(told), told=f"index on {names}")
    keyed = [replace(c, nullable=False, in_key=True) if c.name in told else c for c in columns]
    return KeyedColumns(columns=keyed, told=f"primary key {names}")


def _find_key(driver: Driver, module: Module, columns: Sequence[TableColumn]) -> list[TableColumn]:
    """The columns of the merge key in its order; none where one is missing, which is told elsewhere."""
    if module.merge_strategy not in KEYED:
        return []
    exact = {column.name: column for column in columns}
    found = [find_named(driver, name, exact) for name in module.merge_key]
    return [exact[name] for name in found if name] if all(found) else []


def find_merge_key(context: RunContext, match: ColumnMatch) -> tuple[str, ...]:
    """The merge key as dest column names; raises RunFailed when a keyed strategy has none or one that is not fed."""
    module = context.module
    if module.merge_strategy not in KEYED:
        return ()
    if not module.merge_key:
        message = f"The strategy {module.merge_strategy} needs a merge key."
        raise RunFailed(message, stage="plan", hint="Set the module's `key`.")
    fed = [item.dest.name for item in match.columns]
    key = tuple(find_named(context.dest_driver, name, fed) or "" for name in module.merge_key)
    missing = [name for name, found in zip(module.merge_key, key, strict=True) if not found]
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        hint = "The key names dest columns that the query feeds."
        raise RunFailed(f"The merge key has no such column in the load: {names}.", stage="check", hint=hint)
    return key


def is_unique(
    context: RunContext, columns: Sequence[TableColumn], source: Sequence[ResultColumn], resolved: str
) -> bool:
    """Whether no two rows of this module can have one key, as far as can be known from its definition."""
    module = context.module
    if module.merge_strategy in ("upsert", "snapshot"):
        return True
    if module.merge_strategy != "incremental" or not module.guards.exactness:
        return False
    key = {column.name for column in _find_key(context.dest_driver, module, columns)}
    names = name_columns(context.dest_driver, module.columns, [item.name for item in source])
    feeding = [item for item, name in zip(source, names, strict=True) if name in key]
    if not feeding or not all(_stays_apart(context, item) for item in feeding):
        return False
    return _is_own_key(context, {item.name for item in feeding}, resolved)


def _stays_apart(context: RunContext, item: ResultColumn) -> bool:
    """Whether two values of a column that differ can never be equal in the dest."""
    name = context.source_driver.to_neutral(item.type).name
    compares_bytes = context.dest_driver.compares_bytes and not context.module.trim_char
    return name in _NUMBERS or (name == "text" and compares_bytes)


def _is_own_key(context: RunContext, names: set[str], resolved: str) -> bool:
    """Whether these columns of the query are the primary key of the one table that it reads."""
    plain, driver = read_plain_select(resolved), context.source_driver
    if plain is None:
        return False
    try:
        table = driver.find_query_table(context.ask_source(), plain.table)
        if table is None or driver.get_table_facts(context.ask_source(), table).only:
            return False
        columns = driver.get_columns(context.ask_source(), table)
    except RunnerError:
        return False
    own = {column.name.casefold() for column in columns if column.in_key}
    read = {result.casefold(): base.casefold() for result, base in (plain.columns or {}).items()}
    asked = {read.get(name.casefold(), name.casefold() if plain.columns is None else "") for name in names}
    return bool(own) and len({column.name.casefold() for column in columns}) == len(columns) and asked == own

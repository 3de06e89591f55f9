# What of a module's definition does not meet its databases, found before it is kept. Knows no form and no state.
"""`find_misfits`: the query's columns against the merge key, the mapping and the dest table."""

from collections.abc import Iterator, Sequence

from pipekit.drivers.base import Driver, TableColumn
from pipekit.engine.looking.look import Look
from pipekit.engine.planning.columns import match_columns
from pipekit.engine.planning.naming import find_named, name_columns
from pipekit.errors import RunFailed
from pipekit.models import Module
from pipekit.runner_contract import ResultColumn


def find_misfits(dest: Look, source: Driver, module: Module, columns: Sequence[TableColumn]) -> list[str]:
    """What a run would stumble over, in sentences. `columns` are those of the query.

    Raises what the dest says when it cannot be asked.
    """
    return list(_list_misfits(dest, source, module, columns))


def _list_misfits(dest: Look, source: Driver, module: Module, columns: Sequence[TableColumn]) -> Iterator[str]:
    known = {column.name.casefold() for column in columns}
    for column in module.columns:
        if column.source_name.casefold() not in known:
            yield f"The query gives no column {column.source_name}, which the table of columns names."
    table = dest.driver.resolve_table(dest.query, module.dest_table)
    facts = dest.driver.get_table_facts(dest.query, table)
    if facts.problem:
        yield f"{table} cannot be written to: {facts.problem}."
        return
    if not facts.exists:
        if not module.create_table:
            yield f"There is no table {table}, and the module does not make it."
        names = name_columns(dest.driver, module.columns, [column.name for column in columns])
        yield from _list_missing_key(dest.driver, module, names, "the query")
        return
    existing = dest.driver.get_columns(dest.query, table)
    yield from _list_missing_key(dest.driver, module, [column.name for column in existing], str(table))
    try:
        staged = [ResultColumn(name=column.name, type=column.type) for column in columns]
        match_columns(module, source, dest.driver, staged, existing)
    except RunFailed as error:
        yield f"{error.message} {error.hint}".strip()


def _list_missing_key(driver: Driver, module: Module, names: Sequence[str], where: str) -> Iterator[str]:
    for name in module.merge_key:
        if find_named(driver, name, names) is None:
            yield f"The merge key has {name}, which is no column of {where}."

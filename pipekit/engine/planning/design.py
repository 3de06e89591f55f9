# What a dest that a run makes looks like: names, types, what it needs first. Decides; builds no SQL and moves nothing.
"""`design_dest`: the columns of a dest table that is missing, made from the query's, and the statements for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipekit.drivers.base import Driver, StagedColumn, TableColumn, TableName
from pipekit.drivers.facts import MadeType
from pipekit.engine.context import RunContext
from pipekit.engine.planning.columns import ColumnMatch
from pipekit.engine.planning.keys import KeyedColumns, is_unique, set_key
from pipekit.engine.planning.naming import name_columns
from pipekit.engine.planning.past.own_columns import list_own_columns
from pipekit.errors import Invalid, RunFailed
from pipekit.models import Column
from pipekit.runner_contract import ResultColumn


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """A dest's columns. `create_sql` makes it where it is missing, `undo_sql` takes that back; empty where it is there.

    `made` are the types of columns that are made with the table, by the column's name.
    """

    columns: Sequence[TableColumn]
    create_sql: tuple[str, ...] = ()
    undo_sql: tuple[str, ...] = ()
    made: Mapping[str, MadeType] = field(default_factory=dict)


def design_dest(context: RunContext, dest: TableName, source: Sequence[ResultColumn], resolved: str) -> Design:
    """The dest for a query's columns: names and types from the module's mapping, else made from the query's."""
    driver = context.dest_driver
    names = name_columns(driver, context.module.columns, [item.name for item in source])
    missing = find_missing_types(context, source)
    columns: list[TableColumn] = []
    made: dict[str, MadeType] = {}
    for item, name in zip(source, names, strict=True):
        chosen = find_chosen(context, item)
        type_text = chosen or driver.map_type(item.type, context.source_driver)
        instead = missing.get(type_text)
        if instead is not None and (instead.create or not chosen):
            type_text = instead.type
            made |= {name: instead}
        columns.append(TableColumn(name=name, type=type_text))
    _note_types(context, [(item, made.get(name)) for item, name in zip(source, names, strict=True)])
    columns = _fit(context, source, columns) + list_own_columns(driver, context.module)
    keyed = set_key(driver, context.module, columns, unique=is_unique(context, columns, source, resolved))
    if keyed.told:
        context.record.check("dest key", True, keyed.told)
    types = dict.fromkeys(item for item in made.values() if item.create)
    creates, drops = dict.fromkeys(item.create for item in types), dict.fromkeys(item.drop for item in types)
    return Design(
        columns=keyed.columns,
        create_sql=(*creates, *build_dest_sql(driver, dest, keyed)),
        undo_sql=(driver.build_drop_table_sql(dest), *drops),
        made={name: item for name, item in made.items() if item.create},
    )


def _fit(context: RunContext, source: Sequence[ResultColumn], columns: list[TableColumn]) -> list[TableColumn]:
    """As wide as a row of the dest can be; what the module itself says of a column stays."""
    fitted = context.dest_driver.fit_columns(columns)
    return [
        column if find_chosen(context, item) else fit for item, column, fit in zip(source, columns, fitted, strict=True)
    ]


def build_dest_sql(driver: Driver, dest: TableName, keyed: KeyedColumns) -> tuple[str, ...]:
    """The table, and the index on its key where that is no primary key."""
    index = driver.build_key_index_sql(dest, keyed.indexed) if keyed.indexed else ()
    return (*driver.build_create_table_sql(dest, keyed.columns), *index)


def find_chosen(context: RunContext, item: ResultColumn) -> str:
    """The type that the module gives a column, `""` for none. Raises RunFailed for what is not one type."""
    mapped: dict[str, Column] = {column.source_name.casefold(): column for column in context.module.columns}
    chosen = mapped.get(item.name.casefold())
    if chosen is None or not chosen.dest_type:
        return ""
    try:
        context.dest_driver.check_type(chosen.dest_type)
    except Invalid as error:
        raise RunFailed(f"The column '{item.name}': {error.message}", stage="plan", hint=error.hint) from error
    return chosen.dest_type


def find_missing_types(context: RunContext, source: Sequence[ResultColumn]) -> Mapping[str, MadeType]:
    """What the dest does not have of the source's types, and what stands for each."""
    types = [item.type for item in source if find_chosen(context, item) in ("", item.type)]
    return context.dest_driver.find_made_types(
        context.source_driver,
        context.ask_source(),
        context.ask_dest(),
        list(dict.fromkeys(types)),
        creates=context.module.create_types,
    )


def _note_types(context: RunContext, made: Sequence[tuple[ResultColumn, MadeType | None]]) -> None:
    told = []
    for item, instead in made:
        if instead is not None:
            what = "is made with the table" if instead.create else f"is not in the dest and becomes {instead.type}"
            told.append(f"{item.name}: the type {item.type} {what}")
    if told:
        context.record.check("dest types", True, "; ".join(told))


def stage_made_types(match: ColumnMatch, design: Design) -> ColumnMatch:
    """Values of a type that is made with the table wait in staging as text: the type is not there before."""
    return replace(match, columns=tuple(_as_text(column, design) for column in match.columns))


def _as_text(column: StagedColumn, design: Design) -> StagedColumn:
    is_made = column.dest.name in design.made
    return replace(column, stage_type="text", lossy=False) if is_made else column

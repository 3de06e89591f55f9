# From a query's columns to a dest table: proposing, comparing, making, adding. Knows no form and no state.
"""What the wizard does in databases: proposes columns, makes a dest table, adds a column."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipekit.drivers.base import Driver, MergePlan, TableColumn, TableName
from pipekit.engine.looking.look import Look
from pipekit.engine.planning.columns import match_columns
from pipekit.engine.planning.design import build_dest_sql
from pipekit.engine.planning.keys import set_key
from pipekit.engine.planning.naming import check_alike, propose_names
from pipekit.engine.planning.past.history import sketch_history
from pipekit.engine.planning.past.own_columns import list_own_columns
from pipekit.engine.record import join_sql
from pipekit.errors import Conflict, Invalid, RunFailed, StatementFailed
from pipekit.models import Column, Module
from pipekit.runner_contract import ResultColumn, Statement


def build_table_query(
    driver: Driver, table: TableName, columns: Sequence[TableColumn], casts: Mapping[str, str] | None = None
) -> str:
    """The source query of a browsed table: its columns by name, those in `casts` by an expression."""
    lines = []
    for column in columns:
        name = driver.quote_identifier(column.name)
        expression = (casts or {}).get(column.name) or driver.default_expression(column)
        lines.append(name if expression == name else f"{expression} AS {name}")
    return "SELECT\n  " + ",\n  ".join(lines) + f"\nFROM {driver.quote_table(table)}"


# -- names and types ---------------------------------------------------------------------------------------------------


def propose_columns(source: Driver, dest: Driver, found: Sequence[TableColumn]) -> list[Column]:
    """A dest column for each source column: ids c1, c2 ..., cleaned names that differ, types that hold every value."""
    names = propose_names(dest, [column.name for column in found])
    columns = [
        Column(
            id=f"c{number}",
            source_name=column.name,
            source_type=column.type,
            dest_name=name,
            dest_type=dest.map_type(column.type, source),
        )
        for number, (column, name) in enumerate(zip(found, names, strict=True), 1)
    ]
    made = dest.fit_columns([TableColumn(name=column.dest_name, type=column.dest_type) for column in columns])
    return [replace(column, dest_type=fit.type) for column, fit in zip(columns, made, strict=True)]


# -- the dest table ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class TableDetails:
    """What a dest table gets beside names and types, by column id. A column of the primary key takes no NULL."""

    comments: Mapping[str, str] = field(default_factory=dict)
    not_null: Collection[str] = ()
    primary_key: Collection[str] = ()


def build_dest_columns(columns: Sequence[Column], details: TableDetails) -> list[TableColumn]:
    """The columns of a dest table that is made."""
    return [
        TableColumn(
            name=column.dest_name,
            type=column.dest_type,
            nullable=column.id not in details.not_null and column.id not in details.primary_key,
            in_key=column.id in details.primary_key,
            comment=details.comments.get(column.id) or None,
        )
        for column in columns
    ]


def build_table_sql(dest: Driver, draft: Module, details: TableDetails) -> tuple[str, ...]:
    """The statements that make a module's dest table; where no primary key is asked for, with the key of its merge."""
    columns = build_dest_columns(draft.columns, details) + list_own_columns(dest, draft)
    for column in columns:
        dest.check_type(column.type)
    keyed = set_key(dest, draft, columns, unique=draft.merge_strategy in ("upsert", "snapshot"))
    return build_dest_sql(dest, dest.parse_table(draft.dest_table), keyed)


def settle_table(look: Look, draft: Module) -> Module:
    """The module with its dest table's whole name, as the session finds it or would make it."""
    table = look.driver.resolve_table(look.query, draft.dest_table)
    return replace(draft, dest_table=look.driver.write_table(table))


def find_dest_columns(look: Look, draft: Module) -> list[TableColumn]:
    """The columns of the dest table, none when it is missing.

    Raises Conflict when it cannot be written to, and RunFailed when only one that differs in case is there.
    """
    table = look.driver.resolve_table(look.query, draft.dest_table)
    facts = look.driver.get_table_facts(look.query, table)
    if facts.problem:
        raise Conflict(f"{table} cannot be written to: {facts.problem}.")
    if not facts.exists:
        check_alike(look.driver, look.query, table)
        return []
    return look.driver.get_columns(look.query, table)


def build_merge_text(source: Driver, dest: Driver, draft: Module, existing: Sequence[TableColumn] = ()) -> str:
    """What a run of the module does in the dest: staging and merge, as text. Raises Invalid for columns that miss."""
    staged = [ResultColumn(name=column.source_name, type=column.source_type) for column in draft.columns]
    try:
        wanted = existing or build_dest_columns(draft.columns, TableDetails())
        match = match_columns(draft, source, dest, staged, wanted)
    except RunFailed as error:
        raise Invalid(error.message, field="dest_table", hint=_MISS_HINT) from error
    plan = MergePlan(
        strategy=draft.merge_strategy,
        staging=dest.staging_table(draft.name),
        dest=dest.parse_table(draft.dest_table),
        columns=match.columns,
        key=draft.merge_key,
        null_keys=draft.guards.null_keys,
        history=sketch_history(dest, draft),
    )
    statements = [*dest.build_staging_sql(plan.staging, plan.dest, plan.columns)]
    statements += [statement.sql for statement in dest.build_merge_sql(plan)]
    return join_sql([*statements, dest.build_drop_table_sql(plan.staging)])


_MISS_HINT = "Change the dest names, choose other columns, or name another table."


def make_dest_table(look: Look, source: Driver, draft: Module, details: TableDetails) -> tuple[str, ...]:
    """Makes the dest table and returns its statements; takes one that is there, whose columns match, and returns none.

    Raises Conflict and Invalid when the table that is there does not fit, StatementFailed from the database.
    """
    existing = find_dest_columns(look, draft)
    build_merge_text(source, look.driver, draft, existing)
    if existing:
        return ()
    statements = build_table_sql(look.driver, draft, details)
    try:
        look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])
    except StatementFailed as error:
        error.hint = error.hint or "If a column's type is in the way, choose another: text holds every value."
        raise
    return statements


def add_dest_column(look: Look, module: Module, column: Column, comment: str = "") -> tuple[str, ...]:
    """Adds a column at the tail of a module's dest table and returns the statements.

    Raises Invalid (field `dest_name`) for a name that exists in the module or the table, Conflict for no table.
    """
    table = look.driver.resolve_table(look.query, module.dest_table)
    existing = find_dest_columns(look, module)
    if not existing:
        raise Conflict(f"There is no dest table {table} yet.", hint="Run the module once, or create the table.")
    wanted = column.dest_name.casefold()
    names = [item.name for item in existing] + [item.dest_name for item in module.columns]
    if any(name.casefold() == wanted for name in names):
        raise Invalid(f"{table} has a column {column.dest_name!r} already.", field="dest_name")
    look.driver.check_type(column.dest_type)
    [added] = build_dest_columns([column], TableDetails(comments={column.id: comment}))
    statements = look.driver.build_add_column_sql(table, added)
    look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])
    return statements


@dataclass(frozen=True, kw_only=True, slots=True)
class DestColumn:
    """A column of a dest that is there, with the id and the source column of the module's mapping, `""` without one."""

    name: str
    type: str
    id: str = ""
    source_name: str = ""
    in_key: bool = False


def list_dest_columns(look: Look, module: Module) -> list[DestColumn]:
    """The columns of a module's dest, none when it is missing. Raises Conflict as `find_dest_columns`."""
    mapped = {column.dest_name.casefold(): column for column in module.columns}
    found = [(item, mapped.get(item.name.casefold())) for item in find_dest_columns(look, module)]
    return [
        DestColumn(
            name=item.name,
            type=item.type,
            id=column.id if column else "",
            source_name=column.source_name if column else "",
            in_key=item.in_key,
        )
        for item, column in found
    ]

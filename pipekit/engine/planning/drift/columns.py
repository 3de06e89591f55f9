# What of a source's columns the dest does not have, or has narrower, and what the module makes of it. Moves nothing.
"""`settle_drift`, part of the plan: names each difference with the statement that would mend it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipekit.drivers.altering import is_wider
from pipekit.drivers.base import TableColumn, TableName
from pipekit.engine.context import RunContext
from pipekit.engine.planning.columns import ColumnMatch, find_targets, match_columns
from pipekit.engine.planning.design import find_chosen, find_missing_types
from pipekit.engine.planning.naming import name_columns
from pipekit.engine.planning.past.own_columns import drop_own_columns
from pipekit.engine.record import join_sql
from pipekit.errors import RunFailed
from pipekit.runner_contract import ResultColumn

DRIFT = "drift"


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """`columns` are the dest's as they will be, `offered` the source's that are to be loaded, `left_out` the others.

    `alter_sql` is run before rows move. `told` are the statements that a person may want to run.
    """

    columns: Sequence[TableColumn]
    offered: Sequence[ResultColumn]
    left_out: tuple[str, ...] = ()
    alter_sql: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def settle_drift(
    context: RunContext, dest: TableName, source: Sequence[ResultColumn], columns: Sequence[TableColumn] | None
) -> Drift:
    """Notes in the record what differs of the dest's columns; nothing where it is made, or they meet by position."""
    module, driver = context.module, context.dest_driver
    if columns is None or module.match != "name":
        return Drift(columns=columns or (), offered=source)
    feedable = drop_own_columns(driver, module, columns)
    targets = find_targets(driver, module.columns, source, feedable)
    new = [item for item, target in zip(source, targets, strict=True) if target is None]
    made = {item.name: column for item, column in zip(new, _design(context, source, new), strict=True)}
    adds = [sql for column in made.values() for sql in driver.build_add_column_sql(dest, column)]
    adding, widening = module.drift in ("add", "widen"), module.drift == "widen"
    pairs = zip(source, targets, strict=True)
    wider = dict(_list_wider(context, pairs)) if widening else {}
    ask = context.ask_dest()
    widens = [item.sql for column in wider.values() for item in driver.build_retype_sql(ask, dest, column)]
    gone = _list_gone(context, source)
    _note(context, _tell(context, list(made), gone, wider), [*adds, *widens], stops=bool(made))
    now = [wider.get(column.name, column) if widens else column for column in columns]
    ignoring = module.drift == "ignore"
    return Drift(
        columns=[*now, *made.values()] if adding else columns,
        offered=[item for item in source if item.name not in made] if ignoring else source,
        left_out=tuple(made) if ignoring else (),
        alter_sql=(*(adds if adding else ()), *(widens if widening else ())),
        told=tuple(adds) if module.drift == "stop" else (),
    )


def match_drift(context: RunContext, drift: Drift, columns: Sequence[TableColumn]) -> ColumnMatch:
    """Which columns meet; where some are new in the source, the statements that would add them are told as well."""
    try:
        match = match_columns(context.module, context.source_driver, context.dest_driver, drift.offered, columns)
    except RunFailed as error:
        if drift.told:
            error.hint += f" `drift: add` on the module adds them: {join_sql(drift.told)}"
        raise
    return replace(match, ignored=(*match.ignored, *drift.left_out))


def _design(context: RunContext, source: Sequence[ResultColumn], new: Sequence[ResultColumn]) -> list[TableColumn]:
    """Columns that take NULL, named and typed as in a dest that is made."""
    driver = context.dest_driver
    if not new:
        return []
    names = dict(zip(source, name_columns(driver, context.module.columns, [item.name for item in source]), strict=True))
    missing = find_missing_types(context, new)
    columns = []
    for item in new:
        type_text = find_chosen(context, item) or driver.map_type(item.type, context.source_driver)
        instead = missing.get(type_text)
        columns.append(TableColumn(name=names[item], type=instead.type if instead else type_text))
    return driver.fit_columns(columns)


def _list_wider(
    context: RunContext, pairs: Iterable[tuple[ResultColumn, TableColumn | None]]
) -> Iterator[tuple[str, TableColumn]]:
    """Dest columns as wide as the source's, where they are not: whole numbers, decimals and texts with a length."""
    driver = context.dest_driver
    for item, target in pairs:
        if target is None or driver.any_value or target.generated or target.identity or find_chosen(context, item):
            continue
        have, want = driver.to_neutral(target.under or target.type), context.source_driver.to_neutral(item.type)
        wider = driver.map_type(item.type, context.source_driver)
        if item.type and is_wider(have, want) and not driver.find_alter_refusal("retype", target, wider):
            yield target.name, replace(target, type=wider)


def _list_gone(context: RunContext, source: Sequence[ResultColumn]) -> list[str]:
    names = {item.name.casefold() for item in source}
    return [column.source_name for column in context.module.columns if column.source_name.casefold() not in names]


def _tell(
    context: RunContext, new: Sequence[str], gone: Sequence[str], wider: Mapping[str, TableColumn]
) -> Iterator[str]:
    setting = context.module.drift
    if new:
        does = {"ignore": "left out", "stop": "not in the dest"}.get(setting, "added")
        yield f"new in the source, {does}: {', '.join(new)}"
    if gone:
        yield f"in the module's columns, gone from the source: {', '.join(gone)}"
    if wider:
        listed = ", ".join(f"{name} ({column.type})" for name, column in wider.items())
        yield f"wider in the source, widened where the dest can: {listed}"


def _note(context: RunContext, told: Iterable[str], statements: Sequence[str], *, stops: bool) -> None:
    """The receipt's line, where something differs; it does not hold where nobody has said what to do about it."""
    text = "; ".join(told)
    if text:
        sql = f": {join_sql(statements)}" if statements else ""
        said = context.module.drift != "stop"
        # Without column truth a column that does not meet is left out, whatever else is said.
        is_judged = stops and (said or context.module.guards.column_truth)
        context.record.check(DRIFT, said if is_judged else None, text + sql)


def refuse_preview(statements: Sequence[str]) -> None:
    """A preview changes nothing in a dest, so it cannot add what is missing there."""
    if statements:
        message = f"A preview changes nothing in the dest, which lacks columns: {join_sql(statements)}"
        raise RunFailed(message, stage="plan", hint="Add them, or run the module, and preview it again.")

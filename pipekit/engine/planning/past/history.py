# Versions of rows that a dest keeps: which columns tell them apart, and what stands in them. Decides, moves nothing.
"""`plan_history`, for the strategy snapshot.

A run has one time, at which it began, in UTC by the clock of Pipekit: where a version ends the next one begins. Sources
have clocks of their own, and need not be the same one each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pipekit.drivers.base import Driver, MergePlan, TableColumn
from pipekit.drivers.facts import Gone, History
from pipekit.engine.context import RunContext
from pipekit.engine.planning.past.gone import KeysRead, find_own_column, get_start, read_keys, write_moment
from pipekit.engine.planning.past.own_columns import list_own_columns
from pipekit.engine.watermarks.places import PLACEHOLDER
from pipekit.errors import Invalid, RunFailed
from pipekit.models import Module

HISTORY = "history"


def plan_history(
    context: RunContext, merge: MergePlan, dest: Sequence[TableColumn], values: Mapping[str, str]
) -> tuple[MergePlan, KeysRead | None]:
    """The merge with its history. Raises RunFailed for a dest that cannot keep one.

    Where the query reads a part of its rows, by watermarks, the keys that are there are read as for rows that are gone.
    """
    driver, module = context.dest_driver, context.module
    if module.merge_strategy != "snapshot":
        return merge, None
    if not driver.can_version:
        message = f"{driver.label} dests keep no versions of rows."
        raise RunFailed(message, stage="plan", hint="Take another strategy, or another dest.")
    begin, end, current = _find_columns(context, merge, dest)
    started = get_start(context)
    history = History(
        start=begin.name,
        end=end.name,
        current=current.name,
        begins_at=write_moment(driver.quote_moment, begin, started),
        ends_at=write_moment(driver.quote_moment, end, started),
        yes=_write_flag(context, current, True),
        no=_write_flag(context, current, False),
    )
    merge = replace(merge, history=history)
    if not _reads_part(context):
        context.record.check(HISTORY, True, f"versions by {', '.join(merge.key)}, all keys come with the query")
        return merge, None
    read, columns = read_keys(context, merge, values)
    absent = replace(merge, staging=driver.name_keys(merge.staging), columns=columns, gone=Gone(), history=None)
    context.record.check(HISTORY, True, f"versions by {', '.join(merge.key)}; keys are read by {read.told}")
    return replace(merge, absent=absent), read


def sketch_history(driver: Driver, module: Module) -> History | None:
    """What a history would be in a dest that Pipekit makes, for a look at the statements."""
    if module.merge_strategy != "snapshot":
        return None
    begin, end, current = list_own_columns(driver, module)
    moments = [driver.quote_moment(datetime.now(UTC), column.type) for column in (begin, end)]
    flags = [driver.quote_flag(flag, current.type) for flag in (True, False)]
    return History(
        start=begin.name,
        end=end.name,
        current=current.name,
        begins_at=moments[0],
        ends_at=moments[1],
        yes=flags[0],
        no=flags[1],
    )


def _reads_part(context: RunContext) -> bool:
    names = {mark.name for mark in context.marks}
    used = {match[1] for match in PLACEHOLDER.finditer(context.module.source_query)}
    return bool(context.module.deletes_keys.strip() or used & names)


def _find_columns(
    context: RunContext, merge: MergePlan, dest: Sequence[TableColumn]
) -> tuple[TableColumn, TableColumn, TableColumn]:
    module, fed = context.module, {column.dest.name for column in merge.columns}
    begin, end, current = (
        find_own_column(context, dest, name, f"history: {{{setting}: ...}}")
        for setting, name in (
            ("from", module.history_from),
            ("to", module.history_to),
            ("current", module.history_current),
        )
    )
    problems = [f"the query feeds {column.name}" for column in (begin, end, current) if column.name in fed]
    problems += [f"the database computes {column.name}" for column in (begin, end, current) if column.generated]
    problems += [] if end.nullable else [f"{end.name} takes no NULL, which says that a version is the current one"]
    problems += ["they are not three columns"] if len({begin.name, end.name, current.name}) < 3 else []
    if problems:
        message = f"{merge.dest} cannot keep versions of rows: {'; '.join(problems)}."
        raise RunFailed(message, stage="plan", hint="Name other columns in `history` of the module.")
    return begin, end, current


def _write_flag(context: RunContext, column: TableColumn, flag: bool) -> str:
    try:
        return context.dest_driver.quote_flag(flag, column.under or column.type)
    except Invalid as error:
        message = f"The dest column '{column.name}' cannot tell the current version: {error.message}"
        raise RunFailed(message, stage="plan", hint=error.hint) from error

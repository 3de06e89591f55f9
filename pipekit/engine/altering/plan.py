# What a change of a dest column would do and lose, looked at in the dest. Changes nothing.
"""`plan_alteration`: the statements, what stands on the column, and what the module's definition says of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pipekit.drivers.base import TableColumn, TableFacts, TableName
from pipekit.drivers.undoing import choose_key
from pipekit.engine.altering.following import list_mentions, list_uses
from pipekit.engine.context import RunContext
from pipekit.engine.planning.columns import find_targets
from pipekit.engine.planning.dest import find_dest
from pipekit.engine.planning.naming import find_named
from pipekit.engine.record import join_sql
from pipekit.engine.watermarks.resolve import fill_placeholders, resolve_watermarks
from pipekit.errors import RunFailed, StatementFailed
from pipekit.models import Alteration
from pipekit.runner_contract import Statement

_QUERY_FIRST = "Take it out of the query first; with `drift: ignore` on the module it would be left out of the load."


@dataclass(frozen=True, kw_only=True, slots=True)
class AlterPlan:
    """The change as it was found to be, the looks that must find nothing, and the statements behind them."""

    change: Alteration
    dest: TableName
    looks: tuple[Statement, ...]
    statements: tuple[Statement, ...]


def plan_alteration(context: RunContext, _: object) -> AlterPlan:
    """Notes in the record what the change does. Raises RunFailed where it cannot be made; nothing is changed then.

    A dry run looks at every value as well, as the change itself will.
    """
    asked = context.run.alteration
    if asked is None:
        raise RunFailed("There is no column to change.", stage="plan")
    driver, ask, dest = context.dest_driver, context.ask_dest(), find_dest(context)
    facts = driver.get_table_facts(ask, dest)
    if facts.problem or not facts.exists:
        why = (facts.problem or "it is not there").rstrip(".")
        raise RunFailed(f"{dest} cannot be changed: {why}.", stage="plan")
    columns = driver.get_columns(ask, dest)
    was = _find_column(dest, columns, asked)
    change = replace(asked, column=was.name, was=was.type, source=_find_source(context, asked, was, columns))
    _refuse(context, change, was, columns)
    _refuse_drop(context, change, was, facts)
    _note_standing(context, change, dest)
    _note_definition(context, change)
    is_retyped = change.what == "retype"
    looks = driver.build_fitting_looks(dest, was, change.to, choose_key(facts.keys, columns)) if is_retyped else ()
    plan = AlterPlan(change=change, dest=dest, looks=looks, statements=_build(context, change, dest, was))
    context.record.put(alteration=change.to_text(), dest_table=driver.write_table(dest))
    context.record.put(merge_sql=join_sql([statement.sql for statement in (*plan.looks, *plan.statements)]))
    if context.run.dry_run:
        _look_at_values(context, plan)
    return plan


def _look_at_values(context: RunContext, plan: AlterPlan) -> None:
    if plan.looks:
        with tell_unfit(context, plan):
            context.runner.execute(context.dest, plan.looks)
    note_fitting(context, plan)


@contextmanager
def tell_unfit(context: RunContext, plan: AlterPlan) -> Iterator[None]:
    """Says of a value that cannot even be converted, which a database names without its row, what it was to be."""
    try:
        yield
    except StatementFailed as error:
        if plan.looks and not error.transient and context.dest_driver.is_of_a_value(error.sqlstate):
            error.message = f"A value of '{plan.change.column}' cannot be {plan.change.to}: {error.message}"
            error.hint = error.hint or "Mend it, or choose a type that holds it. Nothing was changed."
        raise


def note_fitting(context: RunContext, plan: AlterPlan) -> None:
    """The receipt's line on the values, once they were looked at."""
    if plan.change.what == "retype":
        told = "every value was looked at and fits" if plan.looks else "the new type holds every value of the old one"
        context.record.check("fits", True, told)


def _find_column(dest: TableName, columns: Sequence[TableColumn], asked: Alteration) -> TableColumn:
    name = next((item.name for item in columns if item.name == asked.column), None)
    if name is None:
        alike = [item.name for item in columns if item.name.casefold() == asked.column.casefold()]
        name = alike[0] if len(alike) == 1 else None
    if name is None:
        listed = ", ".join(item.name for item in columns)
        raise RunFailed(f"{dest} has no column '{asked.column}'.", stage="plan", hint=f"Its columns: {listed}.")
    return next(item for item in columns if item.name == name)


def _find_source(context: RunContext, asked: Alteration, was: TableColumn, columns: Sequence[TableColumn]) -> str:
    """The query's column that feeds it, `""` for none; the source is asked only where that decides something."""
    module = context.module
    if asked.what == "retype" or module.match != "name":
        return ""
    if asked.what == "rename" and asked.id:
        return next(column.source_name for column in module.columns if column.id == asked.id)
    sql = fill_placeholders(module.source_query, resolve_watermarks(context, context.overrides))
    source = context.source_driver.introspect_query_columns(context.ask_source(), sql)
    targets = find_targets(context.dest_driver, module.columns, source, columns)
    return next((item.name for item, to in zip(source, targets, strict=True) if to and to.name == was.name), "")


def _refuse(context: RunContext, change: Alteration, was: TableColumn, columns: Sequence[TableColumn]) -> None:
    driver = context.dest_driver
    why = driver.find_alter_refusal(change.what, was, change.to)
    taken = find_named(driver, change.to, [item.name for item in columns]) if change.what == "rename" else None
    if taken and taken != was.name:
        why = f"there is a column '{taken}' already"
    elif change.to in (was.name, was.type) and change.to == (was.name if change.what == "rename" else was.type):
        why = "it is so already"
    elif change.what == "retype" and was.generated:
        why = "the database computes it"
    if why:
        raise RunFailed(f"The column '{was.name}' cannot be changed: {why}.", stage="plan")


def _refuse_drop(context: RunContext, change: Alteration, was: TableColumn, facts: TableFacts) -> None:
    """A column that something of the module, or a unique key of the dest, is made of does not go by itself."""
    if change.what != "drop":
        return
    module, hint = context.module, "Change that first."
    uses = list(list_uses(module, change.column))
    uses += ["the primary key of the dest"] if was.in_key else []
    # One of several columns: without it others may be equal that were not.
    several = [key for key in facts.keys if change.column in key and len(key) > 1 and not was.in_key]
    uses += [f"the unique key ({', '.join(key)}) of the dest" for key in several]
    if module.match != "name":
        uses.append("the order of the columns, by which they meet (`match: position`)")
    is_left_out = module.drift == "ignore" or (module.drift == "stop" and not module.guards.column_truth)
    if not uses and change.source and not is_left_out:
        uses, hint = [f"the query, as '{change.source}'"], _QUERY_FIRST
    if uses:
        message = f"The column '{change.column}' is still in {'; '.join(uses)}."
        raise RunFailed(message, stage="plan", hint=hint)


def _note_standing(context: RunContext, change: Alteration, dest: TableName) -> None:
    standing = context.dest_driver.find_standing(context.ask_dest(), dest, change.column)
    blocking = [item.name for item in standing if change.what in item.blocks]
    if blocking:
        message = f"The column '{change.column}' cannot be changed while these stand on it: {', '.join(blocking)}."
        raise RunFailed(message, stage="plan", hint="Drop them first, and make them again afterwards if need be.")
    falling = [item.name for item in standing if change.what == "drop" and item.falls]
    staying = [item.name for item in standing if item.name not in falling]
    told = [f"{change}, {change.was}" if change.what != "retype" else f"{change}, from {change.was}"]
    told += [f"with it go {', '.join(falling)}, and every value"] if falling else []
    told += ["every value of it goes"] if change.what == "drop" and not falling else []
    told += [f"on it stand {', '.join(staying)}"] if staying else []
    context.record.check("column", True, "; ".join(told))


def _note_definition(context: RunContext, change: Alteration) -> None:
    """What follows by itself, and what nobody changes but people."""
    if change.what == "retype":
        return
    texts = {f"the watermark {mark.name}": mark.resolver_sql for mark in context.marks}
    texts |= {f"the hook {hook.run_order}": hook.sql for hook in context.unrun_hooks}
    mentions = list_mentions(context.module, texts, change.column)
    told = [f"the module's columns, keys and expectations follow; so do those of {', '.join(context.neighbours)}"]
    if not context.neighbours:
        told = ["the module's columns, keys and expectations follow"]
    told += [f"its name stands in {', '.join(mentions)}, which stay as they are"] if mentions else []
    context.record.check("definition", not mentions, "; ".join(told))


def _build(context: RunContext, change: Alteration, dest: TableName, was: TableColumn) -> tuple[Statement, ...]:
    driver, ask = context.dest_driver, context.ask_dest()
    if change.what == "rename":
        return driver.build_rename_sql(ask, dest, was.name, change.to)
    if change.what == "drop":
        return driver.build_drop_column_sql(ask, dest, was.name)
    statements = driver.build_retype_sql(ask, dest, replace(was, type=change.to))
    if not statements:
        why = f"{driver.label} cannot do it where it stands"
        raise RunFailed(f"The column '{was.name}' cannot be changed: {why}.", stage="plan")
    return statements

# The one transaction that brings a dest back to what it was before a run. Knows the plan and what it must come to.
"""`take_back`, the merge step of a run that undoes another one."""

from collections.abc import Mapping
from dataclasses import replace

from pipekit.drivers.undoing import IN_THE_WAY, NO_LONGER, NOT_BACK
from pipekit.engine.context import RunContext
from pipekit.engine.record import join_sql
from pipekit.engine.undoing.plan import UndoPlan, name_few
from pipekit.engine.watermarks.resolve import resolve_watermarks
from pipekit.errors import Cancelled, CheckFailed, PipekitError, StatementFailed
from pipekit.runner_contract import Expect

_SHUT_OUT = "This run may no longer merge: it was taken for dead and the module has been freed since."
_TRIGGERS = "a trigger changes what is put back"


def take_back(context: RunContext, plan: UndoPlan) -> None:
    """Ledger row, looks, changes and looks in one transaction; triggers stay silent only where they must."""
    if context.stop.is_set():
        raise Cancelled()
    silent = False
    try:
        counts = _execute(context, plan)
    except CheckFailed as error:
        if not error.message.startswith(NOT_BACK) or not plan.triggers:
            raise _tell_later(context, error) from error
        context.record.log(f"{error.message}\ntaking it back with the dest's triggers silent\n")
        silent = True
        counts = _execute(context, replace(plan, undo=replace(plan.undo, silent=True)))
    context.record.put(
        rows_deleted=counts.get("deleted", 0),
        rows_inserted=counts.get("inserted", 0),
        rows_updated=counts.get("updated", 0),
        merge_state="merged",
    )
    done = f"run {plan.run.id} is taken back: the dest holds the rows it held before"
    context.record.check("undo", True, done)
    _tell_rest(context, plan, silent)


def _execute(context: RunContext, plan: UndoPlan) -> dict[str, int]:
    driver = context.dest_driver
    statements = (
        *driver.build_ledger_sql(context.ledger_entry),
        *driver.build_turn_sql(plan.turn),
        *driver.build_undo_sql(plan.undo, plan.triggers),
    )
    context.record.put(merge_sql=join_sql([statement.sql for statement in statements]))
    context.record.save()
    try:
        return context.runner.execute(context.dest, statements, _expectations())
    except StatementFailed as error:
        if plan.undo.silent:
            error.hint = error.hint or f"The login must own the table to silence its triggers, as {_TRIGGERS}."
        raise


def _expectations() -> list[Expect]:
    """The statements have met the rows that they were for; what a trigger keeps from it is told as what it changes."""
    message = f"{NOT_BACK}: {{got}} rows more than there should be were met by its statements."
    return [
        Expect(names=("ledger",), equals=1, message=_SHUT_OUT),
        Expect(names=("deleted", "updated"), minus=("gone", "changed"), equals=0, message=message),
        Expect(names=("inserted",), minus=("back",), equals=0, message=message),
    ]


def _tell_later(context: RunContext, error: CheckFailed) -> CheckFailed:
    """With the runs that came later, where rows are not as they were left: of those without an undo nobody knows."""
    assert context.undone is not None
    if not context.undone.later or not error.message.startswith((NO_LONGER, IN_THE_WAY)):
        return error
    later = [f"run {run.id} of {run.module}" for run in context.undone.later]
    return CheckFailed(f"{error.message} Since then merged: {name_few(later)}.", hint=error.hint)


def _tell_rest(context: RunContext, plan: UndoPlan, silent: bool) -> None:
    """The receipt's lines on what an undo does not reach."""
    rest = ["sequences are not set back"]
    if context.undone and context.undone.has_hooks:
        rest.append("what hooks have done stays")
    if plan.triggers:
        names = name_few([trigger.name for trigger in plan.triggers])
        rest.append(
            f"triggers did not fire, as they change what is put back: {names}; what they did elsewhere stays"
            if silent
            else f"triggers fired again: {names}"
        )
    context.record.check("not undone", None, "; ".join(rest))
    _tell_watermarks(context, plan.run.watermark_values)


def _tell_watermarks(context: RunContext, before: Mapping[str, str]) -> None:
    """Watermarks are asked, not kept: whether the next run will get what this one got is looked at."""
    if not context.watermarks:
        return
    try:
        now = dict(resolve_watermarks(context, {}))
    except PipekitError as error:
        context.record.check("watermarks", None, f"they could not be asked: {error.message}")
        return
    other = [
        f"{name} is {now[name]}, the run had {value}" for name, value in before.items() if now.get(name, value) != value
    ]
    told = ", ".join(f"{name} = {value}" for name, value in now.items())
    if other:
        context.record.check("watermarks", False, f"not set back: {'; '.join(other)}")
    else:
        context.record.check("watermarks", True, f"as the run had found them: {told}")

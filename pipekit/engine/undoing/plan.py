# Whether a run can be taken back, and what that would do. Looks at its dest; changes nothing.
"""`plan_undo`: the first step of a run that takes another one back. Knows what the dest keeps, not how it is undone."""

from dataclasses import dataclass, replace

from pipekit.drivers.base import MergePlan
from pipekit.drivers.facts import Reference
from pipekit.drivers.undoing import Fires, Kept, Undo, choose_key, name_images
from pipekit.engine.context import RunContext
from pipekit.errors import RunFailed
from pipekit.models import Run

_MOST_NAMED = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoPlan:
    """How a run is taken back; `triggers` are the dest's that fire. `turn` is what takes the turns of merges."""

    run: Run
    undo: Undo
    triggers: tuple[Fires, ...]
    turn: MergePlan


def plan_undo(context: RunContext, _: object) -> UndoPlan:
    """What is kept, held against the dest of today. Raises RunFailed (stage `plan`) where it does not fit."""
    undone = context.undone
    if undone is None:
        raise RunFailed("There is nothing to take back.", stage="plan")
    run, driver, ask = undone.run, context.dest_driver, context.ask_dest()
    if why := undone.refusal:
        raise RunFailed(f"Run {run.id} cannot be taken back: {why}.", stage="plan")
    dest = driver.parse_table(run.dest_table or "")
    kept = driver.find_kept(ask, driver.staging_table(name_images(run.run_key)))
    if kept is None:
        raise RunFailed(f"Run {run.id} cannot be taken back: its dest keeps nothing of it any more.", stage="plan")
    facts = driver.get_table_facts(ask, dest)
    if facts.problem or not facts.exists:
        why = facts.problem or "it is not there"
        raise RunFailed(f"{dest} cannot be written to: {why.rstrip('.')}.", stage="plan")
    columns = driver.get_columns(ask, dest)
    _check_columns(kept, [(c.name, c.type) for c in columns if not c.generated])
    referring = tuple(reference for reference in facts.referring if reference.enforced)
    undo = Undo(
        dest=dest,
        kept=kept,
        key=choose_key(facts.keys, columns),
        referring=tuple(_allow(r) for r in referring) if context.module.guards.children else referring,
        only=facts.only,
        fixed=frozenset(column.name for column in columns if column.identity),
    )
    if referring and not undo.key:
        hint = "Give it a primary key."
        raise RunFailed(
            f"Others refer to rows of {dest}, which has no key that is never NULL.", stage="plan", hint=hint
        )
    _refuse_touched(context, undo)
    context.record.put(dest_table=run.dest_table)
    told = f"{kept.before:,} rows as they were before run {run.id}, {kept.after:,} as it left them"
    context.record.check("kept", True, told)
    turn = MergePlan(strategy="full", staging=kept.images, dest=dest, columns=())
    return UndoPlan(run=run, undo=undo, triggers=driver.find_triggers(ask, dest), turn=turn)


def _allow(reference: Reference) -> Reference:
    """The module lets rows of other tables go along: nobody looks for them."""
    return replace(reference, on_delete="no action")


def _check_columns(kept: Kept, now: list[tuple[str, str]]) -> None:
    """A column that has come or gone has no value there that the run could have left, or had found."""
    then = [(column.name, column.type) for column in kept.columns]
    if then == now:
        return
    told = [f"'{name}' was {type_}" for name, type_ in then if (name, type_) not in now]
    told += [f"'{name}' is {type_}" for name, type_ in now if (name, type_) not in then]
    message = f"The columns of the dest are not what they were: {', '.join(told) or 'they have another order'}."
    raise RunFailed(message, stage="plan", hint="Bring the columns back as they were, or run the module again.")


def _refuse_touched(context: RunContext, undo: Undo) -> None:
    """Names the later runs that have deleted or changed rows as this one left them, of those that are kept."""
    assert context.undone is not None
    driver, ask, touched = context.dest_driver, context.ask_dest(), []
    for later in context.undone.later:
        kept = driver.find_kept(ask, driver.staging_table(name_images(later.run_key)))
        if kept and int(ask(driver.build_touched_sql(undo, kept)).first_cell() or 0):
            touched.append(f"run {later.id} of {later.module}")
    if touched:
        message = f"Later runs have changed rows that run {context.undone.run.id} has written: {name_few(touched)}."
        raise RunFailed(message, stage="plan", hint=f"Take back {touched[-1]} first.")


def name_few(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

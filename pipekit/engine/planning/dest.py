# Looking at the dest before a run: whether it may be written to, and in which way. Decides, builds no SQL.
"""`look_at_dest` and what its facts mean for a merge."""

from collections.abc import Sequence
from dataclasses import replace

from pipekit.drivers.base import Driver, MergePlan, TableFacts, TableName
from pipekit.drivers.facts import CHANGING, Event, Reference
from pipekit.engine.context import RunContext
from pipekit.engine.planning.keyed import settle_keyed
from pipekit.engine.planning.naming import check_alike
from pipekit.errors import RunFailed


def find_dest(context: RunContext) -> TableName:
    """The table that the module means, as its login's session finds it; that another one is called alike is noted."""
    driver, text, ask = context.dest_driver, context.module.dest_table, context.ask_dest()
    context.ask_ahead(driver.list_looks(driver.parse_table(text)))
    dest = driver.resolve_table(ask, text)
    typed = driver.parse_as_typed(text)
    other = driver.find_table(ask, typed) if typed != driver.parse_table(text) else None
    if other and other != dest:
        told = f"{driver.write_table(dest)} is meant; {driver.write_table(other)} is another table"
        context.record.check("dest name", True, told)
    return dest


def look_at_dest(context: RunContext, dest: TableName) -> TableFacts:
    """What stands around the dest; raises RunFailed (stage `check`) when it cannot, or may not, be written to."""
    facts = context.dest_driver.get_table_facts(context.ask_dest(), dest)
    module = context.module
    if facts.problem:
        raise RunFailed(f"{dest} cannot be written to: {facts.problem.rstrip('.')}.", stage="check")
    if facts.not_atomic and module.guards.atomic:
        hint = "Mend that; with `guards: {atomic: false}` on the module a failing merge would leave it half changed."
        raise RunFailed(f"A merge into {dest} could not be undone: {facts.not_atomic}.", stage="check", hint=hint)
    if facts.not_atomic:
        context.record.check(
            "atomic", None, f"{facts.not_atomic}: a merge that fails leaves the dest as far as it came"
        )
    if facts.hidden_rows and module.merge_strategy != "append":
        _check_row_security(context, dest)
    if not facts.exists:
        _check_may_be_made(context, dest)
    return facts if module.guards.truncate else replace(facts, can_truncate=False)


def _check_may_be_made(context: RunContext, dest: TableName) -> None:
    """Beside a table whose name differs by its case only none is made: statements would take one for the other."""
    check_alike(context.dest_driver, context.ask_dest(), dest)
    if not context.module.create_table:
        hint = "Create it, or set `create_table: true` on the module."
        raise RunFailed(f"There is no dest table {context.dest_driver.write_table(dest)}.", stage="check", hint=hint)


def _check_row_security(context: RunContext, dest: TableName) -> None:
    """Rows that the login cannot see would be missed by counts and by the key, and hit by a delete."""
    who = f"the login '{context.dest.username}'" if context.dest.username else "this login"
    if not context.module.guards.row_security:
        message = f"{dest} has row security, so {who} may not see all of its rows."
        hint = (
            "Use a login that sees every row, or set `guards: {row_security: true}` on the module: only the rows this"
            " login may see are then meant."
        )
        context.record.check("row security", False, message)
        raise RunFailed(message, stage="check", hint=hint)
    context.record.check("row security", None, f"only the rows that {who} may see are meant, by its switch")


def settle_plan(driver: Driver, plan: MergePlan, facts: TableFacts) -> MergePlan:
    """The plan with what the facts mean for it: which foreign keys it touches, whether rows stay, what fires."""
    fed = {column.dest.name for column in plan.columns}
    referring = _find_touched(plan, facts, fed)
    direct = [reference for reference in referring if not reference.parent]
    row_key = _choose_row_key(facts, direct, fed)
    wants = plan.strategy in ("full", "incremental") and (bool(direct) or plan.mends) and bool(row_key)
    # The database numbers an identity itself: it takes a value from an INSERT, not from an UPDATE.
    wants = wants and not any(c.dest.identity and c.dest.name not in row_key for c in plan.columns)
    plan = replace(
        plan,
        row_key=row_key,
        keeps=wants and driver.keeps_rows and facts.can_keep,
        can_truncate=facts.can_truncate and not facts.hidden_rows,
        own=tuple(item for item in facts.referring if item.is_own and item.enforced and not item.parent),
        only=facts.only,
        referring=tuple(referring),
    )
    events = _list_events(plan)
    fires = [firing.name for firing in facts.fires if firing.events & events]
    plan = replace(plan, fires=tuple(dict.fromkeys(fires + _list_own_actions(plan))))
    return settle_keyed(driver, plan, facts)


def _find_touched(plan: MergePlan, facts: TableFacts, fed: set[str]) -> list[Reference]:
    """The foreign keys through which the merge's statements may reach other rows."""
    if plan.strategy in ("append", "snapshot"):
        return []
    if plan.strategy == "upsert":
        moved = fed - set(plan.key)
        return [r for r in facts.referring if moved & set(r.root.referred) and r.find_event("moved")]
    # Emptied and filled again, a table that only refers to itself takes nothing along.
    if plan.strategy == "full" and all(r.root.is_own for r in facts.referring):
        return []
    return [r for r in facts.referring if r.find_event("gone") or r.find_event("moved")]


def _choose_row_key(facts: TableFacts, referring: Sequence[Reference], fed: set[str]) -> tuple[str, ...]:
    """By which unique key a row is the same row: one that is referred to, else the first.

    Where a change of the referred key is handed on by itself, the row is known by its first key.
    """
    keys = [key for key in facts.keys if fed.issuperset(key)]
    referred = [frozenset(r.referred) for r in referring if r.on_update not in CHANGING]
    return next((key for key in keys if frozenset(key) in referred), keys[0] if keys else ())


def _list_events(plan: MergePlan) -> frozenset[Event]:
    if plan.strategy == "append":
        return frozenset({"insert"})
    if plan.strategy in ("upsert", "snapshot"):
        return frozenset({"insert", "update"})
    if plan.keeps:
        return frozenset({"insert", "update", "delete"})
    empties: Event = "truncate" if plan.strategy == "full" and plan.can_truncate else "delete"
    return frozenset({"insert", empties})


def _list_own_actions(plan: MergePlan) -> list[str]:
    """A foreign key of the dest to itself acts on rows that were just loaded, where not all were deleted before."""
    if not plan.keeps and plan.strategy == "full":
        return []
    return [
        f"foreign key of {plan.dest} to itself ({', '.join(reference.columns)})"
        for reference in plan.referring
        if reference.is_own and reference.enforced and {reference.on_delete, reference.on_update} & {*CHANGING}
    ]

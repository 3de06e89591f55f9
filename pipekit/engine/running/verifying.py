# A run that compares: its rows are staged as a load's, held against the dest, and dropped. Merges nothing.
"""The stages of `pipekit verify`, and what a load may end with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipekit.drivers.comparing import bound_select
from pipekit.engine.comparing.bounds import find_bounds
from pipekit.engine.comparing.digested import digest
from pipekit.engine.comparing.scope import find_scope, look_only, resolve_whole
from pipekit.engine.comparing.staged import Comparison, build_sql, compare_staged
from pipekit.engine.comparing.telling import VERIFY, describe, tell_confidence
from pipekit.engine.comparing.vanished import leave_out_marked
from pipekit.engine.context import RunContext
from pipekit.engine.events import RowsCompared
from pipekit.engine.guarding.gone import judge_gone
from pipekit.engine.planning.plan import Plan, build_merge_statements, build_plan, note_columns
from pipekit.engine.record import join_sql
from pipekit.engine.recovering.ledger import drop_staging
from pipekit.engine.running.checks import check_arrived, check_before_merge, keep_keys_that_are_there
from pipekit.engine.running.merge import merge
from pipekit.engine.running.staging import Staged, stage
from pipekit.errors import RunFailed
from pipekit.models import Verified, Verify

MEND = "See what has changed the dest; `pipekit verify {name} --repair` would write these rows and no others."


def resolve_verified(context: RunContext, overrides: Mapping[str, str]) -> Mapping[str, str]:
    """The watermark step: the values by which the query gives all that the dest is to hold."""
    context.module = look_only(context.module, mends=context.mends)
    return resolve_whole(context, overrides)


def plan_verify(context: RunContext, values: Mapping[str, str]) -> Comparison:
    """The plan step: what is held against what."""
    plan = build_plan(context, values)
    comparison = plan_within(context, plan, values, context.run.asked_verify or Verify())
    note_columns(context, plan)
    return comparison


def plan_within(context: RunContext, plan: Plan, values: Mapping[str, str], asked: Verify) -> Comparison:
    """Raises RunFailed (stage `plan`) for bounds, or a dest, that cannot be compared by."""
    bounds = leave_out_marked(context, plan.merge, find_bounds(context, plan.merge, asked))
    comparison = Comparison(plan=plan, scope=find_scope(plan.merge, bounds.told, values), bounds=bounds)
    build_sql(context, comparison)
    return comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What was found; `staged` is what still lies in staging, of the dest's rows that `within` is true of."""

    found: Verified
    staged: Staged | None = None
    within: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What is written into the dest: of what was staged that which differs."""

    comparison: Comparison
    compared: Compared
    staged: Staged


def verify(context: RunContext, comparison: Comparison) -> Repair | None:
    """Stages and compares. Where the dest is not equal: what is to be mended, or RunFailed (stage `check`)."""
    if context.mends:
        check_mendable(context, comparison)
    compared = compare_sides(context, comparison, keeps=context.mends)
    compared = replace(compared, found=tell_confidence(compared.found, comparison.bounds.sampled))
    note(context, compared.found)
    if compared.found.equal:
        return None
    if compared.staged is None:
        raise _refuse(context, comparison, compared.found)
    return Repair(comparison=comparison, compared=compared, staged=compared.staged)


def compare_sides(context: RunContext, comparison: Comparison, *, keeps: bool = False, hashes: bool = True) -> Compared:
    """What differs. Where both databases can tell it by sums of hashes, only rows of the buckets that differ move.

    With `keeps` the rows stay in staging if anything differs; without `hashes` all of them move.
    """
    digested = digest(context, comparison) if hashes else None
    if digested is None:
        return _compare_rows(context, comparison, keeps=keeps)
    compared = Compared(found=Verified(equal=True, rows_source=digested.rows_source, rows_dest=digested.rows_dest))
    if not digested.is_equal:
        bounds = comparison.bounds
        source, dest = (
            " AND ".join(filter(None, pair))
            for pair in ((bounds.source, digested.source), (bounds.dest, digested.dest))
        )
        within = replace(comparison, bounds=replace(bounds, source=source, dest=dest))
        found = _compare_rows(context, within, keeps=keeps, rows_dest=digested.rows_dest)
        compared = replace(found, within=dest)
    told = replace(
        compared.found, rows_source=digested.rows_source, means=digested.means, compared=comparison.scope.told
    )
    return replace(compared, found=told)


def _compare_rows(
    context: RunContext, comparison: Comparison, *, keeps: bool, rows_dest: int | None = None
) -> Compared:
    """Stages the rows that are compared, and drops them when they have been held against the dest.

    `rows_dest` is how many the dest has in all, where that is known.
    """
    plan = comparison.plan
    if comparison.bounds.source:
        plan = replace(plan, source_sql=_bound_source(context, plan.source_sql, comparison))
    staged = stage(context, plan)
    check_arrived(context, staged)
    staged = keep_keys_that_are_there(context, staged)
    found = compare_staged(context, replace(comparison, plan=staged.plan), staged.loaded.rows_staged, rows_dest)
    if keeps and not found.equal:
        return Compared(found=found, staged=staged)
    if context.claim is not None:
        drop_staging(context.runner, context.dest_driver, context.dest, context.claim)
        context.claim = None
    context.record.put(staging_left=False)
    return Compared(found=found)


def check_mendable(context: RunContext, comparison: Comparison) -> None:
    """Raises RunFailed (stage `plan`) where rows cannot be mended one by one."""
    plan = comparison.plan.merge
    if comparison.bounds.source:
        message = "A repair mends all that a module's query gives, and a part was asked for."
        raise RunFailed(message, stage="plan", hint="Leave out the bounds, or the repair.")
    is_keyed = plan.strategy in ("incremental", "upsert")
    if is_keyed or (plan.row_key and (plan.strategy == "append" or plan.keeps or not context.dest_driver.keeps_rows)):
        return
    message = f"{plan.dest} has no unique key that the query feeds, so its rows cannot be mended one by one."
    if plan.row_key:
        message = f"Rows of {plan.dest} cannot be mended one by one: this login, or such a table, updates none."
    raise RunFailed(message, stage="plan", hint=f"`pipekit run {context.module.name}` loads it anew.")


def repair(context: RunContext, mended: Repair) -> Repair:
    """The merge step: writes what is missing, extra or differs, as a run does, under its guards."""
    plan = mended.staged.plan
    plan = replace(plan, merge=replace(plan.merge, within=mended.compared.within))
    if plan.merge.strategy == "append":
        plan = _update_too(context, plan)
    statements = build_merge_statements(context, plan.merge)
    context.record.put(merge_sql=join_sql([statement.sql for statement in statements]))
    staged = replace(mended.staged, plan=plan)
    check_before_merge(context, staged, rows=mended.compared.found.rows_source)
    judge_gone(context, plan, staged.loaded, staged.keys)
    merge(context, staged)
    before, gone, new = (context.record.get(name) for name in ("dest_rows_before", "rows_deleted", "rows_inserted"))
    if before is not None:
        context.record.put(dest_rows_after=before - gone + new)
    return mended


def _update_too(context: RunContext, plan: Plan) -> Plan:
    """Where `append` has left a row that differs under a unique key, that row is updated."""
    context.module = replace(context.module, merge_strategy="upsert", merge_key=plan.merge.row_key)
    asked = build_plan(context, context.record.get("watermark_values") or {})
    return replace(plan, merge=replace(asked.merge, staging=plan.merge.staging, within=plan.merge.within))


def look_again(context: RunContext, mended: Repair) -> None:
    """After a repair: whether the dest is equal now."""
    kept = {name: context.record.get(name) for name in ("rows_read", "rows_staged")}
    found = compare_sides(context, mended.comparison).found
    context.record.put(**kept)
    first = mended.compared.found
    counts = {"missing": first.missing, "extra": first.extra - first.extra_kept, "differing": first.differing}
    note(context, replace(found, repaired=counts))
    if not found.equal:
        raise _refuse(context, mended.comparison, found)


def _refuse(context: RunContext, comparison: Comparison, found: Verified) -> RunFailed:
    message = f"{comparison.plan.merge.dest} differs from its source: {describe(found)}."
    return RunFailed(message, stage="check", hint=MEND.format(name=context.module.name))


def note(context: RunContext, found: Verified) -> None:
    """Keeps what was found; its values are told to who listens, and not recorded."""
    context.record.check(VERIFY, found.equal, f"{describe(found)}; compared {found.compared}, by {found.means}")
    context.record.put(verified=found.to_text())
    context.record.tell(RowsCompared(context.run.id, found))


def _bound_source(context: RunContext, sql: str, comparison: Comparison) -> str:
    names = [item.source.name for item in comparison.plan.merge.columns]
    return bound_select(context.source_driver.build_select_columns_sql(sql, names), comparison.bounds.source)

# A run that compares: its rows are staged as a load's, held against the dest, and dropped. Merges nothing.
"""The stages of `pipekit verify`, and what a load may end with."""

from collections.abc import Mapping
from dataclasses import replace

from pipekit.drivers.comparing import bound_select
from pipekit.engine.comparing.bounds import find_bounds
from pipekit.engine.comparing.digested import digest
from pipekit.engine.comparing.scope import find_scope, look_only, resolve_whole
from pipekit.engine.comparing.staged import Comparison, build_sql, compare_staged
from pipekit.engine.comparing.telling import VERIFY, describe
from pipekit.engine.context import RunContext
from pipekit.engine.events import RowsCompared
from pipekit.engine.planning.plan import Plan, build_plan, note_columns
from pipekit.engine.recovering.ledger import drop_staging
from pipekit.engine.running.checks import check_arrived
from pipekit.engine.running.staging import stage
from pipekit.errors import RunFailed
from pipekit.models import Verified, Verify

MEND = "See what has changed the dest; `pipekit verify {name} --repair` would write these rows and no others."


def resolve_verified(context: RunContext, overrides: Mapping[str, str]) -> Mapping[str, str]:
    """The watermark step: the values by which the query gives all that the dest is to hold."""
    context.module = look_only(context.module)
    return resolve_whole(context, overrides)


def plan_verify(context: RunContext, values: Mapping[str, str]) -> Comparison:
    """The plan step: what is held against what."""
    plan = build_plan(context, values)
    comparison = plan_within(context, plan, values, context.run.asked_verify or Verify())
    note_columns(context, plan)
    return comparison


def plan_within(context: RunContext, plan: Plan, values: Mapping[str, str], asked: Verify) -> Comparison:
    """Raises RunFailed (stage `plan`) for bounds, or a dest, that cannot be compared by."""
    bounds = find_bounds(context, plan.merge, asked)
    comparison = Comparison(plan=plan, scope=find_scope(plan.merge, bounds.told, values), bounds=bounds)
    build_sql(context, comparison)
    return comparison


def verify(context: RunContext, comparison: Comparison) -> Verified:
    """Stages and compares; raises RunFailed (stage `check`) where the dest is not equal."""
    found = find_differences(context, comparison)
    note(context, found)
    if not found.equal:
        raise RunFailed(
            f"{comparison.plan.merge.dest} differs from its source: {describe(found)}.",
            stage="check",
            hint=MEND.format(name=context.module.name),
        )
    return found


def find_differences(context: RunContext, comparison: Comparison) -> Verified:
    """What differs. Where both databases can tell it by sums of hashes, only rows of the buckets that differ move."""
    digested = digest(context, comparison)
    if digested is None:
        return _compare_rows(context, comparison)
    found = Verified(equal=True, rows_source=digested.rows_source, rows_dest=digested.rows_dest)
    if not digested.is_equal:
        bounds = comparison.bounds
        source, dest = (
            " AND ".join(filter(None, pair))
            for pair in ((bounds.source, digested.source), (bounds.dest, digested.dest))
        )
        found = _compare_rows(context, replace(comparison, bounds=replace(bounds, source=source, dest=dest)))
    return replace(
        found,
        rows_source=digested.rows_source,
        rows_dest=digested.rows_dest,
        means=digested.means,
        compared=comparison.scope.told,
    )


def _compare_rows(context: RunContext, comparison: Comparison) -> Verified:
    """Stages the rows that are compared, and drops them when they have been held against the dest."""
    plan = comparison.plan
    if comparison.bounds.source:
        plan = replace(plan, source_sql=_bound_source(context, plan.source_sql, comparison))
    staged = stage(context, plan)
    check_arrived(context, staged)
    found = compare_staged(context, replace(comparison, plan=staged.plan), staged.loaded.rows_staged)
    if context.claim is not None:
        drop_staging(context.runner, context.dest_driver, context.dest, context.claim)
        context.claim = None
    context.record.put(staging_left=False)
    return found


def note(context: RunContext, found: Verified) -> None:
    """Keeps what was found; its values are told to who listens, and not recorded."""
    context.record.check(VERIFY, found.equal, f"{describe(found)}; compared {found.compared}, by {found.means}")
    context.record.put(verified=found.to_text())
    context.record.tell(RowsCompared(context.run.id, found))


def _bound_source(context: RunContext, sql: str, comparison: Comparison) -> str:
    names = [item.source.name for item in comparison.plan.merge.columns]
    return bound_select(context.source_driver.build_select_columns_sql(sql, names), comparison.bounds.source)

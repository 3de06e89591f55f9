# Staged rows held against the dest's by the dest itself. Asks, decides what is equal, and changes nothing.
"""`compare_staged`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipekit.drivers.comparing import CompareSql
from pipekit.engine.comparing.bounds import Bounds
from pipekit.engine.comparing.examples import pair_up
from pipekit.engine.comparing.scope import Scope
from pipekit.engine.comparing.vanished import add_vanished
from pipekit.engine.context import RunContext
from pipekit.engine.planning.plan import Plan
from pipekit.errors import RunFailed
from pipekit.models import Difference, Verified
from pipekit.models.verifying import KEPT_KEYS

# Rows that are looked at for examples, and characters of a value that is shown.
_LOOKED_AT = 10 * KEPT_KEYS
_LONGEST = 1_000
BY_VALUE = "each value, as the dest holds it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What is compared by a plan, and within which bounds."""

    plan: Plan
    scope: Scope
    bounds: Bounds


def build_sql(context: RunContext, comparison: Comparison) -> CompareSql:
    """Raises RunFailed (stage `plan`) for a dest that cannot compare rows."""
    driver, merge = context.dest_driver, comparison.plan.merge
    sql = driver.build_comparison(merge, whole=comparison.scope.whole, within=comparison.bounds.dest)
    if sql is None:
        message = f"{driver.label} was never seen to compare rows, so {merge.dest} cannot be verified value by value."
        raise RunFailed(message, stage="plan", hint="Compare by counts: `verify: counts` on the module.")
    return sql


def compare_staged(
    context: RunContext, comparison: Comparison, rows_source: int, rows_dest: int | None = None
) -> Verified:
    """What staging, filled with the rows that are compared, is against the dest; `rows_dest` where they are known."""
    sql = build_sql(context, comparison)
    counts, held, total = _ask(context, comparison, sql, is_counted=rows_dest is not None)
    missing, extra, differing = counts
    found = Verified(
        equal=False,
        rows_source=rows_source,
        rows_dest=total if rows_dest is None else rows_dest,
        missing=missing,
        extra=extra,
        differing=differing,
        extra_kept=total - held,
        means=BY_VALUE,
        compared=comparison.scope.told,
        left_out=sql.left_out,
        examples=find_examples(context, sql, comparison.plan) if missing or extra or differing else (),
    )
    found = add_vanished(context, comparison.plan.merge, comparison.bounds.dest, found)
    return settle(comparison.scope, found)


def _ask(
    context: RunContext, comparison: Comparison, sql: CompareSql, *, is_counted: bool
) -> tuple[Sequence[int], int, int]:
    """The counts, the dest's rows that are held against the staged ones, and all of them; none is counted in vain."""
    whole = comparison.scope.whole
    queries = [sql.counts, *([] if whole and is_counted else [sql.held])]
    if not whole:
        dest = context.dest_driver.build_comparison(comparison.plan.merge, whole=True, within=comparison.bounds.dest)
        queries.append((dest or sql).held)
    counts, *others = context.runner.look(context.dest, queries)
    held, total = ([_read(found.first_cell()) for found in others] * 2 or [0, 0])[:2]
    return [_read(cell) for cell in counts.rows[0]], held, total


def settle(scope: Scope, found: Verified) -> Verified:
    """Whether that is equal: what the strategy leaves in the dest is extra, and no difference."""
    kept = found.extra_kept
    if scope.keeps_extra and scope.whole:
        kept, found = found.extra, replace(found, extra=0)
    equal = not (found.missing or found.extra or found.differing)
    return replace(found, equal=equal, extra=found.extra + kept, extra_kept=kept)


def find_examples(context: RunContext, sql: CompareSql, plan: Plan) -> tuple[Difference, ...]:
    """The first rows that differ, with both values."""
    found = context.runner.query(context.dest, sql.rows, limit=_LOOKED_AT, longest=_LONGEST)
    read = context.dest_driver.read_compared
    by_name = {column.dest.name: column.dest.type for column in plan.merge.columns}
    types = [by_name[name] for name in sql.names]
    rows = [(*map(read, row[:-1], types), row[-1]) for row in found.rows]
    return pair_up(sql, rows, KEPT_KEYS)


def _read(cell: str | None) -> int:
    return int(cell or 0)

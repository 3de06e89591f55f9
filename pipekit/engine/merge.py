# The one transaction that changes the dest. Knows the plan and the counts it must come to.
"""The merge step."""

from pipekit.engine.context import RunContext
from pipekit.engine.plan import Plan, build_merge_statements
from pipekit.errors import StatementFailed
from pipekit.runner.base import Expect, Loaded, Statement

SHUT_OUT = "This run may no longer merge: it was taken for dead and the module has been freed since."


def merge(context: RunContext, plan: Plan, loaded: Loaded) -> None:
    """Ledger row, merge and the check of its counts in one transaction; notes what changed."""
    statements = build_merge_statements(context, plan.merge, loaded.rows_staged)
    counts = context.runner.execute(context.dest, statements, _expectations(context, plan, loaded))
    if context.dest_driver.commits_ddl:
        _drop_staging(context, plan)
    full = plan.merge.strategy == "full"
    before = counts.get("before", counts.get("deleted") if full else None)
    inserted = counts.get("inserted")
    context.book.put(
        rows_deleted=counts.get("deleted", 0),
        rows_inserted=inserted,
        rows_updated=counts.get("updated", 0),
        dest_rows_before=before,
        dest_rows_after=inserted if full else None,
        merge_state="merged",
    )


def _drop_staging(context: RunContext, plan: Plan) -> None:
    """After the commit: a staging table that stays is replaced by the next run."""
    try:
        drop = context.dest_driver.build_drop_table_sql(plan.merge.staging)
        context.runner.execute(context.dest, [Statement(sql=drop)])
    except StatementFailed as error:
        context.book.log(f"staging was not removed: {error.message}\n")


def _expectations(context: RunContext, plan: Plan, loaded: Loaded) -> list[Expect]:
    expect = [Expect(names=("ledger",), equals=1, message=SHUT_OUT)]
    if not context.module.guards.count_truth:
        return expect
    if plan.merge.strategy == "upsert":
        names = ["inserted", "updated"]
        why = "; the dest holds a merge key more than once, or the key does not decide a row"
    else:
        names, why = ["inserted"], ""
    changed = " and ".join(names)
    message = f"{changed.capitalize()} rows add up to {{got}}, but {{equals}} were staged{why}."
    return [*expect, Expect(names=tuple(names), equals=loaded.rows_staged, message=message)]

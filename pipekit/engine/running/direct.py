# Filling the dest without staging: rows come in a transaction that the merge step ends. Knows a plan and a runner.
"""`fill`, in place of staging, and `finish`, in place of the merge. Until then nothing is seen of either."""

from collections.abc import Sequence

from pipekit.engine.context import RunContext
from pipekit.engine.planning.direct import build_finish
from pipekit.engine.planning.plan import Plan
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Expect, Loaded, Statement

_LOCK_NOT_FREE = "Somebody holds the dest; the source query itself does where it reads the dest."


def fill(context: RunContext, plan: Plan) -> Loaded:
    """Empties the dest and moves the rows; the transaction stays open, and ends with the session if nobody goes on."""
    context.record.save()
    setup = context.dest_driver.find_setup_sql(context.ask_dest())
    if setup:
        context.runner.execute(context.dest, [Statement(sql=sql) for sql in setup])
    try:
        loaded = context.runner.migrate(context.source, plan.source_sql, context.dest, plan.load, context.record.moved)
    except StatementFailed as error:
        if error.sqlstate and error.sqlstate == context.dest_driver.busy_state:
            error.hint = error.hint or _LOCK_NOT_FREE
        raise
    context.record.moved(loaded.rows_staged)
    context.record.log(f"loaded {loaded.rows_staged} rows as {loaded.format}, not committed yet\n")
    return loaded


def finish(context: RunContext, plan: Plan, loaded: Loaded, expect: Sequence[Expect]) -> dict[str, int]:
    """The ledger row, what waits for the rows, and the commit; the counts of both halves."""
    statements = build_finish(context, plan.merge, loaded.rows_staged)
    try:
        counts = context.runner.go_on(context.dest, statements, expect)
    except StatementFailed as error:
        error.message = context.dest_driver.tell_rebuilt(error.message)
        raise
    return {**loaded.counts, **counts, "inserted": loaded.rows_staged}

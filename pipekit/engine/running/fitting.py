# The last check of a swap: the table that was loaded gets what the dest has. Knows a plan, merges nothing.
"""`fit`: constraints and indexes are made over the rows; what a row breaks is told before anybody's table is met."""

from pipekit.engine.context import RunContext
from pipekit.engine.planning.plan import Plan
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Statement

_UNIQUE = "23505"
_ONE_EACH = "A unique key of the dest takes one row for each key: let the query give one."


def fit(context: RunContext, plan: Plan) -> None:
    """Raises StatementFailed with the names that people know."""
    driver, merge = context.dest_driver, plan.merge
    try:
        context.runner.execute(context.dest, [Statement(sql=sql) for sql in driver.build_fitting_sql(merge)])
    except StatementFailed as error:
        error.message = driver.name_fitted(merge, error.message)
        error.hint = error.hint or (_ONE_EACH if error.sqlstate == _UNIQUE else "")
        raise
    context.record.check("fitted", True, f"it has everything that {merge.dest} has")

# The dest table that a run makes: tried before rows move, made for good with its rows, taken away with a failure.
"""From outside, a table that `create_table` makes is there with its rows, or not at all.

Where making a table can be rolled back it is made inside the merge. Elsewhere it is made right before it, and a run
that fails, or the recovery of one that was killed, takes it away again: only if that run made it, while it is empty.
"""

from collections.abc import Sequence

from pipekit.drivers.base import Driver, TableName
from pipekit.engine.context import RunContext
from pipekit.engine.planning.plan import Plan
from pipekit.errors import PipekitError, RunFailed, RunnerError, StatementFailed
from pipekit.models import Check, Run
from pipekit.runner_contract import Endpoint, QueryResult, Runner, Statement

MADE = "dest made"
_OTHER_TYPE = "If a column's type is in the way, name another: `dest_type` in the module's `columns`."
_TAKEN_AWAY = "taken away again, as the run failed"


def try_creation(context: RunContext, plan: Plan) -> None:
    """Makes the dest and takes it away at once, where that cannot be rolled back: what is in the way is known early."""
    if plan.create_sql and context.dest_driver.commits_ddl:
        make_dest(context, plan)
        take_away(context, plan.merge.dest)


def make_dest(context: RunContext, plan: Plan) -> None:
    """Makes the dest outside a transaction; that it does is written down before, so that recovery knows."""
    driver, record = context.dest_driver, context.record
    record.check(MADE, True, driver.quote_table(plan.merge.dest))
    record.save()
    first, *rest = plan.create_sql
    try:
        context.runner.execute(context.dest, [Statement(sql=first)])
    except StatementFailed as error:
        if not error.transient:
            record.check(MADE, False, error.message)
            explain_refusal(context, plan, error)
        raise
    _execute(context, rest)


def explain_refusal(context: RunContext, plan: Plan, error: StatementFailed) -> None:
    """Gives an error the mend, where the dest was made or tried; raises RunFailed as `explain_clash` does."""
    if plan.create_sql:
        error.hint = error.hint or _OTHER_TYPE
        explain_clash(context, plan)


def explain_clash(context: RunContext, plan: Plan) -> None:
    """Raises RunFailed when somebody else has made the dest since the run looked; else an error stays what it is."""
    if not plan.create_sql:
        return
    try:
        is_there = context.dest_driver.get_table_facts(context.ask_dest(), plan.merge.dest).exists
    except RunnerError:
        return
    if is_there:
        message = f"{plan.merge.dest} was made by somebody else while this run was loading; it was left as it is."
        hint = "Run again: the rows then go into that table."
        raise RunFailed(message, stage=context.record.stage, hint=hint)


def take_away(context: RunContext, dest: TableName) -> None:
    """Drops what this run made, unless there are rows in it."""
    gone = drop_if_empty(context.runner, context.dest_driver, context.dest, dest)
    context.record.check(MADE, False, _TAKEN_AWAY if gone else "left, as it holds rows")


def take_away_failed(context: RunContext) -> None:
    """After a run that merged nothing; a dest that cannot be asked keeps the mark, and the table."""
    table = find_made(context.dest_driver, context.record.checks)
    if table is None:
        return
    try:
        take_away(context, table)
    except PipekitError as error:
        context.record.log(f"the empty table {table} was not removed: {error.message}\n")


def take_away_of(runner: Runner, driver: Driver, dest: Endpoint, run: Run) -> None:
    """What recovery does for a run that was cut short and merged nothing."""
    if table := find_made(driver, run.checks):
        drop_if_empty(runner, driver, dest, table)


def find_made(driver: Driver, checks: Sequence[Check]) -> TableName | None:
    """The table that a run has made outside its merge and not taken away."""
    made = [check.detail for check in checks if check.name == MADE and check.ok]
    return driver.parse_table(made[0]) if made and driver.commits_ddl else None


def drop_if_empty(runner: Runner, driver: Driver, dest: Endpoint, table: TableName) -> bool:
    """Drops a table without rows; whether it is gone."""

    def query(sql: str) -> QueryResult:
        return runner.query(dest, sql)

    if not driver.get_table_facts(query, table).exists:
        return True
    if query(f"SELECT COUNT(*) FROM {driver.quote_table(table)}").first_cell() != "0":
        return False
    runner.execute(dest, [Statement(sql=driver.build_drop_table_sql(table))])
    return True


def _execute(context: RunContext, statements: Sequence[str]) -> None:
    if statements:
        context.runner.execute(context.dest, [Statement(sql=sql) for sql in statements])

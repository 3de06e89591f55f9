# The one transaction in which a column of the dest is changed. Knows the plan and what it must come to.
"""`alter`, the merge step of a run that changes a column; the definitions follow once it has ended."""

from pipekit.drivers.facts import MergePlan
from pipekit.engine.altering.plan import AlterPlan, note_fitting, tell_unfit
from pipekit.engine.context import RunContext
from pipekit.engine.record import join_sql
from pipekit.errors import Cancelled
from pipekit.runner_contract import Expect, Statement

_SHUT_OUT = "This run may no longer change anything: it was taken for dead and the module has been freed since."


def alter(context: RunContext, plan: AlterPlan) -> None:
    """Ledger row, looks at the values and the change in one transaction, where the kind has transactions for it.

    Where a change commits by itself the ledger comes behind it: a change that fails must not look as if it was made.
    """
    if context.stop.is_set():
        raise Cancelled()
    driver = context.dest_driver
    ledger = driver.build_ledger_sql(context.ledger_entry)
    turn = driver.build_turn_sql(MergePlan(strategy="full", staging=plan.dest, dest=plan.dest, columns=()))
    change = (*driver.build_alter_lock(plan.dest), *plan.looks, *plan.statements)
    statements: tuple[Statement, ...] = (*change, *ledger) if driver.commits_ddl else (*ledger, *turn, *change)
    context.record.put(merge_sql=join_sql([statement.sql for statement in statements]))
    context.record.save()
    if setup := driver.find_setup_sql(context.ask_dest()):
        context.runner.execute(context.dest, [Statement(sql=sql) for sql in setup])
    with tell_unfit(context, plan):
        context.runner.execute(context.dest, statements, [Expect(names=("ledger",), equals=1, message=_SHUT_OUT)])
    note_fitting(context, plan)
    context.record.put(merge_state="merged")

# The statements around the rows of a merge that makes indexes anew, alike for all kinds. Pure text.
"""`build_drop`, `build_make`, and `build_look`, which stands before the first."""

from pipekit.drivers.facts import MergePlan
from pipekit.drivers.tables import TableName
from pipekit.runner_contract import Statement


def build_look(sql: str, dest: TableName) -> Statement:
    """Refuses to go on where `sql` gives another number than 0: the indexes are not those that were seen."""
    refusal = f"Somebody has changed an index of {dest} since the run looked at them."
    return Statement(sql=sql, name="index changes", value=True, refusal=refusal, hint="Run it again.")


def build_drop(plan: MergePlan) -> tuple[Statement, ...]:
    """Takes the indexes away, if they are still what was seen."""
    if plan.rebuild is None or plan.rebuild.unchanged is None:
        return ()
    return (plan.rebuild.unchanged, *(Statement(sql=sql) for sql in plan.rebuild.drop))


def build_make(plan: MergePlan) -> tuple[Statement, ...]:
    """Makes them again."""
    return tuple(Statement(sql=sql) for sql in plan.rebuild.make) if plan.rebuild else ()

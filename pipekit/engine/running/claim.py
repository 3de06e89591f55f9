# Getting a staging table of one's own: the module's name where it is free, else a name of the run. Moves no rows.
"""`claim_staging`: after it nobody else fills, replaces or drops the table, or the merge says so."""

import time

from pipekit.drivers.base import TableName
from pipekit.drivers.claims import Claim, build_take_over_sql, build_take_sql, expect_claim
from pipekit.engine.context import RunContext, build_claim
from pipekit.engine.planning.plan import Plan, note_plan, replace_staging
from pipekit.engine.recovering.ledger import find_claim, is_same_key
from pipekit.engine.recovering.leftovers import FORGOTTEN_AFTER_S
from pipekit.errors import CheckFailed, RunFailed, StatementFailed

# Somebody may be as fast as we are; who comes again sees the other's claim.
TRIES = 5
LEAVES_WITHIN_S = 600
# With `.key`, the name of an index on it, within the 63 bytes that PostgreSQL keeps.
LONGEST_NAME = 59


def claim_staging(context: RunContext, plan: Plan) -> Plan:
    """The plan with a staging table that is this run's. Raises RunFailed when there is none to be had.

    A preview keeps its table for a while: it is called after the run, so that the module's next one finds its own free.
    """
    if context.run.preview:
        return _claim_own(context, plan)
    claim = build_claim(context.run, context.instance, plan.merge.staging)
    held = _take(context, claim)
    if held is not None:
        other = f"run {held.run_id} of {held.module}"
        context.record.log(f"note: {held.staging} is held by {other}; this run stages in {_build_own_name(context)}\n")
        return _claim_own(context, plan)
    context.claim = claim
    return plan


def _claim_own(context: RunContext, plan: Plan) -> Plan:
    claim = build_claim(context.run, context.instance, _build_own_name(context))
    plan = replace_staging(context, plan, claim.staging)
    note_plan(context, plan)
    context.record.save()
    if _take(context, claim) is not None:
        message = f"The staging table {claim.staging} is held by another run."
        raise RunFailed(message, stage="stage", hint="Run it again.")
    context.claim = claim
    return plan


def _build_own_name(context: RunContext) -> TableName:
    key = context.run.run_key[:12]
    return context.dest_driver.staging_table(f"{context.module.name[: LONGEST_NAME - len(key) - 1]}.{key}")


def _take(context: RunContext, claim: Claim) -> Claim | None:
    """Claims the name; the claim of another run that may live when it has it."""
    held: Claim | None = None
    for _ in range(TRIES):
        held = find_claim(context.runner, context.dest_driver, context.dest, claim.staging)
        if held is not None and held.owner == claim.owner and not held.is_leaving:
            return None
        if held is not None and not _is_over(context, held):
            return held
        if _try_to_take(context, claim, held):
            return None
    if held is None:
        raise RunFailed(f"The staging table {claim.staging} cannot be claimed.", stage="stage", hint="Run it again.")
    return held


def _try_to_take(context: RunContext, claim: Claim, dead: Claim | None) -> bool:
    driver = context.dest_driver
    statement = build_take_sql(driver, claim) if dead is None else build_take_over_sql(driver, claim, dead)
    try:
        context.runner.execute(context.dest, [statement], [expect_claim()])
    except CheckFailed:
        return False
    except StatementFailed as error:
        if not is_same_key(error):
            raise
        return False
    if dead is not None:
        context.record.log(f"{claim.staging}, left by run {dead.run_id} of {dead.module}, is taken over\n")
    return True


def _is_over(context: RunContext, held: Claim) -> bool:
    """Whether a run needs its staging table no more: it has ended, by our own record or by the dest's ledger.

    Nothing depends on this being right: a run whose table was taken from it does not merge.
    """
    age_s = time.time() - held.since_s
    if held.is_leaving:
        return age_s > LEAVES_WITHIN_S
    ended = context.record.has_ended(held.run_key) if held.instance == context.instance else None
    if ended is not None:
        return ended
    outcome = context.runner.query(context.dest, context.dest_driver.build_outcome_sql(held.run_key))
    return bool(outcome.rows) or age_s > FORGOTTEN_AFTER_S

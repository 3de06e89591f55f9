# Merging what a preview has staged: its table becomes this run's, if all is as it was looked at. Moves no rows.
"""`take_previewed`, in place of staging."""

from dataclasses import replace
from typing import NoReturn

from pipekit.drivers.base import MergePlan
from pipekit.drivers.claims import Claim, build_take_over_sql, expect_claim
from pipekit.engine.context import RunContext, build_claim
from pipekit.engine.planning.past.gone import KEYS, set_keys
from pipekit.engine.planning.plan import Plan, note_plan, replace_staging, sign_plan
from pipekit.engine.previews import Merged
from pipekit.engine.recovering.ledger import find_claim
from pipekit.engine.recovering.outcomes import find_claim_of
from pipekit.engine.running.staging import Staged
from pipekit.errors import CheckFailed, RunFailed
from pipekit.runner_contract import Expect, Loaded, Statement

_AGAIN = "Preview it again."


def take_previewed(context: RunContext, plan: Plan) -> Staged:
    """The preview's staging table as this run's own. Raises RunFailed where the dest or the table is another by now."""
    merged = context.merged
    assert merged is not None
    driver = context.dest_driver
    held = find_claim_of(driver, merged.run, context.instance)
    assert held is not None
    plan = replace_staging(context, plan, held.staging)
    note_plan(context, plan)
    if sign_plan(plan) != merged.preview.plan:
        _refuse(f"{plan.merge.dest}, or the query's columns, were changed after run {merged.run.id} had looked.")
    context.record.put(staging_left=True)
    context.record.save()
    claim = build_claim(context.run, context.instance, held.staging)
    found = find_claim(context.runner, driver, context.dest, held.staging)
    if found is None or found.owner not in (held.owner, claim.owner):
        _refuse_table(merged, held)
    if found.owner == held.owner:
        _take_over(context, merged, held, claim)
    context.claim = claim
    context.record.release_preview(merged.run.id)
    plan = replace(plan, merge=set_keys(plan.merge, merged.preview.counts.get(KEYS, 0)))
    return Staged(plan=plan, loaded=_find_loaded(context, merged, plan.merge))


def _take_over(context: RunContext, merged: Merged, held: Claim, claim: Claim) -> None:
    """Claim and mark become this run's in one transaction, if both are the preview's."""
    driver = context.dest_driver
    checked = driver.build_mark_check_sql(held.staging, held.run_key)
    marked = (Statement(sql=sql) for sql in driver.build_mark_sql(held.staging, claim.run_key))
    expect = [expect_claim(), *([Expect(names=("mark",), equals=1, message="")] if checked else [])]
    try:
        context.runner.execute(context.dest, [build_take_over_sql(driver, claim, held), *checked, *marked], expect)
    except CheckFailed:
        _refuse_table(merged, held)


def _find_loaded(context: RunContext, merged: Merged, plan: MergePlan) -> Loaded:
    """What the preview has staged, if all of it is there; a crash of the server may have emptied the table."""
    sql = context.dest_driver.build_count_sql(replace(plan, dest=plan.staging, only=False))
    there, read, staged = context.ask_dest()(sql).first_cell(), merged.run.rows_read or 0, merged.run.rows_staged or 0
    if int(there or 0) != staged:
        _refuse(f"The staging table {plan.staging} holds {there} rows; run {merged.run.id} has staged {staged}.")
    context.record.put(rows_read=read, rows_staged=staged)
    context.record.check("preview", True, f"these are the rows that run {merged.run.id} has staged")
    context.record.log(f"{staged} rows that run {merged.run.id} has staged are merged\n")
    return Loaded(rows_read=read, rows_staged=staged, format="preview")


def _refuse_table(merged: Merged, held: Claim) -> NoReturn:
    _refuse(f"The staging table {held.staging} is not the one any more that run {merged.run.id} has filled.")


def _refuse(message: str) -> NoReturn:
    raise RunFailed(message, stage="stage", hint=_AGAIN)

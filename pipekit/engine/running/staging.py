# Filling the staging table. Knows a plan and a runner; merges nothing.
"""The stage step: staging is made, rows are moved."""

from dataclasses import dataclass

from pipekit.engine.comparing.measures import Measured, measure_source
from pipekit.engine.context import RunContext
from pipekit.engine.planning.creation import explain_refusal, try_creation
from pipekit.engine.planning.drift.columns import refuse_preview
from pipekit.engine.planning.plan import (
    Plan,
    build_keys_load,
    build_stage_sql,
    note_gone_on,
    plan_onward,
    stage_after_all,
)
from pipekit.engine.running.claim import claim_staging
from pipekit.engine.running.direct import fill
from pipekit.errors import CheckFailed, StatementFailed
from pipekit.runner_contract import Loaded, Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """What has been staged, by the plan as it was carried out: its staging table may have got another name.

    `source` is what the source said of its rows before they moved, where the runner lets nobody see the values. `keys`
    are those that the source has, where rows that are gone from it are looked for.
    """

    plan: Plan
    loaded: Loaded
    source: Measured | None = None
    keys: Loaded | None = None


def stage(context: RunContext, plan: Plan) -> Staged:
    """Tries what is missing in the dest, claims and creates staging, moves the rows, and helps the planner."""
    if context.run.preview:
        refuse_preview(plan.alter_sql)
    _execute(context, plan.alter_sql)
    _expect_rows(context, plan.source_sql)
    if plan.load.before:
        try:
            loaded = fill(context, plan)
        except CheckFailed as error:
            if not plan.merge.blank or error.message != plan.load.before[-1].refusal:
                raise
            plan = stage_after_all(context, plan)
        else:
            _note_loaded(context, loaded)
            return Staged(plan=plan, loaded=loaded)
    context.record.put(staging_left=True)
    context.record.save()
    driver, dest = context.dest_driver, context.dest
    setup = driver.find_setup_sql(context.ask_dest())
    if setup:
        _execute(context, setup)
    plan = claim_staging(context, plan)
    try_creation(context, plan)
    try:
        _execute(context, build_stage_sql(driver, plan))
    except StatementFailed as error:
        explain_refusal(context, plan, error)
        raise
    source = None if context.runner.sees_values else measure_source(context, plan)
    plan, onward = plan_onward(context, plan)
    load = (onward or plan).load
    loaded = context.runner.migrate(context.source, plan.source_sql, dest, load, context.record.moved)
    if onward and loaded.went_on:
        plan = note_gone_on(context, onward)
    context.record.moved(loaded.rows_staged)
    context.record.log(f"staged {loaded.rows_staged} rows as {loaded.format}\n")
    if plan.merge.key or plan.merge.keeps:
        _execute(context, (*driver.build_index_sql(plan.merge), *driver.build_analyze_sql(plan.merge)))
    _note_loaded(context, loaded)
    return Staged(plan=plan, loaded=loaded, source=source, keys=_stage_keys(context, plan))


def _expect_rows(context: RunContext, sql: str) -> None:
    """Where no earlier load tells, the source may know how many rows come about; whoever watches wants to know."""
    if context.knows_rows:
        return
    try:
        rows = context.source_driver.estimate_rows(context.ask_source(), sql)
    except StatementFailed as error:
        if error.transient:
            raise
        return  # what is wrong with the query is said when it is read
    if rows:
        context.record.expects(rows)


def _stage_keys(context: RunContext, plan: Plan) -> Loaded | None:
    """Behind the rows: a row that comes between is not missed by the keys, and one that goes is staged."""
    absent, keys, driver = plan.merge.absent, plan.keys, context.dest_driver
    if absent is None or keys is None:
        return None
    context.record.log(f"reading the keys that are there:\n{keys.sql}\n")
    loaded = context.runner.migrate(context.source, keys.sql, context.dest, build_keys_load(context, plan), _ignore)
    context.record.log(f"{loaded.rows_staged} keys are there\n")
    _execute(context, (*driver.build_index_sql(absent), *driver.build_analyze_sql(absent)))
    return loaded


def _ignore(rows: int) -> None:
    """Keys are no rows of the run."""


def _note_loaded(context: RunContext, loaded: Loaded) -> None:
    """The rows, and what of them the source could not give."""
    context.record.put(rows_read=loaded.rows_read, rows_staged=loaded.rows_staged)
    if context.module.bad_data == "refuse":
        return
    told = "; ".join(f"{column}: {what}" for column, what in loaded.bad_values.items())
    context.record.check("bad_values", None if told else True, told or "none")
    if told:
        context.record.log(f"values that the source could not give became NULL: {told}\n")


def _execute(context: RunContext, statements: tuple[str, ...]) -> None:
    if statements:
        context.runner.execute(context.dest, [Statement(sql=sql) for sql in statements])

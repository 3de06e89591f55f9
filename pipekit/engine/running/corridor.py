# The corridor of one run, from the claim to its outcome. Knows no database of its own.
"""`execute_run`: a claimed run walks down its stages, each with the context and what the one before it has come to."""

from collections.abc import Callable
from typing import Any

from pipekit import repo
from pipekit.engine.altering.altering import alter
from pipekit.engine.altering.following import settle_alterations
from pipekit.engine.altering.plan import plan_alteration
from pipekit.engine.context import RunContext
from pipekit.engine.events import Listener
from pipekit.engine.installation import Installation
from pipekit.engine.planning.plan import plan_load
from pipekit.engine.record import RunRecord, log_start
from pipekit.engine.recovering.recover import settle_earlier_runs
from pipekit.engine.running.checks import run_checks
from pipekit.engine.running.entrance import Ready, open_context
from pipekit.engine.running.failure import fail_run
from pipekit.engine.running.foresee import foresee
from pipekit.engine.running.hooks import run_hooks
from pipekit.engine.running.lease import Lease
from pipekit.engine.running.merge import merge
from pipekit.engine.running.previewed import take_previewed
from pipekit.engine.running.proving import ends_with_proof, prove
from pipekit.engine.running.staging import stage
from pipekit.engine.running.verifying import look_again, plan_verify, repair, resolve_verified, verify
from pipekit.engine.undoing.dropping import drop_after
from pipekit.engine.undoing.plan import plan_undo
from pipekit.engine.undoing.taking_back import take_back
from pipekit.engine.watermarks.resolve import resolve_watermarks
from pipekit.errors import Cancelled, PipekitError, RunnerError
from pipekit.models import Run, RunStatus, Stage

# The stages of a run. A dry run ends after the first two, one that compares has its own; what stands before the merge
# may be tried again.
Stages = tuple[tuple[Stage, Callable[[RunContext, Any], Any]], ...]
DECIDING: Stages = (("watermark", resolve_watermarks), ("plan", plan_load))
MOVING: Stages = (("stage", stage), ("check", run_checks))
REPAIRING: Stages = (("merge", repair), ("verify", look_again), ("hook", run_hooks))
COMPARING: Stages = (("watermark", resolve_verified), ("plan", plan_verify), ("verify", verify))
CHANGING: Stages = (("merge", merge), ("verify", prove), ("hook", run_hooks))
# A preview looks where others merge; what it has staged is taken by a run in place of staging.
LOOKING: Stages = (("check", foresee),)
TAKING: Stages = (("stage", take_previewed), ("check", run_checks))
# Those of a run that takes another one back.
TAKING_BACK: Stages = (("plan", plan_undo), ("merge", take_back))
# Those of a run that changes a column of its dest; a dry run ends after the first.
ALTERING: Stages = (("plan", plan_alteration), ("merge", alter))


def execute_run(installation: Installation, run: Run, ready: Ready, listener: Listener | None) -> Run:
    """Walks a claimed run down the corridor, writes its outcome once and frees the module."""
    record = RunRecord(installation.db, run, listener)
    ready.runner.log, ready.runner.on_session = record.log, record.meet
    ready.runner.on_wait = record.settle
    log_start(run)
    status: RunStatus = "error"
    with Lease(installation.config, run, ready.stop) as lease:
        try:
            status = _enter(installation, record, ready, lease)
        except PipekitError as error:
            record.put(error_stage=record.error_stage, error=error.message, hint=error.hint or None)
        except KeyboardInterrupt:
            status = "cancelled"
            record.put(error_stage=record.error_stage, error="Interrupted while it was cleaning up.")
        except Exception as error:
            record.put(error_stage=record.error_stage, error=f"Pipekit itself failed: {type(error).__name__}: {error}")
            raise
        finally:
            ready.runner.close()
            finished = record.finish(status, lease.is_held)
            settle_alterations(installation.db)
    return finished


def _enter(installation: Installation, record: RunRecord, ready: Ready, lease: Lease) -> RunStatus:
    if not record.run.dry_run:
        repo.keep_dest(installation.db, record.run.id, ready.definition.dest)
    context = open_context(installation, record, ready)
    try:
        settle_earlier_runs(installation.db, context)
        status = _walk(context)
        if status == "success":
            drop_after(installation.db, context)
        return status
    except (PipekitError, KeyboardInterrupt) as error:
        return fail_run(context, error, lease)
    finally:
        context.close_runner()


def _walk(context: RunContext) -> RunStatus:
    """All stages; those before the merge once more for a fault that a retry can cure."""
    if context.undone:
        _pass(context, TAKING_BACK, None)
        return "success"
    if context.run.alteration:
        _pass(context, ALTERING[:1] if context.run.dry_run else ALTERING, None)
        return "dry_run" if context.run.dry_run else "success"
    before_merge = _list_before_merge(context.run)
    for attempt in range(1, context.module.retries + 2):
        try:
            value = _pass(context, before_merge, context.overrides)
            break
        except RunnerError as error:
            if not error.transient or attempt > context.module.retries:
                raise
            _wait_for_retry(context, attempt, error)
    if context.run.dry_run or context.run.preview:
        return "dry_run"
    if context.run.asked_verify is not None:
        _pass(context, REPAIRING if value is not None else (), value)
    else:
        is_proved = ends_with_proof(context.module)
        _pass(context, tuple(each for each in CHANGING if is_proved or each[0] != "verify"), value)
    return "success"


def _list_before_merge(run: Run) -> Stages:
    """What has not changed the dest, and may be tried again."""
    if run.asked_verify is not None:
        return COMPARING
    if run.dry_run:
        return DECIDING
    if run.preview:
        return DECIDING + MOVING + LOOKING
    return DECIDING + (MOVING if run.merges_preview is None else TAKING)


def _pass(context: RunContext, stages: Stages, value: Any) -> Any:
    for name, step in stages:
        with context.record.during(name):
            value = step(context, value)
    return value


def _wait_for_retry(context: RunContext, attempt: int, error: RunnerError) -> None:
    delays, tries = context.config.retry_delays_s, context.module.retries + 1
    delay_s = delays[min(attempt, len(delays)) - 1] if delays else 0.0
    context.record.log(f"attempt {attempt} of {tries} failed: {error.message}\ntrying again in {delay_s:g} s\n")
    context.record.put(attempt=attempt + 1)
    if context.stop.wait(delay_s):
        raise Cancelled()

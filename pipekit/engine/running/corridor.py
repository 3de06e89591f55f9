# The corridor of one run: claim, watermarks, plan, stage, check, merge, hooks, finish. Knows no database of its own.
"""`run_module`: one execution of a module, from the claim to the record."""

import contextlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipekit import repo
from pipekit.config import Config
from pipekit.engine.context import Definition, RunContext, open_context, read_definition
from pipekit.engine.events import Listener, RunFinished
from pipekit.engine.planning.plan import Plan, build_plan, note_plan
from pipekit.engine.record import RunRecord, log_end, log_start
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.recovering.recover import recover_module, settle_earlier_runs
from pipekit.engine.runners import start_runner
from pipekit.engine.running.checks import run_checks
from pipekit.engine.running.failure import fail_run
from pipekit.engine.running.hooks import run_hooks
from pipekit.engine.running.lease import Lease
from pipekit.engine.running.merge import merge
from pipekit.engine.running.staging import stage
from pipekit.engine.running.waiting import claim_asked, give_up, wait_for_turn
from pipekit.engine.watermarks.resolve import resolve_watermarks
from pipekit.engine.watermarks.spelling import check_spelling
from pipekit.errors import Cancelled, Invalid, ModuleBusy, PipekitError, RunnerError
from pipekit.models import Module, Run, RunStatus
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Loaded
from pipekit.secrets import Masker, Secrets


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions:
    """How one run differs from its definition. `watermarks` overrides values by name without touching the module."""

    dry_run: bool = False
    watermarks: Mapping[str, str] = field(default_factory=dict)
    triggered_by: str = "cli"


@dataclass(kw_only=True, slots=True)
class RunnerSlot:
    """A runner started before there is a run, so that its start-up costs no time, and the signal that stops it."""

    stop: threading.Event
    runner: NativeRunner


def run_module(
    db: repo.State,
    config: Config,
    secrets: Secrets,
    module: Module,
    options: RunOptions | None = None,
    listener: Listener | None = None,
) -> Run:
    """Runs a module, after waiting for a slot where none is free, and returns its record, whatever the outcome.

    Raises ModuleBusy when another run of it is alive or waits, Invalid for an override of a watermark it does not have.
    """
    options = options or RunOptions()
    definition = read_definition(db, module)
    check_overrides(definition, options.watermarks)
    slot = open_slot(config, definition)
    owner = new_owner()
    asked: Run | None = None
    try:
        asked = _enqueue(db, config, secrets, module, options, owner)
        run = claim_asked(db, config, asked, owner)
    except BaseException:
        slot.runner.kill()
        if asked is not None:
            with contextlib.suppress(PipekitError):
                give_up(db, asked, owner)
        raise
    if run is not None:
        return execute_run(db, config, secrets, run, definition, options, listener, owner, slot)
    # It may take hours: no child waits along, and what the module is then is read then.
    slot.runner.kill()
    run = wait_for_turn(db, config, secrets, asked, owner, listener)
    return run_claimed(db, config, secrets, run, owner, listener) if run else repo.get_run(db, asked.id)


def run_claimed(
    db: repo.State, config: Config, secrets: Secrets, run: Run, owner: str, listener: Listener | None = None
) -> Run:
    """Runs what `owner` has claimed from the queue and returns its record, whatever the outcome."""
    assert run.module_id is not None
    overrides = repo.get_overrides(db, run.id)
    options = RunOptions(dry_run=run.dry_run, watermarks=overrides, triggered_by=run.triggered_by)
    try:
        definition = read_definition(db, repo.get_module(db, run.module_id))
        check_overrides(definition, overrides)
        slot = open_slot(config, definition)
    except Exception as error:
        return _fail_early(db, run, owner, error, listener)
    return execute_run(db, config, secrets, run, definition, options, listener, owner, slot)


def _fail_early(db: repo.State, run: Run, owner: str, error: Exception, listener: Listener | None) -> Run:
    """Ends a claimed run that could not even begin; nobody else would before its lease has run out."""
    told, hint = f"Pipekit itself failed: {type(error).__name__}: {error}", ""
    if isinstance(error, PipekitError):
        told, hint = error.message, error.hint
    repo.finish_run(db, run.id, owner=owner, status="error", error_stage="claim", error=told, hint=hint or None)
    if not isinstance(error, PipekitError):
        raise error
    finished = repo.get_run(db, run.id)
    log_end(finished)
    if listener:
        listener(RunFinished(finished))
    return finished


def check_overrides(definition: Definition, overrides: Mapping[str, str]) -> None:
    """Raises Invalid for a value of a watermark that the module does not have."""
    names = {mark.name for mark, _ in definition.watermarks}
    for name in overrides:
        if name not in names:
            known = f"It has: {', '.join(sorted(names))}." if names else "It has no watermarks."
            message = f"The module '{definition.module.name}' has no watermark '{name}'."
            raise Invalid(message, field="watermark", hint=known)


def open_slot(config: Config, definition: Definition) -> RunnerSlot:
    """Starts a runner for a run that is about to be claimed."""
    module = definition.module
    stop = threading.Event()
    deadline = time.monotonic() + (module.run_timeout_s or config.run_timeout_s)
    silence_s = module.silence_timeout_s or config.silence_timeout_s
    kinds = {definition.source.driver, definition.dest.driver}
    runner = start_runner(config, stop=stop, silence_timeout_s=silence_s, deadline=deadline, kinds=kinds)
    return RunnerSlot(stop=stop, runner=runner)


def _enqueue(db: repo.State, config: Config, secrets: Secrets, module: Module, options: RunOptions, owner: str) -> Run:
    """Asks for the run; when the module's holder is dead, closes that run truthfully first."""
    for last_try in (False, True):
        try:
            return repo.enqueue_run(
                db,
                module.id,
                owner=owner,
                lease_s=config.lease_s,
                triggered_by=options.triggered_by,
                dry_run=options.dry_run,
                overrides=options.watermarks,
            )
        except ModuleBusy:
            if last_try or not recover_module(db, config, secrets, module.id):
                raise
    raise AssertionError("unreachable")


def execute_run(
    db: repo.State,
    config: Config,
    secrets: Secrets,
    run: Run,
    definition: Definition,
    options: RunOptions,
    listener: Listener | None,
    owner: str,
    slot: RunnerSlot,
) -> Run:
    """Walks a claimed run down the corridor, writes its outcome once and frees the module."""
    record = RunRecord(db, run, Masker([]), listener)
    slot.runner.log = record.log
    log_start(run)
    status: RunStatus = "error"
    with Lease(config, run.id, owner, slot.stop) as lease:
        try:
            status = _walk(db, config, secrets, definition, options, record, lease, slot)
        except PipekitError as error:
            record.put(error_stage=record.stage, error=error.message, hint=error.hint or None)
        except KeyboardInterrupt:
            status = "cancelled"
            record.put(error_stage=record.stage, error="Interrupted while it was cleaning up.")
        except Exception as error:
            record.put(error_stage=record.stage, error=f"Pipekit itself failed: {type(error).__name__}: {error}")
            raise
        finally:
            slot.runner.close()
            finished = record.finish(status, owner, lease.is_held)
    return finished


def _walk(
    db: repo.State,
    config: Config,
    secrets: Secrets,
    definition: Definition,
    options: RunOptions,
    record: RunRecord,
    lease: Lease,
    slot: RunnerSlot,
) -> RunStatus:
    if not record.run.dry_run:
        repo.keep_dest(db, record.run.id, definition.dest)
    context = open_context(
        config,
        secrets,
        definition,
        instance=repo.get_instance_id(db),
        record=record,
        overrides=options.watermarks,
        stop=slot.stop,
        runner=slot.runner,
    )
    try:
        settle_earlier_runs(db, context)
        return _corridor(context, options)
    except (PipekitError, KeyboardInterrupt) as error:
        return fail_run(context, error, lease)
    finally:
        context.close_runner()


def _corridor(context: RunContext, options: RunOptions) -> RunStatus:
    record = context.record
    prepared = _prepare(context, options)
    if prepared is None:
        return "dry_run"
    plan, loaded = prepared
    with record.during("merge"):
        record.save()
        # The last look: a cancelled run, or one whose lease is gone, does not begin its merge.
        if context.stop.is_set():
            raise Cancelled()
        merge(context, plan, loaded)
    with record.during("hook"):
        run_hooks(context, failed=False)
    return "success"


def _prepare(context: RunContext, options: RunOptions) -> tuple[Plan, Loaded] | None:
    """Everything before the merge, tried again for faults that a retry can cure; None for a dry run."""
    tries = context.module.retries + 1
    for attempt in range(1, tries + 1):
        try:
            return _prepare_once(context, options)
        except RunnerError as error:
            if not error.transient or attempt == tries:
                raise
            _wait_for_retry(context, attempt, tries, error)
    raise AssertionError("unreachable")


def _prepare_once(context: RunContext, options: RunOptions) -> tuple[Plan, Loaded] | None:
    record = context.record
    with record.during("watermark"):
        values = resolve_watermarks(context)
        record.put(watermark_values=values)
    with record.during("plan"):
        plan = build_plan(context, values)
        note_plan(context, plan)
        check_spelling(context, values)
    if options.dry_run:
        return None
    with record.during("stage"):
        record.put(staging_left=True)
        record.save()
        plan, loaded = stage(context, plan)
        record.put(rows_read=loaded.rows_read, rows_staged=loaded.rows_staged)
    with record.during("check"):
        run_checks(context, plan, loaded)
    return plan, loaded


def _wait_for_retry(context: RunContext, attempt: int, tries: int, error: RunnerError) -> None:
    delays = context.config.retry_delays_s
    delay_s = delays[min(attempt, len(delays)) - 1] if delays else 0.0
    context.record.log(f"attempt {attempt} of {tries} failed: {error.message}\ntrying again in {delay_s:g} s\n")
    context.record.put(attempt=attempt + 1)
    if context.stop.wait(delay_s):
        raise Cancelled()

# What happens to a run that did not come through: the truth about its merge, cleaning up, failure hooks.
"""Failing a run: decides its status, asks the ledger where that is needed, and leaves nothing behind."""

from dataclasses import dataclass

from pipekit.engine.altering.made import look_made
from pipekit.engine.context import RunContext
from pipekit.engine.planning.creation import take_away_failed
from pipekit.engine.recovering.ledger import drop_staging, end_sessions, settle_merge
from pipekit.engine.recovering.recover import UNKNOWN
from pipekit.engine.running.checks import EXACT_SWITCH
from pipekit.engine.running.hooks import has_hooks, run_fitting, run_hooks
from pipekit.engine.running.lease import Lease
from pipekit.errors import Cancelled, CheckFailed, Inexact, PipekitError, RunFailed, RunnerError, StatementFailed
from pipekit.models import Alteration, MergeState, RunStatus, Stage
from pipekit.models.runs import ENDING, INTERRUPTED

LOST = "The run lost its lease to another process and stopped."
MERGED = "The merge was committed."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Failure:
    """Why and where a run did not come through, and what became of its merge; `is_shut_out` when its lease is gone."""

    error: PipekitError | KeyboardInterrupt
    stage: Stage
    merge_state: MergeState
    is_shut_out: bool

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked it to stop."""
        return isinstance(self.error, Cancelled | KeyboardInterrupt)


def fail_run(context: RunContext, error: PipekitError | KeyboardInterrupt, lease: Lease) -> RunStatus:
    """Notes the error and its stage, settles a merge that was under way, cleans up, and runs failure hooks.

    A run whose runner died after the commit has done all it promised: it goes on to its hooks and succeeds.
    """
    record = context.record
    stage: Stage = error.stage if isinstance(error, RunFailed) else record.error_stage  # type: ignore[assignment]
    was_killed = isinstance(error, KeyboardInterrupt) or not context.runner.alive
    if was_killed:
        context.runner.kill()
        context.renew_runner()
    state = _settle(context, error, stage, was_killed)
    _clean_up(context, was_killed)
    if state == "none":
        take_away_failed(context)
    failure = _Failure(error=error, stage=stage, merge_state=state, is_shut_out=lease.reason == "lost")
    if state == "merged" and stage == "merge" and not failure.is_cancelled:
        return _succeed_late(context, error)
    _note(context, failure)
    if not failure.is_shut_out and stage != "hook":
        _run_failure_hooks(context)
    return "cancelled" if failure.is_cancelled and not failure.is_shut_out else "error"


def _settle(context: RunContext, error: PipekitError | KeyboardInterrupt, stage: Stage, was_killed: bool) -> MergeState:
    """Asks the ledger when the answer is not already certain."""
    if stage == "hook" or context.record.is_merged:
        return "merged"
    certain = isinstance(error, CheckFailed | StatementFailed) and not error.transient and not was_killed
    commits_itself = bool(context.run.alteration) and context.dest_driver.commits_ddl
    if stage != "merge" or (certain and not commits_itself):
        return "none"
    state = settle_merge(
        context.runner, context.dest_driver, context.dest, context.ledger_entry, context.dest.application_name
    )
    if commits_itself and state != "unknown" and (kept := context.record.get("alteration")):
        table = context.record.get("dest_table") or ""
        state = look_made(context.dest_driver, context.ask_dest(), table, Alteration.from_text(kept))
    context.record.log(f"the dest's ledger says: {state}\n")
    context.record.put(merge_state=state)
    return state


def _clean_up(context: RunContext, was_killed: bool) -> None:
    if context.claim is None:
        return
    try:
        if was_killed:
            end_sessions(context.runner, context.dest_driver, context.dest, context.dest.application_name)
        drop_staging(context.runner, context.dest_driver, context.dest, context.claim)
        context.record.put(staging_left=False)
    except RunnerError as error:
        context.record.log(f"staging was not removed: {error.message}\n")


def _note(context: RunContext, failure: _Failure) -> None:
    error, stage, state = failure.error, failure.stage, failure.merge_state
    message, hint = (error.message, error.hint) if isinstance(error, PipekitError) else ("", "")
    if isinstance(error, RunnerError) and error.column and error.row:
        message = f"Loading {context.module.dest_table}: {message}"
        hint = hint or _find_value_hint(context, error)
    if failure.is_shut_out:
        message = LOST
    elif failure.is_cancelled:
        message = _tell_cancelled(context, failure)
    if state != "none":
        message += " " + (MERGED if state == "merged" else UNKNOWN)
    context.record.log(f"{message}\n" if failure.is_cancelled else f"error in {stage}: {message}\n")
    context.record.put(error_stage=stage, error=message, hint=hint or None)


def _tell_cancelled(context: RunContext, failure: _Failure) -> str:
    """Where, and by whom; what was read until then stays in the record."""
    record = context.record
    by = INTERRUPTED if isinstance(failure.error, KeyboardInterrupt) else record.find_canceller()
    record.put(cancelled_by=by)
    who = {None: "", INTERRUPTED: "", ENDING: ", as the server ended"}.get(by, f" by {by}")
    return f"The run was cancelled during {failure.stage}{who}."


def _find_value_hint(context: RunContext, error: RunnerError) -> str:
    """What lets the dest take a value that was refused."""
    if not isinstance(error, Inexact):
        return ""
    dest = context.module.dest_table
    if context.source_driver.any_value:
        return (
            f"{context.source_driver.label} keeps any value in any column, and a text holds each as it is: say "
            f"`dest_type: text` for '{error.column}' in the module's `columns`, or give {dest} a text column."
        )
    mend = f"Give '{error.column}' a type in {dest} that holds the value."
    # What the server refuses it refuses without our check too.
    return mend if error.sqlstate else f"{mend} {EXACT_SWITCH}"


def _run_failure_hooks(context: RunContext) -> None:
    if context.run.preview or not has_hooks(context.hooks, failed=True):
        return
    try:
        context.renew_runner()
        run_fitting(context, failed=True)
    except PipekitError as error:
        # The run's own error stays the record's error; the hook's is in the log.
        context.record.log(f"{error.message}\n")


def _succeed_late(context: RunContext, error: PipekitError | KeyboardInterrupt) -> RunStatus:
    record = context.record
    record.log(f"the runner was lost after the commit: {error}\n")
    try:
        with record.during("hook"):
            run_hooks(context)
    except RunFailed as failed:
        record.put(error_stage="hook", error=f"{failed.message} {MERGED}", hint=failed.hint or None)
        return "error"
    return "success"

# Closing runs that have no living owner, from the dest's ledger. Knows leases and ledgers, moves nothing.
"""Recovery: every run that was cut short is closed with its true outcome and its module freed."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

from pipekit import repo
from pipekit.config import Config
from pipekit.drivers import get_driver
from pipekit.engine.context import RunContext, application_name, ledger_entry, open_endpoint
from pipekit.engine.owner import get_liveness, new_owner
from pipekit.engine.settle import drop_staging, settle_merge
from pipekit.engine.sidefile import apply_side_file, apply_side_files
from pipekit.errors import PipekitError, RunnerError
from pipekit.logs import get_logger
from pipekit.models import MergeState, Run
from pipekit.runner.base import Endpoint
from pipekit.runner.native import NativeRunner
from pipekit.secrets import Secrets

_LOG = get_logger("recovery")
SETTLER = "pipekit:settle"
RECOVER_WITHIN_S = 25.0
# A statement may wait 30 s for the state database's lock, and the process tries again.
ALIVE_GRACE_S = 60.0
GONE = "The process that ran this ended before the run did."


def recover_runs(
    db: repo.State, config: Config, secrets: Secrets, *, before_each: Callable[[], None] | None = None
) -> list[Run]:
    """Closes every run whose owner is dead, waiting ones too, and group runs whose runs have all ended.

    Returns the runs that were running, as they are now. Each may take a while when its dest does not answer, so
    `before_each` is called before it.
    """
    closed: list[Run | None] = [*apply_side_files(db)]
    live = repo.list_live_runs(db)
    close_dead_places(db, live)
    for run in live:
        if run.status == "running":
            if before_each and is_abandoned(db, run):
                before_each()
            closed.append(_recover(db, config, secrets, run))
    repo.fold_ended_group_runs(db)
    return [run for run in closed if run]


def recover_module(db: repo.State, config: Config, secrets: Secrets, module_id: int) -> bool:
    """Closes the runs that hold a module or wait for it if their owner is dead; whether there were any."""
    live = [run for run in repo.list_live_runs(db) if run.module_id == module_id]
    waited = close_dead_places(db, live)
    closed = [run for run in live if run.status == "running" and _recover(db, config, secrets, run)]
    return bool(waited or closed)


def close_dead_places(db: repo.State, live: list[Run]) -> int:
    """Ends the waiting ones of these runs whose process is gone, and how many."""
    waiting = {run.owner for run in live if run.status == "queued"}
    dead = [owner for owner in waiting if owner is not None and get_liveness(owner) == "dead"]
    ended = sum(repo.close_orphans(db, dead_owner=owner) for owner in dead)
    return ended + (repo.close_orphans(db) if waiting else 0)


def _recover(db: repo.State, config: Config, secrets: Secrets, run: Run) -> Run | None:
    if apply_side_file(db, run):
        return repo.get_run(db, run.id)
    if not is_abandoned(db, run):
        return None
    owner = new_owner()
    dead = run.owner or ""
    if not repo.take_over_run(db, run.id, owner=owner, dead_owner=dead, lease_s=config.lease_s + RECOVER_WITHIN_S):
        return None
    state = ask_dest(db, config, secrets, run)
    repo.append_live_log(db, run.id, f"recovered: the dest's ledger says {state}\n")
    repo.finish_run(db, run.id, owner=owner, **_outcome(db, run, state))
    closed = repo.get_run(db, run.id)
    _LOG.warning("run %d (%s) had no living owner: recovered as %s", run.id, run.module, closed.status)
    return closed


def is_abandoned(db: repo.State, run: Run) -> bool:
    """Whether a running run has no living owner: its process is gone, or its lease ran out.

    A process of this machine that lives may only be kept from writing, by a lock or a full disk; it gets more time.
    """
    liveness = get_liveness(run.owner or "")
    grace_s = ALIVE_GRACE_S if liveness == "alive" else 0.0
    expired = run.lease_expires_at is not None and run.lease_expires_at < repo.lease_end(db, -grace_s)
    return expired or liveness == "dead"


def _outcome(db: repo.State, run: Run, state: MergeState) -> dict[str, Any]:
    """The fields of a recovered run, by what the ledger said."""
    if state == "none":
        stage = "merge" if run.rows_staged is not None else "stage" if run.resolved_sql else "claim"
        return {"status": "error", "error_stage": stage, "error": f"{GONE} Nothing was merged.", "merge_state": state}
    if state == "unknown":
        why = "The dest cannot be asked whether the merge was committed; the module's next run finds out."
        return {"status": "error", "error_stage": "merge", "error": f"{GONE} {why}", "merge_state": state}
    hooks = repo.list_hooks(db, run.module_id) if run.module_id else []
    if any(hook.run_on != "failure" for hook in hooks):
        error = f"{GONE} The merge was committed; whether its hooks ran is not known."
        return {"status": "error", "error_stage": "hook", "error": error, "merge_state": state}
    return {"status": "success", "merge_state": state}


def ask_dest(db: repo.State, config: Config, secrets: Secrets, run: Run) -> MergeState:
    """Settles a run in its dest and removes its staging; `unknown` when the dest cannot be asked."""
    if run.dest_id is None or run.dry_run:
        return "none"
    connection = repo.get_connection(db, run.dest_id)
    instance = repo.get_instance_id(db)
    try:
        dest = open_endpoint(config, secrets, connection, application=SETTLER)
        deadline = time.monotonic() + RECOVER_WITHIN_S
        with NativeRunner(silence_timeout_s=RECOVER_WITHIN_S, deadline=deadline) as runner:
            return _ask(runner, dest, run, instance)
    except PipekitError:
        return "unknown"


def _ask(runner: NativeRunner, dest: Endpoint, run: Run, instance: str) -> MergeState:
    driver = get_driver(dest.kind)
    state = settle_merge(runner, driver, dest, ledger_entry(run, instance), application_name(run, instance))
    if state != "unknown":
        # Where this fails, the next run of the module drops it before it makes its own.
        with contextlib.suppress(RunnerError):
            drop_staging(runner, driver, dest, run.module)
    return state


def settle_earlier_runs(db: repo.State, context: RunContext) -> None:
    """Finds out about earlier runs of the module whose dest could not be asked when they ended."""
    if context.run.module_id is None:
        return
    for run in repo.list_unsettled_runs(db, context.run.module_id):
        entry = ledger_entry(run, context.instance)
        application = application_name(run, context.instance)
        state = settle_merge(context.runner, context.dest_driver, context.dest, entry, application)
        if state != "unknown":
            repo.settle_merge_state(db, run.id, state)
            context.book.log(f"run {run.id}, whose outcome was not known: {state}\n")

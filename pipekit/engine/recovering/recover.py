# Closing runs that have no living owner, from the dest's ledger. Knows leases and ledgers, moves nothing.
"""Recovery: every run that was cut short is closed with its true outcome and its module freed."""

from collections.abc import Callable
from typing import Any

from pipekit import repo
from pipekit.engine.altering.following import settle_alterations
from pipekit.engine.context import RunContext
from pipekit.engine.installation import Installation
from pipekit.engine.previews import drop_kept
from pipekit.engine.recovering.leftovers import clean_leftovers
from pipekit.engine.recovering.outcomes import ASK_WITHIN_S, Outcome, ask_dests, ask_outcome
from pipekit.engine.recovering.owner import get_liveness, new_owner
from pipekit.engine.unsaved import apply_side_file, apply_side_files
from pipekit.errors import Conflict, ConnectFailed, StatementFailed
from pipekit.logs import get_logger
from pipekit.models import Connection, MergeState, Module, Run

_LOG = get_logger("recovery")
# A statement may wait 30 s for the state database's lock, and the process tries again.
ALIVE_GRACE_S = 60.0
UNKNOWN = "The dest cannot be asked whether the merge was committed; it is asked again until it answers."
GONE = "The process that ran this ended before the run did."


def recover_runs(installation: Installation, *, before: Callable[[], None] | None = None) -> list[Run]:
    """Closes every run whose owner is dead, waiting ones too, and group runs whose runs have all ended.

    Returns the runs that were running, as they are now. It may take `ASK_WITHIN_S` when dests do not answer, so
    `before` is called before any is asked.
    """
    db = installation.db
    closed = apply_side_files(db)
    live = repo.list_live_runs(db)
    close_dead_places(db, live)
    closed += _recover(installation, [run for run in live if run.status == "running"], before)
    repo.fold_ended_group_runs(db)
    return closed


def recover_module(installation: Installation, module_id: int) -> bool:
    """Closes the runs that hold a module or wait for it if their owner is dead; whether there were any."""
    live = [run for run in repo.list_live_runs(installation.db) if run.module_id == module_id]
    waited = close_dead_places(installation.db, live)
    closed = _recover(installation, [run for run in live if run.status == "running"])
    return bool(waited or closed)


def close_dead_places(db: repo.State, live: list[Run]) -> int:
    """Ends the waiting ones of these runs whose process is gone, and how many."""
    waiting = {run.owner for run in live if run.status == "queued"}
    dead = [owner for owner in waiting if owner is not None and get_liveness(owner) == "dead"]
    ended = sum(repo.close_orphans(db, dead_owner=owner) for owner in dead)
    return ended + (repo.close_orphans(db) if waiting else 0)


def _recover(installation: Installation, running: list[Run], before: Callable[[], None] | None = None) -> list[Run]:
    """Closes those of the runs that have no living owner: all are taken over first, then their dests are asked."""
    db = installation.db
    closed = [run for run in running if apply_side_file(db, run)]
    owners = {run.id: owner for run in running if run not in closed and (owner := _take_over(installation, run))}
    taken = [run for run in running if run.id in owners]
    if taken and before:
        before()
    for run, outcome in ask_dests(installation, taken):
        told = outcome.merge_state
        repo.append_live_log(db, run.id, f"recovered: the dest's ledger says {told}\n")
        fields = _build_record(db, run, told)
        repo.finish_run(db, run.id, owner=owners[run.id], staging_left=outcome.staging_left, **fields)
        _LOG.warning("run %d (%s) had no living owner: recovered as %s", run.id, run.module, fields["status"])
        closed.append(run)
    settle_alterations(db)
    return [repo.get_run(db, run.id) for run in closed]


def _take_over(installation: Installation, run: Run) -> str | None:
    """The owner that this process has become of an abandoned run; None when it has not."""
    db = installation.db
    if not is_abandoned(db, run):
        return None
    owner, lease_s = new_owner(), installation.config.lease_s + ASK_WITHIN_S
    is_taken = repo.take_over_run(db, run.id, owner=owner, dead_owner=run.owner or "", lease_s=lease_s)
    return owner if is_taken else None


def is_abandoned(db: repo.State, run: Run) -> bool:
    """Whether a running run has no living owner: its process is gone, or its lease ran out.

    A process of this machine that lives may only be kept from writing, by a lock or a full disk; it gets more time.
    """
    liveness = get_liveness(run.owner or "")
    grace_s = ALIVE_GRACE_S if liveness == "alive" else 0.0
    expired = run.lease_expires_at is not None and run.lease_expires_at < repo.lease_end(db, -grace_s)
    return expired or liveness == "dead"


def _build_record(db: repo.State, run: Run, state: MergeState) -> dict[str, Any]:
    """The fields of a recovered run, by what the ledger said."""
    if state == "none":
        stage = "merge" if run.rows_staged is not None else "stage" if run.resolved_sql else "claim"
        return {"status": "error", "error_stage": stage, "error": f"{GONE} Nothing was merged.", "merge_state": state}
    if state == "unknown":
        return {"status": "error", "error_stage": "merge", "error": f"{GONE} {UNKNOWN}", "merge_state": state}
    hooks = repo.list_hooks(db, run.module_id) if run.module_id and not (run.undoes or run.alteration) else []
    if any(hook.run_on != "failure" for hook in hooks):
        error = f"{GONE} The merge was committed; whether its hooks ran is not known."
        return {"status": "error", "error_stage": "hook", "error": error, "merge_state": state}
    return {"status": "success", "merge_state": state}


def settle_leftovers(
    installation: Installation, choose: Callable[[int, Connection], bool]
) -> list[tuple[Run, Outcome]]:
    """Asks again about runs that ended without an answer, or whose staging may be left, and writes down what is told.

    `choose` is given each run's id and dest, and says whether it is asked. Returns the runs that were asked about, with
    what came of it.
    """
    db = installation.db
    repo.expire_previews(db)
    dests = [(run, repo.find_kept_dest(db, run)) for run in repo.list_leftover_runs(db)]
    runs = [run for run, dest in dests if dest and choose(run.id, dest)]
    asked = []
    for run, outcome in ask_dests(installation, runs):
        _note_settled(db, run, outcome)
        asked.append((run, outcome))
    settle_alterations(db)
    return asked


def drop_preview(installation: Installation, module: Module, run: Run) -> bool:
    """Removes what a preview of a module has staged; False when its dest does not answer, and is asked again later.

    Raises NotFound, and Conflict when it is another module's or is not kept any more.
    """
    if run.module_id != module.id:
        raise Conflict(f"Run {run.id} is no preview of the module {module.name!r}, but of {run.module!r}.")
    drop_kept(installation.db, run)
    asked = settle_leftovers(installation, lambda run_id, _: run_id == run.id)
    return all(not outcome.staging_left for _, outcome in asked)


def settle_earlier_runs(db: repo.State, context: RunContext) -> None:
    """The same for earlier runs of a run's own module, where its dest is still theirs; the server asks the others.

    A copy has no earlier runs; it removes what copies that were killed have left in its dest.
    """
    if context.run.module_id is None:
        _clean_before_copy(context)
        return
    repo.expire_previews(db)
    for run in repo.list_leftover_runs(db, context.run.module_id):
        dest = repo.find_kept_dest(db, run)
        if dest and (dest.driver, dest.jdbc_url) == (context.dest.kind, context.dest.jdbc_url):
            outcome = ask_outcome(context.runner, context.dest, run, context.instance)
            _note_settled(db, run, outcome)
            if outcome.merge_state != "unknown" and run.merge_state == "unknown":
                context.record.log(f"run {run.id}, whose outcome was not known: {outcome.merge_state}\n")


def _clean_before_copy(context: RunContext) -> None:
    """A dest that does not answer is told in the stage that needs it."""
    try:
        cleaning = clean_leftovers(context.runner, context.dest, context.instance, context.record.has_ended)
    except (ConnectFailed, StatementFailed) as error:
        context.record.log(f"note: nobody could look for what dead loads have left: {error.message}\n")
        return
    for claim in cleaning.removed:
        context.record.log(f"{claim.staging}, left by a load that was killed, is removed\n")


def recover_copies(installation: Installation, dest: Connection) -> None:
    """Closes copies that were cut short, and what copies have left in this dest: no later run of a module does it."""
    running = [run for run in repo.list_live_runs(installation.db) if run.module_id is None]
    _recover(installation, [run for run in running if run.status == "running"])
    copies = {run.id for run in repo.list_leftover_runs(installation.db) if run.module_id is None}
    address = (dest.driver, dest.jdbc_url)
    settle_leftovers(installation, lambda run_id, kept: run_id in copies and (kept.driver, kept.jdbc_url) == address)


def _note_settled(db: repo.State, run: Run, outcome: Outcome) -> None:
    if outcome.merge_state == "unknown":
        return
    if run.merge_state == "unknown" and repo.settle_merge_state(db, run.id, outcome.merge_state):
        _LOG.info("run %d (%s), whose outcome was not known: %s", run.id, run.module, outcome.merge_state)
    repo.note_staging_left(db, run.id, outcome.staging_left)

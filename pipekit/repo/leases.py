# Who owns a run and its module: claim, renew, take over, finish. Knows nothing of what a run does.
"""Leases.

A module's running flag is a lease: an owner, a time it runs out, and a fence that rises with every new owner. The
fence follows the clock (milliseconds since 1970) where that is ahead, so that it rises even when the state database is
put back from an older backup: a dest's ledger remembers the highest one and refuses a lower. The run
carries the same owner and time, so that a run without a module has a lease too. Claiming, renewing, taking over and
finishing are each one immediate transaction, and each is conditional on the owner being who the caller thinks it is.
"""

import time
from typing import Any, Literal
from uuid import uuid4

from pipekit.errors import ModuleBusy
from pipekit.models import Module, Run, RunStatus
from pipekit.repo.clock import lease_end
from pipekit.repo.connections import get_connection
from pipekit.repo.group_runs import fold_group_run
from pipekit.repo.modules import get_module
from pipekit.repo.runs import get_run, note_beside, run_values, storable, take_beside
from pipekit.repo.state import State, now, transaction

LeaseState = Literal["held", "cancel", "lost"]


def claim_module(
    db: State,
    module_id: int,
    *,
    owner: str,
    lease_s: float,
    triggered_by: str,
    dry_run: bool,
    staging_table: str | None,
    group_run_id: int | None = None,
) -> Run:
    """Makes `owner` the owner of the module for `lease_s` seconds and starts its run. Raises ModuleBusy, NotFound."""
    with transaction(db):
        module = take_module(db, module_id, owner, lease_s)
        return _start_run(
            db,
            {
                "module_id": module_id,
                "module": module.name,
                "group_run_id": group_run_id,
                "fence": module.fence,
                "dest_id": module.dest_id,
                "dest_table": module.dest_table,
                "staging_table": staging_table,
                "owner": owner,
                "lease_expires_at": module.lease_expires_at,
                "triggered_by": triggered_by,
                "dry_run": dry_run,
            },
        )


def take_module(db: State, module_id: int, owner: str, lease_s: float) -> Module:
    """The module's lease, inside the caller's transaction. Raises ModuleBusy, NotFound."""
    claimed = db.change(
        """
        UPDATE module
        SET running = 1, lease_owner = :owner, lease_expires_at = :expires, fence = max(fence + 1, :ms)
        WHERE id = :id AND running = 0
        """,
        {"id": module_id, "owner": owner, "expires": lease_end(db, lease_s), "ms": round(time.time() * 1000)},
    )
    module = get_module(db, module_id)
    if not claimed:
        raise build_busy(db, module)
    return module


def start_adhoc_run(
    db: State,
    *,
    name: str,
    dest_id: int,
    dest_table: str,
    owner: str,
    triggered_by: str,
    dry_run: bool,
    lease_s: float = 20.0,
    staging_table: str | None = None,
) -> Run:
    """Starts a run without a module, owned for `lease_s` seconds. Raises NotFound for the connection."""
    with transaction(db):
        get_connection(db, dest_id)
        return _start_run(
            db,
            {
                "module": storable(name),
                "dest_id": dest_id,
                "dest_table": dest_table,
                "staging_table": staging_table,
                "owner": owner,
                "lease_expires_at": lease_end(db, lease_s),
                "triggered_by": triggered_by,
                "dry_run": dry_run,
            },
        )


def renew_lease(db: State, run_id: int, owner: str, lease_s: float) -> LeaseState:
    """Extends the lease to `lease_s` seconds from now while `owner` holds it.

    Answers "cancel" (the lease is extended all the same) when somebody asked the run to stop, and "lost", changing
    nothing, when the run has another owner or has ended.
    """
    values = {"run_id": run_id, "owner": owner, "expires": lease_end(db, lease_s)}
    with transaction(db):
        run = db.row(
            """
            UPDATE run_log SET lease_expires_at = :expires
            WHERE id = :run_id AND owner = :owner AND status = 'running'
              AND (module_id IS NULL
                   OR EXISTS (SELECT 1 FROM module WHERE module.id = module_id AND lease_owner = :owner))
            RETURNING module_id, cancel_requested
            """,
            values,
        )
        if run is None:
            return "lost"
        db.change("UPDATE module SET lease_expires_at = :expires WHERE id = :id", {**values, "id": run["module_id"]})
        return "cancel" if run["cancel_requested"] else "held"


def take_over_run(db: State, run_id: int, *, owner: str, dead_owner: str, lease_s: float) -> bool:
    """Makes `owner` the owner of a run whose owner is dead, and of its module's lease, whose fence rises.

    False, and nothing is changed, when `dead_owner` is not the run's owner (any more) or the run has ended. Whether the
    owner is dead is the caller's to know; one that lives finds the lease lost, and its merge fenced off.
    """
    values = {"run_id": run_id, "owner": owner, "dead_owner": dead_owner, "expires": lease_end(db, lease_s)}
    with transaction(db):
        run = db.row(
            """
            UPDATE run_log SET owner = :owner, lease_expires_at = :expires
            WHERE id = :run_id AND owner = :dead_owner AND status = 'running'
            RETURNING module_id
            """,
            values,
        )
        if run is None:
            return False
        db.change(
            """
            UPDATE module SET lease_owner = :owner, lease_expires_at = :expires, fence = fence + 1
            WHERE id = :id AND lease_owner = :dead_owner
            """,
            {**values, "id": run["module_id"]},
        )
        return True


def finish_run(
    db: State, run_id: int, *, owner: str, status: RunStatus, finished_at: str | None = None, **fields: Any
) -> bool:
    """Writes a run's outcome, frees its module and ends its group run if it was the last one, in one transaction.

    False, and nothing is changed, when the run has ended already or belongs to another owner by now. `fields` are those
    of `update_run`; `finished_at` is now unless it is given, and never before the start, whatever the clock says.
    """
    beside = take_beside(fields)
    values = {**run_values(fields), "status": status, "lease_expires_at": None, "finished_at": finished_at or now()}
    pairs = ", ".join(f"{name} = :{name}" for name in values)
    pairs = pairs.replace("= :finished_at", "= max(:finished_at, started_at)")
    with transaction(db):
        run = db.row(
            f"UPDATE run_log SET {pairs} WHERE id = :run_id AND owner = :owner AND status = 'running' "
            "RETURNING module_id, group_run_id",
            {**values, "run_id": run_id, "owner": owner},
        )
        if run is None:
            return False
        note_beside(db, run_id, beside)
        db.change("UPDATE run_live SET stage = NULL, stage_started_at = NULL WHERE run_id = ?", (run_id,))
        db.change(
            """
            UPDATE module SET running = 0, lease_owner = NULL, lease_expires_at = NULL
            WHERE id = :id AND lease_owner = :owner
            """,
            {"id": run["module_id"], "owner": owner},
        )
        if run["group_run_id"] is not None:
            fold_group_run(db, run["group_run_id"])
        return True


def _start_run(db: State, values: dict[str, Any]) -> Run:
    started = {"run_key": uuid4().hex, "status": "running", "started_at": now()}
    return get_run(db, db.insert("run_log", {**values, **started}))


def build_busy(db: State, module: Module) -> ModuleBusy:
    """The error that says which run holds a module, and since when."""
    run = db.row(
        "SELECT id, started_at FROM run_log WHERE module_id = ? AND status = 'running' ORDER BY id DESC LIMIT 1",
        (module.id,),
    )
    if run is None:
        return ModuleBusy(f"The module {module.name!r} is held by {module.lease_owner}.")
    return ModuleBusy(
        f"The module {module.name!r} is already running: run {run['id']}, since {run['started_at']}.",
        hint=f"Wait for it, or stop it with `pipekit runs cancel {run['id']}`.",
    )

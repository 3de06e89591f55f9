# Runs that wait for a slot: asking for one, and who may start next. Knows nothing of threads or processes.
"""The queue.

A queued run is a `run_log` row. `claim_next_run` walks them oldest first in one immediate transaction and starts the
first that may: its module is free, its group run has come to its place, and a slot is free in all and on both of its
connections. An older run that waits for a slot keeps its place on its connections, so that newer ones never starve it.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from pipekit.errors import ModuleBusy
from pipekit.models import Module, Row, Run
from pipekit.repo.leases import build_busy, take_module
from pipekit.repo.modules import get_module
from pipekit.repo.runs import get_run
from pipekit.repo.state import State, now, now_plus, transaction

GONE = "The process that asked for this run ended before the run could start."

_WAITING = """
    SELECT r.id, r.owner, r.group_run_id, r.run_order, m.id AS module_id, m.running, m.source_id, m.dest_id,
           s.max_runs AS source_max, d.max_runs AS dest_max, g.parallel
    FROM run_log r
    JOIN module m ON m.id = r.module_id
    JOIN connection s ON s.id = m.source_id
    JOIN connection d ON d.id = m.dest_id
    LEFT JOIN group_run g ON g.id = r.group_run_id
    WHERE r.status = 'queued'
    ORDER BY r.id
"""
_RUNNING = """
    SELECT r.group_run_id, m.source_id, m.dest_id
    FROM run_log r LEFT JOIN module m ON m.id = r.module_id
    WHERE r.status = 'running'
"""


def enqueue_run(
    db: State,
    module_id: int,
    *,
    triggered_by: str,
    dry_run: bool = False,
    overrides: Mapping[str, str] | None = None,
    owner: str | None = None,
    lease_s: float | None = None,
) -> Run:
    """Asks for a run of a module. With `owner` that process will run it, and must renew its claim within `lease_s`.

    Raises ModuleBusy when a run of the module is alive or waits already, NotFound.
    """
    with transaction(db):
        module = get_module(db, module_id)
        waiting = db.row("SELECT id FROM run_log WHERE module_id = ? AND status = 'queued' LIMIT 1", (module_id,))
        if module.running:
            raise build_busy(db, module)
        if waiting:
            raise ModuleBusy(f"The module {module.name!r} is waiting to run already: run {waiting['id']}.")
        return insert_queued_run(
            db,
            module,
            triggered_by=triggered_by,
            dry_run=dry_run,
            overrides_json=json.dumps(dict(overrides)) if overrides else None,
            owner=owner,
            lease_expires_at=now_plus(lease_s) if lease_s is not None else None,
        )


def insert_queued_run(db: State, module: Module, **fields: str | int | None) -> Run:
    """A `queued` row for a module, inside the caller's transaction."""
    values = {
        "run_key": uuid4().hex,
        "status": "queued",
        "queued_at": now(),
        "module_id": module.id,
        "module": module.name,
        "dest_id": module.dest_id,
        "dest_table": module.dest_table,
    }
    return get_run(db, db.insert("run_log", {**values, **fields}))


@dataclass(slots=True)
class _Slots:
    """What is taken: by running runs, and by older ones that wait for a slot."""

    free: int
    used: Counter[int] = field(default_factory=Counter)
    in_group: Counter[int] = field(default_factory=Counter)

    def take(self, row: Row) -> None:
        for connection in {row["source_id"], row["dest_id"]} - {None}:
            self.used[connection] += 1
        if row["group_run_id"] is not None:
            self.in_group[row["group_run_id"]] += 1
        self.free -= 1

    def reserve(self, row: Row) -> None:
        """Keeps an older run's place on its connections without taking a slot."""
        for connection in {row["source_id"], row["dest_id"]}:
            self.used[connection] += 1

    def has_room(self, row: Row) -> bool:
        limits = {row["source_id"]: row["source_max"], row["dest_id"]: row["dest_max"]}
        return all(limit is None or self.used[connection] < limit for connection, limit in limits.items())


def claim_next_run(
    db: State, *, owner: str, lease_s: float, max_runs: int, run_id: int | None = None, paused: bool = False
) -> Run | None:
    """Starts the oldest queued run that may start, or with `run_id` that one if its turn has come; None when none may.

    A server claims runs without an owner; a process claims the run it has asked for itself. `paused` holds back the
    runs that groups and servers would start, not those that people run from a shell.
    """
    with transaction(db):
        _close_orphans(db)
        slots = _Slots(free=max_runs)
        for row in db.rows(_RUNNING):
            slots.take(row)
        served = _has_server(db)
        for row in db.rows(_WAITING):
            if slots.free <= 0:
                return None
            theirs = row["owner"] is None
            if (theirs and (paused or not (served or run_id is None))) or not _is_ready(db, row, slots):
                continue
            if not slots.has_room(row):
                slots.reserve(row)
                continue
            if row["id"] == run_id or (run_id is None and theirs):
                return _start(db, row, owner, lease_s)
            slots.take(row)
        return None


def renew_place(db: State, run_id: int, owner: str, lease_s: float) -> bool:
    """Tells that the process that waits for its run is alive; False when the run waits no more."""
    with transaction(db):
        sql = "UPDATE run_log SET lease_expires_at = :at WHERE id = :id AND owner = :owner AND status = 'queued'"
        return bool(db.change(sql, {"at": now_plus(lease_s), "id": run_id, "owner": owner}))


def cancel_queued_run(db: State, run_id: int) -> bool:
    """Ends a run that waits; False when it does not wait (any more)."""
    with transaction(db):
        return bool(_close(db, "id = :id", {"id": run_id}, "cancelled", "The run was cancelled before it started."))


def get_overrides(db: State, run_id: int) -> dict[str, str]:
    """The watermark values a queued run was asked for with."""
    row = db.row("SELECT overrides_json FROM run_log WHERE id = ?", (run_id,))
    found: dict[str, str] = json.loads((row and row["overrides_json"]) or "{}")
    return found


def _is_ready(db: State, row: Row, slots: _Slots) -> bool:
    """Its module is free, and in its group run every earlier place is done and a place beside the others is free."""
    if row["running"]:
        return False
    if row["group_run_id"] is None:
        return True
    earlier = db.row(
        """
        SELECT 1 FROM run_log
        WHERE group_run_id = :group_run_id AND run_order < :run_order AND status IN ('queued', 'running') LIMIT 1
        """,
        {"group_run_id": row["group_run_id"], "run_order": row["run_order"]},
    )
    return earlier is None and slots.in_group[row["group_run_id"]] < (row["parallel"] or 1)


def _start(db: State, row: Row, owner: str, lease_s: float) -> Run:
    module = take_module(db, row["module_id"], owner, lease_s)
    db.update(
        "run_log",
        row["id"],
        {
            "status": "running",
            "owner": owner,
            "lease_expires_at": module.lease_expires_at,
            "started_at": now(),
            "fence": module.fence,
            "module": module.name,
            "dest_id": module.dest_id,
            "dest_table": module.dest_table,
        },
    )
    return get_run(db, row["id"])


def _has_server(db: State) -> bool:
    return db.row("SELECT 1 FROM server WHERE lease_expires_at > ?", (now(),)) is not None


def _close_orphans(db: State) -> None:
    """Queued runs that nobody will start: their process is gone, or their module was deleted."""
    gone = "owner IS NOT NULL AND lease_expires_at < :now"
    _close(db, gone, {"now": now()}, "error", GONE)
    _close(db, "module_id IS NULL", {}, "error", "The module was deleted before the run could start.")


def _close(db: State, where: str, values: Mapping[str, str | int], status: str, error: str) -> int:
    return db.change(
        f"""
        UPDATE run_log SET status = :status, error = :error, error_stage = 'claim', finished_at = :finished_at,
            lease_expires_at = NULL
        WHERE status = 'queued' AND {where}
        """,
        {**values, "status": status, "error": error, "finished_at": now()},
    )

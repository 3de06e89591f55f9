# Runs that wait for a slot: asking for one, and who may start next. Knows nothing of threads or processes.
"""The queue.

A queued run is a `run_log` row. `claim_next_run` walks them oldest first in one immediate transaction and starts the
first that may: its module is free, its group run has come to its place, and a slot is free in all and on both of its
connections. An older run that waits for a slot keeps its place on its connections, so that newer ones never starve it.
A run that waits for something else (a busy module, an earlier member of its group, a pause) keeps no place.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipekit.errors import ModuleBusy
from pipekit.models import Alteration, Row, Run, Verify
from pipekit.repo.altering import note_alteration
from pipekit.repo.clock import lease_end, lease_now
from pipekit.repo.group_runs import CANCELLED, end_queued_runs
from pipekit.repo.leases import build_busy, take_module
from pipekit.repo.modules import get_module
from pipekit.repo.pause import is_paused
from pipekit.repo.runs import get_run, insert_queued_run, note_beside
from pipekit.repo.state import State, now, transaction
from pipekit.repo.undo import note_undoes

GONE = "The process that asked for this run ended, or stood still for too long, before the run could start."
DELETED = "The module was deleted before the run could start."

_WAITING = """
    SELECT r.id, r.owner, r.group_run_id, r.run_order, m.id AS module_id, m.running, m.source_id, m.dest_id,
           s.max_runs AS source_max, d.max_runs AS dest_max, g.parallel, coalesce(p.paused, 0) AS group_paused
    FROM run_log r
    JOIN module m ON m.id = r.module_id
    JOIN connection s ON s.id = m.source_id
    JOIN connection d ON d.id = m.dest_id
    LEFT JOIN group_run g ON g.id = r.group_run_id
    LEFT JOIN grp p ON p.id = g.group_id
    WHERE r.status = 'queued'
    ORDER BY r.id
"""
# The dest is the one the run was claimed with; the module may point elsewhere by now. A copy has no module at all.
_RUNNING = """
    SELECT r.group_run_id, r.module_id, m.source_id, coalesce(r.dest_id, m.dest_id) AS dest_id
    FROM run_log r LEFT JOIN module m ON m.id = r.module_id
    WHERE r.status = 'running'
"""
# Where each live group run stands: the lowest place at which something waits or runs. (A plus keeps SQLite from another
# index than that of the status: of live runs there are few, of others a million.)
_PLACES = """
    SELECT group_run_id, min(run_order) AS place FROM run_log
    WHERE status IN ('queued', 'running') AND +group_run_id IS NOT NULL
    GROUP BY group_run_id
"""


def enqueue_run(
    db: State,
    module_id: int,
    *,
    triggered_by: str,
    dry_run: bool = False,
    preview: bool = False,
    merges: int | None = None,
    overrides: Mapping[str, str] | None = None,
    undoes: int | None = None,
    verify: Verify | None = None,
    alteration: Alteration | None = None,
    owner: str | None = None,
    lease_s: float | None = None,
) -> Run:
    """Asks for a run of a module, with `verify` for one that compares.

    With `owner` that process will run it, and must renew its claim within `lease_s`.

    A `preview` merges nothing; `merges` is the preview whose staging is merged.
    With `undoes` it takes that run back, with an `alteration` it changes a column of the dest.

    Raises ModuleBusy when a run of the module is alive or waits already, NotFound.
    """
    with transaction(db):
        close_orphans(db)
        module = get_module(db, module_id)
        if module.running:
            raise build_busy(db, module)
        _refuse_second(db, module_id, module.name)
        run = insert_queued_run(
            db,
            module,
            verify=verify,
            triggered_by=triggered_by,
            dry_run=dry_run,
            preview=preview,
            merges=merges,
            overrides_json=json.dumps(dict(overrides)) if overrides else None,
            owner=owner,
            lease_expires_at=lease_end(db, lease_s) if lease_s is not None else None,
        )
        run = run if alteration is None else note_alteration(db, run, alteration)
        return run if undoes is None else note_undoes(db, run, undoes)


def _refuse_second(db: State, module_id: int, name: str) -> None:
    sql = "SELECT id, owner FROM run_log WHERE +module_id = ? AND status = 'queued' ORDER BY id LIMIT 1"
    waiting = db.row(sql, (module_id,))
    if waiting:
        whose = "the server starts it" if waiting["owner"] is None else "its own process starts it"
        raise ModuleBusy(
            f"The module {name!r} is waiting to run already: run {waiting['id']}; {whose}.",
            hint=f"Wait for it, or stop it with `pipekit runs cancel {waiting['id']}`.",
        )


@dataclass(slots=True)
class _Slots:
    """What is taken: by running runs, and by older ones that wait for a slot."""

    free: int
    used: Counter[int] = field(default_factory=Counter)
    in_group: Counter[int] = field(default_factory=Counter)
    modules: set[int] = field(default_factory=set)

    def take(self, row: Row) -> None:
        self.reserve(row)
        if row["group_run_id"] is not None:
            self.in_group[row["group_run_id"]] += 1
        self.free -= 1

    def reserve(self, row: Row) -> None:
        """Keeps an older run's place on its connections and its module without taking a slot."""
        for connection in {row["source_id"], row["dest_id"]} - {None}:
            self.used[connection] += 1
        if row["module_id"] is not None:
            self.modules.add(row["module_id"])

    def has_room(self, row: Row) -> bool:
        limits = {row["source_id"]: row["source_max"], row["dest_id"]: row["dest_max"]}
        return all(limit is None or self.used[connection] < limit for connection, limit in limits.items())


@dataclass(frozen=True, slots=True)
class _Claimer:
    """Who asks for a run, and what is held back."""

    run_id: int | None
    asked_by: str | None
    serves: bool
    is_paused: bool

    def may_start(self, row: Row) -> bool:
        """Whether the run is the claimer's to start."""
        if self.run_id is not None:
            return bool(row["id"] == self.run_id)
        return bool(row["owner"] == self.asked_by)

    def is_held_back(self, row: Row) -> bool:
        """Whether nobody starts the run now: a pause, or there is no server to start it."""
        if row["group_paused"]:
            return True
        return row["owner"] is None and (self.is_paused or not self.serves)


def claim_next_run(
    db: State,
    *,
    owner: str,
    lease_s: float,
    max_runs: int,
    run_id: int | None = None,
    asked_by: str | None = None,
    paused: bool = False,
) -> Run | None:
    """Starts the oldest queued run that may start and is the caller's to start; None when there is none.

    A server claims runs without an owner. A process claims what it has asked for itself: the run `run_id`, or whatever
    was queued with `asked_by` as its owner. From its start on the run belongs to `owner`. Runs of a paused group wait;
    the pause of the whole program (or `paused`) holds back the server's runs, not those that people run from a shell.
    """
    if db.row("SELECT 1 FROM run_log WHERE status = 'queued' LIMIT 1") is None:
        return None  # the common case, without asking for the write lock
    with transaction(db):
        close_orphans(db)
        serves = (run_id is None and asked_by is None) or _has_server(db)
        claimer = _Claimer(run_id, asked_by, serves, paused or is_paused(db))
        row = _find_next(db, claimer, max_runs)
        return _start(db, row, owner, lease_s) if row else None


def _find_next(db: State, claimer: _Claimer, max_runs: int) -> Row | None:
    slots = _Slots(free=max_runs)
    for row in db.rows(_RUNNING):
        slots.take(row)
    places = {row["group_run_id"]: row["place"] for row in db.rows(_PLACES)}
    for row in db.rows(_WAITING):
        if slots.free <= 0:
            return None
        if claimer.is_held_back(row) or not _is_ready(row, slots, places):
            continue
        if not slots.has_room(row):
            slots.reserve(row)
        elif claimer.may_start(row):
            return row
        else:
            slots.take(row)
    return None


def _is_ready(row: Row, slots: _Slots, places: Mapping[int, int]) -> bool:
    """Its module is free, and in its group run every earlier place is done and a place beside the others is free."""
    if row["running"] or row["module_id"] in slots.modules:
        return False
    group_run_id = row["group_run_id"]
    if group_run_id is None:
        return True
    return bool(row["run_order"] <= places[group_run_id] and slots.in_group[group_run_id] < (row["parallel"] or 1))


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
    return db.row("SELECT 1 FROM server WHERE lease_expires_at >= ?", (lease_now(db),)) is not None


def renew_place(db: State, run_id: int, owner: str, lease_s: float) -> bool:
    """Tells that the process that waits for its run is alive; False when the run waits no more."""
    sql = "UPDATE run_log SET lease_expires_at = :at WHERE id = :id AND owner = :owner AND status = 'queued'"
    return bool(db.change(sql, {"at": lease_end(db, lease_s), "id": run_id, "owner": owner}))


def renew_places(db: State, owner: str, lease_s: float) -> int:
    """The same for everything a process waits for; how many still wait."""
    sql = "UPDATE run_log SET lease_expires_at = :at WHERE owner = :owner AND status = 'queued'"
    return db.change(sql, {"at": lease_end(db, lease_s), "owner": owner})


def cancel_queued_run(db: State, run_id: int, user: str | None = None) -> bool:
    """Ends a run that waits; False when it does not wait (any more)."""
    with transaction(db):
        has_ended = bool(end_queued_runs(db, "id = :id", {"id": run_id}, "cancelled", CANCELLED))
        if has_ended:
            note_beside(db, run_id, {"cancelled_by": user})
        return has_ended


Hold = Literal["", "paused", "group", "module", "members"]
_HOLD = """
    SELECT CASE
        WHEN r.owner IS NULL AND EXISTS (SELECT 1 FROM meta WHERE name = 'paused' AND value = '1') THEN 'paused'
        WHEN p.paused THEN 'group'
        WHEN m.running THEN 'module'
        WHEN EXISTS (SELECT 1 FROM run_log e WHERE e.group_run_id = r.group_run_id AND e.run_order < r.run_order
                     AND +e.status IN ('queued', 'running')) THEN 'members'
        ELSE '' END AS hold
    FROM run_log r JOIN module m ON m.id = r.module_id
    LEFT JOIN group_run g ON g.id = r.group_run_id LEFT JOIN grp p ON p.id = g.group_id
    WHERE r.id = ? AND r.status = 'queued'
"""


def find_hold(db: State, run_id: int) -> Hold:
    """What a waiting run waits for: everything or its group is `paused`, its module runs, earlier members of its group.

    `""` where it waits for a slot alone, or does not wait (any more).
    """
    row = db.row(_HOLD, (run_id,))
    return row["hold"] if row else ""


def get_overrides(db: State, run_id: int) -> dict[str, str]:
    """The watermark values a queued run was asked for with."""
    row = db.row("SELECT overrides_json FROM run_log WHERE id = ?", (run_id,))
    found: dict[str, str] = json.loads((row and row["overrides_json"]) or "{}")
    return found


def close_orphans(db: State, *, dead_owner: str | None = None) -> int:
    """Ends queued runs that nobody will start, and how many: their process is gone, or their module was deleted.

    A process is gone when its lease ran out, or when the caller knows it (`dead_owner`).
    """
    gone = "owner IS NOT NULL AND (lease_expires_at < :now OR owner = :dead_owner)"
    ended = end_queued_runs(db, gone, {"now": lease_now(db), "dead_owner": dead_owner}, "error", GONE)
    return ended + end_queued_runs(db, "+module_id IS NULL", {}, "error", DELETED)

# Group runs: made with their queued runs, cancelled, and folded when the last one ends. Knows not who may start next.
"""A group run is a `group_run` row and one `run_log` row for each member, all queued in the same transaction.

It needs no state machine of its own: the queue starts its runs in their order, and whatever ends a run (its owner, a
cancel, recovery) folds the group run in the same transaction when that was the last one.
"""

from collections.abc import Collection, Mapping
from typing import Any, Literal

from pipekit.errors import GroupBusy, Invalid
from pipekit.models import GroupRun, GroupRunStatus, Verify
from pipekit.repo.clock import lease_end
from pipekit.repo.groups import get_group
from pipekit.repo.modules import get_module
from pipekit.repo.names import get_row
from pipekit.repo.runs import ALIVE, insert_queued_run, note_beside
from pipekit.repo.state import State, now, transaction

CANCELLED = "The run was cancelled before it started."


def create_group_run(
    db: State,
    group_id: int,
    *,
    triggered_by: str,
    dry_run: bool = False,
    owner: str | None = None,
    lease_s: float | None = None,
    only: Collection[int] | None = None,
) -> GroupRun:
    """A group run with a queued run for each enabled member; with none it is a success at once.

    With `only` (ids of members) the others are left out; so is, in a dry run, who would `verify`: that moves rows.
    `triggered_by` is `manual` or `schedule:{id}`. With `owner` that process will run its runs, and must renew their
    places within `lease_s`. A member whose module is busy waits until it is free. Raises GroupBusy, NotFound.
    """
    with transaction(db):
        group = get_group(db, group_id)
        _refuse_second(db, group_id, group.name)
        started = {"status": "running", "triggered_by": triggered_by, "started_at": now()}
        values = {"group_id": group_id, "group_name": group.name, "parallel": group.parallel, **started}
        group_run_id = db.insert("group_run", values)
        members = _enabled_members(db, group_id)
        for member in members if only is None else [item for item in members if item["id"] in only]:
            if member["verify"] and dry_run:
                continue
            insert_queued_run(
                db,
                get_module(db, member["module_id"]),
                group_run_id=group_run_id,
                run_order=member["run_order"],
                triggered_by=triggered_by,
                dry_run=dry_run,
                owner=owner,
                lease_expires_at=lease_end(db, lease_s) if lease_s is not None else None,
                verify=Verify() if member["verify"] else None,
            )
        fold_group_run(db, group_run_id)
        return get_group_run(db, group_run_id)


def get_group_run(db: State, group_run_id: int) -> GroupRun:
    """The group run of this id; raises NotFound."""
    return GroupRun.from_row(get_row(db, "group_run", "group run", group_run_id))


def find_live_group_run(db: State, group_id: int) -> GroupRun | None:
    """The group run of a group that has not ended, or None."""
    row = db.row("SELECT * FROM group_run WHERE status = 'running' AND +group_id = ? LIMIT 1", (group_id,))
    return GroupRun.from_row(row) if row else None


def list_group_runs(
    db: State,
    *,
    group_id: int | None = None,
    status: GroupRunStatus | None = None,
    limit: int = 50,
    before_id: int | None = None,
) -> list[GroupRun]:
    """Group runs, the newest first. `before_id` goes on where a page ended."""
    if limit < 1:
        raise Invalid("A list has a limit of 1 or more.", field="limit")
    # The plus keeps a status, of which there are few, from being chosen as the index where a group is given.
    filters: dict[str, tuple[str, Any]] = {
        "group_id": ("group_id = :group_id", group_id),
        "status": ("status = :status" if group_id is None else "+status = :status", status),
        "before_id": ("id < :before_id", before_id),
    }
    used = {name: pair for name, pair in filters.items() if pair[1] is not None}
    where = " AND ".join(condition for condition, _ in used.values()) or "TRUE"
    sql = f"SELECT * FROM group_run WHERE {where} ORDER BY id DESC LIMIT :limit"
    return [GroupRun.from_row(row) for row in db.rows(sql, {**{n: v for n, (_, v) in used.items()}, "limit": limit})]


def cancel_group_run(db: State, group_run_id: int, user: str | None = None) -> bool:
    """Ends the runs that wait and asks those that run to stop; False when it has ended. Raises NotFound."""
    with transaction(db):
        get_group_run(db, group_run_id)
        asked = "UPDATE group_run SET cancel_requested = 1 WHERE id = ? AND status = 'running'"
        if not db.change(asked, (group_run_id,)):
            return False
        for run in db.rows(f"SELECT id FROM run_log WHERE group_run_id = ? AND {ALIVE}", (group_run_id,)):
            note_beside(db, run["id"], {"cancelled_by": user})
        running = "UPDATE run_log SET cancel_requested = 1 WHERE group_run_id = ? AND status = 'running'"
        db.change(running, (group_run_id,))
        end_queued_runs(db, "group_run_id = :id", {"id": group_run_id}, "cancelled", CANCELLED)
        fold_group_run(db, group_run_id)
        return True


def end_queued_runs(
    db: State, where: str, values: Mapping[str, Any], status: Literal["cancelled", "error"], error: str
) -> int:
    """Ends queued runs that were never started, and their group runs where those were the last; how many."""
    with transaction(db):
        ended = db.rows(
            f"""
            UPDATE run_log SET status = :status, error = :error, error_stage = 'claim',
                finished_at = max(:finished_at, coalesce(queued_at, :finished_at)), lease_expires_at = NULL
            WHERE status = 'queued' AND {where}
            RETURNING group_run_id
            """,
            {**values, "status": status, "error": error, "finished_at": now()},
        )
        for group_run_id in {row["group_run_id"] for row in ended} - {None}:
            fold_group_run(db, group_run_id)
        return len(ended)


def fold_group_run(db: State, group_run_id: int) -> bool:
    """Ends a group run none of whose runs is alive; whether it did. Called in the transaction that ends a run."""
    counts = db.row(
        f"""
        SELECT sum({ALIVE}) AS alive, sum(status NOT IN ('success', 'dry_run')) AS failed,
               sum(status = 'dry_run') AS dry, count(*) AS total,
               coalesce(max(finished_at), :now) AS finished_at
        FROM run_log WHERE group_run_id = :id
        """,
        {"id": group_run_id, "now": now()},
    )
    assert counts is not None
    if counts["alive"]:
        return False
    folded = "error" if counts["failed"] else "dry_run" if 0 < counts["total"] == counts["dry"] else "success"
    return bool(
        db.change(
            """
            UPDATE group_run SET finished_at = max(:at, started_at),
                status = CASE WHEN cancel_requested THEN 'cancelled' ELSE :status END
            WHERE id = :id AND status = 'running'
            """,
            {"id": group_run_id, "status": folded, "at": counts["finished_at"]},
        )
    )


def fold_ended_group_runs(db: State) -> int:
    """Ends every group run that has no live run left; how many. Nothing should ever leave one behind."""
    sql = f"""
        SELECT id FROM group_run WHERE status = 'running'
        AND NOT EXISTS (SELECT 1 FROM run_log WHERE group_run_id = group_run.id AND {ALIVE})
    """
    if not db.rows(sql):
        return 0
    with transaction(db):
        return sum(fold_group_run(db, row["id"]) for row in db.rows(sql))


def _refuse_second(db: State, group_id: int, name: str) -> None:
    alive = find_live_group_run(db, group_id)
    if alive:
        raise GroupBusy(
            f"The group {name!r} is already running: group run {alive.id}, since {alive.started_at}.",
            hint=f"Wait for it, or stop it with `pipekit group-runs cancel {alive.id}`.",
        )


def _enabled_members(db: State, group_id: int) -> list[Mapping[str, Any]]:
    return db.rows(
        """
        SELECT p.id, p.module_id, p.run_order, p.verify FROM group_member p JOIN module m ON m.id = p.module_id
        WHERE p.group_id = ? AND m.enabled ORDER BY p.run_order, p.id
        """,
        (group_id,),
    )

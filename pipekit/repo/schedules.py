# Schedules and what came of their due times, in the state database. Knows nothing of when one is due.
"""Create, find, change and delete schedules; record and list their fires."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipekit.cron import require_cron
from pipekit.models import FireOutcome, Row, Schedule, ScheduleFire
from pipekit.repo.groups import get_group
from pipekit.repo.names import check_fields, get_row, unique
from pipekit.repo.state import State, format_moment, now, transaction


def create_schedule(
    db: State,
    *,
    group_id: int,
    cron: str,
    enabled: bool = True,
    catch_up: bool = True,
    active_from: datetime | None = None,
) -> Schedule:
    """Gives a group a schedule. Its times later than `active_from` (aware; this moment) are due.

    Raises Invalid, NotFound, NameTaken when the group has the same one.
    """
    cron = require_cron(cron)
    values = {
        "group_id": group_id,
        "cron": cron,
        "enabled": enabled,
        "catch_up": catch_up,
        "active_from": _write(active_from) if active_from else now(),
    }
    with transaction(db), unique(f"This group has the schedule {cron!r} already.", hint=""):
        get_group(db, group_id)
        return get_schedule(db, db.insert("schedule", values))


def update_schedule(db: State, schedule_id: int, **changes: Any) -> Schedule:
    """Changes a schedule's `cron`, `enabled` or `catch_up`. With another cron, or enabled anew, it begins now.

    Raises Invalid, NotFound, NameTaken.
    """
    check_fields(changes, ("cron", "enabled", "catch_up"))
    values = {**changes, "cron": require_cron(changes["cron"])} if "cron" in changes else changes
    with transaction(db), unique(f"This group has the schedule {values.get('cron')!r} already.", hint=""):
        before = get_schedule(db, schedule_id)
        if values.get("cron", before.cron) != before.cron or (values.get("enabled") and not before.enabled):
            values = {**values, "active_from": now()}
        db.update("schedule", schedule_id, values)
        return get_schedule(db, schedule_id)


def delete_schedule(db: State, schedule_id: int) -> None:
    """Deletes a schedule with its fires; raises NotFound."""
    with transaction(db):
        get_schedule(db, schedule_id)
        db.change("DELETE FROM schedule WHERE id = ?", (schedule_id,))


def get_schedule(db: State, schedule_id: int) -> Schedule:
    """The schedule of this id; raises NotFound."""
    return Schedule.from_row(get_row(db, "schedule", "schedule", schedule_id))


def find_cron(db: State, triggered_by: str) -> str | None:
    """The expression of the schedule that a record names as `schedule:{id}`; None where there is none, or no more."""
    kind, _, number = triggered_by.partition(":")
    if kind != "schedule" or not number.isdecimal():
        return None
    row = db.row("SELECT cron FROM schedule WHERE id = ?", (int(number),))
    return row["cron"] if row else None


def list_schedules(db: State, group_id: int | None = None) -> list[Schedule]:
    """A group's schedules, or everyone's, in the order they were made."""
    rows = db.rows("SELECT * FROM schedule WHERE :group IS NULL OR group_id = :group ORDER BY id", {"group": group_id})
    return [Schedule.from_row(row) for row in rows]


@dataclass(frozen=True, kw_only=True, slots=True)
class DueCandidate:
    """An enabled schedule of an enabled group, and whether that group or the whole program is paused."""

    schedule: Schedule
    group: str
    paused: bool


_CANDIDATES = """
    SELECT s.*, g.name AS group_name,
           g.paused OR EXISTS (SELECT 1 FROM meta WHERE name = 'paused' AND value = '1') AS paused
    FROM schedule s JOIN grp g ON g.id = s.group_id
    WHERE s.enabled AND g.enabled
"""


def list_due_candidates(db: State) -> list[DueCandidate]:
    """Every schedule that may come due, in the order they were made."""
    return [_build_candidate(row) for row in db.rows(f"{_CANDIDATES} ORDER BY s.id")]


def find_due_candidate(db: State, schedule_id: int) -> DueCandidate | None:
    """The same for one schedule; None when it is gone or switched off."""
    row = db.row(f"{_CANDIDATES} AND s.id = ?", (schedule_id,))
    return _build_candidate(row) if row else None


def touch_schedule(db: State, schedule_id: int, last_fired_at: datetime) -> None:
    """Writes the latest due time that was dealt with."""
    db.update("schedule", schedule_id, {"last_fired_at": _write(last_fired_at)})


def restart_schedule(db: State, schedule_id: int, active_from: datetime) -> None:
    """Lets a schedule begin at a moment as if it were new. What it fired stays on record, so that no time comes twice.

    Times still to come that a clock set too far ahead had let seem missed are struck off.
    """
    values = {"id": schedule_id, "at": _write(active_from)}
    with transaction(db):
        db.change("DELETE FROM schedule_fire WHERE schedule_id = :id AND due_at > :at AND outcome = 'missed'", values)
        db.change("UPDATE schedule SET active_from = :at, last_fired_at = NULL WHERE id = :id", values)


def record_fire(
    db: State,
    schedule_id: int,
    due_at: datetime,
    outcome: FireOutcome,
    *,
    recorded_at: datetime,
    reason: str | None = None,
    group_run_id: int | None = None,
) -> ScheduleFire | None:
    """Writes down what came of a due time; None when that is written down already."""
    row = db.row(
        """
        INSERT INTO schedule_fire (schedule_id, due_at, outcome, reason, group_run_id, recorded_at)
        VALUES (:schedule_id, :due_at, :outcome, :reason, :group_run_id, :recorded_at)
        ON CONFLICT (schedule_id, due_at) DO NOTHING RETURNING *
        """,
        {
            "schedule_id": schedule_id,
            "due_at": _write(due_at),
            "outcome": outcome,
            "reason": reason,
            "group_run_id": group_run_id,
            "recorded_at": _write(recorded_at),
        },
    )
    return ScheduleFire.from_row(row) if row else None


def set_fire_group_run(db: State, fire_id: int, group_run_id: int) -> ScheduleFire:
    """Ties a fire to the group run it made; raises NotFound."""
    db.update("schedule_fire", fire_id, {"group_run_id": group_run_id})
    return ScheduleFire.from_row(get_row(db, "schedule_fire", "fire", fire_id))


def list_fires(
    db: State, schedule_id: int | None = None, limit: int = 50, *, group_id: int | None = None
) -> list[ScheduleFire]:
    """The fires recorded last, the latest first: of a schedule, of a group's schedules, or all."""
    rows = db.rows(
        """
        SELECT f.* FROM schedule_fire f JOIN schedule s ON s.id = f.schedule_id
        WHERE (:schedule IS NULL OR f.schedule_id = :schedule) AND (:group IS NULL OR s.group_id = :group)
        ORDER BY f.id DESC LIMIT :limit
        """,
        {"schedule": schedule_id, "group": group_id, "limit": limit},
    )
    return [ScheduleFire.from_row(row) for row in rows]


def list_due_fires(db: State, schedule_ids: Iterable[int], limit: int) -> list[ScheduleFire]:
    """What came of the latest due times of some schedules, the latest first; each is read along its own index."""
    sql = "SELECT * FROM schedule_fire WHERE schedule_id = ? ORDER BY due_at DESC LIMIT ?"
    fires = [ScheduleFire.from_row(row) for number in schedule_ids for row in db.rows(sql, (number, limit))]
    return sorted(fires, key=lambda fire: fire.due_at, reverse=True)[:limit]


def find_last_fire(db: State, schedule_id: int) -> ScheduleFire | None:
    """What came of a schedule's latest due time that is on record."""
    row = db.row("SELECT * FROM schedule_fire WHERE schedule_id = ? ORDER BY due_at DESC LIMIT 1", (schedule_id,))
    return ScheduleFire.from_row(row) if row else None


def _build_candidate(row: Row) -> DueCandidate:
    return DueCandidate(schedule=Schedule.from_row(row), group=row["group_name"], paused=bool(row["paused"]))


def _write(moment: datetime) -> str:
    return format_moment(moment.astimezone(UTC))

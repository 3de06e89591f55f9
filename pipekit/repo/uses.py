# Who uses what, for pages that tell it before something is changed or deleted. Reads only.
"""Counts and names of what hangs on a module, a connection or a group."""

from dataclasses import dataclass

from pipekit.models import Group, GroupRun, Schedule
from pipekit.repo.groups import list_groups
from pipekit.repo.schedules import list_schedules
from pipekit.repo.state import State


def count_runs(db: State, module_id: int) -> int:
    """How many runs of a module are on record."""
    row = db.row("SELECT count(*) AS number FROM run_log WHERE module_id = ?", (module_id,))
    return int(row["number"]) if row else 0


def count_group_runs(db: State, group_id: int) -> int:
    """How many runs of a group are on record."""
    row = db.row("SELECT count(*) AS number FROM group_run WHERE group_id = ?", (group_id,))
    return int(row["number"]) if row else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionUse:
    """A module that uses a connection, and as what: `source`, `dest` or `watermark`."""

    module_id: int
    module: str
    roles: tuple[str, ...]


def list_connection_uses(db: State, connection_id: int) -> list[ConnectionUse]:
    """The modules that use a connection, by name."""
    rows = db.rows(
        """
        SELECT id, name, source_id = :id AS source, dest_id = :id AS dest,
               EXISTS (SELECT 1 FROM watermark w WHERE w.module_id = module.id AND w.connection_id = :id) AS watermark
        FROM module
        WHERE source_id = :id OR dest_id = :id
           OR id IN (SELECT module_id FROM watermark WHERE connection_id = :id)
        ORDER BY name
        """,
        {"id": connection_id},
    )
    roles = ("source", "dest", "watermark")
    return [
        ConnectionUse(module_id=row["id"], module=row["name"], roles=tuple(role for role in roles if row[role]))
        for row in rows
    ]


def count_connection_uses(db: State) -> dict[int, int]:
    """How many modules use each connection; one that is used by none is left out."""
    rows = db.rows(
        """
        SELECT connection_id, count(*) AS number FROM (
            SELECT source_id AS connection_id, id FROM module UNION SELECT dest_id, id FROM module
            UNION SELECT connection_id, module_id FROM watermark)
        GROUP BY connection_id
        """
    )
    return {row["connection_id"]: row["number"] for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupOverview:
    """A group as a list shows it."""

    group: Group
    members: int
    schedules: tuple[Schedule, ...]
    last_run: GroupRun | None


def list_group_overviews(db: State) -> list[GroupOverview]:
    """Every group by name, with its schedules and its latest run."""
    counted = db.rows("SELECT group_id, count(*) AS number FROM group_member GROUP BY group_id")
    members = {row["group_id"]: row["number"] for row in counted}
    schedules: dict[int, list[Schedule]] = {}
    for schedule in list_schedules(db):
        schedules.setdefault(schedule.group_id, []).append(schedule)
    latest = db.rows(
        """
        SELECT r.* FROM grp g
        JOIN group_run r ON r.id = (SELECT max(id) FROM group_run WHERE group_id = g.id)
        """
    )
    runs = {row["group_id"]: GroupRun.from_row(row) for row in latest}
    return [
        GroupOverview(
            group=group,
            members=members.get(group.id, 0),
            schedules=tuple(schedules.get(group.id, ())),
            last_run=runs.get(group.id),
        )
        for group in list_groups(db)
    ]

# Groups, their members and their schedules in the state database. Knows nothing of how a group runs or when one is due.
"""Create, find, change and delete groups, members and schedules."""

from typing import Any

from pipekit.errors import Invalid
from pipekit.models import Group, GroupMember, Schedule
from pipekit.repo.modules import get_module
from pipekit.repo.names import check_fields, check_name, get_row, get_row_by_name, unique
from pipekit.repo.state import State, transaction


def create_group(db: State, *, name: str, enabled: bool = True) -> Group:
    """Makes a group without members. Raises Invalid, NameTaken."""
    name = check_name(name)
    with transaction(db), unique(f"There is a group named {name!r} already."):
        return get_group(db, db.insert("grp", {"name": name, "enabled": enabled}))


def update_group(db: State, group_id: int, **changes: Any) -> Group:
    """Changes a group's `name` or `enabled`. Raises Invalid, NotFound, NameTaken."""
    check_fields(changes, ("name", "enabled"))
    values = {**changes, "name": check_name(changes["name"])} if "name" in changes else changes
    with transaction(db), unique(f"There is a group named {values.get('name')!r} already."):
        db.update("grp", group_id, values)
        return get_group(db, group_id)


def delete_group(db: State, group_id: int) -> None:
    """Deletes a group with its places and schedules; modules and runs stay. Raises NotFound."""
    with transaction(db):
        get_group(db, group_id)
        db.change("DELETE FROM grp WHERE id = ?", (group_id,))


def get_group(db: State, group_id: int) -> Group:
    """The group of this id; raises NotFound."""
    return Group.from_row(get_row(db, "grp", "group", group_id))


def get_group_by_name(db: State, name: str) -> Group:
    """The group of this name, letter case aside; raises NotFound."""
    return Group.from_row(get_row_by_name(db, "grp", "group", name))


def find_group_by_name(db: State, name: str) -> Group | None:
    """The group of this name, letter case aside, or None."""
    row = db.row("SELECT * FROM grp WHERE name = ?", (name,))
    return Group.from_row(row) if row else None


def list_groups(db: State) -> list[Group]:
    """Every group by name."""
    return [Group.from_row(row) for row in db.rows("SELECT * FROM grp ORDER BY name")]


def create_member(db: State, *, group_id: int, module_id: int, run_order: int | None = None) -> GroupMember:
    """Gives a module a place in a group, the last one by default. Raises NotFound, NameTaken when it has one."""
    with transaction(db):
        group, module = get_group(db, group_id), get_module(db, module_id)
        with unique(f"The module {module.name!r} is in the group {group.name!r} already.", hint=""):
            place = _next_place(db, group_id) if run_order is None else run_order
            values = {"group_id": group_id, "module_id": module_id, "run_order": place}
            return get_member(db, db.insert("group_member", values))


def update_member(db: State, member_id: int, *, run_order: int) -> GroupMember:
    """Moves a member to another place. Raises NotFound."""
    with transaction(db):
        db.update("group_member", member_id, {"run_order": run_order})
        return get_member(db, member_id)


def delete_member(db: State, member_id: int) -> None:
    """Takes a module out of a group; raises NotFound."""
    with transaction(db):
        get_member(db, member_id)
        db.change("DELETE FROM group_member WHERE id = ?", (member_id,))


def get_member(db: State, member_id: int) -> GroupMember:
    """The member of this id; raises NotFound."""
    return GroupMember.from_row(get_row(db, "group_member", "group member", member_id))


def list_members(db: State, group_id: int) -> list[GroupMember]:
    """A group's members in the order they run."""
    rows = db.rows("SELECT * FROM group_member WHERE group_id = ? ORDER BY run_order, id", (group_id,))
    return [GroupMember.from_row(row) for row in rows]


def create_schedule(db: State, *, group_id: int, cron: str, enabled: bool = True) -> Schedule:
    """Gives a group a schedule. Raises Invalid, NotFound, NameTaken when it has the same one."""
    cron = _check_cron(cron)
    with transaction(db), unique(f"This group has the schedule {cron!r} already.", hint=""):
        get_group(db, group_id)
        return get_schedule(db, db.insert("schedule", {"group_id": group_id, "cron": cron, "enabled": enabled}))


def update_schedule(db: State, schedule_id: int, **changes: Any) -> Schedule:
    """Changes a schedule's `cron` or `enabled`. Raises Invalid, NotFound, NameTaken."""
    check_fields(changes, ("cron", "enabled"))
    values = {**changes, "cron": _check_cron(changes["cron"])} if "cron" in changes else changes
    with transaction(db), unique(f"This group has the schedule {values.get('cron')!r} already.", hint=""):
        db.update("schedule", schedule_id, values)
        return get_schedule(db, schedule_id)


def delete_schedule(db: State, schedule_id: int) -> None:
    """Deletes a schedule; raises NotFound."""
    with transaction(db):
        get_schedule(db, schedule_id)
        db.change("DELETE FROM schedule WHERE id = ?", (schedule_id,))


def get_schedule(db: State, schedule_id: int) -> Schedule:
    """The schedule of this id; raises NotFound."""
    return Schedule.from_row(get_row(db, "schedule", "schedule", schedule_id))


def list_schedules(db: State, group_id: int | None = None) -> list[Schedule]:
    """A group's schedules, or everyone's, in the order they were made."""
    rows = db.rows("SELECT * FROM schedule WHERE :group IS NULL OR group_id = :group ORDER BY id", {"group": group_id})
    return [Schedule.from_row(row) for row in rows]


def _next_place(db: State, group_id: int) -> int:
    row = db.row("SELECT coalesce(max(run_order), 0) + 1 AS place FROM group_member WHERE group_id = ?", (group_id,))
    assert row is not None
    return int(row["place"])


def _check_cron(text: str) -> str:
    fields = text.split()
    if len(fields) != 5:
        raise Invalid(
            "A schedule has five fields: minute, hour, day of month, month, day of week.",
            field="cron",
            hint="For example `0 4 * * *`, every day at 04:00.",
        )
    return " ".join(fields)

# Groups and their members in the state database. Knows nothing of how a group runs or when one is due.
"""Create, find, change and delete groups and members."""

from contextlib import AbstractContextManager
from typing import Any

from pipekit.fields import list_fields, pick
from pipekit.models import Group, GroupFields, GroupMember
from pipekit.repo.addresses import check_web_address
from pipekit.repo.modules import get_module
from pipekit.repo.names import check_fields, check_path_name, check_told, get_row, get_row_by_name, unique
from pipekit.repo.state import State, now, transaction

_FIELDS = tuple(f.own for f in list_fields(GroupFields))
_MEMBER_FIELDS = tuple(f.own for f in list_fields(GroupMember))


def create_group(db: State, *, name: str, **options: Any) -> Group:
    """Makes a group without members. Options are the other fields of `GroupFields`. Raises Invalid, NameTaken."""
    check_fields(options, _FIELDS)
    values = _checked(pick(GroupFields(name=name, **options), GroupFields))
    with transaction(db), unique(f"There is a group named {values['name']!r} already."):
        return get_group(db, db.insert("grp", values))


def update_group(db: State, group_id: int, **changes: Any) -> Group:
    """Changes some fields of a group. Raises Invalid, NotFound, NameTaken.

    A group run that goes on keeps its `parallel`; `paused` holds back what it has not started.
    """
    check_fields(changes, _FIELDS)
    with transaction(db), unique(f"There is a group named {changes.get('name')!r} already."):
        before = get_group(db, group_id)
        values = _checked(changes, before.name)
        db.update("grp", group_id, values)
        if values.get("enabled") and not before.enabled:
            db.change("UPDATE schedule SET active_from = ? WHERE group_id = ?", (now(), group_id))
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


def list_groups_of(db: State, module_id: int) -> list[Group]:
    """The groups a module is in, by name."""
    where = "id IN (SELECT group_id FROM group_member WHERE module_id = ?)"
    return [Group.from_row(row) for row in db.rows(f"SELECT * FROM grp WHERE {where} ORDER BY name", (module_id,))]


def create_member(
    db: State, *, group_id: int, module_id: int, run_order: int | None = None, verify: bool = False
) -> GroupMember:
    """Gives a module a place in a group, the last one by default; one more may `verify` it.

    Raises NotFound, NameTaken when it has that place.
    """
    with transaction(db):
        place = _next_place(db, group_id) if run_order is None else run_order
        values = {"group_id": group_id, "module_id": module_id, "run_order": place, "verify": verify}
        check_told(values, GroupMember)
        with _one_place(db, get_group(db, group_id), module_id, verify=verify):
            return get_member(db, db.insert("group_member", values))


def update_member(db: State, member_id: int, **changes: Any) -> GroupMember:
    """Moves a member to another place (`run_order`), or lets it `verify`. Raises Invalid, NotFound, NameTaken."""
    check_fields(changes, _MEMBER_FIELDS)
    check_told(changes, GroupMember)
    with transaction(db):
        member = get_member(db, member_id)
        verify = changes.get("verify", member.verify)
        with _one_place(db, get_group(db, member.group_id), member.module_id, verify=verify):
            db.update("group_member", member_id, changes)
        return get_member(db, member_id)


def delete_member(db: State, member_id: int) -> None:
    """Takes a module out of a group; raises NotFound."""
    with transaction(db):
        get_member(db, member_id)
        db.change("DELETE FROM group_member WHERE id = ?", (member_id,))


def get_member(db: State, member_id: int) -> GroupMember:
    """The member of this id; raises NotFound."""
    return GroupMember.from_row(get_row(db, "group_member", "group member", member_id))


def list_members(db: State, group_id: int | None = None) -> list[GroupMember]:
    """A group's members in the order they run; without one, every group's."""
    where = "TRUE" if group_id is None else "group_id = :group"
    sql = f"SELECT * FROM group_member WHERE {where} ORDER BY group_id, run_order, id"
    rows = db.rows(sql, {"group": group_id})
    return [GroupMember.from_row(row) for row in rows]


def _checked(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    check_told(values, GroupFields)
    if values.get("heartbeat"):
        check_web_address(values["heartbeat"], field="heartbeat", or_secret=True)
    return {**values, "name": check_path_name(values["name"], before=before)} if "name" in values else values


def _one_place(db: State, group: Group, module_id: int, *, verify: bool) -> AbstractContextManager[None]:
    place = "to be verified" if verify else "already"
    return unique(f"The module {get_module(db, module_id).name!r} is in the group {group.name!r} {place}.", hint="")


def _next_place(db: State, group_id: int) -> int:
    row = db.row("SELECT coalesce(max(run_order), 0) + 1 AS place FROM group_member WHERE group_id = ?", (group_id,))
    assert row is not None
    return int(row["place"])

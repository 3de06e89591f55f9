# Makes the state match a definition file, in one transaction. Knows the editor; the plan is made elsewhere.
"""`apply_text` reads a file, plans and, unless it is a dry run, does what the plan says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipekit import repo
from pipekit.definitions import edit
from pipekit.definitions.parse import Known, parse_definitions
from pipekit.definitions.plan import Change, build_plan
from pipekit.definitions.records import (
    ConnectionDef,
    Definitions,
    GroupDef,
    HookDef,
    ModuleDef,
    ScheduleDef,
    WatermarkDef,
    build_spelling,
)
from pipekit.definitions.state import read_known, read_registered, read_state
from pipekit.errors import PipekitError
from pipekit.fields import pick
from pipekit.models import GroupFields, ModuleFields, WatermarkFields
from pipekit.repo import State


def apply_text(
    db: State, text: str, *, user: str, file: str = "definitions", dry_run: bool = False, prune: bool = False
) -> list[Change]:
    """Plans the text of a definition file against the state and does it in one transaction; returns the plan.

    `user` is who the audit trail names. Raises DefinitionErrors for a bad file, and whatever the editor refuses (a
    module that runs cannot be deleted); then nothing was changed. `prune` deletes what the file does not name, so that
    it may refer only to what it defines.
    """
    with repo.transaction(db):
        known = Known(registered=read_registered(db)) if prune else read_known(db)
        wanted = parse_definitions(text, file=file, known=known)
        present = read_state(db, build_spelling(wanted.connections))
        changes = build_plan(wanted, present, prune=prune)
        applier = _Applier(db, wanted, user)
        applier.check(changes)
        if not dry_run:
            applier.apply(changes)
    return changes


@contextmanager
def _told_of(change: Change) -> Iterator[None]:
    """Puts the name of what is changed before what an error says."""
    try:
        yield
    except PipekitError as error:
        error.args = (f"{change.noun} {change.name}: {error.message}",)
        error.message = error.args[0]
        raise


class _Applier:
    """Does the changes of a plan, in the plan's order, through the one door for changes."""

    def __init__(self, db: State, wanted: Definitions, user: str) -> None:
        self._db = db
        self._wanted = wanted
        self._user = user

    def check(self, changes: list[Change]) -> None:
        """Raises Invalid for a new name that cannot be; one that is there already may stay."""
        for change in changes:
            if change.action == "create" and change.noun != "module":
                with _told_of(change):
                    repo.check_path_name(change.name)

    def apply(self, changes: list[Change]) -> None:
        for change in changes:
            if change.action != "leave":
                with _told_of(change):
                    self._do(change)

    def _do(self, change: Change) -> None:
        if change.action == "delete":
            self._delete(change)
        elif change.noun == "connection":
            self._connection(self._wanted.connections[change.name], change)
        elif change.noun == "module":
            self._module(self._wanted.modules[change.name], change)
        else:
            self._group(self._wanted.groups[change.name], change)

    def _delete(self, change: Change) -> None:
        db, name = self._db, change.name
        if change.noun == "group":
            edit.delete(db, edit.GROUP, self._user, repo.get_group_by_name(db, name).id)
        elif change.noun == "module":
            edit.delete(db, edit.MODULE, self._user, repo.get_module_by_name(db, name).id)
        else:
            edit.delete(db, edit.CONNECTION, self._user, repo.get_connection_by_name(db, name).id)

    def _put(self, noun: edit.Noun[edit.R], record_id: int | None, **values: Any) -> edit.R:
        """Makes one, or changes the one of this id."""
        if record_id is None:
            return edit.create(self._db, noun, self._user, **values)
        return edit.update(self._db, noun, self._user, record_id, **values)

    def _connection(self, item: ConnectionDef, change: Change) -> None:
        found = repo.get_connection_by_name(self._db, change.was).id if change.was else None
        self._put(edit.CONNECTION, found, **pick(item, ConnectionDef))

    def _module(self, item: ModuleDef, change: Change) -> None:
        found = repo.get_module_by_name(self._db, change.was).id if change.was else None
        connections = {"source_id": self._connection_id(item.source), "dest_id": self._connection_id(item.dest)}
        module = self._put(edit.MODULE, found, **pick(item, ModuleFields), **connections)
        self._watermarks(module.id, {w.name: w for w in item.watermarks})
        self._hooks(module.id, item.hooks)

    def _connection_id(self, name: str) -> int:
        return repo.get_connection_by_name(self._db, name).id

    def _watermarks(self, module_id: int, wanted: Mapping[str, WatermarkDef]) -> None:
        present = {w.name: w for w in repo.list_watermarks(self._db, module_id)}
        for name, watermark in present.items():
            if name not in wanted:
                edit.delete(self._db, edit.WATERMARK, self._user, watermark.id)
        for name, item in wanted.items():
            values = {**pick(item, WatermarkFields), "connection_id": self._connection_id(item.connection)}
            if name in present:
                self._put(edit.WATERMARK, present[name].id, **values)
            else:
                self._put(edit.WATERMARK, None, module_id=module_id, **values)

    def _hooks(self, module_id: int, wanted: tuple[HookDef, ...]) -> None:
        """Hooks have no names, so they are made anew when they differ at all."""
        present = sorted(repo.list_hooks(self._db, module_id), key=lambda hook: (hook.run_order, hook.id))
        if tuple(HookDef(**pick(hook, HookDef)) for hook in present) == wanted:
            return
        for hook in present:
            edit.delete(self._db, edit.HOOK, self._user, hook.id)
        for item in wanted:
            self._put(edit.HOOK, None, module_id=module_id, **pick(item, HookDef))

    def _group(self, item: GroupDef, change: Change) -> None:
        found = repo.get_group_by_name(self._db, change.was).id if change.was else None
        group = self._put(edit.GROUP, found, **pick(item, GroupFields))
        self._members(group.id, item)
        self._schedules(group.id, item.schedules)

    def _members(self, group_id: int, item: GroupDef) -> None:
        wanted = {
            (repo.get_module_by_name(self._db, name).id, verify): order
            for verify, members in ((False, item.members), (True, item.verified))
            for name, order in members.items()
        }
        present = {(member.module_id, member.verify): member for member in repo.list_members(self._db, group_id)}
        for key, member in present.items():
            if key not in wanted:
                edit.delete(self._db, edit.MEMBER, self._user, member.id)
        for (module_id, verify), order in wanted.items():
            if found := present.get((module_id, verify)):
                self._put(edit.MEMBER, found.id, run_order=order)
            else:
                self._put(edit.MEMBER, None, group_id=group_id, module_id=module_id, run_order=order, verify=verify)

    def _schedules(self, group_id: int, wanted: Mapping[str, ScheduleDef]) -> None:
        """A schedule that stays keeps its row, and with it when it last fired."""
        present = {schedule.cron: schedule for schedule in repo.list_schedules(self._db, group_id)}
        for cron, schedule in present.items():
            if cron not in wanted:
                edit.delete(self._db, edit.SCHEDULE, self._user, schedule.id)
        for cron, item in wanted.items():
            values = pick(item, ScheduleDef)
            if cron not in present:
                self._put(edit.SCHEDULE, None, group_id=group_id, cron=cron, **values)
            elif item != ScheduleDef(**pick(present[cron], ScheduleDef)):
                self._put(edit.SCHEDULE, present[cron].id, **values)

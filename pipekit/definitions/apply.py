# Makes the state match a definition file, in one transaction. Knows the repo; the plan is made elsewhere.
"""`apply_text` reads a file, plans and, unless it is a dry run, does what the plan says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pipekit import repo
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
from pipekit.definitions.state import read_known, read_state, read_templates
from pipekit.errors import PipekitError
from pipekit.repo import State


def apply_text(
    db: State, text: str, *, file: str = "definitions", dry_run: bool = False, prune: bool = False
) -> list[Change]:
    """Plans the text of a definition file against the state and does it in one transaction; returns the plan.

    Raises DefinitionErrors for a bad file, and whatever the repo refuses (a module that runs cannot be deleted); then
    nothing was changed. `prune` deletes what the file does not name, so that it may refer only to what it defines.
    """
    with repo.transaction(db):
        known = Known(templates=read_templates(db)) if prune else read_known(db)
        wanted = parse_definitions(text, file=file, known=known)
        present = read_state(db, build_spelling(wanted.connections))
        changes = build_plan(wanted, present, prune=prune)
        applier = _Applier(db, wanted)
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
    """Does the changes of a plan, in the plan's order."""

    def __init__(self, db: State, wanted: Definitions) -> None:
        self._db = db
        self._wanted = wanted

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
        db = self._db
        if change.noun == "group":
            repo.delete_group(db, repo.get_group_by_name(db, change.name).id)
        elif change.noun == "module":
            repo.delete_module(db, repo.get_module_by_name(db, change.name).id)
        else:
            repo.delete_connection(db, repo.get_connection_by_name(db, change.name).id)

    def _connection(self, item: ConnectionDef, change: Change) -> None:
        values = {name: getattr(item, name) for name in ("driver", "jdbc_url", "username", "password", "max_runs")}
        if change.action == "create":
            repo.create_connection(self._db, name=item.name, **values)
        else:
            found = repo.get_connection_by_name(self._db, change.was)
            repo.update_connection(self._db, found.id, name=item.name, **values)

    def _module(self, item: ModuleDef, change: Change) -> None:
        values = self._module_values(item)
        if change.action == "create":
            module_id = repo.create_module(self._db, name=item.name, **values).id
        else:
            module_id = repo.get_module_by_name(self._db, change.was).id
            repo.update_module(self._db, module_id, name=item.name, **values)
        self._watermarks(module_id, {w.name: w for w in item.watermarks})
        self._hooks(module_id, item.hooks)

    def _module_values(self, item: ModuleDef) -> dict[str, Any]:
        return {
            "source_id": self._connection_id(item.source),
            "dest_id": self._connection_id(item.dest),
            "source_query": item.query,
            "dest_table": item.table,
            "merge_strategy": item.strategy,
            "merge_key": item.key,
            "columns": item.columns,
            "match": item.match,
            "guards": item.guards,
            "create_table": item.create_table,
            "trim_char": item.trim_char,
            "enabled": item.enabled,
            "retries": item.retries,
            "silence_timeout_s": item.silence_s,
            "run_timeout_s": item.run_s,
        }

    def _connection_id(self, name: str) -> int:
        return repo.get_connection_by_name(self._db, name).id

    def _watermarks(self, module_id: int, wanted: Mapping[str, WatermarkDef]) -> None:
        present = {w.name: w for w in repo.list_watermarks(self._db, module_id)}
        for name, watermark in present.items():
            if name not in wanted:
                repo.delete_watermark(self._db, watermark.id)
        for name, item in wanted.items():
            values: dict[str, Any] = {
                "connection_id": self._connection_id(item.connection),
                "resolver_sql": item.sql,
                "default_value": item.default,
            }
            if name in present:
                repo.update_watermark(self._db, present[name].id, **values)
            else:
                repo.create_watermark(self._db, module_id=module_id, name=name, **values)

    def _hooks(self, module_id: int, wanted: tuple[HookDef, ...]) -> None:
        """Hooks have no names, so they are made anew when they differ at all."""
        present = sorted(repo.list_hooks(self._db, module_id), key=lambda hook: (hook.run_order, hook.id))
        if tuple(HookDef(sql=h.sql, run_on=h.run_on, run_order=h.run_order) for h in present) == wanted:
            return
        for hook in present:
            repo.delete_hook(self._db, hook.id)
        for item in wanted:
            repo.create_hook(self._db, module_id=module_id, sql=item.sql, run_on=item.run_on, run_order=item.run_order)

    def _group(self, item: GroupDef, change: Change) -> None:
        values: dict[str, Any] = {
            "name": item.name,
            "enabled": item.enabled,
            "paused": item.paused,
            "parallel": item.parallel,
        }
        if change.action == "create":
            group_id = repo.create_group(self._db, **values).id
        else:
            group_id = repo.get_group_by_name(self._db, change.was).id
            repo.update_group(self._db, group_id, **values)
        self._members(group_id, item.members)
        self._schedules(group_id, item.schedules)

    def _members(self, group_id: int, wanted: Mapping[str, int]) -> None:
        by_id = {repo.get_module_by_name(self._db, name).id: order for name, order in wanted.items()}
        present = {member.module_id: member for member in repo.list_members(self._db, group_id)}
        for module_id, member in present.items():
            if by_id.get(module_id) != member.run_order:
                repo.delete_member(self._db, member.id)
        for module_id, order in by_id.items():
            if module_id not in present or present[module_id].run_order != order:
                repo.create_member(self._db, group_id=group_id, module_id=module_id, run_order=order)

    def _schedules(self, group_id: int, wanted: Mapping[str, ScheduleDef]) -> None:
        """A schedule that stays keeps its row, and with it when it last fired."""
        present = {schedule.cron: schedule for schedule in repo.list_schedules(self._db, group_id)}
        for cron, schedule in present.items():
            if cron not in wanted:
                repo.delete_schedule(self._db, schedule.id)
        for cron, item in wanted.items():
            values: dict[str, Any] = {"enabled": item.enabled, "catch_up": item.catch_up}
            if cron not in present:
                repo.create_schedule(self._db, group_id=group_id, cron=cron, **values)
            elif item != ScheduleDef(enabled=present[cron].enabled, catch_up=present[cron].catch_up):
                repo.update_schedule(self._db, present[cron].id, **values)

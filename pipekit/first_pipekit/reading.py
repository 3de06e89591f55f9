# Rows of the first Pipekit's tables -> definitions, with what a person must know of each. Gives no password away.
"""`Reader`."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pipekit.cron import check_cron, expand_cron
from pipekit.definitions.records import (
    ConnectionDef,
    Definitions,
    GroupDef,
    HookDef,
    ModuleDef,
    ScheduleDef,
    WatermarkDef,
)
from pipekit.drivers.jdbc.products import find_owner
from pipekit.drivers.unused import drop_unused
from pipekit.drivers.urls import find_kind, split_login
from pipekit.first_pipekit.columns import Index, Item, Table
from pipekit.masking import Masker
from pipekit.models import MODULE_NAME, PASSWORD_PATTERN, WATERMARK_NAME, Column, RunOn, Strategy, parse_key
from pipekit.repo.first_state import FirstState

STRATEGIES: Mapping[str, Strategy] = {
    "full": "full",
    "truncate": "full",
    "replace": "full",
    "overwrite": "full",
    "incremental": "incremental",
    "delete_insert": "incremental",
    "append": "append",
    "insert": "append",
    "upsert": "upsert",
    "merge": "upsert",
}
RUN_ON: Mapping[str, RunOn] = {
    "success": "success",
    "on_success": "success",
    "": "success",
    "failure": "failure",
    "on_failure": "failure",
    "error": "failure",
    "always": "always",
    "both": "always",
}
# Gives no value: a run says so, and does not go on with a wrong one.
_NO_VALUE = "select null"


@dataclass(slots=True)
class Draft:
    """A module, and what was not understood of it: with `problems` it is disabled."""

    module: ModuleDef
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Reader:
    """Reads everything that a file defines.

    `secrets` is where each secret's name is used, `jars` the jar that a kind had, `lost` what was left out or changed.
    """

    def __init__(self, state: FirstState) -> None:
        names = ("driver", "connection", "module", "watermark", "hook", "grp", "group_member", "schedule")
        self._tables = {name: Table(state, name) for name in names}
        self._passwords: list[str] = []
        self._connection_index, self._module_index, self._group_index = Index(), Index(), Index()
        self._drivers = list(self._tables["driver"].each())
        self.jars: dict[str, str] = {}
        self.secrets: dict[str, list[str]] = {}
        self.lost: list[str] = []
        self.connections: dict[str, ConnectionDef] = {}
        self.connection_notes: dict[str, list[str]] = {}
        self.drafts: dict[str, Draft] = {}
        self.groups: dict[str, GroupDef] = {}
        self._read_connections()
        self._read_modules()
        self._read_watermarks()
        self._read_hooks()
        self._read_groups()
        for name, draft in self.drafts.items():
            self._finish(name, draft)
        self.lost += [line for table in self._tables.values() for line in table.list_unread()]

    def masker(self) -> Masker:
        """Takes every password that stood in the file out of text."""
        return Masker(self._passwords)

    def find_module(self, value: Any) -> str:
        """The module that a row refers to; `""` for one that is not there."""
        return self._module_index.find(value)

    def find_group(self, value: Any) -> str:
        """The group that a row refers to; `""` for one that is not there."""
        return self._group_index.find(value)

    @property
    def definitions(self) -> Definitions:
        """All of it, as a definition file says it."""
        modules = {name: draft.module for name, draft in self.drafts.items()}
        return Definitions(connections=self.connections, modules=modules, groups=self.groups)

    # -- connections ---------------------------------------------------------------------------------------------------

    def _read_connections(self) -> None:
        drivers = {name: item for item in self._drivers for name in (item.text("kind"), str(item.id))}
        items = list(self._tables["connection"].each())
        told_names = {_read_reference(item.text("password")): item for item in items}
        for item in items:
            name = _free(_clean_name(item.text("name")) or "connection", self.connections)
            self._connection_index.add(item, name)
            notes = self.connection_notes.setdefault(name, [])
            if name != item.text("name"):
                notes.append(f"was called {item.text('name')!r}")
            login = split_login(item.text("jdbc_url"))
            if login.jdbc_url.startswith("jdbc:sqlite:") and not login.jdbc_url.startswith("jdbc:sqlite:/"):
                notes.append("its file's name starts at `base_dir` now, no longer where the program was started")
            owner = find_owner(login.jdbc_url)
            driver = drivers.get(item.text("driver"))
            told = driver.text("kind") if driver else item.text("driver")
            kind = find_kind(login.jdbc_url) or (owner.name if owner else told) or "jdbc"
            if driver and driver.text("jar"):
                self.jars[kind] = driver.text("jar")
            kept = drop_unused(login.jdbc_url)
            if kept.names:
                notes.append(f"left out of its address, as only a Java driver knows it: {', '.join(kept.names)}")
            self.connections[name] = ConnectionDef(
                name=name,
                driver=kind,
                jdbc_url=kept.jdbc_url,
                username=item.text("username") or login.username,
                password=self._refer(name, item.text("password"), login.password or "", notes, told_names),
            )

    def _refer(
        self, connection: str, told: str, in_url: str, notes: list[str], taken: Mapping[str, object]
    ) -> str | None:
        """`$NAME` for the password of a connection, not one of another; itself it goes no further than the masker."""
        name = _read_reference(told)
        self._passwords += [text for text in (in_url, "" if name else told) if text]
        if not name and not told and not in_url:
            return None
        if not name:
            stem = re.sub(r"[^A-Za-z0-9]+", "_", connection).strip("_").upper() or "CONNECTION"
            wanted = f"{'_' if stem[0].isdigit() else ''}{stem}_PASSWORD"
            name = _free(wanted, {**taken, **self.secrets})
            notes.append(f"its password stood in the file itself: it becomes the secret {name}")
        self.secrets.setdefault(name, []).append(connection)
        return f"${name}"

    # -- modules -------------------------------------------------------------------------------------------------------

    def _read_modules(self) -> None:
        for item in self._tables["module"].each():
            source, dest = (self._connection_index.find(item.values.get(side)) for side in ("source", "dest"))
            missing = [side for side, found in (("source", source), ("dest", dest)) if not found]
            if missing or not item.text("query") or not item.text("table"):
                why = f"its {missing[0]} connection is not there" if missing else "it has no query or no dest table"
                self.lost.append(f"module {item.text('name')}: {why}")
                continue
            name = _free(_clean_module_name(item.text("name")), self.drafts)
            self._module_index.add(item, name)
            self.drafts[name] = self._draft(name, item, source, dest)

    def _draft(self, name: str, item: Item, source: str, dest: str) -> Draft:
        schema, table = item.text("schema"), item.text("table")
        draft = Draft(
            ModuleDef(
                name=name,
                source=source,
                dest=dest,
                source_query=str(item.values["query"]),
                dest_table=f"{schema}.{table}" if schema and "." not in table else table,
                enabled=item.flag("enabled"),
                notes=item.text("notes"),
            )
        )
        if name != item.text("name"):
            draft.notes.append(f"was called {item.text('name')!r}; its staging table is called like it is called now")
        self._set_merge(draft, item)
        self._set_columns(draft, item)
        if self._tables["module"].has("trim") and item.text("trim") and item.flag("trim"):
            self._set_trim(draft, self.connections[source].driver)
        return draft

    def _set_merge(self, draft: Draft, item: Item) -> None:
        told, key = item.text("strategy").lower().replace("-", "_"), _read_key(item.text("key"))
        strategy = STRATEGIES.get(told)
        if not told:
            strategy = "incremental" if key else "full"
            draft.notes.append(f"the file names no merge strategy: taken as {strategy}")
        elif strategy is None:
            draft.problems.append(f"the merge strategy {told!r} is none of full, incremental, append, upsert")
        if strategy in ("incremental", "upsert") and not key:
            draft.problems.append(f"{strategy} needs a merge key, and it has none")
            strategy = None
        draft.module = replace(draft.module, merge_strategy=strategy or "append", merge_key=key if strategy else ())

    def _set_columns(self, draft: Draft, item: Item) -> None:
        try:
            columns = _parse_columns(item.text("columns"))
        except (ValueError, TypeError, AttributeError, KeyError):
            columns = ()
            draft.problems.append("its columns_json cannot be read")
        if columns:
            draft.module = replace(draft.module, columns=columns)
        else:
            draft.module = replace(draft.module, match="position")
            draft.notes.append("columns meet by position, as they did; take `match: position` out once names are equal")

    def _set_trim(self, draft: Draft, kind: str) -> None:
        if kind in ("postgresql", "sqlite"):
            draft.problems.append("it trimmed text, which a module does not do here: use trim() in the query")
        else:
            draft.module = replace(draft.module, trim_char=True)
            draft.notes.append("it trimmed all text; trim_char drops the blanks behind CHAR columns only")

    def _finish(self, name: str, draft: Draft) -> None:
        """Without passwords in its SQL, and disabled where it was not understood whole."""
        masker, module = self.masker(), draft.module
        masked = replace(
            module,
            source_query=masker.mask(module.source_query),
            watermarks=tuple(replace(mark, resolver_sql=masker.mask(mark.resolver_sql)) for mark in module.watermarks),
            hooks=tuple(replace(hook, sql=masker.mask(hook.sql)) for hook in module.hooks),
            notes=masker.mask(module.notes),
        )
        if masked != module:
            draft.problems.append("its SQL held a password, which was taken out")
        texts = (
            masked.source_query,
            *(mark.resolver_sql for mark in masked.watermarks),
            *(h.sql for h in masked.hooks),
        )
        if any("\ufffd" in text for text in texts):
            draft.problems.append("its SQL holds bytes that are no UTF-8 text")
        draft.module = replace(masked, enabled=masked.enabled and not draft.problems)

    # -- watermarks and hooks ------------------------------------------------------------------------------------------

    def _read_watermarks(self) -> None:
        for item in self._tables["watermark"].each():
            draft = self.drafts.get(self.find_module(item.values.get("module")))
            if draft is None:
                self.lost.append(f"watermark {item.text('name')}: its module is not there")
                continue
            self._add_watermark(draft, item)

    def _add_watermark(self, draft: Draft, item: Item) -> None:
        told, module = item.text("name"), draft.module
        name = _free(_clean_watermark_name(told), {mark.name: mark for mark in module.watermarks})
        if name != told:
            module = replace(module, source_query=module.source_query.replace(f"{{{told}}}", f"{{{name}}}"))
            draft.notes.append(f"the watermark {told!r} is called {name} now, in the query too")
        connection = self._connection_index.find(item.values.get("connection"))
        if not connection:
            connection = module.dest
            draft.notes.append(f"the watermark {name} names no connection: it is asked on {connection}")
        sql, default = str(item.values.get("sql") or ""), str(item.values.get("default") or "") or None
        if not sql.strip():
            (draft.problems if default is None else draft.notes).append(f"the watermark {name} has no SQL")
        elif default is None:
            draft.notes.append(f"the watermark {name} has no default: a run without a value stops")
        mark = WatermarkDef(
            name=name, connection=connection, resolver_sql=sql if sql.strip() else _NO_VALUE, default_value=default
        )
        draft.module = replace(module, watermarks=(*module.watermarks, mark))

    def _read_hooks(self) -> None:
        for item in self._tables["hook"].each():
            draft = self.drafts.get(self.find_module(item.values.get("module")))
            if draft is None or not item.text("sql"):
                self.lost.append(f"hook {item.id}: {'it has no SQL' if draft else 'its module is not there'}")
            elif not item.flag("enabled"):
                draft.notes.append(f"a hook that was disabled is left out: {_shorten(item.text('sql'))}")
            else:
                self._add_hook(draft, item)

    def _add_hook(self, draft: Draft, item: Item) -> None:
        told = item.text("on").lower()
        if told not in RUN_ON:
            draft.problems.append(f"a hook runs on {told!r}, which is none of success, failure, always")
        elsewhere = self._connection_index.find(item.values.get("connection"))
        if elsewhere and elsewhere != draft.module.dest:
            draft.problems.append(
                f"a hook ran on {elsewhere}; here hooks run on the dest: {_shorten(item.text('sql'))}"
            )
        order = _read_number(item.text("order"), len(draft.module.hooks) + 1)
        hook = HookDef(sql=str(item.values["sql"]), run_on=RUN_ON.get(told, "success"), run_order=order)
        hooks = sorted((*draft.module.hooks, hook), key=lambda one: one.run_order)
        draft.module = replace(draft.module, hooks=tuple(hooks))

    # -- groups --------------------------------------------------------------------------------------------------------

    def _read_groups(self) -> None:
        for item in self._tables["grp"].each():
            clean = _clean_name(item.text("name").replace("/", "-")) or "group"
            name = _free(f"group {clean}" if clean.isdigit() else clean, self.groups)
            self._group_index.add(item, name)
            self.groups[name] = GroupDef(name=name, enabled=item.flag("enabled"))
            if name != item.text("name"):
                self.lost.append(f"the group {item.text('name')!r} is called {name} now")
        for item in self._tables["group_member"].each():
            self._add_member(item)
        for name, group in self.groups.items():
            # A place counts from 1 here.
            shift = max(0, 1 - min(group.members.values(), default=1))
            members = {module: order + shift for module, order in group.members.items()}
            self.groups[name] = replace(group, members=members)
        for item in self._tables["schedule"].each():
            self._add_schedule(item)

    def _add_member(self, item: Item) -> None:
        group, module = self.find_group(item.values.get("group")), self.find_module(item.values.get("module"))
        if not group or not module:
            self.lost.append(
                f"member {item.id} of the group {group or '?'}: its {'module' if group else 'group'} is gone"
            )
        elif not item.flag("enabled"):
            self.lost.append(
                f"the member {module} of the group {group} was disabled: disable the module, or leave it out"
            )
        else:
            found = self.groups[group]
            order = _read_number(item.text("order"), len(found.members) + 1)
            self.groups[group] = replace(found, members={**found.members, module: order})

    def _add_schedule(self, item: Item) -> None:
        group, cron = self.find_group(item.values.get("group")), expand_cron(item.text("cron"))
        problem = check_cron(cron) if group else "its group is not there"
        if problem:
            self.lost.append(f"the schedule {item.text('cron')!r} of the group {group or '?'}: {problem}")
        elif cron not in self.groups[group].schedules:
            schedules = {**self.groups[group].schedules, cron: ScheduleDef(enabled=item.flag("enabled"))}
            self.groups[group] = replace(self.groups[group], schedules=schedules)


def _read_reference(text: str) -> str:
    """`$NAME` or `${NAME}` -> `NAME`; `""` for anything else."""
    name = re.sub(r"\A\$\{(\w+)\}\Z", r"$\1", text)
    return name[1:] if re.fullmatch(PASSWORD_PATTERN, name) else ""


def _read_key(text: str) -> tuple[str, ...]:
    """A merge key, as names with commas between or as a list in JSON."""
    with suppress(ValueError):
        names = json.loads(text)
        return tuple(map(str, names)) if isinstance(names, list) else parse_key(text)
    return parse_key(text)


def _parse_columns(text: str) -> tuple[Column, ...]:
    """`columns_json`, whose entries may lack ids and types."""
    names = ("source_type", "dest_type")
    return tuple(
        Column(
            id=f"c{number}" if not re.fullmatch(r"c\d+", str(entry.get("id", ""))) else entry["id"],
            source_name=str(entry["source_name"] or entry["dest_name"]),
            dest_name=str(entry["dest_name"] or entry["source_name"]),
            **{name: str(entry.get(name) or "") for name in names},
        )
        for number, entry in enumerate(json.loads(text or "[]") or [], 1)
    )


def _free(wanted: str, taken: Mapping[str, object]) -> str:
    """A name that is free, letter case aside."""
    known = {name.lower() for name in taken}
    return next(name for n in range(1, 100_000) if (name := wanted if n == 1 else f"{wanted}_{n}").lower() not in known)


def _clean_name(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:200]


def _clean_module_name(text: str) -> str:
    return text if MODULE_NAME.match(text) else re.sub(r"[^A-Za-z0-9_.-]+", "_", text).strip("_.-")[:55] or "module"


def _clean_watermark_name(text: str) -> str:
    if WATERMARK_NAME.match(text):
        return text
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")[:55] or "value"
    return f"_{name}" if name[0].isdigit() else name


def _read_number(text: str, default: int) -> int:
    return int(float(text)) if re.fullmatch(r"-?\d{1,6}(\.0+)?", text) else default


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:77]}..."

# What applying a file will do: two sets of definitions -> changes. Pure; knows no state database and no YAML.
"""`build_plan` compares what is wanted with what is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipekit.definitions.records import ConnectionDef, Definitions, GroupDef, ModuleDef, ScheduleDef, fold_name
from pipekit.fields import Field, list_fields
from pipekit.models import (
    Column,
    ConnectionFields,
    GroupFields,
    Guards,
    HookFields,
    ModuleFields,
    WatermarkFields,
    format_key,
)

Action = Literal["create", "change", "leave", "delete"]
Noun = Literal["connection", "module", "group"]

SIGNS: Mapping[Action, str] = {"create": "+", "change": "~", "leave": "=", "delete": "-"}
_SHOWN = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field that changes; None stands for absent. A password is never told, not even its reference."""

    field: str
    old: Any
    new: Any

    @property
    def is_secret(self) -> bool:
        """Whether the values must not be shown."""
        return self.field == "password"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What happens to one thing. `was` is its name in the state, which may differ in case."""

    action: Action
    noun: Noun
    name: str
    was: str = ""
    fields: tuple[FieldChange, ...] = ()


def build_plan(wanted: Definitions, present: Definitions, *, prune: bool = False) -> list[Change]:
    """The changes that make `present` match `wanted`, in the order in which they can be done."""
    changes = [
        *_compare("connection", wanted.connections, present.connections),
        *_compare("module", wanted.modules, present.modules),
        *_compare("group", wanted.groups, present.groups),
    ]
    if prune:
        changes += _surplus("group", wanted.groups, present.groups)
        changes += _surplus("module", wanted.modules, present.modules)
        changes += _surplus("connection", wanted.connections, present.connections)
    return changes


def _compare(noun: Noun, wanted: Mapping[str, Any], present: Mapping[str, Any]) -> list[Change]:
    there = {fold_name(name): record for name, record in present.items()}
    changes = []
    for name, record in wanted.items():
        old = there.get(fold_name(name))
        if old is None:
            changes.append(Change(action="create", noun=noun, name=name))
            continue
        fields = compare_records(old, record)
        changes.append(
            Change(action="change" if fields else "leave", noun=noun, name=name, was=old.name, fields=fields)
        )
    return changes


def _surplus(noun: Noun, wanted: Mapping[str, Any], present: Mapping[str, Any]) -> list[Change]:
    named = {fold_name(name) for name in wanted}
    surplus = [name for name in sorted(present) if fold_name(name) not in named]
    return [Change(action="delete", noun=noun, name=name, was=name) for name in surplus]


def compare_records(old: Any, new: Any) -> tuple[FieldChange, ...]:
    """The fields in which two records of one kind differ, by dotted path."""
    before, after = flatten(old), flatten(new)
    paths = [*after, *(path for path in before if path not in after)]
    return tuple(
        FieldChange(field=path, old=before.get(path), new=after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    )


def flatten(record: ConnectionDef | ModuleDef | GroupDef) -> dict[str, Any]:
    """A record as dotted path -> value, None values left out."""
    if isinstance(record, ModuleDef):
        values = _flatten_module(record)
    elif isinstance(record, GroupDef):
        values = _flatten_fields(record, list_fields(GroupFields))
        values |= {f"modules.{name}": order for name, order in record.members.items()}
        values |= {f"modules.{name}, verify": order for name, order in record.verified.items()}
        values |= {f"schedules.{cron}": _told_schedule(item) for cron, item in record.schedules.items()}
    else:
        values = _flatten_fields(record, list_fields(ConnectionFields))
    return {path: value for path, value in values.items() if value is not None}


def _told_schedule(item: ScheduleDef) -> str:
    return ("on" if item.enabled else "off") + ("" if item.catch_up else ", no catch-up")


def _flatten_module(record: ModuleDef) -> dict[str, Any]:
    plain = [f for f in list_fields(ModuleFields) if f.kind not in ("list", "object")]
    values = {"source": record.source, "dest": record.dest, **_flatten_fields(record, plain)}
    values["key"] = format_key(record.merge_key) or None
    values |= _flatten_fields(record.guards, list_fields(Guards), "guards.")
    for watermark in record.watermarks:
        values[f"watermarks.{watermark.name}.connection"] = watermark.connection
        fields = [f for f in list_fields(WatermarkFields) if f.name]
        values |= _flatten_fields(watermark, fields, f"watermarks.{watermark.name}.")
    for place, hook in enumerate(record.hooks, 1):
        values |= _flatten_fields(hook, list_fields(HookFields), f"hooks[{place}].")
    for place, column in enumerate(record.columns, 1):
        values |= _flatten_fields(column, list_fields(Column), f"columns[{place}].")
    return values


def _flatten_fields(record: object, fields: Sequence[Field], path: str = "") -> dict[str, Any]:
    return {path + (f.name or f.own): getattr(record, f.own) for f in fields}


def format_plan(changes: list[Change]) -> list[str]:
    """The plan as lines: `+` create, `~` change with the fields below, `=` leave, `-` delete."""
    lines = []
    for change in changes:
        lines.append(f"{SIGNS[change.action]} {change.noun} {change.name}")
        lines += [f"    {item.field}: {_told(item)}" for item in change.fields]
    return lines


def format_summary(changes: list[Change]) -> str:
    """`2 to create, 1 to change, 3 to leave, 0 to delete`."""
    counts = {action: sum(1 for change in changes if change.action == action) for action in SIGNS}
    return ", ".join(f"{count} to {action}" for action, count in counts.items())


def _told(item: FieldChange) -> str:
    if item.is_secret:
        return "(changed)"
    old, new = _one_line(item.old), _one_line(item.new)
    start = _first_difference(old, new) - _SHOWN // 3 if max(len(old), len(new)) > _SHOWN else 0
    return f"{_cut(old, start)} -> {_cut(new, start)}"


def _first_difference(old: str, new: str) -> int:
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))


def _one_line(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value).replace("\n", "\\n")


def _cut(text: str, start: int) -> str:
    """A piece of a text that begins near `start`, marked where something is left out."""
    before = "..." if start > 3 else ""
    piece = text[start:] if before else text
    return before + (piece if len(piece) <= _SHOWN else piece[: _SHOWN - 3] + "...")

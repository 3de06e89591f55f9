# What a definition file says, as frozen records without ids. Knows neither YAML nor the state database.
"""Definitions of connections, modules and groups, each named by its name alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipekit.models import ConnectionFields, GroupFields, HookFields, ModuleFields, ScheduleFields, WatermarkFields

# What a file says of these is all there is to say.
ConnectionDef = ConnectionFields
HookDef = HookFields
ScheduleDef = ScheduleFields


@dataclass(frozen=True, kw_only=True, slots=True)
class WatermarkDef(WatermarkFields):
    """A watermark of a module; `connection` is a name."""

    connection: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleDef(ModuleFields):
    """A module with everything that belongs to it; `source` and `dest` are names of connections.

    Hooks stand in the order they run.
    """

    source: str
    dest: str
    watermarks: tuple[WatermarkDef, ...] = ()
    hooks: tuple[HookDef, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupDef(GroupFields):
    """A group: `members` maps a module's name to its place, `verified` likewise one that is compared there.

    `schedules` is by cron expression.
    """

    members: Mapping[str, int] = field(default_factory=dict)
    verified: Mapping[str, int] = field(default_factory=dict)
    schedules: Mapping[str, ScheduleDef] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Definitions:
    """Everything a file, or the state, defines. Each map is keyed by name."""

    connections: Mapping[str, ConnectionDef] = field(default_factory=dict)
    modules: Mapping[str, ModuleDef] = field(default_factory=dict)
    groups: Mapping[str, GroupDef] = field(default_factory=dict)


def fold_name(name: str) -> str:
    """A name as the state compares it: case of ASCII letters does not count."""
    return "".join(c.lower() if c.isascii() else c for c in name)


def find_spelling(name: str, names: Mapping[str, str]) -> str | None:
    """How a name is spelled in a map made by `build_spelling`."""
    return names.get(fold_name(name))


def build_spelling(*sources: Mapping[str, object]) -> dict[str, str]:
    """Folded name -> name as written; an earlier source wins."""
    spelling: dict[str, str] = {}
    for source in sources:
        for name in source:
            spelling.setdefault(fold_name(name), name)
    return spelling

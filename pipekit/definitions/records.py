# What a definition file says, as frozen records without ids. Knows neither YAML nor the state database.
"""Definitions of connections, modules and groups, each named by its name alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipekit.models import Column, Guards, Match, RunOn, Strategy


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionDef:
    """A connection; `password` is a `$NAME` reference."""

    name: str
    driver: str
    jdbc_url: str
    username: str | None = None
    password: str | None = None
    max_runs: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WatermarkDef:
    """A watermark of a module; `connection` is a name."""

    name: str
    connection: str
    sql: str
    default: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HookDef:
    """A hook of a module."""

    sql: str
    run_on: RunOn = "success"
    run_order: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleDef:
    """A module with everything that belongs to it; `source` and `dest` are names of connections.

    Hooks stand in the order they run; `silence_s` and `run_s` are seconds.
    """

    name: str
    source: str
    query: str
    dest: str
    table: str
    strategy: Strategy = "full"
    key: tuple[str, ...] = ()
    create_table: bool = False
    trim_char: bool = False
    enabled: bool = True
    match: Match = "name"
    watermarks: tuple[WatermarkDef, ...] = ()
    hooks: tuple[HookDef, ...] = ()
    columns: tuple[Column, ...] = ()
    guards: Guards = field(default_factory=Guards)
    retries: int = 2
    silence_s: float | None = None
    run_s: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleDef:
    """How a group's schedule behaves; its cron expression is its name."""

    enabled: bool = True
    catch_up: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupDef:
    """A group: `members` maps a module's name to its place, `schedules` is by cron expression."""

    name: str
    enabled: bool = True
    paused: bool = False
    parallel: int = 1
    members: Mapping[str, int] = field(default_factory=dict)
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

# Which modules run together, and when: from scripts that start others, and from crontabs. Knows no SQL.
"""`build_groups`."""

import posixpath
from collections.abc import Iterator

from pipekit.definitions.records import GroupDef, ScheduleDef
from pipekit.scripts.assemble import Assembler
from pipekit.scripts.found import Unit
from pipekit.scripts.walk import Walked


def build_groups(walked: Walked, assembler: Assembler) -> dict[str, GroupDef]:
    """A script that starts others is a group; single scripts that run at the same time are one together."""
    every = list(_list_units([*walked.units, *(unit for _, unit in walked.lines)]))
    members: dict[str, list[str]] = {}
    schedules: dict[str, dict[str, ScheduleDef]] = {}
    for line, unit in walked.lines:
        modules = [draft.module.name for draft in assembler.add(unit)]
        if not modules:
            continue
        only = unit.calls[0] if len(unit.calls) == 1 else None
        name = (
            _group_name(only, every)
            if only is not None and any(map(assembler.add, only.calls))
            else _cron_name(line.cron)
        )
        kept = members.setdefault(name, [])
        kept += [module for module in modules if module not in kept]
        schedules.setdefault(name, {})[line.cron] = ScheduleDef()
    lines = [unit for _, unit in walked.lines]
    for unit in every:
        modules = [draft.module.name for draft in assembler.add(unit)]
        starts_loads = any(assembler.add(call) for call in unit.calls)
        if starts_loads and modules and all(unit is not line for line in lines):
            members.setdefault(_group_name(unit, every), modules)
    return {
        name: GroupDef(
            name=name,
            members={module: place for place, module in enumerate(modules, 1)},
            schedules=schedules.get(name, {}),
        )
        for name, modules in members.items()
    }


def _list_units(units: list[Unit]) -> Iterator[Unit]:
    """Units and those they start, each once."""
    seen: list[Unit] = []
    waiting = list(units)
    while waiting:
        unit = waiting.pop(0)
        if all(unit is not other for other in seen):
            seen.append(unit)
            yield unit
            waiting += unit.calls


def _cron_name(cron: str) -> str:
    """`*/15 * * * *` -> `cron every-15 * * * *`: a slash cannot stand in a group's address."""
    return "cron " + cron.replace("*/", "every-").replace("/", "-every-")


def _group_name(unit: Unit, every: list[Unit]) -> str:
    """A starting script's name; with its folders where another one is called like it, and with its arguments."""
    stem = posixpath.splitext(posixpath.basename(unit.path))[0]
    paths = {one.path for one in every if one.calls and posixpath.basename(one.path).startswith(f"{stem}.")}
    name = stem if len(paths) < 2 else posixpath.splitext(unit.path)[0].replace("/", "_")
    return "-".join([name, *(text.replace("/", "_") for text in unit.arguments or ())])

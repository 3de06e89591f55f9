# A folder of scripts -> a definition file and a report. Runs nothing and writes nothing.
"""`import_scripts`: the whole way, and what it gives."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipekit.definitions.export import build_yaml
from pipekit.definitions.parse import parse_definitions
from pipekit.definitions.problems import DefinitionErrors
from pipekit.definitions.records import Definitions, GroupDef, ScheduleDef, WatermarkDef
from pipekit.errors import NotFound
from pipekit.scripts.assemble import Assembler, Draft
from pipekit.scripts.crontab import Scheduled, is_crontab, read_crontab
from pipekit.scripts.found import Notes
from pipekit.scripts.naming import Connections, SecretNames
from pipekit.scripts.report import Report, build_report
from pipekit.scripts.shell import load_tree
from pipekit.scripts.walk import Script, walk_scripts
from pipekit.secrets import Masker

HEADER = (
    "# Made by `pipekit import-scripts`. Read its report first: a module that was not understood whole is disabled.\n"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """A definition file's text, the report on it, and how many modules there are and how many of them are disabled."""

    text: str
    report: str
    modules: int
    disabled: int


def import_scripts(folder: Path) -> Imported:
    """Reads a tree of folders with scripts around jrunner. Raises NotFound for a folder that is not there."""
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder}.")
    tree = load_tree(folder)
    notes = Notes()
    scripts = walk_scripts(tree, str(folder.resolve()), notes)
    secrets = SecretNames()
    connections = Connections(secrets)
    assembler = Assembler(notes, connections, tree)
    for path, script in scripts.items():
        assembler.add_script(path, script.events)
    for secret in notes.secrets:
        secrets.refer(secret, "PASSWORD")
    masker = secrets.masker()
    scheduled = [
        item
        for path, text in tree.items()
        if is_crontab(path)
        for item in read_crontab(path, text, list(scripts), notes)
    ]
    drafts = {name: _mask(draft, masker) for name, draft in assembler.drafts.items()}
    definitions = Definitions(
        connections=connections.found,
        modules={name: draft.module for name, draft in drafts.items()},
        groups=_build_groups(scheduled, scripts, assembler.by_script),
    )
    text = HEADER + build_yaml(definitions)
    report = Report(
        drafts=drafts,
        connections=connections,
        secrets=secrets,
        notes=notes,
        refused=_find_refusals(text),
        idle=_find_idle(scripts, assembler.by_script),
        groups=definitions.groups,
    )
    told = masker.mask(build_report(report))
    disabled = sum(not draft.module.enabled for draft in drafts.values())
    return Imported(text=text, report=told, modules=len(drafts), disabled=disabled)


def _mask(draft: Draft, masker: Masker) -> Draft:
    """A module without passwords in its SQL; one that had any is disabled."""
    module = draft.module
    masked = replace(
        module,
        source_query=masker.mask(module.source_query),
        watermarks=tuple(_mask_watermark(item, masker) for item in module.watermarks),
        hooks=tuple(replace(item, sql=masker.mask(item.sql)) for item in module.hooks),
    )
    if masked != module:
        draft.problems.append("its SQL held a password, which was taken out")
        masked = replace(masked, enabled=False)
    draft.module = masked
    return draft


def _mask_watermark(item: WatermarkDef, masker: Masker) -> WatermarkDef:
    default = None if item.default_value is None else masker.mask(item.default_value)
    return replace(item, resolver_sql=masker.mask(item.resolver_sql), default_value=default)


def _find_refusals(text: str) -> Sequence[str]:
    """What `pipekit apply` would say of the file."""
    try:
        parse_definitions(text)
    except DefinitionErrors as errors:
        return [f"line {problem.line}, {problem.field}: {problem.message}" for problem in errors.problems]
    return ()


def _find_idle(scripts: Mapping[str, Script], by_script: Mapping[str, Sequence[str]]) -> list[str]:
    """Scripts that load nothing, start no other script, and are not read by one that does."""
    return [path for path, script in scripts.items() if script.events and not by_script[path] and not script.calls]


def _build_groups(
    scheduled: Sequence[Scheduled], scripts: Mapping[str, Script], by_script: Mapping[str, Sequence[str]]
) -> dict[str, GroupDef]:
    """A script that starts others is a group; single scripts that run at the same time are one together."""
    members: dict[str, list[str]] = {}
    schedules: dict[str, dict[str, ScheduleDef]] = {}
    for item in scheduled:
        modules = _list_modules(item.script, scripts, by_script, set())
        if not modules:
            continue
        name = _group_name(item.script, scripts) if scripts[item.script].calls else _cron_name(item.cron)
        kept = members.setdefault(name, [])
        kept += [module for module in modules if module not in kept]
        schedules.setdefault(name, {})[item.cron] = ScheduleDef()
    for path, script in scripts.items():
        modules = _list_modules(path, scripts, by_script, set())
        if script.calls and modules:
            members.setdefault(_group_name(path, scripts), modules)
    return {
        name: GroupDef(
            name=name,
            members={module: place for place, module in enumerate(modules, 1)},
            schedules=schedules.get(name, {}),
        )
        for name, modules in members.items()
    }


def _cron_name(cron: str) -> str:
    """`*/15 * * * *` -> `cron every-15 * * * *`: a slash cannot stand in a group's address."""
    return "cron " + cron.replace("*/", "every-").replace("/", "-every-")


def _group_name(path: str, scripts: Mapping[str, Script]) -> str:
    """A starting script's name; with its folders where another one is called like it."""
    stem = posixpath.splitext(posixpath.basename(path))[0]
    alike = [p for p, script in scripts.items() if script.calls and posixpath.basename(p).startswith(f"{stem}.")]
    return stem if len(alike) < 2 else posixpath.splitext(path)[0].replace("/", "_")


def _list_modules(
    path: str, scripts: Mapping[str, Script], by_script: Mapping[str, Sequence[str]], seen: set[str]
) -> list[str]:
    """The modules of a script and of those it starts, in order, each once."""
    if path in seen or path not in scripts:
        return []
    seen.add(path)
    found = list(by_script.get(path, ()))
    for call in scripts[path].calls:
        found += [name for name in _list_modules(call, scripts, by_script, seen) if name not in found]
    return found

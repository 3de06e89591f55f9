# A folder of scripts -> a definition file and a report. Runs nothing and writes nothing.
"""`import_scripts`: the whole way, and what it gives."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from pipekit.definitions.export import build_yaml
from pipekit.definitions.parse import list_refusals
from pipekit.definitions.records import Definitions, WatermarkDef
from pipekit.errors import NotFound
from pipekit.masking import Masker
from pipekit.scripts.assemble import Assembler, Draft
from pipekit.scripts.crontab import is_crontab
from pipekit.scripts.found import Notes, Place
from pipekit.scripts.grouping import build_groups
from pipekit.scripts.naming import Connections, SecretNames
from pipekit.scripts.report import Report, build_report
from pipekit.scripts.tree import Tree, calls_jrunner, is_other_program, is_shell_script, load_tree
from pipekit.scripts.walk import Walked, walk_scripts

_CALL = re.compile(r"\bjrunner\b", re.IGNORECASE)
_TEXTS = (".md", ".sql", ".log", ".html")
_WINDOWS = (".bat", ".cmd", ".ps1", ".vbs")

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
    notes = Notes()
    tree = load_tree(folder, notes)
    _note_other_programs(tree, notes)
    walked = walk_scripts(tree, notes)
    secrets = SecretNames()
    connections = Connections(secrets, notes)
    assembler = Assembler(walked.world, connections)
    for unit in (*walked.units, *(unit for _, unit in walked.lines)):
        assembler.add(unit)
    named = assembler.name_all()
    for secret in notes.secrets:
        secrets.add_place(secret)
    masker = secrets.masker()
    drafts = {name: _mask(draft, masker) for name, draft in named.items()}
    definitions = Definitions(
        connections=connections.found,
        modules={name: draft.module for name, draft in drafts.items()},
        groups=build_groups(walked, assembler),
    )
    text = HEADER + build_yaml(definitions)
    report = Report(
        drafts=drafts,
        connections=connections,
        secrets=secrets,
        notes=notes,
        refused=list_refusals(text),
        idle=_find_idle(walked, assembler),
        groups=definitions.groups,
    )
    told = masker.mask(build_report(report))
    disabled = sum(not draft.module.enabled for draft in drafts.values())
    return Imported(text=text, report=told, modules=len(drafts), disabled=disabled)


def _mask(draft: Draft, masker: Masker) -> Draft:
    """A module without passwords in what is told of it; one that had any in its SQL is disabled."""
    module = draft.module
    masked = replace(
        module,
        source_query=masker.mask(module.source_query),
        watermarks=tuple(_mask_watermark(item, masker) for item in module.watermarks),
        hooks=tuple(replace(item, sql=masker.mask(item.sql)) for item in module.hooks),
    )
    if masked != module:
        draft.module = masked
        draft.problems.append("its SQL held a password, which was taken out")
        draft.finish(module.name)
    draft.module = replace(draft.module, notes=masker.mask(draft.module.notes))
    return draft


def _mask_watermark(item: WatermarkDef, masker: Masker) -> WatermarkDef:
    default = None if item.default_value is None else masker.mask(item.default_value)
    return replace(item, resolver_sql=masker.mask(item.resolver_sql), default_value=default)


def _find_idle(walked: Walked, assembler: Assembler) -> list[str]:
    """Scripts with SQL that load nothing and start no other script."""
    return sorted({unit.path for unit in walked.units if unit.events and not assembler.add(unit) and not unit.calls})


def _note_other_programs(tree: Tree, notes: Notes) -> None:
    """Programs that are no shell scripts: those of Windows, and whatever else calls jrunner."""
    for path, text in tree.texts.items():
        if is_shell_script(path, text) or is_crontab(path) or path.endswith(_TEXTS):
            continue
        found = _CALL.search(text)
        if path.endswith(_WINDOWS) or (found and is_other_program(path, text)) or calls_jrunner(text):
            line = text.count("\n", 0, found.start()) + 1 if found else 0
            does = "it calls jrunner: make its modules by hand" if found else "look whether it loads anything"
            notes.add(Place(path, line), f"This is no shell script and was not read; {does}.")

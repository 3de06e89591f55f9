# Goes through the scripts of a folder in the order in which they call each other. Knows no SQL and no definition.
"""`walk_scripts`: every script read once, with the variables of the one that starts it."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipekit.scripts.commands import run_commands
from pipekit.scripts.found import Event, Notes, ScriptCall
from pipekit.scripts.lexer import Command, split_commands
from pipekit.scripts.shell import Shell

_SHEBANG = re.compile(r"#!.*\b(?:ba|k|da|z)?sh\b")
_SUFFIXES = (".sh", ".bash", ".ksh")


@dataclass(slots=True)
class Script:
    """A script and what it does, and the scripts it starts."""

    path: str
    events: list[Event]
    variables: Mapping[str, str]
    calls: list[str] = field(default_factory=list)


def list_scripts(tree: Mapping[str, str]) -> list[str]:
    """The shell scripts of a folder: by their names, else by their first lines."""
    return [path for path, text in tree.items() if path.endswith(_SUFFIXES) or _SHEBANG.match(text)]


def walk_scripts(tree: Mapping[str, str], root: str, notes: Notes) -> dict[str, Script]:
    """Every script by its path."""
    paths = list_scripts(tree)
    called = {call for path in paths for call in _read(tree, root, path, {}, Notes()).calls}
    scripts: dict[str, Script] = {}

    def walk(path: str, variables: Mapping[str, str]) -> None:
        if path in scripts:
            return
        scripts[path] = script = _read(tree, root, path, variables, notes)
        for call in script.calls:
            walk(call, script.variables)

    for path in [*(path for path in paths if path not in called), *paths]:
        walk(path, {})
    return dict(sorted(scripts.items()))


def _capture(shell: Shell, commands: Sequence[Command]) -> str:
    return run_commands(shell, commands, capture=True)


def _read(tree: Mapping[str, str], root: str, path: str, variables: Mapping[str, str], notes: Notes) -> Script:
    """A script starts in its own folder: that is where its files are, however it is started."""
    shell = Shell(tree, root, notes, path, _capture, variables={**variables, "0": posixpath.join(root, path)})
    shell.cwd = posixpath.dirname(path) or "."
    run_commands(shell, split_commands(tree[path]))
    calls = [event.path for event in shell.events if isinstance(event, ScriptCall)]
    kept = {name: value for name, value in shell.variables.items() if name != "0"}
    return Script(path, shell.events, kept, list(dict.fromkeys(calls)))

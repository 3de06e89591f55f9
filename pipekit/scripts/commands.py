# What each command of a script does to its state: control flow, files, filters. Runs nothing.
"""`run_commands`: goes through commands in order; loops over names are unrolled, both branches of an `if` are read."""

import fnmatch
import posixpath
import re
from collections.abc import Sequence

from pipekit.scripts.clients import find_client
from pipekit.scripts.filters import ACTIONS, read_file, read_operands
from pipekit.scripts.found import Unknown
from pipekit.scripts.lexer import Command, Word, split_commands
from pipekit.scripts.shell import DEEPEST, MOST_COMMANDS, Field, Shell, note_call

_PREFIXES = ("if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "nohup", "command", "env")
_CLOSERS = {"for": "done", "while": "done", "until": "done", "case": "esac", "if": "fi"}
# Commands that change neither data nor what a later command reads.
_HARMLESS = frozenset((
    "set", "exit", "trap", "date", "logger", "mail", "mailx", "true", "false", "sleep", "umask", ":", "rm", "mkdir",
    "touch", "chmod", "return", "shift", "wait", "flock", "ulimit", "unset", "break", "continue", "fi", "done", "esac",
    "}", "hostname", "whoami", "id", "ls", "find", "wc", "kill", "renice", "nice", "shopt", "read",
))  # fmt: skip
# What they print is taken for what they read: mostly they cut a header or a line end off one value.
_FILTERS = frozenset(("tail", "head", "tr", "cut", "awk", "sort", "uniq", "grep", "xargs", "tee", "column", "iconv"))


def run_commands(shell: Shell, commands: Sequence[Command], *, capture: bool = False) -> str:
    """Goes through commands; with `capture` returns what they print, as far as it can be told."""
    printed = ""
    pipe: str | None = None
    at = 0
    while at < len(commands):
        shell.read += 1
        if shell.read > MOST_COMMANDS:
            return printed
        command = commands[at]
        first = command.words[0].literal if command.words else None
        if first in ("for", "case") or _is_function(command, commands[at + 1 : at + 2]):
            at = _run_block(shell, commands, at, first or "")
            continue
        output = _run_command(shell, command, pipe, capture)
        pipe = output if command.ends == "|" else None
        if pipe is None:
            printed += output
            if shell.empty_test and command.ends == "\n" and first not in ("if", "[", "then", "elif"):
                shell.empty_test = ""
        at += 1
    return printed


# -- blocks ------------------------------------------------------------------------------------------------------------


def _is_function(command: Command, following: Sequence[Command]) -> bool:
    words = [word.literal for word in command.words]
    opens = bool(following) and bool(following[0].words) and following[0].words[0].literal == "{"
    return (len(words) == 1 and command.ends == "(" and opens) or (words[:1] == ["function"])


def _run_block(shell: Shell, commands: Sequence[Command], at: int, first: str) -> int:
    """Goes through a loop, keeps a function, passes over a `case`; where the block's end is."""
    command = commands[at]
    if first == "for":
        end = _find_end(commands, at, "done")
        _run_loop(shell, command, commands[at + 1 : end])
        return end + 1
    if first == "case":
        shell.notes.add(shell.place(command.line), "`case` was not followed.")
        return _find_end(commands, at, "esac") + 1
    name = command.words[1 if first == "function" else 0].literal or ""
    end = next((i for i in range(at + 1, len(commands)) if _first(commands[i]) == "}"), len(commands))
    body = list(commands[at + 1 : end])
    shell.functions[name] = body
    return end + 1


def _first(command: Command) -> str:
    return (command.words[0].literal or "") if command.words else ""


def _find_end(commands: Sequence[Command], at: int, closer: str) -> int:
    """The command that closes a block, blocks of the same kind within it passed over."""
    openers = {name for name, end in _CLOSERS.items() if end == closer}
    depth = 0
    for i in range(at, len(commands)):
        words = [word.literal for word in commands[i].words]
        depth += any(word in openers for word in words[:2])
        depth -= words[:1] == [closer]
        if depth == 0:
            return i
    return len(commands) - 1


def _run_loop(shell: Shell, command: Command, body: Sequence[Command]) -> None:
    words = command.words
    name = (words[1].literal if len(words) > 1 else None) or ""
    values: list[str] = []
    for item in shell.expand_fields(words[3:], command.line):
        values += _expand_glob(shell, item.text) if any(mark in item.text for mark in "*?[") else [item.text]
    for value in values:
        before = shell.cwd
        shell.variables[name] = value
        run_commands(shell, body)
        shell.cwd = before


def _expand_glob(shell: Shell, pattern: str) -> list[str]:
    """Names in the folder that fit, as a shell lists them: `*/` gives folders."""
    wanted = pattern.rstrip("/")
    names: set[str] = set()
    for path in shell.tree:
        relative = posixpath.relpath(path, shell.cwd)
        parts = relative.split("/")
        names |= {"/".join(parts[:i]) for i in range(1, len(parts) + (not pattern.endswith("/")))}
    depth = wanted.count("/")
    return sorted(n for n in names if n.count("/") == depth and n[:1] != "." and fnmatch.fnmatchcase(n, wanted))


# -- simple commands ---------------------------------------------------------------------------------------------------


def _run_command(shell: Shell, command: Command, pipe: str | None, capture: bool) -> str:
    """One command, its redirections included; what it prints."""
    words = list(command.words)
    while words and words[0].literal in _PREFIXES:
        words = words[1:]
    assigned: dict[str, str] = {}
    while words and (found := shell.split_assignment(words[0])):
        name, rest, append = found
        value = shell.expand(rest, command.line)
        if len(words) == 1:
            for earlier, kept in assigned.items():
                shell.assign(earlier, kept, command.line)
            shell.assign(name, value, command.line, append=append)
            return ""
        assigned[name] = value
        words = words[1:]
    stdin = _read_stdin(shell, command, pipe)
    fields = shell.expand_fields(words, command.line)
    if not fields:
        return _write_stdout(shell, command, stdin or "")
    saved = dict(shell.variables)
    shell.variables |= assigned
    output = _dispatch(shell, command, words, fields, stdin, capture)
    for name in assigned:
        shell.variables.pop(name, None)
        if name in saved:
            shell.variables[name] = saved[name]
    return _write_stdout(shell, command, output)


def _read_stdin(shell: Shell, command: Command, pipe: str | None) -> str | None:
    for redirect in command.redirects:
        text = shell.expand(redirect.word, command.line)
        if redirect.operator == "<<":
            return text
        if redirect.operator == "<<<":
            return f"{text}\n"
        if redirect.operator == "<":
            return read_file(shell, text, command.line)
    return pipe


def _write_stdout(shell: Shell, command: Command, output: str) -> str:
    for redirect in command.redirects:
        if redirect.operator not in (">", ">>"):
            continue
        path = shell.resolve(shell.expand(redirect.word, command.line))
        before = shell.find_file(path) or "" if redirect.operator == ">>" else ""
        shell.written[path] = before + output
        return ""
    return output


def _dispatch(
    shell: Shell, command: Command, words: list[Word], fields: list[Field], stdin: str | None, capture: bool
) -> str:
    name = fields[0].text
    line = command.line
    client = find_client(fields)
    if client is not None:
        return client(shell, line, fields, stdin, capture)
    base = posixpath.basename(name)
    if name in shell.functions:
        return _call_function(shell, name, fields[1:], capture)
    if name in ("export", "readonly", "declare", "typeset", "local"):
        _assign_all(shell, words[1:], line)
        return ""
    if name in ("[", "[[", "test"):
        _note_test(shell, words)
        return ""
    if base in (".", "source"):
        _source(shell, line, fields)
        return ""
    action = ACTIONS.get(base)
    if action is not None:
        return action(shell, line, fields, stdin)
    if base in _FILTERS:
        return stdin if stdin is not None else read_operands(shell, line, fields)
    if base in _HARMLESS and not (base == "date" and capture):
        return ""
    if _starts_script(shell, line, fields):
        return ""
    if capture:
        return shell.notes.mark(Unknown(shell.place(line), "", " ".join(item.text for item in fields)))
    shell.notes.add(shell.place(line), f"The command `{base}` was not understood.")
    return ""


def _call_function(shell: Shell, name: str, arguments: list[Field], capture: bool) -> str:
    if shell.depth >= DEEPEST:
        return ""
    saved = {key: value for key, value in shell.variables.items() if key.isdigit() or key in "@*"}
    shell.variables |= {str(i): item.text for i, item in enumerate(arguments, 1)}
    shell.variables |= dict.fromkeys("@*", " ".join(item.text for item in arguments))
    shell.depth += 1
    output = run_commands(shell, shell.functions[name], capture=capture)
    shell.depth -= 1
    shell.variables = {k: v for k, v in shell.variables.items() if not (k.isdigit() or k in "@*")} | saved
    return output


def _assign_all(shell: Shell, words: Sequence[Word], line: int) -> None:
    for word in words:
        if found := shell.split_assignment(word):
            name, rest, append = found
            shell.assign(name, shell.expand(rest, line), line, append=append)


def _note_test(shell: Shell, words: Sequence[Word]) -> None:
    """`[ -z "$X" ]` and `[ "$X" = "" ]`: what is set next is for an X that is empty."""
    literals = [word.literal for word in words]
    names = [part.text for word in words for part in word.parts if part.kind == "variable"]
    if len(names) == 1 and ("-z" in literals or ("" in literals and ("=" in literals or "==" in literals))):
        shell.empty_test = re.split(r":?[-=]", names[0])[0]


def _starts_script(shell: Shell, line: int, fields: list[Field]) -> bool:
    """`./run.sh`, `bash run.sh`: whether it is a script of the folder."""
    names = [item.text for item in fields]
    if posixpath.basename(names[0]) in ("sh", "bash", "ksh", "dash"):
        names = [name for name in names[1:] if not name.startswith("-")]
    if not names:
        return False
    path = shell.resolve(names[0])
    if path not in shell.tree:
        return False
    note_call(shell, line, path)
    return True


def _source(shell: Shell, line: int, fields: list[Field]) -> None:
    name = fields[1].text if len(fields) > 1 else ""
    text = shell.find_file(name)
    if text is None or shell.depth >= DEEPEST:
        shell.notes.add(shell.place(line), f"{name or 'A file'} is not in the folder and was not read.")
        return
    file, shell.file = shell.file, shell.resolve(name)
    shell.depth += 1
    run_commands(shell, split_commands(text))
    shell.depth -= 1
    shell.file = file

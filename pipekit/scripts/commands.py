# What each program and builtin of a script does to its state. Runs none of them.
"""`call_command`: programs around the one that counts are taken off, then builtins, clients, filters, scripts."""

import posixpath
import re
from collections.abc import Callable, Mapping
from contextlib import suppress

from pipekit.scripts.clients import find_client
from pipekit.scripts.conditions import judge
from pipekit.scripts.expansion import expand, expand_dollars, expand_fields, expand_number, get_variable, show
from pipekit.scripts.filters import FILTERS, expand_glob, mark_picked, name_command, tell_listed
from pipekit.scripts.found import MARKER, Place
from pipekit.scripts.lexer import Word
from pipekit.scripts.lists import list_items, list_lines, read_words
from pipekit.scripts.options import take_option
from pipekit.scripts.places import copy_file, move_files, remove_files
from pipekit.scripts.shell import (
    FALSE,
    OPEN,
    TRUE,
    Field,
    LeftFunction,
    LeftLoop,
    LeftRound,
    LeftScript,
    Shell,
    Verdict,
)
from pipekit.scripts.syntax import parse_script
from pipekit.scripts.wrappers import take_off

# Commands that change neither data nor what a later command reads.
_HARMLESS = frozenset((
    "set", "logger", "mail", "mailx", "sendmail", "true", "sleep", "umask", ":", "rmdir", "mkdir", "touch",
    "chmod", "chown", "wait", "ulimit", "kill", "renice", "shopt", "hash", "gzip", "gunzip", "zip", "tput", "clear",
    "mutt", "dos2unix", "sync", "logrotate", "exec", "flock", "setopt", "popd", "alias", "bc", "ln", "history",
))  # fmt: skip
# They print what only running them would tell.
_PRINT = frozenset((
    "date", "hostname", "whoami", "id", "find", "wc", "uname", "stat", "du", "df", "ps", "who", "expr", "bc", "jq",
    "md5sum", "sha256sum", "uuidgen", "nproc", "type", "which", "crontab", "locale", "getent", "logname", "tty",
    "env", "printenv", "paste", "nl", "dd", "rev", "tac", "fold", "comm", "join", "column", "iconv", "od", "hexdump",
))  # fmt: skip
# Whether these succeed is what a script asks them for.
ASKING = frozenset(("grep", "egrep", "fgrep", "pgrep", "pidof", "diff", "cmp", "ping", "nc", "lsof", "fuser"))
_QUIET = frozenset(("pgrep", "pidof", "diff", "cmp", "ping", "nc", "lsof", "fuser"))
_A_NAME = re.compile(r"[\w./-]+")
_NAMES_A_CLIENT = re.compile(r"\b(?:jrunner|psql|sqlite3|sqlcmd|db2|mysql|sqlplus|isql|bteq)\b", re.IGNORECASE)

Builtin = Callable[[Shell, int, list[Word], list[str]], None]


def call_command(shell: Shell, line: int, words: list[Word], assigned: Mapping[str, str]) -> None:
    """One command with what is set for it alone; how it ends is the shell's status."""
    if len(words) == 1 and [part.kind for part in words[0].parts] == ["number"]:
        _calculate(shell, line, words[0].parts[0].text)
        return
    name = words[0].plain
    if name in ("[", "[[", "test"):
        shell.status = judge(shell, words)
        return
    if name in ("export", "readonly", "declare", "typeset", "local") and _assign_all(
        shell, line, words[1:], exports=name == "export"
    ):
        return
    fields = expand_fields(shell, words)
    saved, exported = dict(shell.variables), set(shell.exported)
    shell.variables |= assigned
    shell.exported |= set(assigned)
    shell.status = TRUE
    try:
        if fields:
            _call_fields(shell, line, words, fields)
    finally:
        for name in assigned:
            shell.variables.pop(name, None)
            if name in saved:
                shell.variables[name] = saved[name]
            if name not in exported:
                shell.exported.discard(name)


def _call_fields(shell: Shell, line: int, words: list[Word], fields: list[Field]) -> None:
    taken = take_off([shell.notes.assume(fields[0].text), *(item.text for item in fields[1:])])
    for name, value in taken.assigned.items():
        shell.assign(name, value, line)
    shell.exported |= set(taken.assigned)
    if taken.script_at is not None:
        _follow_text(shell, line, fields[taken.script_at].text, apart=True)
        return
    fields = fields[taken.count :]
    if not fields:
        return
    name = shell.notes.assume(fields[0].text)
    texts = [item.text for item in fields[1:]]
    if name in shell.functions:
        _call_function(shell, line, name, texts)
        return
    client = find_client([Field(name), *fields[1:]])
    if client is not None:
        shell.say(client(shell, line, fields))
        return
    builtin = _BUILTINS.get(name)
    if builtin is not None:
        builtin(shell, line, words, texts)
        return
    _call_program(shell, line, name, texts)


def _call_program(shell: Shell, line: int, name: str, texts: list[str]) -> None:
    base = posixpath.basename(name)
    if base in FILTERS:
        _call_filter(shell, line, base, texts)
    elif base in _PRINT or base in _QUIET:
        shell.say(shell.mark(line, name_command(base, texts)) + "\n")
        shell.status = OPEN if base in ASKING else TRUE
    elif base in _HARMLESS or _starts_script(shell, line, name, texts):
        pass
    else:
        _note_unknown(shell, line, name, texts)


def _call_filter(shell: Shell, line: int, base: str, given: list[str]) -> None:
    texts = [one for text in given for one in (expand_glob(shell, text) if base in ("ls", "cat") else [text])]
    text = mark_picked(shell, line, base, given, FILTERS[base](shell, line, texts, shell.stdin))
    shell.say(text)
    unknown = shell.notes.only_unknown(text)
    if base == "ls" and texts != given and unknown is None:
        tell_listed(shell, line, given, texts)
    elif base in ASKING:
        shell.status = OPEN
    elif unknown is not None and unknown.origin == "file":
        shell.status = Verdict(None, True)


def _note_unknown(shell: Shell, line: int, name: str, texts: list[str]) -> None:
    """A program that nobody here knows: what it prints is not known, nor what it does."""
    base = posixpath.basename(name)
    told = name_command(base, texts)
    shell.say(shell.mark(line, told) + "\n")
    shell.status = OPEN
    # Also what stands inside of a word: `python3 -c "open('pull.sql', 'w')..."`.
    named = {name for text in (*texts, shell.stdin or "") for name in (text, *_A_NAME.findall(text))}
    for path in {shell.resolve(name) for name in named if name}:
        shell.touched.setdefault(path, []).append(f"`{told}` ({shell.place(line)})")
    names_client = _NAMES_A_CLIENT.search(f"{told} {shell.stdin or ''}")
    if shell.captures and not names_client:
        return
    shown = f"{told} {shell.stdin or ''}".strip() if names_client else base
    shell.notes.add(shell.place(line), f"The command `{shown[:200]}` was not understood.")


# -- functions and scripts ---------------------------------------------------------------------------------------------


def _call_function(shell: Shell, line: int, name: str, arguments: list[str]) -> None:
    if shell.is_too_deep(line):
        return
    saved = shell.arguments, shell.file, shell.reads_settings, shell.in_function
    file, body = shell.functions[name]
    shell.arguments, shell.file, shell.reads_settings, shell.in_function = tuple(arguments), file, False, True
    shell.depth += 1
    try:
        with suppress(LeftFunction):
            shell.world.follow(shell, body)
    finally:
        shell.depth -= 1
        shell.arguments, shell.file, shell.reads_settings, shell.in_function = saved


def _follow_text(shell: Shell, line: int, text: str, *, apart: bool) -> None:
    """Commands that stand in a text: `bash -c`, `eval`."""
    if shell.is_too_deep(line):
        return
    shell.depth += 1
    body = parse_script(text, line).body
    try:
        if apart:
            with shell.apart(), suppress(LeftScript):
                shell.world.follow(shell, body)
        else:
            shell.world.follow(shell, body)
    finally:
        shell.depth -= 1


def _starts_script(shell: Shell, line: int, name: str, texts: list[str]) -> bool:
    """`./run.sh`, `bash run.sh`: whether it is a script of the folder."""
    if posixpath.basename(name) in ("sh", "bash", "ksh", "dash", "zsh"):
        texts = texts[next((i for i, text in enumerate(texts) if not text.startswith("-")), len(texts)) :]
        if not texts:
            if shell.stdin:
                _follow_text(shell, line, shell.stdin, apart=True)
            return bool(shell.stdin)
        name, texts = shell.notes.assume(texts[0]), texts[1:]
    path = shell.resolve(name)
    if path not in shell.world.tree.texts and (path.startswith("/") or "/" in name):
        copy = shell.world.tree.find_copy(path, shell.home) if path.startswith("/") else None
        path = copy or path
    if path not in shell.world.tree.texts or path in shell.world.tree.folders:
        return False
    shell.world.start(shell, line, path, tuple(texts))
    return True


def _source(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    name = shell.notes.assume(texts[0]) if texts else ""
    text = shell.find_file(name, line) if name else None
    if text is None or shell.is_too_deep(line):
        shell.notes.add(shell.place(line), f"{name or 'A file'} is not in the folder and was not read.")
        shell.status = Verdict(None, True)
        return
    path = shell.resolve(name)
    if path not in shell.world.tree.texts and path not in shell.written:
        path = shell.world.tree.find_copy(path, shell.home) or path
    shell.world.sourced.add(path)
    parsed = parse_script(text)
    for number, told in parsed.problems:
        shell.notes.add(Place(path, number), f"The script is broken: {told}.")
    saved = shell.file, shell.reads_settings, shell.arguments
    shell.file, shell.reads_settings = path, True
    shell.arguments = tuple(texts[1:]) if texts[1:] else shell.arguments
    shell.depth += 1
    try:
        with suppress(LeftFunction):
            shell.world.follow(shell, parsed.body)
    finally:
        shell.depth -= 1
        shell.file, shell.reads_settings, shell.arguments = saved


# -- builtins ----------------------------------------------------------------------------------------------------------


def _assign_all(shell: Shell, line: int, words: list[Word], *, exports: bool) -> bool:
    """`export A=1 B`: whether that is all there is. `exports`: other scripts are given them. `-n` is not followed."""
    flags = "".join(word.plain for word in words if re.fullmatch(r"-\w+", word.plain))
    exports, refers = exports or "x" in flags, "n" in flags
    for word in words:
        found = shell.split_assignment(word)
        named = found[0] if found is not None else word.plain
        shell.exported |= {named} if exports and named.isidentifier() else set()
        if found is None:
            if word.plain.startswith("-") or re.fullmatch(r"\w+", word.plain):
                continue
            return False
        name, rest, append = found
        if refers:
            shell.assign(name, shell.mark(line, f"declare {show(words)}"), line)
            continue
        if rest.parts and rest.parts[-1].kind == "array":
            shell.arrays[name] = list_items(shell, rest.parts[-1].text, line)
            continue
        shell.assign(name, expand(shell, rest), line, append=append)
    return True


def _export(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    """`export $(grep -v '^#' .env | xargs)`: the settings of a file."""
    for text in texts:
        unknown = shell.notes.only_unknown(text)
        saved = shell.file, shell.reads_settings
        if unknown is not None and unknown.path:
            shell.file, shell.reads_settings = unknown.path, True
        for item in shell.notes.assume(text).split():
            name, equals, value = item.partition("=")
            if equals and re.fullmatch(r"[A-Za-z_]\w*", name):
                shell.assign(name, value.strip("'\""), line)
                shell.exported.add(name)
        shell.file, shell.reads_settings = saved


def _leave(left: type[Exception]) -> Builtin:
    def leave(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
        shell.status = FALSE if texts and texts[0].isdigit() and texts[0] != "0" else TRUE
        raise left

    return leave


def _change_folder(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    target = shell.notes.assume(next((text for text in texts if not text.startswith("-")), ""))
    if not target or MARKER.search(target):
        return
    path = shell.resolve(target)
    if path.startswith("/") and posixpath.basename(path) == posixpath.basename(shell.home):
        shell.notes.take(shell.place(line), f"{path} is taken for the script's own folder.")
        path = shell.home
    shell.cwd = path


def _read(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    names = [text for text in texts if re.fullmatch(r"[A-Za-z_]\w*", text)] or ["REPLY"]
    if "-p" in texts:
        names = names[1:] if texts[texts.index("-p") + 1 : texts.index("-p") + 2] == names[:1] else names
    if shell.stdin is None:
        for name in names:
            shell.assign(name, shell.mark(line, f"read {name}", "argument"), line)
        return
    if not shell.stdin:
        shell.status = FALSE
        return
    first, _, shell.stdin = shell.stdin.partition("\n")
    read_words(shell, first, names, line, shell.variables.get("IFS"))


def _read_lines(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    name = texts[-1] if texts and not texts[-1].startswith("-") else "MAPFILE"
    shell.arrays[name] = list_lines(shell, shell.stdin or "", False)


def _shift(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    count = int(texts[0]) if texts and texts[0].isdigit() else 1
    if shell.arguments is not None:
        shell.arguments = shell.arguments[count:]
        return
    left = [get_variable(shell, str(at + count), line) for at in range(1, 10)]
    shell.variables |= {str(at): value for at, value in enumerate(left, 1)}


def _print_into(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    """`printf`, with `-v NAME` into a variable."""
    if texts[:1] == ["-v"] and len(texts) > 2:
        shell.assign(texts[1], FILTERS["printf"](shell, line, texts[2:], None), line)
    else:
        shell.say(FILTERS["printf"](shell, line, texts, None))


def _set(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    if "--" in texts:
        shell.arguments = tuple(texts[texts.index("--") + 1 :])
    elif texts and not texts[0].startswith(("-", "+")):
        shell.arguments = tuple(texts)
    elif texts[:1] in (["-a"], ["+a"]) or texts[1:2] == ["allexport"]:
        shell.exports_all = texts[0].startswith("-")


def _unset(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    for name in texts:
        if not name.startswith("-"):
            shell.variables[name] = ""
            shell.arrays.pop(name, None)


def _eval(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    _follow_text(shell, line, " ".join(texts), apart=False)


def _trap(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    if _NAMES_A_CLIENT.search(" ".join(texts)):
        shell.notes.add(shell.place(line), f"`{show(words)[:200]}` was not followed.")


def _let(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    for text in texts:
        _calculate(shell, line, text)


def _on_files(does: Callable[[Shell, int, list[str]], None]) -> Builtin:
    return lambda shell, line, words, texts: does(shell, line, texts)


def _substitute_environment(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    shell.say(expand_dollars(shell, shell.stdin or "", line))


def _false(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    shell.status = FALSE


def _getopts(shell: Shell, line: int, words: list[Word], texts: list[str]) -> None:
    take_option(shell, line, texts)


def _calculate(shell: Shell, line: int, text: str) -> None:
    """`((n++))`, `((n = n + 1))`, or a comparison, which nobody follows here."""
    found = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(?:(\+\+|--)|([-+]?)=(?!=)(.*))\s*", text, re.DOTALL)
    if found is None:
        shell.status = OPEN
        return
    name, step, sign, rest = found.groups()
    expression = f"{name} {step[0]} 1" if step else f"{name} {sign} ({rest})" if sign else rest
    shell.assign(name, expand_number(shell, expression, line), line)


_BUILTINS: dict[str, Builtin] = {
    "exit": _leave(LeftScript), "return": _leave(LeftFunction), "continue": _leave(LeftRound),
    "break": _leave(LeftLoop), "cd": _change_folder, "pushd": _change_folder, "read": _read, "mapfile": _read_lines,
    "readarray": _read_lines, "shift": _shift, "set": _set, "unset": _unset, "eval": _eval, "trap": _trap, "let": _let,
    "cp": _on_files(copy_file), "mv": _on_files(move_files), "rm": _on_files(remove_files),
    "envsubst": _substitute_environment, "false": _false, "getopts": _getopts,
    ".": _source, "source": _source, "export": _export, "declare": _export, "typeset": _export, "local": _export,
    "readonly": _export, "printf": _print_into,
}  # fmt: skip

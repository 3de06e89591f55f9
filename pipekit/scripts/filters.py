# Commands that print, change or write text, as far as a script's later commands depend on it. Runs nothing.
"""`ACTIONS`: what `cat`, `sed`, `echo` and the like do to a script's state and what they print."""

import posixpath
import re
from collections.abc import Callable

from pipekit.scripts.found import MARKER
from pipekit.scripts.shell import Field, Shell

Action = Callable[[Shell, int, list[Field], str | None], str]


def read_file(shell: Shell, name: str, line: int) -> str | None:
    """A file's text; one that is not in the folder is noted."""
    found = shell.find_file(name)
    if found is None and not MARKER.search(name) and name != "/dev/null":
        shell.notes.add(shell.place(line), f"The file {name} is not in the folder and was not read.")
    return found


def _change_folder(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    target = fields[1].text if len(fields) > 1 else ""
    if target and not MARKER.search(target):
        shell.cwd = shell.resolve(target)
    return ""


def read_operands(shell: Shell, line: int, fields: list[Field]) -> str:
    """The files that a command names."""
    names = [item.text for item in fields[1:] if not item.text.startswith("-")]
    return "".join(text for name in names if (text := shell.find_file(name)) is not None)


def _cat(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    names = [item.text for item in fields[1:] if item.text != "-"]
    return "".join(read_file(shell, name, line) or "" for name in names) if names else stdin or ""


def _echo(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    words = [item.text for item in fields[1:]]
    while words and re.fullmatch(r"-[neE]+", words[0]):
        words = words[1:]
    return " ".join(words) + "\n"


def _printf(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    if len(fields) < 2:
        return ""
    values = iter([item.text for item in fields[2:]])
    text = re.sub(r"%[sdq]", lambda _: next(values, ""), fields[1].text)
    return text.replace("\\n", "\n").replace("\\t", "\t").replace("%%", "%")


def _dirname(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    return (posixpath.dirname(fields[1].text) or ".") if len(fields) > 1 else "."


def _basename(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    name = posixpath.basename(fields[1].text.rstrip("/")) if len(fields) > 1 else ""
    return name.removesuffix(fields[2].text) if len(fields) > 2 else name


def _readlink(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    return fields[-1].text if len(fields) > 1 else ""


def _pwd(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    return posixpath.normpath(posixpath.join(shell.root, shell.cwd))


def _mktemp(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    return f"/tmp/made-on-line-{line}-of-{shell.file.replace('/', '-')}"


def _copy(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    names = [item.text for item in fields[1:] if not item.text.startswith("-")]
    text = shell.find_file(names[0]) if len(names) == 2 else None
    if text is not None:
        shell.written[shell.resolve(names[1])] = text
    return ""


def _envsubst(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    return shell.expand_dollars(stdin or "", line)


def _sed(shell: Shell, line: int, fields: list[Field], stdin: str | None) -> str:
    """Substitutions; deleting lines and the like leave the text as it is when it holds a value that is not known."""
    scripts: list[str] = []
    names: list[str] = []
    in_place = False
    words = iter([item.text for item in fields[1:]])
    for word in words:
        if word in ("-e", "--expression"):
            scripts.append(next(words, ""))
        elif word.startswith("-"):
            in_place = in_place or word.startswith(("-i", "--in-place"))
        elif scripts or names:
            names.append(word)
        else:
            scripts.append(word)
    text = "".join(read_file(shell, name, line) or "" for name in names) if names else stdin or ""
    for script in scripts:
        text = _apply_sed(shell, line, script, text)
    if in_place and names:
        shell.written[shell.resolve(names[0])] = text
        return ""
    return text


def _apply_sed(shell: Shell, line: int, script: str, text: str) -> str:
    script = script.strip().rstrip(";")
    while script[:1] == "s" and len(script) > 3:
        mark = re.escape(script[1])
        side = rf"((?:\\.|(?!{mark}).)*){mark}"
        found = re.match(rf"s{mark}{side}{side}([gIip0-9]*)\s*;?\s*", script, re.DOTALL)
        if found is None:
            break
        what, with_text, flags = found.groups()
        what = re.sub(r"\\(.)", lambda m: m[1] if m[1] in "/|#,$.@{}" else m[0], what)
        with_text = re.sub(r"\\(.)", r"\1", with_text)
        text = text.replace(what, with_text) if "g" in flags else _replace_first(text, what, with_text)
        script = script[found.end() :]
    if script and not MARKER.search(text):
        shell.notes.add(shell.place(line), f"`sed` with `{script[:40]}` was not followed.")
    return text


def _replace_first(text: str, what: str, with_text: str) -> str:
    """The first one of each line, as sed does without `g`."""
    return "".join(line.replace(what, with_text, 1) for line in text.splitlines(keepends=True)) if what else text


ACTIONS: dict[str, Action] = {
    "cd": _change_folder,
    "pushd": _change_folder,
    "cat": _cat,
    "echo": _echo,
    "printf": _printf,
    "dirname": _dirname,
    "basename": _basename,
    "readlink": _readlink,
    "realpath": _readlink,
    "pwd": _pwd,
    "mktemp": _mktemp,
    "cp": _copy,
    "mv": _copy,
    "envsubst": _envsubst,
    "sed": _sed,
}

# What `sed` makes of a text whose marks stay whole. Knows the commands that scripts use; runs nothing.
"""`run_sed`, `is_trimming`."""

import re
from collections.abc import Sequence

from pipekit.scripts.found import CLOSE, MARKER, OPEN

_ADDRESS = re.compile(r"(\d+|\$|/((?:\\.|[^/\\])*)/)(?:,(\d+|\$))?\s*(!?)\s*")
_OPERATORS = "()+?|{}"
_CLASSES = {"[:digit:]": "0-9", "[:alpha:]": "A-Za-z", "[:alnum:]": "A-Za-z0-9", "[:space:]": r"\s", "[:blank:]": " \t"}
# Takes blanks, quotes and line ends away, and nothing of a value.
_BLANKS_ONLY = re.compile(r"(?:[\s^$*+\"'|()\\]|\[\[?:?(?:space|blank):?\]\]?|\[[\s\"'\\tr]+\]|\\[strn+])*\Z")


def run_sed(scripts: Sequence[str], text: str, is_extended: bool = False) -> str | None:
    """The text after substitutions and deleted lines; None for what is not followed."""
    for script in scripts:
        for command in _split_commands(script):
            made = _run_command(command, text, is_extended)
            if made is None:
                return None
            text = made
    return text


def is_trimming(scripts: Sequence[str]) -> bool:
    """Whether a script leaves one value as it is: it drops lines around it, blanks or quotes."""
    return all(_is_trimming(command) for script in scripts for command in _split_commands(script))


def _is_trimming(command: str) -> bool:
    found = _read_substitution(command)
    if found is None:
        return bool(re.fullmatch(r"(?:\d+|\$|/\^\$/)(?:,(?:\d+|\$))?[dpq]", command.strip()))
    what, with_text, _ = found
    return not with_text.strip() and bool(_BLANKS_ONLY.match(what))


def _split_commands(script: str) -> list[str]:
    """Commands between `;` and line ends that are not part of a substitution."""
    commands: list[str] = []
    rest = script.strip()
    while rest:
        found = re.match(r"s(.)(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1[gIip0-9]*", rest, re.DOTALL)
        head = found[0] if found else re.split(r"[;\n]", rest, maxsplit=1)[0]
        commands.append(head.strip())
        rest = rest[len(head) :].lstrip("; \n\t")
    return [command for command in commands if command]


def _read_substitution(command: str) -> tuple[str, str, str] | None:
    if command[:1] != "s" or len(command) < 4:
        return None
    mark = re.escape(command[1])
    side = rf"((?:\\.|(?!{mark}).)*){mark}"
    found = re.fullmatch(rf"s{mark}{side}{side}([gIip0-9]*)", command, re.DOTALL)
    return None if found is None else (found[1], found[2], found[3])


def _run_command(command: str, text: str, is_extended: bool) -> str | None:
    found = _read_substitution(command)
    if found is None:
        return _delete_lines(command, text, is_extended)
    what, with_text, flags = found
    if flags.strip("gi"):
        return None
    pattern = _build_pattern(what, is_extended)
    if pattern is None:
        return None
    with_text = re.sub(r"\\([1-9])|(?<!\\)&|\\(.)", _build_back_reference, with_text)
    count = 0 if "g" in flags else 1
    try:
        compiled = re.compile(pattern, re.IGNORECASE if "i" in flags.lower() else 0)
        return "".join(compiled.sub(with_text, line, count=count) for line in text.splitlines(keepends=True))
    except (re.error, IndexError):
        return None


def _build_back_reference(found: re.Match[str]) -> str:
    if found[1]:
        return rf"\g<{found[1]}>"
    if found[0] == "&":
        return r"\g<0>"
    return "\\\\" if found[2] == "\\" else {"n": "\n", "t": "\t"}.get(found[2], found[2])


def _build_pattern(what: str, is_extended: bool) -> str | None:
    """A basic or extended expression as Python writes it; a mark is one letter. None for one that would be guessed."""
    made, at = "", 0
    while at < len(what):
        char, two = what[at], what[at : at + 2]
        if MARKER.match(what, at):
            return None
        if len(two) == 2 and char == "\\" and two[1] in _OPERATORS:
            made, at = made + (re.escape(two[1]) if is_extended else two[1]), at + 2
        elif char in _OPERATORS and is_extended:
            made, at = made + char, at + 1
        elif char == "\\":
            made, at = made + (two if two in (r"\s", r"\w", r"\b", r"\n", r"\t") else re.escape(two[1:])), at + 2
        elif char == "[":
            found = re.compile(r"\[\^?\]?(?:\[:\w+:\]|[^\]])*\]").match(what, at)
            if found is None:
                return None
            made, at = made + _build_class(found[0]), at + len(found[0])
        elif char in "^$.*":
            made, at = made + (f"(?:{OPEN}\\d+{CLOSE}|[^{OPEN}{CLOSE}\\n])" if char == "." else char), at + 1
        else:
            made, at = made + re.escape(char), at + 1
    return made


def _build_class(text: str) -> str:
    for name, letters in _CLASSES.items():
        text = text.replace(name, letters)
    return text.replace("\\", "\\\\") if "\\s" not in text else text


def _delete_lines(command: str, text: str, is_extended: bool) -> str | None:
    """`1d`, `$d`, `/^$/d`, and the like."""
    found = _ADDRESS.match(command)
    if found is None or found[4] or command[found.end() :].strip() != "d":
        return None
    lines = text.splitlines(keepends=True)
    if found[2] is not None:
        pattern = _build_pattern(found[2], is_extended)
        if pattern is None or found[3]:
            return None
        return "".join(line for line in lines if not re.search(pattern, line.rstrip("\n")))
    first = len(lines) if found[1] == "$" else int(found[1])
    last = first if not found[3] else len(lines) if found[3] == "$" else int(found[3])
    return "".join(line for number, line in enumerate(lines, 1) if not first <= number <= last)

# Words -> text, as a shell expands them. Knows a script's state; runs nothing.
"""`expand`, `expand_fields`: variables, `$(...)`, arithmetic, braces; what is not known becomes a mark."""

import fnmatch
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from pipekit.scripts.arithmetic import calculate
from pipekit.scripts.found import MARKER, PROCESS, Unknown
from pipekit.scripts.lexer import Part, Word, read_quoted, split_words
from pipekit.scripts.shell import Field, Left, Shell, is_position
from pipekit.scripts.syntax import parse_script

_EXPANSION = re.compile(r"(!?)(#?)([A-Za-z_][A-Za-z0-9_]*|\d+|[@*#?$!-])(\[[^\]]*\])?(.*)\Z", re.DOTALL)
_IN_TEXT = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)\Z")
_BRACES = re.compile(r"\{([^{}]*)\}")
# A command that succeeds, and a shell's flags.
_STATUS = {"?": "0", "-": ""}
# What a shell itself sets.
_SHELL_SETS = frozenset((
    "RANDOM", "SRANDOM", "SECONDS", "LINENO", "HOSTNAME", "UID", "EUID", "PPID", "BASHPID", "EPOCHSECONDS",
    "EPOCHREALTIME",
))  # fmt: skip


def expand(shell: Shell, word: Word) -> str:
    """A word as one text."""
    return "".join(_expand_part(shell, part, word.line) for part in word.parts)


def expand_fields(shell: Shell, words: Sequence[Word], *, assumes: bool = True) -> list[Field]:
    """Words as a command gets them: what an unquoted variable holds is split at blanks, a list is its items.

    With `assumes` a value that is not known is split as the folder stands, where that is several words.
    """
    return [field for word in words for one in _expand_braces(word) for field in _expand_word(shell, one, assumes)]


def expand_dollars(shell: Shell, text: str, line: int = 0) -> str:
    """`$NAME` in a text that no shell reads: a variable that the script has, with a line (`envsubst`) any other too."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return get_variable(shell, name, line) if line else shell.variables.get(name, found[0])

    return _IN_TEXT.sub(value, text)


def show(words: Sequence[Word]) -> str:
    """Words as a person wrote them, more or less."""
    return " ".join("".join(_show_part(part) for part in word.parts) or '""' for word in words)


def _show_part(part: Part) -> str:
    if part.kind == "variable":
        return f"${part.text}" if re.fullmatch(r"\w+|[@*#?]", part.text) else f"${{{part.text}}}"
    return {"command": f"$({part.text})", "number": f"$(({part.text}))"}.get(part.kind, part.text)


def _expand_word(shell: Shell, word: Word, assumes: bool) -> list[Field]:
    texts = [""]
    is_there = not word.parts
    for part in word.parts:
        items = _list_items(shell, part)
        text = "" if items is not None else _expand_part(shell, part, word.line)
        if items is not None:
            pieces = list(items) if items else []
        elif part.quoted or part.kind == "text":
            pieces = [text]
        else:
            text = _assume_lists(shell, text, word.line) if assumes else text
            pieces = shell.split(text)
        is_there = is_there or (part.quoted and items is None)
        texts[-1] += pieces[0] if pieces else ""
        texts += pieces[1:]
    variable = _only_variable(word)
    return [
        Field(text, variable if len(texts) == 1 else "") for text in texts if text or (is_there and len(texts) == 1)
    ]


def _assume_lists(shell: Shell, text: str, line: int) -> str:
    """A value that is several words as the folder stands, as these words; it is told."""
    assumed = shell.notes.assume_lists(text)
    if assumed != text:
        told = f"The words that `{shell.notes.tell(text)}` gives are taken as they stand: {assumed.strip()}"
        shell.notes.take(shell.place(line), told)
    return assumed


def _only_variable(word: Word) -> str:
    parts = [part for part in word.parts if part.kind != "text" or part.text]
    name = parts[0].text if len(parts) == 1 and parts[0].kind == "variable" else ""
    return re.split(r":?[-=?]", name)[0] if name else ""


def _list_items(shell: Shell, part: Part) -> Sequence[str] | None:
    """The items of `$@` and `${NAME[@]}`; None for what is one text."""
    if part.kind != "variable":
        return None
    if part.text in ("@", "*") and shell.arguments is not None:
        return shell.arguments
    found = re.match(r"(\w+)\[[@*]\]\Z", part.text)
    return shell.arrays.get(found[1]) if found else None


def _expand_braces(word: Word) -> list[Word]:
    """`{a,b}` and `{1..5}` as a word each."""
    for at, part in enumerate(word.parts):
        found = _BRACES.search(part.text) if part.kind == "text" and not part.quoted else None
        if found is None:
            continue
        inner = _RANGE.match(found[1])
        if inner:
            low, high = int(inner[1]), int(inner[2])
            items = [str(i) for i in range(low, high + 1)][:1000] if low <= high else []
        else:
            items = found[1].split(",") if "," in found[1] else []
        if items:
            head, tail = part.text[: found.start()], part.text[found.end() :]
            before, after = word.parts[:at], word.parts[at + 1 :]
            made = [replace(word, parts=(*before, Part("text", f"{head}{item}{tail}"), *after)) for item in items]
            return [one for item in made for one in _expand_braces(item)]
    return [word]


# -- parts -------------------------------------------------------------------------------------------------------------


def _expand_part(shell: Shell, part: Part, line: int) -> str:
    if part.kind == "text":
        return part.text
    if part.kind == "command":
        return substitute(shell, part.text, line)
    if part.kind == "number":
        return expand_number(shell, part.text, line)
    if part.kind == "process":
        path = f"/dev/fd/of-line-{line}"
        shell.written[path] = substitute(shell, part.text, line) + "\n"
        return path
    return "" if part.kind == "array" else _expand_variable(shell, part.text, line)


def substitute(shell: Shell, script: str, line: int) -> str:
    """What `$(...)` gives."""
    inner = re.fullmatch(r"\s*<\s*(\S.*?)\s*", script)
    if inner is not None:
        name = "".join(expand(shell, word) for word in split_words(inner[1], line))
        return (shell.read_value(name, line, f"$(<{name})") or "").rstrip("\n")
    if shell.is_too_deep(line):
        return shell.mark(line, f"$({script})")
    shell.depth += 1
    with shell.apart(), shell.collecting(captures=True) as out, suppress(Left):
        shell.world.follow(shell, parse_script(script, line).body)
    shell.depth -= 1
    return "".join(out).rstrip("\n")


def expand_number(shell: Shell, text: str, line: int) -> str:
    """`$((...))`: a number where everything in it is one."""
    filled = expand(shell, read_quoted(text, line))
    filled = _BARE.sub(lambda found: get_variable(shell, found[0], line), filled)
    value = None if MARKER.search(filled) else calculate(filled)
    return shell.mark(line, f"$(({text.strip()}))") if value is None else str(value)


def _expand_variable(shell: Shell, text: str, line: int) -> str:
    found = _EXPANSION.match(text)
    if found is None:
        return shell.mark(line, f"${{{text}}}")
    indirect, length, name, index, rest = found.groups()
    if length or indirect or (index and index[1:-1] not in ("@", "*")):
        return _expand_rarely(shell, text, name, index, line)
    operator = rest[1:2] if rest[:1] == ":" and rest[1:2] in ("-", "=", "+", "?") else rest[:1]
    if operator in ("-", "=", "+", "?"):
        return _expand_default(shell, name, operator, rest.lstrip(":")[1:], line)
    value = " ".join(shell.arrays[name]) if index and name in shell.arrays else get_variable(shell, name, line)
    if not rest:
        return value
    unknown = shell.notes.only_unknown(value)
    known = value if unknown is None else unknown.assumed
    changed = None if known is None else _change(known, rest, lambda part: _expand_text(shell, part, line))
    if unknown is not None:
        is_given = unknown.origin in ("argument", "environment")
        same = is_given and changed is not None and changed == known
        return value if same else shell.notes.change(value, f"${{{text}}}", shell.place(line), changed)
    return shell.mark(line, f"${{{text}}}") if changed is None else changed


def _expand_rarely(shell: Shell, text: str, name: str, index: str | None, line: int) -> str:
    """`${#NAME}`, `${NAME[1]}`, `${!NAME}`."""
    items = shell.arrays.get(name)
    if text.startswith("#"):
        value = get_variable(shell, name, line)
        is_known = items is not None or not MARKER.search(value)
        return str(len(value if items is None else items)) if is_known else shell.mark(line, f"${{{text}}}")
    if index and items is not None and re.fullmatch(r"\[-?\d+\]", index):
        at = int(index[1:-1])
        item = items[at] if -len(items) <= at < len(items) else ""
        return shell.mark(line, f"${{{text}}}", assumed=item) if "\n".join(items) in shell.listed else item
    if text.startswith("!") and re.fullmatch(r"[A-Za-z_]\w*", shell.variables.get(name, "")):
        return get_variable(shell, shell.variables[name], line)
    return shell.mark(line, f"${{{text}}}")


def get_variable(shell: Shell, name: str, line: int) -> str:
    """A variable's value; one that no script sets is what the environment, or who starts the script, gives."""
    if name in _STATUS:
        return _STATUS[name]
    if shell.arguments is not None:
        if name == "#":
            return str(len(shell.arguments))
        if name in ("@", "*"):
            return " ".join(shell.arguments)
        if name.isdigit() and name != "0":
            return shell.arguments[int(name) - 1] if int(name) <= len(shell.arguments) else ""
    if name not in shell.variables:
        origin = "argument" if name.isdigit() or name in "@*#" else "environment"
        if name in _SHELL_SETS or name in PROCESS:
            origin = "command"
        assumed = "0" if name in PROCESS else None
        unknown = Unknown(shell.place(line), PROCESS.get(name, name), f"${name}", origin, assumed=assumed)  # type: ignore[arg-type]
        shell.variables[name] = shell.notes.mark(unknown)
    return shell.variables[name]


def _expand_default(shell: Shell, name: str, operator: str, more: str, line: int) -> str:
    """`${NAME:-default}`: a value that is not known keeps the default for its watermark."""
    is_set = name in shell.variables or (shell.arguments is not None and name.isdigit())
    value = get_variable(shell, name, line)
    if operator == "?":
        return value
    text = _expand_text(shell, more, line)
    if _is_missing(shell, name) and operator in ("-", "=") and is_position(text):
        value = shell.mark(line, f"${name}", "argument")
    unknown = shell.notes.only_unknown(value) if value else None
    is_given = unknown is not None and unknown.origin in ("argument", "environment") and not unknown.changed
    if is_given and operator in ("-", "=") and shell.notes.only_unknown(text):
        told = f"${name} may give another value than the script finds; `pipekit run --watermark` does that now."
        shell.notes.take(shell.place(line), told)
        return text
    if operator == "+":
        if unknown is not None and unknown.origin in ("argument", "environment"):
            return shell.mark(line, f"${{{name}:+{more}}}", unknown.origin, assumed="")
        return text if value else ""
    if unknown is None or MARKER.search(text):
        return value or text
    if text:
        unknown.default = unknown.default or text
    if not is_set or unknown.origin in ("argument", "environment"):
        unknown.assumed = unknown.assumed or text
    return value


def _is_missing(shell: Shell, name: str) -> bool:
    """Whether a script has an argument that whoever starts it here leaves out: somebody else may give it."""
    given = shell.arguments
    return name.isdigit() and given is not None and not shell.in_function and int(name) > len(given)


def _expand_text(shell: Shell, text: str, line: int) -> str:
    return " ".join(expand(shell, word) for word in split_words(text, line))


# -- changes of a text -------------------------------------------------------------------------------------------------


def _change(value: str, rest: str, say: Callable[[str], str]) -> str | None:
    """`${NAME/what/with}`, `${NAME%.sql}`, `${NAME:0:10}`, `${NAME^^}`; None for what is not followed."""
    if rest[:1] == "/":
        return _replace(value, rest, say)
    if rest[:1] in ("#", "%"):
        return _trim(value, rest, say)
    if rest in ("^^", ",,"):
        return value.upper() if rest == "^^" else value.lower()
    cut = re.fullmatch(r":\s*(-?\d+)(?::(-?\d+))?", rest)
    if cut is None:
        return None
    start, end = int(cut[1]), None if cut[2] is None else int(cut[2])
    text = value[start:]
    return text if end is None else text[:end]


def _replace(value: str, rest: str, say: Callable[[str], str]) -> str:
    every = rest.startswith("//")
    what, _, text = rest[2 if every else 1 :].partition("/")
    what, text = say(what), say(text)
    if not what:
        return value
    return value.replace(what, text) if every else value.replace(what, text, 1)


def _trim(value: str, rest: str, say: Callable[[str], str]) -> str:
    longest = rest[:2] in ("##", "%%")
    pattern = say(rest[2 if longest else 1 :])
    cuts = range(len(value) + 1)
    if rest[0] == "#":
        fits = [at for at in cuts if fnmatch.fnmatchcase(value[:at], pattern)]
        return value[(max if longest else min)(fits) :] if fits else value
    fits = [at for at in cuts if fnmatch.fnmatchcase(value[at:], pattern)]
    return value[: (min if longest else max)(fits)] if fits else value

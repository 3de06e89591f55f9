# Reads a shell script the way a shell would run it, without running anything. Knows no SQL and no definition.
"""`read_script`: variables, files written on the way, loops and functions followed; what is left are events."""

import fnmatch
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipekit.scripts.found import MARKER, Event, Notes, Place, ScriptCall, Secret, Unknown
from pipekit.scripts.lexer import Command, Word, split_commands

DEEPEST = 8
MOST_COMMANDS = 20_000
MOST_BYTES = 1_000_000
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_EXPANSION = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|\d+|[@*#?$!])(.*)\Z", re.DOTALL)
_IN_TEXT = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_SECRET = re.compile(r"(?!.*_(?:FILE|PATH|DIR)$).*(?:pass|pwd|secret|token|(?:^|_)pw(?:$|_))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Field:
    """One word of a command after expansion, and the variable it came from where it is nothing else."""

    text: str
    variable: str = ""


@dataclass(slots=True)
class Shell:
    """One script's state while it is read.

    `tree` are the files of the folder, `written` what the script would write; `capture` goes through the commands of
    `$(...)` and gives what they print.
    """

    tree: Mapping[str, str]
    root: str
    notes: Notes
    file: str
    capture: Callable[["Shell", Sequence[Command]], str]
    variables: dict[str, str] = field(default_factory=dict)
    cwd: str = "."
    events: list[Event] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    functions: dict[str, list[Command]] = field(default_factory=dict)
    depth: int = 0
    empty_test: str = ""
    read: int = 0

    def place(self, line: int) -> Place:
        """Where a command stands."""
        return Place(self.file, line)

    def resolve(self, name: str) -> str:
        """A file's name from the root of the folder; one outside of it stays absolute or begins with `..`."""
        if name.startswith("/"):
            inside = posixpath.relpath(name, self.root)
            return inside if not inside.startswith("..") else name
        return posixpath.normpath(posixpath.join(self.cwd, name))

    def find_file(self, name: str) -> str | None:
        """What a file holds: written by the script itself, or in the folder."""
        path = self.resolve(name)
        found = self.written.get(path, self.tree.get(path))
        return found if found is not None else self.tree.get(posixpath.normpath(name))

    # -- expansion -----------------------------------------------------------------------------------------------------

    def get_variable(self, name: str, line: int) -> str:
        """A variable's value; one that no script sets is an unknown value."""
        if name not in self.variables:
            unknown = Unknown(self.place(line), name, f"${name}")
            self.variables[name] = "0" if name in ("?", "$", "!", "#") else self.notes.mark(unknown)
        return self.variables[name]

    def expand(self, word: Word, line: int) -> str:
        """A word as one text."""
        return "".join(self._expand_part(part.kind, part.text, line) for part in word.parts)

    def expand_fields(self, words: Sequence[Word], line: int) -> list[Field]:
        """Words as a command gets them: what an unquoted variable holds is split at blanks."""
        fields: list[Field] = []
        for word in words:
            if not word.parts:
                fields.append(Field(""))
                continue
            texts = [""]
            for part in word.parts:
                text = self._expand_part(part.kind, part.text, line)
                pieces = [text] if part.quoted or part.kind == "text" else re.split(r"\s+", text)
                texts[-1] += pieces[0]
                texts += pieces[1:]
            variable = _only_variable(word)
            is_whole = len(texts) == 1
            fields += [Field(text, variable if is_whole else "") for text in texts if text or is_whole]
        return fields

    def _expand_part(self, kind: str, text: str, line: int) -> str:
        if kind == "text":
            return text
        if kind == "command":
            return self._substitute(text, line)
        if kind == "opaque":
            return self.notes.mark(Unknown(self.place(line), "number", "$((...))"))
        return self._expand_variable(text, line)

    def _substitute(self, script: str, line: int) -> str:
        return self.capture(self, split_commands(script, line)).rstrip("\n")

    def _expand_variable(self, text: str, line: int) -> str:
        found = _EXPANSION.match(text)
        if found is None:
            return self.notes.mark(Unknown(self.place(line), "value", f"${{{text}}}"))
        name, rest = found.groups()
        if rest[:2] in (":-", ":=") or rest[:1] in ("-", "="):
            return self._expand_default(name, rest.lstrip(":")[1:], line)
        value = self.get_variable(name, line)
        if rest[:1] == "/":
            return _replace(value, rest, lambda part: self._expand_text(part, line))
        return _trim(value, rest, lambda part: self._expand_text(part, line)) if rest[:1] in ("#", "%") else value

    def _expand_default(self, name: str, default: str, line: int) -> str:
        """`${NAME:-default}`: a value that is not known keeps the default for its watermark."""
        value = self.variables.get(name, "")
        text = self._expand_text(default, line)
        unknown = self.notes.only_unknown(value) if value else None
        if unknown is not None and text and not MARKER.search(text):
            unknown.default = unknown.default or text
        return value or text

    def _expand_text(self, text: str, line: int) -> str:
        words = split_commands(text, line)
        return " ".join(self.expand(word, line) for command in words for word in command.words)

    def expand_dollars(self, text: str, line: int) -> str:
        """`$NAME` in a text that no shell reads (envsubst, a query's file), where the script has such a variable."""

        def value(found: re.Match[str]) -> str:
            return self.variables.get(found[1] or found[2], found[0])

        return _IN_TEXT.sub(value, text)

    # -- assignments ---------------------------------------------------------------------------------------------------

    def split_assignment(self, word: Word) -> tuple[str, Word, bool] | None:
        """`NAME=...` as the name, the rest of the word, and whether it appends."""
        if not word.parts or word.parts[0].kind != "text" or word.parts[0].quoted:
            return None
        found = _ASSIGNMENT.match(word.parts[0].text)
        if found is None:
            return None
        first = word.parts[0].text[found.end() :]
        parts = word.parts[1:]
        if first:
            parts = (type(word.parts[0])("text", first), *parts)
        return found[1], Word(parts), bool(found[2])

    def assign(self, name: str, value: str, line: int, *, append: bool = False) -> None:
        """Sets a variable. In a branch for its being empty the value is the default of a value that is not known."""
        before = self.variables.get(name, "")
        unknown = self.notes.only_unknown(before) if before else None
        if name == self.empty_test and unknown is not None and not MARKER.search(value):
            unknown.default = value
            return
        fresh = self.notes.only_unknown(value)
        if fresh is not None and not fresh.name:
            fresh.name = name
        if _SECRET.match(name) and value and not MARKER.search(value):
            self.notes.secrets.append(Secret(self.place(line), value, name))
        self.variables[name] = before + value if append else value


def _only_variable(word: Word) -> str:
    parts = [part for part in word.parts if part.kind != "text" or part.text]
    name = parts[0].text if len(parts) == 1 and parts[0].kind == "variable" else ""
    return re.split(r":?[-=]", name)[0] if name else ""


def _replace(value: str, rest: str, expand: Callable[[str], str]) -> str:
    """`${NAME/what/with}` and `${NAME//what/with}`."""
    every = rest.startswith("//")
    what, _, text = rest[2 if every else 1 :].partition("/")
    what, text = expand(what), expand(text)
    return value.replace(what, text) if every else value.replace(what, text, 1)


def _trim(value: str, rest: str, expand: Callable[[str], str]) -> str:
    """`${NAME%.sql}`, `${NAME##*/}` and the like."""
    longest = rest[:2] in ("##", "%%")
    pattern = expand(rest[2 if longest else 1 :])
    cuts = range(len(value) + 1)
    if rest[0] == "#":
        fits = [at for at in cuts if fnmatch.fnmatchcase(value[:at], pattern)]
        return value[(max if longest else min)(fits) :] if fits else value
    fits = [at for at in cuts if fnmatch.fnmatchcase(value[at:], pattern)]
    return value[: (min if longest else max)(fits)] if fits else value


def load_tree(folder: Path) -> dict[str, str]:
    """The text files of a folder by their names in it; links that lead out of it and large files are left out."""
    root = folder.resolve()
    tree: dict[str, str] = {}
    for path in sorted(root.rglob("*")):
        if any(part.startswith(".") and part != ".env" for part in path.relative_to(root).parts):
            continue
        real = path.resolve()
        if not real.is_file() or not real.is_relative_to(root) or real.stat().st_size > MOST_BYTES:
            continue
        try:
            text = real.read_text("utf-8-sig")
        except (UnicodeDecodeError, OSError):
            continue
        if "\0" not in text:
            tree[path.relative_to(root).as_posix()] = text
    return tree


def note_call(shell: Shell, line: int, path: str) -> None:
    """A script of the folder is started."""
    shell.events.append(ScriptCall(shell.place(line), path))

# One script's state while it is read: variables, files, where it is. Knows no SQL and no definition; runs nothing.
"""`Shell`, and `World`, which all scripts of a folder share."""

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipekit.scripts.found import MARKER, Event, Notes, Origin, Place, Secret, Unknown, Written
from pipekit.scripts.lexer import Part, Word
from pipekit.scripts.syntax import Block
from pipekit.scripts.tree import Tree

DEEPEST = 12
MOST_COMMANDS = 20_000
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_SECRET = re.compile(r"(?!.*_(?:FILE|PATH|DIR)$).*(?:pass|pwd|secret|token|(?:^|_)pw(?:$|_))", re.IGNORECASE)
# A number, a date or a time: what a script remembers from one run to the next.
_POSITION = re.compile(r"\s*['\"]?[-+]?\d[\d.,:/ TZ+-]*['\"]?\s*")
_SQL_NAME = re.compile(r"\.(?:sql|ddl|tpl|tmpl|template|in)(?:\.\w+)?$", re.IGNORECASE)
_SQL_TEXT = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:select|with|insert|update|delete|merge|truncate|create|begin|values)\b",
    re.IGNORECASE | re.DOTALL,
)


class Left(Exception):
    """A script goes on elsewhere."""


class LeftScript(Left):
    """`exit`."""


class LeftFunction(Left):
    """`return`."""


class LeftRound(Left):
    """`continue`."""


class LeftLoop(Left):
    """`break`."""


# Written to and gone.
_DEVICES = ("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty")


@dataclass(frozen=True, slots=True)
class Field:
    """One word of a command after expansion, and the variable it came from where it is nothing else."""

    text: str
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a command succeeds, None where that is not known.

    `if_present` is the answer when what it asks for is there (a file, a value), None where it asks for something else.
    """

    holds: bool | None
    if_present: bool | None = None


TRUE, FALSE, OPEN = Verdict(True), Verdict(False), Verdict(None)


@dataclass(frozen=True, slots=True)
class Decision:
    """A condition whose outcome is not known, and the outcome that was taken."""

    place: Place
    told: str
    is_absence: bool
    taken: bool


@dataclass(slots=True)
class Choices:
    """The outcomes of conditions while a script is read; those that are `flipped` come out the other way."""

    flipped: frozenset[tuple[Place, str]] = frozenset()
    made: dict[tuple[Place, str], Decision] = field(default_factory=dict)

    def decide(self, decision: Decision) -> bool:
        """The outcome, and it is remembered."""
        key = (decision.place, decision.told)
        return self.made.setdefault(key, decision).taken != (key in self.flipped)


@dataclass(slots=True)
class World:
    """What all scripts of a folder share.

    `state` are the files that scripts write for a later run; `writes` is what they write, by file, and `known` what the
    round before knew of that. `taken_away` are files of queries that a script moves or removes, by what does it.
    `sourced` are scripts that others read in, `settings` the values that such files give. `follow` goes through
    commands, `start` through another script.
    """

    tree: Tree
    notes: Notes
    follow: Callable[["Shell", Block], None]
    start: Callable[["Shell", int, str, tuple[str, ...]], None]
    state: frozenset[str] = frozenset()
    known: Mapping[str, list[Written]] = field(default_factory=dict)
    writes: dict[str, list[Written]] = field(default_factory=dict)
    taken_away: dict[str, str] = field(default_factory=dict)
    sourced: set[str] = field(default_factory=set)
    settings: dict[str, tuple[str, Place]] = field(default_factory=dict)

    def find_written(self, path: str) -> Written | None:
        """What a file holds where all that write it write the same."""
        texts = {self.notes.describe(one.text): one for one in self.known.get(path, ())}
        return next(iter(texts.values())) if len(texts) == 1 else None


@dataclass(slots=True)
class Shell:
    """One script's state. `file` is the one that is being read: the script, or one that it sources.

    `arguments` is None where nobody is known to give any; `doubts` are what a load found here must tell;
    `reads_settings` is true while a sourced file is read; `chain` are the scripts that start each other up to here;
    `touched` are files that programs name which nobody here knows, `listed` what commands print that list files.
    """

    world: World
    script: str
    file: str
    arguments: tuple[str, ...] | None = None
    choices: Choices = field(default_factory=Choices)
    variables: dict[str, str] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    exports_all: bool = False
    arrays: dict[str, list[str]] = field(default_factory=dict)
    cwd: str = "."
    events: list[Event] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    functions: dict[str, tuple[str, Block]] = field(default_factory=dict)
    status: Verdict = TRUE
    stdin: str | None = None
    out: list[str] = field(default_factory=list)
    captures: bool = False
    doubts: list[str] = field(default_factory=list)
    reads_settings: bool = False
    reads_options: bool = False
    chain: tuple[str, ...] = ()
    touched: dict[str, list[str]] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    in_function: bool = False
    depth: int = 0
    read: int = 0

    @property
    def notes(self) -> Notes:
        """What is told of the whole folder."""
        return self.world.notes

    @property
    def home(self) -> str:
        """The folder of the script."""
        return posixpath.dirname(self.script) or "."

    def place(self, line: int) -> Place:
        """Where a command stands."""
        return Place(self.file, line)

    def mark(self, line: int, command: str, origin: Origin = "command", assumed: str | None = None) -> str:
        """A value that is not known, got by a command."""
        return self.notes.mark(Unknown(self.place(line), "", command, origin, assumed=assumed))

    def is_too_deep(self, line: int) -> bool:
        """Whether functions and scripts stand in each other so deep that they are not followed; it is noted."""
        if self.depth >= DEEPEST:
            self.notes.add(
                self.place(line), f"What stands here is more than {DEEPEST} calls deep and was not followed."
            )
        return self.depth >= DEEPEST

    # -- what it prints ------------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """A command prints something."""
        self.out.append(text)

    @contextmanager
    def collecting(self, *, captures: bool = False) -> Iterator[list[str]]:
        """What commands print meanwhile, as a list; `captures` where it is a value that they are asked for."""
        saved = self.out, self.captures
        self.out, self.captures = [], saved[1] or captures
        try:
            yield self.out
        finally:
            self.out, self.captures = saved

    @contextmanager
    def apart(self) -> Iterator[None]:
        """A subshell: what it sets and where it goes is gone afterwards."""
        saved = self.variables, self.arrays, self.cwd, self.functions
        self.variables, self.arrays, self.functions = dict(saved[0]), dict(saved[1]), dict(saved[3])
        try:
            yield
        finally:
            self.variables, self.arrays, self.cwd, self.functions = saved

    def split(self, text: str) -> list[str]:
        """A text at blanks, or at what the script has set `IFS` to."""
        marks = self.variables.get("IFS", " \t\n")
        if not marks or MARKER.search(marks):
            return [text]
        one = f"[{re.escape(marks)}]"
        return re.split(one if marks.strip() else f"{one}+", text)

    # -- files ---------------------------------------------------------------------------------------------------------

    def resolve(self, name: str) -> str:
        """A file's name from the root of the folder; one outside of it stays absolute or begins with `..`."""
        name = self.notes.assume(name)
        path = name if name.startswith("/") else posixpath.normpath(posixpath.join(self.cwd, name))
        return self.world.tree.find_inside(path) if path.startswith("/") else path

    def find_file(self, name: str, line: int = 0) -> str | None:
        """What a file holds: written by the script itself, or in the folder."""
        path = self.resolve(name)
        if path in self.written:
            return self.written[path]
        texts = self.world.tree.texts
        if path in texts:
            return texts[path]
        copy = posixpath.normpath(name) if posixpath.normpath(name) in texts else None
        if path.startswith("/"):
            copy = self.world.tree.find_copy(path, self.home)
            if copy is not None and copy not in self.world.state:
                self.notes.take(self.place(line), f"{path} is taken for {copy} of the folder.")
        return None if copy is None else texts[copy]

    def find_query(self, name: str, line: int) -> str | None:
        """The SQL of a file; one that another script writes is as that one writes it."""
        path = self.resolve(name)
        if path not in self.world.state or path in self.written:
            return self.find_file(name, line)
        written = self.world.find_written(path)
        if written is None:
            return None
        text = written.text
        for kept in self.notes.find_unknowns(text):
            command = f"{path}, written by {written.place},"
            unknown = Unknown(self.place(line), kept.name, command, "file", path=path, kept=kept)
            text = self.notes.fill(text, kept, self.notes.mark(unknown))
        return text

    def read_value(self, name: str, line: int, command: str) -> str | None:
        """What a command reads from a file: SQL as it is, anything else as a value that may be another one tomorrow."""
        path = self.resolve(name)
        if path in self.written or path == "/dev/null":
            return self.written.get(path, "")
        text = self.find_file(name, line)
        is_state = path in self.world.state
        if text is not None and is_query(path, text):
            return self.find_query(name, line) if is_state else text
        if text is None and not MARKER.search(path) and not is_state:
            self.notes.add(self.place(line), f"The file {path} is not in the folder and was not read.")
        assumed = None if text is None else text.rstrip("\n")
        unknown = Unknown(self.place(line), "", command, "file", path=path, assumed=assumed)
        return self.notes.mark(unknown) + "\n"

    def write(self, name: str, text: str, line: int, *, append: bool = False) -> None:
        """A command writes a file."""
        path = self.resolve(name)
        if path in _DEVICES:
            return
        before = ""
        if append:
            before = self.written[path] if path in self.written else self.find_file(path) or ""
        self.written[path] = before + text
        self.world.taken_away.pop(path, None)
        self.world.writes.setdefault(path, []).append(Written(self.place(line), self.written[path], self.script))

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
            parts = (Part("text", first), *parts)
        return found[1], Word(parts, word.line), bool(found[2])

    def assign(self, name: str, value: str, line: int, *, append: bool = False) -> None:
        """Sets a variable. What a file of settings says may be another value tomorrow, where it looks like one."""
        fresh = self.notes.only_unknown(value)
        if fresh is not None and not fresh.name:
            fresh.name = name
        if is_secret(name):
            if value and not MARKER.search(value):
                self.notes.secrets.append(Secret(self.place(line), value, name))
        elif value and not MARKER.search(value):
            value = self._note_setting(name, value, line)
        self.variables[name] = self.variables.get(name, "") + value if append else value
        self.exported |= {name} if self.exports_all else set()

    def _note_setting(self, name: str, value: str, line: int) -> str:
        """A value that stands in a file: as it is, or as one that may change."""
        if self.file in self.world.state or (self.reads_settings and is_position(value)):
            unknown = Unknown(self.place(line), name, f"{name}={value}", "file", path=self.file, assumed=value)
            return self.notes.mark(unknown)
        if self.reads_settings:
            self.world.settings[name] = (value, self.place(line))
        return value


def is_secret(name: str) -> bool:
    """Whether a variable is called like one that holds a password."""
    return bool(_SECRET.match(name))


def is_query(path: str, text: str) -> bool:
    """Whether a file holds SQL, and not a value."""
    return bool(_SQL_NAME.search(path) or _SQL_TEXT.match(text))


def is_position(text: str) -> bool:
    """Whether a text is a number, a date or a time, as scripts keep them from run to run."""
    return bool(_POSITION.fullmatch(text))

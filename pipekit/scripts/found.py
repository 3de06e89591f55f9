# What was found in scripts, as records: where, databases, loads, statements, values that are not known. Reads nothing.
"""`Place`, `Database`, `Load`, `Statements`, `Unit`, `Unknown`, and `Notes`."""

import re
from dataclasses import dataclass, field, replace
from typing import Literal

OPEN, CLOSE = "\ue000", "\ue001"
MARKER = re.compile(f"{OPEN}(\\d+){CLOSE}")


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A line of a file; the file is named from the folder that is imported."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Secret:
    """A password that was found: its value, where, and the shell variable it came from."""

    place: Place
    value: str = field(repr=False)
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Database:
    """A database as a script addresses it. `variable` held its URL, which makes a good name."""

    jdbc_url: str
    username: str | None = None
    password: Secret | None = None
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """jrunner in migration mode, in a script; `step` is how many values were asked for before.

    `doubts` are why a person must look at it, `taken` is what was taken to be so.
    """

    place: Place
    source: Database
    dest: Database
    query: str
    query_file: str
    table: str
    clear: bool = False
    trim: bool = False
    doubts: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    script: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What a command writes to a file, and the script that has it run."""

    place: Place
    text: str
    script: str


@dataclass(frozen=True, slots=True)
class Statements:
    """SQL that a script gives to a database's own client. `database` is None where it cannot be told which."""

    place: Place
    database: Database | None
    sql: str


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A script of the folder that another one starts, with what it does then."""

    place: Place
    unit: "Unit"


Event = Load | Statements | ScriptCall


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a script does when one of its conditions comes out the other way.

    `told` is the condition as a person reads it, `ends` that the script then ends early.
    """

    place: Place
    told: str
    ends: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A script as it is started once: its arguments (None where nobody gives any), what it does and might do else."""

    path: str
    arguments: tuple[str, ...] | None
    events: tuple[Event, ...]
    alternatives: tuple[Alternative, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def calls(self) -> "list[Unit]":
        """The scripts that it starts, in order."""
        return [event.unit for event in self.events if isinstance(event, ScriptCall)]


Origin = Literal["query", "command", "file", "argument", "environment"]


@dataclass(slots=True)
class Unknown:
    """A value that only running the script would tell.

    `command` is how it is got, `sql` the query whose answer it is, `path` the file that holds it and `kept` what is
    known to be written there, `changed` what the script does to it before it is used. `default` is used when there is
    none; `assumed` is what it is as the folder stands, for what is no value: an address, a file's name.
    """

    place: Place
    name: str
    command: str
    origin: Origin = "command"
    sql: str = ""
    database: Database | None = None
    path: str = ""
    kept: "Unknown | None" = None
    changed: str = ""
    default: str | None = None
    assumed: str | None = None


# The numbers of processes, and how a watermark is called that holds one. As a part of a file's name any will do.
PROCESS = {"$": "process", "!": "background_process"}


@dataclass(slots=True)
class Notes:
    """What a person must know: `lines` were not understood, `taken` is what was taken to be so; in their order."""

    lines: list[tuple[Place, str]] = field(default_factory=list)
    taken: list[tuple[Place, str]] = field(default_factory=list)
    unknowns: list[Unknown] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)

    def add(self, place: Place, text: str) -> None:
        """Notes once what was not understood."""
        if (place, text) not in self.lines:
            self.lines.append((place, text))

    def take(self, place: Place, text: str) -> None:
        """Notes once what was taken to be so."""
        if (place, text) not in self.taken:
            self.taken.append((place, text))

    def mark(self, unknown: Unknown) -> str:
        """A text that stands for a value that is not known."""
        self.unknowns.append(unknown)
        return f"{OPEN}{len(self.unknowns) - 1}{CLOSE}"

    def find_unknowns(self, text: str) -> list[Unknown]:
        """The unknown values in a text, each once."""
        numbers = dict.fromkeys(int(found[1]) for found in MARKER.finditer(text))
        return [self.unknowns[number] for number in numbers]

    def fill(self, text: str, unknown: Unknown, with_text: str) -> str:
        """The text with something in place of a value that is not known."""
        return text.replace(f"{OPEN}{self.find_step(unknown)}{CLOSE}", with_text)

    def only_unknown(self, text: str) -> Unknown | None:
        """The unknown value where the text is nothing else."""
        found = MARKER.fullmatch(text.strip())
        return self.unknowns[int(found[1])] if found else None

    def assume(self, text: str) -> str:
        """The text with what the folder says now of its values; what it says nothing of stays."""

        def assumed(found: re.Match[str]) -> str:
            value = self.unknowns[int(found[1])].assumed
            return found[0] if value is None else value

        return MARKER.sub(assumed, text)

    def is_of_process(self, text: str) -> bool:
        """Whether all that is not known of a text are numbers of processes, as in the name of a table for one run."""
        commands = [unknown.command for unknown in self.find_unknowns(text)]
        return bool(commands) and all(command[1:] in PROCESS for command in commands)

    def assume_lists(self, text: str) -> str:
        """The text with what the folder says now of those of its values that are several words."""

        def assumed(found: re.Match[str]) -> str:
            value = self.unknowns[int(found[1])].assumed or ""
            return value if len(value.split()) > 1 else found[0]

        return MARKER.sub(assumed, text)

    def tell(self, text: str) -> str:
        """The text as a person reads it: values that are not known by the commands that give them."""

        def told(found: re.Match[str]) -> str:
            command = self.tell(self.unknowns[int(found[1])].command)
            return command if command.startswith("$") else f"$({command})"

        return MARKER.sub(told, text)

    def change(self, text: str, by: str, place: Place, assumed: str | None = None) -> str:
        """A text of values that are not known, after something was done to it that cannot be followed."""
        unknown = self.only_unknown(text)
        if unknown is None:
            return self.mark(Unknown(place, "", by, assumed=assumed))
        return self.mark(replace(unknown, changed=by, assumed=assumed, default=None))

    def find_step(self, unknown: Unknown) -> int:
        """How many values were asked for before this one."""
        return next(at for at, item in enumerate(self.unknowns) if item is unknown)

    def describe(self, text: str) -> str:
        """The text with words for its unknown values: the same for texts that mean the same."""
        return MARKER.sub(lambda found: self._describe(self.unknowns[int(found[1])]), text)

    def _describe(self, item: Unknown) -> str:
        parts = [item.origin, self.describe(item.command), self.describe(item.sql), item.path, item.changed]
        parts += [self._describe(item.kept)] if item.kept else []
        return f"{OPEN}{'|'.join(parts)}{CLOSE}"

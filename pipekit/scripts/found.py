# What was found in scripts, as records: where, databases, loads, statements, values that are not known. Reads nothing.
"""`Place`, `Database`, `Load`, `Statements`, `Unknown`, and `Notes`."""

import re
from dataclasses import dataclass, field

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
    """jrunner in migration mode."""

    place: Place
    source: Database
    dest: Database
    query: str
    query_file: str
    table: str
    clear: bool = False
    trim: bool = False


@dataclass(frozen=True, slots=True)
class Statements:
    """SQL that a script gives to a database's own client. `database` is None where it cannot be told which."""

    place: Place
    database: Database | None
    sql: str


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A script of the folder that another one starts."""

    place: Place
    path: str


Event = Load | Statements | ScriptCall


@dataclass(slots=True)
class Unknown:
    """A value that only running the script would tell: the answer of a query, or another command's output."""

    place: Place
    name: str
    command: str
    sql: str = ""
    database: Database | None = None
    default: str | None = None


@dataclass(slots=True)
class Notes:
    """What a person must know: (place, text), in the order in which it was found."""

    lines: list[tuple[Place, str]] = field(default_factory=list)
    unknowns: list[Unknown] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)

    def add(self, place: Place, text: str) -> None:
        """Notes something once."""
        if (place, text) not in self.lines:
            self.lines.append((place, text))

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
        number = next(i for i, item in enumerate(self.unknowns) if item is unknown)
        return text.replace(f"{OPEN}{number}{CLOSE}", with_text)

    def only_unknown(self, text: str) -> Unknown | None:
        """The unknown value where the text is nothing else."""
        found = MARKER.fullmatch(text.strip())
        return self.unknowns[int(found[1])] if found else None

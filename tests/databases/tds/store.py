# What the double holds: tables, rules, and what clients have sent. One lock; knows no bytes of the wire.
"""`Store`: shared by all sessions of a server."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.databases.tds.bulk import Load
from tests.databases.tds.columns import Column, parse_name
from tests.databases.tds.replies import Error, LoadFault, Reply, Rule


@dataclass(frozen=True, slots=True)
class Login:
    """Who has logged in, as the client's LOGIN7 says it."""

    session: int
    application: str
    user: str
    database: str
    packet_size: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The text of a batch, or another request in angle brackets.

    Those are `<begin>`, `<commit>`, `<rollback>`, `<attention>`, `<reset>` (by a pool) and, for a message
    taken back halfway, `<withdrawn>`.
    """

    session: int
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns and its rows: given ones and loaded ones, in the order they came."""

    columns: tuple[Column, ...]
    parts: tuple[Load | tuple[tuple[Any, ...], ...], ...] = ()

    def count_rows(self) -> int:
        """How many rows there are."""
        return sum(part.rows if isinstance(part, Load) else len(part) for part in self.parts)

    def read_rows(self) -> Iterator[tuple[Any, ...]]:
        """All rows, in the order of the table's columns; a column that was not loaded is NULL."""
        for part in self.parts:
            if isinstance(part, Load):
                yield from self._read_load(part)
            else:
                yield from part

    def _read_load(self, load: Load) -> Iterator[tuple[Any, ...]]:
        loaded = {column.name.lower(): number for number, column in enumerate(load.columns)}
        places = [loaded.get(column.name.lower()) for column in self.columns]
        # XML is sent as text that begins with a byte order mark.
        is_xml = [column.type.text == "xml" for column in self.columns]
        if places == list(range(len(loaded))) and not any(is_xml):
            yield from load.read_rows()
            return
        for row in load.read_rows():
            values = [None if place is None else row[place] for place in places]
            yield tuple(
                value.removeprefix("\ufeff") if xml and value else value
                for value, xml in zip(values, is_xml, strict=True)
            )


@dataclass(slots=True)
class Store:
    """All that a test gives and asks for."""

    folder: Path
    tables: dict[str, Table] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    faults: list[LoadFault] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    open_sessions: set[int] = field(default_factory=set)
    login_errors: tuple[Error, ...] = ()
    evaluates: bool = False
    certificate: Path | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def find_table(self, name: str) -> Table | None:
        """A table by its name in any spelling."""
        return self.tables.get(parse_name(name))

    def find_replies(self, text: str, whole: bool) -> tuple[Reply, ...] | None:
        """What the newest fitting rule answers."""
        with self.lock:
            for rule in reversed(self.rules):
                if rule.whole == whole and rule.matches(text):
                    rule.used += 1
                    return rule.replies
        return None

    def take_fault(self, table: str) -> LoadFault | None:
        """The next fault of a table's loads; each is used once."""
        with self.lock:
            for fault in self.faults:
                if parse_name(fault.table) == table:
                    self.faults.remove(fault)
                    return fault
        return None

    def add_rows(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        """Appends rows to a table."""
        with self.lock:
            key = parse_name(name)
            table = self.tables[key]
            self.tables[key] = Table(table.columns, (*table.parts, tuple(tuple(row) for row in rows)))

    def put_table(self, name: str, table: Table | None) -> None:
        """Puts a table in the place of another; None drops it."""
        with self.lock:
            if table is None:
                self.tables.pop(name, None)
            else:
                self.tables[name] = table

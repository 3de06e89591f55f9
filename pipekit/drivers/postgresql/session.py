# A session with PostgreSQL: queries as text, transactions, sources and sinks. Loaded in the runner child only.
"""`PostgresSession`, the `Session` of this kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipekit.drivers.postgresql.late import build_hold_sql, build_late_sql, tell_late
from pipekit.drivers.postgresql.settings import WATCHED_SETTING
from pipekit.drivers.postgresql.transfer import PostgresSink, PostgresSource
from pipekit.drivers.postgresql.trimming import build_trimmed_query
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import check_expectations, check_refusal
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import Expect, Load, QueryResult, ResultColumn, Statement, gather

if TYPE_CHECKING:
    from pipekit.drivers.postgresql.settings import Pins
    from pipekit.drivers.postgresql.wire import Link

STREAM_ROWS = 2000
STREAM_BYTES = 256 * 1024

Described = list[tuple[str, int, int]]
Cells = tuple[str | None, ...]


class PostgresSession:
    """One connection; see `drivers.wire.Session`."""

    def __init__(self, link: Link, pins: Pins, trim_char: bool = False) -> None:
        self.link = link
        self._pins = pins
        self._trim_char = trim_char
        self._types: dict[tuple[int, int], str] = {}

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        """Runs one query; every cell is the server's own text."""
        return gather(self._read(sql, limit))

    def stream(self, sql: str) -> Iterator[QueryResult]:
        """Runs one query and yields its rows block by block, never all of them."""
        return self._read(sql, None)

    def execute(self, statements: Sequence[Statement], expect: Sequence[Expect], autocommit: bool) -> dict[str, int]:
        """One transaction, or each statement on its own; counts of one name add up."""
        counts: dict[str, int] = {}
        if autocommit:
            self._pin()
            for statement in statements:
                self._execute_one(statement, counts)
            return counts
        self.begin()
        try:
            for statement in statements:
                self._execute_one(statement, counts)
                if not self.link.in_transaction:
                    raise StatementFailed("A statement ended the transaction it is part of.", hint=statement.sql[:200])
            check_expectations(expect, counts)
        except BaseException:
            self.roll_back()
            raise
        self.commit()
        return counts

    def source(self, sql: str) -> PostgresSource:
        """Describes a query for moving, without running it; the tables it names are held until it has been read."""
        query = strip_query(sql)
        self.begin()
        try:
            described = self.link.describe(query)
            if self._trim_char and (trimmed := build_trimmed_query(query, described)):
                query, described = trimmed, self.link.describe(trimmed)
            if not described:
                raise StatementFailed("The query gives no columns.")
            return PostgresSource(self, query, described, self.name_columns(described))
        except BaseException:
            self.roll_back()
            raise

    def sink(self, load: Load) -> PostgresSink:
        """Prepares a staging table for loading."""
        return PostgresSink(self, load)

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self.link.close()

    def begin(self, also: str = "") -> None:
        """Begins a transaction in which values are written as Pipekit reads them, and which sees what is committed.

        `also` is a statement of its own that stands first in it.
        """
        self.roll_back()
        try:
            found = self.link.fetch(self._pins.build_begin(self.link.backend_pid, also))
        except StatementFailed as error:
            if WATCHED_SETTING not in error.message:
                raise
            self._pins.forget_watching()
            self.roll_back()
            found = self.link.fetch(self._pins.build_begin(self.link.backend_pid, also))
        message, mend = self._pins.check(found)
        if message:
            self.roll_back()
            raise ConnectFailed(message, hint=mend)

    def end_reading(self, held: Sequence[str | None]) -> None:
        """Ends a transaction that read, after a last look at what it read; `held` is of `build_hold_sql`.

        Raises StatementFailed when rows may be missing. One that was stopped in the middle is rolled back.
        """
        if not self.link.in_transaction:
            self.roll_back()
            return
        if held and (late := self.link.fetch(build_late_sql(held))):
            raise StatementFailed(tell_late(late[0] or ""), transient=True)
        self.commit()

    def commit(self) -> None:
        """Commits; raises StatementFailed when the server rolled back instead."""
        result = self.link.run("COMMIT")
        if result.command_status != b"COMMIT":
            raise StatementFailed("The server rolled the transaction back instead of committing it.")

    def roll_back(self) -> None:
        """Rolls back what is open; a lost connection is rolled back by the server."""
        if self.link.is_lost or self.link.is_idle:
            return
        try:
            self.link.run("ROLLBACK")
        except StatementFailed:
            self.link.close()

    def name_columns(self, described: Described) -> tuple[ResultColumn, ...]:
        """Columns with their types as `format_type` spells them; the server is asked once for each type."""
        unknown = sorted({(oid, modifier) for _, oid, modifier in described} - self._types.keys())
        if unknown:
            values = ", ".join(f"({oid}::pg_catalog.oid, {modifier})" for oid, modifier in unknown)
            result = self.link.run(f"SELECT pg_catalog.format_type(o, m) FROM (VALUES {values}) AS t (o, m)")
            self._types |= {key: (result.get_value(i, 0) or b"").decode() for i, key in enumerate(unknown)}
        return tuple(ResultColumn(name=name, type=self._types[oid, modifier]) for name, oid, modifier in described)

    def _pin(self) -> None:
        """For statements without a transaction: the settings stay where the connection is ours alone."""
        self.begin()
        self.commit()

    def _execute_one(self, statement: Statement, counts: dict[str, int]) -> None:
        result = self.link.run(statement.sql)
        if not statement.name:
            return
        count = result.command_tuples or 0
        if statement.value:
            cell = result.get_value(0, 0) if result.ntuples and result.nfields else None
            try:
                count = int(cell or b"")
            except ValueError:
                raise StatementFailed(f"'{statement.name}' is not a whole number.", hint=statement.sql[:200]) from None
        counts[statement.name] = counts.get(statement.name, 0) + count
        check_refusal(statement, count, self._ask)

    def _ask(self, sql: str) -> Cells:
        """The first row of a query inside the open transaction."""
        result = self.link.run(sql)
        cells = [result.get_value(0, i) for i in range(result.nfields)] if result.ntuples else []
        return tuple([None if cell is None else cell.decode() for cell in cells])

    def _read(self, sql: str, limit: int | None) -> Iterator[QueryResult]:
        """Blocks of rows; types are asked for before the query runs, as the connection does one thing at a time."""
        self.begin()
        try:
            columns = self.name_columns(self.link.describe(sql))
            held = self.link.fetch(build_hold_sql(sql)) if self._pins.read_only else []
            rows: list[Cells] = []
            size, taken = 0, 0
            width = range(len(columns))
            with contextlib.closing(self.link.run_one(sql)) as results:
                for result in results:
                    if limit is not None and taken >= limit and result.ntuples:
                        break
                    for number in range(result.ntuples):
                        cells = [result.get_value(number, i) for i in width]
                        rows.append(tuple([None if cell is None else cell.decode() for cell in cells]))
                        size += sum([len(cell) for cell in cells if cell])
                        taken += 1
                    if len(rows) >= STREAM_ROWS or size >= STREAM_BYTES:
                        yield QueryResult(columns=columns, rows=tuple(rows))
                        rows, size = [], 0
            self.end_reading(held)
        except BaseException:
            self.roll_back()
            raise
        yield QueryResult(columns=columns, rows=tuple(rows))

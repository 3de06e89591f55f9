# A session with PostgreSQL: queries as text, transactions, sources and sinks. Loaded in the runner child only.
"""`PostgresSession`, the `Session` of this kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipekit.drivers.postgresql.transfer import PostgresSink, PostgresSource
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import check_expectations, check_refusal
from pipekit.errors import StatementFailed
from pipekit.runner.base import Expect, Load, QueryResult, ResultColumn, Statement, gather

if TYPE_CHECKING:
    from pipekit.drivers.postgresql.wire import Link

STREAM_ROWS = 2000
STREAM_BYTES = 256 * 1024

Described = list[tuple[str, int, int]]
Cells = tuple[str | None, ...]


class PostgresSession:
    """One connection; see `drivers.wire.Session`."""

    def __init__(self, link: Link) -> None:
        self.link = link
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
            for statement in statements:
                self._execute_one(statement, counts)
            return counts
        self.link.run("BEGIN")
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
        """Describes a query for moving, without running it."""
        query = strip_query(sql)
        described = self.link.describe(query)
        if not described:
            raise StatementFailed("The query gives no columns.")
        return PostgresSource(self.link, query, described, self.name_columns(described))

    def sink(self, load: Load) -> PostgresSink:
        """Prepares a staging table for loading."""
        return PostgresSink(self, load)

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self.link.close()

    def commit(self) -> None:
        """Commits; raises StatementFailed when the server rolled back instead."""
        result = self.link.run("COMMIT")
        if result.command_status != b"COMMIT":
            raise StatementFailed("The server rolled the transaction back instead of committing it.")

    def roll_back(self) -> None:
        """Rolls back what is open; a lost connection is rolled back by the server."""
        if self.link.is_lost:
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
        described = self.link.describe(sql)
        columns = self.name_columns(described)
        rows: list[Cells] = []
        size, taken = 0, 0
        width = range(len(described))
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
        yield QueryResult(columns=columns, rows=tuple(rows))

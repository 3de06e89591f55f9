# A session with SQL Server: queries as text, transactions, sources and sinks. Loaded in the runner child only.
"""`SqlServerSession`, the `Session` of this kind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipekit.drivers.arrow import column_hex, column_texts, is_bytes
from pipekit.drivers.sqlserver.load import SqlServerSink
from pipekit.drivers.sqlserver.query import check_single
from pipekit.drivers.sqlserver.reading import BatchSize, Part, SqlServerSource, build_exact_query
from pipekit.drivers.wire import check_expectations, check_refusal
from pipekit.errors import Invalid, StatementFailed
from pipekit.runner_contract import Expect, Load, QueryResult, ResultColumn, Statement, gather

if TYPE_CHECKING:
    from pipekit.drivers.sqlserver.wire import Link, Reading

STREAM_ROWS = 2000

Cells = tuple[str | None, ...]

_BEGIN = "BEGIN TRANSACTION"
_COMMIT = "COMMIT TRANSACTION"
_LEAVE = "SELECT @@TRANCOUNT; IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"
_ROLLBACK = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"


class SqlServerSession:
    """One connection; see `drivers.wire.Session`.

    SQL Server has no sessions that cannot write: a read-only one reads within a transaction that is rolled back.
    """

    def __init__(self, link: Link, read_only: bool, trim_char: bool) -> None:
        self.link = link
        self.trim_char = trim_char
        self._read_only = read_only

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        """Runs one query; every cell is text."""
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
        if self._read_only:
            raise StatementFailed("This session only reads.")
        self.link.run(_BEGIN)
        try:
            for statement in statements:
                self._execute_one(statement, counts)
            if self.link.run("SELECT @@TRANCOUNT")[1] != 1:
                raise StatementFailed("A statement ended the transaction it is part of.")
            check_expectations(expect, counts)
            self.link.run(_COMMIT)
        except BaseException:
            self.roll_back()
            raise
        return counts

    def source(self, sql: str) -> SqlServerSource:
        """Describes a query for moving, without running it."""
        return SqlServerSource(self, sql)

    def sink(self, load: Load) -> SqlServerSink:
        """Prepares a staging table for loading."""
        return SqlServerSink(self.link, load)

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self.link.close()

    def roll_back(self) -> None:
        """Rolls back what is open; a lost connection is rolled back by the server."""
        if self.link.is_lost:
            return
        try:
            self.link.run(_ROLLBACK)
        except StatementFailed:
            self.link.close()

    @contextlib.contextmanager
    def reading(self, sql: str) -> Iterator[Reading]:
        """A started query, ended with the block; in a session that only reads what it wrote is rolled back."""
        if not self._read_only:
            with contextlib.closing(self.link.open(sql)) as started:
                yield started
            return
        _check_single(sql)
        self.link.run(_BEGIN)
        try:
            with contextlib.closing(self.link.open(sql)) as started:
                yield started
        except BaseException:
            self.roll_back()
            raise
        if not started.is_finished:
            # What breaks a query off may take its transaction, and even the connection, with it.
            self.roll_back()
        elif self.link.run(_LEAVE)[1] == 0:
            raise StatementFailed("The query ended the transaction it was read in: what it wrote was not rolled back.")

    def _execute_one(self, statement: Statement, counts: dict[str, int]) -> None:
        count, cell = self.link.run(statement.sql)
        if not statement.name:
            return
        if statement.value:
            try:
                count = int(cell)
            except (TypeError, ValueError):
                raise StatementFailed(f"'{statement.name}' is not a whole number.", hint=statement.sql[:200]) from None
        counts[statement.name] = counts.get(statement.name, 0) + count
        check_refusal(statement, count, lambda sql: next(iter(self.query(sql).rows), ()))

    def _read(self, sql: str, limit: int | None) -> Iterator[QueryResult]:
        with self.reading(sql) as started:
            parts = started.parts
            if not any(part.loses_digits for part in parts):
                yield from _read_blocks(started, parts, limit)
                return
        # What the client library would cut is asked for as text.
        with self.reading(build_exact_query(sql, [(part.name, part.loses_digits) for part in parts])) as started:
            yield from _read_blocks(started, parts, limit)


def _check_single(sql: str) -> None:
    try:
        check_single(sql)
    except Invalid as error:
        raise StatementFailed(error.message, hint=error.hint) from None


def _read_blocks(started: Reading, parts: Sequence[Part], limit: int | None) -> Iterator[QueryResult]:
    columns = tuple(ResultColumn(name=part.name, type=part.type_text) for part in parts)
    size = BatchSize(started.parts, STREAM_ROWS)
    left, empty = limit, True
    while left is None or left > 0:
        batch = size.read(started, left)
        if not batch.num_rows:
            break
        left = None if left is None else left - batch.num_rows
        empty = False
        yield QueryResult(columns=columns, rows=tuple(zip(*map(_spell_cells, batch.columns), strict=True)))
    if empty:
        yield QueryResult(columns=columns, rows=())


def _spell_cells(column: pa.Array) -> list[str | None]:
    """A column as SQL Server would write it."""
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "1", "0")
    elif is_bytes(column.type):
        column = pc.binary_join_element_wise("0x", column_hex(column), "")
    cells: list[str | None] = column_texts(column).to_pylist()
    return cells

# A session with PostgreSQL: queries as text, transactions, sources and sinks. Loaded in the runner child only.
"""`PostgresSession`, the `Session` of this kind."""

import contextlib
import re
from collections.abc import Iterator, Sequence

from pipekit.drivers.postgresql.late import build_hold_sql
from pipekit.drivers.postgresql.link import Link, Result
from pipekit.drivers.postgresql.settings import Pins
from pipekit.drivers.postgresql.transactions import Transactions
from pipekit.drivers.postgresql.transfer import PostgresSink, PostgresSource
from pipekit.drivers.postgresql.trimming import build_trimmed_query
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import check_expectations, check_refusal
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Expect, Load, QueryResult, Statement, gather

STREAM_ROWS = 2000
STREAM_BYTES = 256 * 1024

Cells = tuple[str | None, ...]

# What cannot end a transaction, and is one statement: it may be sent before the one in front of it is answered.
_CANNOT_END = re.compile(
    r"\s*(?:ALTER|ANALYZE|COMMENT|CREATE|DELETE|DROP|INSERT|LOCK|MERGE|SELECT|SET|TRUNCATE|UPDATE|WITH)\b[^;]*\Z"
)


class PostgresSession(Transactions):
    """One connection; see `drivers.wire.Session`."""

    def __init__(self, link: Link, pins: Pins, trim_char: bool = False) -> None:
        super().__init__(link, pins)
        self._trim_char = trim_char

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
            for batch in _split(statements):
                self._execute_batch(batch, counts)
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

    def _pin(self) -> None:
        """For statements without a transaction: the settings stay where the connection is ours alone."""
        self.begin()
        self.commit()

    def _execute_batch(self, batch: Sequence[Statement], counts: dict[str, int]) -> None:
        if len(batch) == 1:
            self._execute_one(batch[0], counts)
        else:
            for statement, result in zip(batch, self.link.run_all([item.sql for item in batch]), strict=True):
                self._count(statement, result, counts)
        if not self.link.in_transaction:
            raise StatementFailed("A statement ended the transaction it is part of.", hint=batch[-1].sql[:200])

    def _execute_one(self, statement: Statement, counts: dict[str, int]) -> None:
        self._count(statement, self.link.run(statement.sql), counts)

    def _count(self, statement: Statement, result: Result, counts: dict[str, int]) -> None:
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


def _split(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    """Statements that go together; after one that may be refused nothing is sent before its count is known."""
    batch: list[Statement] = []
    for statement in statements:
        goes_along = _CANNOT_END.match(statement.sql) is not None
        if batch and not goes_along:
            yield batch
            batch = []
        batch.append(statement)
        if statement.refusal or not goes_along:
            yield batch
            batch = []
    if batch:
        yield batch

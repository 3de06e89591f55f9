# A session with PostgreSQL: queries as text, transactions, sources and sinks. Loaded in the runner child only.
"""`PostgresSession`, the `Session` of this kind."""

import contextlib
from collections.abc import Iterator, Sequence

from pipekit.drivers.postgresql.late import build_hold_sql
from pipekit.drivers.postgresql.link import Link
from pipekit.drivers.postgresql.settings import Pins
from pipekit.drivers.postgresql.transactions import Transactions
from pipekit.drivers.postgresql.transfer import PostgresSink, PostgresSource
from pipekit.drivers.postgresql.trimming import build_trimmed_query
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import check_expectations
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Expect, Load, QueryResult, Statement, gather

STREAM_ROWS = 2000
STREAM_BYTES = 256 * 1024

Cells = tuple[str | None, ...]


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
        if autocommit:
            counts: dict[str, int] = {}
            self._pin()
            for statement in statements:
                self.run_statement(statement, counts)
            return counts
        self.begin()
        return self._end(statements, expect)

    def go_on(self, statements: Sequence[Statement], expect: Sequence[Expect]) -> dict[str, int]:
        """The rest of a transaction that a sink has left open."""
        if not self.link.in_transaction:
            raise StatementFailed("The transaction in which the rows came has ended; they are gone.", transient=True)
        return self._end(statements, expect)

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

    def _end(self, statements: Sequence[Statement], expect: Sequence[Expect]) -> dict[str, int]:
        """Runs the statements and commits what is open."""
        counts: dict[str, int] = {}
        try:
            self.run_statements(statements, counts)
            check_expectations(expect, counts)
        except BaseException:
            self.roll_back()
            raise
        self.commit()
        return counts

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

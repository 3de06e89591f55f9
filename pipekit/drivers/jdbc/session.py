# A session with a database behind a JDBC driver: queries as text, transactions, sources, sinks. In the child only.
"""`JdbcSession`, the `Session` of this kind."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipekit.drivers.jdbc.asking import find_ask
from pipekit.drivers.jdbc.conditions import find_condition
from pipekit.drivers.jdbc.connection import JdbcConnection
from pipekit.drivers.jdbc.faults import guard
from pipekit.drivers.jdbc.metadata import answer
from pipekit.drivers.jdbc.mysql.types import classify as classify_mysql
from pipekit.drivers.jdbc.pins import pin
from pipekit.drivers.jdbc.reading import JdbcSource
from pipekit.drivers.jdbc.running import NO_QUERY, check_warnings, read_texts, run_query
from pipekit.drivers.jdbc.writing import JdbcSink
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import LooksOneByOne, check_expectations, check_refusal
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Endpoint, Expect, Load, QueryResult, Statement, gather


class JdbcSession(JdbcConnection, LooksOneByOne):
    """One connection; see `drivers.wire.Session`."""

    def __init__(self, connection: Any, endpoint: Endpoint, connect: Callable[[Endpoint], "JdbcSession"]) -> None:
        super().__init__(connection, endpoint)
        self._connect = connect
        if self.is_mysql:
            self.classify = classify_mysql
        with guard():
            pin(self)
            self.set_autocommit(False)

    def read_as(self, endpoint: Endpoint) -> None:
        super().read_as(endpoint)
        self._endpoint = endpoint

    # -- queries -------------------------------------------------------------------------------------------------------

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        """Runs one query, or answers a question of `asking`; every cell is text."""
        if ask := find_ask(sql):
            with self._transaction(), guard(sql):
                return answer(self, *ask)
        return gather(self._read(sql, limit))

    def stream(self, sql: str) -> Iterator[QueryResult]:
        """Runs one query and yields its rows block by block, never all of them."""
        if find_ask(sql):
            yield self.query(sql)
            return
        yield from self._read(sql, None)

    def _read(self, sql: str, limit: int | None) -> Iterator[QueryResult]:
        with self._transaction(), contextlib.closing(run_query(self, sql, limit)) as running:
            if self.reads_only and running.rows is None:
                raise StatementFailed(NO_QUERY)
            yield from read_texts(running)

    # -- transactions --------------------------------------------------------------------------------------------------

    def execute(self, statements: Sequence[Statement], expect: Sequence[Expect], autocommit: bool) -> dict[str, int]:
        """One transaction, or each statement on its own; counts of one name add up."""
        if self.reads_only:
            raise StatementFailed("This session reads only.")
        counts: dict[str, int] = {}
        if autocommit:
            return self._execute_each(statements, counts)
        with self._transaction():
            for statement in statements:
                self._execute_one(statement, counts)
            check_expectations(expect, counts)
        return counts

    def _execute_each(self, statements: Sequence[Statement], counts: dict[str, int]) -> dict[str, int]:
        with guard():
            self.set_autocommit(True)
        try:
            for statement in statements:
                self._execute_one(statement, counts)
        finally:
            with guard():
                self.set_autocommit(False)
        return counts

    def _execute_one(self, statement: Statement, counts: dict[str, int]) -> None:
        condition = find_condition(statement.sql)
        with guard(statement.sql):
            if condition and not answer(self, "columns", condition).rows:
                return
        with guard(statement.sql), contextlib.closing(self.make_statement()) as running:
            has_rows = running.execute(statement.sql)
            # A merge is a transaction: what a code page lacks was looked for in the staged rows, or is accepted.
            check_warnings(running, substitutes=bool(self.connection.getAutoCommit()))
            if not statement.name:
                return
            if statement.value:
                count = _read_number(running.getResultSet(), statement) if has_rows else 0
            else:
                count = max(0, int(running.getUpdateCount()))
        counts[statement.name] = counts.get(statement.name, 0) + count
        check_refusal(statement, count, self._ask)

    def _ask(self, sql: str) -> Sequence[str | None]:
        """The first row of a query inside the open transaction, which `query` would end."""
        with contextlib.closing(run_query(self, sql, 1)) as running:
            return next((row for block in read_texts(running) for row in block.rows), ())

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commits at the end; whatever goes wrong rolls back, and so does a session that reads only."""
        try:
            yield
        except BaseException:
            self.roll_back()
            raise
        if self.reads_only:
            self.roll_back()
        else:
            self.commit()

    # -- moving --------------------------------------------------------------------------------------------------------

    def source(self, sql: str) -> JdbcSource:
        """A session that writes reads through a connection of its own, as its dest may be the same database."""
        query = strip_query(sql)
        if self.reads_only:
            return JdbcSource(self, query, owned=False)
        return JdbcSource(self._connect(self._endpoint), query, owned=True)

    def sink(self, load: Load) -> JdbcSink:
        """Prepares a staging table for loading."""
        return JdbcSink(self, load)


def _read_number(rows: Any, statement: Statement) -> int:
    text = rows.getString(1) if rows.next() else None
    try:
        return int(str(text))
    except ValueError:
        raise StatementFailed(f"'{statement.name}' is not a whole number.", hint=statement.sql[:200]) from None

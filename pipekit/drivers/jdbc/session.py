# A session with a database behind a JDBC driver: queries as text, transactions, sources, sinks. In the child only.
"""`JdbcSession`, the `Session` of this kind."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipekit.drivers.jdbc.asking import find_ask
from pipekit.drivers.jdbc.columntypes import Classify, classify
from pipekit.drivers.jdbc.conditions import find_condition
from pipekit.drivers.jdbc.faults import guard
from pipekit.drivers.jdbc.jvm import JavaError, find_class
from pipekit.drivers.jdbc.metadata import answer
from pipekit.drivers.jdbc.mysql.floats import widen
from pipekit.drivers.jdbc.mysql.pins import find_no_read
from pipekit.drivers.jdbc.mysql.types import classify as classify_mysql
from pipekit.drivers.jdbc.pins import MYSQL, pin
from pipekit.drivers.jdbc.reading import FIRST_FETCH, JdbcSource, Running, read_texts
from pipekit.drivers.jdbc.writing import JdbcSink
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import check_expectations, check_refusal
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Endpoint, Expect, Load, QueryResult, Statement, gather

_NO_QUERY = "This is no query, and the session reads only."


class JdbcSession:
    """One connection; see `drivers.wire.Session`. Nothing commits by itself except where it is asked to."""

    def __init__(self, connection: Any, endpoint: Endpoint, connect: Callable[[Endpoint], "JdbcSession"]) -> None:
        self.connection = connection
        self.trim_char = endpoint.trim_char
        # Nothing is committed then, as not every database keeps to setReadOnly.
        self.reads_only = endpoint.read_only
        self.is_abandoned = False
        self._endpoint = endpoint
        self._connect = connect
        with contextlib.suppress(JavaError):
            connection.setClientInfo("ApplicationName", endpoint.application_name)
        with guard():
            if self.reads_only:
                connection.setReadOnly(True)
            self.metadata = connection.getMetaData()
            self.product = str(self.metadata.getDatabaseProductName())
            self.is_mysql = self.product in MYSQL
            self.classify: Classify = classify_mysql if self.is_mysql else classify
            self.has_transactions = bool(self.metadata.supportsTransactions())
            pin(self, self.product)
            self.set_autocommit(False)

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
        with self._transaction(), contextlib.closing(self.run_query(sql, limit)) as running:
            if self.reads_only and running.rows is None:
                raise StatementFailed(_NO_QUERY)
            yield from read_texts(running)

    def run_query(self, sql: str, limit: int | None = None) -> Running:
        """Starts a query; few rows are fetched before they are asked for."""
        if self.is_abandoned:
            raise StatementFailed("A statement hangs in this connection and cannot be ended.", transient=True)
        with guard(sql):
            self._check_reads(sql)
            statement = self._make_statement()
            try:
                if limit is not None:
                    statement.setMaxRows(limit)
                    statement.setFetchSize(max(1, min(limit, FIRST_FETCH)))
                else:
                    statement.setFetchSize(FIRST_FETCH)
                text, types = widen(self, sql) if self.is_mysql else (sql, [])
                has_rows = statement.execute(text)
                check_warnings(statement)
                return Running(self, sql, statement, statement.getResultSet() if has_rows else None, types)
            except JavaError:
                with contextlib.suppress(JavaError):
                    statement.close()
                raise

    def _check_reads(self, sql: str) -> None:
        """Refuses what is no query before it runs, where the database itself would not.

        H2 takes setReadOnly for a hint, and commits by itself at CREATE and DROP.
        """
        if not self.reads_only:
            return
        if self.is_mysql and (reason := find_no_read(sql)):
            raise StatementFailed(reason)
        if self.product == "H2":
            with contextlib.closing(self.connection.prepareStatement(sql)) as prepared:
                if prepared.getMetaData() is None:
                    raise StatementFailed(_NO_QUERY)

    def _make_statement(self) -> Any:
        kinds = find_class("java.sql.ResultSet")
        return self.connection.createStatement(kinds.TYPE_FORWARD_ONLY, kinds.CONCUR_READ_ONLY)

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
        with guard(statement.sql), contextlib.closing(self._make_statement()) as running:
            has_rows = running.execute(statement.sql)
            check_warnings(running)
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
        with contextlib.closing(self.run_query(sql, 1)) as running:
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

    def set_autocommit(self, on: bool) -> None:
        """Switches where the database has transactions at all."""
        if self.has_transactions and bool(self.connection.getAutoCommit()) != on:
            self.connection.setAutoCommit(on)

    def commit(self) -> None:
        """Commits; raises StatementFailed."""
        if self.has_transactions:
            with guard("COMMIT"):
                self.connection.commit()

    def abandon(self) -> None:
        """Leaves the connection to itself: a statement hangs in it that nothing could end."""
        self.is_abandoned = True

    def roll_back(self) -> None:
        """Rolls back what is open; a lost connection is rolled back by the server."""
        if self.is_abandoned:
            return
        with contextlib.suppress(JavaError):
            if self.has_transactions and not self.connection.isClosed() and not self.connection.getAutoCommit():
                self.connection.rollback()

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

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self.roll_back()
        if not self.is_abandoned:
            with contextlib.suppress(JavaError):
                self.connection.close()


def check_warnings(statement: Any) -> None:
    """Raises (in Java) when a statement warns that data was lost."""
    find_class("pipekit.Warnings").check(statement.getWarnings())


def _read_number(rows: Any, statement: Statement) -> int:
    text = rows.getString(1) if rows.next() else None
    try:
        return int(str(text))
    except ValueError:
        raise StatementFailed(f"'{statement.name}' is not a whole number.", hint=statement.sql[:200]) from None

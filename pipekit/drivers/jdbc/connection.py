# One JDBC connection: what its database is, and its transactions. Loaded in the runner child only.
"""`JdbcConnection`, which sessions are, and sources and sinks stand on; `describe_columns`."""

import contextlib
from collections.abc import Sequence
from typing import Any, ClassVar

from pipekit.drivers.jdbc.columntypes import Classify, ColumnType, classify
from pipekit.drivers.jdbc.faults import guard, is_a, to_statement_failed
from pipekit.drivers.jdbc.jvm import JavaError, find_class
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Endpoint, ResultColumn

_MYSQL = ("MySQL", "MariaDB")
# SQL0666 of Db2 for i: the query would take longer, or took longer.
_TOO_LONG = "57005"


class JdbcConnection:
    """Nothing commits by itself except where it is asked to."""

    # See `drivers.base.Driver`.
    nulls_bad_data: ClassVar[bool] = False

    def __init__(self, connection: Any, endpoint: Endpoint) -> None:
        self.connection = connection
        self.read_as(endpoint)
        # Nothing is committed then, as not every database keeps to setReadOnly.
        self.reads_only = endpoint.read_only
        self.is_abandoned = False
        self._last: Any = None
        with contextlib.suppress(JavaError):
            self.tell_who(endpoint)
        with guard():
            if self.reads_only:
                connection.setReadOnly(True)
            self.metadata = connection.getMetaData()
            self.product = str(self.metadata.getDatabaseProductName())
            self.is_mysql = self.product in _MYSQL
            self.classify: Classify = classify
            self.has_transactions = bool(self.metadata.supportsTransactions())

    def read_as(self, endpoint: Endpoint) -> None:
        """Watermarks and the query of one source share its session, whatever is made of the query's columns."""
        self.trim_char, self.key = endpoint.trim_char, endpoint.key
        self.takes_null = endpoint.bad_data == "null"
        self.query_timeout_s = endpoint.query_timeout_s
        self.pages = dict(endpoint.translate)

    def spell_asked(self, name: str) -> str:
        """A name of a schema or table as the driver's metadata take it."""
        return name

    def find_lost(self, sql: str, place: int, column: ResultColumn) -> str:
        """How to find all values like one that a query could not give, as a sentence; the column's place is from 0."""
        return ""

    def explain(self, error: Any, sql: str, read: int, columns: Sequence[ResultColumn]) -> StatementFailed:
        """What a query failed of, when so many rows of these columns were read; none while they are not known."""
        failed = to_statement_failed(error, sql)
        if self.query_timeout_s and (failed.sqlstate == _TOO_LONG or is_a(error, "java.sql.SQLTimeoutException")):
            failed.message += f" The limit is {self.query_timeout_s} s, by the module's `timeouts: {{query_s}}`."
        return failed

    def limit_text(self, target: Any, type_text: str, exact: bool) -> Any:
        """A Java `Target` that also refuses texts for a column of this type which the driver would not keep."""
        return target

    def tell_who(self, endpoint: Endpoint) -> None:
        """Tells the server whose session this is; who cannot be told goes without."""
        self.connection.setClientInfo("ApplicationName", endpoint.application_name)

    def adapt(self, name: str, type_: ColumnType) -> ColumnType:
        """A column of a result as this session reads it."""
        return type_

    def make_statement(self) -> Any:
        """One whose result is read once, from its first row to its last."""
        kinds = find_class("java.sql.ResultSet")
        self._last = self.connection.createStatement(kinds.TYPE_FORWARD_ONLY, kinds.CONCUR_READ_ONLY)
        if self.query_timeout_s:
            self._last.setQueryTimeout(self.query_timeout_s)
        return self._last

    def stop(self) -> None:
        """Cancels the last statement, from another thread: jt400 tells the system so on a connection of its own."""
        with contextlib.suppress(JavaError):
            if self._last is not None:
                self._last.cancel()

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

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self.roll_back()
        if not self.is_abandoned:
            with contextlib.suppress(JavaError):
                self.connection.close()


def describe_columns(metadata: Any, classify: Classify) -> list[tuple[str, ColumnType]]:
    """Name and type of each column of a result."""
    described = []
    for place in range(1, metadata.getColumnCount() + 1):
        type_ = classify(
            metadata.getColumnType(place),
            str(metadata.getColumnTypeName(place) or ""),
            metadata.getPrecision(place),
            metadata.getScale(place),
            _is_signed(metadata, place),
        )
        described.append((str(metadata.getColumnLabel(place)), type_))
    return described


def _is_signed(metadata: Any, place: int) -> bool:
    try:
        return bool(metadata.isSigned(place))
    except JavaError:
        return True

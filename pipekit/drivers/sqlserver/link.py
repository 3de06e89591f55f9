# One connection of mssql-python, its errors as ours. Loaded in the runner child only.
"""`open_link`, and `Link` and `Reading`, the thin layer that sessions, sources and sinks stand on."""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import mssql_python
import pyarrow as pa
from mssql_python import ddbc_bindings
from mssql_python.connection import Connection
from mssql_python.cursor import Cursor
from mssql_python.exceptions import ConnectionStringParseError

from pipekit.drivers.sqlserver.address import build_connection_keywords, parse_url
from pipekit.drivers.sqlserver.faults import (
    Fault,
    build_failure,
    build_load_failure,
    read_core,
    read_records,
    strip_brackets,
)
from pipekit.drivers.sqlserver.part import Part
from pipekit.drivers.sqlserver.provider import choose_provider
from pipekit.drivers.sqlserver.refusals import build_connect_failure, read_connect_fault
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import Endpoint

_read_records: Callable[[Any], list[tuple[str, str]]] = getattr(
    ddbc_bindings, "DDBCSQLGetAllDiagRecords", lambda handle: []
)
_count_rows: Callable[[Any], int] = getattr(ddbc_bindings, "DDBCSQLRowCount", lambda handle: -1)

Guard = Callable[[], AbstractContextManager[None]]

_FAULTS = (mssql_python.Error, ConnectionStringParseError, RuntimeError, ValueError, TypeError, OSError)


class _Connection(Connection):
    """A connection with a name of its own: mssql-python keeps the application's name for itself."""

    def __init__(self, text: str, application_name: str, timeout_s: int) -> None:
        self._application_name = application_name
        super().__init__(text, autocommit=True, timeout=timeout_s)

    def _construct_connection_string(self, *args: Any, **more: Any) -> Any:
        text, keywords = super()._construct_connection_string(*args, **more)
        return text.replace("APP=MSSQL-Python", f"APP={_brace(self._application_name)}", 1), keywords


class _Cursor(Cursor):
    """A cursor that keeps the records of a failure, numbers included, and names its bulk copy's own connection."""

    def __init__(self, connection: Connection, application_name: str, connect_timeout_s: int) -> None:
        self.records: list[tuple[str, str]] = []
        self._application_name = application_name
        self._connect_timeout_s = connect_timeout_s
        super().__init__(connection)

    def _reset_cursor(self) -> None:
        self.records = _read_records(self.hstmt)
        super()._reset_cursor()

    def _build_pycore_context(self) -> Any:
        more = {"application_name": self._application_name, "connect_timeout": self._connect_timeout_s}
        return super()._build_pycore_context() | more

    def count_rows(self) -> int:
        """The rows the current statement of a batch changed; `rowcount` stays that of the first."""
        return _count_rows(self.hstmt)

    def take_records(self) -> list[tuple[str, str]]:
        """The records of the failure that has just happened."""
        records, self.records = self.records, []
        if records or self.hstmt is None:
            return records
        with contextlib.suppress(*_FAULTS):
            return list(_read_records(self.hstmt))
        return []


class Reading:
    """A query that has started. `parts` are its columns as ODBC describes them."""

    def __init__(self, cursor: _Cursor, guard: Guard) -> None:
        self._cursor = cursor
        self._guard = guard
        self.is_finished = False
        codes: list[int] = cursor._column_sql_types or []
        found = cursor.description or []
        self.parts = [Part(c[0], code, c[3] or 0, c[5] or 0) for c, code in zip(found, codes, strict=True)]

    def next_batch(self, rows: int) -> pa.RecordBatch:
        """The next rows, at most `rows`; none at the end, when what failed behind them is raised."""
        with self._guard():
            batch = self._cursor.arrow_batch(rows)
            while not batch.num_rows and self._cursor.nextset():
                pass
            self.is_finished = self.is_finished or not batch.num_rows
            return batch

    def close(self) -> None:
        """Ends the query; safe to call twice."""
        _close(self._cursor)


class Link:
    """One connection. What goes wrong in it is raised as StatementFailed."""

    def __init__(self, connection: Connection, endpoint: Endpoint) -> None:
        self._connection = connection
        self._name = endpoint.application_name
        self._connect_timeout_s = _count_timeout(endpoint)
        self.is_lost = False

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self.is_lost = True
        with contextlib.suppress(*_FAULTS):
            self._connection.close()

    def run(self, sql: str) -> tuple[int, Any]:
        """Runs a batch to its end: its last row count, and the first cell of its first result.

        The counts of triggers come before that of the statement they belong to.
        """
        count, cell, has_result = 0, None, False
        cursor = self._make_cursor()
        try:
            with self._guard(cursor, sql):
                cursor.execute(sql)
                more: bool | None = True
                while more:
                    if not cursor.description:
                        found = cursor.count_rows()
                        count = found if found >= 0 else count
                    elif not has_result:
                        rows, has_result = cursor.fetchmany(1), True
                        cell = rows[0][0] if rows else None
                    more = cursor.nextset()
        finally:
            _close(cursor)
        return count, cell

    def open(self, sql: str) -> Reading:
        """Starts a query; its columns are known then."""
        cursor = self._make_cursor()
        try:
            with self._guard(cursor, sql):
                cursor.execute(sql)
                while not cursor.description and cursor.nextset():
                    pass
            if not cursor.description:
                raise StatementFailed("The query gives no columns.", hint=f"In: {' '.join(sql.split())[:200]}")
            return Reading(cursor, lambda: self._guard(cursor, sql))
        except BaseException:
            _close(cursor)
            raise

    def load(self, table: str, batches: Iterable[pa.RecordBatch], columns: list[str]) -> int:
        """Bulk copies batches whose columns go to `columns`, in this order; returns the rows that were sent."""
        cursor = self._make_cursor()
        try:
            done = cursor.bulkcopy_arrow(
                table,
                batches,
                timeout=0,
                table_lock=True,
                keep_nulls=True,
                column_mappings=list(enumerate(columns)),
            )
        except _FAULTS as error:
            raise build_load_failure(read_core(_get_text(error)), columns) from None
        finally:
            _close(cursor)
        return int(done["rows_copied"])

    def _make_cursor(self) -> _Cursor:
        try:
            return _Cursor(self._connection, self._name, self._connect_timeout_s)
        except _FAULTS as error:
            raise build_failure(Fault(_get_text(error))) from None

    @contextlib.contextmanager
    def _guard(self, cursor: _Cursor, sql: str) -> Iterator[None]:
        if "\0" in sql:
            raise StatementFailed("SQL text cannot hold a NUL character.")
        try:
            yield
        except _FAULTS as error:
            fault = read_records(cursor.take_records(), _get_text(error))
            self.is_lost = self.is_lost or fault.loses_connection
            raise build_failure(fault, sql) from None


def _close(cursor: _Cursor) -> None:
    with contextlib.suppress(*_FAULTS):
        cursor.close()


def open_link(endpoint: Endpoint) -> Link:
    """Connects and logs in; raises ConnectFailed, which never holds the password."""
    choose_provider()
    # A pooled connection would outlive the session it was opened for.
    mssql_python.pooling(enabled=False)
    address = parse_url(endpoint.jdbc_url)
    keywords = build_connection_keywords(address)
    if endpoint.username is not None:
        keywords["uid"] = endpoint.username
    if endpoint.password is not None:
        keywords["pwd"] = endpoint.password
    if any("\0" in value for value in (*keywords.values(), endpoint.application_name)):
        raise ConnectFailed("A login or an address cannot hold a NUL character.")
    text = ";".join(f"{name}={_brace(value)}" for name, value in keywords.items())
    try:
        return Link(_Connection(text, endpoint.application_name, _count_timeout(endpoint)), endpoint)
    except _FAULTS as error:
        fault = _read_connect_fault(error, endpoint)
        raise build_connect_failure(fault, keywords["server"]) from None


def _read_connect_fault(error: BaseException, endpoint: Endpoint) -> Fault:
    text = _get_text(error)
    if endpoint.password:
        text = text.replace(endpoint.password, "***")
    return read_connect_fault(text, getattr(error, "driver_error", ""))


def _count_timeout(endpoint: Endpoint) -> int:
    address = parse_url(endpoint.jdbc_url)
    return max(1, math.ceil(float(address.options.get("loginTimeout", endpoint.connect_timeout_s))))


def _brace(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


def _get_text(error: BaseException) -> str:
    """The server's words, else all there is."""
    text = getattr(error, "ddbc_error", "") or str(error)
    driver = getattr(error, "driver_error", "")
    text = strip_brackets(text)
    return (
        text
        if not driver or driver in text or "[SQL Server]" in getattr(error, "ddbc_error", "")
        else f"{driver}: {text}"
    )

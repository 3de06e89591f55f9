# One connection of libpq through psycopg.pq, its errors as ours. Loaded in the runner child only.
"""`Link`, the thin layer over libpq that sessions, sources and sinks stand on, and `open_link`."""

import contextlib
import math
import select
import socket
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from pipekit.cutting import SENT, cut
from pipekit.drivers.postgresql.faults import (
    OUTSIDE_STATES,
    find_mend,
    is_lasting,
    is_transient,
    is_transient_login,
    tidy_hint,
    tidy_loss,
)
from pipekit.drivers.postgresql.libpq import Error, abc, pq
from pipekit.drivers.postgresql.names import list_passed, parse_url
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import Endpoint

# Name, oid of the type and its modifier, of each column.
Described = list[tuple[str, int, int]]
Result = abc.PGresult
# A COPY's error context -> the row (from 1) and the column it names.
FindPlace = Callable[[str], tuple[int | None, str]]

# Rows that a processor still has at hand when they are sent on.
BLOCK_BYTES = 128 * 1024
GIVE_EVERY_S = 0.3

# A server that stops in the middle of a load (a checkpoint, a lock) must not look like a dead network.
_NETWORK = {
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "300000",
}

_BAD = pq.ConnStatus.BAD
_OK = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_COPYING = (pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH)


class Link:
    """One libpq connection. What goes wrong in it is raised as StatementFailed.

    It waits for the server with `poll` only, which lets the child's other threads run: libpq's own waiting does not.
    """

    def __init__(self, connection: abc.PGconn) -> None:
        self._connection = connection
        self._sent = ""
        self._poller = select.poll()

    @property
    def is_lost(self) -> bool:
        """Whether the connection is gone."""
        return self._connection.status == _BAD

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open and healthy."""
        return self._connection.transaction_status == pq.TransactionStatus.INTRANS

    @property
    def is_idle(self) -> bool:
        """Whether no transaction is open, not even a failed one."""
        return self._connection.transaction_status == pq.TransactionStatus.IDLE

    @property
    def server_version(self) -> int:
        """150004 for 15.4."""
        return self._connection.server_version

    @property
    def server_encoding(self) -> str:
        """The encoding of the database."""
        return (self._connection.parameter_status(b"server_encoding") or b"").decode()

    @property
    def backend_pid(self) -> int:
        """The server's process as the login was told; behind a pooler a number of the pooler's."""
        return self._connection.backend_pid

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self._connection.finish()

    def run(self, sql: str) -> abc.PGresult:
        """Runs SQL text, perhaps several statements, and returns the last result."""
        with self._guard():
            self._connection.send_query(self._take(sql))
            return self._checked(self._get_result())

    def fetch(self, sql: str) -> list[str | None]:
        """Runs SQL text as `run` does; the cells of the last result's first row, none of no row."""
        found = self.run(sql)
        cells = [found.get_value(0, i) for i in range(found.nfields)] if found.ntuples else []
        return [None if cell is None else cell.decode() for cell in cells]

    def run_one(self, sql: str) -> Generator[abc.PGresult, None, None]:
        """Runs one statement and yields a result per row, and a last one without rows."""
        with self._guard():
            self._connection.send_query_params(self._take(sql), [])
            self._connection.set_single_row_mode()
            try:
                while (result := self._next_result()) is not None:
                    yield result if result.status == pq.ExecStatus.SINGLE_TUPLE else self._checked(result)
            finally:
                self._drain()

    def run_all(self, statements: Sequence[str], meanwhile: Callable[[], None] = lambda: None) -> list[abc.PGresult]:
        """Runs statements, each one of its own, asked and answered in one go; those after one that fails do not run.

        `meanwhile` is done before the answers are waited for. Not right after `run_one`: libpq would give the first
        one's rows one by one too.
        """
        with self._guard():
            self._connection.enter_pipeline_mode()
            try:
                for sql in statements:
                    self._connection.send_query_params(_encode(sql), [])
                self._connection.pipeline_sync()
                meanwhile()
                results = [self._get_result() for _ in statements]
                self._next_result()
            finally:
                self._connection.exit_pipeline_mode()
            for self._sent, result in zip(statements, results, strict=True):
                self._checked(result)
            return results

    def describe(self, sql: str) -> Described:
        """(name, type oid, type modifier) of each column of a query that is not run. Asked and answered in one go."""
        with self._guard():
            self._connection.enter_pipeline_mode()
            try:
                self._connection.send_prepare(b"", self._take(sql))
                self._connection.send_describe_prepared(b"")
                self._connection.pipeline_sync()
                prepared, found = self._get_result(), self._get_result()
                self._next_result()
            finally:
                self._connection.exit_pipeline_mode()
            self._checked(prepared)
            self._checked(found)
            return [((found.fname(i) or b"").decode(), found.ftype(i), found.fmod(i)) for i in range(found.nfields)]

    def copy_out(
        self, sql: str, trailers: int, on_total: Callable[[int], None]
    ) -> Generator[tuple[bytes, int], None, None]:
        """Blocks of a COPY TO STDOUT with the rows in each; the server's own row count goes to `on_total` at the end.

        A message is a row, except for the last `trailers` of them.
        """
        with self._guard():
            self._start_copy(sql, pq.ExecStatus.COPY_OUT)
            try:
                parts: list[memoryview] = []
                get, size, given = self._connection.get_copy_data, 0, time.monotonic()
                while (got := get(1))[0] >= 0:
                    # A slow source's rows go on before a block is full; one stays, as the last may be a trailer.
                    waited = not got[0] and len(parts) > 1 and time.monotonic() - given > GIVE_EVERY_S
                    if waited or (got[0] and size >= BLOCK_BYTES):
                        ready, parts = (parts[:-1], parts[-1:]) if waited else (parts, [])
                        yield b"".join(ready), len(ready)
                        size, given = sum(map(len, parts)), time.monotonic()
                    if not got[0]:
                        self._wait_to_read()
                        continue
                    parts.append(got[1])
                    size += got[0]
                on_total(self._finish_copy(None))
                if parts:
                    yield b"".join(parts), len(parts) - trailers
            finally:
                self._drain()

    def copy_in(self, sql: str, blocks: Iterator[bytes], find_place: FindPlace) -> int:
        """Feeds a COPY FROM STDIN; returns the rows the server took. When `blocks` fails the server forgets them."""
        with self._guard():
            self._start_copy(sql, pq.ExecStatus.COPY_IN)
        try:
            self._connection.nonblocking = 1
            for block in blocks:
                refused = False
                while not self._connection.put_copy_data(block):
                    refused = self._flush() or refused
                if self._flush() or refused or self._has_refused():
                    break
            self._connection.put_copy_end()
            self._flush()
        except Error:
            pass  # the connection broke while sending: the server's last words say why
        except BaseException:
            self._forget_copy()
            raise
        with self._guard():
            return self._finish_copy(find_place)

    def _take(self, sql: str) -> bytes:
        """The text to send; an error of the server's may point into it."""
        self._sent = sql
        return _encode(sql)

    def _start_copy(self, sql: str, expected: pq.ExecStatus) -> None:
        self._connection.send_query(self._take(sql))
        result = self._get_result()
        if result.status != expected:
            raise self._to_error(self._checked(result), None)

    def _get_result(self) -> abc.PGresult:
        """The last result of what was sent, or the first failure: a server that is going says why before it goes."""
        last: abc.PGresult | None = None
        while (result := self._next_result()) is not None:
            if result.status in _COPYING:
                return result
            if last is None or last.status in _OK:
                last = result
        if last is None:
            raise self._to_loss(b"")
        return last

    def _next_result(self) -> abc.PGresult | None:
        while self._connection.is_busy():
            self._wait_to_read()
        return self._connection.get_result()

    def _wait_to_read(self) -> None:
        self._poll(select.POLLIN)
        self._connection.consume_input()

    def _flush(self) -> bool:
        """Sends all that is queued and takes in what the server says meanwhile; whether that began with a refusal."""
        refused = False
        while self._connection.flush():
            if self._poll(select.POLLIN | select.POLLOUT) & select.POLLIN:
                refused = refused or self._has_refused()
                self._connection.consume_input()
        return refused

    def _poll(self, events: int) -> int:
        self._poller.register(self._connection.socket, events)
        return self._poller.poll()[0][1]

    def _finish_copy(self, find_place: FindPlace | None) -> int:
        self._connection.nonblocking = 0
        result = self._get_result()
        if result.status not in _OK:
            raise self._to_error(result, find_place)
        return result.command_tuples or 0

    def _forget_copy(self) -> None:
        with contextlib.suppress(Error):
            self._connection.put_copy_end(b"the source failed")
            self._flush()
            self._connection.nonblocking = 0
            self._get_result()

    def _has_refused(self) -> bool:
        """Whether the server answers already, which it does in the middle of a COPY only to refuse a row.

        Asked by a look at its next byte, which an encrypted connection does not allow: there the COPY goes on.
        """
        if self._connection.ssl_in_use:
            return False
        with socket.socket(fileno=self._connection.socket) as borrowed:
            try:
                return borrowed.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) in (b"E", b"")
            except BlockingIOError:
                return False
            finally:
                borrowed.detach()

    def _drain(self) -> None:
        """Ends what is still under way, so that a reader who stops early does not leave the server sending."""
        if self.is_lost or self._connection.transaction_status != pq.TransactionStatus.ACTIVE:
            return
        with contextlib.suppress(Error):
            self._connection.get_cancel().cancel()
            while (result := self._connection.get_result()) is not None:
                if result.status == pq.ExecStatus.COPY_OUT:
                    while self._connection.get_copy_data(0)[0] > 0:
                        pass

    def _checked(self, result: abc.PGresult) -> abc.PGresult:
        if result.status in _OK:
            return result
        raise self._to_error(result, None)

    def _to_error(self, result: abc.PGresult, find_place: FindPlace | None) -> StatementFailed:
        if result.status in _COPYING:
            self.close()  # the only way out of a COPY nobody asked for
            return StatementFailed("COPY cannot be used here: Pipekit moves the rows itself.")
        if result.status == pq.ExecStatus.EMPTY_QUERY:
            return StatementFailed("The statement is empty.")
        state = _get_field(result, pq.DiagnosticField.SQLSTATE)
        if not state:
            return self._to_loss(result.error_message)
        message = _get_field(result, pq.DiagnosticField.MESSAGE_PRIMARY)
        context = _get_field(result, pq.DiagnosticField.CONTEXT)
        row, column = find_place(context) if find_place else (None, "")
        if find_place and (not row or state.startswith(OUTSIDE_STATES)):
            row, context = None, ""  # it names a row all the same, or line 0
        detail = _get_field(result, pq.DiagnosticField.MESSAGE_DETAIL)
        return StatementFailed(
            "\n".join(filter(None, [message, detail, context])),
            hint=tidy_hint(_get_field(result, pq.DiagnosticField.MESSAGE_HINT)) or find_mend(state, message, detail),
            transient=is_transient(state, message),
            sqlstate=state,
            column=column or _get_field(result, pq.DiagnosticField.COLUMN_NAME),
            row=row,
            **_find_position(result, self._sent),
        )

    def _to_loss(self, text: bytes) -> StatementFailed:
        message = cut(tidy_loss((text or self._connection.error_message).decode(errors="replace")), SENT)
        transient = self.is_lost and not is_lasting(message)
        return StatementFailed(
            message or "The connection to the server was lost.", hint=find_mend("", message), transient=transient
        )

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except Error as error:
            raise self._to_loss(str(error).encode()) from None


def _encode(sql: str) -> bytes:
    if "\0" in sql:
        raise StatementFailed("SQL text cannot hold a NUL character.", sqlstate="22021")
    return sql.encode()


def _find_position(result: abc.PGresult, sent: str) -> dict[str, Any]:
    position = _get_field(result, pq.DiagnosticField.STATEMENT_POSITION)
    return {"position": int(position), "statement": sent} if position.isdecimal() else {}


def _get_field(result: abc.PGresult, field: pq.DiagnosticField) -> str:
    return cut((result.error_field(field) or b"").decode(errors="replace"), SENT)


def open_link(endpoint: Endpoint) -> Link:
    """Connects and logs in; raises ConnectFailed, which never holds the password."""
    connection = _try_open(_build_parameters(endpoint))
    if message := _get_refusal(connection):
        connection.finish()
        raise ConnectFailed(message, transient=is_transient_login(message), hint=find_mend("", message))
    return Link(connection)


def _get_refusal(connection: abc.PGconn) -> str:
    """Why there is no connection, `""` when there is one. libpq names host, user and database, never the password."""
    return connection.error_message.decode(errors="replace").strip() if connection.status == _BAD else ""


def _build_parameters(endpoint: Endpoint) -> dict[str, str]:
    address = parse_url(endpoint.jdbc_url)
    timeout_s = float(address.options.get("connectTimeout", endpoint.connect_timeout_s))
    login = {"user": endpoint.username, "password": endpoint.password}
    return {
        "host": address.host,
        "port": str(address.port),
        "dbname": address.database,
        "client_encoding": "UTF8",
        "application_name": endpoint.application_name,
        "connect_timeout": str(max(2, math.ceil(timeout_s))),
        **_NETWORK,
        **{name: value for name, value in login.items() if value is not None},
        **list_passed(address),
    }


def _try_open(parameters: dict[str, str]) -> abc.PGconn:
    if any("\0" in value for value in parameters.values()):
        raise ConnectFailed("A login or an address cannot hold a NUL character.")
    quoted = (
        f"{n}='{v.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39))}'" for n, v in parameters.items()
    )
    return pq.PGconn.connect(" ".join(quoted).encode())

# One client's session: login, batches, transactions and bulk loads. Knows the store; what a batch means is batches.py.
"""`Session.serve` answers a client until it goes."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from tests.databases.tds import packets, tokens
from tests.databases.tds.batches import BatchRunner, Done, finish
from tests.databases.tds.bulk import Load, RowCounter
from tests.databases.tds.packets import Channel, Gone, Interrupted
from tests.databases.tds.replies import Close, Count, Error, Hang, LoadFault
from tests.databases.tds.store import Batch, Login, Store

SERVER = "double"
_NO_LIMIT = 1 << 62
_PIECE = 1 << 18


class Session:
    """A connection and its state."""

    def __init__(self, number: int, sock: socket.socket, store: Store) -> None:
        self._number = number
        self._store = store
        self._channel = Channel(sock)
        self._batches = BatchRunner(number, store, self._wait_for_attention, self._channel.check_attention)

    def serve(self) -> None:
        """Answers requests until the client goes or a script closes the connection."""
        self._store.open_sessions.add(self._number)
        try:
            if self._log_in():
                while True:
                    self._answer()
        except Gone:
            self._batches.roll_back()
        finally:
            self._store.open_sessions.discard(self._number)
            self._channel.close()

    def _log_in(self) -> bool:
        certificate = self._store.certificate
        is_strict = certificate is not None and self._channel.begins_with_tls()
        if certificate and is_strict:
            self._channel.encrypt(certificate, wrapped=False)
        kind, data = self._channel.read_message()
        if kind == packets.PRELOGIN:
            self._channel.send([tokens.build_prelogin(encrypts=certificate is not None)])
            if certificate and not is_strict:
                self._channel.encrypt(certificate, wrapped=True)
            kind, data = self._channel.read_message()
        login, with_utf8 = _read_login(self._number, data)
        self._store.logins.append(login)
        if refusals := self._store.login_errors:
            self._channel.send(finish(self._batches.build_error(*refusals)))
            return False
        size = login.packet_size if 512 <= login.packet_size <= 32767 else 4096
        self._channel.send([tokens.build_login_reply(login.database or "master", size, SERVER, with_utf8)])
        self._channel.packet_size = size
        return True

    def _answer(self) -> None:
        """Answers one request."""
        parts = self._channel.read_parts(1 if self._store.faults else _PIECE)
        try:
            kind, data = next(parts)
            if kind == packets.BULK:
                self._take_load(data, parts)
                return
            data += b"".join(more for _, more in parts)
            if self._channel.withdrawn:
                self._confirm_withdrawal()
            else:
                self._channel.send(finish(self._reply(kind, data)), watch=True)
        except Interrupted:
            self._confirm_attention()

    def _reply(self, kind: int, data: bytes) -> Iterator[bytes | Done]:
        if self._channel.reset:
            self._record("<reset>")
            yield from self._batches.reset()
        if kind == packets.BATCH:
            text = _skip_headers(data).decode("utf-16-le")
            self._record(text)
            yield from self._batches.run(text)
        elif kind == packets.TRANSACTION:
            yield from self._change_transaction(_skip_headers(data))
        elif kind == packets.ATTENTION:
            self._record("<attention>")
            yield Done(tokens.DONE_ATTENTION)
        else:
            self._record(f"<request 0x{kind:02x}>")
            yield from self._batches.build_error(Error(50000, f"The double has no answer to a request 0x{kind:02x}."))

    def _change_transaction(self, data: bytes) -> Iterator[bytes | Done]:
        (request,) = struct.unpack_from("<H", data)
        self._record({5: "<begin>", 7: "<commit>", 8: "<rollback>"}.get(request, f"<transaction request {request}>"))
        if request == 5:
            yield from self._batches.begin()
        elif request == 7:
            yield from self._batches.commit()
        elif request == 8:
            yield from self._batches.roll_back()
        yield Done()

    def _record(self, text: str) -> None:
        self._store.batches.append(Batch(self._number, text))

    def _wait_for_attention(self) -> None:
        while self._channel.read_message()[0] != packets.ATTENTION:
            pass
        raise Interrupted

    def _confirm_attention(self) -> None:
        self._record("<attention>")
        self._channel.send(finish(iter([Done(tokens.DONE_ATTENTION)])))

    def _confirm_withdrawal(self) -> None:
        self._record("<withdrawn>")
        self._channel.send(finish(iter([Done(tokens.DONE_ERROR)])))

    # -- bulk loads ----------------------------------------------------------------------------------------------------

    def _take_load(self, data: bytes, parts: Iterator[tuple[int, bytes]]) -> None:
        """Reads the payload into a file, counting its rows as they pass, and answers with their number."""
        statement, table = self._batches.take_bulk()
        fault = self._store.take_fault(table)
        path = self._store.folder / f"load-{self._number}-{len(self._store.batches)}"
        counter = RowCounter()
        most = _NO_LIMIT if fault is None or isinstance(fault.reply, Count) else fault.after_rows
        failed = False
        with path.open("wb", buffering=0) as file:
            while True:
                file.write(data)
                counter.feed(data, most)
                if fault and not failed and counter.columns and counter.rows >= fault.after_rows:
                    failed = True
                    self._begin_to_fail(fault)
                item = next(parts, None)
                if item is None:
                    break
                data = item[1]
        if self._channel.withdrawn:
            self._confirm_withdrawal()
            return
        self._end_load(Load(self._number, table, statement, counter.rows, path), counter, fault if failed else None)

    def _begin_to_fail(self, fault: LoadFault) -> None:
        if isinstance(fault.reply, Close):
            raise Gone
        if isinstance(fault.reply, Hang) and not fault.reply.reads:
            threading.Event().wait()
        if isinstance(fault.reply, Error) and fault.early:
            self._channel.send(finish(self._batches.build_error(fault.reply)))

    def _end_load(self, load: Load, counter: RowCounter, fault: LoadFault | None) -> None:
        if fault and isinstance(fault.reply, Error):
            if not fault.early:
                self._channel.send(finish(self._batches.build_error(fault.reply)))
            return
        if fault and isinstance(fault.reply, Hang):
            self._wait_for_attention()
        if not counter.is_complete:
            broken = Error(4804, "The payload of the bulk load ends in the middle of a row.", severity=20)
            self._channel.send(finish(self._batches.build_error(broken)))
            return
        self._batches.add_load(load)
        told = fault.reply.rows if fault and isinstance(fault.reply, Count) else load.rows
        self._channel.send(finish(iter([Done(0, tokens.INSERT, told)])))


def serve_socket(number: int, sock: socket.socket, store: Store) -> None:
    """Serves one client, for a thread of its own."""
    with contextlib.suppress(Gone), sock:
        Session(number, sock, store).serve()


def _skip_headers(data: bytes) -> bytes:
    return data[struct.unpack_from("<I", data)[0] :]


def _read_login(session: int, data: bytes) -> tuple[Login, bool]:
    """What LOGIN7 says, and whether it asks for UTF-8."""

    def text(at: int) -> str:
        start, length = struct.unpack_from("<HH", data, at)
        return data[start : start + 2 * length].decode("utf-16-le")

    login = Login(
        session=session,
        application=text(48),
        user=text(40),
        database=text(68),
        packet_size=struct.unpack_from("<I", data, 8)[0],
    )
    return login, _asks_for_utf8(data)


def _asks_for_utf8(data: bytes) -> bool:
    if not data[27] & 0x10:
        return False
    (pointer,) = struct.unpack_from("<H", data, 56)
    (at,) = struct.unpack_from("<I", data, pointer)
    while data[at] != 0xFF:
        if data[at] == 0x0A:
            return True
        at += 5 + struct.unpack_from("<I", data, at + 1)[0]
    return False

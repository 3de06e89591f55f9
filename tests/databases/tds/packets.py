# Messages in packets over a socket, both ways. Knows nothing of what is in a message.
"""`Channel`: whole messages in, streams of bytes out, and the client's attention in between."""

import select
import socket
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.databases.tds.tls import Encrypted

BATCH, LOGIN, RPC, ATTENTION, BULK, TRANSACTION, PRELOGIN = 0x01, 0x10, 0x03, 0x06, 0x07, 0x0E, 0x12
_REPLY = 0x04
_HEADER = 8
_END, _IGNORE, _RESET = 0x01, 0x02, 0x08
_READ = 1 << 18
_FLUSH = 1 << 16


class Gone(Exception):
    """The client has closed the connection."""


class Interrupted(Exception):
    """The client has sent attention while a request or a reply was on its way."""


class Channel:
    """One client's socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket: socket.socket | Encrypted = sock
        self._arrived = bytearray()
        self._number = 0
        self.packet_size = 4096
        self.withdrawn = False
        self.reset = False

    def encrypt(self, certificate: Path, wrapped: bool) -> None:
        """Everything from here on over TLS; see `Encrypted`."""
        assert isinstance(self._socket, socket.socket)
        try:
            self._socket = Encrypted(self._socket, certificate, wrapped)
        except OSError as error:
            raise Gone from error

    def begins_with_tls(self) -> bool:
        """Whether the client opens with TLS, as TDS 8 does, instead of with a packet."""
        assert isinstance(self._socket, socket.socket)
        return self._socket.recv(1, socket.MSG_PEEK) == b"\x16"

    def read_message(self) -> tuple[int, bytes]:
        """The next whole message: its kind and its data. See `withdrawn`."""
        parts = list(self.read_parts())
        return parts[-1][0], b"".join(data for _, data in parts)

    def read_parts(self, at_least: int = 1) -> Iterator[tuple[int, bytes]]:
        """The next message as it arrives: its kind and the data that is there, in pieces of a useful size.

        Afterwards `withdrawn` says whether the client has told in the last packet to ignore the message, and `reset`
        whether the session is to be made new first. Raises Interrupted when attention takes the place of the rest.
        """
        first = status = size = 0
        pieces: list[bytes] = []
        while not status & _END:
            kind, status, data = self._take()
            first = first or kind
            if kind == ATTENTION != first:
                raise Interrupted
            pieces.append(data)
            size += len(data)
            if size >= at_least or status & _END:
                yield first, b"".join(pieces)
                pieces, size = [], 0
            if not status & _END and not self._has_packet():
                self._fill()
        self.withdrawn = bool(status & _IGNORE)
        self.reset = bool(status & _RESET)

    def _take(self) -> tuple[int, int, bytes]:
        """The data of the complete packets at hand, at most to the end of a message."""
        arrived = self._arrived
        pieces: list[bytes] = []
        at, status, kind = 0, 0, 0
        with memoryview(arrived) as view:
            while len(arrived) - at >= _HEADER:
                next_kind, next_status, length = struct.unpack_from(">BBH", arrived, at)
                if len(arrived) - at < length or (kind and kind != next_kind):
                    break
                kind, status = next_kind, next_status
                pieces.append(bytes(view[at + _HEADER : at + length]))
                at += length
                if status & _END:
                    break
        del arrived[:at]
        return kind, status, b"".join(pieces)

    def _has_packet(self) -> bool:
        arrived = self._arrived
        return len(arrived) >= _HEADER and len(arrived) >= int.from_bytes(arrived[2:4], "big")

    def _fill(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self._arrived += data

    def send(self, pieces: Iterable[bytes], watch: bool = False) -> None:
        """Sends a reply; an empty piece sends what there is so far.

        With `watch`, raises Interrupted as soon as the client wants no more of it.
        """
        waiting = bytearray()
        body = self.packet_size - _HEADER
        for piece in pieces:
            waiting += piece
            if waiting and not piece:
                self._send_packets(waiting, last=False)
                waiting.clear()
            elif len(waiting) > max(_FLUSH, body):
                if watch and self._has_attention():
                    self._send_packets(waiting, last=False)  # what was sent so far may end within a token
                    raise Interrupted
                whole = (len(waiting) - 1) // body * body
                self._send_packets(waiting[:whole], last=False)
                del waiting[:whole]
        self._send_packets(waiting, last=True)

    def _send_packets(self, data: bytearray, last: bool) -> None:
        out = bytearray()
        body = self.packet_size - _HEADER
        for at in range(0, len(data), body) or (0,):
            piece = data[at : at + body]
            status = _END if last and at + body >= len(data) else 0
            self._number = self._number % 255 + 1
            out += struct.pack(">BBHHBB", _REPLY, status, len(piece) + _HEADER, 0, self._number, 0) + piece
        try:
            self._socket.sendall(bytes(out))
        except OSError as error:
            raise Gone from error

    def check_attention(self) -> None:
        """Raises Interrupted when the client has sent attention by now, Gone when it is not there any more."""
        if self._has_attention():
            raise Interrupted

    def _has_attention(self) -> bool:
        readable, _, _ = select.select([self._socket], [], [], 0)
        if not readable:
            return False
        return self.read_message()[0] == ATTENTION

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

# Frames of IBM i's host servers as bytes: numbers, code points, requests and replies. Knows no statement and no value.
"""`Request`, `receive`, `build_reply`, and the small numbers they are made of; all of it is big-endian.

What is known of it is what jt400 9.4 and 21.0.7 send and take; no IBM i was at hand.
"""

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

HEADER_BYTES = 20
# Linux answers at once only as long as it is asked to: else a request without a reply waits 40 ms to be acknowledged.
_QUICK = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
_ESCAPE = 0x1B
_PACKED = 0x00080000
_PACKED_PART = 0x3832
_PACKED_AT = 40

# Code pages by CCSID. 65535 is bytes.
CODECS = {37: "cp037", 273: "cp273", 500: "cp500", 819: "latin-1", 1140: "cp1140", 1200: "utf-16-be", 1208: "utf-8",
    13488: "utf-16-be"}  # fmt: skip


class Gone(Exception):
    """The other side closed the connection."""


def get_short(data: bytes, at: int = 0) -> int:
    """Two bytes without a sign."""
    return int.from_bytes(data[at : at + 2], "big")


def get_long(data: bytes, at: int = 0) -> int:
    """Four bytes without a sign."""
    return int.from_bytes(data[at : at + 4], "big")


def put_short(number: int) -> bytes:
    """Two bytes; a negative number as its complement."""
    return (number & 0xFFFF).to_bytes(2, "big")


def put_long(number: int) -> bytes:
    """Four bytes; a negative number as its complement."""
    return (number & 0xFFFFFFFF).to_bytes(4, "big")


def build_part(code_point: int, data: bytes = b"") -> bytes:
    """A parameter: its length with these six bytes, its code point, its data."""
    return put_long(len(data) + 6) + put_short(code_point) + data


@dataclass(frozen=True, slots=True)
class Request:
    """What the driver sent. `parts` are the parameters by code point."""

    id: int
    server: int
    correlation: int
    data: bytes
    parts: Mapping[int, bytes]

    @property
    def bitmap(self) -> int:
        """What a database request wants in its reply."""
        return get_long(self.data, 20)


def receive(connection: socket.socket) -> Request:
    """The next request, unpacked; raises Gone."""
    size = _read(connection, 4)
    data = _unpack(size + _read(connection, get_long(size) - 4))
    parts = _read_parts(data, HEADER_BYTES + get_short(data, 16))
    return Request(get_short(data, 18), get_short(data, 6), get_long(data, 12), data, parts)


def build_reply(request: Request, reply_id: int, template: bytes, parts: bytes = b"") -> bytes:
    """A reply to a request: the driver knows it by server and correlation."""
    size = HEADER_BYTES + len(template) + len(parts)
    header = struct.pack(">IHHIIHH", size, 0, request.server, 0, request.correlation, len(template), reply_id)
    return header + template + parts


def read_exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes; raises Gone."""
    return _read(connection, count)


def _read(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        connection.setsockopt(*_QUICK)
        more = connection.recv(count - len(data))
        if not more:
            raise Gone
        data += more
    return bytes(data)


def _read_parts(data: bytes, at: int) -> dict[int, bytes]:
    parts: dict[int, bytes] = {}
    while at + 6 <= len(data) and (size := get_long(data, at)) >= 6:
        parts[get_short(data, at + 4)] = data[at + 6 : at + size]
        at += size
    return parts


def _unpack(data: bytes) -> bytes:
    """A database request whose bitmap says that it is run-length packed, and that is: the driver packs what gains."""
    if len(data) < 46 or get_short(data, 6) != 0xE004 or not get_long(data, 20) & _PACKED:
        return data
    if get_short(data, _PACKED_AT + 4) != _PACKED_PART:
        return data
    return data[:_PACKED_AT] + expand(data[_PACKED_AT + 10 :])


def expand(packed: bytes) -> bytes:
    """1B 1B is 1B; 1B, two bytes and a count are those two bytes that often."""
    data, at = bytearray(), 0
    while at < len(packed):
        if packed[at] != _ESCAPE:
            data.append(packed[at])
            at += 1
        elif packed[at + 1] == _ESCAPE:
            data.append(_ESCAPE)
            at += 2
        else:
            data += packed[at + 1 : at + 3] * get_short(packed, at + 3)
            at += 5
    return bytes(data)

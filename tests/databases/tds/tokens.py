# The tokens of a server's replies as bytes. Knows types and columns, no sessions and no scripts.
"""Builders of LOGINACK, ENVCHANGE, ERROR, INFO, COLMETADATA, ROW and DONE."""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tests.databases.tds.columns import Column
from tests.databases.tds.types import LATIN

DONE_MORE, DONE_ERROR, DONE_IN_TRANSACTION, DONE_COUNT, DONE_ATTENTION = 0x01, 0x02, 0x04, 0x10, 0x20
SELECT, INSERT, DELETE, UPDATE, MERGE = 0xC1, 0xC3, 0xC4, 0xC5, 0x117

BEGUN, COMMITTED, ROLLED_BACK = 8, 9, 10


def build_prelogin(encrypts: bool = False) -> bytes:
    """Version 16.0, everything encrypted or nothing, no MARS."""
    options = [
        (0, bytes((16, 0, 0x10, 0, 0, 0))),
        (1, b"\x01" if encrypts else b"\x02"),
        (2, b"\0"),
        (3, b""),
        (4, b"\0"),
    ]
    at = len(options) * 5 + 1
    head = b""
    for number, value in options:
        head += struct.pack(">BHH", number, at, len(value))
        at += len(value)
    return head + b"\xff" + b"".join(value for _, value in options)


def build_login_reply(database: str, packet_size: int, server: str, with_utf8: bool) -> bytes:
    """What a successful login is answered with."""
    name = "Microsoft SQL Server"
    ack = bytes((1,)) + struct.pack(">I", 0x74000004) + _short_text(name) + bytes((16, 0, 0x10, 0))
    features = b"\xae" + (b"\x0a\x01\x00\x00\x00\x01" if with_utf8 else b"") + b"\xff"
    return b"".join(
        (
            _env(1, _short_text(database) + _short_text("master")),
            build_info(5701, f"Changed database context to '{database}'.", server),
            _env(7, bytes((len(LATIN),)) + LATIN + b"\0"),
            _env(2, _short_text("us_english") + b"\0"),
            build_info(5703, "Changed language setting to us_english.", server),
            _env(4, _short_text(str(packet_size)) + _short_text("4096")),
            b"\xad" + struct.pack("<H", len(ack)) + ack,
            features,
            build_done(),
        )
    )


def build_transaction(change: int, descriptor: int) -> bytes:
    """The transaction begun, committed or rolled back."""
    mark = b"\x08" + struct.pack("<Q", descriptor)
    return _env(change, mark + b"\0" if change == BEGUN else b"\0" + mark)


def build_reset() -> bytes:
    """The session is new again."""
    return _env(18, b"\0\0")


def _env(kind: int, body: bytes) -> bytes:
    return b"\xe3" + struct.pack("<HB", len(body) + 1, kind) + body


def _short_text(text: str) -> bytes:
    return bytes((len(text),)) + text.encode("utf-16-le")


def build_error(
    number: int, message: str, server: str, severity: int = 16, state: int = 1, line: int = 1, procedure: str = ""
) -> bytes:
    """An ERROR token."""
    return _message(0xAA, number, message, server, severity, state, line, procedure)


def build_info(number: int, message: str, server: str) -> bytes:
    """An INFO token: PRINT and the like."""
    return _message(0xAB, number, message, server, 10, 1, 1, "")


def _message(
    token: int, number: int, message: str, server: str, severity: int, state: int, line: int, procedure: str
) -> bytes:
    body = struct.pack("<iBBH", number, state, severity, len(message)) + message.encode("utf-16-le")
    body += _short_text(server) + _short_text(procedure) + struct.pack("<I", line)
    return bytes((token,)) + struct.pack("<H", len(body)) + body


def build_columns(columns: Sequence[Column]) -> bytes:
    """COLMETADATA."""
    parts = [b"\x81" + struct.pack("<H", len(columns))]
    for column in columns:
        parts.append(struct.pack("<IH", 0, column.flags) + column.type.info)
        if column.type.frame == "text":
            parts.append(b"\x01\x01\x00t\x00")
        parts.append(_short_text(column.name))
    return b"".join(parts)


def build_rows(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """A ROW token for each row."""
    packs: list[Callable[[Any], bytes]] = [column.type.pack for column in columns]
    for row in rows:
        yield b"\xd1" + b"".join([pack(value) for pack, value in zip(packs, row, strict=True)])


def build_done(status: int = 0, command: int = 0, count: int | None = None) -> bytes:
    """DONE; with a count it says how many rows."""
    if count is not None:
        status |= DONE_COUNT
    return b"\xfd" + struct.pack("<HHQ", status, command, count or 0)

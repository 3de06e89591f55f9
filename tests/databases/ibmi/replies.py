# The parts of a reply of the database server: formats, rows, SQLCA, attributes. Knows no request.
"""`build_format`, `build_rows`, `build_sqlca`, `build_attributes`; `read_format` and `read_rows` of what is sent."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.databases.ibmi.answers import UNMAPPED, Outcome, Ring, Row
from tests.databases.ibmi.columns import BIT_DATA, LOCATORS, LONG_VARCHAR, VARCHAR, VARYING_WIDE, Column
from tests.databases.ibmi.values import Formats, decode, decode_text, encode
from tests.databases.ibmi.wire import CODECS, build_part, get_long, get_short, put_long, put_short

DATA, FORMAT, MARKERS = 0x380E, 0x3812, 0x3813
_NAME = 0x3840
_COLUMN_BYTES, _MARKER_BYTES = 48, 64
_PARAMETER_IN = b"\xf0"
_NULL, _NOT_MAPPED = -1, -2
_SHORTENED = 0x80

Keep = Callable[[Any, Column], int]


@dataclass(slots=True)
class Job:
    """What a connection to the database knows: its code page, its formats, and the LOBs it has told handles of."""

    name: str
    ccsid: int
    level: str
    library: str = "QGPL"
    autocommit: bool = False
    formats: Formats = field(default_factory=Formats)
    lobs: dict[int, tuple[Any, Column]] = field(default_factory=dict)

    def keep(self, value: Any, column: Column) -> int:
        """The handle of a LOB."""
        handle = len(self.lobs) + 1
        self.lobs[handle] = (value, column)
        return handle

    def encode(self, text: str) -> bytes:
        """Text in the job's code page."""
        return text.encode(CODECS[self.ccsid], "replace")


def build_format(columns: Sequence[Column], job: Job, markers: bool = False) -> bytes:
    """The columns of a result, or the parameter markers: each marker of a LOB has a handle to write to."""
    width = sum(column.length for column in columns)
    head = put_long(1) + put_long(len(columns)) + bytes([job.formats.date, job.formats.time, 0, 0]) + put_long(width)
    fixed, names = bytearray(), bytearray()
    for place, column in enumerate(columns):
        name = put_long(8 + len(column.name)) + put_short(_NAME) + put_short(job.ccsid) + job.encode(column.name)
        handle = job.keep(bytearray(), column) if markers and column.type in LOCATORS else 0
        # The name's place is counted from the start of its own column.
        at = _COLUMN_BYTES * (len(columns) - place) + len(names)
        fixed += _build_column(column, handle) + put_long(at) + put_long(len(name)) + bytes(8)
        names += name
    return head + bytes(fixed) + bytes(names)


def _build_column(column: Column, handle: int) -> bytes:
    numbers = (column.scale, column.precision, column.ccsid)
    return (
        put_short(_COLUMN_BYTES)
        + put_short(column.type + column.nullable)
        + put_long(column.length)
        + b"".join(put_short(number) for number in numbers)
        + _PARAMETER_IN
        + bytes(2)
        + put_long(handle)
        + bytes(5)
        + put_long(column.lob_max)
        + bytes(2)
    )


def build_rows(columns: Sequence[Column], rows: Sequence[Row], job: Job) -> bytes:
    """Rows at full width, behind the indicators of all of them."""
    return _build_data_head(columns, len(rows)) + b"".join(_encode_rows(columns, rows, job))


def _encode_rows(columns: Sequence[Column], rows: Sequence[Row], job: Job) -> tuple[bytes, bytes]:
    """Indicators, values."""
    marks, data = bytearray(), bytearray()
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            mark = _NULL if value is None else _NOT_MAPPED if value is UNMAPPED else 0
            marks += struct.pack(">h", mark)
            data += encode(column, None if mark else value, job.formats, job.keep)
    return bytes(marks), bytes(data)


def make_ring(columns: Sequence[Column], rows: Sequence[Row], count: int) -> Ring:
    """So many rows, for jobs whose dates are ISO; none may hold a LOB."""
    marks, data = _encode_rows(columns, rows, Job("", 37, ""))
    return Ring(columns, rows, count=count, marks=marks, data=data)


def turn(ring: Ring, start: int, count: int) -> bytes:
    """`count` rows from the place `start` of all that the ring gives."""
    mark, width = 2 * len(ring.columns), sum(column.length for column in ring.columns)
    held = len(ring.data) // width
    first, rounds = start % held, (start % held + count - 1) // held + 1

    def cut(part: bytes, size: int) -> bytes:
        return (part * rounds)[first * size : (first + count) * size]

    return _build_data_head(ring.columns, count) + cut(ring.marks, mark) + cut(ring.data, width)


def _build_data_head(columns: Sequence[Column], count: int) -> bytes:
    width = sum(column.length for column in columns)
    return put_long(0) + put_long(count) + put_short(len(columns)) + put_short(2) + put_long(0) + put_long(width)


def build_sqlca(outcome: Outcome, job: Job) -> bytes:
    """136 bytes, texts in the job's code page."""
    return (
        job.encode("SQLCA   ")
        + put_long(136)
        + put_long(outcome.sqlcode)
        + put_short(0)
        + job.encode(" " * 70)
        + job.encode("QSQDOUBL")
        + b"".join(put_long(number) for number in outcome.counts)
        + job.encode(outcome.warned)
        + job.encode(outcome.state)
    )


def build_attributes(job: Job) -> bytes:
    """What the server says of a connection: code page, functional level, libraries, and the job's name."""
    numbers = (job.ccsid, job.formats.date, 0, job.formats.time, 0, 0, 0, 0, 0, 1)
    return (
        b"".join(put_short(number) for number in numbers)
        + b"\xf0"
        + put_short(job.ccsid)
        + put_short(0)
        + job.encode("ENU" + " " * 20 + "2924" + job.level)
        + job.encode("DOUBLE".ljust(18) + job.library.ljust(10) + job.name)
        + put_short(len(job.library))
        + job.encode(job.library.ljust(128))
    )


def build_messages(outcome: Outcome, bitmap: int, job: Job) -> bytes:
    """The message's name and its two texts, as far as they are wanted."""
    parts = build_part(0x3801, put_short(job.ccsid) + job.encode(outcome.message)) if bitmap & 0x40000000 else b""
    for wanted, code_point, text in ((0x20000000, 0x3802, outcome.text), (0x10000000, 0x3803, outcome.help)):
        if bitmap & wanted:
            data = job.encode(text)
            parts += build_part(code_point, put_short(job.ccsid) + put_short(len(data)) + data)
    return parts


# -- what the driver sends ---------------------------------------------------------------------------------------------


def read_format(data: bytes) -> list[Column]:
    """The types of the rows of parameters that will come."""
    columns = []
    for place in range(get_long(data, 4)):
        at = 16 + _MARKER_BYTES * place
        scale, precision, ccsid = (get_short(data, at + offset) for offset in (8, 10, 12))
        kind = get_short(data, at + 2) & ~1
        columns.append(Column(f"P{place + 1}", kind, get_long(data, at + 4), scale, precision, ccsid))
    return columns


def read_rows(data: bytes, columns: Sequence[Column], job: Job) -> list[Row]:
    """Rows of parameters. What is varying may come at its own length."""
    count, wide, mark = get_long(data, 4), get_short(data, 8), get_short(data, 10)
    shortened = bool(data[12] & _SHORTENED)
    at = 20 + count * wide * mark
    rows: list[Row] = []
    for number in range(count):
        row = []
        for place, column in enumerate(columns):
            is_null = mark > 0 and data[20 + (number * wide + place) * mark] & 0x80
            size = _measure(column, data, at) if shortened else column.length
            row.append(None if is_null else _read_value(column, data[at : at + size], job))
            at += size
        rows.append(tuple(row))
    return rows


def _measure(column: Column, data: bytes, at: int) -> int:
    # Bytes of varying length come at full length all the same, behind them whatever the driver's buffer held.
    if column.type in (VARCHAR, LONG_VARCHAR):
        return 2 + get_short(data, at)
    if column.type in VARYING_WIDE:
        return 2 + 2 * get_short(data, at)
    return column.length


def _read_value(column: Column, data: bytes, job: Job) -> Any:
    if column.type not in LOCATORS:
        return decode(column, data)
    content, own = job.lobs[get_long(data)]
    return bytes(content) if own.ccsid == BIT_DATA else decode_text(own, bytes(content))

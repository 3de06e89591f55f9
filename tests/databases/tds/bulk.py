# The payload of a bulk load: its columns and rows, decoded by code generated for them. Knows no sockets.
"""`read_columns`, `build_walker` (finds where rows end), `build_reader` (decodes them) and `Load`."""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.databases.tds.columns import Column
from tests.databases.tds.types import SqlType, read_type

COLMETADATA, ROW, NBC_ROW, DONE = 0x81, 0xD1, 0xD2, 0xFD
_BLOCK = 1 << 20

# (bytes, position, end of bytes, most rows) -> rows passed, position behind them
Walker = Callable[[bytes, int, int, int], tuple[int, int]]
# (bytes, position, end) -> rows
Reader = Callable[[bytes, int, int], list[tuple[Any, ...]]]


def read_columns(data: bytes) -> tuple[tuple[Column, ...], int] | None:
    """The columns that a payload begins with and where its rows begin; None when they have not arrived as yet."""
    try:
        return _read_columns(data)
    except (IndexError, struct.error):
        return None


def _read_columns(data: bytes) -> tuple[tuple[Column, ...], int]:
    if data[0] != COLMETADATA:
        raise ValueError(f"a bulk load begins with 0x{data[0]:02x}")
    columns = []
    at = 3
    for _ in range(struct.unpack_from("<H", data, 1)[0]):
        (flags,) = struct.unpack_from("<H", data, at + 4)
        type, at = read_type(data, at + 6)
        if type.frame == "text":
            at += 2 + 2 * struct.unpack_from("<H", data, at)[0]
        end = at + 1 + 2 * data[at]
        if end > len(data):
            raise IndexError
        name = data[at + 1 : end].decode("utf-16-le")
        columns.append(Column(name, type, bool(flags & 0x01), bool(flags & 0x10), bool(flags & 0x20)))
        at = end
    return tuple(columns), at


def skip_chunks(data: bytes, at: int) -> int:
    """The position behind a value sent in chunks."""
    if data[at : at + 8] == b"\xff" * 8:
        return at + 8
    at += 8
    while length := int.from_bytes(data[at : at + 4], "little"):
        at += 4 + length
        if at + 4 > len(data):
            raise IndexError
    return at + 4


def join_chunks(data: bytes, at: int) -> bytes | None:
    """A value sent in chunks."""
    if data[at : at + 8] == b"\xff" * 8:
        return None
    at += 8
    parts = []
    while length := int.from_bytes(data[at : at + 4], "little"):
        parts.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return b"".join(parts)


# The frames of values as source text: `v` is the value's variable, `d` its decoder. A walk leaves out the decoding.
_DECODE = {
    "fixed": ["{v} = {d}(data[p:p + {size}])", "p += {size}"],
    "byte": ["n = data[p]", "{v} = {d}(data[p + 1:p + 1 + n]) if n else None", "p += 1 + n"],
    "ushort": [
        "n = data[p] | data[p + 1] << 8",
        "if n == 65535: {v}, p = None, p + 2",
        "else: {v}, p = {d}(data[p + 2:p + 2 + n]), p + 2 + n",
    ],
    "plp": ["{v} = join_chunks(data, p)", "if {v} is not None: {v} = {d}({v})", "p = skip_chunks(data, p)"],
    "text": [
        "n = data[p]",
        "if n == 0: {v}, p = None, p + 1",
        "else:",
        "    p += 9 + n",
        "    n = int.from_bytes(data[p:p + 4], 'little')",
        "    {v}, p = {d}(data[p + 4:p + 4 + n]), p + 4 + n",
    ],
}
_WALK = {
    "fixed": ["p += {size}"],
    "byte": ["p += 1 + data[p]"],
    "ushort": ["n = data[p] | data[p + 1] << 8", "p += 2 if n == 65535 else 2 + n"],
    "plp": ["p = skip_chunks(data, p)"],
    "text": ["n = data[p]", "p += 1 if n == 0 else 13 + n + int.from_bytes(data[p + 9 + n:p + 13 + n], 'little')"],
}


def build_walker(types: Sequence[SqlType]) -> Walker:
    """Passes over the complete rows in a piece of payload."""
    lines = ["def run(data, at, end, most):", "    rows = 0", "    try:", "        while rows < most:"]
    lines += _row_lines(types, _WALK, " " * 12)
    lines += ["            if p > end: break", "            at = p", "            rows += 1"]
    lines += ["    except IndexError: pass", "    return rows, at"]
    walker: Walker = _compile(lines, types)
    return walker


def build_reader(types: Sequence[SqlType]) -> Reader:
    """Decodes complete rows."""
    lines = ["def run(data, at, end):", "    rows = []", "    while at < end:"]
    lines += _row_lines(types, _DECODE, " " * 8)
    lines += ["        rows.append((" + "".join(f"v{i}, " for i in range(len(types))) + "))", "        at = p"]
    lines += ["    return rows"]
    reader: Reader = _compile(lines, types)
    return reader


def _row_lines(types: Sequence[SqlType], frames: dict[str, list[str]], indent: str) -> list[str]:
    """The body of a loop over rows: it passes or decodes each value and leaves the position behind the row in `p`."""
    size = (len(types) + 7) // 8
    plain, with_nulls = (
        ["p = at + 1"],
        [f"nulls, p = int.from_bytes(data[at + 1:at + {1 + size}], 'little'), at + {1 + size}"],
    )
    for number, type in enumerate(types):
        lines = [line.format(v=f"v{number}", d=f"d{number}", size=type.size) for line in frames[type.frame]]
        plain += lines
        with_nulls += [f"if nulls >> {number} & 1: v{number} = None", "else:", *("    " + line for line in lines)]
    body = [f"if data[at] == {ROW}:", *("    " + line for line in plain)]
    body += [f"elif data[at] == {NBC_ROW}:", *("    " + line for line in with_nulls), "else: break"]
    return [indent + line for line in body]


def _compile(lines: list[str], types: Sequence[SqlType]) -> Any:
    scope: dict[str, Any] = {f"d{number}": type.decode for number, type in enumerate(types)}
    scope |= {"skip_chunks": skip_chunks, "join_chunks": join_chunks}
    exec("\n".join(lines), scope)
    return scope["run"]


class RowCounter:
    """Counts the complete rows of a payload that arrives in pieces."""

    def __init__(self) -> None:
        self.columns: tuple[Column, ...] = ()
        self.rows = 0
        self._walker: Walker | None = None
        self._rest = b""

    def feed(self, data: bytes, most: int) -> None:
        """Takes the next piece; stops counting at `most` rows in all."""
        data = self._rest + data if self._rest else data
        at = 0
        if self._walker is None:
            found = read_columns(data)
            if found is None:
                self._rest = data
                return
            self.columns, at = found
            self._walker = build_walker([column.type for column in self.columns])
        rows, at = self._walker(data, at, len(data), most - self.rows)
        self.rows += rows
        self._rest = data[at:]

    @property
    def is_complete(self) -> bool:
        """Whether nothing but the closing DONE is left over."""
        return not self._rest or self._rest[0] == DONE


@dataclass(frozen=True, slots=True)
class Load:
    """A bulk load that was answered with success. `path` holds its payload as it arrived."""

    session: int
    table: str
    statement: str
    rows: int
    path: Path

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns as the client has sent them."""
        with self.path.open("rb") as file:
            return self._read_head(file.read(_BLOCK))[0]

    def read_rows(self) -> Iterator[tuple[Any, ...]]:
        """The rows as Python values, in blocks of a megabyte."""
        with self.path.open("rb") as file:
            data = file.read(_BLOCK)
            columns, at = self._read_head(data)
            types = [column.type for column in columns]
            walk, read = build_walker(types), build_reader(types)
            while True:
                _, end = walk(data, at, len(data), 1 << 62)
                yield from read(data, at, end)
                more = file.read(_BLOCK)
                if not more:
                    return
                data, at = data[end:] + more, 0

    def _read_head(self, data: bytes) -> tuple[tuple[Column, ...], int]:
        found = read_columns(data)
        if found is None:
            raise ValueError("the payload ends in its columns")
        return found

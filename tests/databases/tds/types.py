# The types of SQL Server as TDS 7.4 carries them: TYPE_INFO, and values to bytes and back. Knows no rows, no sockets.
"""`parse_type("decimal(38,10)")` and `read_type(bytes, position)` give a `SqlType`.

Python values: bool, int, float, Decimal, str, bytes, UUID, date, time, datetime. A time, datetime2 or datetimeoffset
of scale 7 is finer than Python's and is text: `23:59:59.9999999`, `9999-12-31 23:59:59.9999999`,
`2024-02-29 12:00:00.1234567 +05:30`.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Literal
from uuid import UUID

from tests.databases.tds import temporal

# How the bytes of a value are delimited: not at all, by one or two bytes of length, in chunks, behind a text pointer.
Frame = Literal["fixed", "byte", "ushort", "plp", "text"]

CODE_PAGE = "cp1252"
COLLATION = "SQL_Latin1_General_CP1_CI_AS"
COLLATION_UTF8 = "Latin1_General_100_CI_AS_SC_UTF8"
LATIN = bytes.fromhex("0904d00034")
LATIN_UTF8 = bytes.fromhex("0904d02400")
UTF8_BIT = 0x04000000
_EXACT = Context(prec=80)

_TEXT = re.compile(r"\s*([a-z_0-9 ]+?)\s*(?:\(\s*(\w+)\s*(?:,\s*(\d+)\s*)?\))?\s*(?:collate\s+(\w+)\s*)?", re.I)
_INTEGERS = {"tinyint": (1, 0x30), "smallint": (2, 0x34), "int": (4, 0x38), "bigint": (8, 0x7F)}
_FIXED_NAMES = {
    0x32: "bit", 0x30: "tinyint", 0x34: "smallint", 0x38: "int", 0x7F: "bigint", 0x3B: "real", 0x3E: "float",
    0x7A: "smallmoney", 0x3C: "money", 0x3A: "smalldatetime", 0x3D: "datetime",
}  # fmt: skip
_SIZED_NAMES = {
    (0x68, 1): "bit", (0x26, 1): "tinyint", (0x26, 2): "smallint", (0x26, 4): "int", (0x26, 8): "bigint",
    (0x6D, 4): "real", (0x6D, 8): "float", (0x6E, 4): "smallmoney", (0x6E, 8): "money",
    (0x6F, 4): "smalldatetime", (0x6F, 8): "datetime", (0x24, 16): "uniqueidentifier",
}  # fmt: skip
_SCALED_NAMES = {0x29: "time", 0x2A: "datetime2", 0x2B: "datetimeoffset"}
_LONG_NAMES = {0xA5: "varbinary", 0xAD: "binary", 0xA7: "varchar", 0xAF: "char", 0xE7: "nvarchar", 0xEF: "nchar"}
_LONG_TOKENS = {name: token for token, name in _LONG_NAMES.items()}
_OLD_NAMES = {0x23: "text", 0x63: "ntext", 0x22: "image"}
_OLD_TOKENS = {name: token for token, name in _OLD_NAMES.items()}


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type: its T-SQL spelling, its TYPE_INFO, how values are framed and turned into bytes and back."""

    text: str
    frame: Frame
    info: bytes
    size: int
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return parse_type, (self.text, self.frame != "fixed")

    def pack(self, value: Any) -> bytes:
        """A value in its frame, as it stands in a ROW token."""
        if value is None:
            return _NULLS[self.frame]
        data = self.encode(value)
        if self.frame == "byte":
            return bytes((len(data),)) + data
        if self.frame == "ushort":
            return struct.pack("<H", len(data)) + data
        if self.frame == "plp":
            return _pack_chunks(data)
        if self.frame == "text":
            return b"\x10" + b"textpointer 1234" + b"timestmp" + struct.pack("<I", len(data)) + data
        return data


_NULLS = {"byte": b"\0", "ushort": b"\xff\xff", "plp": b"\xff" * 8, "text": b"\0"}
_CHUNK = 8040


def _pack_chunks(data: bytes) -> bytes:
    chunks = [data[i : i + _CHUNK] for i in range(0, len(data), _CHUNK)]
    body = b"".join(struct.pack("<I", len(chunk)) + chunk for chunk in chunks)
    return struct.pack("<Q", len(data)) + body + b"\0\0\0\0"


def parse_type(text: str, nullable: bool = True) -> SqlType:
    """The type of a T-SQL spelling; NOT NULL numbers and old dates have fixed forms without a length."""
    match = _TEXT.fullmatch(text)
    if not match:
        raise ValueError(f"not a type: {text!r}")
    name, first, second, collation = match.groups()
    name = _SYNONYMS.get(name.lower(), name.lower())
    if name == "sysname":
        return _make_long("nvarchar", "128")
    if name in _LONG_TOKENS:
        return _make_long(name, first or "1", bool(collation and collation.upper().endswith("_UTF8")))
    if name in ("decimal", "numeric"):
        return _make_decimal(name, int(first or 18), int(second or 0))
    if name in _SCALED_NAMES.values():
        return _make_scaled(name, int(first or 7))
    return _make_plain(name, nullable)


_SYNONYMS = {"rowversion": "timestamp", "integer": "int", "double precision": "float"}


def _make_plain(name: str, nullable: bool) -> SqlType:
    """A type without arguments."""
    if name in _INTEGERS:
        size, token = _INTEGERS[name]
        encode, decode = _integer_codec(size, signed=name != "tinyint")
        return _fixed_or_sized(name, size, token, 0x26, nullable, encode, decode)
    if name in _OLD_TOKENS:
        return _make_old(name)
    if name in _PLAIN:
        size, token, sized_token, encode, decode = _PLAIN[name]
        return _fixed_or_sized(name, size, token, sized_token, nullable, encode, decode)
    if name == "uniqueidentifier":
        return SqlType(name, "byte", b"\x24\x10", 16, _encode_uuid, _decode_uuid)
    if name == "date":
        return SqlType(name, "byte", b"\x28", 3, temporal.encode_date, temporal.decode_date)
    if name == "xml":
        return SqlType(name, "plp", b"\xf1\x00", 0, _encode_utf16, _decode_xml)
    if name == "timestamp":
        return SqlType(name, "ushort", b"\xad\x08\x00", 8, bytes, bytes)
    raise ValueError(f"the double has no type {name!r}")


def _fixed_or_sized(
    name: str, size: int, token: int, sized_token: int, nullable: bool, encode: Any, decode: Any
) -> SqlType:
    if nullable:
        return SqlType(name, "byte", bytes((sized_token, size)), size, encode, decode)
    return SqlType(name, "fixed", bytes((token,)), size, encode, decode)


def _make_decimal(name: str, precision: int, scale: int) -> SqlType:
    size = 5 if precision <= 9 else 9 if precision <= 19 else 13 if precision <= 28 else 17
    token = 0x6A if name == "decimal" else 0x6C
    info = bytes((token, size, precision, scale))

    def encode(value: Decimal | int | str) -> bytes:
        number = Decimal(value)
        digits = number.scaleb(scale, _EXACT)
        if digits != digits.to_integral_value() or len(str(abs(int(digits)))) > precision:
            raise ValueError(f"{value} does not fit {name}({precision},{scale})")
        return bytes((0 if number.is_signed() else 1,)) + abs(int(digits)).to_bytes(size - 1, "little")

    def decode(data: bytes) -> Decimal:
        number = int.from_bytes(data[1:], "little")
        return Decimal(number if data[0] else -number).scaleb(-scale, _EXACT)

    return SqlType(f"{name}({precision},{scale})", "byte", info, size, encode, decode)


def _make_scaled(name: str, scale: int) -> SqlType:
    token = next(token for token, scaled in _SCALED_NAMES.items() if scaled == name)
    encode, decode = temporal.make_codec(name, scale)
    size = temporal.time_size(scale) + {"time": 0, "datetime2": 3, "datetimeoffset": 5}[name]
    return SqlType(f"{name}({scale})", "byte", bytes((token, scale)), size, encode, decode)


def _make_long(name: str, length: str, utf8: bool = False) -> SqlType:
    """char, varchar, nchar, nvarchar, binary, varbinary; `length` in the type's own units or `max`."""
    wide = name.startswith("n")
    is_max = length.lower() == "max"
    size = 0xFFFF if is_max else int(length) * (2 if wide else 1)
    info = bytes((_LONG_TOKENS[name],)) + struct.pack("<H", size)
    encode, decode = _long_codec(name, wide, utf8)
    if "char" in name:
        info += LATIN_UTF8 if utf8 else LATIN
    text = f"{name}({length.lower()})" + (f" collate {COLLATION_UTF8}" if utf8 else "")
    if not is_max:
        encode = _check_length(text, size, encode, {"binary": b"\0", "char": b" ", "nchar": b" \0"}.get(name, b""))
    return SqlType(text, "plp" if is_max else "ushort", info, size, encode, decode)


def _long_codec(name: str, wide: bool, utf8: bool) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    if "binary" in name:
        return bytes, bytes
    if wide:
        return _encode_utf16, _decode_utf16
    page = "utf-8" if utf8 else CODE_PAGE
    return (lambda value: value.encode(page)), (lambda data: data.decode(page))


def _check_length(text: str, size: int, encode: Callable[[Any], bytes], pad: bytes) -> Callable[[Any], bytes]:
    def checked(value: Any) -> bytes:
        data = encode(value)
        if len(data) > size:
            raise ValueError(f"a value of {len(data)} bytes does not fit {text}")
        return data + pad * ((size - len(data)) // len(pad)) if pad else data

    return checked


def _make_old(name: str) -> SqlType:
    """text, ntext, image: sent behind a text pointer."""
    encode, decode = _long_codec(
        {"text": "varchar", "ntext": "nvarchar", "image": "binary"}[name], name == "ntext", False
    )
    info = bytes((_OLD_TOKENS[name],)) + struct.pack("<i", 0x7FFFFFFE if name == "ntext" else 0x7FFFFFFF)
    return SqlType(name, "text", info + (b"" if name == "image" else LATIN), 0, encode, decode)


def _integer_codec(size: int, signed: bool) -> tuple[Callable[[int], bytes], Callable[[bytes], int]]:
    return (
        lambda value: int(value).to_bytes(size, "little", signed=signed),
        lambda data: int.from_bytes(data, "little", signed=signed),
    )


def _encode_money(value: Decimal | int | str) -> bytes:
    high, low = divmod(int(Decimal(value).scaleb(4, _EXACT)), 1 << 32)
    return struct.pack("<iI", high, low)


def _decode_money(data: bytes) -> Decimal:
    high, low = struct.unpack("<iI", data)
    return Decimal((high << 32) + low).scaleb(-4, _EXACT)


def _encode_smallmoney(value: Decimal | int | str) -> bytes:
    return struct.pack("<i", int(Decimal(value).scaleb(4, _EXACT)))


def _decode_smallmoney(data: bytes) -> Decimal:
    return Decimal(int.from_bytes(data, "little", signed=True)).scaleb(-4, _EXACT)


def _encode_utf16(value: str) -> bytes:
    return value.encode("utf-16-le", "surrogatepass")


def _decode_utf16(data: bytes) -> str:
    return data.decode("utf-16-le", "surrogatepass")


def _decode_xml(data: bytes) -> str:
    return data.decode("utf-16-le").removeprefix("\ufeff")


def _encode_uuid(value: UUID | str) -> bytes:
    return (value if isinstance(value, UUID) else UUID(value)).bytes_le


def _decode_uuid(data: bytes) -> UUID:
    return UUID(bytes_le=bytes(data))


# name -> size, token of the fixed form, token of the form with a length, encode, decode
_PLAIN: dict[str, tuple[int, int, int, Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "bit": (1, 0x32, 0x68, lambda value: b"\1" if value else b"\0", lambda data: data != b"\0"),
    "real": (4, 0x3B, 0x6D, struct.Struct("<f").pack, lambda data: struct.unpack("<f", data)[0]),
    "float": (8, 0x3E, 0x6D, struct.Struct("<d").pack, lambda data: struct.unpack("<d", data)[0]),
    "money": (8, 0x3C, 0x6E, _encode_money, _decode_money),
    "smallmoney": (4, 0x7A, 0x6E, _encode_smallmoney, _decode_smallmoney),
    "datetime": (8, 0x3D, 0x6F, temporal.encode_datetime, temporal.decode_datetime),
    "smalldatetime": (4, 0x3A, 0x6F, temporal.encode_smalldatetime, temporal.decode_smalldatetime),
}


def read_type(data: bytes, at: int) -> tuple[SqlType, int]:
    """The type of a TYPE_INFO at a position, and the position behind it."""
    token = data[at]
    if token in _FIXED_NAMES:
        return parse_type(_FIXED_NAMES[token], nullable=False), at + 1
    if token == 0x28:
        return parse_type("date"), at + 1
    if token in _SCALED_NAMES:
        return _make_scaled(_SCALED_NAMES[token], data[at + 1]), at + 2
    if token in (0x6A, 0x6C):
        return _make_decimal("decimal" if token == 0x6A else "numeric", data[at + 2], data[at + 3]), at + 4
    if (token, data[at + 1]) in _SIZED_NAMES:
        return parse_type(_SIZED_NAMES[token, data[at + 1]]), at + 2
    if token == 0xF1:
        return parse_type("xml"), at + 2
    if token in _LONG_NAMES:
        return _read_long(token, data, at)
    if token in _OLD_NAMES:
        return _make_old(_OLD_NAMES[token]), at + (5 if token == 0x22 else 10)
    raise ValueError(f"unknown type token 0x{token:02x} at {at}")


def _read_long(token: int, data: bytes, at: int) -> tuple[SqlType, int]:
    name = _LONG_NAMES[token]
    size = int.from_bytes(data[at + 1 : at + 3], "little")
    length = "max" if size == 0xFFFF else str(size // 2 if name.startswith("n") else size)
    if "binary" in name:
        return _make_long(name, length), at + 3
    collation = int.from_bytes(data[at + 3 : at + 7], "little")
    return _make_long(name, length, bool(collation & UTF8_BIT)), at + 8

# A value of a column as the bytes of a row, and back. Knows no request.
"""`encode` and `decode`.

Python's values: int, float, Decimal, str, bytes, date, time, and for a timestamp a datetime or the text of all its
digits, `2024-02-29-13.05.09.123456789012`; bytes for a number are sent as they are, and may be none.
LOBs travel apart: `keep` takes one and gives the handle that the row has.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.databases.ibmi import columns as kinds
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.decimals import float_decimal, pack, unfloat_decimal, unpack, unzone, zone
from tests.databases.ibmi.wire import CODECS, get_long, get_short, put_long, put_short

# By the numbers that the driver sets: 0 julian, 1 mdy, 2 dmy, 3 ymd, 4 usa, 5 iso, 6 eur, 7 jis.
_DATES = ("%y/%j", "%m/%d/%y", "%d/%m/%y", "%y/%m/%d", "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d")
# 0 hms, 1 usa, 2 iso, 3 eur, 4 jis.
_TIMES = ("%H:%M:%S", "%I:%M %p", "%H.%M.%S", "%H.%M.%S", "%H:%M:%S")
_INTEGERS = (kinds.SMALLINT, kinds.INTEGER, kinds.BIGINT)
_WIDE = (*kinds.VARYING_WIDE, kinds.DBCLOB, kinds.DBCLOB_LOCATOR)


@dataclass(frozen=True, slots=True)
class Formats:
    """How a connection spells dates and times."""

    date: int = 5
    time: int = 2


def encode(column: Column, value: Any, formats: Formats, keep: Callable[[Any, Column], int]) -> bytes:
    """The bytes of a row; raises OverflowError for what is too long."""
    if value is None:
        return bytes(column.length)
    if column.type in kinds.LOCATORS:
        return put_long(keep(value, column))
    if isinstance(value, bytes) and column.type in kinds.NUMBERS:
        return value
    if column.type in _INTEGERS:
        return int(value).to_bytes(column.length, "big", signed=True)
    return _encode_number(column, value) or _pad(column, _encode_text(column, value, formats))


def _encode_number(column: Column, value: Any) -> bytes:
    if column.type == kinds.DECIMAL:
        return pack(Decimal(value), column.precision, column.scale)
    if column.type == kinds.NUMERIC:
        return zone(Decimal(value), column.precision, column.scale)
    if column.type == kinds.DECFLOAT:
        return float_decimal(Decimal(value), column.precision)
    if column.type == kinds.FLOAT:
        return struct.pack(">f" if column.length == 4 else ">d", value)
    return b""


def _encode_text(column: Column, value: Any, formats: Formats) -> bytes:
    if column.type in (kinds.DATE, kinds.TIME, kinds.TIMESTAMP):
        return _spell_moment(column, value, formats).encode("cp037")
    data = encode_text(column, value)
    if column.type in (*kinds.VARYING, *kinds.VARYING_WIDE):
        return put_short(count_units(column, data)) + data
    if column.type in (kinds.BLOB, kinds.CLOB, kinds.DBCLOB):
        return put_long(count_units(column, data)) + data
    return data


def encode_text(column: Column, value: Any) -> bytes:
    """Text by the column's code page; bytes stay."""
    return bytes(value) if isinstance(value, bytes | bytearray) else str(value).encode(CODECS[column.ccsid])


def count_units(column: Column, data: bytes) -> int:
    """The length that is told: characters of two bytes for graphic types, else bytes."""
    return len(data) // 2 if column.type in _WIDE else len(data)


def _spell_moment(column: Column, value: Any, formats: Formats) -> str:
    if isinstance(value, str):
        return value
    if column.type == kinds.TIME:
        return str(value.strftime(_TIMES[formats.time]))
    # strftime writes the year 1 as 1.
    year = f"{value.year:04d}"
    if column.type == kinds.DATE:
        return str(value.strftime(_DATES[formats.date].replace("%Y", year)))
    text: str = year + value.strftime("-%m-%d-%H.%M.%S.%f")
    return text[:19] if column.length == 19 else text[: column.length].ljust(column.length, "0")


def _pad(column: Column, data: bytes) -> bytes:
    """Fixed text is filled with blanks of its code page, what is varying with zeros nobody looks at."""
    if len(data) > column.length:
        raise OverflowError(f"{column.name}: {len(data)} bytes for {column.length}")
    filler = b"\0"
    if column.type in (kinds.CHAR, kinds.GRAPHIC, kinds.DATE, kinds.TIME) and column.ccsid != kinds.BIT_DATA:
        filler = " ".encode(CODECS[column.ccsid])
    return data + filler * ((column.length - len(data)) // len(filler))


# -- what the driver sends ---------------------------------------------------------------------------------------------


def decode(column: Column, data: bytes) -> Any:
    """A parameter's value; dates and times as the text that was sent."""
    if column.type in _INTEGERS:
        return int.from_bytes(data, "big", signed=True)
    if column.type == kinds.DECIMAL:
        return unpack(data, column.scale)
    if column.type == kinds.NUMERIC:
        return unzone(data, column.scale)
    if column.type == kinds.DECFLOAT:
        return unfloat_decimal(data)
    if column.type == kinds.FLOAT:
        return struct.unpack(">f" if len(data) == 4 else ">d", data)[0]
    if column.type in (kinds.DATE, kinds.TIME, kinds.TIMESTAMP):
        return data.decode("cp037").rstrip(" ")
    return decode_text(column, _cut_text(column, data))


def decode_text(column: Column, data: bytes) -> Any:
    """Text by the column's code page, without the blanks that fill CHAR and GRAPHIC up; bytes of binary types."""
    if column.ccsid in (kinds.BIT_DATA, 0):
        return data
    text = data.decode(CODECS[column.ccsid])
    return text.rstrip(" ") if column.type in (kinds.CHAR, kinds.GRAPHIC) else text


def _cut_text(column: Column, data: bytes) -> bytes:
    if column.type in kinds.VARYING:
        return data[2 : 2 + get_short(data)]
    if column.type in kinds.VARYING_WIDE:
        return data[2 : 2 + 2 * get_short(data)]
    if column.type in (kinds.BLOB, kinds.CLOB, kinds.DBCLOB):
        return data[4 : 4 + get_long(data) * (2 if column.type == kinds.DBCLOB else 1)]
    return data

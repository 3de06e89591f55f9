# Dates and times of SQL Server to bytes and back. Knows no TYPE_INFO and no frames.
"""Scale 7 is text both ways, as Python has microseconds only; text is taken for every scale."""

import re
import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Any

_EPOCH_1900 = datetime(1900, 1, 1)
_TICKS_PER_DAY = 86_400 * 10**7
_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ T]?)?(?:(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?)?\s*(?:([+-])(\d\d):(\d\d))?")

Encode = Callable[[Any], bytes]
Decode = Callable[[bytes], Any]


def time_size(scale: int) -> int:
    """How many bytes a time of day of this scale has."""
    return 3 if scale <= 2 else 4 if scale <= 4 else 5


def encode_date(value: date | str) -> bytes:
    """Days since 0001-01-01."""
    day = value if isinstance(value, date) else date.fromisoformat(value)
    return (day.toordinal() - 1).to_bytes(3, "little")


@lru_cache(4096)
def decode_date(data: bytes) -> date:
    """See `encode_date`. Most columns hold few different days."""
    return date.fromordinal(int.from_bytes(data, "little") + 1)


def encode_datetime(value: datetime | str) -> bytes:
    """Days since 1900 and 300ths of a second."""
    moment = _to_datetime(value) - _EPOCH_1900
    thirds = (moment.seconds * 1_000_000 + moment.microseconds) * 3
    return struct.pack("<iI", moment.days, (thirds + 5_000) // 10_000)


def decode_datetime(data: bytes) -> datetime:
    """As SQL Server shows it: to the millisecond, which ends in 0, 3 or 7."""
    days, ticks = struct.unpack("<iI", data)
    return _EPOCH_1900 + timedelta(days=days, milliseconds=(ticks * 10 + 1) // 3)


def encode_smalldatetime(value: datetime | str) -> bytes:
    """Days since 1900 and minutes."""
    moment = _to_datetime(value) - _EPOCH_1900
    return struct.pack("<HH", moment.days, moment.seconds // 60)


def decode_smalldatetime(data: bytes) -> datetime:
    """See `encode_smalldatetime`."""
    days, minutes = struct.unpack("<HH", data)
    return _EPOCH_1900 + timedelta(days=days, minutes=minutes)


def _to_datetime(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def make_codec(name: str, scale: int) -> tuple[Encode, Decode]:
    """The codec of time, datetime2 or datetimeoffset."""
    size = time_size(scale)
    unit = 10 ** (7 - scale)

    def encode(value: Any) -> bytes:
        ordinal, ticks, offset = _split(value)
        if name == "datetimeoffset":
            days, ticks = divmod(ordinal * _TICKS_PER_DAY + ticks - offset * 600_000_000, _TICKS_PER_DAY)
            clock = _encode_clock(ticks, unit, size)
            return clock + (days - 1).to_bytes(3, "little") + struct.pack("<h", offset)
        clock = _encode_clock(ticks, unit, size)
        return clock if name == "time" else clock + (ordinal - 1).to_bytes(3, "little")

    def decode(data: bytes) -> Any:
        ticks = int.from_bytes(data[:size], "little") * unit
        if name == "time":
            return _time_text(ticks) if scale == 7 else (datetime.min + timedelta(microseconds=ticks // 10)).time()
        ordinal = int.from_bytes(data[size : size + 3], "little") + 1
        if name == "datetime2":
            return _join(ordinal, ticks, scale)
        offset = int.from_bytes(data[size + 3 :], "little", signed=True)
        days, ticks = divmod(ordinal * _TICKS_PER_DAY + ticks + offset * 600_000_000, _TICKS_PER_DAY)
        local = _join(days, ticks, scale)
        if isinstance(local, datetime):
            return local.replace(tzinfo=timezone(timedelta(minutes=offset)))
        return f"{local} {'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"

    return encode, decode


def _encode_clock(ticks: int, unit: int, size: int) -> bytes:
    if ticks % unit:
        raise ValueError(f"{_time_text(ticks)} has more digits than the type")
    return (ticks // unit).to_bytes(size, "little")


def _join(ordinal: int, ticks: int, scale: int) -> datetime | str:
    if scale == 7:
        return f"{_day_text(ordinal)} {_time_text(ticks)}"
    return datetime.min + timedelta(ordinal - 1, 0, ticks // 10)


@lru_cache(4096)
def _day_text(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


def _time_text(ticks: int) -> str:
    seconds, fraction = divmod(ticks, 10**7)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:07}"


def _split(value: Any) -> tuple[int, int, int]:
    """A moment as the day's ordinal, 100 ns since midnight, and minutes east of UTC; all local."""
    if isinstance(value, str):
        return _split_text(value)
    offset = value.utcoffset() if isinstance(value, datetime) else None
    ordinal = value.toordinal() if isinstance(value, date) else 0
    clock = value if isinstance(value, datetime | time) else time()
    seconds = clock.hour * 3600 + clock.minute * 60 + clock.second
    minutes = offset // timedelta(minutes=1) if offset else 0
    return ordinal, seconds * 10**7 + clock.microsecond * 10, minutes


def _split_text(text: str) -> tuple[int, int, int]:
    match = _CLOCK.fullmatch(text.strip())
    if not match:
        raise ValueError(f"not a date or time: {text!r}")
    day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    seconds = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    offset = (int(hours or 0) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
    ordinal = date.fromisoformat(day).toordinal() if day else 0
    return ordinal, seconds * 10**7 + int((fraction or "").ljust(7, "0")), offset

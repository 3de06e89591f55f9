# What a value becomes in a column of another type, as Db2 casts it. Knows no table and no SQL.
"""`cast`; `keep` and `give`, as SQLite has decimals and moments as text, and bytes as bytes."""

import datetime as dt
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from typing import Any

from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import Outcome, fail
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.wire import CODECS

_WIDE = Context(prec=80)
_INTEGERS = {c.SMALLINT: 15, c.INTEGER: 31, c.BIGINT: 63}
_TEXTS = (c.CHAR, c.VARCHAR, c.GRAPHIC, c.VARGRAPHIC, c.CLOB_LOCATOR, c.DBCLOB_LOCATOR, c.XML_LOCATOR)
OUT_OF_RANGE = fail(-802, "22003", "Data conversion or data mapping error.")
TOO_LONG = fail(-404, "22001", "Value too long.")
NO_NUMBER = fail(-420, "22018", "Character in CAST argument not valid.")


class CastFailed(Exception):
    """A value that does not fit."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


def cast(column: Column, value: Any) -> Any:
    """The value as SQLite keeps it in a column of the type; raises CastFailed."""
    if value is None:
        return None
    if column.type in _INTEGERS:
        return _limit(int(_read_number(value)), _INTEGERS[column.type])
    if column.type in (c.DECIMAL, c.NUMERIC):
        return _cut_decimal(column, _read_number(value))
    if column.type == c.DECFLOAT:
        return str(_read_number(value))
    if column.type == c.FLOAT:
        return float(value)
    if column.type in _TEXTS and column.ccsid != c.BIT_DATA:
        return _cut_text(column, value)
    return value


def _read_number(value: Any) -> Decimal:
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        raise CastFailed(NO_NUMBER) from None


def _limit(number: int, bits: int) -> int:
    if not -(1 << bits) <= number < 1 << bits:
        raise CastFailed(OUT_OF_RANGE)
    return number


def _cut_decimal(column: Column, number: Decimal) -> str:
    """Digits behind the scale are cut off, as Db2 does; digits before it are an error."""
    if not number.is_finite():
        raise CastFailed(OUT_OF_RANGE)
    cut = number.quantize(Decimal(1).scaleb(-column.scale), rounding=ROUND_DOWN, context=_WIDE)
    if len(cut.as_tuple().digits) > column.precision and cut.adjusted() >= column.precision - column.scale:
        raise CastFailed(OUT_OF_RANGE)
    return format(cut, "f")


def _cut_text(column: Column, value: Any) -> str:
    """Characters that the code page lacks become its substitute; blanks at the end may be cut."""
    text = value.decode(CODECS[column.ccsid]) if isinstance(value, bytes) else str(value)
    text = "".join(_substitute(letter, column.ccsid) for letter in text)
    size = _find_size(column)
    if size and _count(column, text) > size:
        if _count(column, text.rstrip(" ")) > size:
            raise CastFailed(TOO_LONG)
        text = text[:size]
    return text.ljust(size) if column.type in (c.CHAR, c.GRAPHIC) else text


def _substitute(letter: str, ccsid: int) -> str:
    try:
        letter.encode(CODECS[ccsid])
    except UnicodeEncodeError:
        return "\x1a"
    return letter


def _find_size(column: Column) -> int:
    if column.type in c.LOCATORS:
        return 0
    if column.type in (c.GRAPHIC, c.VARGRAPHIC):
        return column.scale
    return column.length - 2 if column.type == c.VARCHAR else column.length


def _count(column: Column, text: str) -> int:
    size = len(text.encode(CODECS[column.ccsid]))
    return size // 2 if column.ccsid in (1200, 13488) else size


def keep(column: Column, value: Any) -> Any:
    """A value as SQLite keeps it."""
    if isinstance(value, dt.datetime):
        return f"{value.year:04d}" + value.strftime("-%m-%d-%H.%M.%S.%f")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value if isinstance(value, bytes) else cast(column, value)


def give(column: Column, value: Any) -> Any:
    """A kept value as the wire takes it."""
    if value is None:
        return None
    if column.type in (c.DECIMAL, c.NUMERIC, c.DECFLOAT):
        return Decimal(str(value))
    if column.type == c.DATE:
        return dt.date.fromisoformat(value[:10])
    if column.type == c.TIME:
        return dt.time.fromisoformat(value.replace(".", ":"))
    return value

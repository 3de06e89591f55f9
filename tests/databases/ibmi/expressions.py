# What expressions of a select list are in the double: their types, and the functions that SQLite lacks. Knows no bytes.
"""`find_type` and `FUNCTIONS`; who does not know an expression guesses its type by what came of it."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.databases.ibmi import columns as c
from tests.databases.ibmi.answers import fail
from tests.databases.ibmi.casting import CastFailed
from tests.databases.ibmi.columns import Column
from tests.databases.ibmi.dialect import fold, split_list
from tests.databases.ibmi.spelling import parse_type

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_#$@][\w#$@]*)'
_PLAIN = re.compile(rf"(?:{_NAME}\.)*({_NAME})\Z")
_ALIASED = re.compile(rf"(.+?)(?:\s+AS\s+({_NAME}))?\Z", re.IGNORECASE | re.DOTALL)
_CALL = re.compile(r"([A-Z_]+)\((.*)\)\Z", re.IGNORECASE | re.DOTALL)
_CAST = re.compile(r"CAST\((.+) AS ([^()]+(?:\([\d, ]+\))?[^()]*)\)\Z", re.IGNORECASE | re.DOTALL)
_TYPED: Mapping[str, Callable[[str], Column]] = {
    "DATE": c.date,
    "TIME": c.time,
    "RRN": lambda name: c.decimal(name, 15, 0),
    "COUNT": c.integer,
}
# Whose value is one of what stands in them.
_SAME = ("MAX", "MIN", "COALESCE")
_CASE = re.compile(r"CASE WHEN .* THEN (.+?) ELSE (.+) END\Z", re.IGNORECASE | re.DOTALL)


def find_type(item: str, known: Mapping[str, Column]) -> Column | None:
    """The type of an item of a select list; `known` are the columns of its tables by name."""
    expression = (_ALIASED.match(item.strip()) or ["", item])[1]
    if plain := _PLAIN.match(expression):
        return known.get(fold(plain[1]))
    if made := _CAST.match(expression):
        return parse_type("", made[2])
    if case := _CASE.match(expression):
        return find_type(case[1], known)
    call = _CALL.match(expression)
    if call is None:
        return None
    if call[1].upper() in _SAME:
        return find_type(split_list(call[2])[0], known)
    build = _TYPED.get(call[1].upper())
    return build("") if build else None


def _to_decimal(value: Any, digits: int, scale: int) -> str | None:
    """DEC, of whole numbers: kept with all its digits, as DIGITS wants them."""
    if value is None:
        return None
    assert scale == 0
    number = int(value)
    if abs(number) >= 10**digits:
        raise CastFailed(fail(-802, "22003", "Data conversion or data mapping error."))
    return f"{number:0{digits}d}"


def _read_moment(text: str | None, form: str) -> str | None:
    """TIMESTAMP_FORMAT of the two forms that are sent; the day of one without is left to the system."""
    if text is None:
        return None
    try:
        moment = dt.datetime.strptime(text, {"YYYYMMDD": "%Y%m%d", "HH24MISS": "%H%M%S"}[form])
    except ValueError:
        raise CastFailed(fail(-20448, "22007", f"Expression not valid using format string {form}.")) from None
    return f"{moment.year:04d}{moment:-%m-%d %H:%M:%S}"


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "DEC": (3, _to_decimal),
    "MOD": (2, lambda number, by: None if number is None else int(number) % by),
    "DIGITS": (1, lambda value: None if value is None else str(value).lstrip("-")),
    "TIMESTAMP_FORMAT": (2, _read_moment),
    "DATE": (1, lambda text: text and text[:10]),
    "TIME": (1, lambda text: text and text[11:]),
}

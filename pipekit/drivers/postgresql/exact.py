# Which values a PostgreSQL column would change silently, told from the value and the column's type. Pure.
"""Checks of single values: each gives a reason, or `""` when the column keeps the value as it is."""

import json
import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from pipekit.drivers.postgresql.types import (
    FLOATS,
    GEOMETRY,
    INTEGERS,
    MOMENT_RANGES,
    STRINGS,
    TIMES,
    Spelling,
    parse_type,
)

Check = Callable[[object], str]
Glance = Callable[[Sequence[Any]], bool]

_DAY = r"\d{4,7}-\d\d-\d\d"
_CLOCK = r"(?:[01]\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:\.(?P<fraction>\d+))?)?"
_ZONE = r" ?(?P<zone>Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)"
_DATE = re.compile(rf"-?infinity|{_DAY}(?:[ T]00:00(?::00(?:\.0+)?)?)?(?: BC)?", re.ASCII)
_TIMESTAMP = re.compile(rf"-?infinity|{_DAY}(?:[ T]{_CLOCK}(?:{_ZONE})?)?(?: BC)?", re.ASCII)
_TIME = re.compile(rf"{_CLOCK}(?:{_ZONE})?", re.ASCII)
_UTC = re.compile(r"Z|[+-]00(?::?00)*")
_WORD = re.compile(r"[A-Za-z]+", re.ASCII)
_TIME_WORDS = frozenset({"null", "infinity", "bc", "empty", "t", "z"})
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_LONG_FRACTION = re.compile(r"\.\d{6}\d*[1-9]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """How a column's values are checked: those of the `safe` Python types never need it.

    `glances` tell in one go that all values of one Python type are fine; where they do not, each value is looked at.
    """

    safe: frozenset[type]
    check: Check
    glances: Mapping[type, Glance]


def build_rule(type_text: str) -> Rule:
    """The rule of a column type."""
    type_ = parse_type(type_text)
    safe, check = _choose(type_)
    glances = {} if type_.dimensions else _choose_glances(type_)
    return Rule(frozenset({type(None), *safe}), check, glances)


def _choose(type_: Spelling) -> tuple[tuple[type, ...], Check]:
    base, arguments = type_.base, type_.arguments
    if type_.dimensions or base in MOMENT_RANGES or base in GEOMETRY:
        return _choose_parts(base)
    if base in INTEGERS:
        return (int, bool, str), check_integer
    if base == "numeric":
        return ((int, str, float, Decimal), check_not_bytes) if not arguments else _choose_numeric(arguments)
    if base == "money":
        return (int,), partial(check_scale, scale=2)
    if base in FLOATS:
        return ((float,) if base == "double precision" else ()), partial(check_float, single=base == "real")
    if base in STRINGS:
        return _choose_string(base, arguments)
    if base in (*TIMES, "date", "interval"):
        return (), _choose_time(base, (*arguments, 6)[0])
    if base == "bytea":
        return (bytes,), check_is_bytes
    if base == "jsonb":
        return (int, float), check_json_keys
    return (str, int, float, bool), check_not_bytes


def _choose_parts(base: str) -> tuple[tuple[type, ...], Check]:
    """A text with values in it, which the server reads for itself."""
    if base in (*TIMES, "date", "interval") or base in MOMENT_RANGES:
        return (), partial(check_moments, worded=base == "interval")
    if base in FLOATS or base in GEOMETRY:
        return (), partial(check_floats, single=base == "real")
    return (str,), check_not_bytes


def _choose_numeric(arguments: tuple[int, ...]) -> tuple[tuple[type, ...], Check]:
    scale = (*arguments, 0)[1]
    return ((int,) if scale >= 0 else ()), partial(check_scale, scale=scale)


def _choose_string(base: str, arguments: tuple[int, ...]) -> tuple[tuple[type, ...], Check]:
    if base == "name" or base == '"char"':
        return (), partial(check_bytes_length, limit=63 if base == "name" else 1)
    if arguments:
        return (), partial(check_length, limit=arguments[0], padded=base == "character")
    return (str, int, float), check_not_bytes


def _choose_time(base: str, digits: int) -> Check:
    if base == "date":
        return check_date
    if base == "interval":
        return check_interval
    shape = _TIME if base.startswith("time ") else _TIMESTAMP
    return partial(check_time, shape=shape, digits=digits, zoned=base.endswith("with time zone"))


def _choose_glances(type_: Spelling) -> dict[type, Glance]:
    base, arguments = type_.base, type_.arguments
    if base == "character varying" and arguments:
        return {str: lambda texts: max(map(len, texts)) <= arguments[0]}
    if base == "character":
        return {str: lambda texts: set(map(len, texts)) == {arguments[0]}}
    if base == "real":
        return {float: _fit_single}
    shape = _find_usual_shape(base, (*arguments, 6)[0])
    return {str: partial(_have_shape, re.compile(rf"(?:{shape}\n)*+", re.ASCII))} if shape else {}


def _find_usual_shape(base: str, digits: int) -> str:
    """How most values of a date or a timestamp are written."""
    if base == "date":
        return _DAY
    if base not in TIMES[:2]:
        return ""
    zone = r"(?:Z|[+-]\d\d(?::?\d\d)?)?" if base == TIMES[1] else ""
    fraction = rf"(?:\.\d{{1,{digits}}})?" if digits else ""
    return rf"{_DAY}[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d{fraction}{zone}"


def _have_shape(lines: "re.Pattern[str]", texts: Sequence[str]) -> bool:
    """Whether each text is of a shape, by one look at all of them as lines."""
    joined = "\n".join(texts)
    return joined.count("\n") == len(texts) - 1 and lines.fullmatch(joined + "\n") is not None


def build_decimal_look(type_text: str) -> Callable[[Sequence[str]], bool] | None:
    """For a numeric of so many decimals: whether none of these texts of numbers (of Python's own) has more.

    The shortest digits of a float are what is stored. None where the server keeps all digits there are, or fewer than
    an integer has; a number with an exponent, NaN and the infinities need a closer look.
    """
    type_ = parse_type(type_text)
    scale = (*type_.arguments, 0)[1] if type_.arguments else -1
    if type_.base != "numeric" or type_.dimensions or scale < 0:
        return None
    search = re.compile(rf"\.\d{{{scale + 1}}}", re.ASCII).search

    def keeps(texts: Sequence[str]) -> bool:
        # In three looks: an expression that may begin with any of several letters is looked for letter by letter.
        joined = "\n".join(texts)
        return "e" not in joined and "n" not in joined and search(joined) is None

    return keeps


def _fit_single(numbers: Sequence[float]) -> bool:
    shape = f"<{len(numbers)}f"
    try:
        return struct.unpack(shape, struct.pack(shape, *numbers)) == tuple(numbers)
    except OverflowError:
        return False


def check_not_bytes(value: object) -> str:
    """Bytes have no text of their own."""
    return "bytes cannot be stored here" if isinstance(value, bytes) else ""


def check_is_bytes(value: object) -> str:
    """Text for a bytea would be read as an escape sequence."""
    return "" if isinstance(value, bytes) else "only bytes can be stored in a bytea column"


def check_integer(value: object) -> str:
    """A float is taken when it is whole."""
    if isinstance(value, (float, Decimal)):
        # Not by comparing: a NaN that signals is an error wherever it is looked at.
        is_finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
        return "" if is_finite and value == int(value) else "it is not a whole number"
    return check_not_bytes(value)


def check_scale(value: object, *, scale: int) -> str:
    """PostgreSQL rounds to the column's scale without a word."""
    if isinstance(value, float) and value == round(value, scale):
        return ""
    if isinstance(value, bytes):
        return check_not_bytes(value)
    number = _read_number(value)
    if number is None or not number.is_finite():
        return ""  # for the server to read or to refuse
    exponent = number.normalize().as_tuple().exponent
    return f"it has more than {scale} decimals" if isinstance(exponent, int) and -exponent > scale else ""


def check_float(value: object, *, single: bool) -> str:
    """A number is kept when the nearest float is written with the same digits."""
    if isinstance(value, bytes):
        return check_not_bytes(value)
    number = _read_number(value)
    if number is None or not number.is_finite():
        return ""
    try:
        stored = _store_single(float(number)) if single else float(number)
    except OverflowError:
        return "it is too large"
    if stored == value or (not isinstance(value, float) and number in _list_spellings(stored, single)):
        return ""
    return "its precision would be lost"


def _store_single(value: float) -> float:
    stored: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return stored


def _list_spellings(stored: float, single: bool) -> list[Decimal]:
    """What a float is written as: the shortest digits that are read as the same float again."""
    if not single:
        return [Decimal(repr(stored))]
    texts = [f"{stored:.{digits}g}" for digits in range(6, 10)]
    return [Decimal(text) for text in texts if _store_single(float(text)) == stored]


def check_length(value: object, *, limit: int, padded: bool) -> str:
    """Blanks beyond the limit would be cut; blanks within a padded column cannot be told from padding."""
    if isinstance(value, bytes):
        return check_not_bytes(value)
    text = str(value)
    if len(text) > limit:
        return f"it is longer than {limit} characters"
    return "its trailing blanks would be lost" if padded and len(text) < limit and text.endswith(" ") else ""


def check_bytes_length(value: object, *, limit: int) -> str:
    """These types cut what is too long."""
    if isinstance(value, bytes):
        return check_not_bytes(value)
    return f"it is longer than {limit} bytes" if len(str(value).encode(errors="replace")) > limit else ""


def check_date(value: object) -> str:
    """A date without a time of day; words such as `today` would become a date of their own."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        return ""
    if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        return "its time of day would be lost"
    return "it is not a date in ISO form"


def check_time(value: object, *, shape: "re.Pattern[str]", digits: int, zoned: bool) -> str:
    """ISO form, no more digits of a second than the column keeps, no zone where it would be dropped."""
    found = shape.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return "it is not a time in ISO form"
    if len((found["fraction"] or "").rstrip("0")) > digits:
        return f"it has more than {digits} digits of a second"
    if not zoned and found["zone"] and not (shape is _TIMESTAMP and _UTC.fullmatch(found["zone"])):
        return "its time zone would be lost"
    return ""


def check_interval(value: object) -> str:
    """Digits beyond the microsecond are rounded."""
    if not isinstance(value, str):
        return "it is not an interval"
    return "it has more than 6 digits of a second" if _LONG_FRACTION.search(value) else ""


def check_moments(value: object, *, worded: bool) -> str:
    """Dates and times in an array or a range: words such as `today` would become a date of their own."""
    if not isinstance(value, str):
        return "it is not a text with times in it"
    if not worded and (words := [w for w in _WORD.findall(value) if w.lower() not in _TIME_WORDS]):
        return f"'{words[0]}' is not a time in ISO form"
    return "it has more than 6 digits of a second" if _LONG_FRACTION.search(value) else ""


def check_floats(value: object, *, single: bool) -> str:
    """Floating point numbers in an array, a point and the like."""
    if not isinstance(value, str):
        return check_not_bytes(value)
    return next(filter(None, (check_float(number, single=single) for number in _NUMBER.findall(value))), "")


def check_json_keys(value: object) -> str:
    """jsonb keeps one of several equal keys. What is not JSON is for the server to refuse."""
    if not isinstance(value, str):
        return check_not_bytes(value)
    try:
        json.loads(value, object_pairs_hook=_refuse_twins, parse_int=str, parse_float=str)
    except _TwinKeys:
        return "it has the same key twice, of which jsonb keeps one"
    except (ValueError, RecursionError):
        return ""
    return ""


class _TwinKeys(Exception):
    """An object names a key twice."""


def _refuse_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _TwinKeys
    return found


def _read_number(value: object) -> Decimal | None:
    try:
        return Decimal(repr(value) if isinstance(value, float) else str(value).strip())
    except InvalidOperation:
        return None

# Turns a block's values into what an SQLite column can hold exactly, or says which cannot. Knows no connection.
"""Column-wise converters between a stream and SQLite.

SQLite changes a value to fit the column's affinity and says nothing. Here every value is first made what SQLite would
make of it; a value that is then another one is refused.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from math import isnan
from typing import Any

from pipekit.drivers.sqlite.typemap import Affinity, bare_type, find_length, get_affinity, to_neutral
from pipekit.runner_contract import LoadColumn

Cells = Sequence[Any]
Converter = Callable[[Cells], Cells]
One = Callable[[Any], Any]

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

# What SQLite takes for a number when a text meets a numeric column.
_LOOKS_NUMERIC = re.compile(
    r"[ \t\n\v\f\r]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t\n\v\f\r]*"
).fullmatch

FLOAT_TYPE = re.compile(r"(?:real|double(?: precision)?|float\d*(?:\(\d+\))?)", re.IGNORECASE)
INTEGER_TYPE = re.compile(
    r"(?:small|big|tiny|medium)?int(?:eger)?\d*(?: unsigned)?|oid|(?:small|big)?serial\d*", re.IGNORECASE
)
DECIMAL_TYPE = re.compile(r"(?:numeric|decimal|number|dec)(?:\((\d+)(?:, *-?\d+)?\))?", re.IGNORECASE)
CLOCK_TYPE = re.compile(
    r"(?:date|time(?:stamp)?(?:tz)?(?:\(\d+\))?(?: with(?:out)? time zone)?|datetime)", re.IGNORECASE
)


class Unfit(Exception):
    """A value a column cannot hold exactly. `index` is its place in the block."""

    def __init__(self, reason: str, index: int = -1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index


def is_number_type(type_text: str) -> bool:
    """Whether a source's type says that its values are numbers, whatever database spells it."""
    return any(pattern.fullmatch(type_text.strip()) for pattern in (FLOAT_TYPE, INTEGER_TYPE, DECIMAL_TYPE))


class ColumnRule:
    """How one column's values become what SQLite stores. `foreign` says that they do not come from an SQLite file."""

    def __init__(self, column: LoadColumn, exact: bool, foreign: bool) -> None:
        self.affinity: Affinity = get_affinity(column.stage_type)
        self.exact = exact
        self.foreign = foreign
        self.is_number = is_number_type(column.source_type)
        same = bare_type(column.source_type).lower() == bare_type(column.stage_type).lower()
        # A text that went through a column of this very type before is not changed by going through it again.
        self.is_settled = same and not self.is_number
        self.length = find_length(column.stage_type) if exact and not same else None
        # A text goes into the column as it is, whatever it says.
        self.keeps_all_texts = self.length is None and (self.affinity in ("TEXT", "BLOB") or self.is_settled)
        self.wants_number = self.affinity in ("INTEGER", "REAL") or to_neutral(column.stage_type).name == "decimal"

    # -- blocks --------------------------------------------------------------------------------------------------------

    def convert(self, cells: Cells) -> Cells:
        """A column of plain Python values; values that need nothing are passed on untouched."""
        kinds = set(map(type, cells))
        kinds.discard(type(None))
        plain = kinds <= _UNTOUCHED[self.affinity] or (kinds == {str} and self._keeps_texts(cells))
        return cells if plain and self._fits(cells, kinds) else self._each(self.store, cells)

    def _keeps_texts(self, cells: Cells) -> bool:
        if self.affinity in ("TEXT", "BLOB") or self.is_settled:
            return True
        return not self.foreign and not any(map(_LOOKS_NUMERIC, filter(None, cells)))

    def _fits(self, cells: Cells, kinds: set[type]) -> bool:
        """Whether a block is free of NaN, of integers beyond 64 bits and of texts over the declared length."""
        if float in kinds and _may_hold_nan(cells):
            return False
        if int in kinds and not _fit_int64(cells):
            return False
        if str not in kinds or self.length is None:
            return True
        texts = filter(None, cells) if kinds == {str} else _only(str, cells)
        return max(map(len, texts), default=0) <= self.length

    def _each(self, one: One, cells: Cells) -> Cells:
        converted: list[Any] = []
        try:
            for cell in cells:
                converted.append(None if cell is None else one(cell))
        except Unfit as error:
            raise Unfit(error.reason, len(converted)) from None
        return converted

    # -- single values -------------------------------------------------------------------------------------------------

    def store(self, value: Any) -> Any:
        """One value, not NULL, as it is bound; raises Unfit."""
        if isinstance(value, str):
            return self._store_text(value)
        if isinstance(value, bool):
            return self._store_bool(value)
        if isinstance(value, int):
            return self._store_int(value)
        if isinstance(value, float):
            return self._store_float(value)
        if isinstance(value, Decimal):
            return self._store_decimal(value)
        return value

    def _store_text(self, text: str) -> Any:
        if self.affinity in ("TEXT", "BLOB"):
            return self._check_length(text)
        if self.is_settled:
            return text
        if not _LOOKS_NUMERIC(text):
            if self.foreign and self.wants_number:
                return self._store_word(text)
            return text
        if self.is_number:
            return self._store_number(text)
        return self._store_numeric_text(text)

    def _store_word(self, text: str) -> Any:
        """A text that is no number for a column of numbers, from a database that has real types."""
        if self.is_number and self.affinity != "INTEGER" and text.lower().lstrip("+-") in ("nan", "infinity", "inf"):
            return self._store_float(float(text))
        if self.exact:
            raise Unfit(f"{show(text)} is not a {'whole ' if self.affinity == 'INTEGER' else ''}number")
        return text

    def _store_numeric_text(self, text: str) -> Any:
        """A text that SQLite would turn into a number: fine when the number is written the same."""
        number = self._as_number(text)
        if self.exact and text not in self._spellings(number):
            raise Unfit(f"the text {show(text)} would become the number {self._spellings(number)[0]}")
        return number

    def _spellings(self, number: int | float) -> tuple[str, ...]:
        """How the stored number reads; a whole one in a REAL column counts as written either way."""
        if isinstance(number, float) and not number.is_integer():
            return (repr(number),)
        return (str(int(number)),) if self.affinity != "REAL" else (repr(number), str(int(number)))

    def _as_number(self, text: str) -> int | float:
        try:
            whole = int(text)
            if self.affinity != "REAL" and _in_int64(whole):
                return whole
        except ValueError:
            pass
        return float(text)

    def _check_length(self, text: str) -> str:
        if self.length is not None and len(text) > self.length:
            raise Unfit(f"{show(text)} has {len(text)} characters, the column is declared for {self.length}")
        return text

    def _store_bool(self, value: bool) -> Any:
        if self.affinity == "TEXT":
            return "true" if value else "false"
        return float(value) if self.affinity == "REAL" else int(value)

    def _store_int(self, value: int) -> Any:
        if self.affinity == "TEXT":
            return self._check_length(str(value))
        if self.affinity == "REAL" or not _in_int64(value):
            return self._store_number(str(value))
        return value

    def _store_float(self, value: float) -> Any:
        if self.affinity == "TEXT":
            return self._check_length(repr(value))
        if value != value:
            if self.exact:
                raise Unfit("SQLite has no NaN, it would store NULL")
            return None
        return value

    def _store_decimal(self, value: Decimal) -> Any:
        text = format(value, "f") if value.is_finite() else str(value)
        if self.affinity in ("TEXT", "BLOB"):
            return self._check_length(text)
        return self._store_number(text) if value.is_finite() else self._store_float(float(value))

    def _store_number(self, text: str) -> Any:
        """A number written as text: an integer where it is one of 64 bits, else a float that means the same digits."""
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise Unfit(f"{show(text)} is not a number") from None
        if (
            self.affinity != "REAL"
            and number.adjusted() < 20
            and number == number.to_integral_value()
            and _in_int64(int(number))
        ):
            return int(number)
        value = float(number)
        if self.exact:
            self._check_float(number, value, text)
        return value

    def _check_float(self, number: Decimal, value: float, text: str) -> None:
        if self.affinity == "INTEGER" and number.adjusted() >= 18 and number == number.to_integral_value():
            raise Unfit(f"{show(text)} is beyond a 64-bit integer")
        if self.affinity == "INTEGER":
            raise Unfit(f"{show(text)} is not a whole number")
        if Decimal(repr(value)) != number:
            raise Unfit(f"{show(text)} has more digits than a number in SQLite keeps, it would become {value!r}")


_UNTOUCHED: dict[Affinity, frozenset[type]] = {
    "INTEGER": frozenset((int, float, bytes)),
    "NUMERIC": frozenset((int, float, bytes)),
    "REAL": frozenset((float, bytes)),
    "TEXT": frozenset((str, bytes)),
    "BLOB": frozenset((str, bytes, int, float)),
}


def _in_int64(value: int) -> bool:
    return INT64_MIN <= value <= INT64_MAX


def _may_hold_nan(cells: Cells) -> bool:
    """By the sum, which is NaN as soon as one of them is; two infinities may also make one."""
    try:
        return isnan(sum(cells))
    except (TypeError, OverflowError):
        return isnan(sum(_only(float, cells)))


def _fit_int64(cells: Cells) -> bool:
    numbers = _only(int, cells)
    return _in_int64(min(numbers)) and _in_int64(max(numbers))


def _only(kind: type, cells: Cells) -> list[Any]:
    return [cell for cell in cells if type(cell) is kind]


def show(text: str) -> str:
    """A value in a message."""
    return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}...'"


def build_row_converters(columns: Iterable[LoadColumn], exact: bool, foreign: bool = False) -> list[Converter]:
    """One converter per column for blocks of plain Python values; `foreign` ones come from no SQLite file."""
    return [ColumnRule(column, exact, foreign).convert for column in columns]

# Makes a block's columns what SQL Server's staging columns hold exactly, or says which value fits not. No connection.
"""`ColumnLoader`: one column on its way into a bulk load.

The bulk copy rounds decimals and times, pads binaries and sends `?` for a letter a code page lacks, and says nothing.
Here every column is made the staging type's own Arrow type by conversions that fail instead; what Arrow cannot tell
(lengths, ticks of a datetime, letters of a code page) is checked on the whole column at once.
"""

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipekit.drivers.arrow import column_texts, is_bytes, is_text, shorten
from pipekit.drivers.sqlserver.types import MAX, Spelling, parse_type
from pipekit.errors import StatementFailed
from pipekit.runner_contract import LoadColumn

_KINDS: dict[str, pa.DataType] = {
    "bit": pa.bool_(),
    "tinyint": pa.uint8(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "float": pa.float64(),
    "date": pa.date32(),
    "time": pa.time64("ns"),
    "datetime2": pa.timestamp("us"),
    "datetimeoffset": pa.timestamp("us", "UTC"),
    "binary": pa.binary(),
    "varbinary": pa.binary(),
    **dict.fromkeys(("char", "varchar", "nchar", "nvarchar", "uniqueidentifier"), pa.string()),
}

# The first instant of year 1 and of year 10000 in microseconds since 1970, and their days.
_FIRST_MICROS, _END_MICROS = -62_135_596_800_000_000, 253_402_300_800_000_000
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_GUID = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
_LONG_FRACTION = r"(\.\d{1,6})\d*"

_INTEGER = r"(?:small|big|tiny|medium)?int(?:eger)?"
_SINGLE = re.compile(r"real|float4")
_DOUBLE = re.compile(r"double(?: precision)?|float8?")
# Arrow's types, and the sources' from whose texts they are read exactly.
_FAMILIES = (
    (pa.types.is_boolean, re.compile("bool(?:ean)?")),
    (pa.types.is_integer, re.compile(_INTEGER)),
    (pa.types.is_decimal, re.compile(rf"{_INTEGER}|(?:numeric|decimal)(?:\(\d+(?:, *\d+)?\))?")),
    (pa.types.is_date, re.compile("date")),
    (pa.types.is_time, re.compile(r"time(?:\(\d\))?(?: without time zone)?")),
    (lambda kind: kind == pa.timestamp("us"), re.compile(r"timestamp(?:\(\d\))?(?: without time zone)?")),
)
# PostgreSQL's own spelling: its sessions write instants in UTC.
_INSTANT = re.compile(r"timestamp(?:\(\d\))? with time zone")
_ZONE = r":\d\d(?:\.\d+)? ?(?:Z|[+-]\d\d(?::?\d\d)?)$"
_NO_OFFSET = r"(?:Z|[+-]00(?::?00)?)$"


class Unfit(Exception):
    """A value the column cannot hold exactly. `index` is its place in the block."""

    def __init__(self, reason: str, index: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index


def choose_kind(type_: Spelling) -> pa.DataType:
    """The Arrow type the bulk copy takes for a staging column; raises StatementFailed for one it cannot fill."""
    if type_.base == "decimal":
        return pa.decimal128(*type_.arguments)
    if type_.base not in _KINDS:
        raise StatementFailed(f"The bulk load cannot fill a column of the type {type_.base}.")
    return _KINDS[type_.base]


class ColumnLoader:
    """How one column's values become what is sent; not `exact` lets them be rounded."""

    def __init__(self, column: LoadColumn, exact: bool) -> None:
        self.name = column.source_name
        self._type = parse_type(column.stage_type)
        self.kind = choose_kind(self._type)
        self._type_text = self._type.text
        self._exact = exact
        self._source = column.source_type.strip()
        self._is_settled_float = self._source_matches(_SINGLE) or (
            self.kind == pa.float64() and self._source_matches(_DOUBLE)
        )

    @property
    def copy_kind(self) -> pa.DataType:
        """What a cell of COPY text may be parsed as at once; string where that could change a value.

        Only what comes from a column of the same family: a text `0x1F` is no number, though Arrow reads it as one.
        """
        if pa.types.is_floating(self.kind):
            return self.kind if self._is_settled_float else pa.string()
        for is_one, pattern in _FAMILIES:
            if is_one(self.kind) and self._source_matches(pattern):
                return self.kind
        if self.kind == pa.timestamp("us", "UTC") and _INSTANT.fullmatch(self._source):
            return self.kind
        return pa.string()

    def _source_matches(self, pattern: "re.Pattern[str]") -> bool:
        return pattern.fullmatch(self._source.lower()) is not None

    def convert(self, cells: pa.Array) -> pa.Array:
        """A column of any Arrow type as `kind`; raises Unfit."""
        converted = cells if cells.type == self.kind else self._try_all(self._cast, cells)
        self._check(converted)
        return converted

    def convert_values(self, values: Sequence[Any]) -> pa.Array:
        """A column of plain Python values as `kind`; raises Unfit."""
        return self.convert(self._make_array(values))

    # -- plain values --------------------------------------------------------------------------------------------------

    def _make_array(self, values: Sequence[Any]) -> pa.Array:
        kinds = {type(value) for value in values} - {type(None)}
        if kinds == {bytes}:
            return pa.array(values, pa.binary())
        if len(kinds) <= 1 and kinds <= {bool, int, float}:
            try:
                return pa.array(values)
            except (pa.ArrowException, OverflowError):
                pass
        texts: list[str | None] = []
        for value in values:
            texts.append(None if value is None else self._write_text(value, len(texts)))
        return pa.array(texts, pa.string())

    def _write_text(self, value: Any, index: int) -> str:
        if isinstance(value, bytes):
            raise Unfit(f"bytes cannot be stored in {self._type_text}: {shorten(value)}", index)
        if isinstance(value, Decimal):
            return format(value, "f") if value.is_finite() else str(value)
        if isinstance(value, bool):
            return self._write_bool(value)
        text = value if isinstance(value, str) else repr(value)
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise Unfit(f"it holds half a character: {shorten(value)}", index)
        return text

    def _write_bool(self, value: bool) -> str:
        if self.kind == pa.string():
            return "true" if value else "false"
        return "1" if value else "0"

    # -- conversions ---------------------------------------------------------------------------------------------------

    def _try_all(self, convert: Callable[[pa.Array], pa.Array], cells: pa.Array) -> pa.Array:
        """The whole column at once; when that fails the first cell that is to blame is sought by halves."""
        try:
            return convert(cells)
        except (pa.ArrowException, ValueError, InvalidOperation):
            index, reason = _find_first_bad(convert, cells)
            shown = shorten(column_texts(cells.slice(index, 1))[0].as_py())
            raise Unfit(f"{shown} cannot be stored exactly in {self._type_text}{reason}", index) from None

    def _cast(self, cells: pa.Array) -> pa.Array:
        if cells.null_count == len(cells):
            return pa.nulls(len(cells), self.kind)
        if self.kind == pa.binary():
            return self._cast_bytes(cells)
        if _is_direct(cells.type, self.kind):
            return pc.cast(cells, self.kind)
        if pa.types.is_boolean(cells.type) and self.kind != pa.string():
            cells = pc.cast(cells, pa.int8())
        if is_bytes(cells.type):
            raise ValueError("bytes are no text")
        return self._parse(column_texts(cells))

    def _cast_bytes(self, cells: pa.Array) -> pa.Array:
        if is_text(cells.type):
            return parse_hex(pc.cast(cells, pa.string()))
        if is_bytes(cells.type):
            return pc.cast(cells, pa.binary())
        raise ValueError("only bytes can be stored here")

    def _parse(self, texts: pa.Array) -> pa.Array:
        """Texts as `kind`."""
        kind = self.kind
        if kind == pa.string():
            return texts
        if pa.types.is_boolean(kind):
            return _parse_bools(texts)
        if pa.types.is_integer(kind):
            return _parse_integers(texts, kind)
        if pa.types.is_floating(kind):
            return self._parse_floats(texts)
        if pa.types.is_decimal(kind):
            return pc.cast(texts, kind) if self._exact else self._round_decimals(texts)
        return self._parse_clock(_trim_fraction(texts) if self._exact else _cut_fraction(texts))

    def _parse_floats(self, texts: pa.Array) -> pa.Array:
        """A number kept as a float is written with the same digits again, unless a float is what it came from."""
        numbers = pc.cast(texts, self.kind)
        if not self._exact or self._is_settled_float:
            return numbers
        for index, (text, number) in enumerate(zip(texts.to_pylist(), column_texts(numbers).to_pylist(), strict=True)):
            if text is not None and text != number and _read_number(text) != _read_number(number):
                raise Unfit(f"'{text}' has more digits than {self._type_text} keeps", index)
        return numbers

    def _round_decimals(self, texts: pa.Array) -> pa.Array:
        unit = Decimal(1).scaleb(-self.kind.scale)
        rounded = [None if t is None else Decimal(t).quantize(unit, ROUND_HALF_UP) for t in texts.to_pylist()]
        return pa.array(rounded, self.kind)

    def _parse_clock(self, texts: pa.Array) -> pa.Array:
        kind = self.kind
        if pa.types.is_time(kind):
            return pc.cast(pc.cast(pc.binary_join_element_wise("1970-01-01", texts, " "), pa.timestamp("ns")), kind)
        zoned = pc.match_substring_regex(texts, _ZONE) if not pa.types.is_date(kind) else None
        if zoned is not None and pc.any(zoned).as_py():
            return self._parse_zoned(texts, zoned)
        plain = pc.cast(texts, pa.timestamp("us"))
        return _cast_to_days(plain) if pa.types.is_date(kind) else pc.cast(plain, kind)

    def _parse_zoned(self, texts: pa.Array, zoned: pa.Array) -> pa.Array:
        """Instants. What has an offset of its own fits nowhere: what is sent is always in UTC."""
        lost = pc.and_(zoned, pc.invert(pc.match_substring_regex(texts, _NO_OFFSET)))
        if self._exact and (index := pc.index(lost, True).as_py()) >= 0:
            raise Unfit(f"the offset of '{texts[index].as_py()}' would be lost", index)
        complete = pc.if_else(zoned, texts, pc.binary_join_element_wise(texts, "Z", ""))
        instants = pc.cast(pc.replace_substring_regex(complete, r"\s+([+-]\d\d)", r"\1"), pa.timestamp("us", "UTC"))
        return instants if self.kind.tz else pc.cast(instants, self.kind)

    # -- checks --------------------------------------------------------------------------------------------------------

    def _check(self, cells: pa.Array) -> None:
        """What the Arrow type alone does not say."""
        kind = cells.type
        if pa.types.is_floating(kind):
            finite = pc.is_finite(cells)
            if pc.all(finite).as_py() is False:
                self._refuse_where(pc.invert(finite), cells, "SQL Server has no such number")
        elif pa.types.is_timestamp(kind):
            self._check_range(pc.cast(cells, pa.int64()), cells, _FIRST_MICROS, _END_MICROS - 1)
            self._check_steps(pc.cast(cells, pa.int64()), cells, 10 ** max(0, 6 - self._type.arguments[0]))
        elif pa.types.is_date(kind):
            self._check_range(pc.cast(cells, pa.int32()), cells, _FIRST_DAY, _LAST_DAY)
        elif pa.types.is_time(kind):
            self._check_steps(pc.cast(cells, pa.int64()), cells, 10 ** (9 - self._type.arguments[0]))
        elif self._type.base == "uniqueidentifier":
            self._refuse_where(pc.invert(pc.match_substring_regex(cells, _GUID)), cells, "it is not a GUID")
        elif kind == pa.binary():
            self._check_bytes(cells)
        elif kind == pa.string():
            self._check_texts(cells)

    def _check_range(self, counts: pa.Array, cells: pa.Array, first: int, last: int) -> None:
        found = pc.min_max(counts).as_py()
        if found["min"] is not None and not first <= found["min"] <= found["max"] <= last:
            outside = pc.or_(pc.less(counts, first), pc.greater(counts, last))
            self._refuse_where(outside, cells, "it is outside the years 1 to 9999")

    def _check_steps(self, counts: pa.Array, cells: pa.Array, step: int) -> None:
        if step > 1 and self._exact:
            floored = pc.multiply(pc.divide(counts, step), step)
            digits = self._type.arguments[0]
            self._refuse_where(pc.not_equal(floored, counts), cells, f"only {digits} digits of a second are kept")

    def _check_bytes(self, cells: pa.Array) -> None:
        limit = self._type.length
        if limit == MAX:
            return
        lengths = pc.binary_length(cells)
        self._refuse_where(pc.greater(lengths, limit), cells, f"it is longer than {limit} bytes")
        if self._type.base == "binary" and self._exact:
            self._refuse_where(pc.less(lengths, limit), cells, "zeros would be added to it")

    def _check_texts(self, cells: pa.Array) -> None:
        """Lengths count units of UTF-16, of which a text never has more than bytes of UTF-8."""
        base, limit = self._type.base, self._type.length
        if base in ("char", "varchar"):
            foreign = pc.invert(pc.string_is_ascii(cells))
            self._refuse_where(foreign, cells, "it may hold letters that the column's code page lacks")
        if limit == MAX:
            return
        if (pc.max(pc.binary_length(cells)).as_py() or 0) > limit:
            for index, text in enumerate(cells.to_pylist()):
                if text is not None and len(text) + sum(letter > "\uffff" for letter in text) > limit:
                    raise Unfit(f"{shorten(text)} is longer than {limit} units of UTF-16", index)
        if self._exact and base in ("char", "nchar"):
            blank = pc.and_(pc.ends_with(cells, " "), pc.less(pc.utf8_length(cells), limit))
            self._refuse_where(blank, cells, "its trailing blanks could not be told from padding")

    def _refuse_where(self, mask: pa.Array, cells: pa.Array, reason: str) -> None:
        index = pc.index(mask, True).as_py()
        if index >= 0:
            shown = shorten(column_texts(cells.slice(index, 1))[0].as_py())
            raise Unfit(f"{shown} cannot be stored exactly in {self._type_text}: {reason}", index)


def _is_direct(source: pa.DataType, kind: pa.DataType) -> bool:
    """Pairs that Arrow itself converts exactly or refuses."""
    if is_text(source):
        return bool(kind == pa.string())
    if pa.types.is_integer(source):
        return bool(pa.types.is_integer(kind))
    if pa.types.is_decimal(source):
        return bool(pa.types.is_decimal(kind))
    if pa.types.is_timestamp(source):
        return bool(pa.types.is_timestamp(kind)) and bool(source.tz) == bool(kind.tz)
    if pa.types.is_time(source):
        return bool(pa.types.is_time(kind))
    return bool(source == pa.float32() and kind == pa.float64())


def _find_first_bad(convert: Callable[[pa.Array], pa.Array], cells: pa.Array) -> tuple[int, str]:
    """The place of the first cell that makes `convert` fail, and why where that is known."""
    low, high = 0, len(cells)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            convert(cells.slice(low, middle - low))
            low = middle
        except Unfit as error:
            return low + error.index, f": {error.reason}"
        except (pa.ArrowException, ValueError, InvalidOperation):
            high = middle
    return (low if cells[low].is_valid else pc.index(pc.is_valid(cells), True).as_py()), ""


def _cast_to_days(instants: pa.Array) -> pa.Array:
    days = pc.cast(instants, pa.date32())
    if pc.any(pc.not_equal(pc.cast(days, instants.type), instants)).as_py():
        raise ValueError("the time of day would be lost")
    return days


def _parse_bools(texts: pa.Array) -> pa.Array:
    return pc.cast(
        pc.if_else(pc.equal(texts, "t"), "true", pc.if_else(pc.equal(texts, "f"), "false", texts)), pa.bool_()
    )


def _parse_integers(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Whole numbers, `12.0` too; Arrow would read `0x1F` as well, which no database means by it."""
    if pc.any(pc.match_substring_regex(texts, "[xX]")).as_py():
        raise ValueError("no whole number")
    if pc.any(pc.match_substring_regex(texts, r"[.eE+]")).as_py():
        return pc.cast(pc.cast(texts, pa.decimal128(38, 0)), kind)
    return pc.cast(texts, kind)


def parse_hex(texts: pa.Array) -> pa.Array:
    r"""PostgreSQL's `\xDEAD` as bytes."""
    values: list[bytes | None] = []
    for text in texts.to_pylist():
        if text is not None and not text.startswith("\\x"):
            raise ValueError("only bytes can be stored here")
        values.append(None if text is None else bytes.fromhex(text[2:]))
    return pa.array(values, pa.binary())


def _trim_fraction(texts: pa.Array) -> pa.Array:
    """Zeros at the end of a fraction of more than six digits say nothing."""
    if not pc.any(pc.match_substring_regex(texts, r"\.\d{7,}")).as_py():
        return texts
    return pc.replace_substring_regex(texts, r"(\.\d{6}\d*?)0+(\D|$)", r"\1\2")


def _cut_fraction(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, _LONG_FRACTION, r"\1")


def _read_number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None

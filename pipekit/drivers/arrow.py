# Record batches and the other formats of a stream, each made from the other. Knows no database; the child's wires only.
"""Arrow <-> COPY text, Arrow <-> rows. Whole columns at a time: a cell is touched by Python only where it must be.

Texts are the same for a value wherever it stands: `2024-02-29 12:34:56.5`, no trailing zeros, zoned ones end in `Z`;
decimals without an exponent; floats with the fewest digits that mean the same float.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from pipekit.errors import Inexact

NULL = "\\N"
Blocks = Iterator[tuple[Any, int]]

_REFUSALS = (pa.ArrowException, TypeError, ValueError, OverflowError)

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPING = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_FRACTION_END = r"\.0+(Z?)$|(\.[0-9]*[1-9])0+(Z?)$"
_PARSE = csv.ParseOptions(
    delimiter="\t", quote_char=False, double_quote=False, escape_char=False, ignore_empty_lines=False
)


# -- COPY text to batches ----------------------------------------------------------------------------------------------


def batches_from_copy_text(blocks: Blocks, names: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Blocks of whole COPY text rows -> batches of string columns."""
    done = 0
    for block, rows in blocks:
        columns = split_copy_text(block, names, done)
        done += rows
        yield pa.RecordBatch.from_arrays(columns, names=list(names)), rows


def split_copy_text(block: bytes, names: Sequence[str], done: int = 0) -> list[pa.Array]:
    """A block of whole rows as string columns, unescaped; `done` rows came before it. Raises Inexact for bad UTF-8."""
    kinds = {str(place): pa.string() for place in range(len(names))}
    try:
        return [unescape(column) for column in read_copy_text(block, kinds)]
    except pa.ArrowInvalid:
        _check_utf8(block, names, done)
        raise


def _check_utf8(block: bytes, names: Sequence[str], done: int) -> None:
    for row, line in enumerate(block.split(b"\n"), start=done + 1):
        for name, cell in zip(names, line.split(b"\t"), strict=False):
            try:
                cell.decode()
            except UnicodeDecodeError:
                message = f"Column {name}, row {row}: the text is not valid in UTF-8."
                raise Inexact(message, column=name, row=row) from None


def read_copy_text(block: bytes, kinds: dict[str, pa.DataType]) -> list[pa.Array]:
    """A block's columns parsed as `kinds`, still escaped where they are strings; raises pa.ArrowInvalid."""
    if not block:
        return [pa.array([], kind) for kind in kinds.values()]
    table = csv.read_csv(
        pa.BufferReader(block),
        read_options=csv.ReadOptions(use_threads=False, column_names=list(kinds), block_size=len(block) + 1),
        parse_options=_PARSE,
        convert_options=csv.ConvertOptions(
            column_types=kinds, null_values=[NULL], strings_can_be_null=True, true_values=["t"], false_values=["f"]
        ),
    )
    return [column.combine_chunks() if column.num_chunks != 1 else column.chunk(0) for column in table.columns]


def unescape(texts: pa.Array) -> pa.Array:
    """COPY's backslash escapes undone; only cells with a backslash are touched."""
    if not _holds(texts, "\\"):
        return texts
    marked = pc.match_substring(texts, "\\")
    plain = [_ESCAPED.sub(_unescape, cell) for cell in texts.filter(marked).to_pylist()]
    return pc.replace_with_mask(texts, pc.fill_null(marked, False), pa.array(plain, texts.type))


def _unescape(match: "re.Match[str]") -> str:
    return _ESCAPES.get(match[1], match[1])


def _holds(texts: pa.Array, letter: str) -> bool:
    return letter.encode() in _data_of(texts)


# -- batches to COPY text ----------------------------------------------------------------------------------------------


def copy_text_from_batches(blocks: Blocks) -> Iterator[tuple[bytes, int]]:
    """Batches -> blocks of COPY text."""
    for batch, rows in blocks:
        yield join_copy_text([column_copy_text(column) for column in batch.columns]), rows


def column_copy_text(column: pa.Array) -> pa.Array:
    """A column as PostgreSQL's own text of its values, not yet escaped; bytes come as `\\x...`."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "t", "f")
    if is_bytes(kind):
        return pc.binary_join_element_wise("\\x", column_hex(column), "")
    return column_texts(column)


def join_copy_text(texts: Sequence[pa.Array]) -> bytes:
    """String columns -> whole rows of COPY text, escaped, NULL as `\\N`."""
    return join_cells([pc.fill_null(escape(column), NULL) for column in texts])


def join_cells(cells: Sequence[pa.Array]) -> bytes:
    """String columns of cells that are escaped already -> whole rows of COPY text."""
    if not len(cells[0]):
        return b""
    cells = list(cells)
    cells[-1] = pc.binary_join_element_wise(cells[-1], "", "\n")
    lines = pc.binary_join_element_wise(*cells, "\t") if len(cells) > 1 else cells[0]
    return _data_of(lines)


def escape(texts: pa.Array) -> pa.Array:
    """What COPY would read as something else, escaped."""
    texts = pc.cast(texts, pa.string())
    data = _data_of(texts)
    for plain, escaped in _ESCAPING:
        if plain.encode() in data:
            texts = pc.replace_substring(texts, plain, escaped)
    return texts


# -- batches to rows ---------------------------------------------------------------------------------------------------


def rows_from_batches(blocks: Blocks) -> Iterator[tuple[list[tuple[Any, ...]], int]]:
    """Batches -> lists of tuples of plain Python values."""
    for batch, rows in blocks:
        yield list(zip(*map(column_values, batch.columns), strict=True)), rows


def column_values(column: pa.Array) -> list[Any]:
    """A column as None, bool, int, float, str, bytes or Decimal; dates and times as texts.

    A float of 32 bits becomes the one of 64 that is written with the same digits.
    """
    if column.type == pa.float32():
        plain = pc.cast(column_texts(column), pa.float64())
    else:
        plain = column if _is_plain(column.type) else column_texts(column)
    values: list[Any] = plain.to_pylist()
    return values


def _is_plain(kind: pa.DataType) -> bool:
    numbers = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_decimal, pa.types.is_floating, pa.types.is_null)
    return is_text(kind) or is_bytes(kind) or any(is_one(kind) for is_one in numbers)


# -- columns as texts --------------------------------------------------------------------------------------------------


def column_texts(column: pa.Array) -> pa.Array:
    """A column as the text of its values: `true`, `12.50`, `2024-02-29`, `12:34:56.5`, bytes as hex digits."""
    kind = column.type
    if kind == pa.string():
        return column
    if is_bytes(kind):
        return column_hex(column)
    if pa.types.is_decimal(kind):
        return _decimal_texts(column)
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return _clock_texts(column)
    return pc.cast(column, pa.string())


def column_hex(column: pa.Array) -> pa.Array:
    """Bytes as hex digits in capitals; made from the column's buffer as a whole."""
    plain = pc.cast(column, pa.large_binary())
    offsets = pc.multiply(_offsets_of(plain), 2)
    first, last = offsets[0].as_py() // 2, offsets[-1].as_py() // 2
    digits = plain.buffers()[2].slice(first, last - first).hex().upper() if last > first else b""
    data = pa.py_buffer(digits)
    shifted = pc.cast(pc.subtract(offsets, offsets[0]), pa.int64())
    texts = pa.LargeStringArray.from_buffers(len(plain), shifted.buffers()[1], data, _validity_of(plain))
    return pc.cast(texts, pa.string())


def _decimal_texts(column: pa.Array) -> pa.Array:
    """Arrow writes very small decimals with an exponent; those few are written anew."""
    texts = pc.cast(column, pa.string())
    if column.type.scale < 6 or not _holds(texts, "E"):
        return texts
    marked = pc.match_substring(texts, "E")
    plain = [format(value, "f") for value in column.filter(marked).to_pylist()]
    return pc.replace_with_mask(texts, pc.fill_null(marked, False), pa.array(plain, pa.string()))


def _clock_texts(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz:
        column = pc.cast(column, pa.timestamp(kind.unit, "UTC"))
    if kind.unit == "s":
        return pc.cast(column, pa.string())
    try:
        return pc.cast(pc.cast(column, _in_seconds(column.type)), pa.string())
    except pa.ArrowInvalid:
        return pc.replace_substring_regex(pc.cast(column, pa.string()), _FRACTION_END, r"\1\2\3")


def _in_seconds(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("s", kind.tz) if pa.types.is_timestamp(kind) else pa.time32("s")


# -- rows to batches ---------------------------------------------------------------------------------------------------


def batches_from_rows(blocks: Blocks, schema: pa.Schema) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Lists of tuples -> batches; a value its column's type does not hold raises Inexact with its column and row."""
    done = 0
    for block, rows in blocks:
        columns = zip(*block, strict=True) if block else [()] * len(schema)
        arrays = [array_from_values(cells, field, done) for cells, field in zip(columns, schema, strict=True)]
        done += rows
        yield pa.RecordBatch.from_arrays(arrays, schema=schema), rows


def array_from_values(cells: Sequence[Any], field: pa.Field, done: int = 0) -> pa.Array:
    """A column of Python values as an array; `done` rows came before it."""
    try:
        return _make_array(cells, field.type)
    except _REFUSALS:
        for row, cell in enumerate(cells, start=done + 1):
            try:
                _make_array([cell], field.type)
            except _REFUSALS as error:
                message = f"Column {field.name}, row {row}: {shorten(cell)} cannot be held as {field.type}: {error}."
                raise Inexact(message, column=field.name, row=row) from None
        raise


def _make_array(cells: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_integer(kind) and any(type(cell) is float and not cell.is_integer() for cell in cells):
        raise ValueError("it is not a whole number")  # Arrow would cut the fraction off
    return pa.array(cells, kind)


def shorten(value: object) -> str:
    """A value as errors show it."""
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."


# -- sizes -------------------------------------------------------------------------------------------------------------


def split_batch(batch: pa.RecordBatch, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """Slices of a batch of at most about `max_bytes`, or of one row; nothing is copied."""
    if batch.num_rows <= 1 or batch_bytes(batch) <= max_bytes:
        yield batch
        return
    half = batch.num_rows // 2
    yield from split_batch(batch.slice(0, half), max_bytes)
    yield from split_batch(batch.slice(half), max_bytes)


def batch_bytes(batch: pa.RecordBatch) -> int:
    """What the rows of a batch take, not the buffers they may be a slice of."""
    return int(batch.nbytes)


# -- buffers -----------------------------------------------------------------------------------------------------------


def _offsets_of(column: pa.Array) -> pa.Array:
    """The offsets of a column of binaries or texts."""
    kind = pa.int64() if column.type in (pa.large_string(), pa.large_binary()) else pa.int32()
    return pa.Array.from_buffers(kind, len(column) + 1, [None, column.buffers()[1]], offset=column.offset)


def _validity_of(column: pa.Array) -> "pa.Buffer | None":
    return pc.invert(pc.is_null(column)).buffers()[1] if column.null_count else None


def _data_of(texts: pa.Array) -> bytes:
    """The bytes of all texts, one after the other."""
    offsets = _offsets_of(texts)
    first, last = offsets[0].as_py(), offsets[-1].as_py()
    return texts.buffers()[2].slice(first, last - first).to_pybytes() if last > first else b""


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a column holds bytes, in whichever layout."""
    layouts = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(is_one(kind) for is_one in layouts)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds texts, in whichever layout."""
    return any(is_one(kind) for is_one in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))

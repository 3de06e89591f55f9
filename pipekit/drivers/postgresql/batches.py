# Arrow batches -> COPY text, checked column by column on the way. Loaded in the runner child only; knows no connection.
"""`BatchEncoder`: how record batches enter a PostgreSQL table.

A pair of an Arrow type and a column type that can change no value is written as a whole column; every other is checked
value by value, as rows are.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipekit.drivers.arrow import column_copy_text, column_values, escape, is_bytes, is_text, join_cells
from pipekit.drivers.postgresql.copytext import NULL
from pipekit.drivers.postgresql.encode import RowEncoder
from pipekit.drivers.postgresql.types import INTEGERS, TIMES, Spelling, parse_type

_TEXT_TYPES = ("text", "character varying", "uuid", "json", "xml")


class BatchEncoder:
    """Encodes batches for columns given as (name, type). Not `exact` means that no value is checked."""

    def __init__(self, columns: Sequence[tuple[str, str]], exact: bool) -> None:
        self._types = [parse_type(type_text) for _, type_text in columns]
        self._exact = exact
        self._by_value = RowEncoder(columns, exact)

    def encode(self, batch: pa.RecordBatch, first_row: int) -> bytes:
        """The batch as COPY text; `first_row` is the number of its first row, counted from 1. Raises Inexact."""
        return join_cells([self._encode_column(i, column, first_row) for i, column in enumerate(batch.columns)])

    def _encode_column(self, place: int, column: pa.Array, first_row: int) -> pa.Array:
        if keeps_values(column, self._types[place]):
            return pc.fill_null(escape(column_copy_text(column)), NULL)
        return pa.array(self._by_value.encode_column(place, tuple(column_values(column)), first_row), pa.string())


def keeps_values(column: pa.Array, type_: Spelling) -> bool:
    """Whether PostgreSQL reads every text of the column as the value it stands for, or refuses it by itself."""
    kind = column.type
    if type_.dimensions or type_.fields:
        return False
    if pa.types.is_boolean(kind):
        return type_.base == "boolean"
    if pa.types.is_integer(kind):
        return type_.base in INTEGERS or type_.base == "text" or (type_.base == "numeric" and _keeps_scale(type_, 0))
    if pa.types.is_decimal(kind):
        return type_.base == "text" or (type_.base == "numeric" and _keeps_scale(type_, kind.scale))
    if pa.types.is_floating(kind):
        return type_.base == "double precision" or (kind == pa.float32() and type_.base == "real")
    if is_bytes(kind):
        return type_.base == "bytea"
    if is_text(kind):
        return _keeps_texts(column, type_)
    return _keeps_clock(kind, type_)


def _keeps_scale(type_: Spelling, scale: int) -> bool:
    """Whether a numeric column rounds no number of so many decimals."""
    return not type_.arguments or scale <= (*type_.arguments, 0)[1]


def _keeps_texts(column: pa.Array, type_: Spelling) -> bool:
    if type_.base not in _TEXT_TYPES or pc.any(pc.match_substring(column, "\0")).as_py():
        return False
    return not type_.arguments or (pc.max(pc.utf8_length(column)).as_py() or 0) <= type_.arguments[0]


def _keeps_clock(kind: pa.DataType, type_: Spelling) -> bool:
    """Dates, and times of no more digits than the column keeps."""
    if pa.types.is_date32(kind):
        return type_.base in ("date", "text", TIMES[0])
    if pa.types.is_timestamp(kind) and kind.unit != "ns":
        zoned = TIMES[1] if kind.tz else TIMES[0]
        return type_.base == "text" or (type_.base == zoned and not type_.arguments)
    return False

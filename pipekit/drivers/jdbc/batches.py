# The Java reader's buffers as record batches of Apache Arrow, nothing copied. Loaded in the runner child only.
"""`BatchBuilder`."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipekit.drivers.jdbc.columntypes import ColumnType
from pipekit.runner_contract import ResultColumn

_PLAIN = {
    "bool": pa.bool_(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "bytes": pa.binary(),
    "text": pa.string(),
}


class BatchBuilder:
    """Knows the schema of a result."""

    def __init__(self, columns: Sequence[ResultColumn], types: Sequence[ColumnType]) -> None:
        fields = [pa.field(column.name, choose_arrow_type(type_)) for column, type_ in zip(columns, types, strict=True)]
        self.schema = pa.schema(fields)

    def build(self, block: Any) -> pa.RecordBatch:
        """One block of the Java reader; its buffers live as long as the batch."""
        rows = int(block.rows)
        arrays = [_build_array(field.type, rows, part) for field, part in zip(self.schema, block.parts, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def choose_arrow_type(type_: ColumnType) -> pa.DataType:
    """The type that holds every value of a column exactly."""
    if type_.layout == "decimal":
        return pa.decimal128(type_.precision, type_.scale)
    return _PLAIN[type_.layout]


def _build_array(kind: pa.DataType, rows: int, part: Any) -> pa.Array:
    buffers = [_wrap(part.validity)]
    if part.offsets is not None:
        buffers.append(_wrap(part.offsets))
    buffers.append(_wrap(part.data) or pa.py_buffer(b""))
    return pa.Array.from_buffers(kind, rows, buffers, int(part.nulls))


def _wrap(buffer: Any) -> "pa.Buffer | None":
    return None if buffer is None or not buffer.capacity() else pa.py_buffer(memoryview(buffer))

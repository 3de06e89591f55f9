# The fastest ways from PostgreSQL into SQL Server that mssql-python has, in one process. Imports nothing of Pipekit.
"""`python bare_bulk.py arrow|rows PORT DATABASE CONNECTION_STRING TABLE`: no staging, no checks, types written down."""

import sys
from collections.abc import Iterator
from typing import Any

import mssql_python
import psycopg
import pyarrow as pa
from pyarrow import csv

KINDS = {
    "id": pa.int64(),
    "i": pa.int32(),
    "d": pa.float64(),
    "n": pa.decimal128(12, 2),
    "t": pa.string(),
    "v": pa.string(),
    "day": pa.date32(),
    "at": pa.timestamp("us"),
    "ok": pa.bool_(),
    "m": pa.int32(),
}
BLOCK_BYTES = 1 << 20


def read_batches(cursor: Any, table: str) -> Iterator[pa.RecordBatch]:
    """COPY text parsed as CSV, a megabyte at a time."""
    parse = csv.ParseOptions(delimiter="\t", quote_char=False, double_quote=False)
    convert = csv.ConvertOptions(
        column_types=KINDS, null_values=["\\N"], strings_can_be_null=True, true_values=["t"], false_values=["f"]
    )
    parts: list[bytes] = []
    with cursor.copy(f"COPY {table} TO STDOUT".encode()) as blocks:
        for block in blocks:
            parts.append(bytes(block))
            if len(parts) % 1000 == 0 and sum(map(len, parts)) >= BLOCK_BYTES:
                yield from _parse(parts, parse, convert)
                parts = []
    if parts:
        yield from _parse(parts, parse, convert)


def _parse(parts: list[bytes], parse: csv.ParseOptions, convert: csv.ConvertOptions) -> list[pa.RecordBatch]:
    data = b"".join(parts)
    read = csv.ReadOptions(column_names=list(KINDS), use_threads=False, block_size=len(data) + 1)
    batches: list[pa.RecordBatch] = csv.read_csv(pa.BufferReader(data), read, parse, convert).to_batches()
    return batches


def read_rows(cursor: Any, table: str) -> Iterator[tuple[Any, ...]]:
    """Rows as Python values."""
    cursor.execute(f"SELECT * FROM {table}".encode())
    yield from cursor


def move(how: str, port: str, database: str, connection: str, table: str) -> None:
    """Copies the table."""
    login = f"host=127.0.0.1 user=postgres dbname={database} port={port}"
    with psycopg.connect(login) as source, mssql_python.connect(connection) as dest:
        into = dest.cursor()
        if how == "arrow":
            batches = read_batches(source.cursor(), table)
            into.bulkcopy_arrow(f"[dbo].[{table}]", batches, timeout=0, table_lock=True, keep_nulls=True)
        else:
            rows = read_rows(source.cursor(name="rows"), table)
            into.bulkcopy(f"[dbo].[{table}]", rows, timeout=0, table_lock=True, keep_nulls=True)


if __name__ == "__main__":
    move(*sys.argv[1:6])

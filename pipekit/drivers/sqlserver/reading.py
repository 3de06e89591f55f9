# SQL Server as a source: what a query's columns are and its rows as record batches. Loaded in the runner child only.
"""`SqlServerSource`.

mssql-python gives Arrow columns that hold every value but two: of a `datetime2(7)` the last digit is cut, and a
`datetimeoffset` is turned to UTC. Those are read as text of their own style 121.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipekit.drivers.arrow import is_text, rows_from_batches
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.drivers.sqlserver.querying import BatchSize, Querying, build_exact_query
from pipekit.drivers.sqlserver.replaced import ReplacedLetters
from pipekit.drivers.sqlserver.types import find_refusal, parse_type
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import StatementFailed


class SqlServerSource:
    """A described query; see `drivers.wire.Source`."""

    def __init__(self, session: Querying, sql: str) -> None:
        self._session = session
        self._sql = strip_query(sql)
        self.columns = tuple(DRIVER.introspect_query_columns(session.query, self._sql))
        self._types = [parse_type(column.type) for column in self.columns]
        for column in self.columns:
            if reason := find_refusal(column.type):
                raise StatementFailed(f"Column {column.name} cannot be read: {reason}.", column=column.name)

    def formats(self) -> Sequence[Format]:
        """Record batches; rows are made of them."""
        return ("arrow", "rows")

    def type_signature(self) -> tuple[object, ...] | None:
        """There is no COPY."""
        return None

    def open(self, format: Format) -> Stream:
        """Starts the query when the first block is asked for."""
        stream = Stream(format=format, columns=self.columns, blocks=iter(()))
        batches = self._read_batches(stream)
        stream.blocks = rows_from_batches(batches) if format == "rows" else batches
        return stream

    def close(self) -> None:
        """Describing holds nothing."""

    def _read_batches(self, stream: Stream) -> Iterator[tuple[Any, int]]:
        total, letters = 0, ReplacedLetters(self.columns)
        with self._session.reading(self._build_query()) as started:
            size = BatchSize(started.parts)
            while (batch := size.read(started)).num_rows:
                for place, column in enumerate(batch.columns):
                    if is_text(column.type):
                        letters.count(place, column, total)
                columns = [self._trim(place, column) for place, column in enumerate(batch.columns)]
                yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names), batch.num_rows
                total += batch.num_rows
        if counting := letters.build_count_query(self._sql):
            letters.compare(self._session.query(counting).rows[0])
        stream.total = total

    def _build_query(self) -> str:
        as_text = [type_.base == "datetimeoffset" or type_.text == "datetime2(7)" for type_ in self._types]
        if not any(as_text):
            return self._sql
        return build_exact_query(self._sql, [(c.name, text) for c, text in zip(self.columns, as_text, strict=True)])

    def _trim(self, place: int, column: pa.Array) -> pa.Array:
        is_padded = self._session.trim_char and self._types[place].base in ("char", "nchar")
        return pc.utf8_rtrim(column, " ") if is_padded else column

# SQL Server as a source: what a query's columns are and its rows as record batches. Loaded in the runner child only.
"""`SqlServerSource`, and what of a query must be read as text to be exact.

mssql-python gives Arrow columns that hold every value but two: of a `datetime2(7)` the last digit is cut, and a
`datetimeoffset` is turned to UTC. Those are read as text of their own style 121.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipekit.drivers.arrow import batch_bytes, is_text, rows_from_batches
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.drivers.sqlserver.names import quote_identifier
from pipekit.drivers.sqlserver.query import build_derived
from pipekit.drivers.sqlserver.replaced import ReplacedLetters
from pipekit.drivers.sqlserver.types import find_refusal, parse_type
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import StatementFailed

if TYPE_CHECKING:
    from pipekit.drivers.sqlserver.session import SqlServerSession
    from pipekit.drivers.sqlserver.wire import Reading

BATCH_ROWS = 8192
BATCH_BYTES = 2 * 1024 * 1024
FIRST_ROWS = 256
FIRST_LONG_ROWS = 16
# A slow query's rows go on before so many seconds have passed.
BATCH_S = 0.5
# Beyond this many characters or bytes a column may hold values of any size.
LONG = 8000

# ODBC's codes for types, and how SQL Server spells them. `{n}` is the size, `{s}` the digits behind the point.
_DATETIME2, _DATETIMEOFFSET = 93, -155
_CODES = {
    -7: "bit", -6: "tinyint", 5: "smallint", 4: "int", -5: "bigint", 7: "real", 6: "float", 8: "float",
    3: "decimal({n},{s})", 2: "decimal({n},{s})", 91: "date", -154: "time({s})", _DATETIME2: "datetime2({s})",
    _DATETIMEOFFSET: "datetimeoffset({s})", 1: "char({n})", 12: "varchar({n})", -1: "text", -8: "nchar({n})",
    -9: "nvarchar({n})", -10: "ntext", -2: "binary({n})", -3: "varbinary({n})", -4: "image", -11: "uniqueidentifier",
    -152: "xml", -150: "sql_variant",
}  # fmt: skip
_WITH_MAX = (12, -9, -3)


@dataclass(frozen=True, slots=True)
class Part:
    """A column of a started query as ODBC describes it."""

    name: str
    code: int
    size: int
    scale: int

    @property
    def type_text(self) -> str:
        """The type as SQL Server spells it, as far as ODBC tells it; `""` where it does not."""
        size = "max" if self.code in _WITH_MAX and not 0 < self.size <= LONG else self.size
        return _CODES.get(self.code, "").format(n=size, s=self.scale)

    @property
    def loses_digits(self) -> bool:
        """Whether Arrow would hold less than the server has."""
        return self.code == _DATETIMEOFFSET or (self.code == _DATETIME2 and self.scale == 7)

    @property
    def is_long(self) -> bool:
        """Whether a value may be of any size."""
        return self.code in (-1, -10, -4, -152) or (self.code in _WITH_MAX and not 0 < self.size <= LONG)


class BatchSize:
    """How many rows to ask for next, so that a batch stays small and comes soon, whatever the rows hold."""

    def __init__(self, parts: Sequence[Part], most: int = BATCH_ROWS) -> None:
        self._most = most
        self.rows = FIRST_LONG_ROWS if any(part.is_long for part in parts) else min(most, FIRST_ROWS)

    def read(self, started: Reading, limit: int | None = None) -> pa.RecordBatch:
        """The next rows of a query; none at its end."""
        began = time.monotonic()
        batch = started.next_batch(self.rows if limit is None else min(limit, self.rows))
        if batch.num_rows:
            self.learn(batch.num_rows, batch_bytes(batch), time.monotonic() - began)
        return batch

    def learn(self, rows: int, size: int, seconds: float) -> None:
        """Takes the measure of a batch; grows step by step and shrinks at once."""
        fitting = min(BATCH_BYTES * rows // (size + 1), int(BATCH_S * rows / (seconds + 1e-6)))
        self.rows = max(1, min(self._most, 4 * self.rows, fitting))


def build_exact_query(sql: str, columns: Sequence[tuple[str, bool]]) -> str:
    """The query with some of its columns as text."""
    names = [name for name, _ in columns]
    if not all(names) or len(set(map(str.lower, names))) < len(names):
        hint = "Give every column a name of its own, or cast datetime2(7) and datetimeoffset columns in the query."
        raise StatementFailed("A time with seven digits or an offset cannot be read exactly here.", hint=hint)
    chosen = []
    for name, as_text in columns:
        quoted = quote_identifier(name)
        chosen.append(f"CONVERT(varchar(34), {quoted}, 121) AS {quoted}" if as_text else quoted)
    return build_derived(sql, ", ".join(chosen))


class SqlServerSource:
    """A described query; see `drivers.wire.Source`."""

    def __init__(self, session: SqlServerSession, sql: str) -> None:
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

# Queries over one connection to SQL Server: rows as text, block by block. Loaded in the runner child only.
"""`Querying`, which a session is and its sources stand on; `BatchSize`, and a query with columns as text."""

import contextlib
import time
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipekit.drivers.arrow import batch_bytes, column_hex, column_texts, is_bytes
from pipekit.drivers.sqlserver.link import Link, Reading
from pipekit.drivers.sqlserver.names import quote_identifier
from pipekit.drivers.sqlserver.part import Part
from pipekit.drivers.sqlserver.query import build_derived, check_single
from pipekit.drivers.wire import LooksOneByOne
from pipekit.errors import Invalid, StatementFailed
from pipekit.runner_contract import QueryResult, ResultColumn, gather

BEGIN = "BEGIN TRANSACTION"
STREAM_ROWS = 2000
BATCH_ROWS = 8192
BATCH_BYTES = 2 * 1024 * 1024
FIRST_ROWS = 256
FIRST_LONG_ROWS = 16
# A slow query's rows go on before so many seconds have passed.
BATCH_S = 0.5

_LEAVE = "SELECT @@TRANCOUNT; IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"
_ROLLBACK = "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION"


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


class Querying(LooksOneByOne):
    """One connection that is asked; what a read-only one wrote is rolled back."""

    def __init__(self, link: Link, read_only: bool, trim_char: bool) -> None:
        self.link = link
        self.trim_char = trim_char
        self.reads_only = read_only

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        """Runs one query; every cell is text."""
        return gather(self._read(sql, limit))

    def stream(self, sql: str) -> Iterator[QueryResult]:
        """Runs one query and yields its rows block by block, never all of them."""
        return self._read(sql, None)

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self.link.close()

    def roll_back(self) -> None:
        """Rolls back what is open; a lost connection is rolled back by the server."""
        if self.link.is_lost:
            return
        try:
            self.link.run(_ROLLBACK)
        except StatementFailed:
            self.link.close()

    @contextlib.contextmanager
    def reading(self, sql: str) -> Iterator[Reading]:
        """A started query, ended with the block; in a session that only reads what it wrote is rolled back."""
        if not self.reads_only:
            with contextlib.closing(self.link.open(sql)) as started:
                yield started
            return
        _check_single(sql)
        self.link.run(BEGIN)
        try:
            with contextlib.closing(self.link.open(sql)) as started:
                yield started
        except BaseException:
            self.roll_back()
            raise
        if not started.is_finished:
            # What breaks a query off may take its transaction, and even the connection, with it.
            self.roll_back()
        elif self.link.run(_LEAVE)[1] == 0:
            raise StatementFailed("The query ended the transaction it was read in: what it wrote was not rolled back.")

    def _read(self, sql: str, limit: int | None) -> Iterator[QueryResult]:
        with self.reading(sql) as started:
            parts = started.parts
            if not any(part.loses_digits for part in parts):
                yield from _read_blocks(started, parts, limit)
                return
        # What the client library would cut is asked for as text.
        with self.reading(build_exact_query(sql, [(part.name, part.loses_digits) for part in parts])) as started:
            yield from _read_blocks(started, parts, limit)


def _check_single(sql: str) -> None:
    try:
        check_single(sql)
    except Invalid as error:
        raise StatementFailed(error.message, hint=error.hint) from None


def _read_blocks(started: Reading, parts: Sequence[Part], limit: int | None) -> Iterator[QueryResult]:
    columns = tuple(ResultColumn(name=part.name, type=part.type_text) for part in parts)
    size = BatchSize(started.parts, STREAM_ROWS)
    left, empty = limit, True
    while left is None or left > 0:
        batch = size.read(started, left)
        if not batch.num_rows:
            break
        left = None if left is None else left - batch.num_rows
        empty = False
        yield QueryResult(columns=columns, rows=tuple(zip(*map(_spell_cells, batch.columns), strict=True)))
    if empty:
        yield QueryResult(columns=columns, rows=())


def _spell_cells(column: pa.Array) -> list[str | None]:
    """A column as SQL Server would write it."""
    if pa.types.is_boolean(column.type):
        column = pc.if_else(column, "1", "0")
    elif is_bytes(column.type):
        column = pc.binary_join_element_wise("0x", column_hex(column), "")
    cells: list[str | None] = column_texts(column).to_pylist()
    return cells

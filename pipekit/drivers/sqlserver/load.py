# SQL Server as a sink: a staging table filled by one bulk copy. Loaded in the runner child only.
"""`SqlServerSink`."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from pipekit.drivers.arrow import read_copy_text, split_batch, split_copy_text, unescape
from pipekit.drivers.sqlserver.link import Link
from pipekit.drivers.sqlserver.values import ColumnLoader, Unfit
from pipekit.drivers.wire import Count, Format, Stream
from pipekit.errors import Inexact, RunnerError, StatementFailed
from pipekit.runner_contract import Load

FORMATS: tuple[Format, ...] = ("arrow", "copy-text", "rows")
BATCH_BYTES = 4 * 1024 * 1024
GATHER_BYTES = 1024 * 1024
GIVE_EVERY_S = 0.3

Blocks = Iterable[tuple[Any, int]]
Batches = Iterator[tuple[pa.RecordBatch, int]]
MakeBatch = Callable[[Any, int], pa.RecordBatch]
# A way to make of a block's column what the staging column wants.
Convert = Callable[[ColumnLoader, Any], pa.Array]


class SqlServerSink:
    """A staging table that is to be filled; see `drivers.wire.Sink`.

    The bulk copy works on a connection of its own, so the staging table must be committed before.
    """

    def __init__(self, link: Link, load: Load) -> None:
        self._link = link
        self._load = load
        self._loaders = [ColumnLoader(column, load.exact) for column in load.columns]
        self._names = [str(place) for place in range(len(load.columns))]
        self._copy_kinds = {str(place): loader.copy_kind for place, loader in enumerate(self._loaders)}

    def formats(self) -> Sequence[Format]:
        """Whatever there is but COPY's binary form."""
        return FORMATS

    def type_signature(self) -> tuple[object, ...] | None:
        """There is no COPY."""
        return None

    def load(self, stream: Stream, on_rows: Count) -> int:
        """One bulk copy; the rows the client library has sent must be those it was given.

        The server's own count of them is not passed on: it is the merge that is held to the same number.
        """
        feed = _Feed(self._convert_blocks(stream), on_rows)
        first = feed.take_first()
        if first is None:
            return 0
        try:
            taken = self._link.load(self._load.table, feed.batches(first), [c.stage_name for c in self._load.columns])
        except BaseException:
            if feed.failure is None:
                raise
            # The client library ends a load whose feed fails as if it were complete.
            self._empty_table()
            raise feed.failure from None
        if taken != feed.rows:
            raise StatementFailed(f"The bulk load sent {taken} rows of the {feed.rows} that were read.")
        return taken

    def _empty_table(self) -> None:
        with contextlib.suppress(StatementFailed):
            self._link.run(f"TRUNCATE TABLE {self._load.table}")

    # -- blocks as batches of the staging table's types ----------------------------------------------------------------

    def _convert_blocks(self, stream: Stream) -> Batches:
        convert: dict[Format, Callable[[Any, int], list[pa.Array]]] = {
            "copy-text": self._from_copy_text,
            "arrow": self._from_arrow,
            "rows": self._from_rows,
        }

        def make_batch(block: Any, done: int) -> pa.RecordBatch:
            return pa.RecordBatch.from_arrays(convert[stream.format](block, done), names=self._names)

        if stream.format == "copy-text":
            return _convert_ahead(_gather(stream.blocks), make_batch)
        return _convert_each(stream.blocks, make_batch)

    def _from_arrow(self, batch: pa.RecordBatch, done: int) -> list[pa.Array]:
        return self._convert(ColumnLoader.convert, batch.columns, done)

    def _from_rows(self, rows: Sequence[tuple[Any, ...]], done: int) -> list[pa.Array]:
        return self._convert(ColumnLoader.convert_values, list(zip(*rows, strict=True)), done)

    def _from_copy_text(self, block: bytes, done: int) -> list[pa.Array]:
        """Parsed as the types that are wanted; where a cell refuses that, all as texts, which finds out which it is."""
        try:
            columns = [
                unescape(column) if kind == pa.string() else column
                for column, kind in zip(read_copy_text(block, self._copy_kinds), self._copy_kinds.values(), strict=True)
            ]
        except pa.ArrowInvalid:
            columns = split_copy_text(block, [column.source_name for column in self._load.columns], done)
        return self._convert(ColumnLoader.convert, columns, done)

    def _convert(self, convert: Convert, columns: Sequence[Any], done: int) -> list[pa.Array]:
        """Every column as its staging column wants it; what is refused is named by column and row."""
        arrays = []
        for loader, column in zip(self._loaders, columns, strict=True):
            try:
                arrays.append(convert(loader, column))
            except Unfit as error:
                row = done + error.index + 1
                message = f"Column {loader.name}, row {row}: {error.reason}."
                raise Inexact(message, column=loader.name, row=row) from None
        return arrays


def _convert_each(blocks: Blocks, make_batch: MakeBatch) -> Batches:
    """A block's memory may be used anew when the next one is asked for: each is converted before."""
    done = 0
    for block, rows in blocks:
        if rows:
            yield make_batch(block, done), rows
        done += rows


def _convert_ahead(blocks: Iterator[tuple[bytes, int]], make_batch: MakeBatch) -> Batches:
    """A thread parses the next block while the bulk copy, which lets other threads run, sends the one before."""
    done = 0
    waiting: tuple[Future[pa.RecordBatch], int] | None = None
    with ThreadPoolExecutor(1, "parse") as thread:
        try:
            for block, rows in blocks:
                begun = thread.submit(make_batch, block, done), rows
                if waiting:
                    yield waiting[0].result(), waiting[1]
                waiting = begun
                done += rows
        except RunnerError:
            # What was wrong with a row before is told rather than that the source broke off after it.
            if waiting:
                waiting[0].result()
            raise
        if waiting:
            yield waiting[0].result(), waiting[1]


def _gather(blocks: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Blocks of COPY text put together to larger ones, unless the source is slow: every block has its costs."""
    parts: list[bytes] = []
    rows, size, given = 0, 0, time.monotonic()
    for block, count in blocks:
        parts.append(block)
        rows, size = rows + count, size + len(block)
        if size >= GATHER_BYTES or time.monotonic() - given > GIVE_EVERY_S:
            yield b"".join(parts), rows
            parts, rows, size, given = [], 0, 0, time.monotonic()
    if rows:
        yield b"".join(parts), rows


class _Feed:
    """The batches on their way into the bulk copy: counts their rows and keeps what goes wrong on the way."""

    def __init__(self, blocks: Batches, on_rows: Count) -> None:
        self.rows = 0
        self.failure: BaseException | None = None
        self._blocks = blocks
        self._on_rows = on_rows

    def take_first(self) -> tuple[pa.RecordBatch, int] | None:
        """The first batch; None when there is none, of which the bulk copy could make nothing."""
        return next(self._blocks, None)

    def batches(self, first: tuple[pa.RecordBatch, int]) -> Iterator[pa.RecordBatch]:
        """All batches, cut where they are large."""
        try:
            yield from self._count(*first)
            for batch, rows in self._blocks:
                yield from self._count(batch, rows)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failure = error
            raise

    def _count(self, batch: pa.RecordBatch, rows: int) -> Iterator[pa.RecordBatch]:
        yield from split_batch(batch, BATCH_BYTES)
        self.rows += rows
        self._on_rows(self.rows)

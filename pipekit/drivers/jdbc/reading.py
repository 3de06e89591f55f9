# A query's result on its way out: as COPY text, as record batches, as rows. Loaded in the runner child only.
"""`JdbcSource`."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipekit.drivers.jdbc.connection import JdbcConnection
from pipekit.drivers.jdbc.jvm import find_class, make_ints, make_strings
from pipekit.drivers.jdbc.running import TEXT_BYTES, run_query, take_text
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import RunnerError, StatementFailed

TEXT_ROWS = 20_000
BATCH_BYTES = 4 * 1024 * 1024
BATCH_ROWS = 16 * 1024


class JdbcSource:
    """A query that runs, its rows not yet fetched; see `drivers.wire.Source`."""

    def __init__(self, session: JdbcConnection, sql: str, owned: bool) -> None:
        self._session = session
        self._owned = owned
        try:
            self._running = run_query(session, sql)
            self._check()
        except RunnerError:
            self._end()
            raise
        self.columns = self._running.columns

    def _check(self) -> None:
        if self._running.rows is None or not self._running.columns:
            self._running.close()
            raise StatementFailed("The source query gives no columns.")
        if reason := self._running.find_refused():
            self._running.close()
            raise StatementFailed(reason, hint="Cast the column to a text in the query.")

    def formats(self) -> Sequence[Format]:
        """Text is written by the Java reader itself; rows are made from batches."""
        return ("copy-text", "arrow", "rows")

    def type_signature(self) -> tuple[object, ...] | None:
        """Never binary."""
        return None

    def open(self, format: Format) -> Stream:
        """Starts the reading."""
        stream = Stream(format=format, columns=self.columns, blocks=iter(()))
        if format == "copy-text":
            stream.blocks = self._blocks(stream, self._make_text_reader, take_text)
            return stream
        from pipekit.drivers.arrow import rows_from_batches
        from pipekit.drivers.jdbc.batches import BatchBuilder

        builder = BatchBuilder(self.columns, self._running.types)
        batches = self._blocks(stream, self._make_arrow_reader, builder.build)
        stream.blocks = batches if format == "arrow" else _closing(rows_from_batches(batches), batches)
        return stream

    def _blocks(
        self, stream: Stream, make_reader: Callable[[], Any], take: Callable[[Any], Any]
    ) -> Iterator[tuple[Any, int]]:
        total = 0
        try:
            for block in self._running.blocks(make_reader()):
                total += block.rows
                yield take(block), int(block.rows)
            stream.total, stream.bad_values = total, self._running.list_bad_values()
        finally:
            self.close()

    def close(self) -> None:
        """Ends the query and its transaction."""
        self._running.close()
        self._end()

    def _make_text_reader(self) -> Any:
        kinds = make_strings(self._running.kinds)
        bad = self._running.make_bad_values()
        return find_class("pipekit.TextReader")(self._running.rows, bad, kinds, True, TEXT_ROWS, TEXT_BYTES)

    def _make_arrow_reader(self) -> Any:
        types = self._running.types
        return find_class("pipekit.ArrowReader")(
            self._running.rows,
            self._running.make_bad_values(),
            make_strings(self._running.kinds),
            make_strings([type_.layout for type_ in types]),
            make_ints([type_.precision for type_ in types]),
            make_ints([type_.scale for type_ in types]),
            BATCH_ROWS,
            BATCH_BYTES,
        )

    def _end(self) -> None:
        self._session.roll_back()
        if self._owned:
            self._session.close()


def _closing(blocks: Iterator[Any], inner: Any) -> Iterator[Any]:
    """Blocks made from others, which end with them."""
    with contextlib.closing(inner):
        yield from blocks

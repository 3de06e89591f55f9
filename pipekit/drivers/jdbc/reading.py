# A query's result on its way out: as text, as COPY text, as record batches. Loaded in the runner child only.
"""`Running` (a query that runs), `read_texts` and `JdbcSource`."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pipekit.drivers.jdbc.columntypes import Classify, ColumnType
from pipekit.drivers.jdbc.faults import is_a, to_inexact, to_statement_failed
from pipekit.drivers.jdbc.jvm import JavaError, find_class, make_ints, make_strings
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import RunnerError, StatementFailed
from pipekit.runner_contract import QueryResult, ResultColumn

if TYPE_CHECKING:
    from pipekit.drivers.jdbc.session import JdbcSession

FIRST_FETCH = 64
TEXT_BYTES = 256 * 1024
TEXT_ROWS = 20_000
QUERY_ROWS = 2_000
BATCH_BYTES = 4 * 1024 * 1024
BATCH_ROWS = 16 * 1024

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NULL = "\\N"


class Running:
    """A statement that runs, and its result; None for a statement that gives no rows.

    `types` are those of the columns where the result's own are not what was asked for.
    """

    def __init__(
        self, session: JdbcSession, sql: str, statement: Any, rows: Any, types: Sequence[ColumnType] = ()
    ) -> None:
        self.sql = sql
        self._session = session
        self.statement = statement
        self.rows = rows
        described = describe_columns(rows.getMetaData(), session.classify) if rows is not None else []
        if types:
            described = [(name, type_) for (name, _), type_ in zip(described, types, strict=True)]
        self.columns = tuple(ResultColumn(name=name, type=type_.text) for name, type_ in described)
        self.types = [type_ for _, type_ in described]
        self.kinds = [_choose_kind(type_, session.trim_char) for type_ in self.types]

    def find_refused(self) -> str:
        """Why a column cannot be read, `""` when all can."""
        for column, type_ in zip(self.columns, self.types, strict=True):
            if type_.refused:
                return f"Column {column.name} ({type_.text}): {type_.refused}."
        return ""

    def blocks(self, reader: Any) -> Iterator[Any]:
        """The blocks of a Java reader, read ahead of whoever takes them."""
        ahead = find_class("pipekit.ReadAhead")(reader, self.statement)
        try:
            while (block := ahead.take()) is not None:
                yield block
        except JavaError as error:
            raise self._explain(error) from None
        finally:
            if not ahead.close():
                self._session.abandon()

    def _explain(self, error: Any) -> RunnerError:
        if is_a(error, "pipekit.Unfit"):
            return to_inexact(error, [column.name for column in self.columns])
        return to_statement_failed(error, self.sql)

    def close(self) -> None:
        """Ends the query."""
        if self._session.is_abandoned:
            return
        with contextlib.suppress(JavaError):
            if self.rows is not None:
                self.rows.close()
            self.statement.close()


def describe_columns(metadata: Any, classify: Classify) -> list[tuple[str, ColumnType]]:
    """Name and type of each column of a result."""
    described = []
    for place in range(1, metadata.getColumnCount() + 1):
        type_ = classify(
            metadata.getColumnType(place),
            str(metadata.getColumnTypeName(place) or ""),
            metadata.getPrecision(place),
            metadata.getScale(place),
            _is_signed(metadata, place),
        )
        described.append((str(metadata.getColumnLabel(place)), type_))
    return described


def _is_signed(metadata: Any, place: int) -> bool:
    try:
        return bool(metadata.isSigned(place))
    except JavaError:
        return True


def _choose_kind(type_: ColumnType, trim_char: bool) -> str:
    return "TRIMMED" if trim_char and type_.text.startswith(("CHAR", "NCHAR")) else type_.kind


def read_texts(running: Running) -> Iterator[QueryResult]:
    """The result as blocks of texts; at least one, so that the columns are known."""
    if running.rows is None:
        yield QueryResult(columns=(), rows=())
        return
    if reason := running.find_refused():
        raise StatementFailed(reason, hint="Cast the column to a text in the query.")
    reader = find_class("pipekit.TextReader")(running.rows, make_strings(running.kinds), False, QUERY_ROWS, TEXT_BYTES)
    empty = True
    for block in running.blocks(reader):
        empty = False
        lines = _take_text(block).decode().split("\n")
        yield QueryResult(columns=running.columns, rows=tuple(map(_split_line, lines[:-1])))
    if empty:
        yield QueryResult(columns=running.columns, rows=())


def _split_line(line: str) -> tuple[str | None, ...]:
    if "\\" not in line:
        return tuple(line.split("\t"))
    return tuple(
        None if cell == _NULL else _ESCAPED.sub(_unescape, cell) if "\\" in cell else cell for cell in line.split("\t")
    )


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])


def _take_text(block: Any) -> bytes:
    return bytes(memoryview(block.text))


class JdbcSource:
    """A query that runs, its rows not yet fetched; see `drivers.wire.Source`."""

    def __init__(self, session: JdbcSession, sql: str, owned: bool) -> None:
        self._session = session
        self._owned = owned
        try:
            self._running = session.run_query(sql)
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
            stream.blocks = self._blocks(stream, self._make_text_reader, _take_text)
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
            stream.total = total
        finally:
            self.close()

    def close(self) -> None:
        """Ends the query and its transaction."""
        self._running.close()
        self._end()

    def _make_text_reader(self) -> Any:
        kinds = make_strings(self._running.kinds)
        return find_class("pipekit.TextReader")(self._running.rows, kinds, True, TEXT_ROWS, TEXT_BYTES)

    def _make_arrow_reader(self) -> Any:
        types = self._running.types
        return find_class("pipekit.ArrowReader")(
            self._running.rows,
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

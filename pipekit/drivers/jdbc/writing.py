# Rows on their way into a staging table, by batches of a prepared INSERT. Loaded in the runner child only.
"""`JdbcSink`: every format becomes COPY text, which the Java writer reads, checks and binds."""

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from pipekit.drivers.jdbc.columntypes import ColumnType
from pipekit.drivers.jdbc.connection import JdbcConnection
from pipekit.drivers.jdbc.faults import guard, is_a, to_inexact, to_statement_failed
from pipekit.drivers.jdbc.jvm import JavaError, find_class, make_array, make_bytes, make_strings
from pipekit.drivers.jdbc.mysql.types import describe_target
from pipekit.drivers.jdbc.running import run_query
from pipekit.drivers.postgresql.copytext import NULL, escape
from pipekit.drivers.types import is_bytes_type
from pipekit.drivers.wire import Count, Format, Stream
from pipekit.errors import Inexact, RunnerError
from pipekit.runner_contract import Load

_NO_NUMBER = re.compile(r"[+-]?(?:nan|inf(?:inity)?)", re.IGNORECASE)
DECFLOAT = "DECFLOAT"
_BITS = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}

Blocks = Iterator[tuple[bytes, int]]


class JdbcSink:
    """A staging table that is to be filled; see `drivers.wire.Sink`."""

    def __init__(self, session: JdbcConnection, load: Load) -> None:
        self._session = session
        self._load = load
        with guard():
            quote = str(session.metadata.getIdentifierQuoteString()).strip()
            self._batches = bool(session.metadata.supportsBatchUpdates())
            self._product = session.product
        self._names = ", ".join(_quote(column.stage_name, quote) for column in load.columns)
        self._types = self._describe()

    def _describe(self) -> list[tuple[int, int, ColumnType]]:
        """Type code, size and type of each staging column, as the driver describes them."""
        with contextlib.closing(
            run_query(self._session, f"SELECT {self._names} FROM {self._load.table} WHERE 1 = 0")
        ) as running:
            metadata = running.rows.getMetaData()
            sizes = [
                (int(metadata.getColumnType(place)), int(metadata.getPrecision(place)))
                for place in range(1, len(running.types) + 1)
            ]
        self._session.commit()
        return [(code, size, type_) for (code, size), type_ in zip(sizes, running.types, strict=True)]

    def formats(self) -> Sequence[Format]:
        """Text needs no work here; batches and rows are written as text first."""
        return ("copy-text", "arrow", "rows")

    def type_signature(self) -> tuple[object, ...] | None:
        """Never binary."""
        return None

    def load(self, stream: Stream, on_rows: Count) -> int:
        """One transaction; a refused row leaves the table as it was and is named by row, and by column where known."""
        marks = ", ".join("?" for _ in self._load.columns)
        sql = f"INSERT INTO {self._load.table} ({self._names}) VALUES ({marks})"
        try:
            self._write(sql, stream, on_rows)
            held = self._count()
            self._session.commit()
        except BaseException:
            self._session.roll_back()
            raise
        return held

    def _write(self, sql: str, stream: Stream, on_rows: Count) -> None:
        texts = self._choose_texts(stream.format)(stream)
        with guard(sql):
            targets = make_array(find_class("pipekit.Target"), self._build_targets(stream.format))
            writer = find_class("pipekit.TableWriter")(self._session.connection, sql, targets, self._batches)
        done = 0
        try:
            for block, _ in texts:
                try:
                    written = int(writer.write(make_bytes(block)))
                except JavaError as error:
                    raise self._explain(error, sql, block, done) from None
                done = written
                on_rows(done)
        finally:
            with contextlib.suppress(JavaError):
                writer.close()

    def _count(self) -> int:
        result = run_query(self._session, f"SELECT COUNT(*) FROM {self._load.table}")
        with guard(), contextlib.closing(result):
            result.rows.next()
            return int(result.rows.getLong(1))

    def _build_targets(self, format: Format) -> list[Any]:
        make = find_class("pipekit.Target")
        targets = []
        for place, (code, size, type_) in enumerate(self._types):
            source = self._find_source(place, format)
            told = describe_target(self._load.columns[place].stage_type) if self._session.is_mysql else None
            if told is None:
                kind = self._find_kind(type_)
                target = make(kind, code, _find_size(type_, size), type_.scale, self._load.exact, source)
                type_text = self._load.columns[place].stage_type
                targets.append(self._session.limit_text(target, type_text, self._load.exact))
                continue
            target = make(told.kind, code, told.size, told.scale, self._load.exact, source)
            target = target.unsigned() if told.unsigned else target
            targets.append(target.choosing(make_strings(list(told.choices)), told.is_set))
        return targets

    def _find_kind(self, type_: ColumnType) -> str:
        """H2 takes a text for a JSON string; bytes it reads as JSON. A DECFLOAT also holds what is no number."""
        if type_.text == DECFLOAT:
            return DECFLOAT
        return "BYTES" if self._product == "H2" and type_.text == "JSON" else type_.kind

    def _find_source(self, place: int, format: Format) -> str:
        """What a COPY text's cells spell in a way of their own."""
        source = self._load.columns[place].source_type
        if format != "copy-text":
            return ""
        return "bytes" if is_bytes_type(source) else "bool" if source.lower() in ("boolean", "bool") else ""

    def _explain(self, error: Any, sql: str, block: bytes, done: int) -> RunnerError:
        """`done` rows were written before the block."""
        names = [column.source_name for column in self._load.columns]
        if is_a(error, "pipekit.Unfit"):
            return to_inexact(error, names)
        if not is_a(error, "pipekit.RowFailed"):
            return to_statement_failed(error, sql)
        failed = to_statement_failed(error.error, sql, row=int(error.row) or None)
        if failed.row and failed.sqlstate.startswith("22"):
            column = self._find_no_number(block, failed.row - done)
            message = f"Column {column}, {failed.message[0].lower()}{failed.message[1:]}" if column else failed.message
            return Inexact(message, sqlstate=failed.sqlstate, column=column, row=failed.row)
        return failed

    def _find_no_number(self, block: bytes, row: int) -> str:
        """The column of a block's row that holds NaN or infinity, as a database that has neither does not name it."""
        cells = block.split(b"\n", row)[row - 1].decode(errors="replace").split("\t")
        for (_, _, type_), column, cell in zip(self._types, self._load.columns, cells, strict=False):
            if type_.kind in ("FLOAT", "DOUBLE") and _NO_NUMBER.fullmatch(cell):
                return column.source_name
        return ""

    # -- formats as COPY text ------------------------------------------------------------------------------------------

    def _choose_texts(self, format: Format) -> Callable[[Stream], Blocks]:
        if format == "arrow":
            return _write_batches
        return self._write_rows if format == "rows" else lambda stream: stream.blocks

    def _write_rows(self, stream: Stream) -> Blocks:
        done = 0
        for rows, count in stream.blocks:
            columns = [self._write_cells(place, cells, done + 1) for place, cells in enumerate(zip(*rows, strict=True))]
            done += count
            yield "".join("\t".join(cells) + "\n" for cells in zip(*columns, strict=True)).encode(), count

    def _write_cells(self, place: int, cells: Sequence[Any], first_row: int) -> list[str]:
        is_bytes = self._types[place][2].kind in ("BYTES", "BLOB")
        is_text = self._types[place][2].layout == "text"
        texts = []
        for row, cell in enumerate(cells, start=first_row):
            text = _spell(cell, is_bytes, is_text)
            if text is None:
                name = self._load.columns[place].source_name
                message = f"Column {name}, row {row}: a value of type {type(cell).__name__} cannot be stored there."
                raise Inexact(message, column=name, row=row)
            texts.append(text)
        return texts


def _spell(cell: Any, is_bytes: bool, is_text: bool) -> str | None:
    """A cell of COPY text; None for a value that the column cannot take."""
    if cell is None:
        return NULL
    if isinstance(cell, str):
        if any("\ud800" <= letter <= "\udfff" for letter in cell):
            return None
        return "\\\\x" + cell.encode().hex() if is_bytes else escape(cell)
    if isinstance(cell, bytes):
        return "\\\\x" + cell.hex() if is_bytes else None
    if is_bytes:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return format(cell, "f") if isinstance(cell, Decimal) else repr(cell)


def _write_batches(stream: Stream) -> Blocks:
    from pipekit.drivers.arrow import column_copy_text, column_texts, join_copy_text, split_batch

    for batch, _ in stream.blocks:
        for part in split_batch(batch, 1024 * 1024):
            texts = [
                column_copy_text(column) if is_binary(column.type) else column_texts(column) for column in part.columns
            ]
            yield join_copy_text(texts), part.num_rows


def is_binary(kind: Any) -> bool:
    """Whether an Arrow type holds bytes."""
    return str(kind).startswith(("binary", "large_binary", "fixed_size_binary"))


def _find_size(type_: ColumnType, size: int) -> int:
    """What a value is measured against: bits of an integer, else digits, characters or bytes; 0: no limit."""
    if type_.kind == "INT":
        return _BITS[type_.text]
    return size if "(" in type_.text or type_.text == DECFLOAT else 0


def _quote(name: str, quote: str) -> str:
    return quote + name.replace(quote, quote * 2) + quote if quote else name

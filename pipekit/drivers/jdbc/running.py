# A query that runs, and its result as text. Loaded in the runner child only.
"""`run_query`, `Running` and `read_texts`."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipekit.drivers.jdbc.columntypes import ColumnType
from pipekit.drivers.jdbc.connection import JdbcConnection, describe_columns
from pipekit.drivers.jdbc.faults import guard, is_a, to_inexact, to_lost
from pipekit.drivers.jdbc.jvm import JavaError, find_class, make_ints, make_strings
from pipekit.drivers.jdbc.mysql.pins import find_no_read
from pipekit.drivers.jdbc.recasting import recast
from pipekit.errors import RunnerError, StatementFailed
from pipekit.runner_contract import QueryResult, ResultColumn

FIRST_FETCH = 64
TEXT_BYTES = 256 * 1024
QUERY_ROWS = 2_000
# A row of a table may be named by its number, where the query has that.
ROW_NUMBER = "RRN"
NO_QUERY = "This is no query, and the session reads only."

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NULL = "\\N"


class Running:
    """A statement that runs, and its result; None for a statement that gives no rows.

    `types` are those of the columns where the result's own are not what was asked for.
    """

    def __init__(
        self, session: JdbcConnection, sql: str, statement: Any, rows: Any, types: Sequence[ColumnType] = ()
    ) -> None:
        self.sql = sql
        self._session = session
        self.statement = statement
        self.rows = rows
        described = describe_columns(rows.getMetaData(), session.classify) if rows is not None else []
        if types:
            described = [(name, type_) for (name, _), type_ in zip(described, types, strict=True)]
        described = [(name, session.adapt(name, type_)) for name, type_ in described]
        self.columns = tuple(ResultColumn(name=name, type=type_.text) for name, type_ in described)
        self.types = [type_ for _, type_ in described]
        self.kinds = [_choose_kind(type_, session.trim_char) for type_ in self.types]
        self.bad: Any = None

    def find_refused(self) -> str:
        """Why a column cannot be read, `""` when all can."""
        for column, type_ in zip(self.columns, self.types, strict=True):
            if type_.refused:
                return f"Column {column.name} ({type_.text}): {type_.refused}."
        return ""

    def make_bad_values(self) -> Any:
        """What a Java reader of this result keeps of values that were lost."""
        names = [column.name for column in self.columns]
        folded = [name.upper() for name in names]
        keys = [folded.index(key.upper()) for key in (*self._session.key, ROW_NUMBER) if key.upper() in folded]
        make = find_class("pipekit.BadValues")
        self.bad = make(self.rows, make_strings(names), make_ints(list(dict.fromkeys(keys))), self._session.takes_null)
        return self.bad

    def list_bad_values(self) -> dict[str, str]:
        """What became NULL, by column, once all has been read."""
        counted = zip(self.columns, self.bad.counts(), self.bad.shown(), strict=True)
        return {column.name: _describe(int(count), str(shown)) for column, count, shown in counted if count}

    def blocks(self, reader: Any) -> Iterator[Any]:
        """The blocks of a Java reader, read ahead of whoever takes them."""
        with guard(self.sql):
            self.bad.hear(self.statement.getWarnings(), 1)
        ahead = find_class("pipekit.ReadAhead")(reader, self.statement)
        try:
            while (block := ahead.take()) is not None:
                yield block
        except JavaError as error:
            raise self._explain(error, int(reader.done())) from None
        finally:
            if not ahead.close():
                self._session.abandon()

    def _explain(self, error: Any, read: int) -> RunnerError:
        if is_a(error, "pipekit.Unfit"):
            if error.lost:
                place = int(error.column)
                find_all = self._session.find_lost(self.sql, place, self.columns[place])
                return to_lost(error, self.columns, find_all, self._session.nulls_bad_data)
            return to_inexact(error, [column.name for column in self.columns])
        return self._session.explain(error, self.sql, read, self.columns)

    def close(self) -> None:
        """Ends the query."""
        if self._session.is_abandoned:
            return
        with contextlib.suppress(JavaError):
            if self.rows is not None:
                self.rows.close()
            self.statement.close()


def _describe(count: int, shown: str) -> str:
    some = " and others" if count > shown.count("row ") else ""
    return f"{count} {'value' if count == 1 else 'values'} became NULL, in {shown}{some}"


def _choose_kind(type_: ColumnType, trim_char: bool) -> str:
    kind = "TRIMMED" if trim_char and type_.text.startswith(("CHAR", "NCHAR")) else type_.kind
    return kind + type_.page


def read_texts(running: Running) -> Iterator[QueryResult]:
    """The result as blocks of texts; at least one, so that the columns are known."""
    if running.rows is None:
        yield QueryResult(columns=(), rows=())
        return
    if reason := running.find_refused():
        raise StatementFailed(reason, hint="Cast the column to a text in the query.")
    kinds, bad = make_strings(running.kinds), running.make_bad_values()
    reader = find_class("pipekit.TextReader")(running.rows, bad, kinds, False, QUERY_ROWS, TEXT_BYTES)
    empty = True
    for block in running.blocks(reader):
        empty = False
        lines = take_text(block).decode().split("\n")
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


def take_text(block: Any) -> bytes:
    return bytes(memoryview(block.text))


def run_query(session: JdbcConnection, sql: str, limit: int | None = None) -> Running:
    """Starts a query; few rows are fetched before they are asked for."""
    if session.is_abandoned:
        raise StatementFailed("A statement hangs in this connection and cannot be ended.", transient=True)
    with guard(sql):
        _check_reads(session, sql)
        statement = session.make_statement()
        try:
            if limit is not None:
                statement.setMaxRows(limit)
                statement.setFetchSize(max(1, min(limit, FIRST_FETCH)))
            else:
                statement.setFetchSize(FIRST_FETCH)
            text, types = recast(session, sql)
            has_rows = statement.execute(text)
            if not has_rows:
                check_warnings(statement)
            return Running(session, sql, statement, statement.getResultSet() if has_rows else None, types)
        except JavaError as error:
            with contextlib.suppress(JavaError):
                statement.close()
            raise session.explain(error, sql, 0, ()) from None


def _check_reads(session: JdbcConnection, sql: str) -> None:
    """Refuses what is no query before it runs, where the database itself would not.

    H2 takes setReadOnly for a hint, and commits by itself at CREATE and DROP.
    """
    if not session.reads_only:
        return
    if session.is_mysql and (reason := find_no_read(sql)):
        raise StatementFailed(reason)
    if session.product == "H2":
        with contextlib.closing(session.connection.prepareStatement(sql)) as prepared:
            if prepared.getMetaData() is None:
                raise StatementFailed(NO_QUERY)


def check_warnings(statement: Any, *, substitutes: bool = True) -> None:
    """Raises (in Java) when a statement warns that data was lost, without `substitutes` but for such characters."""
    find_class("pipekit.Warnings").check(statement.getWarnings(), substitutes)

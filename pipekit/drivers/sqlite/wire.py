# SQLite's connection: queries, transactions, and both ends of a move. Imported in the runner child only.
"""`connect(endpoint)` and the session, source and sink it gives."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pipekit.drivers.sqlite.attaching import build_authorizer
from pipekit.drivers.sqlite.driver import DRIVER
from pipekit.drivers.sqlite.faults import tell_fault, tell_open_fault
from pipekit.drivers.sqlite.inserting import Inserter
from pipekit.drivers.sqlite.loading import BlockConverter
from pipekit.drivers.sqlite.reading import BLOCK_ROWS, BlockReader, split_script, starts_query
from pipekit.drivers.sqltext import strip_query
from pipekit.drivers.wire import Count, Format, LooksOneByOne, Stream, check_expectations, check_refusal
from pipekit.errors import ConnectFailed, Invalid, RunnerError, StatementFailed
from pipekit.runner_contract import Endpoint, Expect, Load, Onward, QueryResult, ResultColumn, Statement

BUSY_TIMEOUT_MS = 60_000
WAL_WAIT_MS = 2_000
OLDEST = (3, 37, 0)

_VIEW = "pipekit_query_columns"
_FAULTS = (sqlite3.Error, sqlite3.Warning)


def connect(endpoint: Endpoint) -> "SqliteSession":
    """Opens the file. A source's must exist; a dest's is made when its folder exists. Raises ConnectFailed."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise ConnectFailed(f"SQLite {sqlite3.sqlite_version} is too old; 3.37 or later is needed.")
    address = DRIVER.parse_url(endpoint.jdbc_url)
    path = Path(endpoint.base_dir, address.database).absolute()
    others = [Path(endpoint.base_dir, name).absolute() for name in DRIVER.list_files(address)[1:]]
    _check_path(path, endpoint.read_only)
    busy_ms = int(address.options.get("busy_timeout", BUSY_TIMEOUT_MS))
    db = _open_file(path, endpoint.read_only, busy_ms)
    db.set_authorizer(build_authorizer(path, others))
    return SqliteSession(db, path, endpoint.read_only, busy_ms, endpoint.trim_char)


def _check_path(path: Path, must_exist: bool) -> None:
    if path.is_dir():
        raise ConnectFailed(f"{path} is a folder, not a database file.")
    # SQLite would wait for whoever writes into a pipe, or read a device to its end.
    if path.exists() and not path.is_file():
        raise ConnectFailed(f"{path} is a pipe, a socket or a device, not a database file.")
    if must_exist and not path.exists():
        raise ConnectFailed(f"There is no file {path}.", sqlstate="SQLITE_CANTOPEN")
    if not path.parent.is_dir():
        raise ConnectFailed(f"There is no folder {path.parent} for the database file {path.name}.")


def _open_file(path: Path, read_only: bool, busy_ms: int) -> sqlite3.Connection:
    uri = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}"
    db: sqlite3.Connection | None = None
    try:
        if not read_only:
            _create_private(path)
        db = sqlite3.connect(uri, uri=True, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA schema_version").fetchone()
        _prepare(db, read_only, busy_ms)
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        raise tell_open_fault(path, error) from error
    return db


def _create_private(path: Path) -> None:
    """Makes an empty file that only its owner can read, unless there is one; SQLite would leave it to the umask."""
    with contextlib.suppress(OSError):  # where it cannot be made SQLite says so
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _prepare(db: sqlite3.Connection, read_only: bool, busy_ms: int) -> None:
    """A file we write gets a write-ahead log, so that its readers never wait; where it cannot, it stays as it is.

    Foreign keys are not kept, whatever SQLite was built to do: a delete must not reach other tables.
    """
    if read_only:
        db.execute("PRAGMA query_only = 1")
        return
    db.execute(f"PRAGMA busy_timeout = {min(WAL_WAIT_MS, busy_ms)}")
    with contextlib.suppress(sqlite3.OperationalError):
        db.execute("PRAGMA journal_mode = WAL").fetchone()
    db.execute(f"PRAGMA busy_timeout = {busy_ms}")
    db.execute("PRAGMA foreign_keys = 0")


class SqliteSession(LooksOneByOne):
    """One open file."""

    def __init__(self, db: sqlite3.Connection, path: Path, read_only: bool, busy_ms: int, trims: bool = False) -> None:
        self._db = db
        self._path = path
        self._read_only = read_only
        self._busy_ms = busy_ms
        self._trims = trims

    # -- queries -------------------------------------------------------------------------------------------------------

    def query(self, sql: str, limit: int | None = None) -> QueryResult:
        reader = self.start(sql)
        rows: list[tuple[Any, ...]] = []
        for block in self._texts(reader, sql, limit):
            rows += block
            if limit is not None and len(rows) >= limit:
                break
        return QueryResult(columns=reader.columns, rows=tuple(rows[:limit]))

    def stream(self, sql: str) -> Iterator[QueryResult]:
        reader = self.start(sql)
        empty = True
        for block in self._texts(reader, sql):
            empty = False
            yield QueryResult(columns=reader.columns, rows=tuple(block))
        if empty:
            yield QueryResult(columns=reader.columns, rows=())

    def _texts(self, reader: BlockReader, sql: str, limit: int | None = None) -> Iterator[list[tuple[str | None, ...]]]:
        rows = BLOCK_ROWS if limit is None else max(1, min(limit, BLOCK_ROWS))
        try:
            for block in reader.blocks(rows):
                yield list(map(_as_texts, block))
        except _FAULTS as error:
            raise tell_fault(error, sql) from error
        finally:
            reader.close()

    def start(self, sql: str) -> BlockReader:
        """Starts a query; its columns are known then."""
        types = self._find_types(sql)
        try:
            cursor = self._db.execute(sql)
        except _FAULTS as error:
            raise tell_fault(error, sql) from error
        columns = _name_columns(cursor, types)
        return BlockReader(self._db, cursor, sql, columns, repeats=bool(types), trims=self._trims)

    def _find_types(self, sql: str) -> list[str]:
        """The declared types of a query's columns: SQLite tells them for a view. Empty where there can be no view."""
        if not starts_query(sql):
            return []
        try:
            if self._read_only:
                self._db.execute("PRAGMA query_only = 0")
            self._db.execute(f"CREATE TEMP VIEW {_VIEW} AS {strip_query(sql)}\n")
            try:
                rows = self._db.execute(f"PRAGMA temp.table_xinfo({_VIEW})").fetchall()
            finally:
                self._db.execute(f"DROP VIEW temp.{_VIEW}")
        except (*_FAULTS, Invalid):
            return []
        finally:
            if self._read_only:
                self._db.execute("PRAGMA query_only = 1")
        # Newer versions of SQLite say NUM for an expression they cannot type.
        return ["" if row[2] == "NUM" else row[2] for row in rows]

    # -- transactions --------------------------------------------------------------------------------------------------

    def execute(self, statements: Sequence[Statement], expect: Sequence[Expect], autocommit: bool) -> dict[str, int]:
        self.roll_back()  # of a load that nobody has gone on with
        if not autocommit:
            self.run("BEGIN IMMEDIATE")
            return self.go_on(statements, expect)
        counts: dict[str, int] = {}
        try:
            self.run_statements(statements, counts)
            check_expectations(expect, counts)
            if self._db.in_transaction:
                raise StatementFailed("The statements left a transaction open; it was rolled back.")
        finally:
            self.roll_back()
        return counts

    def go_on(self, statements: Sequence[Statement], expect: Sequence[Expect]) -> dict[str, int]:
        """The rest of a transaction that is open, and its commit."""
        if not self._db.in_transaction:
            raise StatementFailed("The transaction in which the rows came has ended; they are gone.", transient=True)
        counts: dict[str, int] = {}
        try:
            self.run_statements(statements, counts)
            check_expectations(expect, counts)
            self.run("COMMIT")
        finally:
            self.roll_back()
        return counts

    def run_statements(self, statements: Sequence[Statement], counts: dict[str, int]) -> None:
        """Runs statements one after the other; counts of one name add up."""
        for statement in statements:
            self._run_statement(statement, counts)

    def _run_statement(self, statement: Statement, counts: dict[str, int]) -> None:
        count = 0
        for sql in split_script(statement.sql, sqlite3.complete_statement):
            count = self.run(sql, value=statement.value)
        if statement.name:
            counts[statement.name] = counts.get(statement.name, 0) + count
            check_refusal(statement, count, lambda sql: _as_texts(self._db.execute(sql).fetchone() or ()))

    def run(self, sql: str, value: bool = False) -> int:
        """Runs one statement to its end; its affected rows, or its first cell."""
        try:
            cursor = self._db.execute(sql)
            first = cursor.fetchone() if cursor.description else None
            for _ in cursor:
                pass
        except _FAULTS as error:
            raise tell_fault(error, sql) from error
        return int(first[0] or 0) if value and first else 0 if value else max(cursor.rowcount, 0)

    def roll_back(self) -> None:
        """Ends an open transaction, changing nothing."""
        if self._db.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")

    # -- moving --------------------------------------------------------------------------------------------------------

    def source(self, sql: str) -> "SqliteSource":
        """A session that writes reads through a connection of its own, so that its own dest may be the same file."""
        if self._read_only:
            return SqliteSource(self, sql, owned=False)
        db = _open_file(self._path, True, self._busy_ms)
        return SqliteSource(SqliteSession(db, self._path, True, self._busy_ms), sql, owned=True)

    def sink(self, load: Load) -> "SqliteSink":
        return SqliteSink(self, self._db, load)

    def close(self) -> None:
        self._db.close()


def _name_columns(cursor: sqlite3.Cursor, types: list[str]) -> tuple[ResultColumn, ...]:
    """The names come from the query itself: a view renames the second of two equal ones."""
    names = [entry[0] for entry in cursor.description or ()]
    if len(types) != len(names):
        types = [""] * len(names)
    return tuple(ResultColumn(name=name, type=type_text) for name, type_text in zip(names, types, strict=True))


def _as_texts(row: tuple[Any, ...]) -> tuple[str | None, ...]:
    return tuple(cell if cell is None or type(cell) is str else _as_text(cell) for cell in row)


def _as_text(cell: Any) -> str:
    return f"0x{cell.hex().upper()}" if isinstance(cell, bytes) else repr(cell)


class SqliteSource:
    """A query in one read transaction: one snapshot, whatever is written meanwhile."""

    def __init__(self, session: SqliteSession, sql: str, owned: bool) -> None:
        self._session = session
        self._sql = sql
        self._owned = owned
        session.run("BEGIN")
        try:
            self._reader = session.start(sql)
            self.columns = self._reader.columns
            if not self.columns:
                raise StatementFailed("The source query gives no columns.")
        except RunnerError:
            self._end()
            raise

    def formats(self) -> Sequence[Format]:
        return ("rows",)

    def type_signature(self) -> tuple[object, ...] | None:
        return None

    def open(self, format: Format) -> Stream:
        stream = Stream(format=format, columns=self.columns, blocks=iter(()))
        stream.blocks = self._blocks(stream)
        return stream

    def close(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # closed already, behind its last row
            self._reader.close()
            self._end()

    def _blocks(self, stream: Stream) -> Iterator[tuple[Any, int]]:
        total = 0
        try:
            for block in self._reader.blocks():
                total += len(block)
                yield block, len(block)
            stream.total = total
        except _FAULTS as error:
            raise tell_fault(error, self._sql) from error
        finally:
            self.close()

    def _end(self) -> None:
        self._session.roll_back()
        if self._owned:
            self._session.close()


class SqliteSink:
    """A staging table filled in one transaction, or a staging table and behind it the dest itself."""

    def __init__(self, session: SqliteSession, db: sqlite3.Connection, load: Load) -> None:
        self._session = session
        self._db = db
        self._load = load
        self._inserter = Inserter(db, load, DRIVER.quote_identifier, table=load.table)
        self.counts: dict[str, int] = {}
        self._changes_before = 0

    def formats(self) -> Sequence[Format]:
        return ("copy-text", "arrow", "rows")

    def type_signature(self) -> tuple[object, ...] | None:
        return None

    def load(self, stream: Stream, on_rows: Count) -> int:
        is_done = False
        try:
            self._session.run("BEGIN IMMEDIATE")
            self._load_blocks(stream, on_rows)
            held = self._count_held()
            if not self.counts:
                self._session.run("COMMIT")
            is_done = True
        except sqlite3.Error as error:
            raise tell_fault(error, self._inserter.sql) from error
        finally:
            if not is_done:
                self._session.roll_back()
        return held

    def _load_blocks(self, stream: Stream, on_rows: Count) -> None:
        converter, onward = BlockConverter(self._load, stream.format), self._load.onward
        done = 0
        for block, _ in stream.blocks:
            for columns in converter.convert(block, done):
                if onward and done >= onward.after and not self.counts:
                    self._go_on(onward)
                done += self._inserter.insert(columns, done)
                on_rows(done)

    def _go_on(self, onward: Onward) -> None:
        """What is staged goes into the dest, and so does what comes after it."""
        self._session.run_statements(onward.statements, self.counts)
        self._changes_before = self._db.total_changes
        self._inserter = Inserter(
            self._db, self._load, DRIVER.quote_identifier, table=onward.table, filled=onward.filled
        )

    def _count_held(self) -> int:
        """The rows that have arrived, as SQLite counts them."""
        onward = self._load.onward
        if not onward or not self.counts:
            return self._session.run(f"SELECT count(*) FROM {self._load.table}", value=True)
        self.counts["inserted"] += self._db.total_changes - self._changes_before
        return self._session.run(onward.held_sql, value=True) if onward.held_sql else self.counts["inserted"]

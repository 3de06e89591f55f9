# A SQL Server for tests: the TDS double, or the real one that PIPEKIT_TEST_SQLSERVER names.
"""`Place`: tables to move from and to. What only the double can do is asked of `place.double`."""

import contextlib
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.base import TableName
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table
from pipekit.drivers.sqlserver.session import SqlServerSession
from pipekit.drivers.sqlserver.wire import connect
from pipekit.drivers.urls import split_login
from pipekit.runner_contract import Endpoint, Load, LoadColumn, Statement
from tests.databases.tds.double import TdsDouble, lend_double
from tests.databases.tds.library import VARIABLE, require_provider
from tests.databases.tds.replies import Reply, Rows

# A JDBC URL with user and password; either may stand in a variable of its own instead.
REAL = split_login(os.environ.get("PIPEKIT_TEST_SQLSERVER", ""))

Columns = Sequence[tuple[str, str]]


class Place:
    """One server."""

    def __init__(self, double: TdsDouble | None) -> None:
        self._double = double
        self._made: list[str] = []

    @property
    def is_double(self) -> bool:
        """Whether this is no real server."""
        return self._double is not None

    @property
    def double(self) -> TdsDouble:
        """The double; a test that needs it is skipped on a real server."""
        if self._double is None:
            pytest.skip("this part only the double can play")
        return self._double

    def url_by_name(self, options: str) -> str:
        """The double's address with a host's name in it, as certificates are for names; skips where there is none."""
        try:
            socket.getaddrinfo("localhost", None)
        except OSError as error:
            pytest.skip(f"localhost has no address here (a line in /etc/hosts): {error}")
        return f"jdbc:sqlserver://localhost:{self.double.port};databaseName=shop;{options}"

    def endpoint(self, **more: Any) -> Endpoint:
        """How to reach it."""
        login: dict[str, Any] = {
            "jdbc_url": self._double.jdbc_url if self._double else REAL.jdbc_url,
            "username": REAL.username or os.environ.get("PIPEKIT_TEST_SQLSERVER_USER", "sa"),
            "password": REAL.password or os.environ.get("PIPEKIT_TEST_SQLSERVER_PASSWORD", "secret;}{="),
        }
        return Endpoint(kind="sqlserver", **(login | more))

    @contextlib.contextmanager
    def session(self, **more: Any) -> Iterator[SqlServerSession]:
        """A session, closed at the end."""
        session = connect(self.endpoint(**more))
        try:
            yield session
        finally:
            session.close()

    def make(self, table: str, columns: Columns, rows: Sequence[tuple[Any, ...]] = ()) -> None:
        """A table of `dbo` that is not there yet."""
        self._made.append(table)
        if self._double is not None:
            self._double.drop_table(table)
            self._double.add_table(table, list(columns), rows=list(rows))
            return
        self.run(f"DROP TABLE IF EXISTS {name_table(table)}", build_create(table, columns))
        for row in rows:
            self.run(f"INSERT INTO {name_table(table)} VALUES ({', '.join(map(spell, row))})")

    def make_real(self, table: str, columns: Columns) -> None:
        """A table of types that the double does not know, and does not need where it is taught the query."""
        if not self.is_double:
            self.make(table, columns)

    def drop(self, table: str) -> None:
        """Drops a table of `dbo` that a test makes by itself; once more at the end."""
        self._made.append(table)
        if self._double is not None:
            self._double.drop_table(table)
        else:
            self.run(f"DROP TABLE IF EXISTS {name_table(table)}")

    def run(self, *statements: str) -> None:
        """Runs statements."""
        with self.session() as session:
            session.execute([Statement(sql=sql) for sql in statements], (), True)

    def rows(self, table: str) -> list[tuple[str | None, ...]]:
        """All rows of a table as text."""
        with self.session() as session:
            return list(session.query(f"SELECT * FROM {name_table(table)}").rows)

    def teach(self, pattern: str, *replies: Reply) -> None:
        """Gives the double an answer that a real server knows by itself."""
        if self._double is not None:
            self._double.answer(pattern, *replies)

    def explain(self, query: str, columns: Columns, rows: Sequence[tuple[Any, ...]] | None = None) -> None:
        """Teaches the double what a query's columns are; with `rows`, what it gives when it is read in exact form."""
        if self._double is None:
            return
        described = Rows(
            [("name", "nvarchar(128)"), ("type", "nvarchar(128)"), ("number", "int"), ("message", "nvarchar(400)")],
            [(name, type_, None, None) for name, type_ in columns],
        )
        self._double.answer(r"dm_exec_describe_first_result_set", described)
        if rows is not None:
            texts = [
                (name, "varchar(34)" if type_.startswith("datetimeoffset") or type_ == "datetime2(7)" else type_)
                for name, type_ in columns
            ]
            self._double.answer(r"CONVERT\(varchar\(34\)", Rows(texts, list(rows)))

    def clear(self) -> None:
        """Drops what was made."""
        if self._double is None and self._made:
            self.run(*(f"DROP TABLE IF EXISTS {name_table(table)}" for table in self._made))


def take_provider(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    """Lets the runners of a test use one provider of mssql-python; skips it where that cannot be loaded."""
    require_provider(provider)
    monkeypatch.setenv(VARIABLE, provider)


@contextlib.contextmanager
def open_place(folder: Path, evaluates: bool = False) -> Iterator[Place]:
    """The server for one test; a double that `evaluates` also answers queries that nobody has taught it."""
    if REAL.jdbc_url:
        place = Place(None)
        yield place
        place.clear()
        return
    with lend_double(folder) as double:
        if evaluates:
            double.evaluate()
        yield Place(double)


def build_load(table: str, columns: Sequence[tuple[str, str, str]], exact: bool = True) -> Load:
    """A load into a table of `dbo` for (name, source type, staging type)."""
    return Load(
        table=f"[dbo].[{table}]",
        columns=tuple(
            LoadColumn(source_name=name, source_type=source, stage_name=name, stage_type=stage)
            for name, source, stage in columns
        ),
        exact=exact,
    )


def name_table(table: str) -> str:
    """A table of `dbo` as T-SQL takes it."""
    return quote_table(TableName(schema="dbo", name=table))


def build_create(table: str, columns: Columns) -> str:
    """The statement that makes a table of `dbo`."""
    body = ", ".join(f"{quote_identifier(name)} {type_}" for name, type_ in columns)
    return f"CREATE TABLE {name_table(table)} ({body})"


def spell(value: Any) -> str:
    """A value as T-SQL writes it; a text with a NUL, which no statement may hold, as parts around it."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return " + NCHAR(0) + ".join("N'" + part.replace("'", "''") + "'" for part in value.split("\0"))
    return repr(value) if isinstance(value, (int, float)) else f"'{value}'"

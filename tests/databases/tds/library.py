# The real mssql-python in a process of its own, which is where it chooses its native provider. Knows no scripts.
"""`Library(provider)` runs functions of this module against the double; each opens and closes its own connection."""

import functools
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    import pyarrow as pa

PROVIDERS = ("msodbcsql18", "mssql-odbc")
VARIABLE = "MSSQL_PYTHON_NATIVE_PROVIDER"


@dataclass(frozen=True, slots=True)
class Failed:
    """What a call of the library has raised."""

    kind: str
    message: str


class Library:
    """A process in which the library is loaded with one native provider."""

    def __init__(self, provider: str) -> None:
        self._pool = ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=_choose_provider, initargs=(provider,)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """Runs a function of a module there and returns its result, or Failed."""
        return self._pool.submit(_call, function, arguments, options).result(PATIENCE_S)


@functools.cache
def find_problem(provider: str) -> str:
    """Why a provider cannot be loaded here, `""` where it can."""
    argv = [sys.executable, "-P", "-m", "pipekit.drivers.sqlserver.provider"]
    asked = subprocess.run(argv, env={**os.environ, VARIABLE: provider}, capture_output=True, text=True, check=False)
    return asked.stderr.strip() if asked.returncode else ""


def require_provider(provider: str) -> None:
    """Skips the test where a provider lacks a library of the system; in CI that is a failure."""
    if problem := find_problem(provider):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"apt-get install libltdl7: {problem}")


def _choose_provider(provider: str) -> None:
    os.environ[VARIABLE] = provider


def _call(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    try:
        return function(*arguments, **options)
    except Exception as error:
        return Failed(type(error).__name__, str(error))


def open_session(connection: str, pooled: bool = False) -> Any:
    """A connection; the library would keep closed ones open for the next."""
    import mssql_python

    mssql_python.pooling(enabled=pooled)
    return mssql_python.connect(connection)


def fetch_twice_pooled(connection: str, sql: str) -> list[tuple[Any, ...]]:
    """A query's rows over a connection that was used and closed before."""
    with open_session(connection, pooled=True) as session:
        session.cursor().execute("SET NOCOUNT ON")
    with open_session(connection, pooled=True) as session:
        return [tuple(row) for row in session.cursor().execute(sql).fetchall()]


def fetch(connection: str, sql: str) -> list[tuple[Any, ...]]:
    """A query's rows by the cursor."""
    with open_session(connection) as session:
        return [tuple(row) for row in session.cursor().execute(sql).fetchall()]


def read_arrow(connection: str, sql: str) -> "pa.Table":
    """A query's rows as Arrow."""
    import pyarrow as pa

    with open_session(connection) as session:
        reader = session.cursor().execute(sql).arrow_reader()
        return pa.Table.from_batches(list(reader), reader.schema)


def count_arrow(connection: str, sql: str) -> int:
    """How many rows a query has, block by block."""
    with open_session(connection) as session:
        return sum(batch.num_rows for batch in session.cursor().execute(sql).arrow_reader())


def execute(connection: str, *statements: str, end: str = "commit", timeout_s: int = 0) -> list[int]:
    """Runs statements, each by itself, and ends the transaction; the rows each has affected."""
    with open_session(connection) as session:
        session.timeout = timeout_s
        counts = [session.cursor().execute(sql).rowcount for sql in statements]
        getattr(session, end)()
        return counts


def run_batch(connection: str, sql: str) -> list[Any]:
    """Every result of a batch: its rows, or None for a statement without any."""
    results: list[Any] = []
    with open_session(connection) as session:
        cursor = session.cursor()
        cursor.execute(sql)
        more = True
        while more:
            results.append([tuple(row) for row in cursor.fetchall()] if cursor.description else None)
            more = cursor.nextset()
    return results


def load(connection: str, table: str, data: "pa.Table", **options: Any) -> int:
    """Bulk loads an Arrow table; the rows the library says it has copied."""
    with open_session(connection) as session:
        copied: int = session.cursor().bulkcopy_arrow(table, data, **{"timeout": 0, **options})["rows_copied"]
        return copied


def load_broken(connection: str, table: str, data: "pa.Table", **options: Any) -> None:
    """Bulk loads from a stream that breaks off after its first table."""

    def break_off() -> Any:
        yield from data.to_batches()
        raise ConnectionError("the source is gone")

    with open_session(connection) as session:
        session.cursor().bulkcopy_arrow(table, break_off(), timeout=0, **options)

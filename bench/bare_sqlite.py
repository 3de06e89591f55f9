# The plainest way between SQLite and PostgreSQL with the libraries there are. Imports nothing of Pipekit.
"""`python bare_sqlite.py out|in PORT DATABASE TABLE FILE`: no staging, no checks, one transaction.

`out` is from SQLite to PostgreSQL, `in` the other way; both have a table of this name, the target's without rows.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg

BLOCK = 5_000


def fill_postgresql(lite: sqlite3.Connection, dest: psycopg.Connection, table: str) -> None:
    """Rows as Python values, written as COPY text by psycopg."""
    with dest.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as sink:
        for row in lite.execute(f"SELECT * FROM {table}"):
            sink.write_row(row)


def fill_sqlite(lite: sqlite3.Connection, source: psycopg.Connection, table: str) -> None:
    """COPY text as strings, which SQLite's column types turn into numbers."""
    columns = len(lite.execute(f"SELECT * FROM {table} LIMIT 0").description)
    with source.cursor() as cursor, lite:
        insert = f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"
        lite.executemany(insert, read_rows(cursor, table))


def read_rows(cursor: Any, table: str) -> Iterator[tuple[Any, ...]]:
    """Rows of strings and None."""
    with cursor.copy(f"COPY {table} TO STDOUT".encode()) as blocks:
        yield from blocks.rows()


def move(way: str, port: str, database: str, table: str, path: str) -> None:
    """Copies the table."""
    login = f"host=127.0.0.1 user=postgres dbname={database} port={port}"
    with closing(sqlite3.connect(path)) as lite, psycopg.connect(login) as other:
        (fill_postgresql if way == "out" else fill_sqlite)(lite, other, table)


if __name__ == "__main__":
    move(*sys.argv[1:6])

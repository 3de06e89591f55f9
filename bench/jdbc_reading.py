# Reading over JDBC cell by cell and by our own reader, in one process. Measured by bench.jdbc.
"""`python -m bench.jdbc_reading JAR PORT DATABASE TABLE`: prints rows a second of each way as JSON."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from jpype import dbapi2

from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.drivers.jdbc.wire import connect
from pipekit.runner_contract import Endpoint

ROWS = 100_000
ROUNDS = 3
BLOCK = 5_000

Read = Callable[[JdbcSession, str], int]


def compare(jar: str, port: str, database: str, table: str) -> dict[str, float]:
    """The best of some rounds of each way, which takes the warming of the virtual machine out of both."""
    endpoint = Endpoint(
        kind="jdbc",
        jdbc_url=f"jdbc:postgresql://127.0.0.1:{port}/{database}",
        username="postgres",
        jar=jar,
        driver_class="org.postgresql.Driver",
        read_only=True,
    )
    sql = f"select * from {table} limit {ROWS}"
    ways: dict[str, Read] = {"arrow": read_batches, "copy-text": read_text, "jpype.dbapi2": read_cells}
    best = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name, read in ways.items():
            session = connect(endpoint)
            began = time.perf_counter()
            rows = read(session, sql)
            best[name] = max(best[name], rows / (time.perf_counter() - began))
            session.close()
    return best


def read_batches(session: JdbcSession, sql: str) -> int:
    """Record batches, each with every column in place."""
    return sum(batch.num_rows for batch, _ in session.source(sql).open("arrow").blocks)


def read_text(session: JdbcSession, sql: str) -> int:
    """Blocks of COPY text."""
    return sum(rows for _, rows in session.source(sql).open("copy-text").blocks)


def read_cells(session: JdbcSession, sql: str) -> int:
    """JPype's own DB-API on the session's connection, which it closes."""
    default: Any = dbapi2._default
    connection = dbapi2.Connection(session.connection, default, default, dbapi2.SETTERS_BY_TYPE, dbapi2.GETTERS_BY_TYPE)
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute(sql)
        while block := cursor.fetchmany(BLOCK):
            rows += len(block)
    return rows


if __name__ == "__main__":
    print(json.dumps(compare(*sys.argv[1:5])))

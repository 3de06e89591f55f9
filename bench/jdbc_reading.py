# Reading over JDBC cell by cell and by our own reader, in one process. Measured by bench.jdbc.
"""`python -m bench.jdbc_reading JAR DRIVER_CLASS URL USER QUERY WAYS [JAVA_OPTION...]`: prints rows a second as JSON.

WAYS are names of `READS` with commas between.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from jpype import dbapi2

from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.drivers.jdbc.wire import connect
from pipekit.runner_contract import Endpoint

ROUNDS = 3
BLOCK = 5_000
ARROW, COPY_TEXT, JPYPE = "arrow", "copy-text", "jpype.dbapi2"

Read = Callable[[JdbcSession, str], int]


def compare(endpoint: Endpoint, sql: str, ways: Sequence[str]) -> dict[str, float]:
    """The best of some rounds of each way, which takes the warming of the virtual machine out of both."""
    best = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name in ways:
            session = connect(endpoint)
            began = time.perf_counter()
            rows = READS[name](session, sql)
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


READS: dict[str, Read] = {ARROW: read_batches, COPY_TEXT: read_text, JPYPE: read_cells}


def main(argv: Sequence[str]) -> None:
    """Reads the command line, and prints."""
    jar, driver_class, url, user, sql, ways, *options = argv
    endpoint = Endpoint(
        kind="jdbc",
        jdbc_url=url,
        username=user,
        password="bench",
        jar=jar,
        driver_class=driver_class,
        java_options=tuple(options),
        read_only=True,
    )
    print(json.dumps(compare(endpoint, sql, ways.split(","))))


if __name__ == "__main__":
    main(sys.argv[1:])

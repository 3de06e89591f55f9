# Looking into a database while somebody waits in a browser: soon, or not at all. Knows no request.
"""`open_look`: an introspection with short limits, and only so many at a time; what a person looks for in it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipekit.config import Config
from pipekit.cutting import TOLD
from pipekit.drivers.base import TableName
from pipekit.drivers.sqltext import strip_query
from pipekit.engine.looking.introspection import Introspection, open_introspection
from pipekit.errors import Inexact, Invalid, StatementFailed, TimedOut, TooMany
from pipekit.models import Connection
from pipekit.runner_contract import QueryResult, ResultColumn
from pipekit.secrets import Secrets

SILENCE_S = 30.0
WHOLE_S = 120.0
MOST_AT_ONCE = 8
WAIT_FOR_PLACE_S = 5.0
MOST_ROWS = 100

# Each look is a process; a page that asks too often must not become a thousand.
_PLACES = threading.BoundedSemaphore(MOST_AT_ONCE)


@contextmanager
def open_look(config: Config, secrets: Secrets, connection: Connection) -> Iterator[Introspection]:
    """A read-only look that ends after 30 s without an answer. Raises TooMany, TimedOut, SecretMissing, Invalid."""
    if not _PLACES.acquire(timeout=WAIT_FOR_PLACE_S):
        raise TooMany(f"{MOST_AT_ONCE} looks into databases are under way.", hint="Try again in a moment.")
    try:
        silence_s = min(SILENCE_S, config.silence_timeout_s)
        with open_introspection(replace(config, silence_timeout_s=silence_s), secrets, connection) as look:
            look.runner.deadline = time.monotonic() + WHOLE_S
            yield look
    except TimedOut as error:
        raise TimedOut(
            f"The database did not answer within {SILENCE_S:g} s.", hint="Try again, or ask for less."
        ) from error
    finally:
        _PLACES.release()


def find_table(look: Introspection, schema: str | None, table: str) -> TableName:
    """A table as a person named it: the bare name in a schema, or in one text."""
    return TableName(schema=schema, name=table) if schema else look.driver.resolve_table(look.query, table)


def find_query_columns(look: Introspection, sql: str) -> list[ResultColumn]:
    """A query's result columns. Raises Invalid (field `sql`) with what the database said of the query."""
    with _refused("sql"):
        return look.driver.introspect_query_columns(look.query, sql)


def read_preview(look: Introspection, sql: str, limit: int) -> QueryResult:
    """A query's first rows, 100 at most, long cells cut. Raises Invalid (field `sql`) with what the database said."""
    limit = max(1, min(limit, MOST_ROWS))
    with _refused("sql"):
        text = look.driver.build_preview_sql(strip_query(sql), limit)
        return look.runner.query(look.endpoint, text, limit=limit, longest=TOLD)


def read_first_cell(look: Introspection, sql: str) -> str | None:
    """What a watermark's SQL gives, to be shown: cut where it is long."""
    return look.runner.query(look.endpoint, sql, limit=1, longest=TOLD).first_cell()


@contextmanager
def _refused(field: str) -> Iterator[None]:
    """What the database refuses of a person's own SQL, or cannot show of it, is that person's to mend."""
    try:
        yield
    except (StatementFailed, Inexact) as error:
        raise Invalid(error.message, field=field, hint=error.hint) from error

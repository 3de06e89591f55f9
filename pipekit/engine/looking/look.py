# Looking into one database outside of a run, and what a person looks for in it. Knows no module and no request.
"""`open_look`: a child process on one connection, for a shell; a server opens its looks through `Looks`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipekit.config import Config
from pipekit.cutting import TOLD
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, TableColumn, TableName
from pipekit.drivers.sqltext import strip_query
from pipekit.engine.context import open_endpoint
from pipekit.engine.runners import start_runner
from pipekit.errors import Inexact, Invalid, StatementFailed
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Query, QueryResult, ResultColumn
from pipekit.secrets import Secrets

APPLICATION = "pipekit:introspect"
MOST_ROWS = 100
USUAL_ROWS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A driver, the `query` callable its looking methods take, and what is behind it."""

    driver: Driver
    query: Query
    runner: NativeRunner
    endpoint: Endpoint


def make_look(runner: NativeRunner, endpoint: Endpoint) -> Look:
    """A look by this runner."""
    return Look(
        driver=get_driver(endpoint.kind),
        query=lambda sql: runner.query(endpoint, sql),
        runner=runner,
        endpoint=endpoint,
    )


@contextmanager
def open_look(
    config: Config, secrets: Secrets, connection: Connection, *, read_only: bool = True, limit_s: float | None = None
) -> Iterator[Look]:
    """A runner on one connection for the length of the block, `limit_s` at most. Raises SecretMissing and Invalid."""
    endpoint = open_endpoint(config, secrets, connection, application=APPLICATION, read_only=read_only)
    deadline = None if limit_s is None else time.monotonic() + limit_s
    with start_runner(
        config, silence_timeout_s=config.silence_timeout_s, deadline=deadline, kinds=[connection.driver]
    ) as runner:
        yield make_look(runner, endpoint)


def list_reachable_schemas(look: Look) -> list[str]:
    """A database's schemas, asked in a way that every kind must really answer. Raises ConnectFailed."""
    schemas = look.driver.list_schemas(look.query)
    if schemas:
        # An embedded kind knows its one schema without looking; its tables it must look up.
        look.driver.list_tables(look.query, schemas[0])
    return schemas


def find_table(look: Look, schema: str | None, table: str) -> TableName:
    """A table as a person named it: the bare name in a schema, or in one text."""
    return TableName(schema=schema, name=table) if schema else look.driver.resolve_table(look.query, table)


def find_schema(look: Look, schema: str | None) -> str:
    """The schema that is asked for, else the session's own; `""` for kinds without schemas."""
    return schema or look.driver.find_session_schema(look.query) or ""


def list_query_columns(look: Look, sql: str) -> list[TableColumn]:
    """A query's result columns, found without fetching data. Raises Invalid for names that stand twice."""
    found = look.driver.introspect_query_columns(look.query, sql)
    names = [column.name for column in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        listed = ", ".join(repr(name) for name in twice)
        raise Invalid(f"The query has more than one column named {listed}.", field="query", hint="Use AS to rename.")
    return [TableColumn(name=column.name, type=column.type) for column in found]


def read_first_rows(look: Look, sql: str, limit: int = USUAL_ROWS) -> QueryResult:
    """A query's first rows, 100 at most, long cells cut."""
    limit = max(1, min(limit, MOST_ROWS))
    text = look.driver.build_preview_sql(strip_query(sql), limit)
    return look.runner.query(look.endpoint, text, limit=limit, longest=TOLD)


def read_first_cell(look: Look, sql: str) -> str | None:
    """What a watermark's SQL gives, to be shown: cut where it is long."""
    return look.runner.query(look.endpoint, sql, limit=1, longest=TOLD).first_cell()


def find_query_columns(look: Look, sql: str) -> list[ResultColumn]:
    """A query's result columns. Raises Invalid (field `sql`) with what the database said of the query."""
    with _refused("sql"):
        return look.driver.introspect_query_columns(look.query, sql)


def read_preview(look: Look, sql: str, limit: int) -> QueryResult:
    """`read_first_rows`. Raises Invalid (field `sql`) with what the database said of the query."""
    with _refused("sql"):
        return read_first_rows(look, sql, limit)


@contextmanager
def _refused(field: str) -> Iterator[None]:
    """What the database refuses of a person's own SQL, or cannot show of it, is that person's to mend."""
    try:
        yield
    except (StatementFailed, Inexact) as error:
        raise Invalid(error.message, field=field, hint=error.hint) from error

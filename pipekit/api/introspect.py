# Looking into databases over HTTP. Knows models and the bounded look, no SQL of its own.
"""`/api/introspect/{connection}`: catalogue, query columns, first rows, a test. Each look is a process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from pipekit.api.bodies import ROUTER, describe_errors
from pipekit.api.refs import ConnectionRef
from pipekit.api.run_models import (
    PreviewAnswer,
    PreviewBody,
    QueryBody,
    QueryColumnAnswer,
    TableAnswer,
    TableColumnAnswer,
    TestAnswer,
)
from pipekit.engine.looking.look import (
    Look,
    find_query_columns,
    find_schema,
    find_table,
    list_reachable_schemas,
    read_preview,
)
from pipekit.errors import NotFound
from pipekit.http.auth import ApiAdmin, ApiOperator
from pipekit.http.state import ContextDep

_ROUTER: dict[str, Any] = {**ROUTER, "responses": describe_errors(400, 413, 502)}
router = APIRouter(prefix="/api/introspect/{ref}", tags=["introspect"], **_ROUTER)

_Schema = Annotated[str, Query(max_length=200, description="The schema; left out it is the session's own.")]
_Table = Annotated[str, Query(min_length=1, max_length=500, description="The table; without `schema` perhaps with it.")]


class Looker:
    """Opens the path's connection for the length of a block."""

    def __init__(self, context: ContextDep, connection: ConnectionRef) -> None:
        self._context = context
        self._connection = connection

    @contextmanager
    def open(self) -> Iterator[Look]:
        """A bounded look."""
        with self._context.looks.open(self._connection) as look:
            yield look


LookerDep = Annotated[Looker, Depends()]


@router.get("/schemas")
def list_schemas(user: ApiAdmin, looker: LookerDep) -> list[str]:
    """Schemas with tables a person may want."""
    with looker.open() as look:
        return look.driver.list_schemas(look.query)


@router.get("/tables")
def list_tables(user: ApiAdmin, looker: LookerDep, schema: _Schema = "") -> list[TableAnswer]:
    """Tables and views of a schema."""
    with looker.open() as look:
        return [TableAnswer.of(table) for table in look.driver.list_tables(look.query, find_schema(look, schema))]


@router.get("/columns")
def list_columns(user: ApiAdmin, looker: LookerDep, table: _Table, schema: _Schema = "") -> list[TableColumnAnswer]:
    """A table's columns in their order."""
    with looker.open() as look:
        name = find_table(look, schema or None, table)
        columns = look.driver.get_columns(look.query, name)
    if not columns:
        raise NotFound(f"There is no table {name}.")
    return [TableColumnAnswer.of(column) for column in columns]


@router.get("/inventory")
def get_inventory(user: ApiAdmin, looker: LookerDep, schema: _Schema = "") -> dict[str, list[TableColumnAnswer]]:
    """Every table of a schema with its columns."""
    with looker.open() as look:
        inventory = look.driver.column_inventory(look.query, find_schema(look, schema))
    return {table: [TableColumnAnswer.of(column) for column in columns] for table, columns in inventory.items()}


@router.post("/query-columns")
def find_columns(user: ApiAdmin, looker: LookerDep, body: QueryBody) -> list[QueryColumnAnswer]:
    """A query's result columns, found without fetching data. 422 when the database refuses the query."""
    with looker.open() as look:
        return [QueryColumnAnswer.of(column) for column in find_query_columns(look, body.sql)]


@router.post("/preview")
def preview(user: ApiAdmin, looker: LookerDep, body: PreviewBody) -> PreviewAnswer:
    """A query's first rows, in a session that cannot write; cells of more than 4,000 characters are cut."""
    with looker.open() as look:
        result = read_preview(look, body.sql, body.limit)
    columns = [QueryColumnAnswer.of(column) for column in result.columns]
    return PreviewAnswer(columns=columns, rows=[list(row) for row in result.rows])


@router.post("/test")
def test_connection(user: ApiOperator, looker: LookerDep) -> TestAnswer:
    """Connect, log in and look at the catalogue; 502 with the reason when that fails."""
    started = time.monotonic()
    with looker.open() as look:
        schemas = list_reachable_schemas(look)
    return TestAnswer(ok=True, seconds=round(time.monotonic() - started, 3), schemas=schemas)

# Trying a watermark before it is kept: what its SQL gives now, and the query with it. Knows one row, no module.
"""`POST /watermarks/try`: a fragment."""

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.engine.looking.look import read_first_cell
from pipekit.engine.planning.error_position import find_error_position
from pipekit.engine.variables import fill
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.errors import Invalid, PipekitError
from pipekit.http.errors import note_reason
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import Connection
from pipekit.web.kit.answers import say_error
from pipekit.web.kit.excerpt import build_excerpt
from pipekit.web.kit.forms import FormDep, FormRow, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin
from pipekit.web.modules.watermarks import read_watermark_rows

router = APIRouter(include_in_schema=False)


@dataclass(kw_only=True, slots=True)
class Trial:
    """What came of it: the SQL's value, or the default, or neither; an error says why nobody knows."""

    name: str
    value: str | None = None
    is_default: bool = False
    query: str = ""
    error: dict[str, Any] = field(default_factory=dict)


@router.post("/watermarks/try")
def try_watermark(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Asks the row's SQL on its connection, as a run would, and puts the value into the query."""
    row = next(iter(read_watermark_rows(data)), None) or {}
    trial = Trial(name=row.get("name", "").strip())
    try:
        trial.value = _ask(context, _need_connection(db, row), row["resolver_sql"])
    except PipekitError as error:
        sql = row.get("resolver_sql", "")
        note_reason(request.scope, f"{error.code}: {error}")
        trial.error = say_error(context, error) | {"where": build_excerpt(sql, find_error_position(error, sql))}
    else:
        if trial.value is None and row["default_value"]:
            trial.value, trial.is_default = row["default_value"], True
        query = get_text(data, "query")
        if trial.value is not None and f"{{{trial.name}}}" in query:
            trial.query = fill_placeholders(query, {trial.name: trial.value})
    return render(request, "_watermark_trial.html", trial=trial)


def _need_connection(db: repo.State, row: FormRow) -> Connection:
    if not row or not row["resolver_sql"].strip():
        raise Invalid("Write the SQL whose first cell is the value.")
    found = next((item for item in repo.list_connections(db) if str(item.id) == row["connection_id"]), None)
    if found is None:
        raise Invalid("Choose the connection that is asked.")
    return found


def _ask(context: Context, connection: Connection, sql: str) -> str | None:
    with context.looks.open(connection) as look:
        return read_first_cell(look, fill(connection, sql))

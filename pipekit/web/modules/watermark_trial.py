# Trying a watermark before it is kept: what its SQL gives now, and the query with it. Knows one row, no module.
"""`POST /watermarks/try` and `/watermarks/words`: fragments."""

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.engine.planning.error_position import find_error_position
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.errors import Invalid, PipekitError
from pipekit.http.errors import note_reason
from pipekit.http.state import ContextDep, Db
from pipekit.models import Connection
from pipekit.web.kit.answers import say_error
from pipekit.web.kit.excerpt import build_excerpt
from pipekit.web.kit.forms import FormDep, FormRow, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin
from pipekit.web.modules.watermark_values import ask_row, read_dest_place
from pipekit.web.modules.watermarks import read_watermark_rows, tell_unbounded

router = APIRouter(include_in_schema=False)


@dataclass(kw_only=True, slots=True)
class Trial:
    """What came of it: the SQL's value, or the default, or neither; an error says why nobody knows.

    `unmade` is a dest table that it asks and that is not there yet.
    """

    name: str
    value: str | None = None
    is_default: bool = False
    unmade: str = ""
    query: str = ""
    error: dict[str, Any] = field(default_factory=dict)


@router.post("/watermarks/try")
def try_watermark(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Asks the row's SQL on its connection, as a run would, and puts the value into the query."""
    row = next(iter(read_watermark_rows(data)), None) or {}
    trial = Trial(name=row.get("name", "").strip())
    try:
        answer = ask_row(context, _need_connection(db, row), row["resolver_sql"], read_dest_place(db, data))
        trial.value, trial.unmade = answer.value, answer.unmade
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


@router.post("/watermarks/words")
def show_strategy_words(request: Request, user: Admin, data: FormDep) -> Response:
    """A fragment: what the strategy that is chosen means while no watermark is there."""
    said = tell_unbounded(get_text(data, "merge_strategy"), read_watermark_rows(data))
    return render(request, "_strategy_words.html", unbounded=said)


def _need_connection(db: repo.State, row: FormRow) -> Connection:
    if not row or not row["resolver_sql"].strip():
        raise Invalid("Write the SQL whose first cell is the value.")
    found = next((item for item in repo.list_connections(db) if str(item.id) == row["connection_id"]), None)
    if found is None:
        raise Invalid("Choose the connection that is asked.")
    return found

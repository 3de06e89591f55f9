# Looking with a module's form before it is saved: columns, first rows, and what a run would stumble over.
"""`look_at_query` for a button, `find_warnings` for saving. Keeps nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.datastructures import FormData

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn
from pipekit.engine.looking.look import list_query_columns, read_first_rows
from pipekit.engine.looking.misfits import find_misfits
from pipekit.engine.planning.error_position import find_error_position
from pipekit.engine.variables import fill, fill_table, list_variables
from pipekit.engine.watermarks.places import find_places
from pipekit.errors import Invalid, PipekitError, StatementFailed
from pipekit.http.state import Context
from pipekit.models import Connection, Module
from pipekit.runner_contract import QueryResult
from pipekit.web.kit.answers import say_error
from pipekit.web.kit.excerpt import build_excerpt
from pipekit.web.kit.forms import Form
from pipekit.web.modules.watermark_values import (
    DestPlace,
    Filled,
    fill_to_look,
    find_values,
    need_values,
    read_dest_place,
)
from pipekit.web.modules.watermarks import build_placeholder_warnings

# Somebody waits for the button.
SAVING_WAITS_S = 10.0


@dataclass(kw_only=True, slots=True)
class Looked:
    """What a look at the query of a form showed."""

    columns: list[TableColumn] = field(default_factory=list)
    rows: QueryResult | None = None
    warnings: list[str] = field(default_factory=list)
    error: dict[str, Any] | None = None


def look_at_query(context: Context, db: repo.State, form: Form, data: FormData, *, wants_rows: bool) -> Looked:
    """The columns of the form's query, or its first rows; an error as the pages show it."""
    looked, query, filled = Looked(), form.value("source_query"), None
    try:
        source = _need_source(db, form)
        looked.warnings = build_placeholder_warnings(fill(source, query), _list_names(form))
        filled = _fill(context, db, form, source, read_dest_place(db, data))
        with context.looks.open(source) as look:
            if wants_rows:
                looked.rows = read_first_rows(look, need_values(filled))
            else:
                looked.columns = list_query_columns(look, filled.text)
    except PipekitError as error:
        looked.error = say_error(context, error)
        if filled:
            looked.error["hint"] = f"{filled.hint} {looked.error['hint']}".strip()
            place = find_error_position(error, filled.bare, filled.values)
            looked.error["where"] = build_excerpt(query, place)
    return looked


def _need_source(db: repo.State, form: Form) -> Connection:
    found = next((item for item in repo.list_connections(db) if str(item.id) == form.value("source_id")), None)
    if found is None:
        raise Invalid("Choose the source connection first.", field="source_id")
    return found


def _list_names(form: Form) -> list[str]:
    return [name for row in form.rows["wm"] if not row["deleted"] and (name := row["name"].strip())]


def _fill(context: Context, db: repo.State, form: Form, source: Connection, dest: DestPlace | None) -> Filled:
    query = form.value("source_query")
    values = find_values(context, db, form.rows["wm"], find_places(fill(source, query)), dest)
    return fill_to_look(query, {**list_variables(source), **values})


# -- before saving -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned:
    """What to say before a form is saved; `unasked` says which database could not be asked, and why."""

    told: list[str]
    unasked: str = ""


def find_warnings(
    context: Context, db: repo.State, form: Form, data: FormData, fields: Mapping[str, Any], before: Module | None
) -> Warned:
    """Names in braces that meet nothing, and columns and tables that are not there.

    `fields` are the module's as the form has them. Databases are asked only where what they would be asked has changed.
    """
    source = repo.get_connection(db, fields["source_id"])
    told = build_placeholder_warnings(fill(source, fields["source_query"]), _list_names(form))
    if before and all(getattr(before, name) == fields[name] for name in _ASKED):
        return Warned(told=told)
    try:
        return Warned(told=told + _ask(context, db, form, data, Module(id=0, **fields)))
    except PipekitError as error:
        shown = say_error(context, error)
        return Warned(told=told, unasked=f"{shown['message']} {shown['hint']}".strip())


_ASKED = (
    *("source_id", "source_query", "dest_id", "dest_table", "merge_strategy", "merge_key", "match"),
    *("columns", "create_table"),
)


def _ask(context: Context, db: repo.State, form: Form, data: FormData, module: Module) -> list[str]:
    source, dest = repo.get_connection(db, module.source_id), repo.get_connection(db, module.dest_id)
    filled = _fill(context, db, form, source, read_dest_place(db, data))
    try:
        with context.looks.open(source, limit_s=SAVING_WAITS_S) as look:
            columns = list_query_columns(look, filled.text)
    except (StatementFailed, Invalid) as error:
        shown = say_error(context, error)
        return [f"{source.name} does not take the query: {shown['message']} {filled.hint}".strip()]
    module = replace(module, dest_table=fill_table(dest, module.dest_table))
    with context.looks.open(dest, limit_s=SAVING_WAITS_S) as look:
        return find_misfits(look, get_driver(source.driver), module, columns)

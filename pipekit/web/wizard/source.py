# The wizard's first two steps, by a table or by SQL. Knows what a source is asked, nothing of the dest.
"""`/wizard`, `/wizard/tables`, `/wizard/columns`, `/wizard/sql`, and the ways back to them."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, TableColumn, TableName
from pipekit.drivers.tables import Mark
from pipekit.engine.looking.look import Look, list_query_columns
from pipekit.engine.looking.ways import find_schemas
from pipekit.engine.planning.error_position import find_error_position
from pipekit.engine.variables import fill, list_variables
from pipekit.errors import Invalid, NotFound, PipekitError, StatementFailed
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import Connection
from pipekit.web.kit.answers import say_error
from pipekit.web.kit.excerpt import Excerpt, build_excerpt
from pipekit.web.kit.forms import Form, FormDep
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin
from pipekit.web.modules.watermark_values import fill_to_look
from pipekit.web.wizard.dest import show_step3
from pipekit.web.wizard.draft import keep_draft, list_draft_lines, new_draft_key
from pipekit.web.wizard.form import (
    FIRST_STEPS,
    STEP3,
    TICKS,
    add_missing_watermarks,
    build_cast_choice,
    find_connection,
    list_defaults,
    need_source,
    read_wizard_form,
    take_placeholders,
    take_source_columns,
)
from pipekit.web.wizard.query import take_query
from pipekit.web.wizard.readings import Readings, read_readings
from pipekit.web.wizard.settle import settle_dest

router = APIRouter(include_in_schema=False)

# A page that lists more tables than this is no help; the filter is.
MOST_TABLES = 2000


@router.get("/wizard")
def show_choice(request: Request, db: Db, user: Admin) -> Response:
    """Two ways in: a table, or SQL; and the drafts to go on with."""
    drafts = list_draft_lines(db, user.id)
    return render(request, "wizard.html", connections=repo.list_connections(db), drafts=drafts)


# -- by a table --------------------------------------------------------------------------------------------------------


@router.get("/wizard/tables")
def show_tables(request: Request, db: Db, context: ContextDep, user: Admin) -> Response:
    """Connection, schema and table, each once the one before is chosen."""
    return render_tables(request, db, context, _read_address(request), carried=False)


@router.post("/wizard/tables")
def show_tables_again(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """The way back to the tables, with everything that was chosen since."""
    form = read_wizard_form(data)
    keep_draft(db, user.id, form, "tables")
    return render_tables(request, db, context, form, carried=True)


def _read_address(request: Request) -> Form:
    given = request.query_params
    values = {name: given.get(name, "") for name in ("schema", "table", "filter")}
    values["source_id"] = given.get("source_id") or given.get("connection_id", "")
    values |= {"entry_mode": "table", "draft": new_draft_key()}
    return Form(values=values, rows={name: [] for name in ("col", "wm", *TICKS)})


def render_tables(request: Request, db: repo.State, context: Context, form: Form, *, carried: bool) -> Response:
    """The tables of the form's connection; `carried` says that the form brings along more than an address could."""
    source = find_connection(db, form, "source_id")
    found: dict[str, Any] = {"schemas": {}, "tables": [], "error": None, "has_more": False}
    if source:
        try:
            found |= _list_tables(context, source, form)
        except PipekitError as error:
            found["error"] = say_error(context, error)
    values = {"form": form, "connections": repo.list_connections(db), "source": source, "carried": carried}
    status = 502 if found["error"] else 200
    return render(request, "wizard_tables.html", status, **values, **found, carry=(FIRST_STEPS, STEP3))


def _list_tables(context: Context, source: Connection, form: Form) -> dict[str, Any]:
    wanted = form.value("filter").strip().casefold()
    with context.looks.open(source) as look:
        schemas = find_schemas(look)
        if form.value("schema") not in schemas:
            usual = look.driver.find_session_schema(look.query)
            # One that is empty is nobody's first choice.
            is_usual = usual in schemas and schemas[usual] != 0
            form.values["schema"] = usual if usual and is_usual else next(iter(schemas), "")
        schema = form.value("schema")
        tables = look.driver.list_tables(look.query, schema) if schema else []
    tables = [t for t in tables if wanted in f"{t.name} {t.comment or ''}".casefold()]
    has_schemas = "schema" in look.driver.browse_fields()
    has_more = len(tables) > MOST_TABLES
    return {"schemas": schemas if has_schemas else {}, "tables": tables[:MOST_TABLES], "has_more": has_more}


@router.get("/wizard/columns")
def show_columns(request: Request, db: Db, context: ContextDep, user: Admin) -> Response:
    """A table's columns with types, keys and comments, all of them chosen."""
    return render_columns(request, db, context, _read_address(request))


@router.post("/wizard/table")
def show_columns_again(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """The columns of a table that was chosen anew, or the way back to them."""
    form = read_wizard_form(data)
    keep_draft(db, user.id, form, "columns")
    return render_columns(request, db, context, form)


def render_columns(
    request: Request, db: repo.State, context: Context, form: Form, *, problem: PipekitError | None = None
) -> Response:
    """The columns of the form's table."""
    error = say_error(context, problem) if problem else None
    columns: list[TableColumn] = []
    readings: dict[str, Readings] = {}
    marks: tuple[Mark, ...] = ()
    source = find_connection(db, form, "source_id")
    try:
        needed = need_source(db, form)
        with context.looks.open(needed) as look:
            columns = _look_up_columns(look, needed, form)
            table = _name_table(look.driver, form)
            readings = read_readings(look, table, columns)
            marks = look.driver.list_marks(look.query, table, columns)
    except PipekitError as failed:
        error = say_error(context, failed)
    picked = {row["name"] for row in form.rows["pick"]} or {column.name for column in columns}
    values: dict[str, Any] = {"form": form, "source": source, "columns": columns, "picked": picked, "error": error}
    values |= {
        "readings": readings,
        "casts": _list_casts(columns, readings),
        "marks": marks,
        "marked": {row["name"] for row in form.rows["mark"]},
        "chosen": {row["choice"] for row in form.rows["cast"]},
    }
    return render(request, "wizard_columns.html", 422 if error else 200, **values, carry=(FIRST_STEPS, STEP3))


def _list_casts(columns: list[TableColumn], readings: Mapping[str, Readings]) -> dict[str, list[tuple[str, str]]]:
    """(value, label) of the other readings of each column."""
    return {
        column.name: [(build_cast_choice(column, cast), cast.label) for cast in readings[column.name].casts]
        for column in columns
        if column.name in readings
    }


def _list_columns(context: Context, source: Connection, form: Form) -> tuple[list[TableColumn], list[Mark]]:
    """The columns of the table, and what was ticked that it has beside them."""
    ticked = {row["name"] for row in form.rows["mark"]}
    with context.looks.open(source) as look:
        columns = _look_up_columns(look, source, form)
        marks = look.driver.list_marks(look.query, _name_table(look.driver, form), columns) if ticked else ()
    return columns, [mark for mark in marks if mark.expression and mark.name in ticked]


def _look_up_columns(look: Look, source: Connection, form: Form) -> list[TableColumn]:
    table = _name_table(look.driver, form)
    columns = look.driver.get_columns(look.query, table)
    if not columns:
        raise NotFound(f"{source.name} has no table {table}.", hint="Choose one from the list.")
    return columns


def _name_table(driver: Driver, form: Form) -> TableName:
    schema = form.value("schema") if "schema" in driver.browse_fields() else None
    return TableName(schema=schema or None, name=form.value("table"))


@router.post("/wizard/columns")
def take_columns(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """The chosen columns lead to step 3."""
    form = read_wizard_form(data)
    form.values["entry_mode"] = "table"
    picked = {row["name"] for row in form.rows["pick"]}
    try:
        source = need_source(db, form)
        found, marks = _list_columns(context, source, form)
        columns = [column for column in found if column.name in picked]
        if not columns:
            raise Invalid("Choose at least one column.")
    except PipekitError as error:
        keep_draft(db, user.id, form, "columns")
        return render_columns(request, db, context, form, problem=error)
    key = {column.name for column in found if column.in_key}
    take_source_columns(form, source, columns, marks=marks, has_whole_key=bool(key) and key <= picked)
    notice = take_query(form, source)
    dest = settle_dest(db, form, source)
    keep_draft(db, user.id, form, "dest")
    return show_step3(request, db, form, source, dest, notice=notice)


# -- by SQL ------------------------------------------------------------------------------------------------------------


@router.get("/wizard/sql")
def show_sql(request: Request, db: Db, user: Admin) -> Response:
    """A connection and an editor."""
    return render_sql(request, db, _read_address(request))


@router.post("/wizard/sql")
def show_sql_again(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """The way back to the query, with everything that was chosen since."""
    form = read_wizard_form(data)
    keep_draft(db, user.id, form, "sql")
    return render_sql(request, db, form)


@router.post("/wizard/back")
def go_back(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """From step 3 to the step before it."""
    form = read_wizard_form(data)
    if form.value("entry_mode") == "sql":
        keep_draft(db, user.id, form, "sql")
        return render_sql(request, db, form)
    form.rows["pick"] = [{"name": row["source_name"]} for row in form.rows["col"]]
    keep_draft(db, user.id, form, "columns")
    return render_columns(request, db, context, form)


@router.post("/wizard/sql/names")
def show_names(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """A fragment: a field for each `{name}` that stands in the query by now, to give it a value to look with."""
    form = read_wizard_form(data)
    source = find_connection(db, form, "source_id")
    take_placeholders(form, fill(source, form.value("query")) if source else form.value("query"))
    return render(request, "_wizard_sql_values.html", form=form)


@router.post("/wizard/sql/columns")
def discover_columns(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """The query's result columns: a list under the editor for HTMX, step 3 for a form; the query stays verbatim."""
    form = read_wizard_form(data)
    form.values["entry_mode"] = "sql"
    try:
        source = need_source(db, form)
        columns = _discover(context, form, source)
    except PipekitError as error:
        keep_draft(db, user.id, form, "sql")
        error_shown = say_error(context, error) | {
            "where": _find_place(form, find_connection(db, form, "source_id"), error)
        }
        return render_sql(request, db, form, error=error_shown, status=422)
    if "hx-request" in request.headers:
        keep_draft(db, user.id, form, "sql")
        return render_sql(request, db, form, columns=columns)
    take_source_columns(form, source, columns)
    take_query(form, source)
    dest = settle_dest(db, form, source)
    keep_draft(db, user.id, form, "dest")
    return show_step3(request, db, form, source, dest)


def _discover(context: Context, form: Form, source: Connection) -> list[TableColumn]:
    query = fill(source, form.value("query"))
    places = take_placeholders(form, query)
    filled = fill_to_look(query, list_defaults(form))
    try:
        with context.looks.open(source) as look:
            return list_query_columns(look, filled.text)
    except StatementFailed as error:
        # Perhaps one that stands in a text is meant as a watermark all the same.
        add_missing_watermarks(form, sorted(name for name, place in places.items() if place == "text"))
        error.hint = f"{filled.hint} {error.hint}".strip()
        raise


def _find_place(form: Form, source: Connection | None, error: PipekitError) -> Excerpt | None:
    """Where in the query, as it was typed, the database saw the fault."""
    query = form.value("query")
    filled = fill_to_look(query, {**(list_variables(source) if source else {}), **list_defaults(form)})
    return build_excerpt(query, find_error_position(error, filled.bare, filled.values))


def render_sql(
    request: Request,
    db: repo.State,
    form: Form,
    *,
    columns: list[TableColumn] | None = None,
    error: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The editor with the form's query, or for HTMX what stands below it."""
    is_fragment = "hx-request" in request.headers
    source = find_connection(db, form, "source_id")
    dialect = get_driver(source.driver).kind if source else "sql"
    values = {"form": form, "connections": repo.list_connections(db), "columns": columns, "error": error}
    template = "_wizard_sql_columns.html" if is_fragment else "wizard_sql.html"
    # A fragment with an error is still what is asked for: HTMX would not show it with an error's status.
    return render(request, template, 200 if is_fragment else status, **values, dialect=dialect, carry=STEP3)

# The wizard for many tables of a schema: choosing them, one line for each, and making all of it or nothing.
"""`/wizard/schema`, `/wizard/schema/plan`, `/wizard/schema/create`."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn, TableInfo, TableName
from pipekit.engine.looking.look import Look
from pipekit.engine.looking.ways import find_schemas, list_growing
from pipekit.errors import ConnectFailed, Invalid, PipekitError
from pipekit.http.errors import note_reason
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import STRATEGIES, Connection
from pipekit.runner_contract import Statement
from pipekit.web.kit.answers import go, say_error
from pipekit.web.kit.forms import Form, FormDep, FormRefused, get_list, get_rows, refuse_problems
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin
from pipekit.web.wizard.form import find_connection, need_source
from pipekit.web.wizard.schema_rows import (
    MOST_TABLES,
    ROW_FIELDS,
    Inventory,
    Plan,
    build_plans,
    check_dests,
    keep_plans,
    propose_rows,
    tell_row,
    try_keeping,
)
from pipekit.web.wizard.settle import choose_dest

router = APIRouter(include_in_schema=False)

NIGHTLY = "0 4 * * *"
# A list to choose from in each line weighs too much beyond this; the names are typed then.
MOST_LISTED = 200
# Where a listing of a schema does not tell keys, each table is asked.
MOST_ASKED = 200
MAKING_TAKES_S = 100.0


@router.get("/wizard/schema")
def show_choice(request: Request, db: Db, context: ContextDep, user: Admin) -> Response:
    """The schemas of a connection, those with tables first, and the tables of one, to be ticked."""
    given = request.query_params
    form = Form(values={name: given.get(name, "") for name in ("source_id", "schema", "filter")})
    return _show_choice(request, db, context, form)


def _show_choice(
    request: Request, db: repo.State, context: Context, form: Form, *, problem: str = "", picked: Sequence[str] = ()
) -> Response:
    source = find_connection(db, form, "source_id")
    found: dict[str, Any] = {"schemas": {}, "tables": [], "error": None}
    if source:
        try:
            with context.looks.open(source) as look:
                found["schemas"] = find_schemas(look)
                _settle_schema(form, found["schemas"])
                found["tables"] = look.driver.list_tables(look.query, form.value("schema"))
            found["has_schemas"] = get_driver(source.driver).has_schemas
        except PipekitError as error:
            found["error"] = say_error(context, error)
    wanted = form.value("filter").strip().casefold()
    found["tables"] = [t for t in found["tables"] if wanted in f"{t.name} {t.comment or ''}".casefold()]
    values: dict[str, Any] = {"form": form, "source": source, "connections": repo.list_connections(db)}
    status = 502 if found["error"] else 422 if problem else 200
    values |= {"problem": problem, "picked": {*picked}, "has_schemas": False, **found}
    return render(request, "wizard_schema.html", status, **values)


def _settle_schema(form: Form, schemas: dict[str, int | None]) -> None:
    """The schema that is asked for, else the first: one with tables where there is any."""
    if form.value("schema") not in schemas:
        form.values["schema"] = next(iter(schemas), "")


# -- one line for each -------------------------------------------------------------------------------------------------


def _read_form(data: Any) -> Form:
    form = Form(order=("dest_id", "dest_schema", "group", "cron"))
    form.take(data)
    form.rows["t"] = get_rows(data, "t", ROW_FIELDS)
    return form


@router.post("/wizard/schema/plan")
def show_plan(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """A line for each table that was ticked, with what is proposed for it; for another dest once more."""
    form = _read_form(data)
    source = need_source(db, form)
    chosen = [row["table"] for row in form.rows["t"]] or list(dict.fromkeys(get_list(data, "pick[]")))
    if not 0 < len(chosen) <= MOST_TABLES:
        words = "Tick at least one table." if not chosen else f"At most {MOST_TABLES:,} tables at once."
        return _show_choice(request, db, context, form, problem=words, picked=chosen)
    try:
        with context.looks.open(source) as look:
            tables, found = _look_up(look, source, form.value("schema"), chosen)
    except PipekitError as error:
        shown = say_error(context, error)
        return _show_choice(request, db, context, form, problem=f"{shown['message']} {shown['hint']}", picked=chosen)
    dest = find_connection(db, form, "dest_id") or choose_dest(db, source)
    if not form.rows["t"]:
        form.rows["t"] = propose_rows(db, source, form.value("schema"), tables, found)
        form.values |= {"group": _find_free_group(db, source, form.value("schema")), "cron": NIGHTLY, "parallel": "2"}
    said = _settle_dest_schema(context, form, dest)
    return _render_plan(request, db, form, source, dest, found, notice=said)


def _look_up(
    look: Look, source: Connection, schema: str, chosen: Sequence[str]
) -> tuple[list[TableInfo], dict[str, Sequence[TableColumn]]]:
    """The tables of a schema and the columns of those that were chosen, with their keys."""
    driver = look.driver
    tables = driver.list_tables(look.query, schema)
    names = {table.name: table for table in tables}
    if missing := [name for name in chosen if name not in names]:
        raise Invalid(f"{source.name} has no table {missing[0]} in {schema or 'it'} any more.")
    inventory = driver.column_inventory(look.query, schema)
    found: dict[str, Sequence[TableColumn]] = {name: inventory.get(name, ()) for name in chosen}
    if not any(column.in_key for columns in found.values() for column in columns) and len(chosen) <= MOST_ASKED:
        found = {name: driver.get_columns(look.query, _name(look, names[name])) for name in chosen}
    return tables, found


def _name(look: Look, table: TableInfo) -> TableName:
    return TableName(schema=table.schema if look.driver.has_schemas else None, name=table.name)


def _find_free_group(db: repo.State, source: Connection, schema: str) -> str:
    known = {group.name.casefold() for group in repo.list_groups(db)}
    name = f"{schema if get_driver(source.driver).has_schemas and schema else source.name} nightly"
    number = 2
    found = name
    while found.casefold() in known:
        found, number = f"{name} {number}", number + 1
    return found


def _settle_dest_schema(context: Context, form: Form, dest: Connection) -> str:
    """Proposes the dest's schema: one called like the source's where there is one. Returns what to say."""
    if not get_driver(dest.driver).has_schemas:
        form.values["dest_schema"] = ""
        return ""
    if form.value("proposed_for") == str(dest.id):
        return ""
    form.values["proposed_for"] = str(dest.id)
    try:
        with context.looks.open(dest) as look:
            schemas = look.driver.list_schemas(look.query)
            usual = look.driver.find_session_schema(look.query) or ""
    except PipekitError as error:
        shown = say_error(context, error)
        return f"{dest.name} cannot be asked for its schemas: {shown['message']} {shown['hint']}".strip()
    alike = [name for name in schemas if name.casefold() == form.value("schema").casefold()]
    form.values["dest_schema"] = alike[0] if alike else usual
    return ""


def _render_plan(
    request: Request,
    db: repo.State,
    form: Form,
    source: Connection,
    dest: Connection,
    found: Inventory,
    *,
    notice: str = "",
    error: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    driver, rows = get_driver(source.driver), form.rows["t"]
    listed = {row["table"]: list_growing(driver, found.get(row["table"], ())) for row in rows}
    form.values["dest_id"] = str(dest.id)
    values: dict[str, Any] = {"form": form, "source": source, "dest": dest, "connections": repo.list_connections(db)}
    values |= {"growing": listed if len(rows) <= MOST_LISTED else None, "strategies": STRATEGIES}
    values |= {"said": [tell_row(row) for row in rows], "has_schemas": get_driver(dest.driver).has_schemas}
    return render(request, "wizard_schema_plan.html", status, notice=notice, error=error, **values)


# -- making all of it --------------------------------------------------------------------------------------------------


@router.post("/wizard/schema/create")
def create(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Makes the dest tables that are missing, the modules, their group and its schedule; or nothing, and says why."""
    form = _read_form(data)
    source = need_source(db, form)
    dest = find_connection(db, form, "dest_id") or choose_dest(db, source)
    found: Inventory = {}
    error: dict[str, Any] | None = None
    try:
        with context.looks.open(source) as look:
            _, found = _look_up(look, source, form.value("schema"), [row["table"] for row in form.rows["t"]])
        plans = build_plans(db, form, source, dest, found)
        _check(context, form, plans, source, dest)
        try_keeping(db, user.name, form, plans)
        _make_tables(context, dest, plans)
        group_id = keep_plans(db, user.name, form, plans, dest)
        return go(request, f"/groups/{group_id}" if group_id is not None else "/modules")
    except FormRefused:
        note_reason(request.scope, "; ".join(form.problems.values()))
    except PipekitError as failed:
        error = say_error(context, failed)
    return _render_plan(request, db, form, source, dest, found, error=error, status=422)


def _check(context: Context, form: Form, plans: Sequence[Plan], source: Connection, dest: Connection) -> None:
    """Raises FormRefused with every fault noted beside its line."""
    if not plans:
        raise Invalid("There is no table.", hint="Go back and tick some.")
    if not form.problems:
        try:
            with context.looks.open(dest) as look:
                check_dests(look, form, plans, source)
        except ConnectFailed as error:
            # A file that is not there yet is made.
            if not error.sqlstate.startswith("SQLITE_CANTOPEN"):
                raise
            with context.looks.open(dest, read_only=False) as look:
                check_dests(look, form, plans, source)
    refuse_problems(form)


def _make_tables(context: Context, dest: Connection, plans: Sequence[Plan]) -> None:
    """All of them in one transaction, where the database has such for tables."""
    statements = [Statement(sql=sql) for plan in plans for sql in plan.statements]
    if not statements:
        return
    try:
        with context.looks.open(dest, read_only=False, limit_s=MAKING_TAKES_S) as look:
            look.runner.execute(look.endpoint, statements)
    except PipekitError as error:
        more = "No module was made. A table that was made before this stays, and is taken as it is the next time."
        error.hint = f"{error.hint} {more}".strip()
        raise

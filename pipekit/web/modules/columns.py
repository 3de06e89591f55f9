# Adding a column to a module and its dest table. Knows the two databases' looks, no other page.
"""`/modules/{id}/columns/new` and `POST /modules/{id}/columns`."""

from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.definitions import edit
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, TableColumn
from pipekit.engine.looking.dest_table import add_dest_column
from pipekit.engine.looking.look import list_query_columns
from pipekit.engine.planning.naming import clean_name, next_column_id, propose_name
from pipekit.engine.record import join_sql
from pipekit.engine.variables import fill, fill_table
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.errors import Invalid, PipekitError
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import Column, Module
from pipekit.web.kit.answers import go, say_error
from pipekit.web.kit.forms import Form, FormDep
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin

router = APIRouter(include_in_schema=False)

FIELDS = ("source_name", "source_type", "dest_name", "dest_type", "comment")


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A column of the query that the module's mapping has not; `problem` says why nobody could look."""

    columns: tuple[TableColumn, ...] = ()
    problem: str = ""


@router.get("/modules/{module_id}/columns/new")
def show_new(request: Request, db: Db, context: ContextDep, user: Admin, module_id: int) -> Response:
    """The form of a column, filled from the query's first column that has no place yet."""
    module = repo.get_module(db, module_id)
    offer = _look(context, db, module)
    form = Form(order=FIELDS)
    wanted = request.query_params.get("source_name")
    chosen = next((column for column in offer.columns if column.name == wanted), next(iter(offer.columns), None))
    if chosen:
        source, dest = _drivers(db, module)
        name = propose_name(dest, chosen.name)
        form.values |= {"source_name": chosen.name, "source_type": chosen.type, "dest_name": name}
        form.values["dest_type"] = dest.map_type(chosen.type, source)
    return _show(request, db, module, form, offer)


@router.post("/modules/{module_id}/columns")
def add(request: Request, db: Db, context: ContextDep, user: Admin, module_id: int, data: FormDep) -> Response:
    """Adds the column to the dest table and to the module; refuses a name that exists."""
    module = repo.get_module(db, module_id)
    form = Form(order=FIELDS)
    form.take(data)
    column = _read_column(db, module, form)
    if not form.problems:
        try:
            statements = _add_to_dest(context, db, module, column, form.value("comment").strip())
            _keep(db, user.name, module, column, statements)
            return go(request, f"/modules/{module.id}")
        except PipekitError as error:
            shown = say_error(context, error)
            form.note(getattr(error, "field", "") or "dest_name", f"{shown['message']} {shown['hint']}".strip())
    return _show(request, db, module, form, Offer(), status=422)


def _drivers(db: repo.State, module: Module) -> tuple[Driver, Driver]:
    source, dest = repo.get_connection(db, module.source_id), repo.get_connection(db, module.dest_id)
    return get_driver(source.driver), get_driver(dest.driver)


def _look(context: Context, db: repo.State, module: Module) -> Offer:
    """The query's columns that nothing is made of yet."""
    values = {mark.name: mark.default_value for mark in repo.list_watermarks(db, module.id) if mark.default_value}
    for run in repo.list_runs(db, module=module.name, limit=1):
        values |= run.watermark_values
    source = repo.get_connection(db, module.source_id)
    try:
        with context.looks.open(source) as look:
            found = list_query_columns(look, fill_placeholders(fill(source, module.source_query), values))
        existing = _list_dest_names(context, db, module)
    except PipekitError as error:
        shown = say_error(context, error)
        return Offer(problem=f"{shown['message']} {shown['hint']}".strip())
    known = {column.source_name.casefold() for column in module.columns} | existing
    return Offer(columns=tuple(column for column in found if column.name.casefold() not in known))


def _list_dest_names(context: Context, db: repo.State, module: Module) -> set[str]:
    dest = repo.get_connection(db, module.dest_id)
    with context.looks.open(dest) as look:
        columns = look.driver.get_columns(
            look.query, look.driver.resolve_table(look.query, fill_table(dest, module.dest_table))
        )
    return {column.name.casefold() for column in columns}


def _read_column(db: repo.State, module: Module, form: Form) -> Column:
    source, dest = _drivers(db, module)
    form.values["dest_name"] = name = clean_name(form.value("dest_name"), dest.max_identifier_bytes)
    if not name:
        form.note("dest_name", "Give the column a name.")
    source_name = form.value("source_name").strip() or name
    source_type = form.value("source_type").strip()
    dest_type = form.value("dest_type").strip()
    try:
        if not dest_type and not source_type:
            raise Invalid("Give the column a type.")
        dest_type = dest_type or dest.map_type(source_type, source)
        dest.check_type(dest_type)
    except Invalid as error:
        form.note("dest_type", f"{error.message} {error.hint}".strip())
    return Column(
        id=next_column_id(module.columns),
        source_name=source_name,
        source_type=source_type,
        dest_name=name,
        dest_type=dest_type,
    )


def _add_to_dest(context: Context, db: repo.State, module: Module, column: Column, comment: str) -> tuple[str, ...]:
    if any(item.source_name == column.source_name for item in module.columns):
        raise Invalid(f"The source column {column.source_name!r} has a dest column already.", field="source_name")
    dest = repo.get_connection(db, module.dest_id)
    with context.looks.open(dest, read_only=False) as look:
        filled = replace(module, dest_table=fill_table(dest, module.dest_table))
        return add_dest_column(look, filled, column, comment)


def _keep(db: repo.State, user: str, module: Module, column: Column, statements: tuple[str, ...]) -> None:
    name = f"{repo.get_connection(db, module.dest_id).name}: {module.dest_table}"
    with repo.transaction(db):
        detail = {"sql": [None, join_sql(statements)]}
        repo.note_audit(db, user=user, action="change", kind="table", name=name, detail=detail)
        before = repo.get_module(db, module.id)
        edit.update(db, edit.MODULE, user, module.id, columns=(*before.columns, column))


def _show(request: Request, db: repo.State, module: Module, form: Form, offer: Offer, *, status: int = 200) -> Response:
    _, dest = _drivers(db, module)
    is_fragment = "hx-request" in request.headers
    return render(
        request,
        "_column_new.html" if is_fragment else "column_new.html",
        200 if is_fragment else status,
        module=module,
        form=form,
        offer=offer,
        has_comments=dest.supports_comments,
    )

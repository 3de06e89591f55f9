# Making and changing connections in a browser, and trying one before it is saved. Draws no list and no page of one.
"""`/connections/new`, `/connections/{id}/edit`, what is posted there, `/connections/address`, `/connections/trial`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.drivers import DRIVERS, get_driver
from pipekit.drivers.base import Driver
from pipekit.engine.jars import list_kinds
from pipekit.errors import ConfigError, PipekitError
from pipekit.http.errors import note_reason
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import Connection
from pipekit.web.connections.form import (
    ORDER,
    SEEN,
    build_form,
    fill_parts,
    find_parts,
    keep_fitting,
    read_fields,
    settle_address,
    take_address,
)
from pipekit.web.connections.secret import take_secret
from pipekit.web.connections.trial import Outcome, try_connection
from pipekit.web.kit.answers import go
from pipekit.web.kit.clash import check_clash, sign_form
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin

router = APIRouter(include_in_schema=False)


@router.get("/connections/new")
def show_new(request: Request, db: Db, context: ContextDep, user: Admin) -> Response:
    """An empty form."""
    form = Form(values={"driver": next(iter(DRIVERS))}, order=ORDER)
    fill_parts(form)
    return _show_form(request, db, context, form)


@router.post("/connections")
def create(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Makes a connection."""
    form = Form(order=ORDER)
    form.take(data)
    try:
        values, secret = read_fields(form), take_secret(db, context, form)
        made = None
        if not form.problems:
            with repo.transaction(db):
                made = edit.create(db, edit.CONNECTION, user.name, **values | secret.reference)
                secret.keep(db, context, user)
    except (*MENDABLE, ConfigError) as error:
        _note(form, error)
        made = None
    _ask_again(form, data)
    return go(request, f"/connections/{made.id}?new=1") if made else _show_form(request, db, context, form, status=422)


@router.get("/connections/{connection_id}/edit")
def show_edit(request: Request, db: Db, context: ContextDep, user: Admin, connection_id: int) -> Response:
    """A connection's form."""
    connection = repo.get_connection(db, connection_id)
    form = sign_form(build_form(connection))
    fill_parts(form)
    return _show_form(request, db, context, form, connection=connection)


@router.post("/connections/{connection_id:int}")
def update(request: Request, db: Db, context: ContextDep, user: Admin, connection_id: int, data: FormDep) -> Response:
    """Changes a connection; a run under way keeps what it read."""
    connection = repo.get_connection(db, connection_id)
    form = build_form(connection)
    form.take(data)
    try:
        values, secret = read_fields(form), take_secret(db, context, form)
        with repo.transaction(db):
            kept = build_form(repo.get_connection(db, connection_id))
            name, address = kept.value("name"), f"/connections/{connection_id}"
            check_clash(db, form, kept, kinds=("connection",), name=name, address=address)
            if not form.problems:
                edit.update(db, edit.CONNECTION, user.name, connection_id, **values | secret.reference)
                secret.keep(db, context, user)
    except (*MENDABLE, ConfigError) as error:
        _note(form, error)
    _ask_again(form, data)
    if form.problems:
        return _show_form(request, db, context, form, connection=connection, status=form.status)
    return go(request, f"/connections/{connection_id}")


# -- before it is saved ------------------------------------------------------------------------------------------------


@router.post("/connections/address")
def show_address(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """The address that the fields say, or the fields of an address or a kind: a piece of the form for HTMX, or all."""
    form, connection = _take_form(db, data)
    drivers, origin, said = _list_drivers(db), request.query_params.get("origin", "fields"), ""
    if origin == "address":
        said = take_address(form, drivers)
    elif origin == "kind":
        keep_fitting(form)
    else:
        settle_address(form)
        form.values[SEEN] = form.value("jdbc_url")
    if "hx-request" not in request.headers:
        return _show_form(request, db, context, form, connection=connection, said=said)
    values: dict[str, Any] = {
        "form": form,
        "drivers": drivers,
        "parts": find_parts(form),
        "said": said,
        "origin": origin,
    }
    values |= {"rewritten": form.value("jdbc_url") != get_text(data, "jdbc_url").strip()}
    return render(request, "_connection_address.html", **values)


@router.post("/connections/trial")
def test_form(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Connects as the form says, with the password that was typed, and keeps nothing."""
    form, connection = _take_form(db, data)
    password = form.values.pop("secret_value", "").rstrip("\n")
    form.values["name"] = form.value("name").strip() or "this connection"
    fields = read_fields(form)
    if form.problems:
        outcome = Outcome(message=" ".join(form.problems.values()))
    else:
        outcome = try_connection(context, Connection(id=0, **fields), password=password or None)
    note_reason(request.scope, outcome.told)
    if "hx-request" in request.headers:
        return render(request, "_connection_test.html", tested=outcome)
    form.values["name"] = get_text(data, "name")
    form.problems.clear()
    if password:
        form.note("secret_value", "Type it again to save: it was not kept.")
    return _show_form(request, db, context, form, connection=connection, tested=outcome)


def _take_form(db: repo.State, data: FormData) -> tuple[Form, Connection | None]:
    """What stands in the form now, and the connection it is of."""
    text = get_text(data, "connection_id")
    connection = repo.get_connection(db, int(text)) if text.isascii() and text.isdigit() else None
    form = build_form(connection) if connection else Form(order=ORDER)
    form.take(data)
    return form, connection


def _note(form: Form, error: PipekitError) -> None:
    default = "secret_value" if isinstance(error, ConfigError) else "name"
    form.note_error(error, default, {"value": "secret_value"})


def _ask_again(form: Form, data: FormData) -> None:
    """A secret's value goes into no form: where the form comes back for another reason it was not kept either."""
    if form.problems and get_text(data, "secret_value") and "secret_value" not in form.problems:
        form.note("secret_value", "Type the value again: it was not kept.")


def _show_form(
    request: Request,
    db: repo.State,
    context: Context,
    form: Form,
    *,
    connection: Connection | None = None,
    said: str = "",
    tested: Outcome | None = None,
    status: int = 200,
) -> Response:
    try:
        names = context.secrets.names()
    except ConfigError:
        names = []
    values: dict[str, Any] = {"form": form, "connection": connection, "secrets": names, "drivers": _list_drivers(db)}
    values |= {"parts": find_parts(form), "said": said, "tested": tested, "origin": ""}
    return render(request, "connection_form.html", status, **values)


def _list_drivers(db: repo.State) -> list[Driver]:
    return [get_driver(kind) for kind in (*DRIVERS, *(kind for kind in list_kinds(db) if kind not in DRIVERS))]

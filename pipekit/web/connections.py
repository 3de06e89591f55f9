# Connections in a browser: list, page, form, test. Knows no module beyond who uses what.
"""`/connections`."""

import itertools
import os
import re
import time
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.drivers import DRIVERS, get_driver
from pipekit.engine.jars import list_kinds
from pipekit.errors import ConfigError, Conflict, Invalid, PipekitError
from pipekit.http.errors import note_reason
from pipekit.http.state import Context, ContextDep, Db
from pipekit.mends import find_mend
from pipekit.models import Connection, ConnectionFields
from pipekit.models.people import User
from pipekit.web.kit.answers import go
from pipekit.web.kit.clash import check_clash, sign_form
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Operator, Viewer

router = APIRouter(include_in_schema=False)

ORDER = ("name", "driver", "jdbc_url", "username", "password", "secret_value", "max_runs", "variables")
# Somebody waits in front of the button.
TEST_WITHIN_S = 10.0
SHOWN_SCHEMAS = 12


@router.get("/connections")
def show_list(request: Request, db: Db, user: Viewer) -> Response:
    """Every connection and how many modules use it."""
    uses = repo.count_connection_uses(db)
    return render(request, "connections.html", connections=repo.list_connections(db), uses=uses, labels=_labels(db))


@router.get("/connections/new")
def show_new(request: Request, db: Db, context: ContextDep, user: Admin) -> Response:
    """An empty form."""
    return _show_form(request, db, context, Form(values={"driver": next(iter(DRIVERS))}, order=ORDER))


@router.post("/connections")
def create(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Makes a connection."""
    form = Form(order=ORDER)
    form.take(data)
    try:
        values, secret = _read(form), _take_secret(db, context, form)
        made = None
        if not form.problems:
            with repo.transaction(db):
                made = edit.create(db, edit.CONNECTION, user.name, **values | secret.reference)
                secret.keep(db, context, user)
    except (*MENDABLE, ConfigError) as error:
        _note(form, error)
        made = None
    _ask_again(form, data)
    return go(request, f"/connections/{made.id}") if made else _show_form(request, db, context, form, status=422)


@router.get("/connections/{connection_id}")
def show(request: Request, db: Db, user: Viewer, connection_id: int) -> Response:
    """A connection, who uses it, and the button that tests it."""
    return _show(request, db, repo.get_connection(db, connection_id))


@router.get("/connections/{connection_id}/edit")
def show_edit(request: Request, db: Db, context: ContextDep, user: Admin, connection_id: int) -> Response:
    """A connection's form."""
    connection = repo.get_connection(db, connection_id)
    return _show_form(request, db, context, sign_form(_build_form(connection)), connection=connection)


@router.post("/connections/{connection_id}")
def update(request: Request, db: Db, context: ContextDep, user: Admin, connection_id: int, data: FormDep) -> Response:
    """Changes a connection; a run under way keeps what it read."""
    connection = repo.get_connection(db, connection_id)
    form = _build_form(connection)
    form.take(data)
    try:
        values, secret = _read(form), _take_secret(db, context, form)
        with repo.transaction(db):
            kept = _build_form(repo.get_connection(db, connection_id))
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


@router.get("/connections/{connection_id}/delete")
def show_delete(request: Request, db: Db, user: Admin, connection_id: int) -> Response:
    """Names what goes, or which modules stand in the way."""
    return _confirm_delete(request, db, repo.get_connection(db, connection_id))


@router.post("/connections/{connection_id}/delete")
def delete(request: Request, db: Db, user: Admin, connection_id: int) -> Response:
    """Deletes a connection that nothing uses."""
    connection = repo.get_connection(db, connection_id)
    try:
        edit.delete(db, edit.CONNECTION, user.name, connection_id)
    except Conflict as error:
        return _confirm_delete(request, db, connection, f"{error.message} {error.hint}".strip(), status=409)
    return go(request, "/connections")


@router.post("/connections/{connection_id}/test")
def test(request: Request, db: Db, context: ContextDep, user: Operator, connection_id: int) -> Response:
    """Connects, logs in and looks: a fragment for HTMX, the page with the same in it otherwise."""
    connection = repo.get_connection(db, connection_id)
    outcome = _test(context, connection)
    note_reason(request.scope, "" if outcome["ok"] else f"{outcome['message']} {outcome['hint']}".strip())
    if "hx-request" in request.headers:
        return render(request, "_connection_test.html", tested=outcome)
    return _show(request, db, connection, outcome)


def _test(context: Context, connection: Connection) -> dict[str, Any]:
    started = time.monotonic()
    try:
        with context.looks.open(connection, limit_s=TEST_WITHIN_S) as look:
            schemas = look.driver.list_schemas(look.query)
            # An embedded kind knows its one schema without looking; its tables it must look up.
            tables = look.driver.list_tables(look.query, schemas[0]) if schemas else []
            version = look.query(look.driver.version_sql).first_cell() if look.driver.version_sql else None
    except PipekitError as error:
        tell = context.secrets.masker().tell
        return {"ok": False, "message": tell(error.message), "hint": tell(error.hint or find_mend(error.message))}
    seconds = time.monotonic() - started
    found = {"schemas": schemas[:SHOWN_SCHEMAS], "more": len(schemas) - SHOWN_SCHEMAS, "tables": len(tables)}
    return {"ok": True, "seconds": seconds, "version": version, **found}


def _show(request: Request, db: repo.State, connection: Connection, tested: dict[str, Any] | None = None) -> Response:
    uses = repo.list_connection_uses(db, connection.id)
    label = _labels(db).get(connection.driver, connection.driver)
    return render(request, "connection.html", connection=connection, uses=uses, label=label, tested=tested)


def _labels(db: repo.State) -> dict[str, str]:
    return {kind: get_driver(kind).label for kind in list_kinds(db)}


def _note(form: Form, error: PipekitError) -> None:
    default = "secret_value" if isinstance(error, ConfigError) else "name"
    form.note_error(error, default, {"value": "secret_value"})


def _ask_again(form: Form, data: FormData) -> None:
    """A secret's value goes into no form: where the form comes back for another reason it was not kept either."""
    if form.problems and get_text(data, "secret_value") and "secret_value" not in form.problems:
        form.note("secret_value", "Type the value again: it was not kept.")


def _build_form(connection: Connection) -> Form:
    values = {name: getattr(connection, name) for name in ORDER if name != "secret_value"}
    return Form(values={name: "" if value is None else str(value) for name, value in values.items()}, order=ORDER)


def _read(form: Form) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": form.need("name", "Give the connection a name."),
        "driver": form.need("driver", "Choose the kind of database."),
        "jdbc_url": form.need("jdbc_url", "Write where the database is."),
        "username": form.value("username").strip() or None,
        "password": form.value("password").strip() or None,
        "max_runs": form.read_told("max_runs", ConnectionFields),
        "variables": form.value("variables"),
    }
    if values["driver"] in DRIVERS and values["jdbc_url"]:
        try:
            get_driver(values["driver"]).parse_url(values["jdbc_url"])
        except PipekitError as error:
            form.note_error(error, "jdbc_url")
    if values["password"] and not values["password"].startswith("$"):
        # What was typed may be the password itself: it is not sent back.
        form.note("password", "Give the name of a secret, $NAME, never the password itself. It was not kept.")
        form.values["password"] = ""
    return values


@dataclass(frozen=True, kw_only=True, slots=True)
class _NewSecret:
    """A password that came along with a connection; `name` is "" for none."""

    name: str = ""
    value: str = field(default="", repr=False)

    @property
    def reference(self) -> dict[str, Any]:
        """The connection's field that refers to it."""
        return {"password": f"${self.name}"} if self.name else {}

    def keep(self, db: repo.State, context: Context, user: User) -> None:
        """Writes it to the secrets file. Raises ConfigError, Invalid; inside a transaction that undoes the rest."""
        if self.name:
            try:
                context.secrets.set(self.name, self.value)
            except Invalid as error:
                field = "password" if error.field == "name" else error.field
                raise Invalid(error.message, field=field, hint=error.hint) from error
            repo.note_audit(db, user=user.name, action="change", kind="secret", name=self.name)


def _take_secret(db: repo.State, context: Context, form: Form) -> _NewSecret:
    """The value that was typed, taken out of the form, under the name that was given or one like the connection's."""
    value = form.values.pop("secret_value", "").rstrip("\n")
    if not value:
        return _NewSecret()
    name = form.value("password").strip().removeprefix("$") or _find_free_secret(db, context, form.value("name"))
    return _NewSecret(name=name, value=value)


def _find_free_secret(db: repo.State, context: Context, connection: str) -> str:
    """`dw` -> `DW_PASSWORD`, or with a number where that is taken: in the file, the environment or by a reference."""
    known = {*context.secrets.names(), *os.environ}
    known |= {item.password.removeprefix("$") for item in repo.list_connections(db) if item.password}
    name = re.sub(r"[^A-Z0-9]+", "_", connection.upper()).strip("_") or "CONNECTION"
    name = f"_{name}_PASSWORD" if name[0].isdigit() else f"{name}_PASSWORD"
    return next(found for n in itertools.count(1) if (found := name if n == 1 else f"{name}_{n}") not in known)


def _show_form(
    request: Request,
    db: repo.State,
    context: Context,
    form: Form,
    *,
    connection: Connection | None = None,
    status: int = 200,
) -> Response:
    try:
        names = context.secrets.names()
    except ConfigError:
        names = []
    drivers = [get_driver(kind) for kind in (*DRIVERS, *(kind for kind in list_kinds(db) if kind not in DRIVERS))]
    return render(
        request, "connection_form.html", status, form=form, connection=connection, secrets=names, drivers=drivers
    )


def _confirm_delete(
    request: Request, db: repo.State, connection: Connection, problem: str = "", *, status: int = 200
) -> Response:
    uses = [use.module for use in repo.list_connection_uses(db, connection.id)]
    refusal = f"It is used by {', '.join(uses)}: point these modules elsewhere or delete them first." if uses else ""
    stays = ["the database it leads to, with everything in it"]
    if connection.password:
        stays.append(f"the secret {connection.password[1:]}")
    return confirm(
        request,
        crumbs=[("/connections", "Connections"), (f"/connections/{connection.id}", connection.name)],
        title=f"Delete the connection {connection.name}",
        goes=[f"the connection {connection.name}: its address and its user name"],
        stays=stays,
        button=f"Delete {connection.name}",
        back=f"/connections/{connection.id}",
        problem=problem,
        refusal=refusal,
        status=status,
    )

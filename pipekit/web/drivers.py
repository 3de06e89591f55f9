# Kinds of databases in a browser: what there is, and the jars of those that are reached over JDBC. Loads none of them.
"""`/drivers`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.drivers import DRIVERS, get_driver
from pipekit.engine.jars import list_driver_states, list_jars, register, unregister
from pipekit.errors import ConfigError
from pipekit.http.state import Context, ContextDep, Db
from pipekit.web.kit.answers import go
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Viewer

router = APIRouter(include_in_schema=False)

ORDER = ("kind", "jar", "java_class", "url_template", "folder")


@router.get("/drivers")
def show_drivers(request: Request, db: Db, context: ContextDep, user: Viewer) -> Response:
    """The kinds of databases, how their addresses look, their jars, and what uses them."""
    kind = request.query_params.get("kind", "")
    found = repo.find_driver_registration(db, kind) if kind else None
    values = {name: getattr(found, name) or "" for name in ORDER} if found else {}
    # Nothing is wrong yet, so nothing asks for the focus: the page is for looking first.
    return _show(request, db, context, Form(values=values))


@router.post("/drivers")
def add(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Registers a kind with a jar of the configured folder; one that is registered gets what is given."""
    form = Form(values={name: get_text(data, name).strip() for name in ORDER}, order=ORDER)
    form.need("kind", "Give the kind a name: db2i, h2, oracle.")
    form.need("jar", "Choose the jar.")
    try:
        if not form.problems:
            register(db, context.config, user=user.name, **{name: form.value(name) for name in ORDER})
    except (*MENDABLE, ConfigError) as error:
        form.note_error(error, "jar", {"class": "java_class"})
    return _show(request, db, context, form, status=422) if form.problems else go(request, "/drivers#jars")


@router.get("/drivers/{kind}/delete")
def show_delete(request: Request, db: Db, user: Admin, kind: str) -> Response:
    """Names what goes with a registration, or which connections stand in the way."""
    return _confirm_delete(request, db, kind)


@router.post("/drivers/{kind}/delete")
def delete(request: Request, db: Db, user: Admin, kind: str) -> Response:
    """Forgets which jar a kind is reached with."""
    try:
        unregister(db, kind=kind, user=user.name)
    except MENDABLE as error:
        return _confirm_delete(request, db, kind, f"{error.message} {error.hint}".strip())
    return go(request, "/drivers#jars")


def _confirm_delete(request: Request, db: repo.State, kind: str, problem: str = "") -> Response:
    return confirm(
        request,
        crumbs=[("/drivers", "Drivers")],
        title=f"Forget the jar of {kind}",
        goes=[f"the registration of {kind}: its jar's name, its class and the form of its addresses"],
        stays=["the jar itself, in the folder for jars"],
        button=f"Forget the jar of {kind}",
        back="/drivers",
        problem=problem,
        status=409 if problem else 200,
    )


def _show(request: Request, db: repo.State, context: Context, form: Form, *, status: int = 200) -> Response:
    states = list_driver_states(db, context.config)
    used: dict[str, int] = {}
    for connection in repo.list_connections(db):
        used[connection.driver] = used.get(connection.driver, 0) + 1
    return render(
        request,
        "drivers.html",
        status,
        form=form,
        states=states,
        drivers={state.kind: get_driver(state.kind) for state in states},
        used=used,
        folder=context.config.jar_folder,
        jars=[(jar, jar) for jar in list_jars(context.config)],
        known=[kind for kind in DRIVERS if get_driver(kind).needs_jar],
    )

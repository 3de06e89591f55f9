# Changing a column of a module's dest: what it is to become, a look at what that does, and doing it. Runs do the work.
"""`/modules/{id}/columns/change`."""

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.engine.altering.asking import ask_alteration, build_alteration, get_previewed
from pipekit.engine.looking.dest_table import DestColumn, list_dest_columns
from pipekit.engine.variables import fill_table
from pipekit.errors import Conflict, Invalid, NotFound, PipekitError
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import Module
from pipekit.models.altering import CHANGES, Change
from pipekit.web.kit.answers import go, say_error
from pipekit.web.kit.forms import Form, FormDep, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin

router = APIRouter(include_in_schema=False)

FIELDS = ("what", "column", "to")
WORDS = {
    "rename": "Call it otherwise",
    "retype": "Give it another type",
    "drop": "Take it out of the dest, with its values",
}


@router.get("/modules/{module_id:int}/columns/change")
def show_columns(request: Request, db: Db, context: ContextDep, user: Admin, module_id: int) -> Response:
    """The columns that the dest has now, and a form for one of them."""
    module = repo.get_module(db, module_id)
    form = Form(order=FIELDS)
    form.values |= {"column": request.query_params.get("column", ""), "what": "rename"}
    return _show(request, context, db, module, form)


@router.post("/modules/{module_id:int}/columns/change")
def change(request: Request, db: Db, context: ContextDep, user: Admin, module_id: int, data: FormDep) -> Response:
    """Asks for a run that looks what the change would do; with a `run` that has looked, for one that makes it."""
    module = repo.get_module(db, module_id)
    form = Form(order=FIELDS)
    form.take(data)
    try:
        previewed = get_text(data, "run")
        if previewed.isascii() and previewed.isdigit() and len(previewed) <= 18:
            alteration = get_previewed(repo.get_run(db, int(previewed)), module, user.name)
        else:
            what = _read_what(form.value("what"))
            to = "" if what == "drop" else form.value("to")
            alteration = build_alteration(db, module, what, form.value("column"), to, user.name)
        asked = ask_alteration(db, module, alteration, triggered_by=f"user:{user.name}", dry_run=not previewed)
    except (Invalid, Conflict, NotFound) as error:
        form.note(getattr(error, "field", "") or "column", f"{error.message} {error.hint}".strip())
        return _show(request, context, db, module, form, status=422)
    context.wake()
    return go(request, f"/runs/{asked.id}")


def _read_what(text: str) -> Change:
    return next((item for item in CHANGES if item == text), "rename")


def _show(
    request: Request, context: Context, db: repo.State, module: Module, form: Form, *, status: int = 200
) -> Response:
    columns, problem = _look(context, db, module)
    return render(
        request,
        "module_columns.html",
        status,
        module=module,
        form=form,
        columns=columns,
        problem=problem,
        words=WORDS.items(),
        choices=[(column.name, f"{column.name} ({column.type})") for column in columns],
        types=get_driver(repo.get_connection(db, module.dest_id).driver).type_examples,
    )


def _look(context: Context, db: repo.State, module: Module) -> tuple[list[DestColumn], str]:
    """What the dest has, and why nobody could look."""
    dest = repo.get_connection(db, module.dest_id)
    try:
        with context.looks.open(dest) as look:
            return list_dest_columns(look, replace(module, dest_table=fill_table(dest, module.dest_table))), ""
    except PipekitError as error:
        shown = say_error(context, error)
        return [], f"{shown['message']} {shown['hint']}".strip()

# Defining and starting modules in a browser. Knows forms and the state, no list and no module page.
"""`/modules/new`, `/modules/{id}/edit`, and what is posted to a module: look, save, delete, enable, disable, run."""

import re
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.engine.starting.requests import ask_run
from pipekit.engine.variables import fill
from pipekit.errors import Conflict, Invalid
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import MODULE_NAME, RUN_ON, Module
from pipekit.models.people import User
from pipekit.web.kit.answers import answer_error, go, wants_json
from pipekit.web.kit.clash import sign_form
from pipekit.web.kit.confirm import confirm, get_confirmed
from pipekit.web.kit.forms import Form, FormDep, FormRefused, get_flag, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Operator
from pipekit.web.modules.form import (
    GUARDS,
    LOAD_WORDS,
    STRATEGY_WORDS,
    build_module_form,
    fill_module_form,
    group_more,
    list_unusual_guards,
    read_fields,
    read_module_form,
    save_module,
)
from pipekit.web.modules.look import Looked, Warned, find_warnings, look_at_query
from pipekit.web.modules.run_values import read_overrides
from pipekit.web.modules.watermarks import build_placeholder_warnings, tell_unbounded
from pipekit.web.runs.show import read_number

router = APIRouter(include_in_schema=False)

# What a module's page says after a save, by the address that the save led to.
SAVED_WORDS = {
    "1": "Saved.",
    "unasked": "Saved. A database could not be asked, so nobody knows yet whether the query fits: a dry run tells.",
    "busy": "Saved. A run of it is under way or waits, so no dry run was begun.",
}


@router.get("/modules/new")
def show_new(request: Request, db: Db, user: Admin) -> Response:
    """An empty form, or with `?from={id}` one filled like another module."""
    text = request.query_params.get("from", "")
    if not text.isdecimal():
        return _show_form(request, db, build_module_form())
    module = repo.get_module(db, int(text))
    marks, hooks = repo.list_watermarks(db, module.id), repo.list_hooks(db, module.id)
    form = build_module_form(module, marks, hooks, name=_find_free_name(db, module.name))
    return _show_form(request, db, form, origin=module)


@router.get("/modules/{module_id}/edit")
def show_edit(request: Request, db: Db, user: Admin, module_id: int) -> Response:
    """A module's form."""
    module = repo.get_module(db, module_id)
    return _show_form(request, db, sign_form(read_module_form(db, module)), module=module)


@router.post("/modules/look")
def look_new(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """The columns or first rows of the query in the form of a new module: a fragment for HTMX, the form with it."""
    return _look(request, db, context, data)


@router.post("/modules/{module_id}/look")
def look(request: Request, db: Db, context: ContextDep, user: Admin, module_id: int, data: FormDep) -> Response:
    """The same for the form of a module that is there."""
    return _look(request, db, context, data, repo.get_module(db, module_id))


def _look(request: Request, db: repo.State, context: Context, data: FormData, module: Module | None = None) -> Response:
    form = read_module_form(db, module) if module else build_module_form()
    fill_module_form(form, data)
    looked = look_at_query(context, db, form, data, wants_rows=get_text(data, "part") == "rows")
    if "hx-request" in request.headers:
        return render(request, "_module_look.html", looked=looked)
    return _show_form(request, db, form, module=module, looked=looked)


@router.post("/modules")
def create(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Makes a module with its watermarks and hooks."""
    form = build_module_form()
    fill_module_form(form, data)
    warned = _warn_before(context, db, form, data)
    try:
        if warned.told:
            raise FormRefused
        module = save_module(db, user.name, form, data)
    except FormRefused:
        return _show_form(request, db, form, status=422, told=warned.told)
    return _go_on(request, db, context, user, data, module, warned)


@router.post("/modules/{module_id}")
def update(request: Request, db: Db, context: ContextDep, user: Admin, module_id: int, data: FormDep) -> Response:
    """Changes a module with its watermarks and hooks; a run under way keeps what it read."""
    before = repo.get_module(db, module_id)
    form = read_module_form(db, before)
    fill_module_form(form, data)
    warned = _warn_before(context, db, form, data, before)
    try:
        if warned.told:
            raise FormRefused
        module = save_module(db, user.name, form, data, module_id)
    except FormRefused:
        return _show_form(request, db, form, module=before, status=form.status, told=warned.told)
    return _go_on(request, db, context, user, data, module, warned)


def _warn_before(context: Context, db: repo.State, form: Form, data: FormData, before: Module | None = None) -> Warned:
    """What to say before the form is saved; nothing where it was said already, and saved once more as it stands."""
    fields = read_fields(db, form)
    if form.problems:
        return Warned(told=[])
    warned = find_warnings(context, db, form, data, fields, before)
    said = "\n".join(warned.told)
    if said == form.value("told") or (before and warned.told == _warn(db, before)):
        return Warned(told=[], unasked=warned.unasked)
    form.values["told"] = said
    return warned


def _go_on(
    request: Request, db: repo.State, context: Context, user: User, data: FormData, module: Module, warned: Warned
) -> Response:
    """To the module's page, which says that it is saved, or to the dry run that was asked for with it."""
    if get_text(data, "then") == "dry_run":
        try:
            run = ask_run(db, module, user=user.name, triggered_by=f"user:{user.name}", dry_run=True)
        except Conflict:
            return go(request, f"/modules/{module.id}?saved=busy")
        context.wake()
        return go(request, f"/runs/{run.id}")
    return go(request, f"/modules/{module.id}?saved={'unasked' if warned.unasked else '1'}")


def _warn(db: repo.State, module: Module) -> list[str]:
    names = [mark.name for mark in repo.list_watermarks(db, module.id)]
    source = repo.get_connection(db, module.source_id)
    return build_placeholder_warnings(fill(source, module.source_query), names)


def _show_form(
    request: Request,
    db: repo.State,
    form: Form,
    *,
    module: Module | None = None,
    origin: Module | None = None,
    looked: Looked | None = None,
    told: Sequence[str] = (),
    status: int = 200,
) -> Response:
    connections = repo.list_connections(db)
    return render(
        request,
        "module_form.html",
        status,
        form=form,
        module=module,
        origin=origin,
        looked=looked,
        told=told,
        warnings=_warn(db, module) if module and not form.problems and not told else [],
        unbounded=tell_unbounded(form.value("merge_strategy"), form.rows["wm"]),
        connections=connections,
        choices=[(item.id, item.name) for item in connections],
        strategies=STRATEGY_WORDS,
        ways=LOAD_WORDS,
        guards=GUARDS,
        guard_choices={f.name: [(choice, choice) for choice in f.choices] for f in GUARDS},
        more=group_more(),
        unusual=list_unusual_guards(form),
        run_on=RUN_ON,
    )


def _find_free_name(db: repo.State, name: str) -> str:
    """`orders` -> `orders_copy`, `orders_copy2` ..., within what a module's name may be."""
    for number in range(1, 1000):
        tail = "_copy" if number == 1 else f"_copy{number}"
        found = name[: 60 - len(tail)] + tail
        if MODULE_NAME.match(found) and repo.find_module_by_name(db, found) is None:
            return found
    return name


# -- deleting ----------------------------------------------------------------------------------------------------------


@router.get("/modules/{module_id}/delete")
def show_delete(request: Request, db: Db, user: Admin, module_id: int) -> Response:
    """Names what goes and what stays, and asks for the name."""
    return _confirm_delete(request, db, repo.get_module(db, module_id))


@router.post("/modules/{module_id}/delete")
def delete(request: Request, db: Db, user: Admin, module_id: int, data: FormDep) -> Response:
    """Deletes a module with its watermarks and hooks, once its name was typed."""
    module = repo.get_module(db, module_id)
    if not get_confirmed(data, module.name):
        return _confirm_delete(request, db, module, problem=f"Type {module.name} to delete it.")
    try:
        edit.delete(db, edit.MODULE, user.name, module_id)
    except Conflict as error:
        return _confirm_delete(request, db, module, problem=f"{error.message} {error.hint}".strip(), status=409)
    return go(request, "/modules")


def _confirm_delete(
    request: Request, db: repo.State, module: Module, *, problem: str = "", status: int | None = None
) -> Response:
    marks, hooks = len(repo.list_watermarks(db, module.id)), len(repo.list_hooks(db, module.id))
    groups = [group.name for group in repo.list_groups_of(db, module.id)]
    runs = repo.count_runs(db, module.id)
    dest = repo.get_connection(db, module.dest_id)
    goes = [f"the module {module.name}: its query, {_count(marks, 'watermark')} and {_count(hooks, 'hook')}"]
    stays = [f"its {_count(runs, 'run record')}" if runs else "", f"the table {module.dest_table} in {dest.name}"]
    return confirm(
        request,
        crumbs=[("/modules", "Modules"), (f"/modules/{module.id}", module.name)],
        title=f"Delete the module {module.name}",
        goes=goes,
        stays=[text for text in stays if text],
        button=f"Delete {module.name}",
        back=f"/modules/{module.id}",
        ask=module.name,
        problem=problem,
        refusal=f"It is a member of {', '.join(groups)}: take it out first." if groups else "",
        status=status or (422 if problem else 200),
    )


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}".replace(",", "\u202f") + ("" if number == 1 else "s")


# -- switches and runs -------------------------------------------------------------------------------------------------


@router.post("/modules/{module_id}/enable")
def enable(request: Request, db: Db, user: Admin, module_id: int, data: FormDep) -> Response:
    """Lets groups run the module."""
    edit.update(db, edit.MODULE, user.name, module_id, enabled=True)
    return go(request, get_list_address(data, f"/modules/{module_id}"))


@router.post("/modules/{module_id}/disable")
def disable(request: Request, db: Db, user: Admin, module_id: int, data: FormDep) -> Response:
    """Groups skip the module from now on."""
    edit.update(db, edit.MODULE, user.name, module_id, enabled=False)
    return go(request, get_list_address(data, f"/modules/{module_id}"))


def get_list_address(data: FormData, default: str) -> str:
    """Where an act leads: back to the list it was chosen in, which is an address of ours, or elsewhere."""
    asked = get_text(data, "next")
    return asked if re.fullmatch(r"/modules(\?[^\s\\]*)?", asked) else default


@router.post("/modules/{module_id}/run")
def run(request: Request, db: Db, context: ContextDep, user: Operator, module_id: int, data: FormDep) -> Response:
    """Asks for a run and answers at once: 202 with its id for a script, the run's page for a browser; 409 when busy."""
    try:
        module = repo.get_module(db, module_id)
        overrides, merges = read_overrides(data), read_number(get_text(data, "merges"))
        found = ask_run(
            db,
            module,
            user=user.name,
            triggered_by=f"user:{user.name}",
            dry_run=get_flag(data, "dry_run"),
            preview=get_flag(data, "preview"),
            merges=merges,
            verify=get_flag(data, "verify"),
            overrides=overrides,
            literals_only=not user.may("admin"),
        )
    except (Conflict, Invalid) as error:
        if wants_json(request):
            return answer_error(request, error)
        raise
    context.wake()
    return JSONResponse({"run_id": found.id}, 202) if wants_json(request) else go(request, f"/runs/{found.id}")

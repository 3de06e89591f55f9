# The wizard's third step: the dest, previews, and making it all. Knows nothing of how the columns were found.
"""`show_step3`, `/wizard/dest` and its fragments, `/wizard/compare`, `/wizard/preview`, `/wizard/create`."""

from dataclasses import fields, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.definitions import edit
from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn
from pipekit.engine.looking.dest_table import (
    build_merge_text,
    build_table_sql,
    find_dest_columns,
    make_dest_table,
    settle_table,
)
from pipekit.engine.looking.look import list_query_columns, read_first_rows
from pipekit.engine.record import join_sql
from pipekit.engine.variables import fill
from pipekit.engine.watermarks.places import find_places
from pipekit.errors import ConfigError, ConnectFailed, Invalid, PipekitError, TimedOut, TooMany
from pipekit.http.errors import note_reason
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import Connection, Module
from pipekit.web.kit.answers import go, say_error
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, FormRefused, refuse_problems
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin
from pipekit.web.modules.form import STRATEGY_WORDS
from pipekit.web.modules.watermark_values import fill_to_look, find_values, need_values
from pipekit.web.modules.watermarks import save_watermark_rows, tell_unbounded
from pipekit.web.wizard.draft import drop_draft, keep_draft
from pipekit.web.wizard.form import (
    FIRST_STEPS,
    build_draft,
    build_source_query,
    check_whole,
    get_details,
    need_source,
    read_wizard_form,
    take_placeholders,
)
from pipekit.web.wizard.query import add_comparison, check_columns, list_comparable, list_warnings
from pipekit.web.wizard.settle import find_dest_place, settle_dest

router = APIRouter(include_in_schema=False)

TOLD = "Nothing was made yet. Mend it, or press the button once more to make it as it stands."
PARTS = {"rows": "First rows", "ddl": "Table", "merge": "Merge SQL", "values": "Watermark values"}
# The fields of a module that the wizard decides.
_KEPT = (
    *("name", "source_id", "dest_id", "source_query", "dest_table"),
    *("merge_strategy", "merge_key", "columns"),
)


def show_step3(
    request: Request,
    db: repo.State,
    form: Form,
    source: Connection,
    dest: Connection,
    *,
    status: int = 200,
    notice: str = "",
    error: dict[str, Any] | None = None,
    preview: dict[str, Any] | None = None,
) -> Response:
    """Step 3 as it stands in the form; `entry_mode` tells how the columns were found."""
    driver = get_driver(dest.driver)
    return render(
        request,
        "wizard_step3.html",
        status,
        form=form,
        entry_mode=form.value("entry_mode"),
        source=source,
        dest=dest,
        has_schemas="schema" in driver.browse_fields(),
        has_comments=driver.supports_comments,
        query=build_source_query(form, source),
        dialect=get_driver(source.driver).kind,
        comparable=list_comparable(form, source),
        warnings=list_warnings(form, source),
        connections=repo.list_connections(db),
        strategies=STRATEGY_WORDS,
        unbounded=tell_unbounded(form.value("merge_strategy"), form.rows["wm"]),
        parts=PARTS,
        preview=preview,
        notice=notice,
        error=error,
        carry=[name for name in FIRST_STEPS if name != "query"],
    )


@router.post("/wizard/dest")
def change_dest(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Step 3 for another dest connection; types are mapped anew when its kind differs."""
    form = read_wizard_form(data)
    source = need_source(db, form)
    dest = settle_dest(db, form, source)
    keep_draft(db, user.id, form, "dest")
    return show_step3(request, db, form, source, dest)


@router.post("/wizard/dest/state")
def show_dest_state(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """A fragment: whether the dest table is there, and whether it fits what the form says."""
    form = read_wizard_form(data)
    source = need_source(db, form)
    dest = settle_dest(db, form, source)
    # What is wrong with the merge does not matter here, and neither does a module's name that is not typed yet.
    draft = replace(build_draft(form, source, dest), name="x", merge_strategy="append", merge_key=())
    kind, text = _tell_dest(context, source, dest, draft) if draft.dest_table else ("", "")
    name = ".".join(filter(None, (form.value("dest_schema").strip(), form.value("dest_table").strip())))
    return render(request, "_wizard_dest_state.html", kind=kind, text=text, name=name)


def _tell_dest(context: Context, source: Connection, dest: Connection, draft: Module) -> tuple[str, str]:
    """`new`, `taken`, `misfit` or `unknown`, and the same in words."""
    table = draft.dest_table
    try:
        with context.looks.open(dest) as look:
            draft = settle_table(look, draft)
            table = draft.dest_table
            existing = find_dest_columns(look, draft)
        if not existing:
            return "new", f"{table} is not in {dest.name} yet: it is made."
        build_merge_text(get_driver(source.driver), get_driver(dest.driver), draft, existing)
    except (ConnectFailed, ConfigError, TimedOut, TooMany) as error:
        if getattr(error, "sqlstate", "").startswith("SQLITE_CANTOPEN"):
            return "new", f"{table} is made, and the file of {dest.name} with it when it is missing."
        shown = say_error(context, error)
        return "unknown", f"{dest.name} cannot be asked: {shown['message']} {shown['hint']}".strip()
    except PipekitError as error:
        shown = say_error(context, error)
        return "misfit", f"{table} in {dest.name} does not fit: {shown['message']} {shown['hint']}".strip()
    count = len(existing)
    return (
        "taken",
        f"{table} is in {dest.name} already, with {count} column{'' if count == 1 else 's'}: it is kept as it is.",
    )


@router.post("/wizard/dest/watermarks")
def show_watermarks(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """A fragment: the rows of the watermarks, one for each `{name}` that stands in the query by now."""
    form = read_wizard_form(data)
    source = need_source(db, form)
    take_placeholders(form, build_source_query(form, source))
    settle_dest(db, form, source)
    form.problems.clear()
    return render(request, "_wizard_watermarks.html", form=form, connections=repo.list_connections(db))


@router.post("/wizard/compare")
def compare(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Step 3 with the comparison of the column picked in the query, and its watermark."""
    form = read_wizard_form(data)
    source = need_source(db, form)
    dest = settle_dest(db, form, source)
    notice = add_comparison(form, source, dest)
    keep_draft(db, user.id, form, "dest")
    return show_step3(request, db, form, source, dest, notice=notice, status=422 if form.problems else 200)


# -- previews ----------------------------------------------------------------------------------------------------------


@router.post("/wizard/preview")
def show_preview(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """The first rows, the DDL, the merge SQL or the watermarks' values: a fragment, or step 3 with it."""
    form = read_wizard_form(data)
    source = need_source(db, form)
    dest = settle_dest(db, form, source)
    keep_draft(db, user.id, form, "dest")
    part = form.value("part") if form.value("part") in PARTS else "rows"
    preview: dict[str, Any] = {"part": part, "title": PARTS[part], "text": "", "note": "", "error": None}
    preview |= {"result": None, "values": {}}
    try:
        preview |= _look(context, db, form, source, dest, part)
    except PipekitError as error:
        preview["error"] = say_error(context, error)
    form.problems.clear()
    if "hx-request" in request.headers:
        return render(request, "_wizard_preview.html", preview=preview)
    return show_step3(request, db, form, source, dest, preview=preview)


def _look(
    context: Context, db: repo.State, form: Form, source: Connection, dest: Connection, part: str
) -> dict[str, Any]:
    query, place = build_source_query(form, source), find_dest_place(form, dest)
    if part == "values":
        names = [name for row in form.rows["wm"] if (name := row["name"].strip())]
        found = find_values(context, db, form.rows["wm"], names, place)
        return {"values": {name: found.get(name) for name in names}}
    if part == "rows":
        query = fill(source, query)
        values = find_values(context, db, form.rows["wm"], find_places(query), place)
        text = need_values(fill_to_look(query, values))
        with context.looks.open(source) as look:
            return {"result": read_first_rows(look, text)}
    draft = build_draft(form, source, dest)
    if form.problems:
        raise Invalid(next(iter(form.problems.values())))
    draft, existing, note = _look_at_dest(context, dest, draft)
    source_driver, driver = get_driver(source.driver), get_driver(dest.driver)
    merge = build_merge_text(source_driver, driver, draft, existing)
    if part == "merge":
        return {"note": note, "text": merge}
    if existing:
        return {"note": f"{draft.dest_table} is there already, and its columns fit: it is taken as it is."}
    return {"note": note, "text": join_sql(list(build_table_sql(driver, draft, get_details(form))))}


def _look_at_dest(context: Context, dest: Connection, draft: Module) -> tuple[Module, list[TableColumn], str]:
    """The draft with its table's whole name, and the columns of one that is there; a dest that cannot be asked (a file
    to be made, too) is no reason to show nothing."""
    try:
        with context.looks.open(dest) as look:
            draft = settle_table(look, draft)
            return draft, find_dest_columns(look, draft), ""
    except ConnectFailed as error:
        shown = say_error(context, error)
        return (
            draft,
            [],
            f"{dest.name} could not be asked, so this is for a table that is not there yet: {shown['message']}",
        )


# -- making it ---------------------------------------------------------------------------------------------------------


@router.post("/wizard/create")
def create(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Makes the dest table, or takes one that is there and fits, and the module; leads to its page."""
    form = read_wizard_form(data)
    source = need_source(db, form)
    mapped_for = form.value("mapped_for")
    dest = settle_dest(db, form, source)
    keep_draft(db, user.id, form, "dest")
    if mapped_for != dest.driver:
        notice = f"The types were mapped anew for {dest.name}. Look them over, then create."
        return show_step3(request, db, form, source, dest, notice=notice)
    draft = build_draft(form, source, dest)
    check_whole(form)
    warnings = "\n".join(list_warnings(form, source))
    if warnings and form.value("told") != warnings and not form.problems:
        form.values["told"] = warnings
        note_reason(request.scope, warnings)
        return show_step3(request, db, form, source, dest, status=422, notice=TOLD)
    if draft.name and repo.find_module_by_name(db, draft.name):
        form.note("name", f"There is a module named {draft.name!r} already.")
    if form.problems:
        return show_step3(request, db, form, source, dest, status=422)
    try:
        _check_edited_query(context, db, form, source, dest)
        refuse_problems(form)
        with context.looks.open(dest, read_only=False) as look:
            draft = settle_table(look, draft)
            made = make_dest_table(look, get_driver(source.driver), draft, get_details(form))
        module = _keep(db, user.name, draft, dest, made, form)
    except FormRefused:
        return show_step3(request, db, form, source, dest, status=422)
    except PipekitError as error:
        return show_step3(request, db, form, source, dest, status=422, error=say_error(context, error))
    drop_draft(db, user.id, form)
    return go(request, f"/modules/{module.id}")


def _check_edited_query(context: Context, db: repo.State, form: Form, source: Connection, dest: Connection) -> None:
    """Notes where a query that was edited here gives other columns than those it had. Raises what the source says."""
    query = build_source_query(form, source)
    if query == form.value("written"):
        return
    query = fill(source, query)
    values = find_values(context, db, form.rows["wm"], find_places(query), find_dest_place(form, dest))
    with context.looks.open(source) as look:
        check_columns(form, list_query_columns(look, fill_to_look(query, values).text))


def _keep(db: repo.State, user: str, draft: Module, dest: Connection, made: tuple[str, ...], form: Form) -> Module:
    """The module with its watermarks, and what was done in the dest, in the audit trail. Raises FormRefused."""
    if made:
        name = f"{dest.name}: {draft.dest_table}"
        repo.note_audit(db, user=user, action="create", kind="table", name=name, detail={"sql": [None, join_sql(made)]})
    values = {f.name: getattr(draft, f.name) for f in fields(draft) if f.name in _KEPT}
    with repo.transaction(db):
        try:
            module = edit.create(db, edit.MODULE, user, **values)
        except MENDABLE as error:
            form.note_error(error, "name", {"source_query": "query", "columns": "merge_key"})
            raise FormRefused from error
        save_watermark_rows(db, user, module.id, form.rows["wm"], form)
        refuse_problems(form)
    return module

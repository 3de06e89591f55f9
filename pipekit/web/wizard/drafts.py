# Going on with a draft of the wizard, keeping one while somebody types, throwing one away. Draws no step itself.
"""`/wizard/draft`, `/wizard/drafts/{key}`, `/wizard/drafts/{key}/discard`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.errors import PipekitError
from pipekit.http.state import ContextDep, Db
from pipekit.web.kit.answers import go
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import FormDep
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin
from pipekit.web.wizard.dest import show_step3
from pipekit.web.wizard.draft import STEP_WORDS, choose_step, keep_draft, open_draft
from pipekit.web.wizard.form import need_source, read_wizard_form
from pipekit.web.wizard.settle import settle_dest
from pipekit.web.wizard.source import render_columns, render_sql, render_tables

router = APIRouter(include_in_schema=False)


@router.post("/wizard/draft")
def keep(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Keeps the form as it stands while somebody types: the line that says so."""
    form = read_wizard_form(data)
    step = next((name for name in STEP_WORDS if name == form.value("step")), None)
    if step is not None:
        keep_draft(db, user.id, form, step)
    return render(request, "_wizard_draft.html", form=form)


@router.get("/wizard/drafts/{key}")
def go_on(request: Request, db: Db, context: ContextDep, user: Admin, key: str, step: str = "") -> Response:
    """The wizard at the step the draft was left at, or at an earlier one (`?step=`)."""
    form, last = open_draft(db, user.id, key)
    shown = choose_step(form, step, last)
    if shown == "dest":
        try:
            source = need_source(db, form)
            return show_step3(request, db, form, source, settle_dest(db, form, source))
        except PipekitError:
            # Its source is gone: the way begins with choosing another.
            shown = "sql" if form.value("entry_mode") == "sql" else "tables"
    if shown == "sql":
        return render_sql(request, db, form)
    if shown == "columns":
        return render_columns(request, db, context, form)
    return render_tables(request, db, context, form, carried=True)


@router.get("/wizard/drafts/{key}/discard")
def show_discard(request: Request, db: Db, user: Admin, key: str) -> Response:
    """Names what goes."""
    draft = repo.get_draft(db, user.id, key)
    return confirm(
        request,
        crumbs=[("/modules", "Modules"), ("/wizard", "New module")],
        title="Discard a draft",
        goes=[f"the draft {draft.title}, left at {STEP_WORDS[draft.step]}"],
        stays=["every table and every module: nothing was made of it yet"],
        button="Discard the draft",
        back="/wizard",
    )


@router.post("/wizard/drafts/{key}/discard")
def discard(request: Request, db: Db, user: Admin, key: str) -> Response:
    """Throws a draft away."""
    repo.delete_draft(db, user.id, key)
    return go(request, "/wizard")

# Columns that are not in the dest as they are in the source, of all modules at once. Asks no database itself.
"""`/drift`: what each module's last run, or dry run, has seen, and what its next one is to make of it."""

from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit.definitions import edit
from pipekit.errors import Invalid
from pipekit.http.state import Db
from pipekit.models.definitions import Drifting
from pipekit.repo.drift import list_drift
from pipekit.web.kit.answers import go
from pipekit.web.kit.forms import FormDep, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Viewer

router = APIRouter(include_in_schema=False)


@router.get("/drift")
def show_drift(request: Request, db: Db, user: Viewer) -> Response:
    """A line for each module, with the statements that would mend it."""
    return render(request, "drift.html", lines=list_drift(db), settings=get_args(Drifting))


@router.post("/drift/{module_id:int}")
def settle(request: Request, db: Db, user: Admin, module_id: int, data: FormDep) -> Response:
    """Says on the module what its next run makes of such columns; anything else than it can be is refused."""
    setting = next((item for item in get_args(Drifting) if item == get_text(data, "drift")), None)
    if setting is None:
        raise Invalid(f"`drift` is one of {', '.join(get_args(Drifting))}.", field="drift")
    edit.update(db, edit.MODULE, user.name, module_id, drift=setting)
    return go(request, "/drift")

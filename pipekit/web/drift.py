# Columns that are not in the dest as they are in the source, of all modules at once. Asks no database itself.
"""`/drift`: what each module's last run, or dry run, has seen."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit.http.state import Db
from pipekit.repo.drift import list_drift
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Viewer

router = APIRouter(include_in_schema=False)


@router.get("/drift")
def show_drift(request: Request, db: Db, user: Viewer) -> Response:
    """A line for each module, with the statements that would mend it."""
    return render(request, "drift.html", lines=list_drift(db))

# Addresses that people have in bookmarks and scripts and that are no pages of their own: where each leads now.
"""Pages of what a module or a group holds, lists of the same, and places of the wizard that only take forms."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from pipekit import repo
from pipekit.http.state import Db
from pipekit.web.kit.sessions import Viewer

router = APIRouter(include_in_schema=False)


@router.get("/watermarks/{watermark_id:int}")
@router.get("/watermarks/{watermark_id:int}/edit")
def show_watermark(db: Db, user: Viewer, watermark_id: int) -> Response:
    """A watermark is edited with its module."""
    mark = repo.get_watermark(db, watermark_id)
    return _lead(f"/modules/{mark.module_id}/edit#wm-{mark.id}")


@router.get("/hooks/{hook_id:int}")
@router.get("/hooks/{hook_id:int}/edit")
def show_hook(db: Db, user: Viewer, hook_id: int) -> Response:
    """A hook is edited with its module."""
    hook = repo.get_hook(db, hook_id)
    return _lead(f"/modules/{hook.module_id}/edit#hook-{hook.id}")


@router.get("/schedules/{schedule_id:int}")
@router.get("/schedules/{schedule_id:int}/edit")
def show_schedule(db: Db, user: Viewer, schedule_id: int) -> Response:
    """A schedule stands on its group's page."""
    return _lead(f"/groups/{repo.get_schedule(db, schedule_id).group_id}")


@router.get("/modules/{module_id:int}/watermarks/new")
@router.get("/modules/{module_id:int}/hooks/new")
def show_new(db: Db, user: Viewer, module_id: int) -> Response:
    """Watermarks and hooks are added in their module's form."""
    return _lead(f"/modules/{repo.get_module(db, module_id).id}/edit")


@router.get("/modules/{module_id:int}/columns")
def show_columns(db: Db, user: Viewer, module_id: int) -> Response:
    """The columns stand on the module's page."""
    return _lead(f"/modules/{repo.get_module(db, module_id).id}")


@router.get("/watermarks")
@router.get("/hooks")
@router.get("/schedules")
@router.get("/openapi.json")
def show_list(request: Request, user: Viewer) -> Response:
    """What is no list of its own."""
    addresses = {"/schedules": "/groups", "/openapi.json": "/api/openapi.json"}
    return _lead(addresses.get(request.url.path, "/modules"))


@router.get("/wizard/sql/columns")
@router.get("/wizard/table")
@router.get("/wizard/dest")
@router.get("/wizard/preview")
@router.get("/wizard/create")
def show_wizard(request: Request, user: Viewer) -> Response:
    """What stands in the address bar after a form was sent: the wizard's first page has its draft."""
    return _lead("/wizard/sql" if request.url.path == "/wizard/sql/columns" else "/wizard")


def _lead(address: str) -> Response:
    return RedirectResponse(address, 303)

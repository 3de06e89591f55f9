# A module's versions: which there are, how one differs from the one before, and bringing one back. Knows no run.
"""`/modules/{id}/versions`, `/modules/{id}/versions/{number}`, `POST .../restore`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.definitions.restoring import restore, write_restored
from pipekit.definitions.versions import compare_texts, write_definition
from pipekit.errors import PipekitError
from pipekit.http.state import ContextDep, Db
from pipekit.repo import versions as rows
from pipekit.web.kit.answers import go, say_error
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Viewer

router = APIRouter(include_in_schema=False)

PAGE_ROWS = 50
LARGEST = 10**9


@router.get("/modules/{module_id:int}/versions")
def show_versions(request: Request, db: Db, user: Viewer, module_id: int, before: int = LARGEST) -> Response:
    """Who changed the module when, the newest first."""
    module = repo.get_module(db, module_id)
    found = rows.list_versions(db, module_id, limit=PAGE_ROWS + 1, before=min(before, LARGEST))
    more = found[PAGE_ROWS - 1].number if len(found) > PAGE_ROWS else None
    return render(
        request, "versions.html", module=module, versions=found[:PAGE_ROWS], more=more, is_first=before >= LARGEST
    )


@router.get("/modules/{module_id:int}/versions/{number:int}")
def show_version(request: Request, db: Db, user: Viewer, module_id: int, number: int) -> Response:
    """A version beside the one before it, and what bringing it back would change."""
    return _show(request, db, module_id, number)


@router.post("/modules/{module_id:int}/versions/{number:int}/restore")
def bring_back(request: Request, db: Db, context: ContextDep, user: Admin, module_id: int, number: int) -> Response:
    """The module says again what it said then; that is a new version."""
    try:
        restore(db, module_id, number, user=user.name)
    except PipekitError as error:
        shown = say_error(context, error)
        return _show(request, db, module_id, number, problem=f"{shown['message']} {shown['hint']}".strip())
    return go(request, f"/modules/{module_id}/versions")


def _show(request: Request, db: repo.State, module_id: int, number: int, *, problem: str = "") -> Response:
    module, version = repo.get_module(db, module_id), rows.get_version(db, module_id, number)
    earlier = next(iter(rows.list_versions(db, module_id, limit=1, before=number)), None)
    old = rows.get_version(db, module_id, earlier.number).definition if earlier else None
    now = write_definition(db, module_id)
    return render(
        request,
        "version.html",
        409 if problem else 200,
        module=module,
        version=version,
        earlier=earlier,
        lines=compare_texts(old or "", version.definition or "") if old is not None else [],
        restoring=compare_texts(now, write_restored(db, module_id, number)),
        problem=problem,
    )

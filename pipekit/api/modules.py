# Modules over HTTP, and starting their runs. Knows models and the editor, not how a module runs.
"""`/api/modules`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, Ref, get_given
from pipekit.api.models import ModuleAnswer, ModuleChange, ModuleNew, get_module_values
from pipekit.api.refs import ModuleRef
from pipekit.api.run_models import ColumnChange, RunQueued, RunStart
from pipekit.definitions import edit
from pipekit.engine.altering.asking import ask_alteration, build_alteration
from pipekit.engine.starting.requests import ask_run
from pipekit.http.auth import ApiAdmin, ApiOperator, ApiViewer
from pipekit.http.state import ContextDep, Db

router = APIRouter(prefix="/api/modules", tags=["modules"], **ROUTER)


@router.get("")
def list_modules(user: ApiViewer, db: Db) -> list[ModuleAnswer]:
    """Every module by name."""
    return [ModuleAnswer.of(item) for item in repo.list_modules(db)]


@router.post("", status_code=201)
def create_module(user: ApiAdmin, db: Db, body: ModuleNew) -> ModuleAnswer:
    """Make a module."""
    return ModuleAnswer.of(edit.create(db, edit.MODULE, user.name, **get_module_values(body.model_dump())))


@router.get("/{ref}")
def get_module(user: ApiViewer, module: ModuleRef) -> ModuleAnswer:
    """One module."""
    return ModuleAnswer.of(module)


@router.put("/{ref}")
@router.patch("/{ref}")
def update_module(user: ApiAdmin, db: Db, module: ModuleRef, body: ModuleChange) -> ModuleAnswer:
    """Change some fields; a run under way keeps what it read."""
    values = get_module_values(get_given(body))
    return ModuleAnswer.of(edit.update(db, edit.MODULE, user.name, module.id, **values))


@router.delete("/{ref}", status_code=204)
def delete_module(user: ApiAdmin, db: Db, module: ModuleRef) -> None:
    """Delete a module that is in no group, with its watermarks and hooks; its runs and its dest table stay."""
    edit.delete(db, edit.MODULE, user.name, module.id)


@router.post("/{ref}/columns/{column}", status_code=202)
def change_column(
    user: ApiAdmin, db: Db, context: ContextDep, module: ModuleRef, column: Ref, body: ColumnChange
) -> RunQueued:
    """Rename, retype or drop a column of the dest, by its stable id or its name there: a run does it. Busy is 409."""
    alteration = build_alteration(db, module, body.what, column, body.to, user.name)
    run = ask_alteration(db, module, alteration, triggered_by=f"api:{user.name}", dry_run=body.preview)
    context.wake()
    return RunQueued(run_id=run.id)


@router.post("/{ref}/run", status_code=202)
def run_module(
    user: ApiOperator, db: Db, context: ContextDep, module: ModuleRef, body: RunStart | None = None
) -> RunQueued:
    """Ask for a run, which starts in the background; a disabled module may be run by hand. Busy is 409."""
    body = body or RunStart()
    run = ask_run(
        db,
        module,
        user=user.name,
        triggered_by=f"api:{user.name}",
        dry_run=body.dry_run,
        preview=body.preview,
        merges=body.merge_preview,
        verify=body.verify,
        overrides=body.watermarks,
        literals_only=not user.may("admin"),
    )
    context.wake()
    return RunQueued(run_id=run.id)

# Hooks over HTTP. Knows models and the editor, no running.
"""`/api/hooks`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, PathId, get_given
from pipekit.api.models import HookAnswer, HookChange, HookNew
from pipekit.api.refs import OfModule
from pipekit.definitions import edit
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import Db

router = APIRouter(prefix="/api/hooks", tags=["hooks"], **ROUTER)


@router.get("")
def list_hooks(user: ApiViewer, db: Db, module_id: OfModule) -> list[HookAnswer]:
    """Hooks, perhaps of one module, in the order they run."""
    return [HookAnswer.of(item) for item in repo.list_hooks(db, module_id)]


@router.post("", status_code=201)
def create_hook(user: ApiAdmin, db: Db, body: HookNew) -> HookAnswer:
    """Give a module a hook."""
    return HookAnswer.of(edit.create(db, edit.HOOK, user.name, **body.model_dump()))


@router.get("/{id}")
def get_hook(user: ApiViewer, db: Db, id: PathId) -> HookAnswer:
    """One hook."""
    return HookAnswer.of(repo.get_hook(db, id))


@router.put("/{id}")
@router.patch("/{id}")
def update_hook(user: ApiAdmin, db: Db, id: PathId, body: HookChange) -> HookAnswer:
    """Change some fields."""
    return HookAnswer.of(edit.update(db, edit.HOOK, user.name, id, **get_given(body)))


@router.delete("/{id}", status_code=204)
def delete_hook(user: ApiAdmin, db: Db, id: PathId) -> None:
    """Delete a hook."""
    edit.delete(db, edit.HOOK, user.name, id)

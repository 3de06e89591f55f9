# Watermarks over HTTP. Knows models and the editor, no resolving.
"""`/api/watermarks`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, PathId, get_given
from pipekit.api.models import WatermarkAnswer, WatermarkChange, WatermarkNew
from pipekit.api.refs import OfModule
from pipekit.definitions import edit
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import Db

router = APIRouter(prefix="/api/watermarks", tags=["watermarks"], **ROUTER)


@router.get("")
def list_watermarks(user: ApiViewer, db: Db, module_id: OfModule) -> list[WatermarkAnswer]:
    """Watermarks, perhaps of one module, in the order they were made."""
    return [WatermarkAnswer.of(item) for item in repo.list_watermarks(db, module_id)]


@router.post("", status_code=201)
def create_watermark(user: ApiAdmin, db: Db, body: WatermarkNew) -> WatermarkAnswer:
    """Give a module a watermark."""
    return WatermarkAnswer.of(edit.create(db, edit.WATERMARK, user.name, **body.model_dump()))


@router.get("/{id}")
def get_watermark(user: ApiViewer, db: Db, id: PathId) -> WatermarkAnswer:
    """One watermark."""
    return WatermarkAnswer.of(repo.get_watermark(db, id))


@router.put("/{id}")
@router.patch("/{id}")
def update_watermark(user: ApiAdmin, db: Db, id: PathId, body: WatermarkChange) -> WatermarkAnswer:
    """Change some fields."""
    return WatermarkAnswer.of(edit.update(db, edit.WATERMARK, user.name, id, **get_given(body)))


@router.delete("/{id}", status_code=204)
def delete_watermark(user: ApiAdmin, db: Db, id: PathId) -> None:
    """Delete a watermark."""
    edit.delete(db, edit.WATERMARK, user.name, id)

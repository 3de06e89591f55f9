# The audit trail over HTTP. Knows models.
"""`/api/audit`."""

from typing import Annotated

from fastapi import APIRouter, Query

from pipekit import repo
from pipekit.api.bodies import ROUTER, BeforeId, Limit
from pipekit.api.run_models import AuditAnswer
from pipekit.http.auth import ApiViewer
from pipekit.http.state import Db

router = APIRouter(prefix="/api/audit", tags=["audit"], **ROUTER)

_Kind = Annotated[str | None, Query(max_length=50, description="Only this kind of thing: module, connection ...")]
_Name = Annotated[str | None, Query(max_length=500, description="Only the thing of this name.")]
_By = Annotated[str | None, Query(max_length=200, description="Only what this user did.")]


@router.get("")
def list_audit(
    user: ApiViewer,
    db: Db,
    kind: _Kind = None,
    name: _Name = None,
    by: _By = None,
    limit: Limit = 100,
    before_id: BeforeId = None,
) -> list[AuditAnswer]:
    """Who did what, the newest first. The next page: `before_id` = the `id` of the last entry."""
    found = repo.list_audit(db, kind=kind, name=name, user=by, limit=limit, before_id=before_id)
    return [AuditAnswer.of(entry) for entry in found]

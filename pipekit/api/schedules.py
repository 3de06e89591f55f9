# Schedules over HTTP. Knows models and the editor, not when one fires.
"""`/api/schedules`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, Limit, PathId, get_given
from pipekit.api.models import FireAnswer, ScheduleAnswer, ScheduleChange, ScheduleNew
from pipekit.api.refs import OfGroup
from pipekit.definitions import edit
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import Db

router = APIRouter(prefix="/api/schedules", tags=["schedules"], **ROUTER)


@router.get("")
def list_schedules(user: ApiViewer, db: Db, group_id: OfGroup) -> list[ScheduleAnswer]:
    """Schedules, perhaps of one group, in the order they were made."""
    return [ScheduleAnswer.of(item) for item in repo.list_schedules(db, group_id)]


@router.post("", status_code=201)
def create_schedule(user: ApiAdmin, db: Db, body: ScheduleNew) -> ScheduleAnswer:
    """Give a group a schedule."""
    return ScheduleAnswer.of(edit.create(db, edit.SCHEDULE, user.name, **body.model_dump()))


@router.get("/{id}")
def get_schedule(user: ApiViewer, db: Db, id: PathId) -> ScheduleAnswer:
    """One schedule."""
    return ScheduleAnswer.of(repo.get_schedule(db, id))


@router.put("/{id}")
@router.patch("/{id}")
def update_schedule(user: ApiAdmin, db: Db, id: PathId, body: ScheduleChange) -> ScheduleAnswer:
    """Change some fields; with another expression, or enabled anew, it begins now."""
    return ScheduleAnswer.of(edit.update(db, edit.SCHEDULE, user.name, id, **get_given(body)))


@router.delete("/{id}", status_code=204)
def delete_schedule(user: ApiAdmin, db: Db, id: PathId) -> None:
    """Delete a schedule with the record of its fires."""
    edit.delete(db, edit.SCHEDULE, user.name, id)


@router.get("/{id}/fires")
def list_fires(user: ApiViewer, db: Db, id: PathId, limit: Limit = 50) -> list[FireAnswer]:
    """What came of a schedule's due times, the latest first."""
    repo.get_schedule(db, id)
    return [FireAnswer.of(fire) for fire in repo.list_fires(db, id, limit)]

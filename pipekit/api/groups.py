# Groups over HTTP: defining, running, pausing. Knows models and the editor, not the order of members.
"""`/api/groups`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, get_given
from pipekit.api.models import GroupAnswer, GroupChange, GroupNew
from pipekit.api.refs import GroupRef
from pipekit.api.run_models import GroupRunQueued, GroupRunStart
from pipekit.definitions import edit
from pipekit.engine.starting.requests import ask_group_pause, ask_group_run
from pipekit.http.auth import ApiAdmin, ApiOperator, ApiViewer
from pipekit.http.state import ContextDep, Db

router = APIRouter(prefix="/api/groups", tags=["groups"], **ROUTER)


@router.get("")
def list_groups(user: ApiViewer, db: Db) -> list[GroupAnswer]:
    """Every group by name."""
    return [GroupAnswer.of(item) for item in repo.list_groups(db)]


@router.post("", status_code=201)
def create_group(user: ApiAdmin, db: Db, body: GroupNew) -> GroupAnswer:
    """Make a group without members."""
    return GroupAnswer.of(edit.create(db, edit.GROUP, user.name, **body.model_dump()))


@router.get("/{ref}")
def get_group(user: ApiViewer, group: GroupRef) -> GroupAnswer:
    """One group."""
    return GroupAnswer.of(group)


@router.put("/{ref}")
@router.patch("/{ref}")
def update_group(user: ApiAdmin, db: Db, group: GroupRef, body: GroupChange) -> GroupAnswer:
    """Change some fields; a group run under way keeps its `parallel`."""
    return GroupAnswer.of(edit.update(db, edit.GROUP, user.name, group.id, **get_given(body)))


@router.delete("/{ref}", status_code=204)
def delete_group(user: ApiAdmin, db: Db, group: GroupRef) -> None:
    """Delete a group that is not running, with its places and schedules; modules and runs stay."""
    edit.delete(db, edit.GROUP, user.name, group.id)


@router.post("/{ref}/run", status_code=202)
def run_group(
    user: ApiOperator, db: Db, context: ContextDep, group: GroupRef, body: GroupRunStart | None = None
) -> GroupRunQueued:
    """Ask for a run of every enabled member, which go on in the background. Busy or paused is 409."""
    group_run = ask_group_run(db, group, user=user.name, dry_run=bool(body and body.dry_run))
    context.wake()
    return GroupRunQueued(group_run_id=group_run.id)


@router.post("/{ref}/pause")
def pause_group(user: ApiOperator, db: Db, group: GroupRef) -> GroupAnswer:
    """Hold back everything the group would start; what runs goes on."""
    return GroupAnswer.of(ask_group_pause(db, group, True, user=user.name))


@router.post("/{ref}/resume")
def resume_group(user: ApiOperator, db: Db, context: ContextDep, group: GroupRef) -> GroupAnswer:
    """Let the group go on."""
    changed = ask_group_pause(db, group, False, user=user.name)
    context.wake()
    return GroupAnswer.of(changed)

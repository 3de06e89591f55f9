# Members over HTTP. Knows models and the editor, no running.
"""`/api/members`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, PathId, get_given
from pipekit.api.models import MemberAnswer, MemberChange, MemberNew
from pipekit.api.refs import OfGroup
from pipekit.definitions import edit
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import Db

router = APIRouter(prefix="/api/members", tags=["members"], **ROUTER)


@router.get("")
def list_members(user: ApiViewer, db: Db, group_id: OfGroup) -> list[MemberAnswer]:
    """Places of modules in groups, perhaps of one group, in the order they run."""
    return [MemberAnswer.of(item) for item in repo.list_members(db, group_id)]


@router.post("", status_code=201)
def create_member(user: ApiAdmin, db: Db, body: MemberNew) -> MemberAnswer:
    """Give a module a place in a group."""
    return MemberAnswer.of(edit.create(db, edit.MEMBER, user.name, **body.model_dump()))


@router.get("/{id}")
def get_member(user: ApiViewer, db: Db, id: PathId) -> MemberAnswer:
    """One member."""
    return MemberAnswer.of(repo.get_member(db, id))


@router.put("/{id}")
@router.patch("/{id}")
def update_member(user: ApiAdmin, db: Db, id: PathId, body: MemberChange) -> MemberAnswer:
    """Move a member to another place."""
    return MemberAnswer.of(edit.update(db, edit.MEMBER, user.name, id, **get_given(body)))


@router.delete("/{id}", status_code=204)
def delete_member(user: ApiAdmin, db: Db, id: PathId) -> None:
    """Take a module out of a group."""
    edit.delete(db, edit.MEMBER, user.name, id)

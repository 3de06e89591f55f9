# Users over HTTP, for admins. Knows models and hashing, shows no hash.
"""`/api/users`."""

from typing import Any

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, PathId, get_given
from pipekit.api.models import UserAnswer, UserChange, UserNew
from pipekit.errors import Conflict
from pipekit.http.auth import ApiAdmin
from pipekit.http.state import Db
from pipekit.models.people import User
from pipekit.passwords import hash_password

router = APIRouter(prefix="/api/users", tags=["users"], **ROUTER)


@router.get("")
def list_users(user: ApiAdmin, db: Db) -> list[UserAnswer]:
    """Every user by name."""
    return [UserAnswer.of(item) for item in repo.list_users(db)]


@router.post("", status_code=201)
def create_user(user: ApiAdmin, db: Db, body: UserNew) -> UserAnswer:
    """Make a user."""
    password_hash = hash_password(body.password, name=body.name)
    with repo.transaction(db):
        made = repo.create_user(db, name=body.name, password_hash=password_hash, role=body.role)
        detail = {"role": [None, made.role]}
        repo.note_audit(db, user=user.name, action="create", kind="user", name=made.name, detail=detail)
    return UserAnswer.of(made)


@router.get("/{id}")
def get_user(user: ApiAdmin, db: Db, id: PathId) -> UserAnswer:
    """One user."""
    return UserAnswer.of(repo.get_user(db, id))


@router.put("/{id}")
@router.patch("/{id}")
def update_user(user: ApiAdmin, db: Db, id: PathId, body: UserChange) -> UserAnswer:
    """Change another user's password, role, or whether the login works."""
    given = get_given(body)
    _refuse_self(user, id)
    values = {name: value for name, value in given.items() if name != "password"}
    if "password" in given:
        values["password_hash"] = hash_password(given["password"], name=repo.get_user(db, id).name)
    with repo.transaction(db):
        before = repo.get_user(db, id)
        new_password = repo.describe_new_password(db, id) if "password" in given else {}
        changed = repo.update_user(db, id, **values)
        detail = _describe_change(before, changed) | new_password
        if detail:
            repo.note_audit(db, user=user.name, action="change", kind="user", name=before.name, detail=detail)
    return UserAnswer.of(changed)


@router.delete("/{id}", status_code=204)
def delete_user(user: ApiAdmin, db: Db, id: PathId) -> None:
    """Delete another user with sessions and tokens; one enabled admin stays."""
    _refuse_self(user, id)
    with repo.transaction(db):
        gone = repo.get_user(db, id)
        repo.delete_user(db, id)
        detail = {"role": [gone.role, None]}
        repo.note_audit(db, user=user.name, action="delete", kind="user", name=gone.name, detail=detail)


def _refuse_self(user: User, user_id: int) -> None:
    """Nobody locks himself out by mistake, and a stolen token does not change its owner's password."""
    if user.id == user_id:
        raise Conflict("Your own user is changed by another admin.", hint="Or with `pipekit set-password`.")


def _describe_change(before: User, after: User) -> dict[str, Any]:
    names = ("role", "enabled")
    return {
        name: [getattr(before, name), getattr(after, name)]
        for name in names
        if getattr(before, name) != getattr(after, name)
    }

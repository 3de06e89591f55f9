# A user's own bearer tokens over HTTP. Knows models; a value is shown once.
"""`/api/tokens`."""

from fastapi import APIRouter, Request

from pipekit import repo
from pipekit.api.bodies import ROUTER, PathId
from pipekit.api.models import TokenAnswer, TokenMade, TokenNew
from pipekit.errors import Invalid, NotFound
from pipekit.http.auth import ApiViewer, get_bearer
from pipekit.http.state import Db
from pipekit.models.people import Token, User

router = APIRouter(prefix="/api/tokens", tags=["tokens"], **ROUTER)


@router.get("")
def list_tokens(user: ApiViewer, db: Db) -> list[TokenAnswer]:
    """Your tokens, the newest first, without their values."""
    return [TokenAnswer.of(item) for item in repo.list_tokens(db, user.id)]


@router.post("", status_code=201)
def create_token(request: Request, user: ApiViewer, db: Db, body: TokenNew) -> TokenMade:
    """Make a token that may what you may, or less. Its value is in this answer only."""
    role = body.role or user.role
    if not user.may(role):
        raise Invalid(f"You are {user.role} here; a token may no more.", field="role")
    # One that a token makes ends with it at the latest.
    until = repo.find_token_end(db, get_bearer(request))
    with repo.transaction(db):
        value = repo.create_token(db, user.id, body.name, role=role, days=body.days, until=until)
        made = repo.list_tokens(db, user.id)[0]
        detail = {"role": [None, made.role]}
        repo.note_audit(db, user=user.name, action="create", kind="token", name=made.name, detail=detail)
    return TokenMade(**dict(TokenAnswer.of(made)), token=value)


@router.get("/{id}")
def get_token(user: ApiViewer, db: Db, id: PathId) -> TokenAnswer:
    """One of your tokens, without its value."""
    return TokenAnswer.of(_get(db, user, id))


@router.delete("/{id}", status_code=204)
def delete_token(user: ApiViewer, db: Db, id: PathId) -> None:
    """Revoke one of your tokens."""
    with repo.transaction(db):
        token = _get(db, user, id)
        repo.delete_token(db, user.id, token.id)
        repo.note_audit(db, user=user.name, action="delete", kind="token", name=token.name)


def _get(db: repo.State, user: User, token_id: int) -> Token:
    found = next((token for token in repo.list_tokens(db, user.id) if token.id == token_id), None)
    if found is None:
        raise NotFound(f"You have no token with id {token_id}.")
    return found

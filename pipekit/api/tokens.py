# A user's own bearer tokens over HTTP. Knows models; a value is shown once.
"""`/api/tokens`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, PathId
from pipekit.api.models import TokenAnswer, TokenMade, TokenNew
from pipekit.errors import NotFound
from pipekit.http.auth import ApiViewer
from pipekit.http.state import Db
from pipekit.models.people import Token, User

router = APIRouter(prefix="/api/tokens", tags=["tokens"], **ROUTER)


@router.get("")
def list_tokens(user: ApiViewer, db: Db) -> list[TokenAnswer]:
    """Your tokens, the newest first, without their values."""
    return [TokenAnswer.of(item) for item in repo.list_tokens(db, user.id)]


@router.post("", status_code=201)
def create_token(user: ApiViewer, db: Db, body: TokenNew) -> TokenMade:
    """Make a token that may what you may. Its value is in this answer only."""
    with repo.transaction(db):
        value = repo.create_token(db, user.id, body.name)
        made = repo.list_tokens(db, user.id)[0]
        repo.note_audit(db, user=user.name, action="create", kind="token", name=made.name)
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

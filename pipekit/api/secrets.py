# Secrets over HTTP: their names, setting and deleting. No value ever goes out.
"""`/api/secrets`."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from pipekit import repo
from pipekit.api.bodies import ROUTER, Answer, Body, Text
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import ContextDep, Db

router = APIRouter(prefix="/api/secrets", tags=["secrets"], **ROUTER)

_Name = Annotated[str, Path(max_length=200, description="The secret's name, without $.")]


class SecretValue(Body):
    """What a secret is to be."""

    value: Text = Field(min_length=1, description="It goes into the secrets file and is in no answer.")


class SecretAnswer(Answer):
    """A secret, by its name alone."""

    name: str
    used_by: list[str] = Field(description="The connections that refer to it.")


@router.get("")
def list_secrets(user: ApiViewer, db: Db, context: ContextDep) -> list[SecretAnswer]:
    """The names in the secrets file and what refers to them."""
    return [_describe(db, name) for name in context.secrets.names()]


@router.put("/{name}")
def set_secret(user: ApiAdmin, db: Db, context: ContextDep, name: _Name, body: SecretValue) -> SecretAnswer:
    """Keep a value under a name, in place of the one there was."""
    context.secrets.set(name, body.value)
    repo.note_audit(db, user=user.name, action="change", kind="secret", name=name)
    return _describe(db, name)


@router.delete("/{name}", status_code=204)
def delete_secret(user: ApiAdmin, db: Db, context: ContextDep, name: _Name) -> None:
    """Take a secret out of the file; connections that refer to it then cannot log in."""
    context.secrets.delete(name)
    repo.note_audit(db, user=user.name, action="delete", kind="secret", name=name)


def _describe(db: repo.State, name: str) -> SecretAnswer:
    used_by = [item.name for item in repo.list_connections(db) if item.password == f"${name}"]
    return SecretAnswer(name=name, used_by=used_by)

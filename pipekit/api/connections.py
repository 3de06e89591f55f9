# Connections over HTTP. Knows models and the editor, no driver.
"""`/api/connections`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, get_given
from pipekit.api.models import ConnectionAnswer, ConnectionChange, ConnectionNew
from pipekit.api.refs import ConnectionRef
from pipekit.definitions import edit
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import Db

router = APIRouter(prefix="/api/connections", tags=["connections"], **ROUTER)


@router.get("")
def list_connections(user: ApiViewer, db: Db) -> list[ConnectionAnswer]:
    """Every connection by name."""
    return [ConnectionAnswer.of(item) for item in repo.list_connections(db)]


@router.post("", status_code=201)
def create_connection(user: ApiAdmin, db: Db, body: ConnectionNew) -> ConnectionAnswer:
    """Make a connection. The password is a reference $NAME to a secret."""
    return ConnectionAnswer.of(edit.create(db, edit.CONNECTION, user.name, **body.model_dump()))


@router.get("/{ref}")
def get_connection(user: ApiViewer, connection: ConnectionRef) -> ConnectionAnswer:
    """One connection."""
    return ConnectionAnswer.of(connection)


@router.put("/{ref}")
@router.patch("/{ref}")
def update_connection(user: ApiAdmin, db: Db, connection: ConnectionRef, body: ConnectionChange) -> ConnectionAnswer:
    """Change some fields; a run under way keeps what it read."""
    return ConnectionAnswer.of(edit.update(db, edit.CONNECTION, user.name, connection.id, **get_given(body)))


@router.delete("/{ref}", status_code=204)
def delete_connection(user: ApiAdmin, db: Db, connection: ConnectionRef) -> None:
    """Delete a connection that nothing uses."""
    edit.delete(db, edit.CONNECTION, user.name, connection.id)

# Connections in a browser: list, page, test, deleting. Knows no form, and no module beyond who uses what.
"""`/connections` and `/connections/{id}`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.definitions import edit
from pipekit.drivers import get_driver
from pipekit.engine.jars import list_kinds
from pipekit.errors import Conflict
from pipekit.http.errors import note_reason
from pipekit.http.state import ContextDep, Db
from pipekit.models import Connection
from pipekit.repo import connection_seen
from pipekit.repo.connection_seen import Seen
from pipekit.web.connections.trial import Outcome, try_connection
from pipekit.web.kit.answers import go
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Operator, Viewer

router = APIRouter(include_in_schema=False)


@router.get("/connections")
def show_list(request: Request, db: Db, user: Viewer) -> Response:
    """Every connection, when it last worked, what it is, and how many modules use it."""
    values: dict[str, Any] = {
        "uses": repo.count_connection_uses(db),
        "seen": connection_seen.list_seen(db),
        "labels": _labels(db),
    }
    return render(request, "connections.html", connections=repo.list_connections(db), unseen=Seen(), **values)


@router.get("/connections/{connection_id}")
def show(request: Request, db: Db, user: Viewer, connection_id: int) -> Response:
    """A connection, who uses it, and the button that tests it."""
    return _show(request, db, repo.get_connection(db, connection_id))


@router.get("/connections/{connection_id}/delete")
def show_delete(request: Request, db: Db, user: Admin, connection_id: int) -> Response:
    """Names what goes, or which modules stand in the way."""
    return _confirm_delete(request, db, repo.get_connection(db, connection_id))


@router.post("/connections/{connection_id}/delete")
def delete(request: Request, db: Db, user: Admin, connection_id: int) -> Response:
    """Deletes a connection that nothing uses."""
    connection = repo.get_connection(db, connection_id)
    try:
        edit.delete(db, edit.CONNECTION, user.name, connection_id)
    except Conflict as error:
        return _confirm_delete(request, db, connection, f"{error.message} {error.hint}".strip(), status=409)
    return go(request, "/connections")


@router.post("/connections/{connection_id}/test")
def test(request: Request, db: Db, context: ContextDep, user: Operator, connection_id: int) -> Response:
    """Connects, logs in and looks: a fragment for HTMX, the page with the same in it otherwise."""
    connection = repo.get_connection(db, connection_id)
    outcome = try_connection(context, connection)
    if outcome.ok:
        connection_seen.note_worked(db, connection_id, outcome.product)
    else:
        connection_seen.note_failed(db, connection_id, outcome.told)
    note_reason(request.scope, outcome.told)
    if "hx-request" in request.headers:
        return render(request, "_connection_test.html", tested=outcome)
    return _show(request, db, connection, outcome)


def _show(request: Request, db: repo.State, connection: Connection, tested: Outcome | None = None) -> Response:
    values: dict[str, Any] = {"uses": repo.list_connection_uses(db, connection.id), "tested": tested}
    values |= {"label": _labels(db).get(connection.driver, connection.driver)}
    values |= {"seen": connection_seen.list_seen(db).get(connection.id), "is_new": "new" in request.query_params}
    return render(request, "connection.html", connection=connection, **values)


def _labels(db: repo.State) -> dict[str, str]:
    return {kind: get_driver(kind).label for kind in list_kinds(db)}


def _confirm_delete(
    request: Request, db: repo.State, connection: Connection, problem: str = "", *, status: int = 200
) -> Response:
    uses = [use.module for use in repo.list_connection_uses(db, connection.id)]
    refusal = f"It is used by {', '.join(uses)}: point these modules elsewhere or delete them first." if uses else ""
    stays = ["the database it leads to, with everything in it"]
    if connection.password:
        stays.append(f"the secret {connection.password[1:]}")
    return confirm(
        request,
        crumbs=[("/connections", "Connections"), (f"/connections/{connection.id}", connection.name)],
        title=f"Delete the connection {connection.name}",
        goes=[f"the connection {connection.name}: its address and its user name"],
        stays=stays,
        button=f"Delete {connection.name}",
        back=f"/connections/{connection.id}",
        problem=problem,
        refusal=refusal,
        status=status,
    )

# Kinds of databases over HTTP. Knows the list of drivers and their jars, no database.
"""`/api/drivers`. A jar comes from the configured folder alone: nobody loads another one through this."""

from typing import Annotated

from fastapi import APIRouter, Path

from pipekit import repo
from pipekit.api.bodies import ROUTER
from pipekit.api.run_models import DriverAnswer, DriverChange, DriverNew
from pipekit.config import Config
from pipekit.drivers import get_driver
from pipekit.engine.jars import DriverState, list_driver_states, register, unregister
from pipekit.errors import Invalid, NotFound
from pipekit.http.auth import ApiAdmin, ApiViewer
from pipekit.http.state import ContextDep, Db
from pipekit.models.people import User

router = APIRouter(prefix="/api/drivers", tags=["drivers"], **ROUTER)

_Kind = Annotated[str, Path(max_length=200, description="The name of the kind.")]


@router.get("")
def list_drivers(user: ApiViewer, db: Db, context: ContextDep) -> list[DriverAnswer]:
    """Every kind of database there is a driver for, built in or registered."""
    return [_describe(state) for state in list_driver_states(db, context.config)]


@router.post("", status_code=201)
def create_driver(user: ApiAdmin, db: Db, context: ContextDep, body: DriverNew) -> DriverAnswer:
    """Register a kind that is reached over JDBC; one that is registered already gets what is given."""
    return _register(db, context.config, user, body.kind, body)


@router.get("/{kind}")
def get_driver_of(user: ApiViewer, db: Db, context: ContextDep, kind: _Kind) -> DriverAnswer:
    """One kind of database."""
    return _find(db, context.config, kind)


@router.put("/{kind}")
def update_driver(user: ApiAdmin, db: Db, context: ContextDep, kind: _Kind, body: DriverChange) -> DriverAnswer:
    """Register a kind that is reached over JDBC, with another jar say; its SHA-256 is taken anew."""
    return _register(db, context.config, user, kind, body)


@router.delete("/{kind}", status_code=204)
def delete_driver(user: ApiAdmin, db: Db, kind: _Kind) -> None:
    """Forget which jar a kind is reached with, unless a connection uses it; the file stays."""
    unregister(db, kind=kind, user=user.name)


def _register(db: repo.State, config: Config, user: User, kind: str, body: DriverChange) -> DriverAnswer:
    given = {"jar": body.jar, "java_class": body.java_class, "url_template": body.url_template, "folder": body.folder}
    try:
        register(db, config, kind=kind, user=user.name, **given)
    except Invalid as error:
        field = "java_class" if error.field == "class" else error.field
        raise Invalid(error.message, field=field, hint=error.hint) from error
    return _find(db, config, kind)


def _find(db: repo.State, config: Config, kind: str) -> DriverAnswer:
    states = {state.kind: state for state in list_driver_states(db, config)}
    if kind not in states:
        raise NotFound(f"There is no driver {kind!r}.", hint=f"Kinds: {', '.join(states)}.")
    return _describe(states[kind])


def _describe(state: DriverState) -> DriverAnswer:
    return DriverAnswer(
        kind=state.kind,
        label=state.label,
        url_example=state.url_template,
        fields=list(get_driver(state.kind).browse_fields()),
        state=state.state,
        jar=state.jar or None,
        java_class=state.java_class or None,
        jar_sha256=state.jar_sha256 or None,
        folder=state.folder or None,
        problem=state.problem or None,
    )

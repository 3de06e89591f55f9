# Kinds of databases over HTTP. Knows the list of drivers and their jars, no database.
"""`/api/drivers`. Registering one is for who can copy a jar to this machine: see `pipekit drivers add`."""

from typing import Annotated

from fastapi import APIRouter, Path

from pipekit.api.bodies import ROUTER
from pipekit.api.run_models import DriverAnswer
from pipekit.drivers import get_driver
from pipekit.engine.registration import DriverState, list_driver_states
from pipekit.errors import NotFound
from pipekit.http.auth import ApiViewer
from pipekit.http.state import ContextDep, Db

router = APIRouter(prefix="/api/drivers", tags=["drivers"], **ROUTER)


@router.get("")
def list_drivers(user: ApiViewer, db: Db, context: ContextDep) -> list[DriverAnswer]:
    """Every kind of database there is a driver for, built in or registered."""
    return [_describe(state) for state in list_driver_states(db, context.config)]


@router.get("/{kind}")
def get_driver_of(
    user: ApiViewer, db: Db, context: ContextDep, kind: Annotated[str, Path(max_length=200)]
) -> DriverAnswer:
    """One kind of database."""
    states = {state.kind: state for state in list_driver_states(db, context.config)}
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
        problem=state.problem or None,
    )

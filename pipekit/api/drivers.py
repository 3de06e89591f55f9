# Kinds of databases over HTTP. Knows the list of drivers, no database.
"""`/api/drivers`."""

from typing import Annotated

from fastapi import APIRouter, Path

from pipekit.api.auth import ApiViewer
from pipekit.api.bodies import ROUTER
from pipekit.api.run_models import DriverAnswer
from pipekit.drivers import DRIVERS, get_driver
from pipekit.errors import NotFound

router = APIRouter(prefix="/api/drivers", tags=["drivers"], **ROUTER)


@router.get("")
def list_drivers(user: ApiViewer) -> list[DriverAnswer]:
    """Every kind of database there is a driver for."""
    return [_describe(kind) for kind in sorted(DRIVERS)]


@router.get("/{kind}")
def get_driver_of(user: ApiViewer, kind: Annotated[str, Path(max_length=200)]) -> DriverAnswer:
    """One kind of database."""
    if kind not in DRIVERS:
        raise NotFound(f"There is no driver {kind!r}.", hint=f"Kinds: {', '.join(sorted(DRIVERS))}.")
    return _describe(kind)


def _describe(kind: str) -> DriverAnswer:
    driver = get_driver(kind)
    fields = list(driver.browse_fields())
    return DriverAnswer(kind=kind, label=driver.label, url_example=driver.url_example, fields=fields)

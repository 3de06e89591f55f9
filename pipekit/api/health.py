# Whether the program works. Open to everybody, so it tells nothing else.
"""`GET /api/health`, the same at `/health`."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from pipekit import __version__
from pipekit.http.state import ContextDep

router = APIRouter(prefix="/api", tags=["health"])
# What watches servers often asks at the root, or for the head alone.
bare = APIRouter(include_in_schema=False)


class Health(BaseModel):
    """`ok` when the state database can be written to and, where schedules run here, their thread is alive."""

    status: Literal["ok", "failing"]
    version: str
    state_writable: bool
    scheduler_alive: bool | None


@bare.api_route("/health", methods=["GET", "HEAD"])
@bare.head("/api/health")
@router.get("/health", responses={503: {"model": Health, "description": "Something of it does not work."}})
def get_health(context: ContextDep, response: Response) -> Health:
    """Whether the state database is writable and the scheduler alive; 503 when not."""
    writable = context.trial.is_writable()
    alive = context.service.is_well() if context.service else None
    is_well = writable and alive is not False
    response.status_code = 200 if is_well else 503
    status: Literal["ok", "failing"] = "ok" if is_well else "failing"
    return Health(status=status, version=__version__, state_writable=writable, scheduler_alive=alive)

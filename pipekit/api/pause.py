# The pause switch over HTTP. Knows nothing of what is held back.
"""`/api/pause` and `/api/resume`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER
from pipekit.api.run_models import PauseAnswer
from pipekit.engine.starting.requests import ask_pause
from pipekit.http.auth import ApiOperator, ApiViewer
from pipekit.http.state import ContextDep, Db

router = APIRouter(prefix="/api", tags=["pause"], **ROUTER)


@router.get("/pause")
def get_pause(user: ApiViewer, db: Db) -> PauseAnswer:
    """Whether everything the server would start is held back."""
    return PauseAnswer(paused=repo.is_paused(db))


@router.post("/pause")
def pause(user: ApiOperator, db: Db) -> PauseAnswer:
    """Hold back everything the server would start; what runs goes on."""
    ask_pause(db, True, user=user.name)
    return PauseAnswer(paused=True)


@router.post("/resume")
def resume(user: ApiOperator, db: Db, context: ContextDep) -> PauseAnswer:
    """Let everything go on."""
    ask_pause(db, False, user=user.name)
    context.wake()
    return PauseAnswer(paused=False)

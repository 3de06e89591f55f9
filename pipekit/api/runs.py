# Runs and their logs over HTTP. Knows models, not how a module runs.
"""`/api/runs`."""

from itertools import accumulate
from typing import Annotated, Any

from fastapi import APIRouter, Query

from pipekit import repo
from pipekit.api.bodies import LARGEST_ID, ROUTER, BeforeId, Limit, PathId
from pipekit.api.run_models import CancelAnswer, LogAnswer, LogTime, PreviewFound, RunAnswer, RunQueued, RunSummary
from pipekit.engine.starting.requests import ask_cancel, ask_drop
from pipekit.engine.undoing.asking import ask_undo
from pipekit.http.auth import ApiOperator, ApiViewer
from pipekit.http.state import Db
from pipekit.models import RunStatus

router = APIRouter(prefix="/api/runs", tags=["runs"], **ROUTER)

_Module = Annotated[
    str | None, Query(min_length=1, max_length=200, description="Only runs of this module: its id, or its name then.")
]
_GroupRun = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only runs of this group run.")]
_Offset = Annotated[int, Query(ge=0, le=LARGEST_ID, description="Where to go on: 0, or the last `next_offset`.")]
_Chars = Annotated[int, Query(ge=1, le=1_000_000, description="About how many characters at most.")]


@router.get("")
def list_runs(
    user: ApiViewer,
    db: Db,
    module: _Module = None,
    status: RunStatus | None = None,
    group_run: _GroupRun = None,
    limit: Limit = 50,
    before_id: BeforeId = None,
) -> list[RunSummary]:
    """Runs, the newest first. The next page: `before_id` = the `run_id` of the last one."""
    which = int(module) if module and module.isascii() and module.isdigit() and len(module) <= 18 else module
    wanted: dict[str, Any] = {"module": which, "status": status, "group_run_id": group_run, "before_id": before_id}
    runs = repo.list_runs(db, **wanted, limit=limit, with_sql=False)
    return [RunSummary.of_listed(run) for run in runs]


@router.get("/{id}")
def get_run(user: ApiViewer, db: Db, id: PathId) -> RunAnswer:
    """One run with its SQL, checks and the runner's output."""
    return RunAnswer.of(repo.get_run(db, id))


@router.get("/{id}/log")
def get_log(user: ApiViewer, db: Db, id: PathId, offset: _Offset = 0, limit: _Chars = 65_536) -> LogAnswer:
    """A piece of the live log. Ask again with `next_offset` until `ended`."""
    # Whether it has ended is asked first: what was written before its end is then surely in the text.
    is_over = repo.get_run(db, id).finished_at is not None
    found, next_offset = repo.read_timed_log(db, id, offset, limit)
    ended = is_over and next_offset >= repo.get_live_log_end(db, id)
    places = accumulate((len(part.text) for part in found), initial=0)
    return LogAnswer(
        text="".join(part.text for part in found),
        times=[LogTime(place=place, at=part.at) for place, part in zip(places, found, strict=False) if part.at],
        next_offset=next_offset,
        ended=ended,
    )


@router.get("/{id}/preview")
def get_preview(user: ApiViewer, db: Db, id: PathId) -> PreviewFound:
    """What the merge of a preview would do; sample rows are for admins, who may look into databases."""
    told = repo.get_preview(db, id).to_json(samples=user.may("admin"))
    return PreviewFound.of({"run_id": id, "samples": None, **told})


@router.delete("/{id}/preview", status_code=204)
def drop_preview(user: ApiOperator, db: Db, id: PathId) -> None:
    """Have what a preview has staged removed."""
    ask_drop(db, repo.get_run(db, id), user=user.name)


@router.post("/{id}/cancel", status_code=202)
def cancel_run(user: ApiOperator, db: Db, id: PathId) -> CancelAnswer:
    """End a run that waits, ask one that runs to stop. A merge that was committed stays."""
    return CancelAnswer(cancelled=ask_cancel(db, repo.get_run(db, id), user=user.name))


@router.post("/{id}/undo", status_code=202)
def undo_run(user: ApiOperator, db: Db, id: PathId) -> RunQueued:
    """Take a run back: the server starts a run that brings the dest to what it held before, or says why not."""
    return RunQueued(run_id=ask_undo(db, repo.get_run(db, id), user=user.name).id)

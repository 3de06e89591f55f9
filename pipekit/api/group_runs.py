# Group runs over HTTP. Knows models, not how a group runs.
"""`/api/group-runs`."""

from fastapi import APIRouter

from pipekit import repo
from pipekit.api.bodies import ROUTER, BeforeId, Limit, PathId
from pipekit.api.refs import OfGroup
from pipekit.api.run_models import CancelAnswer, GroupRunAnswer, GroupRunQueued, GroupRunSummary, RunSummary
from pipekit.engine.starting.requests import ask_group_cancel, ask_group_rerun
from pipekit.http.auth import ApiOperator, ApiViewer
from pipekit.http.state import ContextDep, Db
from pipekit.models import GroupRunStatus

router = APIRouter(prefix="/api/group-runs", tags=["group runs"], **ROUTER)


@router.get("")
def list_group_runs(
    user: ApiViewer,
    db: Db,
    group_id: OfGroup,
    status: GroupRunStatus | None = None,
    limit: Limit = 50,
    before_id: BeforeId = None,
) -> list[GroupRunSummary]:
    """Group runs, the newest first. The next page: `before_id` = the `group_run_id` of the last one."""
    found = repo.list_group_runs(db, group_id=group_id, status=status, limit=limit, before_id=before_id)
    return [GroupRunSummary.of(item) for item in found]


@router.get("/{id}")
def get_group_run(user: ApiViewer, db: Db, id: PathId) -> GroupRunAnswer:
    """One group run with the runs of its members in their order."""
    summary = GroupRunSummary.of(repo.get_group_run(db, id))
    runs = [RunSummary.of_listed(run) for run in repo.list_group_members(db, id, with_sql=False)]
    return GroupRunAnswer.model_construct(**dict(summary), runs=runs)


@router.post("/{id}/rerun", status_code=202)
def rerun_group_run(user: ApiOperator, db: Db, context: ContextDep, id: PathId) -> GroupRunQueued:
    """Ask for the rest of it again, from the first member that did not succeed. Nothing failed, or busy, is 409."""
    again = ask_group_rerun(db, repo.get_group_run(db, id), user=user.name)
    context.wake()
    return GroupRunQueued(group_run_id=again.id)


@router.post("/{id}/cancel", status_code=202)
def cancel_group_run(user: ApiOperator, db: Db, id: PathId) -> CancelAnswer:
    """End what waits, ask what runs to stop."""
    return CancelAnswer(cancelled=ask_group_cancel(db, repo.get_group_run(db, id), user=user.name))

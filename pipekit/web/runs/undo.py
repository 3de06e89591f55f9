# Taking a run back from its page: what that would do, and asking for it. Knows the record, no dest.
"""`/runs/{id}/undo`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.engine.receipt import format_count
from pipekit.engine.undoing.asking import ask_undo, find_refusal
from pipekit.errors import Conflict
from pipekit.http.state import Db
from pipekit.models import Run
from pipekit.web.kit.answers import go
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.sessions import Operator

router = APIRouter(include_in_schema=False)


@router.get("/runs/{run_id:int}/undo")
def show_undo(request: Request, db: Db, user: Operator, run_id: int) -> Response:
    """Says what comes back and what does not."""
    run = repo.get_run(db, run_id)
    why = find_refusal(run)
    return _confirm(request, db, run, f"Run {run.id} cannot be taken back: {why}." if why else "", 409 if why else 200)


@router.post("/runs/{run_id:int}/undo")
def undo(request: Request, db: Db, user: Operator, run_id: int) -> Response:
    """Asks for the run that takes it back, and leads there."""
    run = repo.get_run(db, run_id)
    try:
        return go(request, f"/runs/{ask_undo(db, run, user=user.name).id}")
    except Conflict as error:
        return _confirm(request, db, run, f"{error.message} {error.hint}".strip(), 409)


def _confirm(request: Request, db: repo.State, run: Run, problem: str, status: int) -> Response:
    counts = {"inserted": run.rows_inserted, "changed": run.rows_updated, "deleted": run.rows_deleted}
    told = {"inserted": "that it inserted are deleted", "changed": "that it updated are as they were",
            "deleted": "that it deleted are inserted again"}  # fmt: skip
    does = [f"{format_count(count)} rows {told[what]}" for what, count in counts.items() if count]
    later = [str(item.id) for item in repo.list_later_merges(db, run)] if not problem else []
    stays = ["sequences, and what triggers did elsewhere"]
    if run.module_id and repo.list_hooks(db, run.module_id):
        stays.append("what the module's hooks have done")
    if later:
        stays.append(f"everything, where run {', '.join(later[:10])} has changed the same rows since")
    return confirm(
        request,
        crumbs=[("/runs", "Runs"), (f"/runs/{run.id}", f"{run.module} run {run.id}")],
        title=f"Take run {run.id} back",
        lead=f"In {run.dest_table}, in one transaction, and only if its rows are still as the run left them:",
        goes=does or ["nothing: the run has changed no row"],
        stays=stays,
        button=f"Take run {run.id} back",
        back=f"/runs/{run.id}",
        problem=problem,
        status=status,
    )

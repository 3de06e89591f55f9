# Whether a run may be taken back, as far as our own records say; asking for it. Knows the state database only.
"""`find_refusal`, for pages and commands; `ask_undo`; `read_undone`, for the run that does it."""

from pipekit import repo
from pipekit.engine.context import Undone
from pipekit.engine.definition import Definition
from pipekit.errors import Conflict
from pipekit.models import Module, Run

_KEEP = "`undo: {runs: 3}` on the module keeps it for the runs that come"


def find_refusal(run: Run) -> str:
    """Why a run cannot be taken back, as a clause that begins with a small letter; `""` where nothing says so here."""
    if run.status in ("queued", "running"):
        return "it has not ended"
    if run.undoes is not None:
        return "it has taken another run back; run the module again to load anew what that one had loaded"
    if run.undone_by is not None:
        return f"run {run.undone_by} has taken it back already"
    if run.merge_state == "unknown":
        return "it is not known whether it has merged"
    if run.merge_state == "none":
        return "it has changed nothing"
    if run.undo_rows is None:
        return f"nothing is kept of what it has changed; {_KEEP}"
    return "its module is gone" if run.module_id is None else ""


def check_undo(db: repo.State, run: Run) -> Module:
    """The module of a run that may be taken back; raises Conflict."""
    if why := find_refusal(run):
        raise Conflict(f"Run {run.id} cannot be taken back: {why}.")
    assert run.module_id is not None
    return repo.get_module(db, run.module_id)


def ask_undo(db: repo.State, run: Run, *, user: str) -> Run:
    """Puts a run that takes another one back into the server's queue. Raises Conflict, ModuleBusy."""
    with repo.transaction(db):
        module = check_undo(db, run)
        asked = repo.enqueue_run(db, module.id, triggered_by="undo", undoes=run.id)
        detail = {"run_id": asked.id, "undoes": run.id}
        repo.note_audit(db, user=user, action="undo", kind="run", name=run.module, detail=detail)
        return asked


def read_undone(db: repo.State, run: Run, definition: Definition) -> Undone | None:
    """What a run that takes another one back must know of it; None for one that does not."""
    if run.undoes is None:
        return None
    undone = repo.get_run(db, run.undoes)
    later = tuple(repo.list_later_merges(db, undone))
    return Undone(
        run=undone,
        later=later,
        refusal=find_refusal(undone) or _find_moved(db, undone, definition),
        has_hooks=bool(definition.hooks),
    )


def _find_moved(db: repo.State, run: Run, definition: Definition) -> str:
    """Whether the module leads to another database by now."""
    kept = repo.find_kept_dest(db, run)
    dest = definition.dest
    if kept and (kept.driver, kept.jdbc_url) == (dest.driver, dest.jdbc_url):
        return ""
    return f"it went into another database than {dest.name!r} is now"

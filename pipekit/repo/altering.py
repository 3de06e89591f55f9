# Runs that change a column of a dest, and whether the definitions have followed. Knows no dest.
"""`column_change`: asked for with the run, settled once the modules say what the dest has."""

from pipekit.models import Alteration, Run
from pipekit.repo.runs import LISTED, get_run
from pipekit.repo.state import State, transaction


def note_alteration(db: State, run: Run, alteration: Alteration) -> Run:
    """Keeps what a run is to change, inside the caller's transaction; the run with it."""
    db.insert("column_change", {"run_id": run.id, "asked_json": alteration.to_text(), "settled": int(run.dry_run)})
    return get_run(db, run.id)


def list_unsettled_changes(db: State) -> list[Run]:
    """Runs that have ended, and of which it is known whether the dest is changed, the oldest first."""
    sql = f"""
        SELECT {LISTED} FROM run_log
        WHERE id IN (SELECT run_id FROM column_change WHERE NOT settled)
          AND finished_at IS NOT NULL AND merge_state <> 'unknown'
        ORDER BY id
    """
    return [Run.from_row(row) for row in db.rows(sql)]


def settle_change(db: State, run_id: int) -> bool:
    """Says that the definitions have followed; False when they had already."""
    with transaction(db):
        return bool(db.change("UPDATE column_change SET settled = 1 WHERE run_id = ? AND NOT settled", (run_id,)))

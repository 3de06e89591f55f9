# Which runs can be taken back, and which take one back. Knows no dest: what is kept lies there.
"""`undo_asked` and `undo_kept`. What a dest keeps of a run is noted before the merge, and forgotten once it is gone."""

from pipekit.models import Run
from pipekit.repo.runs import LISTED, get_run
from pipekit.repo.state import State, transaction

# What nobody can take back any more: the module is gone or has left it, or keeps as many of newer runs; the run was
# taken back, merged nothing, or is older than the records that are kept.
_UNWANTED = """
    run_log.finished_at IS NOT NULL AND run_log.merge_state <> 'unknown' AND (
        run_log.merge_state = 'none' OR run_log.finished_at < :before
        OR EXISTS (SELECT 1 FROM undo_asked a JOIN run_log u ON u.id = a.run_id AND u.merge_state = 'merged'
                   WHERE a.undoes = run_log.id)
        OR (SELECT count(*) FROM undo_kept n JOIN run_log r ON r.id = n.run_id
            WHERE r.module_id = run_log.module_id AND r.id > run_log.id AND r.merge_state = 'merged')
           >= coalesce((SELECT undo_runs FROM module WHERE module.id = run_log.module_id), 0)
    )
"""


def note_undoes(db: State, run: Run, undoes: int) -> Run:
    """Keeps that a run takes another one back, inside the caller's transaction; the run with it."""
    db.insert("undo_asked", {"run_id": run.id, "undoes": undoes})
    return get_run(db, run.id)


def list_unwanted_undo(db: State, module_id: int | None = None, before: str = "") -> list[Run]:
    """Runs of which a dest keeps what nobody can take back any more: of a module, or all, and those that ended earlier
    than `before`."""
    sql = f"""
        SELECT {LISTED} FROM run_log
        WHERE id IN (SELECT run_id FROM undo_kept) AND (:module_id IS NULL OR module_id = :module_id) AND {_UNWANTED}
        ORDER BY id
    """
    return [Run.from_row(row) for row in db.rows(sql, {"module_id": module_id, "before": before})]


def forget_undo(db: State, run_id: int) -> None:
    """A dest keeps nothing of the run any more."""
    with transaction(db):
        db.change("DELETE FROM undo_kept WHERE run_id = ?", (run_id,))


def list_later_merges(db: State, run: Run) -> list[Run]:
    """Runs that merged into the same table of the same dest after this one and were not taken back, oldest first."""
    sql = f"""
        SELECT {LISTED} FROM run_log
        WHERE id > :id AND merge_state = 'merged' AND dest_table = :dest_table
          AND id NOT IN (SELECT run_id FROM undo_asked)
          AND EXISTS (SELECT 1 FROM run_dest d JOIN run_dest o ON o.run_id = :id
                      WHERE d.run_id = run_log.id AND d.driver = o.driver AND d.jdbc_url = o.jdbc_url)
        ORDER BY id
    """
    rows = db.rows(sql, {"id": run.id, "dest_table": run.dest_table})
    return [later for later in map(Run.from_row, rows) if later.undone_by is None]


def measure_undo(db: State, module_id: int) -> tuple[int, int, int]:
    """Of how many runs of a module a dest keeps what they changed; the rows, and the bytes as far as they are known."""
    row = db.row(
        "SELECT count(*) AS runs, coalesce(sum(k.rows), 0) AS rows, coalesce(sum(k.bytes), 0) AS bytes "
        "FROM undo_kept k JOIN run_log r ON r.id = k.run_id WHERE r.module_id = ? AND r.merge_state = 'merged'",
        (module_id,),
    )
    assert row is not None
    return row["runs"], row["rows"], row["bytes"]

# What previews have found and how long their staging is kept. Knows no dest.
"""`run_preview`: previews, and the runs that merge what they have staged."""

from datetime import timedelta

from pipekit.errors import NotFound
from pipekit.models import Preview, Run
from pipekit.repo.runs import note_staging_left
from pipekit.repo.state import State, format_moment, transaction, wall_clock


def keep_preview(db: State, run_id: int, preview: Preview, keep_s: float) -> None:
    """Writes down what a preview has found; its staging is kept for so long from now on."""
    until = format_moment(wall_clock() + timedelta(seconds=keep_s))
    sql = "UPDATE run_preview SET found_json = ?, kept_until = ? WHERE run_id = ?"
    with transaction(db):
        db.change(sql, (preview.write(), until, run_id))


def find_preview(db: State, run_id: int) -> Preview | None:
    """What a run has found; None for one that is no preview, or has not come so far."""
    row = db.row("SELECT found_json, kept_until FROM run_preview WHERE run_id = ?", (run_id,))
    return Preview.read(row["found_json"], row["kept_until"]) if row and row["found_json"] else None


def get_preview(db: State, run_id: int) -> Preview:
    """The same; raises NotFound."""
    found = find_preview(db, run_id)
    if found is None:
        raise NotFound(f"Run {run_id} is no preview, or has not found anything.", hint="`pipekit run MODULE --preview`")
    return found


def release_preview(db: State, run_id: int, *, left: bool) -> bool:
    """Keeps a preview's staging no longer; False when it was not kept. With `left` the table is still to be removed."""
    with transaction(db):
        is_kept = db.change(
            "UPDATE run_preview SET kept_until = NULL WHERE run_id = ? AND kept_until IS NOT NULL", (run_id,)
        )
        if is_kept and left:
            note_staging_left(db, run_id, True)
        return bool(is_kept)


def expire_previews(db: State) -> None:
    """Lets go of staging whose time is over, or whose run did not end well: it is removed like any that was left."""
    rows = db.rows(
        """
        SELECT p.run_id FROM run_preview p JOIN run_log r ON r.id = p.run_id
        WHERE p.kept_until IS NOT NULL AND r.finished_at IS NOT NULL
          AND (p.kept_until < ? OR r.status <> 'dry_run')
        """,
        (format_moment(wall_clock()),),
    )
    for row in rows:
        release_preview(db, row["run_id"], left=True)


def find_merged_since(db: State, preview: Run) -> int | None:
    """A later run of the module, or into the same table by the same connection, that merged or may have."""
    row = db.row(
        """
        SELECT id FROM run_log
        WHERE id > :id AND merge_state <> 'none'
          AND (module_id = :module_id OR (dest_id = :dest_id AND dest_table = :dest_table))
        ORDER BY id LIMIT 1
        """,
        {
            "id": preview.id,
            "module_id": preview.module_id,
            "dest_id": preview.dest_id,
            "dest_table": preview.dest_table,
        },
    )
    return row["id"] if row else None

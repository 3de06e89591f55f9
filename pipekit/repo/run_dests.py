# Where the dests of runs are, as the runs used them, and what may be left there. Knows no dest.
"""`run_dest`: a run's own copy of its dest's address."""

from pipekit.errors import NotFound
from pipekit.models import Connection, Run
from pipekit.repo.connections import get_connection
from pipekit.repo.runs import LISTED
from pipekit.repo.state import State, transaction


def keep_dest(db: State, run_id: int, connection: Connection) -> None:
    """Writes down where a run's dest is; later edits of the connection do not change that."""
    with transaction(db):
        db.change(
            "INSERT OR REPLACE INTO run_dest (run_id, driver, jdbc_url, username, password) VALUES (?, ?, ?, ?, ?)",
            (run_id, connection.driver, connection.jdbc_url, connection.username, connection.password),
        )


def find_kept_dest(db: State, run: Run) -> Connection | None:
    """The dest as the run used it; of a run that kept none the connection as it is now, None when that is gone."""
    row = db.row("SELECT driver, jdbc_url, username, password FROM run_dest WHERE run_id = ?", (run.id,))
    if row is not None:
        return Connection(id=run.dest_id or 0, name=f"the dest of run {run.id}", **row)
    try:
        return None if run.dest_id is None else get_connection(db, run.dest_id)
    except NotFound:
        return None


def list_leftover_runs(db: State, module_id: int | None = None) -> list[Run]:
    """Ended runs of which it is not known whether they merged, or whose staging may still be there, the oldest first.

    Those of a module where one is given.
    """
    sql = f"""
        SELECT {LISTED} FROM run_log
        WHERE finished_at IS NOT NULL
          AND id IN (SELECT id FROM run_log WHERE merge_state = 'unknown'
                     UNION ALL SELECT run_id FROM run_dest WHERE staging_left)
          AND (:module_id IS NULL OR module_id = :module_id)
        ORDER BY id
    """
    return [Run.from_row(row) for row in db.rows(sql, {"module_id": module_id})]

# When each connection last worked, and what answered there. Knows no driver; tests are somebody else's.
"""`note_worked`, `note_failed`, `list_seen`."""

from dataclasses import dataclass

from pipekit.repo.state import State, now, transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """`worked_at` is the last test or run that found the database there; `product` what it called itself in a test.

    `problem` is what the last test said when it failed and nothing has worked since, else `""`.
    """

    worked_at: str | None = None
    product: str = ""
    failed_at: str | None = None
    problem: str = ""


def note_worked(db: State, connection_id: int, product: str) -> None:
    """A test has found the database."""
    _note(db, connection_id, "worked_at = :at, product = :text", product)


def note_failed(db: State, connection_id: int, problem: str) -> None:
    """A test has failed; `problem` is masked already."""
    _note(db, connection_id, "failed_at = :at, problem = :text", problem)


def _note(db: State, connection_id: int, what: str, text: str) -> None:
    with transaction(db):
        db.change("INSERT OR IGNORE INTO connection_seen (connection_id) VALUES (?)", (connection_id,))
        values = {"id": connection_id, "at": now(), "text": text}
        db.change(f"UPDATE connection_seen SET {what} WHERE connection_id = :id", values)


def list_seen(db: State) -> dict[int, Seen]:
    """By connection; those that nobody has tested and no run has used are left out."""
    tested = {row["connection_id"]: row for row in db.rows("SELECT * FROM connection_seen")}
    ran = {row["id"]: row["at"] for row in db.rows(_RAN)}
    found = {}
    for connection_id in {*tested, *ran}:
        row = tested.get(connection_id)
        worked = max(filter(None, (row["worked_at"] if row else None, ran.get(connection_id))), default=None)
        failed = row["failed_at"] if row else None
        is_down = failed is not None and (worked is None or failed > worked)
        found[connection_id] = Seen(
            worked_at=worked,
            product=row["product"] if row else "",
            failed_at=failed,
            problem=row["problem"] if row and is_down else "",
        )
    return found


# The last good run of each module, found by the index on module, id and status.
_RAN = """
    WITH good AS (
        SELECT source_id, dest_id, (
            SELECT finished_at FROM run_log
            WHERE id = (SELECT max(id) FROM run_log WHERE module_id = module.id AND status = 'success')
        ) AS at
        FROM module
    )
    SELECT id, max(at) AS at FROM (
        SELECT source_id AS id, at FROM good WHERE at IS NOT NULL
        UNION ALL SELECT dest_id, at FROM good WHERE at IS NOT NULL
    ) GROUP BY id
"""

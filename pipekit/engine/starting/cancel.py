# Asking runs and group runs to stop, from any process. Knows the state database only.
"""`cancel_run` and `cancel_group_run`: what waits ends at once, the owner of what runs hears of it within a second."""

from pipekit import repo


def cancel_run(db: repo.State, run_id: int, user: str | None = None) -> bool:
    """Ends a run that waits, asks one that runs to stop; False when it has already ended. Raises NotFound."""
    with repo.transaction(db):
        return repo.cancel_queued_run(db, run_id, user) or repo.request_cancel(db, run_id, user)


def cancel_group_run(db: repo.State, group_run_id: int, user: str | None = None) -> bool:
    """Asks a group run to stop: its running runs are asked, the others do not start.

    False when it has already ended. Raises NotFound.
    """
    return repo.cancel_group_run(db, group_run_id, user)

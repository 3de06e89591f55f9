# Asking a run to stop, from any process. Knows the state database only.
"""`cancel_run`: the owner of the run hears of it within a second."""

from pipekit import repo


def cancel_run(db: repo.State, run_id: int) -> bool:
    """Asks a live run to stop; False when it has already ended. Raises NotFound."""
    return repo.request_cancel(db, run_id)

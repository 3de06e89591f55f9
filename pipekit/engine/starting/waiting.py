# Waiting in the queue, for a process that runs what it asks for. Knows the queue, nothing of how a run goes.
"""`wait_for_turn`: keeps a run's place alive until the run may start."""

import time
from collections.abc import Callable

from pipekit import repo
from pipekit.engine.events import Listener, Waiting
from pipekit.engine.installation import Installation
from pipekit.engine.recovering.outcomes import ASK_WITHIN_S
from pipekit.engine.recovering.recover import recover_runs
from pipekit.models import Run
from pipekit.models.runs import INTERRUPTED

# How often a waiting run looks whether its turn has come, and whether dead runs stand in its way.
WAIT_S = 0.25
RECOVER_EVERY_S = 5.0


class Vigil:
    """What a waiting process does beside looking whether its turn has come, each thing in its time.

    `renew` keeps its places for a number of seconds. Where no server does it, somebody must close the runs of dead
    processes: they hold slots.
    """

    def __init__(self, installation: Installation, renew: Callable[[float], object], tell: Listener | None) -> None:
        self._installation = installation
        self._lease_s = installation.config.lease_s
        self._renew = renew
        self._tell = tell
        self._told: int | None = None
        self._renewed = self._recovered = time.monotonic()

    def keep(self) -> None:
        """Renews the places when it is time to."""
        if time.monotonic() - self._renewed >= self._installation.config.heartbeat_s:
            self._renewed = time.monotonic()
            self._renew(self._lease_s)

    def wait(self, run_id: int) -> None:
        """Says once that this run waits, and from time to time closes what dead processes have left."""
        if self._tell and self._told != run_id:
            self._tell(Waiting(run_id))
        if self._told is None or time.monotonic() - self._recovered >= RECOVER_EVERY_S:
            recover_runs(self._installation, before=self._hold_on)
            self._recovered = time.monotonic()
        self._told = run_id

    def _hold_on(self) -> None:
        """A dest that does not answer may keep us for a while."""
        self._renewed = time.monotonic()
        self._renew(self._lease_s + ASK_WITHIN_S)


def wait_for_turn(installation: Installation, asked: Run, listener: Listener | None) -> Run | None:
    """The run once it is claimed; None when it was cancelled, here by Ctrl-C or elsewhere, while it waited."""
    db, owner = installation.db, asked.owner or ""
    vigil = Vigil(installation, lambda lease_s: repo.renew_place(db, asked.id, owner, lease_s), listener)
    try:
        while repo.get_run(db, asked.id).status == "queued":
            vigil.keep()
            vigil.wait(asked.id)
            run = claim_asked(installation, asked)
            if run is not None:
                return run
            time.sleep(WAIT_S)
    except KeyboardInterrupt:
        give_up(db, asked)
    return None


def give_up(db: repo.State, asked: Run) -> None:
    """Ends a run that was asked for and has not begun, also when it was claimed in the very moment of the interrupt."""
    if not repo.cancel_queued_run(db, asked.id, INTERRUPTED):
        told = "The run was interrupted before it began."
        repo.finish_run(db, asked.id, owner=asked.owner or "", status="cancelled", error_stage="claim", error=told)


def claim_asked(installation: Installation, asked: Run) -> Run | None:
    """Claims the run this process has asked for, if its turn has come."""
    config, owner = installation.config, asked.owner or ""
    return repo.claim_next_run(
        installation.db, owner=owner, lease_s=config.lease_s, max_runs=config.max_runs, run_id=asked.id
    )

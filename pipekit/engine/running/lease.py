# Keeps a run's lease alive and hears cancel requests, in a thread of its own. Knows nothing else of the run.
"""`Lease`: the heartbeat of one run."""

import threading
import time
from typing import Literal, Self

from pipekit import repo
from pipekit.config import Config
from pipekit.errors import PipekitError
from pipekit.logs import get_logger
from pipekit.models import Run

CANCEL_POLL_S = 0.5

StopReason = Literal["", "cancel", "lost"]

_LOG = get_logger("run")


class Lease:
    """Renews the lease of a run until the `with` block ends.

    `stopped` is set, with a `reason`, when somebody asked to cancel the run or the lease went to another owner: the run
    must then end without merging.
    """

    def __init__(self, config: Config, run: Run, stopped: threading.Event) -> None:
        self.stopped = stopped
        self.reason: StopReason = ""
        self._config = config
        self._run_id = run.id
        self._owner = run.owner or ""
        self._held_until = time.monotonic() + config.lease_s
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{run.id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        self._thread.join()

    def is_held(self) -> bool:
        """Whether nobody else may have taken the run over yet, as far as can be known here."""
        return self.reason != "lost" and time.monotonic() < self._held_until

    def stop(self, reason: StopReason) -> None:
        """Ends the run for this reason; the first reason stays."""
        if not self.reason and reason == "cancel":
            _LOG.info("run %d was asked to stop", self._run_id)
        elif not self.reason:
            _LOG.warning("run %d has lost its lease and stops", self._run_id)
        self.reason = self.reason or reason
        self.stopped.set()

    def _beat(self) -> None:
        renewed = time.monotonic()
        db: repo.State | None = None
        while not self._done.wait(CANCEL_POLL_S):
            try:
                db = db or repo.open_state(self._config.state_path)
                if repo.get_run(db, self._run_id).cancel_requested:
                    self.stop("cancel")
                if time.monotonic() - renewed < self._config.heartbeat_s:
                    continue
                if repo.renew_lease(db, self._run_id, self._owner, self._config.lease_s) == "lost":
                    self.stop("lost")
                    break
                renewed = time.monotonic()
                self._held_until = renewed + self._config.lease_s
            except PipekitError:
                # The state database is out of reach; it may come back before the lease runs out.
                if time.monotonic() > self._held_until:
                    self.stop("lost")
                    break
        if db is not None:
            db.close()

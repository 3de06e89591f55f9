# The server's dispatcher: takes runs from the queue and runs each in a thread. Knows neither schedules nor requests.
"""`Dispatcher`: one loop that claims, one worker thread for each run."""

import threading
import time
from collections.abc import Callable
from contextlib import closing

from pipekit import repo
from pipekit.config import Config
from pipekit.engine import run_claimed
from pipekit.engine.recovering.owner import new_owner
from pipekit.errors import PipekitError
from pipekit.logs import get_logger
from pipekit.models import Run
from pipekit.secrets import Secrets

POLL_S = 0.5
# How long runs that are cancelled at the end of a drain may take: a runner is killed, its dest session ended.
CANCEL_WITHIN_S = 30.0

_LOG = get_logger("queue")


class Dispatcher:
    """Claims runs that wait for the server and runs them, at most `config.max_runs` at the same time.

    Everything it knows stands in the state database: runs that wait when it stops are started by the next one.
    `secrets_factory` gives each run its own `Secrets`, since they are not shared between threads.
    """

    def __init__(self, config: Config, secrets_factory: Callable[[], Secrets]) -> None:
        self._config = config
        self._secrets_factory = secrets_factory
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._workers: set[int] = set()
        self._ended = threading.Event()
        self._loop = threading.Thread(target=self._dispatch, name="queue", daemon=True)

    @property
    def running_count(self) -> int:
        """How many runs go on in this process."""
        with self._lock:
            return len(self._workers)

    def start(self) -> None:
        """Begins to claim."""
        self._loop.start()

    def wake(self) -> None:
        """Looks at the queue at once instead of at the next poll."""
        self._woken.set()

    def stop(self, drain_s: float) -> None:
        """Claims no more, waits `drain_s` seconds for what runs, then cancels what is left and waits for its end.

        Runs that wait stay in the queue. Returns within `drain_s` and half a minute, whatever a dest does.
        """
        self._stopping.set()
        self._woken.set()
        if self._loop.ident is not None:
            self._ended.wait()
        self._wait_for_workers(drain_s)
        left = self._running_ids()
        if left:
            _LOG.warning("%d runs did not end within %g s and are cancelled: %s", len(left), drain_s, left)
            self._request_cancel(left)
            self._wait_for_workers(CANCEL_WITHIN_S)
        for run_id in self._running_ids():
            _LOG.error("run %d does not end; the next start closes it", run_id)

    def _running_ids(self) -> list[int]:
        with self._lock:
            return sorted(self._workers)

    def _wait_for_workers(self, timeout_s: float) -> None:
        """Not by joining them: a join that a signal interrupts takes its thread for ended from then on."""
        deadline = time.monotonic() + timeout_s
        while self.running_count and (left_s := deadline - time.monotonic()) > 0:
            self._woken.clear()
            self._woken.wait(min(left_s, POLL_S))

    def _request_cancel(self, run_ids: list[int]) -> None:
        try:
            with closing(repo.open_state(self._config.state_path)) as db:
                for run_id in run_ids:
                    repo.request_cancel(db, run_id)
        except PipekitError as error:
            _LOG.error("the runs could not be cancelled: %s", error.message)

    # -- the loop ------------------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        try:
            self._claim_on_and_on()
        finally:
            self._ended.set()

    def _claim_on_and_on(self) -> None:
        """Claims whenever something may have changed. A fault, a full disk say, is logged and tried again."""
        faulty = ""
        while not self._stopping.is_set():
            try:
                with closing(repo.open_state(self._config.state_path)) as db:
                    self._claim_while_open(db)
            except PipekitError as error:
                # Once for each fault, not twice a second for as long as it lasts.
                if error.message != faulty:
                    _LOG.error("the queue cannot be read: %s", error.message)
                faulty = error.message
            except Exception:
                _LOG.exception("the queue met a mistake of the program")
            else:
                faulty = ""
            self._stopping.wait(POLL_S)

    def _claim_while_open(self, db: repo.State) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            while self._claim(db):
                pass
            self._woken.wait(POLL_S)

    def _claim(self, db: repo.State) -> bool:
        """Starts the next run; False when none may start now."""
        if self._stopping.is_set() or self.running_count >= self._config.max_runs:
            return False
        owner = new_owner()
        config = self._config
        run = repo.claim_next_run(db, owner=owner, lease_s=config.lease_s, max_runs=config.max_runs)
        if run is None:
            return False
        self._start(db, run, owner)
        return True

    def _start(self, db: repo.State, run: Run, owner: str) -> None:
        worker = threading.Thread(target=self._work, args=(run, owner), name=f"run-{run.id}", daemon=True)
        with self._lock:
            self._workers.add(run.id)
        try:
            worker.start()
        except RuntimeError as error:
            with self._lock:
                self._workers.discard(run.id)
            told = f"The server could not start a thread for the run: {error}."
            repo.finish_run(db, run.id, owner=owner, status="error", error_stage="claim", error=told)
            _LOG.error("run %d: %s", run.id, told)

    # -- a worker ------------------------------------------------------------------------------------------------------

    def _work(self, run: Run, owner: str) -> None:
        try:
            with closing(repo.open_state(self._config.state_path)) as db:
                run_claimed(db, self._config, self._make_secrets(db, run, owner), run, owner)
        except Exception:
            # Its record is closed by recovery once the lease has run out, where the engine could not do it.
            _LOG.exception("run %d of %s met a mistake of the program", run.id, run.module)
        finally:
            with self._lock:
                self._workers.discard(run.id)
            self._woken.set()

    def _make_secrets(self, db: repo.State, run: Run, owner: str) -> Secrets:
        """The run's own secrets; a run that has none is ended here, since nobody else would before its lease ends."""
        try:
            return self._secrets_factory()
        except Exception as error:
            told = f"The run could not get at its secrets: {error}"
            repo.finish_run(db, run.id, owner=owner, status="error", error_stage="claim", error=told)
            raise

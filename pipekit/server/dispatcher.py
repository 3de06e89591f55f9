# The server's dispatcher: takes runs from the queue and runs each in a thread. Knows neither schedules nor requests.
"""`Dispatcher`: one loop that claims, one worker thread for each run."""

import threading
from collections.abc import Callable
from contextlib import closing

from pipekit import repo
from pipekit.config import Config
from pipekit.engine import Installation, run_claimed
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.starting.workers import Workers
from pipekit.errors import PipekitError
from pipekit.logs import get_logger
from pipekit.models import Run
from pipekit.models.runs import ENDING
from pipekit.runner.spares import Spares
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
        self._workers = Workers(self._work)
        self._spares = Spares(config.warm_runners)
        self._ended = threading.Event()
        self._loop = threading.Thread(target=self._dispatch, name="queue", daemon=True)

    @property
    def running_count(self) -> int:
        """How many runs go on in this process."""
        return len(self._workers.list_running())

    def start(self) -> None:
        """Begins to claim."""
        self._loop.start()

    def wake(self) -> None:
        """Looks at the queue at once instead of at the next poll."""
        self._workers.woken.set()

    def stop(self, drain_s: float) -> None:
        """Claims no more, waits `drain_s` seconds for what runs, then cancels what is left and waits for its end.

        Runs that wait stay in the queue. Returns within `drain_s` and half a minute, whatever a dest does.
        """
        self._stopping.set()
        self._workers.woken.set()
        if self._loop.ident is not None:
            self._ended.wait()
        self._spares.close()
        self._workers.wait(drain_s)
        left = self._workers.list_running()
        if left:
            _LOG.warning("%d runs did not end within %g s and are cancelled: %s", len(left), drain_s, left)
            self._request_cancel(left)
            self._workers.wait(CANCEL_WITHIN_S)
        for run_id in self._workers.list_running():
            _LOG.error("run %d does not end; the next start closes it", run_id)

    def _request_cancel(self, run_ids: list[int]) -> None:
        try:
            with closing(repo.open_state(self._config.state_path)) as db:
                for run_id in run_ids:
                    repo.request_cancel(db, run_id, ENDING)
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
        if kinds := repo.find_usual_kinds(db):
            self._spares.prepare(kinds)
        while not self._stopping.is_set():
            self._workers.woken.clear()
            while self._claim(db):
                pass
            self._workers.woken.wait(POLL_S)

    def _claim(self, db: repo.State) -> bool:
        """Starts the next run; False when none may start now."""
        if self._stopping.is_set() or self.running_count >= self._config.max_runs:
            return False
        config = self._config
        run = repo.claim_next_run(db, owner=new_owner(), lease_s=config.lease_s, max_runs=config.max_runs)
        if run is None:
            return False
        self._start(db, run)
        return True

    def _start(self, db: repo.State, run: Run) -> None:
        try:
            self._workers.start(run)
        except RuntimeError as error:
            told = f"The server could not start a thread for the run: {error}."
            repo.finish_run(db, run.id, owner=run.owner or "", status="error", error_stage="claim", error=told)
            _LOG.error("run %d: %s", run.id, told)

    # -- a worker ------------------------------------------------------------------------------------------------------

    def _work(self, run: Run) -> None:
        try:
            with closing(repo.open_state(self._config.state_path)) as db:
                secrets = self._make_secrets(db, run)
                own = Installation(db=db, config=self._config, secrets=secrets, spares=self._spares)
                run_claimed(own, run)
        except Exception:
            # Its record is closed by recovery once the lease has run out, where the engine could not do it.
            _LOG.exception("run %d of %s met a mistake of the program", run.id, run.module)

    def _make_secrets(self, db: repo.State, run: Run) -> Secrets:
        """The run's own secrets; a run that has none is ended here, since nobody else would before its lease ends."""
        try:
            return self._secrets_factory()
        except Exception as error:
            told = f"The run could not get at its secrets: {error}"
            repo.finish_run(db, run.id, owner=run.owner or "", status="error", error_stage="claim", error=told)
            raise

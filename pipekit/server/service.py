# The server process: what goes on in it, and its beginning and end. Knows no page and no request.
"""`Service`, which a web application starts and stops, and `serve`, which is it alone with signals."""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import replace

from pipekit import repo
from pipekit.config import Config
from pipekit.engine import Installation, clean_dest, recover_runs
from pipekit.engine.recovering.owner import get_liveness, new_owner
from pipekit.errors import Conflict, PipekitError, StateError
from pipekit.logs import get_logger
from pipekit.secrets import Secrets
from pipekit.server import scheduler
from pipekit.server.alerts.sending import Sending
from pipekit.server.alerts.watching import Watching
from pipekit.server.dispatcher import Dispatcher
from pipekit.server.periodic import Chore, Trouble
from pipekit.server.retention import purge, purge_undo
from pipekit.server.systemd import Notifier
from pipekit.server.unknown_outcomes import Settling

TICK_EVERY_S = 1.0
RECOVER_EVERY_S = 3.0
SETTLE_EVERY_S = 5.0
ALERT_EVERY_S = 1.0
PURGE_EVERY_S = 3600.0
PURGE_AFTER_S = 60.0
CLEAN_EVERY_S = 3600.0
CLEAN_AFTER_S = 20.0
LOOK_EVERY_S = 0.2
START_EVERY_S = 2.0
# How long a chore that is under way may take to end; a recovery that waits for a dest goes on in the next server.
LEAVE_WITHIN_S = 5.0
# A chore that has not come round for so long is stuck; a state database that is locked takes half a minute.
STUCK_AFTER_S = 180.0

# What stands beside a service for as long as the block lasts; the callable says whether it still does.
Site = Callable[["Service"], AbstractContextManager[Callable[[], bool]]]

_LOG = get_logger("server")


class Service:
    """Everything a server does: the queue, schedules, recovery, retention, each in threads of its own.

    `lost` is set when another server has taken its lease; it must then be stopped.
    """

    def __init__(self, config: Config, secrets: Secrets | None = None, *, address: str | None = None) -> None:
        self.lost = threading.Event()
        self.leaving = threading.Event()
        self.has_started = False
        self._config = config
        self._secrets = secrets or Secrets(config.secrets_path, declared=config.secret_variables)
        self._address = address or socket.gethostname()
        self._owner = new_owner()
        self._left = threading.Event()
        self._dispatcher = Dispatcher(config, lambda: self._secrets)
        self._trouble = trouble = Trouble()
        self._heart = Chore(config, "heartbeat", config.heartbeat_s, self._renew, trouble, self._left)
        self._chores = [
            Chore(config, name, every_s, action, trouble, self.leaving, first_after_s=first_after_s)
            for name, every_s, first_after_s, action in (
                ("schedules", TICK_EVERY_S, 0.0, self._tick),
                ("recovery", RECOVER_EVERY_S, 0.0, self._recover),
                ("settling", SETTLE_EVERY_S, SETTLE_EVERY_S, Settling(config, self._secrets).settle),
                ("alerts", ALERT_EVERY_S, ALERT_EVERY_S, Watching().look),
                ("sending of alerts", ALERT_EVERY_S, ALERT_EVERY_S, Sending(config, self._secrets).look),
                ("retention", PURGE_EVERY_S, PURGE_AFTER_S, self._purge),
                ("leftovers", CLEAN_EVERY_S, CLEAN_AFTER_S, self._clean),
            )
        ]

    def try_to_start(self, give_up: Callable[[], bool] = lambda: False) -> bool:
        """`start`; False, which the log explains, when the state database cannot be written at the moment."""
        try:
            self.start(give_up)
        except StateError as error:
            self._trouble.meet("start", error)
            return False
        self._trouble.end("start")
        return True

    def start(self, give_up: Callable[[], bool] = lambda: False) -> None:
        """Takes the lease and begins. Raises Conflict when another server works on this state database.

        `give_up` is asked while it waits whether a server that cannot be seen from here still lives.
        """
        with closing(repo.open_state(self._config.state_path)) as db:
            self._take_lease(db, give_up)
        self.has_started = True
        self._heart.start()
        for chore in self._chores:
            chore.start()
        self._dispatcher.start()
        _LOG.info("server started on %s, state database %s", self._address, self._config.state_path)

    def stop(self, drain_s: float | None = None) -> None:
        """Starts no more runs, waits `drain_s` seconds (the configured time) for those that run, cancels the others."""
        self.leaving.set()
        running = self._dispatcher.running_count
        drain_s = self._config.drain_s if drain_s is None else drain_s
        _LOG.info("server stops: %d runs go on, they have %g s", running, drain_s)
        self._dispatcher.stop(drain_s)
        for chore in self._chores:
            chore.leave(LEAVE_WITHIN_S)
        self._left.set()
        self._heart.leave(LEAVE_WITHIN_S)
        with suppress(PipekitError), closing(repo.open_state(self._config.state_path)) as db:
            repo.release_server(db, self._owner)
        _LOG.info("server stopped")

    def wake(self) -> None:
        """Looks at the queue at once: something was put into it."""
        self._dispatcher.wake()

    def cancel_all(self) -> None:
        """Cancels what a `stop` in another thread is waiting for."""
        _LOG.warning("running runs are cancelled now")
        self._dispatcher.stop(0.0)

    def is_well(self) -> bool:
        """Whether no thread is stuck (one that fails, and tries again, is not)."""
        idle = self.leaving.is_set() or not self.has_started
        return idle or all(chore.idle_s() < STUCK_AFTER_S for chore in self._chores[:1])

    # -- the lease -----------------------------------------------------------------------------------------------------

    def _take_lease(self, db: repo.State, give_up: Callable[[], bool]) -> None:
        """Waits for the lease of an owner nobody here can see, in case nobody renews it any more."""
        first = repo.find_server(db)
        while not self._try_lease(db):
            found = repo.find_server(db)
            is_renewed = first is None or found is None or found.lease_expires_at != first.lease_expires_at
            if found and (is_renewed or get_liveness(found.owner) == "alive" or give_up()):
                raise _build_refusal(found)
            time.sleep(LOOK_EVERY_S)

    def _try_lease(self, db: repo.State) -> bool:
        found = repo.find_server(db)
        dead_owner = found.owner if found and get_liveness(found.owner) == "dead" else None
        return repo.take_server(db, self._owner, self._config.lease_s, self._address, dead_owner=dead_owner)

    def _renew(self, db: repo.State) -> None:
        if self.lost.is_set() or repo.renew_server(db, self._owner, self._config.lease_s):
            return
        found = repo.find_server(db)
        _LOG.error("another server has taken over: %s", _describe(found) if found else "its lease is gone")
        self.lost.set()

    # -- chores --------------------------------------------------------------------------------------------------------

    def _tick(self, db: repo.State) -> None:
        if scheduler.tick(db, repo.wall_clock()):
            self._dispatcher.wake()

    def _recover(self, db: repo.State) -> None:
        if recover_runs(Installation(db=db, config=self._config, secrets=self._secrets)):
            self._dispatcher.wake()

    def _purge(self, db: repo.State) -> None:
        begun = time.monotonic()
        undo = purge_undo(Installation(db=db, config=self._config, secrets=self._secrets))
        purged = replace(purge(db, self._config, stop=self.leaving), undo=undo)
        if purged.total:
            _LOG.info("removed what is old: %s in %.1f s", purged, time.monotonic() - begun)

    def _clean(self, db: repo.State) -> None:
        """What loads that no record knows of have left in the dests; one that does not answer is asked next time."""
        installation = Installation(db=db, config=self._config, secrets=self._secrets)
        for dest in repo.list_dests(db):
            if self.leaving.is_set():
                return
            with suppress(PipekitError):
                for claim in clean_dest(installation, dest).removed:
                    _LOG.info("removed %s in %s, left by a load that was killed", claim.staging, dest.name)


def check_no_server(config: Config) -> None:
    """Raises Conflict when a living server works on this state database."""
    with closing(repo.open_state(config.state_path)) as db:
        found = repo.find_server(db)
    if found and get_liveness(found.owner) == "alive":
        raise _build_refusal(found)


def _build_refusal(found: repo.Server) -> Conflict:
    message = f"Another server works on this state database: {_describe(found)}."
    return Conflict(message, hint="Stop it first; one server does the work of all.")


def _describe(server: repo.Server) -> str:
    parts = server.owner.split(":")
    pid = parts[2] if len(parts) == 5 else server.owner
    return f"process {pid} on {server.address or 'an unknown host'}, since {server.started_at}"


def serve(
    config: Config, secrets: Secrets | None = None, *, address: str | None = None, site: Site | None = None
) -> int:
    """Runs a server in the main thread until SIGTERM or SIGINT, and returns the exit code.

    The first signal lets runs end within `drain_s`, a second one cancels them; `site` (the pages) stays until then.
    Where the state database cannot be written, because its disk is full, it says so, shows pages, and begins later.
    Raises Conflict when there is a server, and what the site raises when it cannot begin.
    """
    service = Service(config, secrets, address=address)
    with _signals() as taken, Notifier(service.is_well) as notifier:
        try:
            service.try_to_start(give_up=lambda: bool(taken))
        except Conflict:
            if taken:
                return 0
            raise
        try:
            with site(service) if site else nullcontext(lambda: True) as is_open:
                notifier.tell("READY=1")
                _stay(service, taken, is_open)
                has_died = not is_open()
                notifier.tell("STOPPING=1")
                _stop(service, taken)
        finally:
            if not service.leaving.is_set():
                service.stop(0.0)
    return 1 if has_died or service.lost.is_set() else 0


def _stay(service: Service, taken: list[int], is_open: Callable[[], bool]) -> None:
    """Until there is a reason to end. A service that could not start is started when the state can be written."""
    tried = time.monotonic()
    while not taken and not service.lost.is_set() and is_open():
        time.sleep(LOOK_EVERY_S)
        if not service.has_started and time.monotonic() - tried > START_EVERY_S:
            service.try_to_start(give_up=lambda: bool(taken))
            tried = time.monotonic()


def _stop(service: Service, taken: list[int]) -> None:
    """Stops in another thread, so that a second signal is heard meanwhile."""
    before = len(taken)
    stopping = threading.Thread(target=service.stop, name="stop", daemon=True)
    stopping.start()
    while stopping.is_alive():
        stopping.join(LOOK_EVERY_S)
        if len(taken) > max(before, 1):
            before = len(taken)
            service.cancel_all()


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The list of signals to end so far. A handler does no more: the thread it interrupts may hold any lock.

    A terminal that goes away ends the server in good order too, unless it was started with SIGHUP ignored (`nohup`).
    """
    taken: list[int] = []
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def take(number: int, _: object) -> None:
        # Kernel and shell each send a SIGHUP: that is one wish to end, not two.
        if number != signal.SIGHUP or number not in taken:
            taken.append(number)

    before = [signal.signal(number, take) for number in numbers]
    try:
        yield taken
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)

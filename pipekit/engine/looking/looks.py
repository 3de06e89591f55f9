# The looks of a server, for people who wait: so many at once, within a time. Knows no request and no module.
"""`Looks`: each look is a child process; one that has looked stays for a moment, as who looks once looks again soon."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from pipekit.config import Config
from pipekit.drivers import get_driver
from pipekit.engine.context import open_endpoint
from pipekit.engine.looking.look import APPLICATION, Look, make_look
from pipekit.engine.runners import start_runner
from pipekit.errors import PipekitError, TimedOut, TooMany
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint
from pipekit.secrets import Secrets

# A page that asks too often must not become a thousand processes.
MOST_AT_ONCE = 8
WAIT_FOR_PLACE_S = 5.0
# For one answer, and for all that a look asks.
ANSWER_WITHIN_S = 30.0
WHOLE_S = 120.0
# A child that waits for the next look has no session: it holds no lock, and whoever connects connects anew.
MOST_WAITING = 4
STAYS_S = 10.0
LEAVE_WITHIN_S = 2.0

_Kind = tuple[Endpoint, float]


class Looks:
    """Opens looks from any thread; `close` ends what waits for the next one."""

    def __init__(self, config: Config, secrets: Secrets) -> None:
        self._config = config
        self._secrets = secrets
        self._places = threading.Semaphore(MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._waiting: dict[_Kind, tuple[NativeRunner, threading.Timer]] = {}
        self._is_closed = False

    @contextmanager
    def open(
        self,
        connection: Connection,
        *,
        read_only: bool = True,
        limit_s: float = ANSWER_WITHIN_S,
        password: str | None = None,
    ) -> Iterator[Look]:
        """A look that ends when one answer takes `limit_s`, or all of them two minutes.

        Where it may write (`read_only` is False) all of it takes `limit_s`: a statement that waits for a lock must not
        be left waiting. A `password` that is not kept yet stands for the one the connection
        refers to. Raises TooMany, TimedOut (which names the connection), SecretMissing and Invalid.
        """
        limit_s = min(limit_s, self._config.silence_timeout_s)
        config = replace(self._config, connect_timeout_s=min(self._config.connect_timeout_s, limit_s))
        if password is not None:
            connection = replace(connection, password=None)
        endpoint = open_endpoint(config, self._secrets, connection, application=APPLICATION, read_only=read_only)
        if password is not None:
            endpoint = replace(endpoint, password=password)
        whole_s = WHOLE_S if read_only else limit_s
        with self._take_place(), self._lend((endpoint, limit_s)) as runner:
            runner.deadline = time.monotonic() + whole_s
            try:
                yield make_look(runner, endpoint)
            except TimedOut as error:
                told_s = whole_s if time.monotonic() > runner.deadline else limit_s
                message = f"{connection.name} did not answer within {told_s:g} s."
                hint = "Try again later, or ask for less: a shorter query, one table."
                raise TimedOut(message, hint=hint) from error

    def close(self) -> None:
        """Ends the children that wait. Looks that are under way end theirs themselves."""
        with self._lock:
            self._is_closed = True
            waiting = list(self._waiting)
        for kind in waiting:
            self._send_away(kind)

    @contextmanager
    def _take_place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=WAIT_FOR_PLACE_S):
            raise TooMany(f"{MOST_AT_ONCE} looks into databases are under way.", hint="Try again in a moment.")
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def _lend(self, kind: _Kind) -> Iterator[NativeRunner]:
        """A child for one look; it may wait for the next afterwards, but not after what may have left it half done."""
        endpoint, silence_s = kind
        runner = self._call_back(kind) or start_runner(self._config, silence_timeout_s=silence_s, kinds=[endpoint.kind])
        is_whole = False
        try:
            yield runner
            is_whole = True
        except PipekitError:
            is_whole = True
            raise
        finally:
            if not (is_whole and self._let_wait(kind, runner)):
                runner.close()

    def _call_back(self, kind: _Kind) -> NativeRunner | None:
        with self._lock:
            runner, timer = self._waiting.pop(kind, (None, None))
        if timer:
            timer.cancel()
        return runner

    def _let_wait(self, kind: _Kind, runner: NativeRunner) -> bool:
        """Whether the child stays for the next look at the same database."""
        endpoint, _ = kind
        driver = get_driver(endpoint.kind)
        if not runner.alive or driver.stays_open(driver.parse_url(endpoint.jdbc_url)):
            return False
        try:
            runner.deadline = time.monotonic() + LEAVE_WITHIN_S
            runner.forget_sessions()
        except PipekitError:
            return False
        timer = threading.Timer(STAYS_S, self._send_away, (kind,))
        timer.daemon = True
        with self._lock:
            if self._is_closed or kind in self._waiting or len(self._waiting) >= MOST_WAITING:
                return False
            self._waiting[kind] = (runner, timer)
        timer.start()
        return True

    def _send_away(self, kind: _Kind) -> None:
        if runner := self._call_back(kind):
            runner.close()

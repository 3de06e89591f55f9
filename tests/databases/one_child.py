# Runs that share a child, for tests of what runs do to databases. Real processes and pipes; what a run leaves in its
# process is for other tests to say. Knows no database.
"""`OneChild`."""

import threading
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

from pipekit.errors import PipekitError, RunnerError
from pipekit.runner.native import Event, LogText, MeetSession, NativeRunner


class OneChild:
    """Runners for whoever starts one, all of them the same child: Python and Java start once, not for each run.

    Endpoints differ by run, so each still has connections of its own. Who starts a second runner at once gets another.
    """

    def __init__(self) -> None:
        self._runner: _LentRunner | None = None

    def __call__(self, **options: Any) -> NativeRunner:
        if self._runner is None or not self._runner.alive:
            self._runner = _LentRunner()
        if self._runner.is_lent:
            return NativeRunner(**options)
        self._runner.lend(**options)
        return self._runner

    def end(self) -> None:
        if self._runner is not None:
            self._runner.end()


class _LentRunner(NativeRunner):
    is_lent = False
    _is_silent = True

    def lend(
        self,
        *,
        log: LogText = lambda text: None,
        on_session: MeetSession = lambda session: None,
        stop: threading.Event | None = None,
        silence_timeout_s: float = 900.0,
        deadline: float | None = None,
        kinds: Collection[str] = (),
        child: object = None,
    ) -> None:
        """A `child` that was started ahead is of no use here: there is one."""
        self.is_lent = True
        self._said["stderr"].clear()
        self.log, self.on_session, self.deadline = log, on_session, deadline
        self._stop = stop or threading.Event()
        self._silence_timeout_s = silence_timeout_s

    def close(self) -> None:
        """It is given back, its sessions closed: the child closes them after a request that it does not know."""
        self.log, self.deadline, self._stop = lambda text: None, None, threading.Event()
        self.on_session = lambda session: None
        if self.alive and self._is_silent:
            with suppress(RunnerError):
                self._last({"op": "forget"}, self._silence_timeout_s)
        else:
            self.kill()
        self.is_lent = False

    def end(self) -> None:
        super().close()

    def _events(self, request: Event, silence_s: float | None) -> Iterator[Event]:
        """Whoever does not hear an operation to its end leaves a child that still speaks of it."""
        self._is_silent = False
        try:
            yield from super()._events(request, silence_s)
        except PipekitError:
            self._is_silent = True
            raise
        self._is_silent = True

# Threads that run what was claimed. Knows neither the queue nor how a run goes.
"""`Workers`: what the server and a group at the shell have in common, a thread for each run."""

import math
import threading
import time
from collections.abc import Callable

from pipekit.models import Run

WAIT_S = 0.25


class Workers:
    """Hands each run to `work` in a thread of its own. `woken` is set whenever one has ended."""

    def __init__(self, work: Callable[[Run], None]) -> None:
        self.woken = threading.Event()
        self._work = work
        self._lock = threading.Lock()
        self._running: set[int] = set()

    def list_running(self) -> list[int]:
        """The runs that go on, by number."""
        with self._lock:
            return sorted(self._running)

    def start(self, run: Run) -> None:
        """Begins a run. Raises RuntimeError where the machine gives no more threads."""
        thread = threading.Thread(target=self._carry_out, args=(run,), name=f"run-{run.id}", daemon=True)
        with self._lock:
            self._running.add(run.id)
        try:
            thread.start()
        except BaseException:
            self._leave(run)
            raise

    def wait(self, timeout_s: float = math.inf) -> None:
        """Waits until no run goes on, or that long.

        Not by joining the threads: a join that a signal interrupts takes its thread for ended from then on.
        """
        deadline = time.monotonic() + timeout_s
        while self.list_running() and (left_s := deadline - time.monotonic()) > 0:
            self.woken.clear()
            self.woken.wait(min(left_s, WAIT_S))

    def _carry_out(self, run: Run) -> None:
        try:
            self._work(run)
        finally:
            self._leave(run)

    def _leave(self, run: Run) -> None:
        with self._lock:
            self._running.discard(run.id)
        self.woken.set()

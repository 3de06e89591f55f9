# Runner children that wait for a run, loaded and without a connection. Knows no run, no state and no database.
"""`Spares`: what a run would wait for at its start is done before it is asked for."""

import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pipekit.runner.native import start_child
from pipekit.runner.process import Program
from pipekit.runner_contract import Endpoint

# Who has asked for no run for so long is not waiting for one, and gets the memory back.
STAYS_S: Final = 600.0
# A child that knows secrets waits for a run that follows at once, and serves so long in all.
USED_STAYS_S: Final = 10.0
SERVES_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class _Spare:
    """`seen` are the databases whose addresses and secrets it has been told; none of a child that has served nobody."""

    kinds: frozenset[str]
    seen: frozenset[Endpoint]
    program: Program
    timer: threading.Timer


class Spares:
    """At most `most` children that wait. Safe to use from any thread; `close` ends those that wait.

    One that has served a run serves another only between the very same databases, by the same addresses, logins and
    secrets; everybody else gets one that has been told nothing. They are started as runs begin, by the drivers that are
    wanted.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Spare] = []
        self._is_closed = False

    def take(self, kinds: Collection[str], seen: frozenset[Endpoint] = frozenset()) -> Program | None:
        """A child for a run between these databases, None where none waits; who has died meanwhile is passed over.

        In place of one that nobody has used, and where there was none, another is started for the next run.
        """
        wanted = frozenset(kinds)
        with self._lock:
            used = self._pick(lambda spare: bool(seen) and spare.seen == seen)
            fresh = None if used else self._pick(lambda spare: spare.kinds == wanted and not spare.seen)
        if used is None:
            self.prepare(wanted)
        return used or fresh

    def take_back(self, program: Program, kinds: Collection[str], seen: frozenset[Endpoint]) -> bool:
        """Lets a child that has closed its connections wait for another such run; False says that it may not."""
        with self._lock:
            if self._is_closed or not seen or time.monotonic() - program.begun > SERVES_S:
                return False
            # It is likelier to be wanted again than one that has waited for longer.
            others = [spare for spare in self._waiting if spare.seen and spare.seen != seen]
            if len(self._waiting) >= self._most and others:
                self._waiting.remove(others[0])
                _end(others[0])
            return len(self._waiting) < self._most and self._let_wait(program, frozenset(kinds), seen)

    def prepare(self, kinds: Collection[str]) -> None:
        """Starts a child for these drivers; where there are too many the one that has waited longest makes room.

        A machine that gives no more processes or descriptors keeps nobody from what is asked of it now.
        """
        with self._lock, suppress(OSError):
            if self._is_closed or not self._most:
                return
            if len(self._waiting) >= self._most:
                _end(self._waiting.pop(0))
            program = start_child(kinds)
            if not self._let_wait(program, frozenset(kinds), frozenset()):
                program.kill()
                program.close_pipes()

    def close(self) -> None:
        """Ends those that wait, and keeps none any more."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for spare in waiting:
            _end(spare)

    def _pick(self, fits: Callable[[_Spare], bool]) -> Program | None:
        for spare in list(filter(fits, self._waiting)):
            self._waiting.remove(spare)
            if spare.program.poll() is None:
                spare.timer.cancel()
                return spare.program
            _end(spare)
        return None

    def _let_wait(self, program: Program, kinds: frozenset[str], seen: frozenset[Endpoint]) -> bool:
        """False where the machine gives no thread, and so nobody would end it."""
        timer = threading.Timer(USED_STAYS_S if seen else STAYS_S, self._send_away, (program,))
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:
            return False
        self._waiting.append(_Spare(kinds, seen, program, timer))
        return True

    def _send_away(self, program: Program) -> None:
        with self._lock:
            leaving = [spare for spare in self._waiting if spare.program is program]
            self._waiting = [spare for spare in self._waiting if spare.program is not program]
        for spare in leaving:
            _end(spare)


def _end(spare: _Spare) -> None:
    spare.timer.cancel()
    spare.program.kill()
    spare.program.close_pipes()

# Work that is done over and over in a thread of its own. Knows the state database's troubles, nothing of the work.
"""`Chore`, whose thread no exception ends, and `Trouble`, which says what is wrong without repeating itself."""

import threading
import time
from collections.abc import Callable

from pipekit import repo
from pipekit.config import Config
from pipekit.errors import PipekitError
from pipekit.logs import get_logger

SAY_EVERY_S = 60.0
PAUSE_S = 5.0

_LOG = get_logger("server")


class Trouble:
    """Logs a fault when it is met, once a minute while it lasts, and when it is over. Shared by threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}
        self._failing: dict[str, set[str]] = {}
        self._loud: set[str] = set()

    def meet(self, name: str, error: Exception) -> None:
        """Notes that the chore of this name failed."""
        expected = isinstance(error, PipekitError)
        text = error.message if isinstance(error, PipekitError) else f"{type(error).__name__}: {error}"
        hint = f" {error.hint}" if isinstance(error, PipekitError) and error.hint else ""
        with self._lock:
            self._failing.setdefault(text, set()).add(name)
            if self._clock() - self._said.get(text, float("-inf")) < SAY_EVERY_S:
                return
            self._said[text] = self._clock()
            self._loud.add(text)
            names = ", ".join(sorted(self._failing[text]))
        _LOG.error("%s: %s%s (it is tried again)", names, text, hint, exc_info=None if expected else error)

    def end(self, name: str) -> None:
        """Notes that the chore of this name works."""
        with self._lock:
            for names in self._failing.values():
                names.discard(name)
            over = [text for text, names in self._failing.items() if not names]
            for text in over:
                del self._failing[text]
            loud = [text for text in over if text in self._loud]
            self._loud.difference_update(over)
        for text in loud:
            _LOG.info("mended: %s", text)


class Chore(threading.Thread):
    """Calls `action` with a state database of its own every `every_s` seconds, and sooner or later after a fault."""

    def __init__(
        self,
        config: Config,
        name: str,
        every_s: float,
        action: Callable[[repo.State], None],
        trouble: Trouble,
        ending: threading.Event,
        *,
        first_after_s: float = 0.0,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._config = config
        self._every_s = every_s
        self._action = action
        self._trouble = trouble
        self._ending = ending
        self._first_after_s = first_after_s
        self._db: repo.State | None = None
        self._seen = time.monotonic()

    def idle_s(self) -> float:
        """Seconds since it last came round."""
        return time.monotonic() - self._seen

    def leave(self, timeout_s: float) -> None:
        """Waits for its end, which its event has asked for."""
        if self.is_alive():
            self.join(timeout_s)

    def run(self) -> None:
        """Until the event is set; a fault is told and tried again after a pause."""
        pause_s = self._first_after_s
        while not self._ending.wait(pause_s):
            try:
                self._db = self._db or repo.open_state(self._config.state_path)
                self._action(self._db)
                self._trouble.end(self.name)
                pause_s = self._every_s
            except Exception as error:
                self._trouble.meet(self.name, error)
                self._close()
                pause_s = PAUSE_S
            self._seen = time.monotonic()
        self._close()

    def _close(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()

# Connections to the state database that are kept open for the next one who asks. Knows no table and no request.
"""`Pool` and `Pooled`."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from pipekit.repo.opening import open_to_read
from pipekit.repo.state import State

MOST_IDLE = 8

_File = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Pooled:
    """A connection, and the file it was opened on."""

    db: State
    file: _File


class Pool:
    """Opening costs more than most pages ask for: a connection that was given back is handed out again.

    It goes from thread to thread, one at a time. One whose file was replaced meanwhile is not used again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[Pooled] = []
        self._lock = threading.Lock()

    def find_idle(self) -> Pooled | None:
        """A connection that waits, None when there is none. Waits for nothing itself."""
        with self._lock:
            found = self._idle.pop() if self._idle else None
        if found and not self.is_current(found):
            found.db.close()
            return None
        return found

    def open(self) -> Pooled:
        """A new connection. Raises what `open_state` raises."""
        file = self._identify()
        return Pooled(open_to_read(self._path, any_thread=True), file)

    def is_current(self, pooled: Pooled) -> bool:
        """Whether the file a connection was opened on is still the one in its place."""
        return pooled.file == self._identify()

    def give_back(self, pooled: Pooled) -> None:
        """Keeps a connection for the next one; closes one too many, a frozen one, one inside a transaction."""
        with self._lock:
            if not pooled.db.in_transaction and not pooled.db.is_frozen and len(self._idle) < MOST_IDLE:
                self._idle.append(pooled)
                return
        pooled.db.close()

    def close(self) -> None:
        """Closes what waits."""
        with self._lock:
            idle, self._idle = self._idle, []
        for pooled in idle:
            pooled.db.close()

    def _identify(self) -> _File:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

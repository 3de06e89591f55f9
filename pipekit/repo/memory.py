# What was read, kept for as long as nothing was written. Knows neither what it is nor who asks.
"""`Memory`."""

import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from pipekit.errors import PipekitError
from pipekit.repo.pool import Pool, Pooled
from pipekit.repo.state import State

MOST_KEPT = 32

T = TypeVar("T")
_Stamp = tuple[int, int]


class Memory:
    """Reads once what many ask for at once, and again as soon as anybody has committed anything.

    SQLite tells a connection whether others have committed since it last looked; this one never writes, so for it all
    are others.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._watch: Pooled | None = None
        self._opened = 0
        self._kept: dict[Hashable, tuple[_Stamp, Any]] = {}

    def recall(self, key: Hashable, read: Callable[[State], T]) -> T:
        """What `read` gives now; it only reads, and gives the same for the same key and the same state."""
        with self._lock:
            try:
                return self._recall(key, read)
            except BaseException:
                self._forget()
                raise

    def close(self) -> None:
        """Closes its connection."""
        with self._lock:
            self._forget()

    def _recall(self, key: Hashable, read: Callable[[State], T]) -> T:
        if self._watch is None or not self._pool.is_current(self._watch):
            self._forget()
            self._watch = self._pool.open()
            self._opened += 1
        row = self._watch.db.row("PRAGMA data_version")
        assert row is not None
        # Taken before anything is read: what is committed in between makes it look old, never new.
        stamp = self._opened, row["data_version"]
        found = self._kept.get(key)
        if found and found[0] == stamp:
            known: T = found[1]
            return known
        fresh = read(self._watch.db)
        if self._watch.db.is_frozen:
            self._forget()
            return fresh
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[key] = stamp, fresh
        return fresh

    def _forget(self) -> None:
        self._kept.clear()
        if self._watch:
            with suppress(PipekitError):
                self._watch.db.close()
            self._watch = None

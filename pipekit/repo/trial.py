# Whether the state database can be written, by writing. Knows no table but `meta`.
"""`Trial`: tried at most every two seconds, however many ask."""

import errno
import os
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from pipekit.errors import PipekitError
from pipekit.repo.opening import open_state
from pipekit.repo.state import transaction

HOLDS_S = 2.0
# A batch of rows that is removed holds the lock for a fraction of this.
PATIENCE_MS = 5_000
# A change writes some pages at the end of a file; a log that was emptied has room at its beginning for small ones only.
ROOM = 262_144

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class Trial:
    """Tries to write to a state database, and remembers the outcome for a moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._outcome = False
        self._until = 0.0

    def is_writable(self) -> bool:
        """Whether a change can be committed, and the file or its log may grow."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._outcome = self._try_change() and self._try_room()
                self._until = time.monotonic() + HOLDS_S
            return self._outcome

    def _try_change(self) -> bool:
        try:
            with closing(open_state(self._path)) as db:
                db.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
                with transaction(db):
                    db.change("UPDATE meta SET value = value WHERE name = 'instance_id'")
        except PipekitError:
            return False
        return True

    def _try_room(self) -> bool:
        """Whether so much can be written behind the end of the longer of the two files, in a file that is gone at once.

        A small change alone says nothing: SQLite writes it over what the log held before, which takes no room.
        """
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        try:
            end = max((path.stat().st_size for path in files if path.exists()), default=0)
            with tempfile.TemporaryFile(dir=self._path.parent) as file:
                return os.pwrite(file.fileno(), bytes(ROOM), end) == ROOM
        except OSError as error:
            return error.errno not in _NO_ROOM

# Opens the state database: checks, settings, migrations. Knows no table.
"""`open_state`."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from pipekit.errors import ConfigError, StateError
from pipekit.repo.files import BUSY_TIMEOUT_S, connect, open_file, tighten
from pipekit.repo.migrate import has_pending, migrate, refuse_foreign
from pipekit.repo.state import State, is_disk_full

OLDEST_SQLITE = (3, 37, 0)


def open_to_read(path: Path, *, any_thread: bool = False) -> State:
    """`open_state`, and where the disk is full, a connection that shows the file as it lies there and cannot write.

    Such a one (`is_frozen`) may be kept for one request at most: it does not see that somebody else writes. Raises what
    `open_state` raises, when that does not help either.
    """
    try:
        return open_state(path, any_thread=any_thread)
    except StateError:
        wal = path.with_name(f"{path.name}-wal")
        if not is_disk_full(path) or (wal.exists() and wal.stat().st_size):
            raise
        db = connect(path, any_thread=any_thread, frozen=True)
        if has_pending(db):
            db.close()
            raise
        return db


def open_state(path: Path | str, *, create: bool = False, any_thread: bool = False) -> State:
    """Opens the state database and brings its schema up to date.

    The file, its WAL and its shared memory are readable by their owner only; a wider mode is tightened. With `create` a
    missing file is made, its folder too (0700). With `any_thread` it may go from thread to thread, one at a time.
    Raises ConfigError for a file that is missing, not ours, written by a newer Pipekit, or not accessible; StateError
    for one that is locked or damaged.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise ConfigError(
            f"SQLite {sqlite3.sqlite_version} is too old: Pipekit needs {needed} or later.",
            hint="Use a newer Python, or one built with a newer SQLite.",
        )
    path = Path(path).absolute()
    db = open_file(path, create=create, any_thread=any_thread)
    try:
        refuse_foreign(db)
        tighten(path)
        _set_up(db)
        migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _set_up(db: State) -> None:
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = FULL")
    # Turning WAL on asks for the file alone and does not wait for it, so two first openers must take turns.
    _patiently(lambda: db.row("PRAGMA journal_mode = WAL"))


def _patiently(action: Callable[[], object]) -> None:
    """Repeats what SQLite refuses as locked, for as long as it would itself wait for a lock."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            action()
        except StateError as error:
            cause = error.__cause__
            locked = getattr(cause, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not locked or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return

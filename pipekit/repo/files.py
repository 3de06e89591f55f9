# The state database as files: made, kept private, connected to. Knows no table.
"""Private files and bare connections."""

import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

from pipekit.errors import ConfigError
from pipekit.repo.state import State, state_error

BUSY_TIMEOUT_S = 30.0
FILE_MODE = 0o600

# Closing any descriptor of a file drops this process's POSIX locks on it, SQLite's too. So a state file is only ever
# opened by us to create it, and no other thread may meanwhile hand the same new file to SQLite.
_creating = threading.Lock()


def open_file(path: Path, *, create: bool, any_thread: bool = False) -> State:
    """A bare connection to a private file, made first if `create`: no settings, no migrations. Raises ConfigError."""
    with _creating:
        _prepare(path, create)
        return connect(path, any_thread=any_thread)


def connect(path: Path, *, any_thread: bool = False, frozen: bool = False, read_only: bool = False) -> State:
    """A bare connection to an existing file: no settings, no migrations.

    A `frozen` one takes the file as it lies there, needs no other file beside it, and must not be kept.
    """
    mode = "mode=ro&immutable=1" if frozen else "mode=ro" if read_only else "mode=rw"
    try:
        # mode=rw: SQLite must never create the file, it would do so with whatever mode the umask leaves.
        db = sqlite3.connect(
            f"{path.as_uri()}?{mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            factory=State,
            check_same_thread=not any_thread,
        )
    except sqlite3.Error as error:
        raise state_error(error, path) from error
    db.path = path
    db.is_frozen = frozen
    db.row_factory = _as_mapping
    return db


def _as_mapping(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def _prepare(path: Path, create: bool) -> None:
    try:
        if not path.exists():
            if not create:
                raise ConfigError(
                    f"There is no state database at {path}.",
                    hint="Run `pipekit init` here, or set PIPEKIT_HOME to where it is.",
                )
            _make_folder(path.parent)
            create_private_file(path)
        if path.is_dir():
            raise ConfigError(f"The state database {path} is a folder.", hint="Set `state_path` to a file.")
    except OSError as error:
        raise _cannot_open(path, error) from error


def tighten(path: Path) -> None:
    """Takes what others than its owner may do off a state file and the files beside it. Raises ConfigError."""
    try:
        for name in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))):
            _tighten(name)
    except OSError as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The state database {path} cannot be opened: {error.strerror}.",
        hint="Check the owner and mode of the file and its folder.",
    )


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            return
        folder.chmod(0o700)


def create_private_file(path: Path) -> None:
    """Makes an empty file only its owner can read, whatever the umask; one that is there already is left alone."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    except FileExistsError:
        return
    try:
        os.fchmod(handle, FILE_MODE)
    finally:
        os.close(handle)


def _tighten(path: Path) -> None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & ~FILE_MODE:
            path.chmod(mode & FILE_MODE)
    except FileNotFoundError:
        return

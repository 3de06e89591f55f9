# Where the files of tests lie: in memory where there is room, as none has to outlive the machine. Knows no test.
"""`stay_in_memory`: commits wait for a disk, and tests commit some hundred thousand times."""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")
_NAME = "pipekit-tests-"
# Two processes of `make test-all` have less than half of it at any moment.
_ROOM_BYTES = 8 << 30


def stay_in_memory() -> None:
    """Temporary files of this process, and of all that it starts. Who has set TMPDIR knows better."""
    if "TMPDIR" in os.environ or not _has_room(_SHARED_MEMORY):
        return
    _remove_what_the_dead_left()
    folder = _SHARED_MEMORY / f"{_NAME}{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o1777)  # some servers are started as another user
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    atexit.register(_remove_if_empty, folder)


def _has_room(folder: Path) -> bool:
    """Also that programs may lie there: tests install some."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    free = min(found.f_bavail * found.f_frsize, _find_free_memory())
    return free >= _ROOM_BYTES and not found.f_flag & os.ST_NOEXEC and os.access(folder, os.W_OK)


def _find_free_memory() -> int:
    """Bytes that can be had without swapping."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next(int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:")


def _remove_what_the_dead_left() -> None:
    for folder in _SHARED_MEMORY.glob(f"{_NAME}*"):
        if not Path("/proc", folder.name.removeprefix(_NAME)).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    """What failed tests have left is for somebody to look at, until the next run."""
    with suppress(OSError):
        for below in (*folder.glob("pytest-of-*"), folder):
            below.rmdir()

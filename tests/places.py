# Where the files of tests lie: in memory where there is room, as none has to outlive the machine. Knows no test.
"""`stay_in_memory`: commits wait for a disk, and tests commit some hundred thousand times."""

import os
import tempfile
from pathlib import Path

_SHARED_MEMORY = Path("/dev/shm")
# What two processes of `make test-all` have at most, and as much again for the programs they start.
_ROOM_BYTES = 8 << 30


def stay_in_memory() -> None:
    """Temporary files of this process, and of all that it starts. Who has set TMPDIR knows better."""
    if "TMPDIR" not in os.environ and _has_room(_SHARED_MEMORY):
        os.environ["TMPDIR"] = str(_SHARED_MEMORY)
        tempfile.tempdir = None


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

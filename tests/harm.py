# Single blows that tests, the soak and the matrix of faults deal to processes and files. Judges nothing.
"""What is bent is put right when a `with` block ends; what has gone by then is no error."""

import contextlib
import os
import resource
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipekit.errors import RunnerError
from pipekit.runner.process import run_program
from tests.patience import PATIENCE_S

# Root may write whatever a file's mode is; without this right it is held to it like everyone.
_WITHOUT_OVERRIDE = """
import ctypes, os, sys
CAPABILITY_BOUNDING_SET_DROP, DAC_OVERRIDE = 24, 1
ctypes.CDLL(None).prctl(CAPABILITY_BOUNDING_SET_DROP, DAC_OVERRIDE, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
OBEDIENT = (sys.executable, "-c", _WITHOUT_OVERRIDE)


def send(pid: int, number: int) -> bool:
    """A signal to a process, and whether there was one."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def limited(pid: int, largest_bytes: int) -> Iterator[None]:
    """A process may write no file beyond a size: as if its disk were full, but for what is small."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest_bytes, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the lock of an SQLite file; nothing is held where somebody else has it for 5 s."""
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as holder:
        with contextlib.suppress(sqlite3.OperationalError):
            holder.execute("begin immediate")
        yield
        with contextlib.suppress(sqlite3.OperationalError):
            holder.execute("rollback")


def mount_small(folder: Path, megabytes: int) -> str:
    """Makes a folder a disk of its own in memory; why it cannot be, `""` when it is. Ends by `unmount`."""
    options = f"size={megabytes}m,mode=0700"
    try:
        done = run_program(["mount", "-t", "tmpfs", "-o", options, "pipekit", str(folder)], timeout_s=10)
    except RunnerError as error:
        return f"no small disk can be mounted: {error.message}"
    return f"no small disk can be mounted: {done.stderr.strip()}" if done.code else ""


def unmount(folder: Path) -> None:
    """Takes such a disk away, whoever still has a file of it open."""
    run_program(["umount", "--lazy", str(folder)], timeout_s=PATIENCE_S)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    path = folder / "ballast"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path

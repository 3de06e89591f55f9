# Who owns a lease: a process, named so that anyone on the machine can see whether it still lives. Knows no database.
"""Owners of leases: `boot:pid namespace:pid:start time:token`."""

import os
import uuid
from pathlib import Path
from typing import Literal

Liveness = Literal["alive", "dead", "unknown"]


def new_owner() -> str:
    """A name for this process as the owner of one run."""
    pid = os.getpid()
    return ":".join((_boot(), _namespace(), str(pid), _started(pid), uuid.uuid4().hex[:12]))


def get_liveness(owner: str) -> Liveness:
    """Whether an owner's process lives. `unknown` when it belongs to another machine, boot-less system or container."""
    parts = owner.split(":")
    if len(parts) != 5 or not parts[2].isdigit():
        return "unknown"
    boot, namespace, pid, started, _ = parts
    # Another boot, machine or container: its processes cannot be seen from here, only the lease's expiry can tell.
    if not boot or boot != _boot() or namespace != _namespace():
        return "unknown"
    if _is_hidden(int(pid)):
        return "unknown"
    return "alive" if _started(int(pid)) == started else "dead"


def _boot() -> str:
    return _read("/proc/sys/kernel/random/boot_id")


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return ""


def _is_hidden(pid: int) -> bool:
    """Whether there is such a process, but the system does not let us look at it (hidepid, ProtectProc)."""
    if Path(f"/proc/{pid}").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str:
    """The start time of a living process in clock ticks since boot, `""` when there is none (or it is a zombie)."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return "" if len(fields) < 20 or fields[0] == "Z" else fields[19]


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""

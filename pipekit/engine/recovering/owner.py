# Who owns a lease: a process, named so that anyone on the machine can see whether it still lives. Knows no database.
"""Owners of leases: `boot:pid namespace:pid:start time:token`."""

import hashlib
import os
import uuid
from pathlib import Path
from typing import Literal

Liveness = Literal["alive", "dead", "unknown"]

_PROCESS = "process"


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
    return _look_at(int(pid), started)


def name_process() -> str:
    """This process, in a word of at most 40 characters: what stands in a dest where no installation does."""
    pid = os.getpid()
    return f"{_PROCESS}-{_machine()}-{pid}-{_started(pid)}"


def get_process_liveness(name: str) -> Liveness | None:
    """The same of a word of `name_process`; None for any other word."""
    parts = name.split("-")
    if len(parts) != 4 or parts[0] != _PROCESS or not parts[2].isdigit():
        return None
    return _look_at(int(parts[2]), parts[3]) if _boot() and parts[1] == _machine() else "unknown"


def _machine() -> str:
    return hashlib.sha256(f"{_boot()} {_namespace()}".encode()).hexdigest()[:8]


def _look_at(pid: int, started: str) -> Liveness:
    if _is_hidden(pid):
        return "unknown"
    return "alive" if _started(pid) == started else "dead"


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

# Runs one command and measures it. Knows nothing of what the command does.
"""Wall time, processor time and peak memory of a command with all the processes it starts."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_EVERY_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """A process seen while the command ran: its command line and its peak resident memory."""

    command: str
    peak_mb: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """One run of a command. `processes` leaves out shells; `cpu_s` is user and system time of all of them."""

    seconds: float
    cpu_s: float
    stdout: str
    processes: tuple[Process, ...] = ()

    @property
    def peak_mb(self) -> float:
        """The peaks of all processes added up: what the machine must have at worst."""
        return sum(process.peak_mb for process in self.processes)

    @property
    def largest_mb(self) -> float:
        """The peak of the largest process."""
        return max((process.peak_mb for process in self.processes), default=0.0)


class CommandFailed(Exception):
    """A measured command did not end with exit code 0."""


@dataclass(slots=True)
class MemoryWatch:
    """Samples the peak resident memory of a process tree in a thread of its own.

    The kernel keeps each process's own high-water mark, so a sample late in its life is enough.
    """

    pid: int
    seen: dict[int, Process] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Samples until `stop`."""
        while True:
            self._sample(self.pid)
            if self._ended.wait(SAMPLE_EVERY_S):
                return

    def stop(self) -> None:
        """Ends the sampling."""
        self._ended.set()

    def _sample(self, pid: int) -> None:
        for child in _list_children(pid):
            self._sample(child)
        process = _read_process(pid)
        if process is not None:
            self.seen[pid] = process


def measure(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> Measurement:
    """Runs a command to its end; raises CommandFailed with what it wrote when it fails."""
    output, errors = cwd / "stdout.txt", cwd / "stderr.txt"
    with output.open("wb") as out, errors.open("wb") as err:
        began = time.perf_counter()
        popen = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        watch = MemoryWatch(popen.pid)
        thread = threading.Thread(target=watch.run)
        thread.start()
        try:
            _, status, usage = os.wait4(popen.pid, 0)
        finally:  # also where a signal ends us: nobody else would stop the watch
            seconds = time.perf_counter() - began
            watch.stop()
            thread.join()
        popen.returncode = os.waitstatus_to_exitcode(status)
    text = output.read_text(errors="replace")
    if popen.returncode != 0:
        raise CommandFailed(f"{' '.join(argv)[:200]}: exit code {popen.returncode}\n{text}{errors.read_text()}")
    return Measurement(
        seconds=seconds, cpu_s=usage.ru_utime + usage.ru_stime, stdout=text, processes=_without_shells(watch.seen)
    )


def _without_shells(seen: Mapping[int, Process]) -> tuple[Process, ...]:
    return tuple(process for process in seen.values() if not process.command.startswith(("sh -c", "/bin/sh")))


def _list_children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in os.listdir(f"/proc/{pid}/task")
            for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split()
        ]
    except OSError:
        return []


def _read_process(pid: int) -> Process | None:
    """None for a process that is gone, or that has ended and is only waiting to be collected."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return Process(command=command, peak_mb=int(line.split()[1]) / 1024)
    return None

# Child processes: the only file that imports subprocess. Knows nothing of what the programs do.
"""Starting, watching and ending programs, each in a process group of its own."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from pipekit.errors import RunnerError, TimedOut

_LONGEST_MS = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A program that has ended."""

    code: int
    stdout: str
    stderr: str


class Program:
    """A program running in a process group of its own; its pipes are binary. It was `begun` by the monotonic clock."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen
        self.begun = time.monotonic()
        self.pid = popen.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The pipe to the program."""
        assert self._popen.stdin is not None
        return self._popen.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The pipe from the program."""
        assert self._popen.stdout is not None
        return self._popen.stdout

    @property
    def stderr(self) -> IO[bytes]:
        """The program's error pipe."""
        assert self._popen.stderr is not None
        return self._popen.stderr

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._popen.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Waits for the end; None when it still runs after `timeout_s` seconds."""
        if self._popen.poll() is None:
            _wait_for_end(self._popen, timeout_s)
        return self._popen.poll()

    def signal_group(self, number: int) -> None:
        """Sends a signal to the whole process group, if any of it is left."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """Ends the whole group at once."""
        self.signal_group(signal.SIGKILL)
        self._popen.wait()

    def stop(self, grace_s: float = 5.0, number: int = signal.SIGTERM) -> int:
        """Asks the program to end, kills its group after `grace_s` seconds, and returns the exit code."""
        self.signal_group(number)
        if self.wait(grace_s) is None:
            self.kill()
        return self._popen.wait()

    def close_pipes(self) -> None:
        """Closes what is open of the three pipes."""
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self.close_pipes()


def _wait_for_end(popen: "subprocess.Popen[bytes]", timeout_s: float) -> None:
    """Woken by the kernel where it can: subprocess looks again after ever longer sleeps, up to 50 ms each."""
    try:
        descriptor = os.pidfd_open(popen.pid)
    except (AttributeError, OSError):
        with contextlib.suppress(subprocess.TimeoutExpired):
            popen.wait(timeout_s)
        return
    try:
        watch = select.poll()
        watch.register(descriptor, select.POLLIN)
        watch.poll(min(max(0.0, timeout_s * 1000), _LONGEST_MS))
    finally:
        os.close(descriptor)


def run_program(
    argv: Sequence[str],
    *,
    timeout_s: float,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    input_text: str | None = None,
) -> Finished:
    """Runs a program to its end. Raises TimedOut after `timeout_s` seconds (and kills it), RunnerError if absent."""
    popen = _popen(argv, env=env, user=user, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    program = Program(popen)
    try:
        out, err = popen.communicate((input_text or "").encode(), timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise TimedOut(f"{argv[0]} took longer than {timeout_s:g} s.") from None
    finally:
        program.signal_group(signal.SIGKILL)
        popen.wait()
        program.close_pipes()
    return Finished(code=popen.returncode, stdout=out.decode(errors="replace"), stderr=err.decode(errors="replace"))


def start_program(
    argv: Sequence[str],
    *,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
    log_path: Path | None = None,
) -> Program:
    """Starts a program that goes on; its output goes to `log_path`, or nowhere."""
    if log_path is None:
        return Program(_popen(argv, env=env, user=user, stdin=None, stdout=None, stderr=None))
    with log_path.open("ab") as log:
        return Program(_popen(argv, env=env, user=user, stdin=None, stdout=log, stderr=log))


def start_piped(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> Program:
    """Starts a program that is spoken to through its three pipes."""
    pipe = subprocess.PIPE
    return Program(_popen(argv, env=env, user=None, stdin=pipe, stdout=pipe, stderr=pipe))


def _popen(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None,
    user: str | None,
    stdin: int | None,
    stdout: int | IO[bytes] | None,
    stderr: int | IO[bytes] | None,
) -> "subprocess.Popen[bytes]":
    nowhere = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            list(argv),
            env=None if env is None else dict(env),
            stdin=nowhere if stdin is None else stdin,
            stdout=nowhere if stdout is None else stdout,
            stderr=nowhere if stderr is None else stderr,
            start_new_session=True,
            user=user,
            group=None if user is None else _primary_group(user),
            extra_groups=None if user is None else [],
        )
    except FileNotFoundError:
        raise RunnerError(f"There is no program {argv[0]}.") from None


def _primary_group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def wait_until(done: Callable[[], bool], timeout_s: float, interval_s: float = 0.02) -> bool:
    """Polls until `done()` is true; False when `timeout_s` seconds passed first."""
    deadline = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval_s)
    return True

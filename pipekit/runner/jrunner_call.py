# One jrunner process: started, read, ended. Knows its pipes and the limits of time; not what it prints.
"""`JrunnerCall`, the limits it keeps to, and the file its query lies in."""

import codecs
import json
import os
import selectors
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipekit.errors import Cancelled, RunnerError
from pipekit.runner import guard
from pipekit.runner.jrunner_output import describe_failure, find_thrown
from pipekit.runner.limits import tell_silent, tell_too_long
from pipekit.runner.native import KEPT_VARIABLES
from pipekit.runner.process import start_piped

POLL_S = 0.1
STDERR_TAIL = 65_536
JAVA_VARIABLES = ("JAVA_HOME", "JAVA_OPTS", "JAVA_TOOL_OPTIONS", "CLASSPATH", "JRUNNER_HOME", "JRUNNER_OPTS")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When to give up: an event that is set, a `time.monotonic`, `run_s` after the begin, seconds of silence."""

    stop: threading.Event
    deadline: float | None
    run_s: float | None
    silence_s: float


class JrunnerCall:
    """A jrunner that runs. Use as a context manager: on leaving, its whole process group is gone.

    `tell` gets what it writes to stderr; `mask` takes passwords out of that and of errors.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        limits: Limits,
        tell: Callable[[str], None],
        mask: Callable[[str], str],
    ) -> None:
        self._limits = limits
        self._tell = tell
        self._mask = mask
        self._stderr = ""
        self._is_ended = False
        # -I and -S: the guard needs nothing but the standard library, and starts in a moment.
        self._program = start_piped([sys.executable, "-I", "-S", guard.__file__], env=_environment(os.environ))
        self._program.stdin.write(json.dumps({"argv": list(argv), "cwd": cwd}).encode() + b"\n")
        self._program.stdin.flush()

    def read(self) -> Iterator[str]:
        """What it prints, as it comes. Raises at its end when it failed, and when a limit passes."""
        decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
        heard = time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._program.stdout, selectors.EVENT_READ, "stdout")
            selector.register(self._program.stderr, selectors.EVENT_READ, "stderr")
            while selector.get_map():
                for key, _ in selector.select(POLL_S):
                    data = os.read(key.fd, 1 << 16)
                    heard = time.monotonic()
                    text = decoders[key.data].decode(data, final=not data)
                    if not data:
                        selector.unregister(key.fileobj)
                    if key.data == "stderr":
                        self._note(text)
                    elif text:
                        yield text
                self._check_limits(heard)
        self._check_end()

    def _note(self, text: str) -> None:
        self._stderr = (self._stderr + text)[-STDERR_TAIL:]
        if text:
            self._tell(self._mask(text))

    def _check_limits(self, heard: float) -> None:
        now = time.monotonic()
        if self._limits.stop.is_set():
            raise Cancelled()
        if self._limits.deadline is not None and now > self._limits.deadline:
            raise tell_too_long(self._limits.run_s)
        if now - heard > self._limits.silence_s:
            raise tell_silent("jrunner", self._limits.silence_s)

    def _check_end(self) -> None:
        """A Java program may print a stack trace and still end with 0; that is no success."""
        code = self._program.wait(5.0)
        if code != 0 or find_thrown(self._stderr):
            raise self.describe_failure()

    def describe_failure(self) -> RunnerError:
        """The error that this call has come to."""
        return describe_failure(self._program.poll(), self._mask(self._stderr))

    def kill(self) -> None:
        """Ends it and whatever it started."""
        if not self._is_ended:
            self._is_ended = True
            self._program.kill()
            self._program.close_pipes()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    names = (*KEPT_VARIABLES, *JAVA_VARIABLES)
    return {name: value for name, value in environ.items() if name in names or name.startswith("LC_")}


@contextmanager
def query_file(sql: str) -> Iterator[Path]:
    """A file that holds the query and that only we can read, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="pipekit-jrunner-") as folder:
        path = Path(folder, "query.sql")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(sql)
        yield path

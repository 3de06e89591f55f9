# The parent side of Pipekit's own runner. Knows the pipe protocol and the clock, no database and no run.
"""`NativeRunner`: starts a child, sends it operations through a pipe, relays progress, and ends it."""

import json
import os
import selectors
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from typing import Self

from pipekit.errors import Cancelled, RunnerDied, RunnerError
from pipekit.models import RunSession
from pipekit.runner.answers import Event as Event
from pipekit.runner.answers import error_from, read_rows
from pipekit.runner.limits import tell_silent, tell_too_long
from pipekit.runner.process import Program, start_piped
from pipekit.runner_contract import (
    Endpoint,
    Expect,
    Load,
    Loaded,
    ProgressCallback,
    QueryResult,
    Statement,
    gather,
    to_wire,
)

LogText = Callable[[str], None]
MeetSession = Callable[[RunSession], None]

POLL_S = 0.1
LEAVE_WITHIN_S = 2.0
STOP_WITHIN_S = 2.0
# What is asked of a child between two runs is nobody's record.
_UNTOLD = ("ping", "forget")
KEPT_OUTPUT = 65_536

# Nothing else of our environment reaches a child: PG* variables would change where it connects, and secrets that came
# as environment variables must not be readable in another process.
KEPT_VARIABLES = (
    "PATH", "HOME", "LANG", "TZ", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "JAVA_HOME", "MSSQL_PYTHON_NATIVE_PROVIDER",
)  # fmt: skip


class NativeRunner:
    """One runner child. Use as a context manager; safe to close from any thread through `stop`.

    `stop` is an event that ends the current operation with Cancelled; `silence_timeout_s` bounds the time without a
    sign of life while rows are read or moved; `deadline` (of `time.monotonic`) bounds everything; `kinds` are drivers
    the child may load while it waits for its first operation. `child` is one that `start_child` has started before;
    `on_session` hears of sessions that can be told from others on their system, `on_wait` is called again and again
    while an answer is waited for;
    `hand_back` takes it, without connections, once all its work has gone well, or says that it is to end.
    """

    sees_values = True

    def __init__(
        self,
        *,
        log: LogText = lambda text: None,
        on_session: MeetSession = lambda session: None,
        stop: threading.Event | None = None,
        silence_timeout_s: float = 900.0,
        deadline: float | None = None,
        kinds: Collection[str] = (),
        child: Program | None = None,
        hand_back: Callable[[Program], bool] | None = None,
    ) -> None:
        self.log = log
        self.on_wait: Callable[[], None] = lambda: None
        self.on_session = on_session
        self._stop = stop or threading.Event()
        self._silence_timeout_s = silence_timeout_s
        self.deadline = deadline
        self.limit_s = None if deadline is None else deadline - time.monotonic()
        self._said = {"stdout": bytearray(), "stderr": bytearray()}
        self._buffer = bytearray()
        self._hand_back = hand_back
        self._is_busy = False
        self._program: Program | None = child or start_child(kinds)
        self.pid = self._program.pid
        self._selector = selectors.DefaultSelector()
        for pipe, take in ((self._program.stdout, self._take_stdout), (self._program.stderr, self._take_stderr)):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, take)

    # -- the contract --------------------------------------------------------------------------------------------------

    def ping(self) -> Event:
        """Waits until the child answers."""
        return self._last({"op": "ping"}, self._silence_timeout_s)

    def start_drivers(self, endpoints: Iterable[Endpoint]) -> None:
        """Lets the child start Java for those that have a jar, beside what it is asked; nothing is answered."""
        for endpoint in endpoints:
            if endpoint.jar:
                self._send({"op": "start", "endpoint": to_wire(endpoint)})

    def answers(self, within_s: float) -> bool:
        """Whether the child answers within that time; one that does not is killed."""
        deadline, self.deadline = self.deadline, time.monotonic() + within_s
        try:
            self.ping()
        except RunnerError:
            self.kill()
            return False
        self.deadline = deadline
        return True

    def probe(self, endpoint: Endpoint) -> Event:
        """What a registered driver says of itself and of the endpoint's URL; nothing is connected to."""
        answer: Event = self._last({"op": "probe", "endpoint": to_wire(endpoint)}, self._silence_timeout_s)["probe"]
        return answer

    def forget_sessions(self) -> None:
        """Closes the child's sessions; it stays, and connects anew for the next operation."""
        self._last({"op": "forget"}, self._silence_timeout_s)

    def query(
        self, endpoint: Endpoint, sql: str, *, limit: int | None = None, longest: int | None = None
    ) -> QueryResult:
        """See `Runner.query`."""
        return gather(self._blocks(endpoint, sql, limit, longest))

    def stream(self, endpoint: Endpoint, sql: str) -> Iterator[QueryResult]:
        """See `Runner.stream`."""
        return self._blocks(endpoint, sql, None)

    def _blocks(
        self, endpoint: Endpoint, sql: str, limit: int | None, longest: int | None = None
    ) -> Iterator[QueryResult]:
        request = {"op": "query", "endpoint": to_wire(endpoint), "sql": sql, "limit": limit, "longest": longest}
        for event in self._events(request, self._silence_timeout_s):
            if event["event"] == "rows":
                yield read_rows(event)

    def look(
        self,
        endpoint: Endpoint,
        queries: Sequence[str],
        *,
        longest: int | None = None,
        opens: Endpoint | None = None,
    ) -> list[QueryResult]:
        """See `Runner.look`."""
        request = {"op": "look", "endpoint": to_wire(endpoint), "queries": list(queries), "longest": longest}
        request["opens"] = to_wire(opens) if opens else None
        events = self._events(request, self._silence_timeout_s)
        return [read_rows(event) for event in events if event["event"] == "rows"]

    def look_both(
        self, one: Endpoint, queries: Sequence[str], two: Endpoint, others: Sequence[str]
    ) -> tuple[list[QueryResult], list[QueryResult]]:
        """See `Runner.look_both`. Both may be silent for long, so only the deadline bounds it."""
        looks = [{"endpoint": to_wire(one), "queries": [*queries]}, {"endpoint": to_wire(two), "queries": [*others]}]
        events = self._events({"op": "look_both", "looks": looks}, None)
        found = [read_rows(event) for event in events if event["event"] == "rows"]
        return found[: len(queries)], found[len(queries) :]

    def execute(
        self,
        endpoint: Endpoint,
        statements: Sequence[Statement],
        expect: Sequence[Expect] = (),
        *,
        autocommit: bool = False,
    ) -> dict[str, int]:
        """See `Runner.execute`. A statement may be silent for long, so only the deadline bounds it."""
        return self._run({"op": "execute", "autocommit": autocommit}, endpoint, statements, expect)

    def go_on(
        self, endpoint: Endpoint, statements: Sequence[Statement], expect: Sequence[Expect] = ()
    ) -> dict[str, int]:
        """See `Runner.go_on`; bounded as `execute` is."""
        return self._run({"op": "go_on"}, endpoint, statements, expect)

    def _run(
        self, request: Event, endpoint: Endpoint, statements: Sequence[Statement], expect: Sequence[Expect]
    ) -> dict[str, int]:
        request |= {
            "endpoint": to_wire(endpoint),
            "statements": [to_wire(statement) for statement in statements],
            "expect": [to_wire(item) for item in expect],
        }
        counts: dict[str, int] = self._last(request, None)["counts"]
        return counts

    def migrate(
        self, source: Endpoint, sql: str, dest: Endpoint, load: Load, on_progress: ProgressCallback | None = None
    ) -> Loaded:
        """See `Runner.migrate`."""
        request = {"op": "migrate", "source": to_wire(source), "sql": sql, "dest": to_wire(dest), "load": to_wire(load)}
        done: Event = {}
        for event in self._events(request, self._silence_timeout_s):
            if event["event"] == "progress" and on_progress:
                on_progress(event["rows"])
            done = event
        return Loaded(**{f.name: done[f.name] for f in fields(Loaded)})

    # -- life ----------------------------------------------------------------------------------------------------------

    @property
    def stdout_tail(self) -> str:
        """The last of what the child answered, a line for each operation; rows and progress are left out."""
        return bytes(self._said["stdout"]).decode(errors="replace")

    @property
    def stderr_tail(self) -> str:
        """The last of what the child wrote to stderr."""
        return bytes(self._said["stderr"]).decode(errors="replace")

    @property
    def alive(self) -> bool:
        """Whether operations can still be sent."""
        return self._program is not None and self._program.poll() is None

    def close(self) -> None:
        """Lets the child close its connections and end; kills it when it does not, or is in the midst of something."""
        if self._is_busy:
            # It would hear of it only when somebody has read all that it still has to say.
            self.kill()
        elif not self._try_to_hand_back():
            self._end()

    def _try_to_hand_back(self) -> bool:
        hand_back, self._hand_back = self._hand_back, None
        if hand_back is None or self._program is None:
            return False
        self.deadline = time.monotonic() + LEAVE_WITHIN_S
        try:
            self.forget_sessions()
            for key, _ in self._selector.select(0):
                key.data(os.read(key.fd, KEPT_OUTPUT))  # what it has said of this run belongs to this run
        except RunnerError:
            return False
        if not hand_back(self._program):
            return False
        self._program = None
        self._selector.close()
        return True

    def _end(self) -> None:
        program = self._program
        if program is None:
            return
        try:
            self._send({"op": "close"})
            program.stdin.close()
            program.wait(2.0)
        except (BrokenPipeError, RunnerDied):
            pass
        self.kill()

    def kill(self) -> None:
        """Ends the child and whatever it started, at once."""
        program, self._program = self._program, None
        if program is not None:
            self._selector.close()
            program.kill()
            program.close_pipes()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- the pipe ------------------------------------------------------------------------------------------------------

    def _last(self, request: Event, silence_s: float | None) -> Event:
        last: Event = {}
        for event in self._events(request, silence_s):
            last = event
        return last

    def _events(self, request: Event, silence_s: float | None) -> Iterator[Event]:
        """The events of one operation, its `done` last; an `error` event is raised."""
        self._send(request)
        self._is_busy = True
        while True:
            event = json.loads(self._next_line(silence_s))
            if event["event"] == "session":
                self.on_session(RunSession.from_json(event))
                continue
            self._is_busy = event["event"] not in ("done", "error")
            if not self._is_busy and request["op"] not in _UNTOLD:
                self._keep("stdout", f"{request['op']} {json.dumps(event)}\n".encode())
            if event["event"] == "error":
                self._hand_back = None  # what has failed may have left something behind
                raise error_from(event)
            yield event
            if not self._is_busy:
                return

    def _send(self, request: Event) -> None:
        if self._program is None:
            raise RunnerDied("The runner has already ended.")
        try:
            self._program.stdin.write(json.dumps(request).encode() + b"\n")
            self._program.stdin.flush()
        except BrokenPipeError:
            self._died()

    def _next_line(self, silence_s: float | None) -> bytes:
        heard = time.monotonic()
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found:
                self._buffer = rest
                return bytes(line)
            if self._read_pipes():
                heard = time.monotonic()
            self.on_wait()
            self._check_limits(heard, silence_s)

    def _read_pipes(self) -> bool:
        """Takes what the pipes hold, waiting a moment; whether stdout had something."""
        heard = False
        for key, _ in self._selector.select(POLL_S):
            data = os.read(key.fd, 1 << 20)
            heard = key.data(data) or heard
        return heard

    def _take_stdout(self, data: bytes) -> bool:
        if not data:
            self._died()
        self._buffer += data
        return True

    def _take_stderr(self, data: bytes) -> bool:
        if data and self._program is not None:
            self._keep("stderr", data)
            self.log(data.decode(errors="replace"))
        elif self._program is not None:
            self._selector.unregister(self._program.stderr)
        return False

    def _keep(self, name: str, data: bytes) -> None:
        self._said[name] += data
        del self._said[name][:-KEPT_OUTPUT]

    def _check_limits(self, heard: float, silence_s: float | None) -> None:
        now = time.monotonic()
        told: RunnerError | None = None
        if self._stop.is_set():
            told = Cancelled()
        elif self.deadline is not None and now > self.deadline:
            told = tell_too_long(self.limit_s)
        elif silence_s is not None and now - heard > silence_s:
            told = tell_silent("the databases", silence_s)
        if told is not None:
            self._end_work()
            raise told

    def _end_work(self) -> None:
        """Kills the child once it has told the databases, which may be late to see that a connection is lost."""
        until = time.monotonic() + STOP_WITHIN_S
        with suppress(RunnerError):
            self._send({"op": "stop"})
            while b'{"event": "stopped"}' not in self._buffer and time.monotonic() < until:
                self._read_pipes()
        self.kill()

    def _died(self) -> None:
        program = self._program
        assert program is not None
        program.wait(1.0)
        for key, _ in self._selector.select(0):
            if key.data == self._take_stderr:
                self._take_stderr(os.read(key.fd, KEPT_OUTPUT))
        code = program.poll()
        self.kill()
        how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
        message = f"The runner ended {how} in the middle of its work."
        raise RunnerDied(message, hint="The run's log has what it said last.")


def start_child(kinds: Collection[str]) -> Program:
    """A runner child that loads the drivers of these kinds and waits."""
    # -P keeps the working directory off the module path.
    argv = [sys.executable, "-P", "-m", "pipekit.runner.child", *sorted(set(kinds))]
    return start_piped(argv, env=_child_environment(os.environ))


def _child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: environ[name] for name in KEPT_VARIABLES if name in environ}
    kept.update({name: value for name, value in environ.items() if name.startswith("LC_")})
    return kept

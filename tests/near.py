# A runner without a child, for tests of what runs do to databases. Real sessions, real engine, no process between.
"""`NearRunner`: does in this process what a child does at the other end of a pipe."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pipekit.errors import PipekitError
from pipekit.runner.child import Child
from pipekit.runner.native import Event, NativeRunner
from pipekit.runner_contract import Endpoint


class NearRunner(NativeRunner):
    """Takes what `NativeRunner` takes; limits of time and cancelling are for tests with a process."""

    def __init__(self, **options: Any) -> None:
        self.log = options.get("log", lambda text: None)
        self._silence_timeout_s = 60.0
        if (ahead := options.get("child")) is not None:
            ahead.kill()
            ahead.close_pipes()
        self._events_seen: list[Event] = []
        self._child: Child | None = Child(self._events_seen.append)

    @property
    def alive(self) -> bool:
        return self._child is not None

    @property
    def stdout_tail(self) -> str:
        return ""

    @property
    def stderr_tail(self) -> str:
        return ""

    def close(self) -> None:
        if self._child is not None:
            self._child.forget_sessions()
            self._child = None

    kill = close

    def start_drivers(self, endpoints: Iterable[Endpoint]) -> None:
        """Nothing is done beside anything else here."""

    def _events(self, request: Event, silence_s: float | None) -> Iterator[Event]:
        assert self._child is not None
        self._events_seen.clear()
        try:
            done = self._child.handle(json.loads(json.dumps(request)))
        except Exception as error:
            # As a child does after what may have broken a session.
            if not isinstance(error, PipekitError) or getattr(error, "transient", False):
                self._child.forget_sessions()
            raise
        yield from json.loads(json.dumps(self._events_seen))
        yield json.loads(json.dumps(done))

# The runner child: the only place that loads drivers/*/wire.py. Knows the pipe protocol, no module, no run, no state.
"""Reads operations from stdin, one JSON document a line, and answers with events on stdout.

Every answer ends with `{"event": "done", ...}` or `{"event": "error", ...}`; before it may come `rows` and `progress`.
The child ends by itself as soon as its stdin closes, whatever it is doing: it dies with its parent.
"""

import contextlib
import gc
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, BinaryIO, cast

from pipekit.cutting import SENT, cut
from pipekit.drivers import describe_install, find_package, get_driver
from pipekit.drivers.wire import (
    AdaptableSession,
    Format,
    KnownSession,
    LastingSession,
    LastingSink,
    Session,
    Sink,
    Source,
    StoppableSession,
    Stream,
)
from pipekit.errors import CheckFailed, ConnectFailed, PipekitError, RunnerError, StatementFailed
from pipekit.runner_contract import (
    Endpoint,
    Expect,
    Load,
    QueryResult,
    Statement,
    check_claim,
    endpoint_from_wire,
    load_from_wire,
)

PROGRESS_EVERY_S = 0.3
# Blocks of rows are thousands of containers that hold no cycle; Python would look them through several times a block.
CONTAINERS_BEFORE_COLLECTING = 50_000
# None is answered but the last, by an event of its own beside whatever is under way.
CLOSE, PREPARE, START, STOP = "close", "prepare", "start", "stop"

Answer = dict[str, Any]
Rows = tuple[tuple[str | None, ...], ...]
Emit = Callable[[Answer], None]


class Child:
    """Open sessions, and one method per operation."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._sessions: dict[Endpoint, Session] = {}
        self._refused: dict[Endpoint, Exception] = {}

    def handle(self, request: Answer) -> Answer:
        """Does one operation and returns its `done` event."""
        operation = {"query": self.query, "look": self.look, "execute": self.execute, "migrate": self.migrate}
        operation |= {
            "look_both": self.look_both,
            "go_on": self.go_on,
            "ping": self.ping,
            "probe": self.probe,
            "forget": self.forget,
        }
        return {"event": "done", **operation[request["op"]](request)}

    def ping(self, request: Answer) -> Answer:
        """Says that the child is there and what it runs on."""
        return {"python": sys.version.split()[0], "pid": os.getpid()}

    def probe(self, request: Answer) -> Answer:
        """Loads a registered driver and connects to nothing."""
        endpoint = endpoint_from_wire(request["endpoint"])
        return {"probe": _load_wire(endpoint.kind).probe(endpoint)}

    def forget(self, request: Answer) -> Answer:
        """Closes every session; the child stays."""
        self.forget_sessions()
        return {}

    def query(self, request: Answer) -> Answer:
        """Sends a query's rows in `rows` events."""
        session = self.session(request["endpoint"])
        limit = request["limit"]
        results = iter([session.query(request["sql"], limit)]) if limit is not None else session.stream(request["sql"])
        for block in results:
            self._emit_rows(block, request["longest"])
        return {}

    def look(self, request: Answer) -> Answer:
        """Sends what each of several queries found in a `rows` event of its own."""
        session, opens = self.session(request["endpoint"]), request["opens"]
        for found in session.look(request["queries"], lambda: self._try_to_open(opens) if opens else None):
            self._emit_rows(found, request["longest"])
        return {}

    def look_both(self, request: Answer) -> Answer:
        """The same at two databases: what the first is asked is sent before the second is asked."""
        one, two = ((self.session(look["endpoint"]), look["queries"]) for look in request["looks"])
        others: list[QueryResult] = []

        def ask_other() -> None:
            others[:] = two[0].look(two[1])

        for found in (*one[0].look(one[1], ask_other), *others):
            self._emit_rows(found, None)
        return {}

    def _try_to_open(self, data: Answer) -> None:
        """What stands in the way is told to who asks this database something, and not tried twice."""
        try:
            self.session(data)
        except Exception as error:
            self._refused[endpoint_from_wire(data)] = error

    def _emit_rows(self, found: QueryResult, longest: int | None) -> None:
        columns = [[column.name, column.type] for column in found.columns]
        self._emit({"event": "rows", "columns": columns, "rows": _cut_cells(found.rows, longest)})

    def execute(self, request: Answer) -> Answer:
        """Runs statements in one transaction."""
        session = self.session(request["endpoint"])
        return {"counts": session.execute(*_read_statements(request), request["autocommit"])}

    def go_on(self, request: Answer) -> Answer:
        """Runs statements in the transaction that a load has left open."""
        session = cast(LastingSession, self.session(request["endpoint"]))
        return {"counts": session.go_on(*_read_statements(request))}

    def migrate(self, request: Answer) -> Answer:
        """Moves a query's rows into a staging table."""
        load = load_from_wire(request["load"])
        with contextlib.closing(self.session(request["source"]).source(request["sql"])) as source:
            _check_columns(source, load)
            dest = self.session(request["dest"])
            check_claim(lambda sql: dest.look([sql])[0], load)
            sink = dest.sink(load)
            stream = source.open(_common_format(source, sink))
            progress = _Progress(self._emit)
            try:
                staged = sink.load(_counted(stream, progress), progress.moved)
            finally:
                _close_blocks(stream)
        read = progress.rows if stream.total is None else stream.total
        counts = sink.counts if isinstance(sink, LastingSink) else {}
        told = {"rows_read": read, "rows_staged": staged, "format": stream.format, "bad_values": stream.bad_values}
        return {**told, "bytes": progress.bytes, "counts": counts, "went_on": bool(load.onward and counts)}

    def session(self, data: Answer) -> Session:
        """The open session of an endpoint, connected on first use."""
        endpoint = endpoint_from_wire(data)
        if refused := self._refused.pop(endpoint, None):
            raise refused
        session = self._find_open(endpoint)
        if session is None:
            session = _connect(endpoint)
            self._sessions[endpoint.build_plain() if isinstance(session, AdaptableSession) else endpoint] = session
            if isinstance(session, KnownSession):
                told = {"name": session.known.name, "about": session.known.about, "writes": not endpoint.read_only}
                self._emit({"event": "session", **told})
        return session

    def _find_open(self, endpoint: Endpoint) -> Session | None:
        found = self._sessions.get(endpoint.build_plain())
        if isinstance(found, AdaptableSession):
            found.read_as(endpoint)
            return found
        return self._sessions.get(endpoint)

    def stop(self) -> None:
        """Tells the databases to end what they do, from another thread."""
        for session in list(self._sessions.values()):
            if isinstance(session, StoppableSession):
                session.stop()
        self._emit({"event": "stopped"})

    def forget_sessions(self) -> None:
        """Closes every session; after a lost connection the next operation connects anew."""
        for session in self._sessions.values():
            with contextlib.suppress(RunnerError):
                session.close()
        self._sessions.clear()
        self._refused.clear()


def _read_statements(request: Answer) -> tuple[list[Statement], list[Expect]]:
    statements = [Statement(**item) for item in request["statements"]]
    return statements, [Expect(**{**item, "names": tuple(item["names"])}) for item in request["expect"]]


def _cut_cells(rows: Rows, longest: int | None) -> Rows:
    if longest is None:
        return rows
    return tuple(tuple(cell and cut(cell, longest) for cell in row) for row in rows)


class _Progress:
    """Counts rows and tells the parent now and then how many have arrived; a row that is read is a sign of life."""

    def __init__(self, emit: Emit) -> None:
        self.rows = 0
        self.bytes: int | None = 0
        self._staged = 0
        self._emit = emit
        self._last = time.monotonic()

    def read(self, block: Any, rows: int) -> None:
        """So many more have left the source; a form of rows that does not say its bytes leaves them unknown."""
        self.rows += rows
        size = len(block) if isinstance(block, bytes | bytearray) else getattr(block, "nbytes", None)
        self.bytes = None if size is None or self.bytes is None else self.bytes + size
        self._tell()

    def moved(self, rows: int) -> None:
        """So many have gone the whole way by now."""
        self._staged = rows
        self._tell()

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._last >= PROGRESS_EVERY_S:
            self._last = now
            self._emit({"event": "progress", "rows": self._staged})


def _counted(stream: Stream, progress: _Progress) -> Stream:
    """The same stream, its rows counted as they pass."""
    blocks = stream.blocks

    def passing() -> Any:
        for block, rows in blocks:
            progress.read(block, rows)
            yield block, rows

    stream.blocks = passing()
    return stream


def _close_blocks(stream: Stream) -> None:
    close = getattr(stream.blocks, "close", None)
    if close:
        close()


def _connect(endpoint: Endpoint) -> Session:
    session: Session = _load_wire(endpoint.kind).connect(endpoint)
    return session


def _load_wire(kind: str) -> Any:
    return _import(kind, f"{find_package(kind)}.wire")


def _import(kind: str, module: str) -> Any:
    """A module of a driver; raises ConnectFailed where the library it stands on is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pipekit"):
            raise
        message = f"{error.name} is not installed, and the kind '{kind}' needs it."
        raise ConnectFailed(message, hint=describe_install(get_driver(kind).extra)) from None


def _check_columns(source: Source, load: Load) -> None:
    """The plan was made from an earlier look; a source that has changed since must not load into the wrong columns."""
    names = [column.name for column in source.columns]
    planned = [column.source_name for column in load.columns]
    if names != planned:
        raise CheckFailed(
            f"The source query's columns changed while the run was under way: planned {planned}, now {names}.",
            hint="Run the module again.",
        )


def _common_format(source: Source, sink: Sink) -> Format:
    accepted = sink.formats()
    for format in source.formats():
        if format not in accepted:
            continue
        if format != "copy-binary":
            return format
        signature = source.type_signature()
        if signature is not None and signature == sink.type_signature():
            return format
    raise StatementFailed("These two databases have no way to exchange rows.")


def describe_error(error: BaseException) -> Answer:
    """An exception as an `error` event."""
    if not isinstance(error, PipekitError):
        message = cut(f"{type(error).__name__}: {error}", SENT)
        return {"event": "error", "kind": "RunnerError", "message": message, "hint": ""}
    described: Answer = {"event": "error", "kind": error.code, "message": error.message, "hint": error.hint}
    for name in ("transient", "sqlstate", "column", "row", "position", "statement", "field"):
        if hasattr(error, name):
            described[name] = getattr(error, name)
    return described


def serve(requests: "queue.SimpleQueue[str]", child: Child, emit: Emit) -> None:
    """Answers requests until the one that says close."""
    while True:
        request = json.loads(requests.get())
        if request["op"] == CLOSE:
            child.forget_sessions()
            return
        if request["op"] == PREPARE:
            _load_drivers(request["kinds"])
            continue
        try:
            emit(child.handle(request))
        except Exception as error:
            if not isinstance(error, PipekitError):
                import traceback

                traceback.print_exc()
            if not isinstance(error, PipekitError) or getattr(error, "transient", False):
                child.forget_sessions()
            emit(describe_error(error))


def _load_drivers(kinds: Sequence[str]) -> None:
    """While the parent still makes up its mind; what is wrong here is said when it is used."""
    for kind in kinds:
        with contextlib.suppress(Exception):
            _load_wire(kind)


def _read_requests(requests: "queue.SimpleQueue[str]", child: Child) -> None:
    """Runs in a thread of its own, so that a closed stdin ends the child even in the middle of a statement."""
    closing = False
    for line in sys.stdin:
        operation = json.loads(line)["op"]
        closing = operation == CLOSE
        if operation == START:
            threading.Thread(target=_start_driver, args=(line,), daemon=True).start()
        elif operation == STOP:
            threading.Thread(target=child.stop, daemon=True).start()
        else:
            requests.put(line)
    if not closing:
        os._exit(3)


def _start_driver(line: str) -> None:
    """Beside what is asked meanwhile, as Java takes long to start; what is wrong is said when it is used."""
    with contextlib.suppress(Exception):
        endpoint = endpoint_from_wire(json.loads(line)["endpoint"])
        _load_wire(endpoint.kind).prepare(endpoint)


def _take_stdout() -> BinaryIO:
    """Keeps stdout for events: whatever a library prints goes to stderr, and so into the run's log."""
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return events


def main() -> None:
    """Runs the child."""
    gc.set_threshold(CONTAINERS_BEFORE_COLLECTING)
    events = _take_stdout()
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    one_at_a_time = threading.Lock()

    def emit(event: Answer) -> None:
        data = memoryview(json.dumps(event).encode() + b"\n")
        with one_at_a_time:
            while data:
                data = data[events.write(data) :]

    child = Child(emit)
    threading.Thread(target=_read_requests, args=(requests, child), daemon=True).start()
    _load_drivers(sys.argv[1:])
    serve(requests, child, emit)
    # Everything is closed. What libraries do at an orderly end would only keep the run waiting.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

# Connections that keep a server waiting: half of a request, a byte now and then, answers not fetched, far too many.
"""`send_and_stay`: each connection must be closed in time by the server, and everybody else answered meanwhile."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from pipekit.serving.door import BODY_S, FETCH_S, HEADERS_S, MOST_CONNECTIONS
from tests.attack.shots import Shot
from tests.attack.target import Answer, Target

HEADERS = (b"", b"GET /login HT", b"GET /login HTTP/1.1\r\nHost: localhost\r\nX-")
BODY = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nname=ana"
# More than a system keeps of answers that nobody fetches.
LARGE, TIMES = "/static/build/editor.js", 60
EACH = 20
# On a machine with other work to do.
SLACK_S = 15.0
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


@dataclass
class Half:
    """A connection that stays: what it sends now and then, how long it may live, and how long it lived.

    One whose answers are not fetched does not notice its end: what comes when it begins to read tells.
    """

    told: str
    opened: socket.socket
    drop: bytes
    most_s: float
    lived_s: float = 0.0

    def read_rest(self) -> int:
        """Bytes that came, to the end; raises TimeoutError where there is none."""
        self.opened.settimeout(SLACK_S)
        count = 0
        with suppress(ConnectionError):
            while data := self.opened.recv(1_000_000):
                count += len(data)
        return count


def send_and_stay(target: Target) -> Iterator[Shot]:
    """Everything that stays at once; then more connections than there may be."""
    with ExitStack() as stack:
        halves = [_open(stack, target.port, *kind) for kind in _list_kinds() for _ in range(EACH)]
        lazy = [
            _open(stack, target.port, "answers that nobody fetches", _ask_much(), b"", FETCH_S) for _ in range(EACH)
        ]
        yield from _watch(halves, target)
        answer = target.clients["vera"].send("GET", LARGE)
        size = len(answer.body)
        # Without its assets a server has no answer that is large enough.
        for half in lazy if answer.status == 200 else ():
            count = half.read_rest()
            told = f"{half.told}: {count:,} of {TIMES * size:,} bytes after {FETCH_S:.0f} s"
            yield Shot(told, Answer(0, {}, b"", 0.0), count < TIMES * size)
    for half in halves:
        is_right = 0 < half.lived_s <= half.most_s + SLACK_S
        told = f"closed after {half.lived_s:.0f} s" if half.lived_s else "still open"
        yield Shot(f"{half.told}: {told}", Answer(0, {}, b"", 0.0), is_right)
    with ExitStack() as stack:
        many = [_open(stack, target.port, "one of very many", b"", b"", 0.0) for _ in range(MOST_CONNECTIONS + EACH)]
        for _ in many:
            answer = target.clients["vera"].send("GET", "/api/modules")
            yield Shot("GET /api/modules beside more connections than there may be", answer, answer.status == 200)
        left = len(many) - len(_find_closed(many))
        is_right = left <= MOST_CONNECTIONS
        yield Shot(f"{left} connections open at once", Answer(0, {}, b"", 0.0), is_right)


def _list_kinds() -> Iterator[tuple[str, bytes, bytes, float]]:
    for begin in HEADERS:
        yield f"half a head, {len(begin)} bytes", begin, b"", HEADERS_S
    yield "a head that goes on, a byte a second", HEADERS[-1], b"x", HEADERS_S
    yield "half a body", BODY, b"", BODY_S
    yield "a body that goes on, a byte a second", BODY, b"x", BODY_S


def _ask_much() -> bytes:
    return f"GET {LARGE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * TIMES


def _open(stack: ExitStack, port: int, told: str, begin: bytes, drop: bytes, most_s: float) -> Half:
    opened = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
    opened.sendall(begin)
    opened.setblocking(False)
    return Half(told, opened, drop, most_s)


def _watch(halves: list[Half], target: Target) -> Iterator[Shot]:
    """Asks once a second as somebody else, while any of them may be open."""
    began, left = time.monotonic(), list(halves)
    while (spent_s := time.monotonic() - began) < FETCH_S + SLACK_S:
        for half in left:
            with suppress(OSError):
                half.opened.send(half.drop)
        answer = target.clients["vera"].send("GET", "/api/modules")
        yield Shot(f"GET /api/modules beside {len(left)} half-sent requests", answer, answer.status == 200)
        for half in _find_closed(left):
            half.lived_s = max(spent_s, 0.1)
            left.remove(half)
        time.sleep(1)


def _find_closed(halves: list[Half]) -> list[Half]:
    watched, by_number = select.poll(), {half.opened.fileno(): half for half in halves}
    for number in by_number:
        watched.register(number, select.POLLRDHUP)
    return [by_number[number] for number, event in watched.poll(0) if event & _GONE]

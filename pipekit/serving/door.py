# Connections of the pages as they come in: how many at once, and how long each may be waited for. Knows no request.
"""`build_protocol`: uvicorn's protocol, with a bound on connections and on the time they may be waited for."""

import asyncio
import resource
import time
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipekit.logs import get_logger

HEADERS_S = 10.0
BODY_S = 30.0
# Of an answer that somebody asked for and does not fetch.
FETCH_S = 60.0
LOOK_EVERY_S = 1.0
TELL_EVERY_S = 60.0
MOST_CONNECTIONS = 400
# Beside connections there are databases, runners and files; each of the latter has a part of the descriptors.
_KEPT_DESCRIPTORS = 96
_DESCRIPTORS_EACH = 4

_LIMITS_S = {"headers": HEADERS_S, "body": BODY_S, "fetch": FETCH_S}
_LOG = get_logger("http")


def find_most_connections() -> int:
    """How many connections may be open at once, so that descriptors are left for the work itself."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(8, min(MOST_CONNECTIONS, (soft - _KEPT_DESCRIPTORS) // _DESCRIPTORS_EACH))


class Connection(H11Protocol):
    """One connection. It is waited for while a request or its answer is on the way; a door holds the clock."""

    door: "Door"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.waits_since = time.monotonic()
        self._seen: tuple[str, Any] = ("headers", None)
        self.door.admit(self)

    def look(self) -> str:
        """What is waited for: `headers`, `body`, `fetch`, or `""` while it is our turn. Each change sets the clock."""
        state = self.conn.their_state
        waits_for = "headers" if state is h11.IDLE else "body" if state is h11.SEND_BODY else ""
        if self.flow.write_paused:
            waits_for = "fetch"
        if self._seen != (waits_for, self.cycle):
            self._seen, self.waits_since = (waits_for, self.cycle), time.monotonic()
        return waits_for

    def drop(self) -> None:
        """Closes it without a word."""
        self.transport.abort()


class Door:
    """Lets so many connections in; when one more comes, the one that has kept us waiting longest goes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: dict[Connection, None] = {}
        self._is_looking = False
        self._dropped = 0
        self._told = -TELL_EVERY_S

    def admit(self, new: Connection) -> None:
        """Takes a connection in, or closes it when all others are being answered."""
        self._forget_closed()
        self._open[new] = None
        if len(self._open) > self.most:
            waiting = [item for item in self._open if item.look()]
            self._drop(min(waiting, key=lambda item: item.waits_since))
        if not self._is_looking:
            self._is_looking = True
            new.loop.call_later(LOOK_EVERY_S, self._look_after, new.loop)

    def _drop(self, victim: Connection) -> None:
        victim.drop()
        del self._open[victim]
        self._dropped += 1
        if time.monotonic() - self._told >= TELL_EVERY_S:
            _LOG.warning("%d connections are open, as many as there may be; %d closed", self.most, self._dropped)
            self._told, self._dropped = time.monotonic(), 0

    def _look_after(self, loop: asyncio.AbstractEventLoop) -> None:
        """Closes what has been waited for too long; again and again while there are connections."""
        self._forget_closed()
        now = time.monotonic()
        for item in list(self._open):
            waits_for = item.look()
            if waits_for and now - item.waits_since > _LIMITS_S[waits_for]:
                item.drop()
        self._is_looking = bool(self._open)
        if self._is_looking:
            loop.call_later(LOOK_EVERY_S, self._look_after, loop)

    def _forget_closed(self) -> None:
        for item in [item for item in self._open if item.transport.is_closing()]:
            del self._open[item]


def build_protocol(most: int) -> type[Connection]:
    """The protocol of one server, with a door of its own."""
    return type("ConnectionOfServer", (Connection,), {"door": Door(most)})

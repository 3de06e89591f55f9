# Connections that keep a server waiting, and more of them than it has room for. Real sockets.
"""The door of the pages, and how much a request may bring."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import pytest

from pipekit.serving import door, site
from pipekit.serving.security import MAX_BODY_BYTES, SMALL_BODY_BYTES
from tests.api.caller import Home
from tests.patience import PATIENCE_S
from tests.serving.conftest import OpenPort, Read

HALF_HEAD = b"GET /login HTTP/1.1\r\nHost: localhost\r\n"
HALF_BODY = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nname="
WHOLE = HALF_HEAD + b"\r\n"


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    """What is opened by a test and closed after it."""
    with ExitStack() as stack:
        yield stack


def send(sockets: ExitStack, port: int, data: bytes) -> socket.socket:
    opened = sockets.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))
    opened.sendall(data)
    return opened


def is_closed(opened: socket.socket) -> bool:
    """Reads to the end; that there is one is the point, a socket that stays open fails by its timeout."""
    try:
        while opened.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True


def send_again_and_again(opened: socket.socket, data: bytes) -> None:
    while True:
        opened.sendall(data)


def ask(port: int) -> int:
    client = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    client.request("GET", "/api/health")
    status = client.getresponse().status
    client.close()
    return status


@pytest.mark.parametrize(
    ("waits_for", "data"),
    [
        ("headers", b""),
        ("headers", HALF_HEAD),
        ("headers", WHOLE + HALF_HEAD),
        ("body", HALF_BODY),
        ("body", WHOLE + HALF_BODY),
        # Asked for so often that the answers fill every buffer on the way.
        ("fetch", WHOLE * 3000),
    ],
)
def test_a_request_that_is_half_sent_or_not_fetched_is_given_up(
    open_port: OpenPort, sockets: ExitStack, monkeypatch: pytest.MonkeyPatch, waits_for: str, data: bytes
) -> None:
    monkeypatch.setattr(door, "LOOK_EVERY_S", 0.05)
    for name in door._LIMITS_S:
        monkeypatch.setitem(door._LIMITS_S, name, 0.2 if name == waits_for else 10 * PATIENCE_S)
    port = open_port()
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.settimeout(PATIENCE_S)
    opened.connect(("127.0.0.1", port))
    sockets.enter_context(opened)
    if waits_for == "fetch":
        with pytest.raises(ConnectionError):
            send_again_and_again(opened, data)
    else:
        opened.sendall(data)
        assert is_closed(opened)


def test_connections_beyond_the_bound_push_out_those_that_wait_longest_and_are_told_once(
    open_port: OpenPort, sockets: ExitStack, monkeypatch: pytest.MonkeyPatch, read_log: Read
) -> None:
    monkeypatch.setattr(site, "find_most_connections", lambda: 8)
    port = open_port()
    half_sent = [send(sockets, port, (HALF_HEAD, HALF_BODY)[n % 2]) for n in range(60)]
    assert ask(port) == 200
    assert all(is_closed(opened) for opened in half_sent[:52])
    assert ask(port) == 200
    assert read_log().count("as many as there may be") == 1
    assert "Traceback" not in read_log()


def test_there_is_room_for_descriptors_of_other_things(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for soft in (64, 256, 1024, 8192, resource.RLIM_INFINITY):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        seen.append(door.find_most_connections())
    assert seen == [8, 40, 232, 400, 400]


@pytest.mark.parametrize(
    ("path", "is_known", "most"),
    [
        ("/login", False, SMALL_BODY_BYTES),
        ("/login", True, SMALL_BODY_BYTES),
        ("/api/groups", False, SMALL_BODY_BYTES),
        ("/api/groups", True, MAX_BODY_BYTES),
    ],
)
def test_a_request_brings_no_more_than_it_needs(home: Home, path: str, is_known: bool, most: int) -> None:
    client = home.call("ana" if is_known else None).client
    headers = {"Content-Type": "application/json"} if path != "/login" else None
    statuses = []
    for size in (most, most + 1):
        data = b"{" + b" " * (size - 2) + b"}"
        form = {"name": "a" * (size - len("name="))}
        sent = {"data": form} if path == "/login" else {"content": data}
        statuses.append(client.post(path, headers=headers, **sent).status_code)
    assert (statuses[0] == 413, statuses[1] == 413) == (False, True)


def test_refused_logins_leave_nothing_behind(home: Home, read_log: Read) -> None:
    client = home.call(None).client
    statuses = {client.post("/login", data={"name": "x" * n, "password": "x"}).status_code for n in (900_000, 15_000)}
    statuses |= {client.post("/login", data={"name": f"{n}" * 200, "password": "x"}).status_code for n in range(40)}
    assert statuses == {413, 401, 429}
    assert len(read_log()) < 50 * 400

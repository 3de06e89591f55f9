# The double as a host: its answers, what it has been asked, and the door that every port of it lies behind.
"""`Host` is a system; `Door` leads the connections of a Java machine to hosts by their names."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from tests.databases.ibmi.answers import Talk
from tests.databases.ibmi.database import DatabaseServer
from tests.databases.ibmi.entrance import (
    DATABASE_PORT,
    MAPPER_PORT,
    SIGNON_PORT,
    Serve,
    map_port,
    pass_socks_door,
    sign_on,
)
from tests.databases.ibmi.replies import Job
from tests.databases.ibmi.wire import Gone

_V7R4 = 0x00070400
# Digits from the seventh on: from 16 on the driver sends what is varying at its own length.
_LEVEL = "V7R4M00016"


class Host:
    """A system: a `Talk` answers each connection. `delay_s` is waited before each reply of the database."""

    def __init__(
        self, open_talk: Callable[[], Talk], *, ccsid: int = 37, level: str = _LEVEL, delay_s: float = 0
    ) -> None:
        self._open_talk = open_talk
        self._ccsid = ccsid
        self._level = level
        self.delay_s = delay_s
        self._lock = threading.Lock()
        self._jobs = 0
        self._cancels: dict[str, threading.Event] = {}
        self._open: set[str] = set()
        self.seen: list[str] = []
        self.faults: list[str] = []

    def note(self, what: str) -> None:
        """Keeps what was asked: statements, FETCH, COMMIT and ROLLBACK, and NAME=value of who is at the other end."""
        self.seen.append(what)

    def expect_cancel(self, job: str) -> threading.Event:
        """What another connection sets to cancel the job's statement."""
        return self._cancels.setdefault(job, threading.Event())

    def cancel(self, job: str) -> None:
        """Cancels the job's statement."""
        self.note(f"CANCEL {job}")
        self.expect_cancel(job).set()

    def let_go(self) -> None:
        """Ends what waits to be cancelled."""
        for event in list(self._cancels.values()):
            event.set()

    @property
    def open_jobs(self) -> Sequence[str]:
        """The names of jobs whose connections are open: name, user, number, as 26 characters."""
        return sorted(self._open)

    def find(self, port: int) -> Serve | None:
        """Who serves a port."""
        ports: dict[int, Serve] = {
            MAPPER_PORT: map_port,
            SIGNON_PORT: self._serve_signon,
            DATABASE_PORT: self._serve_database,
        }
        return ports.get(port)

    def _serve_signon(self, connection: socket.socket) -> None:
        sign_on(connection, _V7R4, self._ccsid, "000000/QUSER/QZSOSIGN")

    def _serve_database(self, connection: socket.socket) -> None:
        with self._lock:
            self._jobs += 1
            name = f"QZDASOINITQUSER     {self._jobs:06d}"
        self._open.add(name)
        talk = self._open_talk()
        try:
            DatabaseServer(self, talk, connection, Job(name, self._ccsid, self._level)).run()
        finally:
            talk.close()
            self._open.discard(name)


class Door:
    """A SOCKS door on loopback, as unprivileged as the test. Java takes it for all its connections."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self._all: list[Host] = []
        self._threads: list[threading.Thread] = []
        self._connections: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._spawn(self._accept)
        return self

    def __exit__(self, *exc: object) -> None:
        # A thread that waits in accept is woken by this, and not by close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for host in self._all:
            host.let_go()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        until = time.monotonic() + 10
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    @property
    def java_options(self) -> tuple[str, ...]:
        """What leads a Java machine through this door; loopback would be left out otherwise."""
        port = self._listener.getsockname()[1]
        return ("-DsocksProxyHost=127.0.0.1", f"-DsocksProxyPort={port}", "-DsocksNonProxyHosts=")

    def add(self, name: str, host: Host) -> Host:
        """Makes a host reachable by a name."""
        self.hosts[name] = host
        self._all.append(host)
        return host

    def _find(self, name: str, port: int) -> Serve | None:
        host = self.hosts.get(name)
        return host.find(port) if host else None

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        """What goes wrong in the double itself is kept for the test: the driver would only see a lost connection."""
        try:
            pass_socks_door(connection, self._find)
        except (Gone, ConnectionError):
            pass
        except Exception as error:
            for host in self.hosts.values():
                host.faults.append(repr(error))
        finally:
            self._connections.discard(connection)
            connection.close()

# A way to a PostgreSQL on which everything is counted that waits for an answer. Knows the protocol's frames, no run.
"""`Turnstile`."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from pipekit.demo.postgres import LocalPostgres

_READY = b"Z"


class Turnstile:
    """Passes bytes on, both ways. `connects` are the connections; `turns` how often the server was waited for.

    A server says once that it is ready, whatever it was sent in one go: that is one turn, a login too.
    """

    def __init__(self, postgres: LocalPostgres) -> None:
        self.connects = self.turns = 0
        self._postgres = postgres
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._let_in, daemon=True).start()

    def jdbc_url(self, database: str) -> str:
        """The address of a database behind it."""
        return f"jdbc:postgresql://127.0.0.1:{self._door.getsockname()[1]}/{database}?sslmode=disable"

    def reset(self) -> None:
        """Counts anew."""
        with self._lock:
            self.connects = self.turns = 0

    def close(self) -> None:
        """Lets nobody in any more."""
        self._door.close()

    def _let_in(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(("127.0.0.1", self._postgres.port))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self.connects += 1
                for work in (self._ask, self._answer):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, server:
            for frame in _read_frames(server):
                if frame.startswith(_READY):
                    with self._lock:
                        self.turns += 1
                client.sendall(frame)


def _read_frames(server: socket.socket) -> Iterator[bytes]:
    """What the server sends, message by message."""
    with server.makefile("rb") as stream:
        while head := stream.read(5):
            yield head + stream.read(int.from_bytes(head[1:]) - 4)

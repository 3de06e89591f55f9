# A TCP relay on 127.0.0.1 that can fail as networks do. Knows neither databases nor runs.
"""`Proxy`: passes bytes on until it is told to reset its connections, or to swallow what comes."""

import contextlib
import select
import socket
import struct
import threading

_BLOCK = 65_536
_LOOK_S = 0.05
# Closing with this sends a reset in place of an orderly end.
_RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Relays connections to a port of this machine; what is done to those it has does not touch those that come."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> int:
        """Both ends of every connection get a reset; how many there were."""
        return self._tell("reset")

    def swallow(self) -> int:
        """From now on nothing passes on the connections there are, and nobody is told; how many there were."""
        return self._tell("deaf")

    def close(self) -> None:
        self._listener.close()
        self.reset()

    def _tell(self, state: str) -> int:
        with self._lock:
            pairs = [pair for pair in self._pairs if pair.state == "open"]
        for pair in pairs:
            pair.state = state
        return len(pairs)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to_port), timeout=5)
            except OSError:
                near.close()
                continue
            pair = _Pair(near, far)
            with self._lock:
                self._pairs.append(pair)
            threading.Thread(target=pair.relay, daemon=True).start()


class _Pair:
    """One connection: what a client sends, and what the server answers. It is open, deaf, to be reset, or closed."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self._ends = (near, far)
        self.state = "open"

    def relay(self) -> None:
        """Until one end closes, or it is told to reset; a deaf pair stays as it is until its client goes."""
        near, far = self._ends
        for end in self._ends:
            end.settimeout(5)
        with contextlib.suppress(OSError):
            while self.state != "reset":
                ready, _, _ = select.select(self._ends, [], [], _LOOK_S)
                if any(not self._pass(end, far if end is near else near) for end in ready):
                    break
        for end in self._ends:
            if self.state == "reset":
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()
        self.state = "closed"

    def _pass(self, end: socket.socket, other: socket.socket) -> bool:
        """Whether the connection goes on. What comes after it went deaf is read and thrown away."""
        data = end.recv(_BLOCK)
        if not data:
            return False
        if self.state == "open":
            other.sendall(data)
        return True

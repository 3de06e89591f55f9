# What systemd is told of a service's life: a datagram to the socket it names. Knows nothing of the service.
"""`Notifier`: READY, STOPPING, and signs of life where a watchdog is set. Does nothing where there is no systemd."""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Self


class Notifier:
    """Sends signs of life, twice in the time of the watchdog, from a thread while the `with` block lasts.

    None is sent while `is_well` says False, so that systemd restarts a service that is stuck.
    """

    def __init__(self, is_well: Callable[[], bool], environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self._address = environ.get("NOTIFY_SOCKET", "")
        watchdog = environ.get("WATCHDOG_USEC", "") if environ.get("WATCHDOG_PID") in (None, str(os.getpid())) else ""
        self._every_s = int(watchdog) / 2_000_000 if self._address and watchdog.isdigit() else 0.0
        self._is_well = is_well
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._live, name="watchdog", daemon=True)

    def tell(self, state: str) -> None:
        """Sends one state; whether anybody hears it does not matter here."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.connect(address)
                channel.sendall(state.encode())
        except OSError:
            return

    def _live(self) -> None:
        while not self._done.wait(self._every_s):
            if self._is_well():
                self.tell("WATCHDOG=1")

    def __enter__(self) -> Self:
        if self._every_s:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

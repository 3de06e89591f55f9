# The double's process: it listens, serves each client in a thread, and does what the test's side asks over pipes.
"""`python -m tests.databases.tds.server`: requests are pickles on stdin, answers are pickles on stdout.

The process ends as soon as its stdin closes: it dies with the test.
"""

import itertools
import os
import pickle
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from tests.databases.tds.columns import ColumnSpec, parse_columns, parse_name
from tests.databases.tds.replies import Error, LoadFault, Rule
from tests.databases.tds.session import serve_socket
from tests.databases.tds.store import Batch, Login, Store, Table


class Control:
    """What the test's side can ask: every public method."""

    def __init__(self) -> None:
        self._listener: socket.socket | None = None

    def begin(self, folder: Path) -> int:
        """Listens on a port where nobody has been yet, and knows nothing; returns the port.

        Clients of before keep the sessions and the store that they have.
        """
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self._store = Store(folder)
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=_accept, args=(self._listener, self._store), daemon=True).start()
        port: int = self._listener.getsockname()[1]
        return port

    def add_table(self, name: str, columns: list[ColumnSpec], rows: list[tuple[Any, ...]]) -> None:
        """Makes a table, in the place of one of the same name."""
        self._store.put_table(parse_name(name), Table(parse_columns(columns)))
        if rows:
            self._store.add_rows(name, rows)

    def drop_table(self, name: str) -> None:
        """Drops a table."""
        self._store.put_table(parse_name(name), None)

    def find_table(self, name: str) -> Table | None:
        """A table with its rows; those that were loaded stay in their files."""
        return self._store.find_table(name)

    def add_rule(self, rule: Rule) -> None:
        """Adds a rule before all others."""
        self._store.rules.append(rule)

    def add_fault(self, fault: LoadFault) -> None:
        """Adds a fault."""
        self._store.faults.append(fault)

    def evaluate(self) -> None:
        """Evaluates from now on what no rule and no statement of its own answers."""
        self._store.evaluates = True

    def encrypt(self, certificate: Path) -> None:
        """Everything of new sessions goes over TLS."""
        self._store.certificate = certificate

    def refuse_logins(self, errors: tuple[Error, ...]) -> None:
        """Refuses every login from now on; without errors none."""
        self._store.login_errors = errors

    def logins(self) -> list[Login]:
        """All logins so far."""
        return list(self._store.logins)

    def batches(self) -> list[Batch]:
        """All batches so far."""
        return list(self._store.batches)

    def loads(self) -> list[Any]:
        """All loads so far that came through."""
        return list(self._store.loads)

    def sessions(self) -> list[int]:
        """The sessions that are open."""
        return sorted(self._store.open_sessions)

    def forget(self) -> None:
        """Forgets what was recorded, the rules and the faults; tables stay."""
        for kept in (self._store.batches, self._store.logins, self._store.loads, self._store.rules, self._store.faults):
            kept.clear()


def _accept(listener: socket.socket, store: Store) -> None:
    for number in itertools.count(51):
        try:
            client, _ = listener.accept()
        except OSError:
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve_socket, args=(number, client, store), daemon=True).start()


def main() -> None:
    """Runs the double until its stdin closes."""
    control = Control()
    while True:
        try:
            name, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            os._exit(0)
        try:
            answer = (True, getattr(control, name)(*arguments))
        except Exception as error:
            answer = (False, f"{type(error).__name__}: {error}")
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

# The test's side of the double: starts its process, scripts it, and reads what it has recorded.
"""`with TdsDouble(folder) as double:`: a SQL Server that says what the test tells it to."""

import atexit
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.databases.tds.bulk import Load
from tests.databases.tds.columns import ColumnSpec
from tests.databases.tds.replies import Close, Count, Error, Hang, LoadFault, Reply, Rule
from tests.databases.tds.store import Batch, Login, Table
from tests.databases.tds.tls import make_certificate
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]
_FREE: "list[TdsDouble]" = []
LOGIN_FAILED = Error(18456, "Login failed for user 'sa'.", severity=14)


@contextmanager
def lend_double(folder: Path) -> "Iterator[TdsDouble]":
    """A double that nobody has used, as far as anybody can see; it ends with the process that has lent it."""
    if _FREE:
        double = _FREE.pop()
        double.begin(folder)
    else:
        double = TdsDouble(folder).__enter__()
    try:
        yield double
    finally:
        if double.is_running:
            _FREE.append(double)


@atexit.register
def _end() -> None:
    for double in _FREE:
        double.__exit__()


class TdsDouble:
    """A double in a process of its own. `folder` takes the payloads of bulk loads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = "127.0.0.1"
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.databases.tds.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self.begin(self._folder)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _ask(self, name: str, *arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((name, arguments), self._process.stdin)
        self._process.stdin.flush()
        done, answer = pickle.load(self._process.stdout)
        if not done:
            raise RuntimeError(answer)
        return answer

    def begin(self, folder: Path) -> None:
        """As if it had just been started, on another port and with another folder; that saves starting it."""
        self._folder = folder
        self.port = self._ask("begin", folder)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The double's process."""
        return self._process.pid

    # -- where it is ---------------------------------------------------------------------------------------------------

    @property
    def jdbc_url(self) -> str:
        """The double as users write it."""
        return f"jdbc:sqlserver://{self.host}:{self.port};databaseName=shop;encrypt=false"

    @property
    def connection_string(self) -> str:
        """The double as mssql-python takes it; any password will do."""
        return f"Server={self.host},{self.port};Database=shop;UID=sa;PWD=secret;Encrypt=no;TrustServerCertificate=yes"

    # -- scripts -------------------------------------------------------------------------------------------------------

    def add_table(self, name: str, columns: Sequence[ColumnSpec], rows: Sequence[Sequence[Any]] = ()) -> None:
        """Makes a table: columns are (name, definition), as `("id", "int not null")`."""
        self._ask("add_table", name, list(columns), [tuple(row) for row in rows])

    def drop_table(self, name: str) -> None:
        """Drops a table."""
        self._ask("drop_table", name)

    def answer(self, pattern: str, *replies: Reply, whole: bool = False, times: int | None = None) -> None:
        """Answers a statement in which the pattern is found; with `whole` the pattern is sought in the whole batch.

        The newest rule goes first; without replies the statement is just done.
        """
        self._ask("add_rule", Rule(pattern, replies, whole, times))

    def fail_load(self, table: str, after_rows: int, reply: Error | Close | Hang | Count, early: bool = False) -> None:
        """Lets the next bulk load into a table fail once so many of its rows have arrived."""
        self._ask("add_fault", LoadFault(table, after_rows, reply, early))

    def evaluate(self) -> None:
        """Lets an SQLite answer the queries and inserts that it would else refuse, see `evaluation`; tables stay."""
        self._ask("evaluate")

    def encrypt(self, host: str) -> None:
        """Everything of new sessions goes over TLS, with a certificate for a host that nobody has signed."""
        self._ask("encrypt", make_certificate(self._folder, host))

    def refuse_logins(self, *errors: Error) -> None:
        """Refuses every login from now on, with errors of its own."""
        self._ask("refuse_logins", errors or (LOGIN_FAILED,))

    def take_logins(self) -> None:
        """Lets them in again."""
        self._ask("refuse_logins", ())

    def forget(self) -> None:
        """Forgets what was recorded, the rules and the faults; tables stay."""
        self._ask("forget")

    # -- what it has seen ----------------------------------------------------------------------------------------------

    def logins(self) -> list[Login]:
        """All logins, refused ones too."""
        found: list[Login] = self._ask("logins")
        return found

    def batches(self) -> list[Batch]:
        """Everything the clients have sent, in order: the texts of batches, `<commit>`, `<rollback>`, `<attention>`."""
        found: list[Batch] = self._ask("batches")
        return found

    def texts(self) -> list[str]:
        """The texts of `batches`."""
        return [batch.text for batch in self.batches()]

    def loads(self) -> list[Load]:
        """The bulk loads that came through; `read_rows()` of each decodes its payload."""
        found: list[Load] = self._ask("loads")
        return found

    def sessions(self) -> list[int]:
        """The sessions that are open."""
        found: list[int] = self._ask("sessions")
        return found

    def find_table(self, name: str) -> Table | None:
        """A table as it is now, None when there is none."""
        found: Table | None = self._ask("find_table", name)
        return found

    def read_rows(self, name: str) -> Iterator[tuple[Any, ...]]:
        """A table's rows, given and loaded, decoded as they are read."""
        table = self.find_table(name)
        if table is None:
            raise LookupError(f"the double has no table {name}")
        return table.read_rows()

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        """All rows of a table."""
        return list(self.read_rows(name))

    def wait_until(self, condition: Callable[[Self], bool], timeout_s: float = PATIENCE_S) -> None:
        """Waits until something holds of the double, for tests of clients that go their own way."""
        deadline = time.monotonic() + timeout_s
        while not condition(self):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout_s:g} s; the double has seen {self.texts()}")
            time.sleep(0.02)

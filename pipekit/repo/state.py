# The connection to the state database: statements, transactions, errors, the clock. Knows no table but `meta`.
"""`State`, `transaction`, `now`."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipekit.errors import ConfigError, Conflict, Invalid, PipekitError, StateError
from pipekit.models import Row

Values = Sequence[Any] | Mapping[str, Any]

# The index of a write-ahead log begins with 32 kB.
LEAST_ROOM = 65_536
_ACCESS = "Check the owner and mode of the file and its folder."
_HINTS: dict[int, tuple[type[PipekitError], str, str]] = {
    sqlite3.SQLITE_BUSY: (StateError, "is locked by another process", "Try again; if it lasts, look for a stuck one."),
    sqlite3.SQLITE_LOCKED: (StateError, "is locked by another connection", "Try again."),
    sqlite3.SQLITE_FULL: (StateError, "cannot grow: the disk is full", "Make room on its disk, then try again."),
    sqlite3.SQLITE_IOERR: (StateError, "cannot be read or written: disk error", "Check the disk and its free space."),
    sqlite3.SQLITE_READONLY: (ConfigError, "cannot be written to", _ACCESS),
    sqlite3.SQLITE_PERM: (ConfigError, "may not be opened", _ACCESS),
    sqlite3.SQLITE_CANTOPEN: (ConfigError, "cannot be opened", _ACCESS),
    sqlite3.SQLITE_NOTADB: (ConfigError, "is not a database", "Move it away and run `pipekit init`."),
    sqlite3.SQLITE_CORRUPT: (StateError, "is damaged", "Put a backup in its place."),
}


class State(sqlite3.Connection):
    """An open state database. It belongs to the thread that opened it; another thread opens its own from `path`.

    Raises StateError or ConfigError where SQLite fails, Conflict where a constraint forbids, Invalid for values SQLite
    cannot hold; never an error of sqlite3 itself, except for mistakes of the program.
    """

    path: Path
    is_frozen: bool = False  # see opening.py
    lease_epoch_s: float | None = None  # see clock.py
    before_commit: dict[Hashable, Callable[[], None]] | None = None  # see at_commit

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """One statement."""
        with self._translated():
            return super().execute(sql, parameters)

    def rows(self, sql: str, parameters: Values = ()) -> list[Row]:
        """A query's rows."""
        with self._translated():
            return super().execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Values = ()) -> Row | None:
        """A query's first row, None when there is none."""
        with self._translated():
            cursor = super().execute(sql, parameters)
            found: Row | None = cursor.fetchone()
            cursor.close()  # an open RETURNING would keep the transaction from being committed
            return found

    def each(self, sql: str, parameters: Values = ()) -> Iterator[Row]:
        """A query's rows one by one; what is not taken is not read."""
        with self._translated():
            yield from super().execute(sql, parameters)

    def change(self, sql: str, parameters: Values = ()) -> int:
        """Runs an UPDATE or DELETE and returns how many rows it met."""
        return self.execute(sql, parameters).rowcount

    def insert(self, table: str, values: Mapping[str, Any]) -> int:
        """Inserts a row and returns its id. Table and column names come from this program, never from a person.

        An id that a deleted row of the table had is not given again, where `last_id` keeps those.
        """
        if kept := self.row("SELECT id FROM last_id WHERE table_name = ?", (table,)):
            highest = self.row(f"SELECT max(id) AS id FROM {table}")
            values = {"id": max(kept["id"], (highest and highest["id"]) or 0) + 1, **values}
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        return self.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", values).lastrowid or 0

    def update(self, table: str, row_id: int, values: Mapping[str, Any], condition: str = "TRUE") -> int:
        """Updates the row of this id where `condition` (which may use `:names` of the values) holds; returns 0 or 1."""
        if not values:
            return 0
        pairs = ", ".join(f"{name} = :{name}" for name in values)
        return self.change(f"UPDATE {table} SET {pairs} WHERE id = :id_ AND ({condition})", {**values, "id_": row_id})

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.Error as error:
            raise state_error(error, self.path) from error
        except UnicodeEncodeError as error:
            raise Invalid("This text is not valid Unicode.") from error
        except OverflowError as error:
            raise Invalid("This number is too large.") from error


def state_error(error: sqlite3.Error, path: Path) -> PipekitError:
    """What an error of SQLite means to a person."""
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"The state database refuses this: {error}.")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and is_disk_full(path):
        code = sqlite3.SQLITE_FULL
    kind, words, hint = _HINTS.get(code, (StateError, f"cannot be used: {error}", "Run `pipekit doctor`."))
    return kind(f"The state database {path} {words}.", hint=hint)


def is_disk_full(path: Path) -> bool:
    """Whether there is no room for what SQLite keeps beside the file while it is open."""
    try:
        return shutil.disk_usage(path.parent).free < LEAST_ROOM
    except OSError:
        return False


def now() -> str:
    """This moment in UTC, ISO 8601 with milliseconds."""
    return format_moment(wall_clock())


def wall_clock() -> datetime:
    """This moment in UTC by the machine's clock, which may be set back at any time."""
    return datetime.now(UTC)


def format_moment(moment: datetime) -> str:
    """A moment in UTC, ISO 8601 with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@contextmanager
def transaction(db: State) -> Iterator[None]:
    """One write transaction, begun at once (BEGIN IMMEDIATE) and rolled back on any exception.

    Inside another one it is a savepoint of it: undone alone when it fails, kept only if the outer one commits.
    """
    is_outer = not db.in_transaction
    begin, commit, undo = _BEGIN if is_outer else _BEGIN_NESTED
    db.execute(begin)
    try:
        yield
        if is_outer:
            for action in _take_actions(db):
                action()
        db.execute(commit)
    except BaseException:
        if is_outer:
            db.before_commit = None
        # SQLite may have rolled back by itself, as it does when the disk is full.
        if db.in_transaction:
            for statement in undo:
                db.execute(statement)
        raise


def at_commit(db: State, key: Hashable, action: Callable[[], None]) -> None:
    """Does something inside the transaction that goes on, once all else of it is done; of a key the first asked."""
    db.before_commit = db.before_commit or {}
    db.before_commit.setdefault(key, action)


def is_asked_at_commit(db: State, key: Hashable) -> bool:
    """Whether something of this key is to be done when the transaction that goes on commits."""
    return key in (db.before_commit or {})


def _take_actions(db: State) -> list[Callable[[], None]]:
    actions, db.before_commit = list((db.before_commit or {}).values()), None
    return actions


_BEGIN = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_BEGIN_NESTED = ("SAVEPOINT inner_", "RELEASE inner_", ("ROLLBACK TO inner_", "RELEASE inner_"))


def set_instance_id(db: State, instance: str) -> None:
    """Names an installation before anything asks for its name: one that is made for a single copy."""
    db.execute("INSERT INTO meta (name, value) VALUES ('instance_id', ?)", (instance,))


def get_instance_id(db: State) -> str:
    """This installation's name among others that may share a dest: 8 hex digits, made once."""
    found = db.row("SELECT value FROM meta WHERE name = 'instance_id'")
    if found is None:
        db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('instance_id', ?)", (os.urandom(4).hex(),))
        found = db.row("SELECT value FROM meta WHERE name = 'instance_id'")
        assert found is not None
    return str(found["value"])

# The state file of the first Pipekit: told from ours, opened without changing it, its rows as they lie there.
"""`is_first_state`, and `FirstState`: tables whose columns differ from version to version."""

from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pipekit.errors import ConfigError, NotFound
from pipekit.repo.files import connect
from pipekit.repo.state import State

# Every version had these; ours has a table of its own beside them.
_TABLES = frozenset({"connection", "module"})
_ONE_OF = frozenset({"run_log", "watermark", "driver", "grp"})
_OURS = "meta"
_COPY = "What was written last is in the file with -wal behind its name, where there is one: copy both."
_HEAD = b"SQLite format 3\0"
_WAL_VERSION = (2, 2)  # bytes 18 and 19 of the file


def is_first_state(tables: Collection[str]) -> bool:
    """Whether these are the tables of a state file of the first Pipekit."""
    return {*tables} >= _TABLES and bool(_ONE_OF & {*tables}) and _OURS not in tables


class FirstState:
    """An open file. A table or column that it lacks has no rows, no values."""

    def __init__(self, db: State) -> None:
        self._db = db
        names = [str(row["name"]) for row in db.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        self.tables = frozenset(names)
        self._columns = {name: [str(row["name"]) for row in self._ask("table_info", name)] for name in names}
        self._targets = {
            name: {str(row["from"]): str(row["table"]) for row in self._ask("foreign_key_list", name)} for name in names
        }

    def _ask(self, pragma: str, table: str) -> list[Mapping[str, Any]]:
        return list(self._db.rows(f"SELECT * FROM pragma_{pragma}(?)", (table,)))

    def list_columns(self, table: str) -> list[str]:
        """The columns of a table, in order; none where there is no such table."""
        return self._columns.get(table, [])

    def list_references(self, table: str, target: str) -> list[str]:
        """The columns of a table that refer to another one by a foreign key."""
        return [column for column, other in self._targets.get(table, {}).items() if other == target]

    def count(self, table: str) -> int:
        """How many rows a table has; 0 where there is no such table."""
        row = self._db.row(f"SELECT count(*) AS rows FROM {_quote(table)}") if table in self.tables else None
        return int(row["rows"]) if row else 0

    def each(self, table: str, *order: str) -> Generator[dict[str, Any], None, None]:
        """The rows of a table, by those of these columns that it has."""
        if table not in self.tables:
            return
        by = ", ".join(_quote(column) for column in order if column in self._columns[table])
        for row in self._db.each(f"SELECT * FROM {_quote(table)}{f' ORDER BY {by}' if by else ''}"):
            yield {name: _as_text(item) for name, item in row.items()}


@contextmanager
def open_first_state(path: Path) -> Iterator[FirstState]:
    """Opens a file of the first Pipekit, all of it as of one moment; nothing of it is changed.

    Raises NotFound for a file that is missing, ConfigError for one that is something else or cannot be read.
    """
    path = path.absolute()
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    with closing(connect(path, frozen=_is_at_rest(path), read_only=True)) as db:
        # Old programs wrote whatever they were given.
        db.text_factory = lambda data: data.decode("utf-8", "replace")
        db.execute("BEGIN")
        found = FirstState(db)
        if _OURS in found.tables:
            raise ConfigError(
                f"{path} is a state file of this Pipekit.", hint="`pipekit export` writes what it defines."
            )
        if not is_first_state(found.tables):
            raise ConfigError(f"{path} is no state file of the first Pipekit: it lacks its tables.", hint=_COPY)
        yield found


def _is_at_rest(path: Path) -> bool:
    """Whether all of a file that is written by a log of its own is in it: then nothing beside it is needed, or made."""
    try:
        with path.open("rb") as file:
            head = file.read(20)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    if head and not head.startswith(_HEAD):
        raise ConfigError(f"{path} is no state file of the first Pipekit: it is no SQLite database.")
    wal = path.with_name(f"{path.name}-wal")
    return tuple(head[18:20]) == _WAL_VERSION and not (wal.exists() and wal.stat().st_size)


def _as_text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

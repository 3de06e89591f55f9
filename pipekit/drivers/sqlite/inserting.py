# Columns of a block -> rows of a table, and which row the table refuses. Is handed its connection; imports no database.
"""`Inserter`."""

from collections.abc import Callable, Sequence
from typing import Any

from pipekit.drivers.sqlite.faults import tell_fault
from pipekit.drivers.sqlite.loading import name_unfit
from pipekit.errors import Inexact, RunnerError
from pipekit.runner_contract import Load

# Rows that one statement takes where they are narrow: faster than one by one; more of them gain nothing.
ROWS_AT_ONCE, CELLS_AT_ONCE = 8, 200
_UNNUMBERED = "it is NULL, and the dest would put a number of its own there"

Columns = Sequence[Sequence[Any]]


class Inserter:
    """Fills `table` by the columns of a load; `db` is SQLite's connection, `quote` quotes an identifier.

    OR ABORT overrides a REPLACE or IGNORE in the table's own constraints, which lose rows silently. A NULL in one of
    the columns `filled` is refused.
    """

    def __init__(
        self, db: Any, load: Load, quote: Callable[[str], str], *, table: str, filled: Sequence[str] = ()
    ) -> None:
        self._db = db
        self._load = load
        self._refusals = (db.IntegrityError, db.DataError, OverflowError, UnicodeEncodeError)
        self._filled = [place for place, column in enumerate(load.columns) if column.stage_name in filled]
        names = ", ".join(quote(column.stage_name) for column in load.columns)
        marks = ", ".join("?" for _ in load.columns)
        self.sql = f"INSERT OR ABORT INTO {table} ({names}) VALUES ({marks})"
        self._at_once = max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // len(load.columns)))
        self._sql_many = self.sql + f", ({marks})" * (self._at_once - 1)

    def insert(self, columns: Columns, done: int) -> int:
        """Puts a block in behind `done` rows; how many it holds. Raises Inexact or StatementFailed with the place."""
        before, width, rows = self._db.total_changes, len(columns), len(columns[0])
        for place in self._filled:
            if None in columns[place]:
                raise name_unfit(self._load, place, _UNNUMBERED, done + columns[place].index(None) + 1)
        cells: list[Any] = [None] * (width * rows)
        for place, column in enumerate(columns):
            cells[place::width] = column
        try:
            self._db.executemany(self._sql_many, zip(*[iter(cells)] * (width * self._at_once), strict=False))
            rest = cells[len(cells) - rows % self._at_once * width :]
            self._db.executemany(self.sql, zip(*[iter(rest)] * width, strict=True))
        except self._refusals as error:
            raise self._find_refused(cells, self._db.total_changes - before, done) or error from None
        return rows

    def _find_refused(self, cells: list[Any], first: int, done: int) -> RunnerError | None:
        """Of rows that were refused together, the first that is refused alone."""
        width = len(self._load.columns)
        for row in range(first, len(cells) // width):
            values = tuple(cells[row * width : (row + 1) * width])
            try:
                self._db.execute(self.sql, values)
            except self._refusals as error:
                return self._refused(error, values, done + row + 1)
        return None

    def _refused(self, error: Exception, values: tuple[Any, ...], row: int) -> RunnerError:
        """Names the column: from SQLite's message, or as the one whose value cannot be bound."""
        if isinstance(error, self._db.Error):
            named = [
                c.source_name for c in self._load.columns if str(error).lower().endswith(f".{c.stage_name}".lower())
            ]
            return tell_fault(error, column=named[0] if named else "", row=row)
        for place, value in enumerate(values):
            if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
                return name_unfit(self._load, place, "the text is not valid Unicode", row)
        return Inexact(f"Row {row}: {error}.", row=row)

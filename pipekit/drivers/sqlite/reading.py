# Reads rows in blocks that stay small, and scripts statement by statement. Is handed its cursor; imports no database.
"""Blocks of rows bounded by number and by size, whatever the rows hold."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any

from pipekit.drivers.sqlite.typemap import is_padded_elsewhere, to_neutral
from pipekit.drivers.sqltext import READINGS, tokens
from pipekit.errors import Inexact
from pipekit.runner_contract import ResultColumn

# So few that a processor keeps them at hand while they go from one form to the next.
BLOCK_ROWS = 500
BLOCK_CHARS = 1_000_000
# Columns that may hold long values are measured every few rows, so that a run of long ones is never fetched at once. Of
# those that are declared for others, or for SHORT_CHARS at most, which SQLite does not enforce, two cells tell.
STEP_ROWS = 32
SHORT_CHARS = 255

SQLITE = READINGS[1]
_LONG = frozenset(("text", "bytes"))
_BROKEN_HINT = "The source holds bytes that are no text: `hex(...)` of the column shows them."
_BAD = object()

Row = tuple[Any, ...]


class BlockReader:
    """The rows of a running query.

    `db` and `cursor` are SQLite's. A query that `repeats` (it only reads) is run once more to find the row of a text
    that is not UTF-8.
    """

    def __init__(
        self, db: Any, cursor: Any, sql: str, columns: tuple[ResultColumn, ...], repeats: bool, trims: bool = False
    ) -> None:
        self._db = db
        self._cursor = cursor
        self._sql = sql
        self.columns = columns
        self._repeats = repeats
        self._seen = 0
        # The columns whose texts lose the blanks at their end, where `trims` asks for it.
        self._padded = [place for place, column in enumerate(columns) if trims and is_padded_elsewhere(column.type)]
        types = [to_neutral(column.type) for column in columns]
        is_short = [type_.name not in _LONG or (type_.length or SHORT_CHARS + 1) <= SHORT_CHARS for type_ in types]
        self._short = [place for place, short in enumerate(is_short) if short]
        self._long = [place for place, short in enumerate(is_short) if not short]
        self._list_long = _build_lister(self._long)

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[list[Row]]:
        """Blocks of at most `rows` rows and about BLOCK_CHARS characters or bytes; raises Inexact for a broken text."""
        block: list[Row] = []
        size, step = 0, STEP_ROWS
        while part := self._fetch(min(step, rows - len(block))):
            part_size = self._measure(part)
            step = max(1, min(STEP_ROWS, 2 * step, BLOCK_CHARS * len(part) // (part_size + 1)))
            block += part
            size += part_size
            if len(block) >= rows or size >= BLOCK_CHARS:
                yield block
                block, size = [], 0
        if block:
            yield block

    def _measure(self, part: list[Row]) -> int:
        if found := [place for place in self._short if _is_long(part[0][place]) or _is_long(part[-1][place])]:
            self._short = [place for place in self._short if place not in found]
            self._long += found
            self._list_long = _build_lister(self._long)
        try:
            return sum(map(len, filter(None, self._list_long(part))))
        except TypeError:  # a number where a text is declared
            return sum(len(cell) for cell in self._list_long(part) if isinstance(cell, (str, bytes)))

    def _fetch(self, rows: int) -> list[Row]:
        try:
            block: list[Row] = self._cursor.fetchmany(rows)
        except Exception as error:
            if "decode to UTF-8" not in str(error):
                raise
            raise self._find_broken_text() from error
        self._seen += len(block)
        return [self._trim(row) for row in block] if self._padded else block

    def _trim(self, row: Row) -> Row:
        cells = list(row)
        for place in self._padded:
            cell = cells[place]
            cells[place] = cell.rstrip(" ") if isinstance(cell, str) else cell
        return tuple(cells)

    def _find_broken_text(self) -> Inexact:
        if self._repeats:
            self._db.text_factory = _probe
            try:
                for number, row in enumerate(self._db.execute(self._sql), start=1):
                    if number > self._seen and any(cell is _BAD for cell in row):
                        name = self.columns[[cell is _BAD for cell in row].index(True)].name
                        message = f"Column {name}, row {number}: the text is not valid UTF-8."
                        return Inexact(message, hint=_BROKEN_HINT, column=name, row=number)
            finally:
                self._db.text_factory = str
        return Inexact(f"A text after row {self._seen} is not valid UTF-8.", hint=_BROKEN_HINT)

    def close(self) -> None:
        """Ends the query."""
        self._cursor.close()


def _is_long(cell: Any) -> bool:
    return isinstance(cell, (str, bytes)) and len(cell) > SHORT_CHARS


def _build_lister(places: list[int]) -> Callable[[Iterable[Row]], Iterable[Any]]:
    """What lists the cells at these places, row by row."""
    if not places:
        return lambda rows: ()
    pick = itemgetter(*places)
    return (lambda rows: chain.from_iterable(map(pick, rows))) if len(places) > 1 else partial(map, pick)


def _probe(data: bytes) -> object:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _BAD


def starts_query(sql: str) -> bool:
    """Whether a statement begins like one that only reads."""
    for kind, start, _ in tokens(sql, SQLITE):
        if kind in ("space", "comment"):
            continue
        word = sql[start : start + 6].lower()
        return kind == "other" and (word in ("select", "values") or word[:4] == "with")
    return False


def split_script(sql: str, is_complete: Callable[[str], bool]) -> Iterator[str]:
    """The statements of a script; `is_complete` knows that a trigger's body has semicolons of its own."""
    start, has_words = 0, False
    for kind, _, end in tokens(sql, SQLITE):
        if kind != "semicolon":
            has_words = has_words or kind not in ("space", "comment")
        elif not has_words or is_complete(sql[start:end]):
            if has_words:
                yield sql[start:end]
            start, has_words = end, False
    if has_words:
        yield sql[start:]

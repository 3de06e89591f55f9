# Whether a U+FFFD that was read is the server's own, or stands for half a character. Knows no connection.
"""`ReplacedLetters`: mssql-python puts U+FFFD where half of a surrogate pair stands, and says nothing.

A text may hold a U+FFFD of its own. So those that pass are counted, and where there were any, the server is asked at
the end how many it has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipekit.drivers.sqlserver.names import quote_identifier
from pipekit.drivers.sqlserver.query import build_derived
from pipekit.errors import Inexact
from pipekit.runner_contract import ResultColumn

_LETTER = "\ufffd"
_COUNT = (
    "SUM(CAST((DATALENGTH({text}) - DATALENGTH(REPLACE({text} COLLATE Latin1_General_100_BIN2, NCHAR(65533), N'')))"
    " / 2 AS bigint))"
)


@dataclass(slots=True)
class _Seen:
    """How many were read of a column, and the row of the first."""

    count: int
    row: int


class ReplacedLetters:
    """The U+FFFDs of a query's columns."""

    def __init__(self, columns: Sequence[ResultColumn]) -> None:
        self._columns = columns
        self._seen: dict[int, _Seen] = {}

    def count(self, place: int, texts: pa.Array, done: int) -> None:
        """Takes note of a column of a block, `done` rows after the first. Raises Inexact when it cannot be asked."""
        count = pc.sum(pc.count_substring(texts, _LETTER)).as_py() or 0
        if not count:
            return
        if place not in self._seen:
            index = pc.index(pc.match_substring(texts, _LETTER), True).as_py()
            self._seen[place] = _Seen(0, done + index + 1)
        self._seen[place].count += count
        name = self._columns[place].name.lower()
        if not name or [column.name.lower() for column in self._columns].count(name) > 1:
            raise self._refuse(place)

    def build_count_query(self, sql: str) -> str:
        """Asks for the server's numbers, in the order of the columns; `""` when none was read."""
        if not self._seen:
            return ""
        texts = [
            f"CAST({quote_identifier(self._columns[place].name)} AS nvarchar(max))" for place in sorted(self._seen)
        ]
        return build_derived(sql, ", ".join(f"{_COUNT.format(text=text)} AS n{i}" for i, text in enumerate(texts)))

    def compare(self, counts: Sequence[str | None]) -> None:
        """Raises Inexact for a column of which more were read than the server has."""
        for place, count in zip(sorted(self._seen), counts, strict=True):
            if int(count or 0) != self._seen[place].count:
                raise self._refuse(place)

    def _refuse(self, place: int) -> Inexact:
        name, row = self._columns[place].name, self._seen[place].row
        return Inexact(
            f"Column {name}: a text holds half a character, which cannot be read; look from row {row} on.",
            hint="Texts with U+FFFD of their own are fine if the column has a name of its own and does not change "
            "while it is read. Else mend the text, or read it as CONVERT(varbinary(max), ...).",
            column=name,
            row=row,
        )

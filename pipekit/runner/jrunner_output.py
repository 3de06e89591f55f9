# What jrunner prints, read as it comes: CSV, counters, errors. Knows no process and no database.
"""`CsvReader`, `CounterReader`, and `describe_failure`."""

import re
from collections.abc import Iterator

from pipekit.errors import ConnectFailed, RunnerError, StatementFailed

Cells = tuple[str | None, ...]

_CELL = re.compile(r'(?:"((?:[^"]|"")*+)"|((?!")[^,\n]*))(,|\r?\n)')
_TICK = re.compile(r"\s*(\d[\d,]*)\s*\Z")
_SPEED = r"(?!\s*(?:/|per\b))"
_COUNT = re.compile(rf"(\d[\d,]*)\s+rows?\b{_SPEED}|\brows?\b{_SPEED}\D{{0,40}}?(\d[\d,]*)", re.IGNORECASE)
_THROWN = re.compile(r"^(?:Exception in thread .*?|Caused by: )?(?:\w+\.)+\w*(?:Exception|Error)\b.*$", re.MULTILINE)
_CONNECT = re.compile(
    r"refused|authentication|login failed|unknown ?host|no suitable driver|not connect|connection attempt|timed out",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"authentication|login failed|no suitable driver", re.IGNORECASE)
_PASSING = re.compile(r"refused|reset|timed out|broken pipe|deadlock|could not serialize", re.IGNORECASE)
_SQLSTATE = re.compile(r"SQL ?State:?\s*\(?([0-9A-Z]{5})\b", re.IGNORECASE)
_TOLD = re.compile(r"^\s*(?:error|fatal|exception)\b.*$", re.IGNORECASE | re.MULTILINE)
LONGEST_MESSAGE = 600


class CsvReader:
    """Rows of CSV as they come. A cell without anything is NULL, `""` an empty string."""

    def __init__(self) -> None:
        self._text = ""
        self._row: list[str | None] = []

    def feed(self, text: str) -> list[Cells]:
        """The rows that this text completes."""
        self._text += text
        rows: list[Cells] = []
        at = 0
        while cell := _CELL.match(self._text, at):
            at = cell.end()
            self._row.append(_value(cell))
            if cell[3] != ",":
                rows.append(tuple(self._row))
                self._row = []
        self._text = self._text[at:]
        return rows

    def finish(self) -> list[Cells]:
        """The last row, where no line end stands behind it. Raises StatementFailed for a cell that does not end."""
        rows = self.feed("\n") if self._text or self._row else []
        if self._text or self._row:
            raise StatementFailed("jrunner's CSV ends in the middle of a quoted cell.")
        return rows


def _value(cell: re.Match[str]) -> str | None:
    if cell[1] is not None:
        return cell[1].replace('""', '"')
    plain = cell[2].removesuffix("\r") if cell[3] == "\n" else cell[2]
    return plain or None


class CounterReader:
    """What jrunner prints while it moves rows: counters, each ended by a carriage return or a line end, then the sum.

    `total` is the row count it ended with, None when it named none.
    """

    def __init__(self) -> None:
        self.ticks: int | None = None
        self._sum: int | None = None
        self._rest = ""

    @property
    def total(self) -> int | None:
        """Rows by jrunner's own account: its last word, else its last counter."""
        return self.ticks if self._sum is None else self._sum

    def feed(self, text: str) -> Iterator[int | str]:
        """The counters (numbers) and other lines that this text completes."""
        *lines, self._rest = re.split(r"[\r\n]", self._rest + text)
        for line in lines:
            tick = _TICK.match(line)
            if tick:
                self.ticks = _number(tick[1])
                yield self.ticks
            elif line.strip():
                self._note_sum(line)
                yield line

    def finish(self) -> Iterator[int | str]:
        """The last line, where no line end stands behind it."""
        return self.feed("\n")

    def _note_sum(self, line: str) -> None:
        if self._sum is None and (found := _COUNT.search(line)):
            self._sum = _number(found[1] or found[2])


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def find_thrown(stderr: str) -> str:
    """The first Java exception in what was written to stderr, `""` where there is none."""
    found = _THROWN.search(stderr)
    return found.group().strip() if found else ""


def describe_failure(code: int | None, said: str) -> RunnerError:
    """The error of a jrunner that failed, from its exit code and what it said."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    marked = _TOLD.search(said)
    told = find_thrown(said) or (marked.group().strip() if marked else next(reversed(lines), "it said nothing"))
    told = told[:LONGEST_MESSAGE]
    state = _SQLSTATE.search(said)
    kind: type[RunnerError] = ConnectFailed if _CONNECT.search(told) else StatementFailed
    return kind(
        f"jrunner failed (exit code {code}): {told}",
        hint="The run's log has what it said.",
        transient=bool(_PASSING.search(told)) and not _LOGIN.search(told),
        sqlstate=state[1].upper() if state else "",
    )

# PostgreSQL's COPY text format: reading rows out of it, escaping values into it. Pure text; knows no connection.
"""COPY text: one row a line, cells between tabs, `\\N` for NULL, backslash escapes."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pipekit.errors import Inexact
from pipekit.runner_contract import ResultColumn

NULL = "\\N"

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPING = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NEEDS_ESCAPE = re.compile(r"[\\\t\n\r]")

Cells = tuple[str | None, ...]


def decode_rows(
    blocks: Iterator[tuple[bytes, int]], columns: Sequence[ResultColumn]
) -> Iterator[tuple[list[Cells], int]]:
    """Blocks of COPY text -> lists of rows, each cell as the server's text. Blocks end at the end of a row."""
    done = 0
    for block, count in blocks:
        try:
            text = block.decode()
        except UnicodeDecodeError:
            raise _name_bad_bytes(block, columns, done) from None
        lines = text.split("\n")
        lines.pop()
        if "\\" in text:
            yield [_decode_line(line) if "\\" in line else tuple(line.split("\t")) for line in lines], count
        else:
            yield [tuple(line.split("\t")) for line in lines], count
        done += count


def escape(text: str) -> str:
    """A value as a cell."""
    return text.translate(_ESCAPING) if _NEEDS_ESCAPE.search(text) else text


def escape_all(texts: Sequence[str], joined: str) -> Sequence[str]:
    """Values as cells; most columns hold nothing to escape, which one look at all of them `joined` tells."""
    needs = "\\" in joined or "\t" in joined or "\n" in joined or "\r" in joined
    return [escape(text) for text in texts] if needs else texts


def find_copy_place(context: str, table: str, columns: Sequence[str]) -> tuple[int | None, str]:
    """Row and column in the context of a COPY error, whatever the language of the server's messages.

    `COPY orders, line 5, column qty: "abc"`: after the table a word and the row, then perhaps a word and the column.
    """
    found = re.search(rf"^COPY {re.escape(table)}, \D*(\d+)", context, re.MULTILINE)
    if found is None:
        return None, ""
    rest = context[found.end() :]
    for name in sorted(columns, key=len, reverse=True):
        if re.match(rf", \S+ {re.escape(name)}(?:\s?:|\Z|\n)", rest):
            return int(found[1]), name
    return int(found[1]), ""


def _decode_line(line: str) -> Cells:
    return tuple(
        [None if cell == NULL else _ESCAPED.sub(_unescape, cell) if "\\" in cell else cell for cell in line.split("\t")]
    )


def _unescape(match: "re.Match[str]") -> str:
    return _ESCAPES.get(match[1], match[1])


def _name_bad_bytes(block: bytes, columns: Sequence[ResultColumn], done: int) -> Inexact:
    for number, line in enumerate(block.split(b"\n"), start=done + 1):
        for column, cell in zip(columns, line.split(b"\t"), strict=False):
            try:
                cell.decode()
            except UnicodeDecodeError:
                message = f"Row {number}, column {column.name}: the text is not valid in UTF-8."
                return Inexact(message, row=number, column=column.name)
    return Inexact("The source sent text that is not valid in UTF-8.")


def find_bad_bytes(blocks: Iterable[bytes]) -> tuple[int, int]:
    """The row (from 1) and the place of the column (from 0) of the first cell that is no UTF-8; row 0 for none."""
    row = 0
    for block in blocks:
        for line in block.splitlines():
            row += 1
            for place, cell in enumerate(line.split(b"\t")):
                try:
                    cell.decode()
                except UnicodeDecodeError:
                    return row, place
    return 0, 0

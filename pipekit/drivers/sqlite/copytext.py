# PostgreSQL's COPY text -> columns of what SQLite stores. Knows no connection.
"""Blocks of COPY text taken apart into columns, and each column read by the type it has in the source."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from pipekit.drivers.sqlite.typemap import EXACT_DIGITS, Affinity
from pipekit.drivers.sqlite.values import (
    CLOCK_TYPE,
    DECIMAL_TYPE,
    FLOAT_TYPE,
    INTEGER_TYPE,
    Cells,
    ColumnRule,
    Converter,
    One,
    Unfit,
    show,
)
from pipekit.drivers.types import is_bytes_type
from pipekit.errors import StatementFailed
from pipekit.runner_contract import LoadColumn

_NULL = "\\N"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_BOOLS: dict[str, bool | None] = {"t": True, "f": False}
# How often the values of a block must repeat for it to pay that each is read once, and how many are kept.
_REPEATED, _MOST_KNOWN = 4, 2_000
# Blocks are taken apart in pieces that a processor keeps at hand.
PIECE_BYTES = 64 * 1024


def cut_copy_text(block: bytes) -> Iterator[bytes]:
    """A block of whole rows in pieces of whole rows."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + PIECE_BYTES) + 1 or len(block)
        yield block[start:end]
        start = end


def split_copy_text(block: bytes, width: int) -> list[Sequence[str]]:
    """A block of whole rows of COPY text as `width` columns of still escaped texts."""
    text = block.decode("utf-8")
    cells = text.replace("\n", "\t").split("\t")
    if cells.pop() or len(cells) != width * text.count("\n"):
        raise StatementFailed(f"The source sent rows that have not {width} columns each.")
    return [cells[place::width] for place in range(width)] if cells else []


def build_copy_converters(columns: Iterable[LoadColumn], exact: bool) -> list[Converter]:
    """One converter per column for the columns of `split_copy_text`."""
    return [_build_copy_converter(column, exact) for column in columns]


def _build_copy_converter(column: LoadColumn, exact: bool) -> Converter:
    rule = ColumnRule(column, exact, foreign=True)
    source = column.source_type.strip().lower()
    if rule.affinity not in ("TEXT", "REAL") and INTEGER_TYPE.fullmatch(source):
        return partial(_parse_each, int)
    if _reads_as_float(rule.affinity, source):
        return _FloatReader(rule.convert).read
    if source == "boolean":
        return lambda cells: rule.convert([_BOOLS.get(cell) for cell in cells])
    if is_bytes_type(source):
        return partial(_parse_each, _parse_bytea)
    if rule.affinity == "NUMERIC" and CLOCK_TYPE.fullmatch(source) and not rule.wants_number:
        return _put_nulls
    if rule.keeps_all_texts:
        return _unescape_each
    return lambda cells: rule.convert(_unescape_each(cells))


def _reads_as_float(affinity: Affinity, source: str) -> bool:
    """A float, or a decimal of so few digits that its float always means the same digits."""
    if FLOAT_TYPE.fullmatch(source):
        return affinity in ("REAL", "NUMERIC", "BLOB")
    match = DECIMAL_TYPE.fullmatch(source)
    return affinity in ("REAL", "NUMERIC") and bool(match and match[1] and int(match[1]) <= EXACT_DIGITS)


def _parse_each(parse: One, cells: Cells) -> Cells:
    """What `parse` makes of each; a NULL shows by being refused."""
    try:
        return list(map(parse, cells))
    except ValueError:
        pass
    parsed: list[object] = []
    try:
        parsed.extend(None if cell == _NULL else parse(cell) for cell in cells)
    except ValueError:
        raise Unfit(f"{show(cells[len(parsed)])} is not a value of its own type", len(parsed)) from None
    return parsed


class _Known(dict[str, float | None]):
    """Cells and what they are read as; NaN, which no column holds, is none of them."""

    def __missing__(self, cell: str) -> float | None:
        value = None if cell == _NULL else float(cell)
        if value is not None and value != value:
            raise ValueError(cell)
        self[cell] = value
        return value


class _FloatReader:
    """Floats of a column, block by block; where they repeat each is read, and looked at, once.

    `convert` looks at floats of any sort.
    """

    def __init__(self, convert: Converter) -> None:
        self._convert = convert
        self._known: _Known | None = _Known()

    def read(self, cells: Cells) -> Cells:
        """The values of a block; raises Unfit."""
        known = self._known
        if known is None:
            return self._convert(_parse_each(float, cells))
        before = len(known)
        try:
            parsed = list(map(known.__getitem__, cells))
        except ValueError:  # the block, and with it the place, is asked for
            return self._convert(_parse_each(float, cells))
        if _REPEATED * (len(known) - before) > len(cells) > 1 or len(known) > _MOST_KNOWN:
            self._known = None
        return parsed


def _parse_bytea(cell: str) -> bytes:
    r"""`\\xDEAD`, as COPY escapes `\xDEAD`."""
    if cell == _NULL:
        raise ValueError(cell)
    return bytes.fromhex(cell[3:])


def _put_nulls(cells: Cells) -> Cells:
    return [None if cell == _NULL else cell for cell in cells] if _NULL in cells else cells


def _unescape_each(cells: Cells) -> Cells:
    if "\\" not in "".join(cells):
        return cells
    return [cell if "\\" not in cell else None if cell == _NULL else _ESCAPED.sub(_unescape, cell) for cell in cells]


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])

# Reading the simplest of queries: columns of one table, perhaps with a condition. In doubt it gives up. No database.
"""`read_plain_select`: the table and the columns of a query in which each row of the table comes once at most."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipekit.drivers.sqltext import strip_query, tokens

# What may make a row come twice, or may only look like a condition.
_SETS = frozenset({"union", "intersect", "except", "minus", "join", "group", "qualify", "with", "into", "for"})
_PRODUCTS = frozenset({"connect", "start", "apply", "lateral", "pivot", "unpivot", "sample", "tablesample", "model"})
_TOO_MUCH = _SETS | _PRODUCTS | {"match_recognize"}
_AFTER_TABLE = frozenset({"where", "order", "limit", "offset", "fetch"})
_WORD = re.compile(r"[^\W\d][\w$#@]*")


@dataclass(frozen=True, slots=True)
class PlainSelect:
    """`table` as the query writes it. `columns` are result name -> column of the table; None means all, as they are."""

    table: str
    columns: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word, a quoted name or a sign: as it stands, and as a name."""

    text: str
    name: str = ""

    @property
    def word(self) -> str:
        return self.text.lower()


def read_plain_select(sql: str) -> PlainSelect | None:
    """The query as a plain select, None when it is anything more."""
    pieces = list(_read_pieces(strip_query(sql)))
    words = [piece.word for piece in pieces]
    if not pieces or words[0] != "select" or "from" not in words or _TOO_MUCH & {*words}:
        return None
    start = words.index("from")
    columns = _read_items(pieces[1:start])
    table = _read_table(pieces[start + 1 :])
    return PlainSelect(table, columns or None) if table and columns is not None else None


def _read_pieces(sql: str) -> Iterator[_Piece]:
    at = 0
    for kind, start, end in tokens(sql):
        if start < at or kind in ("space", "comment"):
            continue
        text = sql[start:end]
        if kind == "name":
            yield _Piece(text, text[1:-1].replace(text[-1] * 2, text[-1]))
        elif kind == "other" and (found := _WORD.match(sql, start)):
            at = found.end()
            yield _Piece(found[0], found[0])
        else:
            yield _Piece(text)


def _read_items(pieces: list[_Piece]) -> dict[str, str] | None:
    """Result name -> column; empty for `*`, None for anything that is no name."""
    if [piece.text for piece in pieces] == ["*"]:
        return {}
    columns: dict[str, str] = {}
    for item in _split(pieces):
        found = _read_item(item)
        if found is None or found[0] in columns:
            return None
        columns[found[0]] = found[1]
    return columns or None


def _split(pieces: list[_Piece]) -> list[list[_Piece]]:
    parts: list[list[_Piece]] = [[]]
    for piece in pieces:
        if piece.text == ",":
            parts.append([])
        else:
            parts[-1].append(piece)
    return parts


def _read_item(item: list[_Piece]) -> tuple[str, str] | None:
    """`a`, `t.a`, `a b` or `t.a AS b` as (b, a)."""
    rest = list(item)
    while len(rest) > 2 and rest[0].name and rest[1].text == ".":
        rest = rest[2:]
    if len(rest) == 3 and rest[1].word == "as":
        del rest[1]
    if not 1 <= len(rest) <= 2 or not all(piece.name for piece in rest):
        return None
    return rest[-1].name, rest[0].name


def _read_table(pieces: list[_Piece]) -> str:
    """The table's name behind FROM, `""` when more than an alias and a condition follows."""
    rest = list(pieces)
    parts: list[str] = []
    while rest and rest[0].name:
        parts.append(rest.pop(0).text)
        if not rest or rest[0].text != ".":
            break
        rest.pop(0)
    if rest and rest[0].word == "as":
        rest.pop(0)
    if rest and rest[0].name and rest[0].word not in _AFTER_TABLE:
        rest.pop(0)
    is_whole = not rest or rest[0].word in _AFTER_TABLE
    return ".".join(parts) if parts and is_whole else ""

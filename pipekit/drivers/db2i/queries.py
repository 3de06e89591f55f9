# A query for Db2 for i taken apart at its end: row limits, isolation, what it is for. Knows no grammar beyond that.
"""`split_query`, and what is built from it.

Db2 for i takes no WITH, no isolation clause and no FOR READ ONLY within a nested table expression, and one FETCH FIRST
only. So a query is limited at its own end, and wrapped without the clauses that belong to the whole statement.
"""

import re
from dataclasses import dataclass

from pipekit.drivers.sqltext import Reading, strip_query, tokens

_DB2 = Reading(nested_comments=True)
_WORD = re.compile(r"[A-Z0-9_#$@]+\Z")

# Clauses of the whole statement, as words; `*` is one word or sign.
_STATEMENT_CLAUSES = (
    ("FOR", "READ", "ONLY"), ("FOR", "FETCH", "ONLY"), ("FOR", "UPDATE"), ("OPTIMIZE", "FOR"),
    ("WITH", "NC"), ("WITH", "UR"), ("WITH", "CS"), ("WITH", "RS"), ("WITH", "RR"),
    ("USE", "CURRENTLY"), ("WAIT", "FOR", "OUTCOME"), ("SKIP", "LOCKED", "DATA"),
)  # fmt: skip
_LIMITS = (("FETCH", "FIRST"), ("FETCH", "NEXT"), ("LIMIT",))


@dataclass(frozen=True, slots=True)
class Query:
    """`body` is what can stand in a nested table expression, `limit` its own row limit (None: no number, or none),
    `tail` the clauses of the whole statement."""

    body: str
    limit: int | None
    tail: str
    is_select: bool
    has_with: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A word in capitals, and where it stands."""

    text: str
    start: int
    end: int


def split_query(sql: str) -> Query:
    """Takes a query apart. Raises Invalid for one that is none."""
    text = strip_query(sql)
    words = read_top_words(text)
    first = words[0].text if words else ""
    tail_at = _find_first(words, _STATEMENT_CLAUSES)
    end = words[tail_at].start if tail_at is not None else len(text)
    kept = words if tail_at is None else words[:tail_at]
    limit_at = _find_first(kept, _LIMITS)
    body, limit = text[:end], None
    if limit_at is not None:
        limit = next((int(word.text) for word in kept[limit_at:] if word.text.isdecimal()), None)
        body = text[: kept[limit_at].start]
        if kept[limit_at].text == "LIMIT" and limit_at + 2 < len(kept) and kept[limit_at + 2].text == "OFFSET":
            body += f"OFFSET {kept[limit_at + 3].text} ROWS" if limit_at + 3 < len(kept) else ""
    return Query(body.rstrip(), limit, text[end:].strip(), first in ("SELECT", "WITH"), first == "WITH")


def build_limited(sql: str, rows: int) -> str:
    """The query's first rows, by its own end: `FETCH FIRST n ROWS ONLY` stands before isolation and the like."""
    query = split_query(sql)
    if not query.is_select:
        return strip_query(sql)
    count = rows if query.limit is None else min(rows, max(query.limit, 1))
    fetch = f"FETCH FIRST {count} ROW{'' if count == 1 else 'S'} ONLY"
    return "\n".join(part for part in (query.body, fetch, query.tail) if part)


def build_nested(sql: str, chosen: str) -> str:
    """The query cut to some columns; one that begins with WITH gets its last part as one more named query."""
    query = split_query(sql)
    limit = "" if query.limit is None else f"\nFETCH FIRST {query.limit} ROWS ONLY"
    tail = f"\n{query.tail}" if query.tail else ""
    if not query.has_with:
        return f"SELECT {chosen} FROM (\n{query.body}{limit}\n) AS pipekit_query{tail}"
    at = _find_main_select(query.body)
    named = f"{query.body[:at].rstrip()},\npipekit_query AS (\n{query.body[at:]}{limit}\n)"
    return f"{named}\nSELECT {chosen} FROM pipekit_query{tail}"


def has_call(sql: str, name: str) -> bool:
    """Whether a function of this name is called anywhere in the text, strings and comments aside."""
    plain = "".join(sql[start:end] if kind in ("other", "space") else " " for kind, start, end in tokens(sql, _DB2))
    return bool(re.search(rf"\b{name}\s*\(", plain, re.IGNORECASE))


def _find_main_select(text: str) -> int:
    """Where the query behind the named ones begins: the first SELECT or VALUES outside brackets."""
    return next(word.start for word in read_top_words(text) if word.text in ("SELECT", "VALUES"))


def read_top_words(text: str) -> list[Word]:
    """The words outside brackets, strings and comments, in capitals."""
    words: list[Word] = []
    depth, start, end = 0, -1, -1
    for kind, left, right in tokens(text, _DB2):
        char = text[left:right]
        if kind == "other" and _WORD.match(char.upper()) and depth == 0:
            start, end = (left if start < 0 else start), right
            continue
        if start >= 0:
            words.append(Word(text[start:end].upper(), start, end))
            start = -1
        if kind == "other":
            depth += (char == "(") - (char == ")")
    if start >= 0:
        words.append(Word(text[start:end].upper(), start, end))
    return words


def _find_first(words: list[Word], clauses: tuple[tuple[str, ...], ...]) -> int | None:
    """The first of the words at which one of the clauses stands; a query's own first word is none."""
    for at in range(1, len(words)):
        if any(tuple(word.text for word in words[at : at + len(clause)]) == clause for clause in clauses):
            return at
    return None

# Where the placeholders of a query stand: where a value is put, in text, in a comment. Knows no grammar.
"""`find_places`, `find_unmatched_placeholders`, `lay_bare`, and `add_condition`.

A watermark is put wherever its name stands in braces. Which braces are meant as one, before there is a watermark, is
told by the place: `'{since}'` behind a comparison is a value, `'{draft}'` in a select list is text.
"""

import re
from bisect import bisect
from collections.abc import Collection, Iterator
from operator import itemgetter
from typing import Literal

from pipekit.drivers.sqltext import strip_query, tokens
from pipekit.errors import Invalid

Place = Literal["value", "text", "comment"]

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")

_EDGE = re.compile(
    r"(?P<open>\(|\bcase\b)|(?P<close>\)|\bend\b)"
    r"|\b(?P<clause>select|from|where|having|on|when|then|else|values|set|order|group|union|with|using|qualify)\b",
    re.IGNORECASE,
)
_CONDITIONS = frozenset({"where", "having", "on", "when", "qualify"})
# Arrays and paths into documents are written with braces of their own.
_BRACES_BEFORE = re.compile(r"(?:@>|<@|&&|#>>?|->>?|\?|\b(?:any|all)\s*\()\s*\Z", re.IGNORECASE)
_ARRAY_BEHIND = re.compile(r"\s*::\s*[\w ]+\[", re.IGNORECASE)
_VALUE_BEFORE = re.compile(r"(?:[<>=]|\b(?:date|time|timestamp|timestamptz|datetime|interval))\s*\Z", re.IGNORECASE)
_TYPE_BEFORE = re.compile(r"\b(?:date|time|timestamp|timestamptz|datetime)\s*\Z", re.IGNORECASE)
# How far back a sign or a word before a string is looked for.
_LOOK_BACK = 60

# What may stand behind a condition, or makes of one query several.
_SEVERAL = frozenset({"with", "union", "intersect", "except", "minus", "into", "connect", "start", "model"})
_BEHIND = frozenset({"group", "having", "order", "limit", "offset", "fetch", "for", "window", "qualify"})
_NO_ROOM = _SEVERAL | _BEHIND | {"or", "pivot", "unpivot", "sample", "tablesample"}
_WORD = re.compile(r"[^\W\d][\w$#@]*|[()]")


def find_places(query: str) -> dict[str, Place]:
    """Each `{name}` of a query and where it stands; a name that stands in several places has the first of these:
    a value, text, a comment.
    """
    found: dict[str, Place] = {}
    for name, place in _list_places(query):
        before = found.get(name, "comment")
        found[name] = place if before == "comment" or place == "value" else before
    return found


def find_unmatched_placeholders(query: str, names: Collection[str]) -> list[str]:
    """The `{name}` of a query that stand where a value is put and that no watermark has, for a warning."""
    return sorted({name for name, place in find_places(query).items() if place == "value"} - set(names))


def lay_bare(query: str, names: Collection[str]) -> str:
    """The query with blanks for the quotes, and the word of a type, around each `'{name}'`: NULL may take its place.

    Every other character stays where it is.
    """
    parts: list[str] = []
    for kind, start, end in tokens(query):
        text = query[start:end]
        match = PLACEHOLDER.fullmatch(text[1:-1]) if kind == "string" and text[0] == "'" else None
        if match and match[1] in names:
            before = "".join(parts)
            typed = _TYPE_BEFORE.search(before)
            parts = [before[: typed.start()], " " * (len(before) - typed.start())] if typed else [before]
            text = f" {match[0]} "
        parts.append(text)
    return "".join(parts)


def _list_places(query: str) -> Iterator[tuple[str, Place]]:
    if not PLACEHOLDER.search(query):
        return
    code = _blank_out(query)
    clauses = list(_list_clauses(code))
    for kind, start, end in tokens(query):
        # A bracket may be a name's or an array's; what stands in an array is a value.
        if kind in ("other", "space", "semicolon") or query[start] == "[":
            continue
        for match in PLACEHOLDER.finditer(query, start, end):
            if kind == "comment":
                yield match[1], "comment"
            else:
                yield match[1], "value" if kind == "string" and _takes_value(code, clauses, start, end) else "text"
    for match in PLACEHOLDER.finditer(code):
        yield match[1], "value"


def _blank_out(query: str) -> str:
    """The query with comments, strings and quoted names as blanks, every place kept."""
    parts = [
        query[start:end] if kind in ("other", "space", "semicolon") or query[start] == "[" else " " * (end - start)
        for kind, start, end in tokens(query)
    ]
    return "".join(parts)


def _takes_value(code: str, clauses: list[tuple[int, str]], start: int, end: int) -> bool:
    """Whether the string at this place is one of a condition, or of a type."""
    before = code[max(0, start - _LOOK_BACK) : start]
    if _BRACES_BEFORE.search(before) or _ARRAY_BEHIND.match(code, end):
        return False
    clause = clauses[bisect(clauses, start, key=itemgetter(0)) - 1][1]
    return bool(_VALUE_BEFORE.search(before)) or clause in _CONDITIONS


def _list_clauses(code: str) -> Iterator[tuple[int, str]]:
    """(place, clause) wherever another clause begins, or goes on behind parentheses."""
    open_clauses = [""]
    yield 0, ""
    for edge in _EDGE.finditer(code):
        if edge["open"]:
            open_clauses.append(open_clauses[-1])
        elif edge["close"]:
            open_clauses.pop()
            open_clauses = open_clauses or [""]
        else:
            open_clauses[-1] = edge["clause"].lower()
        yield edge.end(), open_clauses[-1]


def add_condition(query: str, condition: str) -> str | None:
    """The query with one more condition; None where its text does not tell where that belongs."""
    try:
        plain = strip_query(query)
    except Invalid:
        return None
    words = list(_list_outer_words(_blank_out(plain)))
    if not words or words[0] != "select" or "from" not in words or _NO_ROOM & {*words}:
        return None
    end = query.find(plain) + len(plain)
    joint = "  AND" if "where" in words else "WHERE"
    return f"{query[:end]}\n{joint} {condition}{query[end:]}"


def _list_outer_words(code: str) -> Iterator[str]:
    """The words that stand in no parentheses."""
    depth = 0
    for match in _WORD.finditer(code):
        if match[0] in "()":
            depth += 1 if match[0] == "(" else -1
        elif depth == 0:
            yield match[0].lower()

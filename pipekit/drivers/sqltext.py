# A small lexer for SQL text: enough to find where a query really ends. Knows no grammar, only how databases quote.
"""Reading SQL as tokens: comments, strings, quoted names, dollar quotes and the rest.

Databases disagree on what a quote is (`[x]` is a name in SQLite and an array index in PostgreSQL; a comment within a
comment nests in some and not in others), and a query does not say which database it is for. `tokens` reads with every
form of quoting on; `strip_query` reads with each database's own and takes away only what all of them would leave out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from pipekit.errors import Invalid

# What folds names to small letters folds these only, and leaves those of other alphabets.
SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Reading:
    """Which forms of quoting a database knows beside `'...'`, `"..."`, `--` and `/* */`."""

    nested_comments: bool = False
    brackets: bool = False
    doubled_brackets: bool = False
    backticks: bool = False
    dollars: bool = False
    escapes: bool = False
    return_ends_comment: bool = False


EVERYTHING = Reading(brackets=True, backticks=True, dollars=True, escapes=True)
READINGS = (
    Reading(nested_comments=True, dollars=True, escapes=True, return_ends_comment=True),  # PostgreSQL
    Reading(brackets=True, backticks=True),  # SQLite
    Reading(nested_comments=True, doubled_brackets=True),  # SQL Server, Db2
)

_BLANKS = " \t\r\n\f\v"
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_LINE_END = re.compile(r"\n")
_ANY_LINE_END = re.compile(r"[\r\n]")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_DOLLAR_TAG = re.compile(r"\$(?:[A-Za-z_\x80-\U0010ffff][0-9A-Za-z_\x80-\U0010ffff]*)?\$")
_STRING_EDGE = re.compile(r"\\.|''|'", re.DOTALL)


def tokens(sql: str, reading: Reading = EVERYTHING) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of each token, one after the other without gaps, in time linear in the text.

    Kinds are comment, string, name, dollar, space, semicolon and other (one character); `open` is a comment, string or
    name that does not end: it takes the rest of the text.
    """
    at = 0
    while at < len(sql):
        kind, end = _next_token(sql, at, reading)
        if end < 0:
            kind, end = "open", len(sql)
        yield kind, at, end
        at = end


def _next_token(sql: str, at: int, reading: Reading) -> tuple[str, int]:
    """The kind and end of the token at a place; an end below 0 when there is none."""
    char = sql[at]
    if char in _BLANKS:
        return "space", _end_of(_SPACE, sql, at)
    if char == ";":
        return "semicolon", at + 1
    if char == "-" and sql.startswith("--", at):
        found = (_ANY_LINE_END if reading.return_ends_comment else _LINE_END).search(sql, at)
        return "comment", found.start() if found else len(sql)
    if char == "/" and sql.startswith("/*", at):
        return "comment", _comment_end(sql, at, reading.nested_comments)
    if char == "'":
        return "string", _doubled_end(sql, at, "'")
    if char in "eE" and reading.escapes and sql.startswith("'", at + 1) and not _in_word(sql, at):
        return "string", _escaped_end(sql, at + 2)
    if char == "$" and reading.dollars and not _in_word(sql, at) and (tag := _DOLLAR_TAG.match(sql, at)):
        close = sql.find(tag.group(), tag.end())
        return "dollar", close + len(tag.group()) if close >= 0 else -1
    return _name_or_other(sql, at, reading)


def _name_or_other(sql: str, at: int, reading: Reading) -> tuple[str, int]:
    char = sql[at]
    if char == '"' or (char == "`" and reading.backticks):
        return "name", _doubled_end(sql, at, char)
    if char == "[" and reading.doubled_brackets:
        return "name", _doubled_end(sql, at, "]")
    if char == "[" and reading.brackets:
        return "name", sql.find("]", at) + 1 or -1
    return "other", at + 1


def _end_of(pattern: re.Pattern[str], sql: str, at: int) -> int:
    found = pattern.match(sql, at)
    return found.end() if found else -1


def _in_word(sql: str, at: int) -> bool:
    """Whether the character before belongs to a word, so that no new word starts here."""
    return at > 0 and (sql[at - 1].isalnum() or sql[at - 1] in "_$#@")


def _doubled_end(sql: str, at: int, quote: str) -> int:
    """Where a quoted text ends in which the quote itself is written twice."""
    end = sql.find(quote, at + 1)
    while end >= 0 and sql.startswith(quote, end + 1):
        end = sql.find(quote, end + 2)
    return end + 1 if end >= 0 else -1


def _escaped_end(sql: str, at: int) -> int:
    """Where an `E'...'` ends; `at` is behind its first quote."""
    for edge in _STRING_EDGE.finditer(sql, at):
        if edge.group() == "'":
            return edge.end()
    return -1


def _comment_end(sql: str, at: int, nested: bool) -> int:
    if not nested:
        end = sql.find("*/", at + 2)
        return end + 2 if end >= 0 else -1
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return -1


def strip_query(sql: str) -> str:
    """The query without surrounding space, trailing semicolons and the comments behind it.

    Where databases read the text differently, whatever one of them would keep is kept. Raises Invalid (field `query`)
    for an empty query, for more than one statement, and for a string, name or comment that does not end.
    """
    ends: list[int] = []
    refusals: list[Invalid] = []
    for reading in READINGS:
        try:
            ends.append(_query_end(sql, reading))
        except Invalid as error:
            refusals.append(error)
    if not ends:
        raise refusals[0]
    return sql[: max(ends)].strip(_BLANKS)


def _query_end(sql: str, reading: Reading) -> int:
    end = 0
    finished = False
    for kind, start, stop in tokens(sql, reading):
        if kind == "open":
            what = "comment" if sql.startswith("/*", start) else "quote"
            raise Invalid(
                f"A {what} in the query does not end.", field="query", hint=f"It starts at: {sql[start : start + 40]!r}"
            )
        if kind in ("space", "comment"):
            continue
        if kind == "semicolon":
            finished = finished or end > 0
            continue
        if finished:
            more = sql[start : start + 40]
            raise Invalid("A query must be a single statement.", field="query", hint=f"Found more after ';': {more!r}")
        end = stop
    if not end:
        raise Invalid("The query is empty.", field="query")
    return end

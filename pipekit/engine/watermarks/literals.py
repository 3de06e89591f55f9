# Whether a watermark's value, given by hand, is a plain literal where it stands. Knows text, no database and no person.
"""`check_literals`: what somebody who may not write SQL may put into a query."""

import re
from collections.abc import Iterator, Mapping

from pipekit.drivers.sqltext import READINGS, Reading, tokens
from pipekit.engine.watermarks.places import PLACEHOLDER
from pipekit.errors import Invalid

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# What would end a text, begin an escape, or be another character to one database than to another.
_UNQUOTED = re.compile(r"[^'\\\x00-\x1f\x7f]*")
_QUOTED = re.compile(f"'{_UNQUOTED.pattern}'")
# An escape to MySQL, and its comment, so that a text ends elsewhere there.
_AMBIGUOUS = re.compile(r"[\\#]")
# Beside one of these a literal would become a part of what stands there already.
_JOINS = re.compile(r"[\w$#@'\"`.\\]")
_HINT = "An admin may give any SQL as a value."


def check_literals(query: str, values: Mapping[str, str]) -> None:
    """Raises Invalid for a value that would be more than one number or one quoted text in the query.

    Every database's way to quote is looked at, as a query does not say which one it is for.
    """
    for match in PLACEHOLDER.finditer(query):
        value = values.get(match[1])
        if value is None:
            continue
        if problem := _find_problem(query, match, value):
            raise Invalid(f"The value of '{match[1]}' {problem}.", field=f"watermarks.{match[1]}", hint=_HINT)


def _find_problem(query: str, match: "re.Match[str]", value: str) -> str:
    kinds = set(_list_kinds(query, match.start()))
    if _NUMBER.fullmatch(value):
        return "" if kinds == {"string"} else _find_neighbour(query, match, value)
    if _AMBIGUOUS.search(query):
        return "must be a number, as the query holds a backslash or a #, which databases read differently"
    if kinds == {"string"}:
        return "" if _UNQUOTED.fullmatch(value) else "may hold no quote, backslash or control character"
    if kinds != {"other"}:
        return "stands in a comment or a name, where only an admin's may"
    if not _QUOTED.fullmatch(value):
        return "must be a number, or a text in single quotes without quotes in it"
    return _find_neighbour(query, match, value)


def _find_neighbour(query: str, match: "re.Match[str]", value: str) -> str:
    before, after = query[: match.start()][-1:], query[match.end() :][:1]
    if _JOINS.match(before) or _JOINS.match(after) or (before in "+-" and value[0] in "+-"):
        return "would run into what stands beside it in the query"
    return ""


def _list_kinds(query: str, place: int) -> Iterator[str]:
    """What stands at a place, to each database."""
    for reading in (*READINGS, Reading(backticks=True)):
        yield next(kind for kind, start, end in tokens(query, reading) if start <= place < end)

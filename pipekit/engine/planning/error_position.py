# Where in a query a database saw a fault. Text only; knows no database and no page.
"""`find_error_position`: from a place in the statement that was sent to one in the query that a person wrote."""

from collections.abc import Mapping

from pipekit.drivers.sqltext import strip_query
from pipekit.engine.watermarks.places import PLACEHOLDER
from pipekit.errors import Invalid, PipekitError, RunnerError


def find_error_position(error: PipekitError, query: str, values: Mapping[str, str] | None = None) -> int | None:
    """The character of the query, from 1; None where the database did not say, or means something around the query.

    With `values` the query is one with placeholders, which were replaced by them before it was sent.
    """
    if not isinstance(error, RunnerError) or error.position is None:
        return None
    filled, places = _fill(query, values or {})
    try:
        sent = strip_query(filled)
    except Invalid:
        return None
    begin = error.statement.find(sent)
    if begin < 0:
        return None
    at = error.position - 1 - begin
    # A fault at the end of the query is told at the first character behind it.
    if not 0 <= at <= len(sent):
        return None
    return places[min(at + filled.find(sent), len(filled))] + 1


def _fill(query: str, values: Mapping[str, str]) -> tuple[str, list[int]]:
    """The query with its values, and for each of its characters, and the end, where that came from."""
    parts: list[str] = []
    places: list[int] = []
    last = 0
    for match in PLACEHOLDER.finditer(query):
        value = values.get(match[1])
        if value is None:
            continue
        parts += [query[last : match.start()], value]
        places += [*range(last, match.start()), *([match.start()] * len(value))]
        last = match.end()
    parts.append(query[last:])
    places += range(last, len(query) + 1)
    return "".join(parts), places

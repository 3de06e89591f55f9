# What a child's events say, as the records of the contract. Knows no pipe and no process.
"""`read_rows` and `error_from`."""

from typing import Any

from pipekit.errors import RUNNER_ERRORS, RunnerError
from pipekit.runner_contract import QueryResult, ResultColumn

Event = dict[str, Any]


def read_rows(event: Event) -> QueryResult:
    """The rows of a `rows` event."""
    columns = tuple(ResultColumn(name=name, type=type_) for name, type_ in event["columns"])
    return QueryResult(columns=columns, rows=tuple(tuple(row) for row in event["rows"]))


def error_from(event: Event) -> RunnerError:
    """The error of an `error` event."""
    kind = RUNNER_ERRORS.get(event["kind"], RunnerError)
    names = ("hint", "transient", "sqlstate", "column", "row", "position", "statement")
    details = {name: event[name] for name in names if name in event}
    return kind(event["message"], **details)

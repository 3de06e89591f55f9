# FLOAT columns of a query, which MySQL and MariaDB tell with six digits. Loaded in the runner child only.
"""`widen`: the query with its FLOAT columns as DOUBLE, which is told with as many digits as it has."""

import contextlib
import re
from dataclasses import replace
from typing import Any

from pipekit.drivers.jdbc.columntypes import ColumnType
from pipekit.drivers.jdbc.connection import JdbcConnection, describe_columns
from pipekit.drivers.jdbc.jvm import JavaError

_NESTS = re.compile(r"\s*(?:select|with|values|table|\()", re.IGNORECASE)


def widen(session: JdbcConnection, sql: str) -> tuple[str, list[ColumnType]]:
    """The query to run, and the types its columns had before; none where nothing needed to be changed.

    The query is prepared and described first. One that cannot be nested stays as it is, and its columns are refused.
    """
    described = _describe(session, sql)
    names = [name for name, _ in described]
    singles = {name for name, type_ in described if type_.kind == "FLOAT"}
    if not singles or len({name.casefold() for name in names}) < len(names) or not _NESTS.match(sql):
        return sql, []
    quoted = [(name in singles, f"`{name.replace('`', '``')}`") for name in names]
    chosen = ", ".join(f"CAST({name} AS DOUBLE) AS {name}" if single else name for single, name in quoted)
    return f"SELECT {chosen} FROM (\n{sql}\n) AS pipekit_query", [
        replace(type_, refused="") if type_.kind == "FLOAT" else type_ for _, type_ in described
    ]


def _describe(session: JdbcConnection, sql: str) -> list[tuple[str, ColumnType]]:
    """What the server says of a prepared query; nothing where it cannot prepare it: running it tells why."""
    try:
        with contextlib.closing(_prepare(session.connection, sql)) as prepared:
            metadata = prepared.getMetaData()
            return [] if metadata is None else describe_columns(metadata, session.classify)
    except JavaError:
        return []


def _prepare(connection: Any, sql: str) -> Any:
    """MySQL's own driver runs a query to describe it, unless the server prepares it."""
    prepare = getattr(connection, "serverPrepareStatement", None) or connection.prepareStatement
    return prepare(sql)

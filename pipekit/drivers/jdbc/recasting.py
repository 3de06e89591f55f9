# Columns of a query that a driver tells badly as they are, cast in the database. Loaded in the runner child only.
"""`recast`: the query to run in place of another, which gives the same values and says of which types they were.

MySQL and MariaDB tell a FLOAT with six digits, and a DOUBLE with as many as it has. HSQLDB sends a CLOB or a BLOB as a
number, by which each value has to be asked for: several round trips a cell, where a text comes with its row.
"""

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipekit.drivers.jdbc.columntypes import ColumnType, Kind
from pipekit.drivers.jdbc.connection import JdbcConnection, describe_columns
from pipekit.drivers.jdbc.jvm import JavaError

_NESTS = re.compile(r"\s*(?:select|with|values|table|\()", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recasting:
    """Kinds of columns with the type they are cast to and the kind they are then read as; how a name is quoted."""

    casts: Mapping[Kind, tuple[str, Kind]]
    quote: str = '"'


_MYSQL = Recasting(casts={"FLOAT": ("DOUBLE", "FLOAT")}, quote="`")
RECASTINGS: Mapping[str, Recasting] = {
    "MySQL": _MYSQL,
    "MariaDB": _MYSQL,
    "HSQL Database Engine": Recasting(
        casts={"CLOB": ("VARCHAR(2147483647)", "TEXT"), "BLOB": ("VARBINARY(2147483647)", "BYTES")}
    ),
}


def recast(session: JdbcConnection, sql: str) -> tuple[str, list[ColumnType]]:
    """The query to run, and the types its columns had before; none where nothing needed to be changed.

    The query is prepared and described first. One that cannot be nested stays as it is.
    """
    recasting = RECASTINGS.get(session.product)
    described = _describe(session, sql) if recasting else []
    names = [name for name, _ in described]
    if recasting is None or not any(type_.kind in recasting.casts for _, type_ in described):
        return sql, []
    if len({name.casefold() for name in names}) < len(names) or not _NESTS.match(sql):
        return sql, []
    chosen = ", ".join(_choose(recasting, name, type_) for name, type_ in described)
    text = f"SELECT {chosen} FROM (\n{sql}\n) AS pipekit_query"
    return (text, [_read_as(recasting, type_) for _, type_ in described]) if _describe(session, text) else (sql, [])


def _choose(recasting: Recasting, name: str, type_: ColumnType) -> str:
    quoted = recasting.quote + name.replace(recasting.quote, 2 * recasting.quote) + recasting.quote
    cast = recasting.casts.get(type_.kind)
    return f"CAST({quoted} AS {cast[0]}) AS {quoted}" if cast else quoted


def _read_as(recasting: Recasting, type_: ColumnType) -> ColumnType:
    cast = recasting.casts.get(type_.kind)
    return replace(type_, kind=cast[1], refused="") if cast else type_


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

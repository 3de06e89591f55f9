# What a session is set to before its first statement, by the database that answers. Loaded in the runner child only.
"""`pin`: zone, character set, strictness and isolation, each read back where a server could keep its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipekit.drivers.jdbc.jvm import find_class
from pipekit.drivers.jdbc.mysql import pins as mysql_pins
from pipekit.errors import StatementFailed

if TYPE_CHECKING:
    from pipekit.drivers.jdbc.session import JdbcSession

MYSQL = ("MySQL", "MariaDB")
# PostgreSQL's driver asks for these as it connects; a pooler between may not pass them on.
_POSTGRESQL: Mapping[str, tuple[str, ...]] = {
    "TimeZone": ("UTC",),
    "extra_float_digits": ("1", "2", "3"),
    "IntervalStyle": ("postgres",),
    "client_encoding": ("UTF8",),
    "standard_conforming_strings": ("on",),
}


def pin(session: JdbcSession, product: str) -> None:
    """Raises StatementFailed for a setting that is not as it must be; what Java throws passes through."""
    _raise_isolation(session)
    if product in MYSQL:
        mysql_pins.pin(session)
    elif product == "PostgreSQL":
        _check_postgresql(session)


def _raise_isolation(session: JdbcSession) -> None:
    """Rows that others have not committed are read by nobody."""
    levels = find_class("java.sql.Connection")
    if session.connection.getTransactionIsolation() == levels.TRANSACTION_READ_UNCOMMITTED:
        session.connection.setTransactionIsolation(levels.TRANSACTION_READ_COMMITTED)


def _check_postgresql(session: JdbcSession) -> None:
    statement = session.connection.createStatement()
    try:
        for name, wanted in _POSTGRESQL.items():
            rows = statement.executeQuery(f"SELECT current_setting('{name}')")
            found = str(rows.getString(1)) if rows.next() else ""
            if found not in wanted:
                hint = "A pooler drops what the driver asks for as it connects. Connect without it, or mend it there."
                raise StatementFailed(f"The session's {name} is {found}, and must be {wanted[-1]}.", hint=hint)
    finally:
        statement.close()

# What a session is set to before its first statement, by the database that answers. Loaded in the runner child only.
"""`pin`: zone, character set, strictness and isolation, each read back where a server could keep its own."""

from collections.abc import Mapping

from pipekit.drivers.jdbc.connection import JdbcConnection
from pipekit.drivers.jdbc.jvm import find_class
from pipekit.drivers.jdbc.mysql import pins as mysql_pins
from pipekit.drivers.postgresql.settings import REPLICA_MEND
from pipekit.errors import StatementFailed

# PostgreSQL's driver asks for these as it connects; a pooler between may not pass them on.
_POSTGRESQL: Mapping[str, tuple[str, ...]] = {
    "TimeZone": ("UTC",),
    "extra_float_digits": ("1", "2", "3"),
    "IntervalStyle": ("postgres",),
    "client_encoding": ("UTF8",),
    "standard_conforming_strings": ("on",),
}
_DROPPED = "A pooler drops what the driver asks for as it connects. Connect without it, or mend it there."


def pin(session: JdbcConnection) -> None:
    """Raises StatementFailed for a setting that is not as it must be; what Java throws passes through."""
    _raise_isolation(session)
    if session.is_mysql:
        mysql_pins.pin(session)
    elif session.product == "PostgreSQL":
        _check_postgresql(session)


def _raise_isolation(session: JdbcConnection) -> None:
    """Rows that others have not committed are read by nobody; PostgreSQL's stricter levels end merges that wait."""
    levels = find_class("java.sql.Connection")
    level = session.connection.getTransactionIsolation()
    is_stricter = session.product == "PostgreSQL" and level != levels.TRANSACTION_READ_COMMITTED
    if level == levels.TRANSACTION_READ_UNCOMMITTED or is_stricter:
        session.connection.setTransactionIsolation(levels.TRANSACTION_READ_COMMITTED)


def _check_postgresql(session: JdbcConnection) -> None:
    statement = session.connection.createStatement()
    try:
        for name, wanted in _POSTGRESQL.items():
            rows = statement.executeQuery(f"SELECT current_setting('{name}')")
            found = str(rows.getString(1)) if rows.next() else ""
            if found not in wanted:
                raise StatementFailed(f"The session's {name} is {found}, and must be {wanted[-1]}.", hint=_DROPPED)
        rows = statement.executeQuery("SELECT current_setting('session_replication_role')")
        if not session.reads_only and rows.next() and str(rows.getString(1)) == "replica":
            raise StatementFailed("The session's session_replication_role is replica.", hint=REPLICA_MEND)
    finally:
        statement.close()

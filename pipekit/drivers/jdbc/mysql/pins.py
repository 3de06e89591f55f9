# What a session with MySQL or MariaDB is set to before its first statement. Loaded in the runner child only.
"""`pin`, and `find_no_read`: what a session that reads only will not run.

Each setting is read back: a server or a pooler that keeps its own is refused by name, not read with other eyes.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipekit.drivers.jdbc.jvm import JavaError
from pipekit.errors import StatementFailed

if TYPE_CHECKING:
    from pipekit.drivers.jdbc.session import JdbcSession

# Those that only one of the two, or a newer one, has are left out where the server does not know them.
_SETTINGS: Mapping[str, str] = {
    "time_zone": "'+00:00'",  # a TIMESTAMP is an instant, and told as the session's clock
    "sql_select_limit": "18446744073709551615",  # else a result may end early
    "sql_big_selects": "1",
    "sql_safe_updates": "0",  # else a table cannot be emptied
    "foreign_key_checks": "1",
    "unique_checks": "1",
    "check_constraint_checks": "1",
    "net_write_timeout": "3600",  # a source waits while the dest writes
    "net_read_timeout": "3600",
    "wait_timeout": "28800",
    "max_statement_time": "0",
    "max_execution_time": "0",
}
_UNKNOWN = 1193
# What makes a value that does not fit an error; and 0, which an AUTO_INCREMENT column would take for "the next".
_STRICT = ("STRICT_ALL_TABLES", "STRICT_TRANS_TABLES", "ERROR_FOR_DIVISION_BY_ZERO", "NO_AUTO_VALUE_ON_ZERO")
# Blanks at the end of a CHAR that were never stored; days that no calendar has; rounding.
_LENIENT = ("PAD_CHAR_TO_FULL_LENGTH", "ALLOW_INVALID_DATES", "TIME_ROUND_FRACTIONAL")
# Short for others: the server unfolds it by itself, and what it unfolds to is kept.
_FOLDED = ("TRADITIONAL", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL", "MYSQL323", "MYSQL40")

_COMMENT = re.compile(r"\s+|--[^\n]*\n?|#[^\n]*\n?|/\*(?!M?!).*?\*/", re.DOTALL)
_READS = re.compile(r"(?:select|with|values|table|show|describe|desc|explain)\b|\(", re.IGNORECASE)
_INTO_FILE = re.compile(r"\binto\s+(?:outfile|dumpfile)\b", re.IGNORECASE)


def pin(session: "JdbcSession") -> None:
    """Sets what changes how values are read, written and told. Raises StatementFailed for what is not taken."""
    for name, value in _SETTINGS.items():
        if _set(session, name, value):
            _check(session, name, value.strip("'"))
    _pin_mode(session)
    _pin_characters(session)
    if session.reads_only:
        _run(session, "SET SESSION TRANSACTION READ ONLY")
        names = ("transaction_read_only", "tx_read_only")
        if not any(_find(session, name) == "1" for name in names):
            raise _refuse("transaction_read_only", "1", "0")


def find_no_read(sql: str) -> str:
    """Why a statement is no query; `""` for one that is. A transaction that reads only stops the rest."""
    at = 0
    while found := _COMMENT.match(sql, at):
        at = found.end()
    if not _READS.match(sql, at):
        return "This is no query, and the session reads only."
    if _INTO_FILE.search(_COMMENT.sub(" ", sql)):
        return "This query writes a file on the server, and the session reads only."
    return ""


def _pin_mode(session: "JdbcSession") -> None:
    """Keeps what decides how a query is read, such as ANSI_QUOTES; adds what makes values exact."""
    modes = (_find(session, "sql_mode") or "").split(",")
    kept = [mode for mode in modes if mode and mode not in (*_LENIENT, *_FOLDED, *_STRICT)]
    _run(session, f"SET SESSION sql_mode = '{','.join([*kept, *_STRICT])}'")
    found = (_find(session, "sql_mode") or "").split(",")
    for mode in (*_STRICT, *_LENIENT):
        if (mode in found) != (mode in _STRICT):
            raise _refuse("sql_mode", f"{'with' if mode in _STRICT else 'without'} {mode}", ",".join(found))


def _pin_characters(session: "JdbcSession") -> None:
    """Statements travel in UTF-8 of four bytes; so do results, or each in its column's own set (None)."""
    names = ("character_set_client", "character_set_connection", "character_set_results")
    if any(_find(session, name) not in ("utf8mb4", None) for name in names):
        _run(session, "SET NAMES utf8mb4")
    for name in names:
        if (found := _find(session, name)) not in ("utf8mb4", None):
            raise _refuse(name, "utf8mb4", found or "")


def _set(session: "JdbcSession", name: str, value: str) -> bool:
    try:
        _run(session, f"SET SESSION {name} = {value}")
    except JavaError as error:
        if int(error.getErrorCode()) == _UNKNOWN:
            return False
        raise
    return True


def _check(session: "JdbcSession", name: str, wanted: str) -> None:
    found = _find(session, name) or ""
    if found.removesuffix(".000000") != wanted:
        raise _refuse(name, wanted, found)


def _refuse(name: str, wanted: str, found: str) -> StatementFailed:
    hint = "A pooler or the server keeps another value; values could arrive changed. Connect without it, or mend it."
    return StatementFailed(f"The session's {name} cannot be set: wanted {wanted}, found {found}.", hint=hint)


def _run(session: "JdbcSession", sql: str) -> None:
    statement = session.connection.createStatement()
    try:
        statement.execute(sql)
    finally:
        statement.close()


def _find(session: "JdbcSession", name: str) -> str | None:
    """A setting's value; None for NULL, and for one that the server does not know."""
    statement = session.connection.createStatement()
    try:
        rows = statement.executeQuery(f"SELECT @@SESSION.{name}")
        text = rows.getString(1) if rows.next() else None
    except JavaError as error:
        if int(error.getErrorCode()) == _UNKNOWN:
            return None
        raise
    finally:
        statement.close()
    return None if text is None else str(text)

# What a session with MySQL or MariaDB is set to before its first statement. Loaded in the runner child only.
"""`pin`, and `find_no_read`: what a session that reads only will not run.

Each setting is read back: a server or a pooler that keeps its own is refused by name, not read with other eyes.
"""

import re
from collections.abc import Mapping, Sequence

from pipekit.drivers.jdbc.connection import JdbcConnection
from pipekit.drivers.jdbc.jvm import JavaError
from pipekit.errors import StatementFailed

_SETTINGS: Mapping[str, str] = {
    "time_zone": "'+00:00'",  # a TIMESTAMP is an instant, and told as the session's clock
    "sql_select_limit": "18446744073709551615",  # else a result may end early
    "sql_big_selects": "1",
    "sql_safe_updates": "0",  # else a table cannot be emptied
    "foreign_key_checks": "1",
    "unique_checks": "1",
    "net_write_timeout": "3600",  # a source waits while the dest writes
    "net_read_timeout": "3600",
    "wait_timeout": "28800",
}
# One of the two knows the first and the last, the other the one between.
_SOME: Mapping[str, str] = {"check_constraint_checks": "1", "max_execution_time": "0", "max_statement_time": "0"}
_CHARACTERS = ("character_set_client", "character_set_connection", "character_set_results")
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


def pin(session: JdbcConnection) -> None:
    """Sets what changes how values are read, written and told. Raises StatementFailed for what is not taken.

    In few statements, as each is a way to the server and back.
    """
    modes, *characters = _find(session, ("sql_mode", *_CHARACTERS))
    wanted = {**_SETTINGS, "sql_mode": f"'{_choose_modes(modes or '')}'"}
    _run(session, "SET SESSION " + ", ".join(f"{name} = {value}" for name, value in wanted.items()))
    if any(found not in ("utf8mb4", None) for found in characters):
        _run(session, "SET NAMES utf8mb4")
    for name, value in _SOME.items():
        if _set_known(session, name, value):
            wanted[name] = value
    _check(session, wanted)
    if session.reads_only:
        _forbid_writing(session)


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


def _choose_modes(found: str) -> str:
    """Keeps what decides how a query is read, such as ANSI_QUOTES; adds what makes values exact."""
    kept = [mode for mode in found.split(",") if mode and mode not in (*_LENIENT, *_FOLDED, *_STRICT)]
    return ",".join([*kept, *_STRICT])


def _check(session: JdbcConnection, wanted: Mapping[str, str]) -> None:
    """Statements travel in UTF-8 of four bytes; so do results, or each in its column's own set (None)."""
    *values, client, connection, results = _find(session, (*wanted, *_CHARACTERS))
    for name, found in zip(_CHARACTERS, (client, connection, results), strict=True):
        if found not in ("utf8mb4", None):
            raise _refuse(name, "utf8mb4", found)
    for (name, value), found in zip(wanted.items(), values, strict=True):
        if name == "sql_mode":
            _check_modes(found or "")
        elif (found or "").removesuffix(".000000") != value.strip("'"):
            raise _refuse(name, value, found or "")


def _check_modes(found: str) -> None:
    for mode in (*_STRICT, *_LENIENT):
        if (mode in found.split(",")) != (mode in _STRICT):
            raise _refuse("sql_mode", f"{'with' if mode in _STRICT else 'without'} {mode}", found)


def _forbid_writing(session: JdbcConnection) -> None:
    _run(session, "SET SESSION TRANSACTION READ ONLY")
    for name in ("tx_read_only", "transaction_read_only"):
        try:
            [found] = _find(session, (name,))
        except JavaError as error:
            if int(error.getErrorCode()) != _UNKNOWN:
                raise
            continue
        if found != "1":
            raise _refuse(name, "1", found or "")
        return


def _set_known(session: JdbcConnection, name: str, value: str) -> bool:
    """Sets what the server knows; whether it does."""
    try:
        _run(session, f"SET SESSION {name} = {value}")
    except JavaError as error:
        if int(error.getErrorCode()) == _UNKNOWN:
            return False
        raise
    return True


def _refuse(name: str, wanted: str, found: str) -> StatementFailed:
    hint = "A pooler or the server keeps another value; values could arrive changed. Connect without it, or mend it."
    return StatementFailed(f"The session's {name} cannot be set: wanted {wanted}, found {found}.", hint=hint)


def _run(session: JdbcConnection, sql: str) -> None:
    statement = session.connection.createStatement()
    try:
        statement.execute(sql)
    finally:
        statement.close()


def _find(session: JdbcConnection, names: Sequence[str]) -> list[str | None]:
    """The values of settings; None for NULL."""
    statement = session.connection.createStatement()
    try:
        rows = statement.executeQuery(f"SELECT {', '.join(f'@@SESSION.{name}' for name in names)}")
        rows.next()
        cells = [rows.getString(place) for place in range(1, len(names) + 1)]
    finally:
        statement.close()
    return [None if cell is None else str(cell) for cell in cells]

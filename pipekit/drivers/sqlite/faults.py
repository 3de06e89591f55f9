# What SQLite says when something goes wrong, as our errors. Knows its messages and codes, no connection.
"""`tell_open_fault` and `tell_fault`."""

import re
from pathlib import Path
from typing import Any

from pipekit.errors import ConnectFailed, StatementFailed

# SQLITE_BUSY and SQLITE_LOCKED, the low byte of each of their kinds.
_TRANSIENT = frozenset((5, 6))
_NAMED_WORD = re.compile(r'near "(.+)": syntax error|no such (?:column|table|function): (.+)')
# Bytes 18 and 19 of a file tell how it is written and read: 2 is a write-ahead log.
_WAL_HEADER = (18, b"\2\2")
_NO_FILES = ("SQLITE_READONLY", "SQLITE_CANTOPEN")


def tell_open_fault(path: Path, error: Exception) -> ConnectFailed:
    """Why a file cannot be opened."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_NOTADB":
        return ConnectFailed(f"{path} is not an SQLite database.", sqlstate=name)
    why, hint = f"{error}", ""
    if name.startswith(_NO_FILES) and has_write_ahead_log(path):
        why = f"it has a write-ahead log (WAL), and the files that go with it cannot be written in {path.parent}"
        hint = (
            "Let the user that Pipekit runs as write to that folder, or let the file's owner turn the log off: "
            "PRAGMA journal_mode = DELETE."
        )
    return ConnectFailed(f"{path} cannot be opened: {why}.", transient=is_transient(error), sqlstate=name, hint=hint)


def has_write_ahead_log(path: Path) -> bool:
    """Whether the file says that changes are kept in a log beside it, so that even a reader makes files there."""
    place, mark = _WAL_HEADER
    try:
        with path.open("rb") as file:
            return file.read(place + len(mark))[place:] == mark
    except OSError:
        return False


def is_transient(error: BaseException) -> bool:
    """Whether another process merely holds the file."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _TRANSIENT


def tell_fault(error: BaseException, sql: str = "", *, column: str = "", row: int | None = None) -> StatementFailed:
    """What SQLite refused, with the place in the SQL where it names one that stands there once."""
    transient = is_transient(error)
    message = f"{error}" if not transient else f"{error}: another process is writing to the file"
    where = f" (column {column}, row {row})" if column and row else f" (row {row})" if row else ""
    hint = f"In: {' '.join(sql.split())[:200]}" if sql else ""
    name = getattr(error, "sqlite_errorname", "")
    # The plain SQLITE_READONLY is also what a source's session says, which may not write whatever its user may.
    if name.startswith(("SQLITE_READONLY_", "SQLITE_CANTOPEN")):
        hint = "Let the user that Pipekit runs as write to the file's folder, where SQLite keeps its journal."
    if name == "SQLITE_AUTH":
        hint = "A connection's sessions attach only the files its address names: jdbc:sqlite:FILE?attach=FILE,FILE."
    place = _find_named(message, sql)
    details: dict[str, Any] = {"position": place, "statement": sql} if place else {}
    return StatementFailed(
        f"{message}{where}.", hint=hint, transient=transient, sqlstate=name, column=column, row=row, **details
    )


def _find_named(message: str, sql: str) -> int | None:
    """Where the word stands that SQLite names in a refusal; None when it names none, or one that stands twice."""
    named = _NAMED_WORD.search(message)
    if not named:
        return None
    word = (named[1] or named[2]).strip()
    found = [match.start() for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", sql)]
    return found[0] + 1 if len(found) == 1 else None

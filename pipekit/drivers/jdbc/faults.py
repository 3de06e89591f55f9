# Java's exceptions as Pipekit's errors. Knows no statement's meaning.
"""`to_statement_failed`, `to_connect_failed` and `guard`."""

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipekit.drivers.jdbc.jvm import JavaError, find_class
from pipekit.errors import ConnectFailed, Inexact, StatementFailed
from pipekit.runner_contract import ResultColumn

# Lost connections, conflicts between transactions, exhausted resources; and Derby's lock timeouts.
_TRANSIENT_STATES = ("08", "40", "53", "57033", "57P01", "57P02", "57P03", "57P05", "55P03", "25P03")
# Foreign keys: Derby, H2, HSQLDB, PostgreSQL; MySQL.
_FOREIGN_STATES, _FOREIGN_NUMBERS = ("23503", "23504", "23506", "23001"), (1216, 1217, 1451, 1452)
_NO_PARENT = re.compile(r"no parent|\bINSERT on table|child row|insert or update on table", re.IGNORECASE)
_LET_GO = "Rows of other tables refer to these: load those tables first."
_PARENT_FIRST = "Load the table it refers to first; a group runs its modules in order."
# MySQL's lock that was not given in time.
_TRANSIENT_NUMBERS = (1205, 1213)
# SQL7008 and SQL5016 of Db2 for i.
_MENDS = {
    "55019": "A file without a journal takes no rows under commitment control: STRJRNPF gives it one, or use a"
    " connection with `transaction isolation=none`, whose merges cannot be rolled back.",
    "42833": "Write LIBRARY.TABLE: sessions of Pipekit have `naming=sql`, which knows no LIBRARY/TABLE.",
}
_REFUSED_LOGIN = "08004"
_TRANSIENT_CLASSES = ("java.sql.SQLTransientException", "java.sql.SQLRecoverableException")
_MOST_MESSAGES = 3
_NULL_SWITCH = "With `bad_data: null` the module loads such values as NULL and counts them."
# H2, Derby. HSQLDB waits for the file itself, and then says that it is not connected (08).
_TAKEN_STATES = ("90020", "XSDB6")
_TAKEN_HINT = (
    "An embedded database belongs to one process at a time, and each run is one: let them run one after another."
)


def to_statement_failed(error: Any, sql: str = "", *, column: str = "", row: int | None = None) -> StatementFailed:
    """A Java exception as the error of a statement."""
    where = f"Row {row}: " if row else ""
    hint = f"In: {' '.join(sql.split())[:200]}" if sql else ""
    state = find_state(error)
    hint = f"{mend} {hint}" if (mend := _find_mend(error, state)) else hint
    message = where + "\n".join(list_messages(error))
    return StatementFailed(message, hint=hint, transient=is_transient(error), sqlstate=state, column=column, row=row)


def _find_mend(error: Any, state: str) -> str:
    """What lets a foreign key be kept; each product says in words of its own on which side it was broken. And what
    mends the faults that an IBM i alone has.
    """
    if state in _MENDS:
        return _MENDS[state]
    number = int(error.getErrorCode()) if is_a(error, "java.sql.SQLException") else 0
    if not state.startswith(_FOREIGN_STATES) and number not in _FOREIGN_NUMBERS:
        return ""
    return _PARENT_FIRST if _NO_PARENT.search(str(error.getMessage())) or state == "23506" else _LET_GO


def to_connect_failed(error: Any, password: str | None) -> ConnectFailed:
    """A Java exception as the error of connecting; whatever a driver says, the password is not in it."""
    message = "\n".join(list_messages(error))
    if password:
        message = message.replace(password, "***")
    state = find_state(error)
    if _is_taken(error):
        return ConnectFailed(message, hint=_TAKEN_HINT, transient=True, sqlstate=state)
    return ConnectFailed(message, transient=is_transient(error) and state != _REFUSED_LOGIN, sqlstate=state)


def _is_taken(error: Any) -> bool:
    """Whether another process has the database's files open."""
    behind = error if is_a(error, "java.sql.SQLException") else None
    while behind is not None:
        if find_state(behind) in _TAKEN_STATES:
            return True
        behind = behind.getNextException()
    return False


def to_inexact(unfit: Any, names: list[str]) -> Inexact:
    """A Java `Unfit` with the column's name."""
    column = names[unfit.column] if 0 <= unfit.column < len(names) else ""
    message = f"Column {column}, row {unfit.row}: {unfit.getMessage()}."
    return Inexact(message, column=column, row=int(unfit.row))


def to_lost(unfit: Any, columns: Sequence[ResultColumn], find_all: str, takes_null: bool) -> StatementFailed:
    """A Java `Unfit` of a value that was lost before it came here; `find_all` says how to find others like it."""
    column = columns[unfit.column].name
    row = f"{int(unfit.row)} ({unfit.key})" if str(unfit.key) else f"{int(unfit.row)}"
    reason = str(unfit.getMessage()).rstrip(". ")
    switch = _NULL_SWITCH if takes_null and unfit.becomesNull else ""
    hint = " ".join(filter(None, (find_all, switch)))
    return StatementFailed(f"Column {column}, row {row}: {reason}.", hint=hint, column=column, row=int(unfit.row))


@contextlib.contextmanager
def guard(sql: str = "") -> Iterator[None]:
    """Raises what Java throws inside as StatementFailed."""
    try:
        yield
    except JavaError as error:
        raise to_statement_failed(error, sql) from None


def is_a(error: Any, name: str) -> bool:
    """Whether a Java exception is of a class."""
    return isinstance(error, find_class(name))


def find_state(error: Any) -> str:
    """The SQLSTATE, `""` where there is none."""
    return str(error.getSQLState() or "") if is_a(error, "java.sql.SQLException") else ""


def is_transient(error: Any) -> bool:
    """Whether trying again can help, by the SQLSTATE, MySQL's number or the exception's class."""
    if is_a(error, "java.sql.SQLException") and int(error.getErrorCode()) in _TRANSIENT_NUMBERS:
        return find_state(error).startswith(("HY000", "40"))
    return find_state(error).startswith(_TRANSIENT_STATES) or any(is_a(error, name) for name in _TRANSIENT_CLASSES)


def list_messages(error: Any) -> list[str]:
    """What the exception and those behind it say; drivers put the reason anywhere."""
    if not is_a(error, "java.sql.SQLException"):
        return [_name_class(error)]
    messages: list[str] = []
    behind = error
    while behind is not None and len(messages) < _MOST_MESSAGES:
        _add(messages, str(behind.getMessage() or behind.getClass().getName()).strip())
        behind = behind.getNextException()
    cause = error.getCause()
    if cause is not None and not is_a(cause, "java.sql.SQLException") and is_a(cause, "java.io.IOException"):
        _add(messages, _name_class(cause))
    return messages


def _add(messages: list[str], text: str) -> None:
    if not any(text in known for known in messages):
        messages.append(text)


def _name_class(error: Any) -> str:
    return f"{error.getClass().getSimpleName()}: {error.getMessage()}"

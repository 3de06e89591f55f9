# What SQL Server and its client library say when something fails, as Pipekit's errors. Pure text; knows no connection.
"""Error numbers, which of them trying again can cure, and a hint where the server's own words are not enough."""

import re
from collections.abc import Sequence
from typing import Any

from pipekit.drivers.sqltext import READINGS, tokens
from pipekit.errors import Inexact, StatementFailed

# Deadlock, locks and memory that ran out, a session or server that goes, Azure's "try again", a failover under way.
TRANSIENT_NUMBERS = frozenset(
    {
        "64", "121", "233", "596", "701", "802", "921", "983", "1204", "1205", "1221", "1222", "3960", "4221", "6005",
        "8645", "8651", "9515", "10053", "10054", "10060", "10061", "10928", "10929", "17142", "17197", "18401",
        "40143", "40166", "40197", "40501", "40540", "40613", "42108", "42109", "49918", "49919", "49920", "51222",
    }
)  # fmt: skip
_TRANSIENT_STATES = ("08", "40", "HYT")
_TRANSIENT_WORDS = re.compile(
    r"communication link failure|connection (?:closed|reset|refused|is dead)|closed by server|broken pipe|timed? ?out|"
    r"timeout|unable to establish connection|tcp provider|IO error|serialization failure|deadlock|"
    r"not currently available|try again|not enough resources|session recovery|lookup address",
    re.IGNORECASE,
)
_HINTS = {
    "1222": "Another session holds a lock on the table for longer than a minute.",
    "229": "Grant the login this right; docs/sqlserver.md lists what is needed.",
    "262": "Grant the login this right; docs/sqlserver.md lists what is needed.",
    "1088": "Grant the login ALTER on the table; docs/sqlserver.md lists what is needed.",
    "9002": "The transaction log is full; back it up or give it room.",
}
_CONFLICT = "547"
_CONFLICTS = {
    "REFERENCE constraint": "Rows of another table refer to these: load that table first.",
    "FOREIGN KEY constraint": "Rows refer to others that are not there: load the table that they refer to first.",
}
# Values a column does not take: cut strings and binaries, numbers and dates out of range or of another form.
VALUE_NUMBERS = frozenset(
    {"220", "232", "241", "242", "245", "2628", "4815", "4863", "4864", "8114", "8115", "8152", "8169"}
)
# What is said of a word of the statement: wrong syntax at it, a name that is unknown, ambiguous or not grouped by.
_PLACED_NUMBERS = frozenset({"102", "156", "195", "207", "208", "209", "243", "319", "2812", "4104", "8120"})
# A view is broken: the words are its own, not the statement's.
_OF_A_VIEW = "binding errors"

# Codes of Windows, which the client library uses everywhere.
_NETWORK_CODES = {
    "0x2746": "the connection was reset",
    "0x2749": "nothing answers there",
    "0x274C": "the connection timed out",
    "0x2AF9": "there is no such host",
}

# Numbers after which the session is gone.
_LOST_NUMBERS = frozenset({"64", "121", "233", "596", "6005", "10053", "10054", "10060", "17142"})

_REPEATED = re.compile(r"^([^:]+): (?=\1)")
_BRACKETS = re.compile(r"^(?:\[[^\]]*\])+")
_RECORD = re.compile(r"\[(?P<state>\w{5})\] \((?P<number>-?\d+)\)")
_CORE = re.compile(r"Sql Error: (?P<number>\d+): Class \d+: State \d+: (?P<text>.*?)(?: on \S* in .*? at line \d+)?$")
_COLUMN_ID = re.compile(r"\bcol(?:id|umn) (?P<id>\d+)\b")
_COLUMN_NAME = re.compile(r"\bcolumn '(?P<name>[^']+)'")
_ROW = re.compile(r"\brow (?P<row>\d+)\b")
_QUOTED_WORD = re.compile(r"""(?P<mark>['"])(?P<word>.+?)(?P=mark)(?!['"])|^Type (?P<type>\S+) """)


class Fault:
    """One failure taken apart: `number` is SQL Server's own, `""` when the client library speaks."""

    def __init__(self, text: str, number: str = "", state: str = "") -> None:
        self.text = text
        self.number = number
        self.state = state

    @property
    def code(self) -> str:
        """SQL Server's number, else the SQLSTATE."""
        return self.number or self.state

    @property
    def is_transient(self) -> bool:
        """Whether trying again can cure it."""
        if self.number:
            return self.number in TRANSIENT_NUMBERS
        return self.state.startswith(_TRANSIENT_STATES) or bool(_TRANSIENT_WORDS.search(self.text))

    @property
    def loses_connection(self) -> bool:
        """Whether the session is gone."""
        if self.number:
            return self.number in _LOST_NUMBERS
        return bool(_TRANSIENT_WORDS.search(self.text))


def read_records(records: Sequence[tuple[str, str]], text: str) -> Fault:
    """A failure of a statement: ODBC's records of it, or only its text."""
    faults: list[Fault] = []
    for code, message in records:
        match = _RECORD.match(code)
        if match:
            number = match["number"] if int(match["number"]) > 0 and "[SQL Server]" in message else ""
            faults.append(Fault(strip_brackets(message), number, match["state"]))
    if not faults:
        return Fault(strip_brackets(text))
    chosen = next((fault for fault in faults if fault.number), faults[0])
    return Fault("\n".join(dict.fromkeys(fault.text for fault in faults)), chosen.number, chosen.state)


def read_core(text: str) -> Fault:
    """A failure of the bulk copy, whose library writes everything into one text."""
    numbers: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        match = _CORE.search(line)
        numbers += [match["number"]] if match else []
        lines.append(match["text"] if match else line)
    return Fault("\n".join(lines), numbers[0] if numbers else "")


def strip_brackets(text: str) -> str:
    """A message without `[Microsoft][ODBC Driver 18 for SQL Server]` before it; a bare network code in words."""
    plain = _BRACKETS.sub("", text.strip()).strip()
    code = plain.rpartition(" ")[2]
    return f"{plain}: {_NETWORK_CODES[code]}" if code in _NETWORK_CODES else plain


def build_failure(fault: Fault, sql: str = "") -> StatementFailed:
    """A refused statement, or a connection that was lost under one, which says nothing of the statement."""
    if fault.loses_connection:
        told = _REPEATED.sub("", fault.text.partition("\n")[0]).rstrip(".")
        message = f"The connection to SQL Server was lost: {told}."
        return StatementFailed(message, transient=fault.is_transient, sqlstate=fault.code)
    hint = _find_hint(fault) or (f"In: {' '.join(sql.split())[:200]}" if sql else "")
    named = _COLUMN_NAME.search(fault.text)
    return StatementFailed(
        fault.text or "The server refused the statement.",
        hint=hint,
        transient=fault.is_transient,
        sqlstate=fault.code,
        column=named["name"] if named else "",
        **build_place(fault, sql),
    )


def _find_hint(fault: Fault) -> str:
    if fault.number == _CONFLICT:
        return next((hint for words, hint in _CONFLICTS.items() if words in fault.text), "")
    return _HINTS.get(fault.number, "")


def build_place(fault: Fault, sql: str) -> dict[str, Any]:
    """`position` and `statement` of a fault in a statement; nothing where the place is not certain.

    The client library keeps the server's line number to itself, so the place is that of the word which the server
    names, where it stands once outside of comments.
    """
    named = _QUOTED_WORD.search(fault.text)
    if named is None or fault.number not in _PLACED_NUMBERS or _OF_A_VIEW in fault.text:
        return {}
    word = named["word"] or named["type"]
    bare = "".join(" " * (b - a) if kind == "comment" else sql[a:b] for kind, a, b in tokens(sql, READINGS[2]))
    # A name may be written with a schema or in brackets; its last part stands there either way.
    for text in dict.fromkeys((word, word.rpartition(".")[2] or word)):
        found = [match.start() for match in re.finditer(_build_word(text), bare, re.IGNORECASE)]
        if found:
            return {"position": found[0] + 1, "statement": sql} if len(found) == 1 else {}
    return {}


def _build_word(text: str) -> str:
    """A pattern for a text that is not the part of a longer word."""
    before = r"(?<![\w@#$])" if re.match(r"[\w@#$]", text) else ""
    after = r"(?![\w@#$])" if re.search(r"[\w@#$]\Z", text) else ""
    return f"{before}{re.escape(text)}{after}"


def build_load_failure(fault: Fault, columns: Sequence[str]) -> StatementFailed | Inexact:
    """A refused bulk load; the server tells a column by name or number, and now and then a row."""
    row, number, named = (pattern.search(fault.text) for pattern in (_ROW, _COLUMN_ID, _COLUMN_NAME))
    column = named["name"] if named else ""
    if not column and number and 1 <= int(number["id"]) <= len(columns):
        column = columns[int(number["id"]) - 1]
    kind = Inexact if fault.number in VALUE_NUMBERS else StatementFailed
    return kind(
        f"The bulk load failed: {fault.text}" + ("" if named or not column else f" (column {column})"),
        hint=_HINTS.get(fault.number, ""),
        transient=fault.is_transient,
        sqlstate=fault.code,
        column=column,
        row=int(row["row"]) if row else None,
    )

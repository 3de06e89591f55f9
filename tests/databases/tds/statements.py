# T-SQL as the double reads it: batches into statements, and the few statements it understands. Pure text.
"""`split_batch`, and the patterns of statements that are answered without a rule."""

import re

from tests.databases.tds import tokens
from tests.databases.tds.columns import parse_identifier

_PIECE = re.compile(
    r"'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|;|[^;'\[\"\-/]+|.", re.S
)
_NAME = r"(?:\[(?:[^\]]|\]\])*\]|\"[^\"]*\"|[\w@#$]+)"
TABLE = rf"{_NAME}?(?:\.{_NAME}?)*"
_COLUMN = rf"(?:{_NAME}\.)*{_NAME}(?:\s+(?:as\s+)?{_NAME})?"

SWITCH = re.compile(r"set\s+(nocount|fmtonly|implicit_transactions)\s+(on|off)", re.I)
# Every setting at the beginning of a session, read back.
SETTINGS = re.compile(r"select\s+concat\(@@options, .*@@language\)", re.I | re.S)
SET_VALUE = re.compile(r"set\s+(textsize|lock_timeout|datefirst|dateformat|language)\s+(\w+)", re.I)
SET_OPTION = re.compile(r"set\s+(\w+)\s+(on|off)", re.I)
OPTIONS = {
    "implicit_transactions": 2, "ansi_warnings": 8, "ansi_padding": 16, "ansi_nulls": 32, "arithabort": 64,
    "arithignore": 128, "quoted_identifier": 256, "nocount": 512, "concat_null_yields_null": 4096,
    "numeric_roundabort": 8192, "xact_abort": 16384,
}  # fmt: skip
SET = re.compile(r"(?:set|use|declare)\s.*", re.I | re.S)
SESSION_SCHEMA = re.compile(r"select\s+schema_name\(\)", re.I)
# The table that the session finds by a name.
NAMED = re.compile(r"select\s+s\.name,\s*o\.name\s+from\s+sys\.objects.*object_id\(N?'((?:[^']|'')*)'\).*", re.I | re.S)
TRANCOUNT = re.compile(r"select\s+@@trancount", re.I)
BEGIN = re.compile(r"begin\s+tran(?:saction)?(?:\s+\w+)?", re.I)
COMMIT = re.compile(r"(?:if\s+@@trancount\s*>\s*0\s+)?commit(?:\s+tran(?:saction)?)?(?:\s+work)?", re.I)
ROLLBACK = re.compile(r"(?:if\s+@@trancount\s*>\s*0\s+)?rollback(?:\s+tran(?:saction)?)?(?:\s+work)?", re.I)
COUNT_ROWS = re.compile(rf"select\s+count(_big)?\s*\(\s*\*\s*\)(?:\s+as\s+{_NAME})?\s+from\s+({TABLE})", re.I)
SELECT = re.compile(
    rf"select\s+(?:top\s*\(?\s*(\d+)\s*\)?\s+)?(\*|{_COLUMN}(?:\s*,\s*{_COLUMN})*)\s+from\s+({TABLE})"
    rf"(?:\s+(?:as\s+)?(?!where|order|with)\w+)?(?:\s+with\s*\([^)]*\))?(\s+where\s+1\s*=\s*0)?",
    re.I,
)
# What a bulk copy sends first: three results, of which the second is the table's columns without rows.
LOOK_AT_TABLE = re.compile(
    r"select\s+@@trancount\s*;.*set\s+fmtonly\s+on\s*;.*sp_tablecollations_100\s+N'((?:[^']|'')*)'\s*;?\s*", re.I | re.S
)
INSERT_BULK = re.compile(rf"insert\s+bulk\s+({TABLE})\s*\((.*?)\)(?:\s*with\s*\([^()]*\))?", re.I | re.S)
CREATE_TABLE = re.compile(rf"create\s+table\s+({TABLE})\s*\((.*)\)", re.I | re.S)
DROP_TABLE = re.compile(rf"drop\s+table\s+(if\s+exists\s+)?({TABLE})", re.I)
EMPTY_TABLE = re.compile(rf"(truncate\s+table|delete\s+(?:from\s+)?)\s*({TABLE})", re.I)
EVALUATED = re.compile(r"(?:select|with|insert)\b", re.I)
BEGINS_TRANSACTION = re.compile(
    r"(?:select\s.*\sfrom\s|insert|update|delete|merge|create|alter|drop|truncate).*", re.I | re.S
)

_COMMANDS = {
    "select": tokens.SELECT, "insert": tokens.INSERT, "delete": tokens.DELETE,
    "update": tokens.UPDATE, "merge": tokens.MERGE,
}  # fmt: skip


def split_batch(text: str) -> list[str]:
    """The statements between semicolons, without comments; semicolons in quotes divide nothing."""
    statements = [""]
    for piece in _PIECE.findall(text):
        if piece == ";":
            statements.append("")
        elif piece.startswith(("--", "/*")):
            statements[-1] += " "
        else:
            statements[-1] += piece
    return [statement.strip() for statement in statements if statement.strip()]


def split_list(text: str) -> list[str]:
    """What stands between the commas that are in no brackets or quotes."""
    items, depth = [""], 0
    for piece in re.findall(r"'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|\"[^\"]*\"|.", text, re.S):
        depth += (piece == "(") - (piece == ")")
        if piece == "," and depth == 0:
            items.append("")
        else:
            items[-1] += piece
    return [item.strip() for item in items if item.strip()]


def split_column(text: str) -> tuple[str, str]:
    """The name of a selected column and what it is called in the result, both without quotes."""
    names = [parse_identifier(name) for name in re.findall(_NAME, text) if name.lower() != "as"]
    has_alias = re.fullmatch(rf"(?:{_NAME}\.)*{_NAME}", text) is None
    return (names[-2], names[-1]) if has_alias else (names[-1], names[-1])


def list_definitions(text: str) -> list[tuple[str, str]]:
    """(name, definition) of the columns of a CREATE TABLE; constraints of the table are left out."""
    definitions = []
    for item in split_list(text):
        match = re.fullmatch(rf"({_NAME})\s+(.*)", item, re.S)
        if match and match.group(1).lower() not in ("constraint", "primary", "unique", "foreign", "check", "index"):
            definitions.append((match.group(1), match.group(2)))
    return definitions


def find_command(statement: str) -> int:
    """The number that DONE names a statement by."""
    return _COMMANDS.get(statement.split(None, 1)[0].lower(), 0) if statement else 0

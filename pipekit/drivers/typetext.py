# What a text must look like to be one type of a database, and nothing else. Grammars as patterns; asks no database.
"""`check_type`, and the patterns of the kinds.

A type that a person gives ends up in a CREATE TABLE. So it is read by the grammar of its kind: a name, what stands in
brackets behind it, and the few words that belong to some types. A default, a constraint or a second statement is none.
"""

import re
from collections.abc import Sequence

from pipekit.cutting import cut
from pipekit.errors import Invalid

# An ENUM may name many values.
LONGEST = 20_000
NAME = r"[^\W\d][\w$#@]*"
_QUOTED = r'"(?:[^"\0]|"")+"'
_TEXT = r"'(?:[^'\\\0]|'')*'"
_NUMBER = r"[+-]?\d+"
_ANY_NAME = rf"(?:{NAME}|{_QUOTED})"


def _path(name: str) -> str:
    return rf"{name}(?:\s*\.\s*{name}){{0,2}}"


def _words(*forms: str) -> str:
    """One of some names of several words, a blank for what separates them."""
    return "|".join(forms).replace(" ", r"\s+")


def _arguments(argument: str) -> str:
    return rf"(?:\s*\(\s*{argument}\s*(?:,\s*{argument}\s*)*\))?"


def _build(form: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{form})\s*", re.IGNORECASE)


def check_type(pattern: re.Pattern[str], text: str, label: str, examples: Sequence[str]) -> None:
    """Raises Invalid (field `dest_type`) for a text that is not one type by a kind's pattern, and nothing else."""
    if len(text) > LONGEST or "\0" in text or not pattern.fullmatch(text):
        message = f"'{cut(text, 200)}' is not one type of {label}."
        hint = f"A type stands alone, without default, constraint or statement: {', '.join(examples[:4])}, for example."
        raise Invalid(message, field="dest_type", hint=hint)


_ZONE = r"(?:\s+with(?:out)?(?:\s+local)?\s+time\s+zone)?"
_SPAN = r"(?:year|month|day|hour|minute|second)"
_VARYING = _words("(?:national )?char(?:acter)? varying", "nchar varying", "national char(?:acter)?")
_LONG = _words("(?:national )?char(?:acter)? large object", "nchar large object", "binary (?:large object|varying)")

POSTGRESQL = _build(
    "(?:"
    rf"double\s+precision|(?:{_VARYING}|bit\s+varying){_arguments(_NUMBER)}"
    rf"|(?:time|timestamp){_arguments(_NUMBER)}{_ZONE}"
    rf"|interval(?:\s+{_SPAN}(?:\s+to\s+{_SPAN})?)?{_arguments(_NUMBER)}"
    rf"|{_path(_ANY_NAME)}{_arguments(rf'(?:{_NUMBER}|{_ANY_NAME}|{_TEXT})')}"
    r")(?:(?:\s*\[\s*\d*\s*\])+|\s+array(?:\s*\[\s*\d+\s*\])?)?"
)

# SQLite takes any words for a type, up to the one that begins a constraint.
_NO_TYPE = (
    r"(?!(?:constraint|primary|not|null|unique|check|default|collate|references|generated|always|as|on|foreign|key)\b)"
)
SQLITE = _build(
    rf"(?:{_NO_TYPE}{NAME}(?:\s+{_NO_TYPE}{NAME})*"
    rf"(?:\s*\(\s*{_NUMBER}(?:\.\d+)?\s*(?:,\s*{_NUMBER}(?:\.\d+)?\s*)?\))?)?(?:\s*\bcollate\s+{NAME})?"
)

_BRACKETED = r"\[(?:[^\]\0]|\]\])+\]"
_SQLSERVER_NAME = rf"(?:{NAME}|{_QUOTED}|{_BRACKETED})"
SQLSERVER = _build(
    rf"(?:double\s+precision|national\s+text|{_VARYING}|binary\s+varying|{_path(_SQLSERVER_NAME)})"
    rf"(?:{_arguments(rf'(?:{_NUMBER}|max)')}|\s*\(\s*(?:(?:content|document)\s+)?{_path(_SQLSERVER_NAME)}\s*\))"
    rf"(?:\s+collate\s+{NAME})?"
)

_MYSQL_NAMES = _words("double precision", "national varchar(?:acter)?", "long (?:varchar|varbinary)", "char byte")
MYSQL = _build(
    rf"(?:{_MYSQL_NAMES}|{_VARYING}|{NAME}){_arguments(rf'(?:{_NUMBER}|{_TEXT})')}"
    r"(?:\s+(?:unsigned|signed|zerofill|binary|ascii|unicode|byte))*"
    rf"(?:\s+(?:character\s+set|charset)\s+{NAME})?(?:\s+binary)?(?:\s+collate\s+{NAME})?"
)

# The databases that are reached over JDBC, Db2 for i among them: each has its own of these forms.
_JDBC_NAMES = _words("double precision", "long (?:varchar|varbinary|vargraphic|raw)", "(?:bit|byte) varying")
_SIZE = rf"(?:{_NUMBER}\s*[kmg]?(?:\s+(?:char|byte|characters|octets|codeunits16|codeunits32))?|\*|max|{_TEXT}|{NAME})"
JDBC = _build(
    rf"(?:(?:{_JDBC_NAMES}|{_VARYING}|{_LONG}"
    rf"|interval\s+{_SPAN}{_arguments(_NUMBER)}(?:\s+to\s+{_SPAN})?|{_path(_ANY_NAME)})"
    rf"{_arguments(_SIZE)}{_ZONE}(?:\s+for\s+(?:bit|sbcs|mixed)\s+data)?(?:\s+ccsid\s+(?:\d+|ascii|unicode|ebcdic))?"
    rf"(?:\s+character\s+set\s+{NAME})?(?:\s+collate\s+{NAME})?)(?:\s+array(?:\s*\[\s*\d+\s*\])?|(?:\s*\[\s*\d*\s*\])+)?"
)

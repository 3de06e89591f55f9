# How values that Db2 for i could not give are found, by a query that a person runs. Pure text; knows no connection.
"""`find_lost`: such a query, made from the module's own."""

import re
from collections.abc import Sequence

from pipekit.drivers.db2i.queries import read_top_words, split_query
from pipekit.drivers.jdbc.types import parse_type
from pipekit.drivers.sqltext import tokens
from pipekit.runner_contract import ResultColumn

_NAME = r'(?:"(?:[^"]|"")+"|[\w#$@]+)'
_TABLE = re.compile(rf"({_NAME}(?:\s*\.\s*{_NAME})?)(?:\s+(?:AS\s+)?{_NAME})?", re.IGNORECASE)
_ITEM = re.compile(rf"(?:{_NAME}\s*\.\s*)*({_NAME})(?:\s+(?:AS\s+)?{_NAME})?", re.IGNORECASE)
_STAR = re.compile(rf"(?:{_NAME}\s*\.\s*)*\*")
_PLAIN = re.compile(r"[A-Z#$@][A-Z0-9_#$@]*")
# What may stand behind FROM and one table.
_AFTER = ("WHERE", "GROUP", "HAVING", "ORDER", "OFFSET")
MOST_TOLD = 3
_COMBINES = {"UNION", "EXCEPT", "INTERSECT"}
_WHOLE = "All of a file: SELECT * FROM TABLE(SYSTOOLS.VALIDATE_DATA(LIBRARY_NAME => '...', FILE_NAME => '...'))."


def find_lost(sql: str, place: int, column: ResultColumn) -> str:
    """How to find all values like one that a query could not give; `place` counts its columns from 0.

    Where the query reads one table and the column is a number of it, packed or zoned, a query by RRN; else the system's
    own function.
    """
    type_ = parse_type(column.type)
    if type_.base != "DECIMAL" or not type_.arguments:
        return ""
    found = _find_origin(sql, place, column.name)
    if found is None:
        return _WHOLE
    table, name = found
    # With every digit 0 and every sign F the bytes of a number have one form, packed or zoned.
    digits = type_.arguments[0]
    forms = f"'{'0' * (digits // 2 * 2 + 1)}F', '{'F0' * digits}'"
    shape = f"TRANSLATE(HEX(t.{name}), '000000000FFFFF', '123456789ABCDE')"
    return f"All of them: SELECT RRN(t), HEX(t.{name}) FROM {table} AS t WHERE {shape} NOT IN ({forms})."


def find_any_lost(sql: str, columns: Sequence[ResultColumn]) -> str:
    """The same where it is not known which column; without `columns` any may be meant."""
    told = [find_lost(sql, place, column) for place, column in enumerate(columns)]
    return " ".join(list(dict.fromkeys(filter(None, told)))[:MOST_TOLD]) or _WHOLE


def _find_origin(sql: str, place: int, name: str) -> tuple[str, str] | None:
    """The table and the column of it, as the query spells them; None where it does more than read one table."""
    body = split_query(sql).body
    words = read_top_words(body)
    at = next((i for i, word in enumerate(words) if word.text == "FROM"), None)
    if (
        not words
        or words[0].text != "SELECT"
        or at is None
        or {"UNION", "EXCEPT", "INTERSECT"} & {w.text for w in words}
    ):
        return None
    end = next((word.start for word in words[at + 1 :] if word.text in _AFTER), len(body))
    table = _TABLE.fullmatch(body[words[at].end : end].strip())
    own = _find_own_name(body[words[0].end : words[at].start], place, name)
    return (table[1], own) if table and own else None


def _find_own_name(items: str, place: int, name: str) -> str:
    """The column behind an item of the select list; empty for an expression."""
    parts = _split(items)
    if any(_STAR.fullmatch(part) for part in parts):
        return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
    item = _ITEM.fullmatch(parts[place]) if place < len(parts) else None
    return item[1] if item else ""


def _split(items: str) -> list[str]:
    """What stands between commas, brackets, strings and names in quotes aside."""
    parts, depth = [""], 0
    for kind, start, end in tokens(items):
        text = " " if kind == "comment" else items[start:end]
        if kind == "other":
            depth += (text == "(") - (text == ")")
        if kind == "other" and text == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += text
    return [part.strip() for part in parts]

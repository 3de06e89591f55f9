# Db2's SQL as SQLite's, as far as Pipekit writes it. Knows no table.
"""`to_sqlite`, `find_names`, `fold` and `split_list`."""

import re
from dataclasses import dataclass

_IDENTIFIER = r'(?:"(?:[^"]|"")+"|[A-Za-z_#$@][\w#$@]*)'
_TABLE = re.compile(rf"({_IDENTIFIER})(?:\s*[./]\s*({_IDENTIFIER}))?")
_STARTS = re.compile(
    r"(?:CREATE TABLE|DROP TABLE(?: IF EXISTS)?|INSERT INTO|DELETE FROM|UPDATE|MERGE INTO)\s+", re.IGNORECASE
)
_MERGE = re.compile(
    rf"MERGE INTO (?P<dest>{_TABLE.pattern}) (?P<d>\w+) USING (?P<source>.+?) ON (?P<on>.+)"
    r" WHEN MATCHED THEN UPDATE SET (?P<set>.+)$",
    re.IGNORECASE,
)
_ALIASED = re.compile(rf"^(DELETE FROM|UPDATE) ({_IDENTIFIER}(?:\.{_IDENTIFIER})?) (?!AS\b|SET\b|WHERE\b)(\w+)", re.I)
_TAIL = re.compile(r"\s+(?:WITH (?:UR|CS|RS|RR|NC)|FOR (?:READ|FETCH) ONLY|USE CURRENTLY COMMITTED)\b", re.IGNORECASE)
_SLASHED = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE|TABLE)\s+({_IDENTIFIER})\s*/\s*({_IDENTIFIER})", re.IGNORECASE)
_RRN = re.compile(rf"\bRRN\s*\(\s*({_IDENTIFIER})\s*\)", re.IGNORECASE)
_FETCH = re.compile(r"FETCH (?:FIRST|NEXT) (\d+) ROWS? ONLY", re.IGNORECASE)


@dataclass(frozen=True, order=True, slots=True)
class Names:
    """A table and its library."""

    schema: str
    table: str


def find_names(text: str, library: str) -> Names:
    """The table that a statement makes, drops or changes."""
    start = _STARTS.match(text)
    assert start is not None, text
    found = _TABLE.match(text, start.end())
    assert found is not None, text
    first, second = fold(found[1]), found[2]
    return Names(first, fold(second)) if second else Names(library, first)


def has_slash(text: str) -> bool:
    """Whether a table is named as LIBRARY/TABLE, which the naming convention *SQL does not have."""
    return bool(_SLASHED.search(text))


def find_items(text: str) -> str:
    """The select list of a query; empty for one that begins with anything else than SELECT."""
    if not text.upper().startswith("SELECT "):
        return ""
    depth, quote = 0, ""
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif depth == 0 and text[at : at + 6].upper() == " FROM ":
            return text[7:at]
        depth += ((char == "(") - (char == ")")) if not quote else 0
    return text[7:]


def fold(name: str) -> str:
    """A name as the catalogue has it: capitals, unless it is quoted."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.upper()


def split_list(text: str) -> list[str]:
    """What stands between commas outside of brackets, strings and quoted names."""
    parts, depth, quote, start = [], 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
        depth += ((char == "(") - (char == ")")) if not quote else 0
    return [*parts, text[start:].strip()]


def to_sqlite(text: str, library: str) -> str:
    """The statement as SQLite takes it."""
    text = _TAIL.sub("", text)
    text = _FETCH.sub(r"LIMIT \1", text)
    text = re.sub(r"\bCURRENT SCHEMA\b", f"'{library}'", text)
    text = _RRN.sub(r"\1.rowid", text)
    text = _replace_casts(text)
    merge = _MERGE.match(text)
    if merge:
        return f"UPDATE {merge['dest']} AS {merge['d']} SET {merge['set']} FROM {merge['source']} WHERE {merge['on']}"
    return _ALIASED.sub(r"\1 \2 AS \3", text)


def _replace_casts(text: str) -> str:
    """CAST(x AS TYPE) by a function, as SQLite's own cast knows no lengths and no code pages; inner ones first."""
    while (start := text.upper().rfind("CAST(")) >= 0:
        end = _find_end(text, start + 5)
        inside = text[start + 5 : end]
        at = inside.upper().rfind(" AS ")
        text = f"{text[:start]}db2_ca\x00st({inside[:at]}, '{inside[at + 4 :].strip()}'){text[end + 1 :]}"
    return text.replace("\x00", "")


def _find_end(text: str, at: int) -> int:
    depth = 0
    while depth or text[at] != ")":
        depth += (text[at] == "(") - (text[at] == ")")
        at += 1
    return at

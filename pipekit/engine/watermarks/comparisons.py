# Where a query compares a column with a watermark, as far as its text tells. Knows no grammar and no database.
"""`find_comparisons`: which column of which table each `{name}` is compared with; `find_lower_bounds` for a proposal.

Only what can be told for certain: a plain column beside the placeholder, in a table that the query names. Whatever else
a query does (a function around the column, arithmetic behind the value) is left out.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pipekit.drivers.sqltext import tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A watermark and what it is compared with. `column` and `table` are written as in the query."""

    name: str
    column: str
    table: str
    is_quoted: bool


_NAME = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[^\W\d][\w$#@]*)'
_PATH = rf"{_NAME}(?:\s*\.\s*{_NAME}){{0,3}}"
_BEFORE = r"(?:\b(?:where|and|or|on|not|when|having)\b|\()\s*"
_COMPARE = r"\s*(?:<=|>=|<>|!=|=|<|>)\s*"
_TYPE = r"(?:(?:date|time|timestamp|datetime)\s+)?"
_NO_MORE = r"(?!\s*(?:::|\|\||[+\-*/%.(]|\bcollate\b|\bat\s+time\b))"


def _value(suffix: str) -> str:
    return rf"{_TYPE}(?P<quote{suffix}>')?\{{(?P<name{suffix}>\w+)\}}(?(quote{suffix})')"


_COMPARED = re.compile(
    rf"{_BEFORE}(?:(?P<left>{_PATH})(?:{_COMPARE}|\s+between\s+){_value('1')}{_NO_MORE}"
    rf"|{_value('2')}{_COMPARE}(?P<right>{_PATH}){_NO_MORE})",
    re.IGNORECASE,
)
# What a person may have put around the value does not matter for a proposal.
_BOUND = re.compile(
    rf"{_BEFORE}(?:(?P<left>{_PATH})(?:\s*>=?\s*|\s+between\s+)(?:cast\s*\(\s*)?{_value('1')}"
    rf"|{_value('2')}\s*<=?\s*(?P<right>{_PATH})(?!\s*\())",
    re.IGNORECASE,
)
_RENAMED = rf"(?P<path>{_PATH})\s+as\s+(?P<alias>{_NAME})\s*(?:,|\bfrom\b)"
_GREATEST = re.compile(rf"\b(?:max|min)\s*\(\s*({_PATH})\s*\)", re.IGNORECASE)
_FROM = re.compile(rf"\b(?:from|join)\s+(?={_NAME})", re.IGNORECASE)
_TABLE = re.compile(
    rf"({_PATH})(?!\s*[\w.(])(?:\s+(?:as\s+)?({_NAME}))?|({_PATH})\s+(?:as\s+)?({_NAME})", re.IGNORECASE
)
_COMMA = re.compile(r"\s*,\s*")
_WITH = re.compile(
    rf"(?:\bwith\s+(?:recursive\s+)?|,\s*)({_NAME})\s*(?:\([^()]*\)\s*)?as\s*(?:(?:not\s+)?materialized\s*)?\(",
    re.IGNORECASE,
)
_NO_ALIAS = re.compile(
    r"(?:where|join|on|left|right|inner|outer|full|cross|natural|group|order|having|limit|offset|fetch|union|except"
    r"|intersect|using|when|and|or|for|window|qualify|tablesample|with|lateral)\Z",
    re.IGNORECASE,
)


def find_comparisons(query: str, names: Collection[str]) -> list[Comparison]:
    """The comparisons of a query (placeholders not yet filled in) with the watermarks of these names."""
    text = _blank_out(query)
    tables = list(_find_tables(text))
    found = []
    for match in _COMPARED.finditer(text):
        name = match["name1"] or match["name2"]
        parts = _split(match["left"] or match["right"])
        table = _find_table(parts[:-1], tables)
        if name in names and table:
            quoted = bool(match["quote1"] or match["quote2"])
            found.append(Comparison(name=name, column=parts[-1], table=table, is_quoted=quoted))
    return found


def find_lower_bounds(query: str) -> dict[str, str]:
    """For each `{name}` from which a query reads on, as in `id > {name}`, what its rows call the column: unquoted."""
    text = _blank_out(query)
    found: dict[str, str] = {}
    for match in _BOUND.finditer(text):
        column = _split(match["left"] or match["right"])[-1]
        found.setdefault(match["name1"] or match["name2"], _find_alias(text, column))
    return found


def _find_alias(text: str, column: str) -> str:
    """The name that a select list gives a column; the column's own where it gives none."""
    renamed = re.finditer(_RENAMED, text, re.IGNORECASE)
    alias = next((match["alias"] for match in renamed if _fold(_split(match["path"])[-1]) == _fold(column)), column)
    return _unquote(alias)


def _unquote(name: str) -> str:
    quote = name[0]
    if quote not in '"`[':
        return name
    return name[1:-1].replace('""', '"') if quote == '"' else name[1:-1]


def find_greatest(sql: str) -> tuple[str, str] | None:
    """(column, table) of which a watermark's SQL takes the greatest or least value; None where that is in doubt."""
    text = _blank_out(sql)
    found = _GREATEST.findall(text)
    parts = _split(found[0]) if len(found) == 1 else []
    table = _find_table(parts[:-1], list(_find_tables(text))) if parts else ""
    return (parts[-1], table) if table else None


def _blank_out(query: str) -> str:
    """The query with its comments, and its strings that are no placeholder, replaced by something that is neither."""
    parts = []
    for kind, start, end in tokens(query):
        text = query[start:end]
        is_value = kind == "string" and re.fullmatch(r"'\{\w+\}'", text)
        if kind == "comment":
            text = " "
        elif kind in ("string", "dollar", "open") and not is_value:
            text = "0"
        parts.append(text)
    return "".join(parts)


def _find_tables(text: str) -> Iterator[tuple[str, str]]:
    """(table, alias) of each table that the query reads, alias `""` for none; what WITH defines is no table."""
    defined = {_fold(match[1]) for match in _WITH.finditer(text)}
    for start in _FROM.finditer(text):
        at = start.end()
        while match := _TABLE.match(text, at):
            table, alias = match[1] or match[3], match[2] or match[4] or ""
            end = match.end()
            if _NO_ALIAS.match(alias):
                alias, end = "", match.end(1) if match[1] else match.end(3)
            yield ("" if _fold(table) in defined else table), alias
            comma = _COMMA.match(text, end)
            if not comma:
                break
            at = comma.end()


def _find_table(qualifier: list[str], tables: list[tuple[str, str]]) -> str:
    """The table a column is of; `""` where the text does not tell."""
    if not qualifier:
        read = {table for table, _ in tables}
        return read.pop() if len(read) == 1 else ""
    wanted = [_fold(part) for part in qualifier]
    for table, alias in tables:
        parts = [_fold(part) for part in _split(table)] if table else []
        if (alias and [_fold(alias)] == wanted) or (not alias and parts[-len(wanted) :] == wanted):
            return table
    return ""


def _split(path: str) -> list[str]:
    return re.findall(_NAME, path)


def _fold(name: str) -> str:
    return name.strip('"`[]').lower()

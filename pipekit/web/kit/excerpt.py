# The place in SQL at which a database saw a fault, as people see it. Knows text, no page.
"""`Excerpt` and `build_excerpt`."""

from dataclasses import dataclass

_BEFORE, _LONGEST = 60, 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """The line of a place, cut where it is long, and a pointer below it. `position` counts characters from 1."""

    position: int
    line: int
    text: str
    pointer: str


def build_excerpt(sql: str | None, position: int | None) -> Excerpt | None:
    """What to show of a place; None for no place, or one that the SQL does not have."""
    if not sql or position is None or not 1 <= position <= len(sql) + 1:
        return None
    at = position - 1
    begin = sql.rfind("\n", 0, at) + 1
    end = sql.find("\n", at)
    line = sql[begin : len(sql) if end < 0 else end].replace("\t", " ").rstrip("\r")
    column = at - begin
    first = max(column - _BEFORE, 0) if len(line) > _LONGEST else 0
    cut = "…" if first else ""
    shown = cut + line[first : first + _LONGEST] + ("…" if len(line) > first + _LONGEST else "")
    pointer = " " * (len(cut) + column - first) + "^"
    return Excerpt(position=position, line=sql.count("\n", 0, at) + 1, text=shown, pointer=pointer)

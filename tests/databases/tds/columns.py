# Columns, and how table and column names are read. Knows no rows.
"""`Column` and `parse_name`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.databases.tds.types import SqlType, parse_type

ColumnSpec = tuple[str, str]

_NAME_PART = re.compile(r'\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"|([\w@#$]+)')
_NULLS = re.compile(r"\s*\b(not\s+null|null|identity(?:\s*\(\s*\d+\s*,\s*\d+\s*\))?|computed|primary\s+key)\b", re.I)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or of a result."""

    name: str
    type: SqlType
    nullable: bool = True
    identity: bool = False
    computed: bool = False

    @property
    def flags(self) -> int:
        """The flags of COLMETADATA: nullable, updatable, identity, computed."""
        computed = self.computed or self.type.text == "timestamp"
        return self.nullable * 0x01 | (not computed) * 0x08 | self.identity * 0x10 | computed * 0x20


def parse_columns(specs: Sequence[ColumnSpec]) -> tuple[Column, ...]:
    """Columns of (name, definition) pairs: `("id", "int not null identity")`, `("name", "nvarchar(50)")`."""
    return tuple(parse_column(name, definition) for name, definition in specs)


def parse_column(name: str, definition: str) -> Column:
    """A column; what stands beside its type is one of NULL, NOT NULL, IDENTITY, COMPUTED, PRIMARY KEY."""
    found = {" ".join(match.lower().split()).partition("(")[0].strip() for match in _NULLS.findall(definition)}
    nullable = not found & {"not null", "primary key", "identity"}
    type = parse_type(_NULLS.sub("", definition).strip(), nullable)
    return Column(name, type, nullable, "identity" in found, "computed" in found)


def parse_name(text: str) -> str:
    """`[a].[b]`, `b`, `db.a.b` as `a.b` in lower case, with `dbo` where no schema is named."""
    parts = [
        (bracketed or quoted or plain).replace("]]", "]").replace('""', '"')
        for bracketed, quoted, plain in _NAME_PART.findall(text)
    ]
    if not parts:
        raise ValueError(f"not a name: {text!r}")
    return ".".join(parts[-2:] if len(parts) > 1 else ["dbo", *parts]).lower()


def parse_identifier(text: str) -> str:
    """One identifier without its quotes."""
    match = _NAME_PART.fullmatch(text.strip())
    if not match:
        raise ValueError(f"not an identifier: {text!r}")
    bracketed, quoted, plain = match.groups()
    return (bracketed or quoted or plain or "").replace("]]", "]").replace('""', '"')

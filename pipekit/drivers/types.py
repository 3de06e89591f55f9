# The neutral column types every driver maps from and to. Knows no database.
"""Neutral types: the meeting point of two databases' type systems."""

import re
from dataclasses import dataclass
from typing import Literal

TypeName = Literal[
    "bool", "int16", "int32", "int64", "float32", "float64", "decimal", "text", "char", "bytes",
    "date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "json", "xml", "other",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Type:
    """A column type without a dialect.

    `length` is characters for text and char and bytes for bytes (None = no limit), `precision` and `scale` are for
    decimal (None = as many digits as needed), `precision` of the time types is digits of a second. `other` is a type
    only its own kind knows; it travels as text.
    """

    name: TypeName
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


TEXT = Type(name="text")

_CHAR = re.compile(r"\A(N?)CHAR(?:ACTER)?\b", re.IGNORECASE)
_COPY_BYTES = re.compile(r"bytea|blob|(?:var)?binary(?:\(\d+\))?", re.IGNORECASE)


def is_bytes_type(text: str) -> bool:
    """Whether a spelled type is one whose cells COPY text writes as bytes: PostgreSQL's, or one of JDBC's."""
    return bool(_COPY_BYTES.fullmatch(text))


def vary(text: str) -> str:
    """`CHAR(3)` -> `VARCHAR(3)`, `nchar(3)` -> `nvarchar(3)`; any other type stays as it is."""
    return _CHAR.sub(lambda found: found[1] + ("varchar" if found[0].islower() else "VARCHAR"), text)

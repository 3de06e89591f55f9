# What a JDBC driver says of a column -> how it is read, spelled and laid out. Pure; knows no connection.
"""`classify`: one column's type code, type name, size and digits become a `ColumnType`."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "BOOL", "INT", "FLOAT", "DOUBLE", "DECIMAL", "BITS", "TEXT", "TRIMMED", "CLOB", "BYTES", "BLOB",
    "DATE", "TIME", "TIMESTAMP", "TIMETZ", "TIMESTAMPTZ", "OWN_DATE", "OWN_TIME", "OWN_TIMESTAMP", "OWN_INSTANT",
    "YEAR",
]  # fmt: skip
Layout = Literal[
    "bool", "int16", "int32", "int64", "float", "double", "decimal", "date", "timestamp", "bytes", "text",
]  # fmt: skip

# The digits of the widest decimal that Arrow holds in 16 bytes, and of the seconds of its timestamps.
ARROW_DIGITS = 38
ARROW_CLOCK_DIGITS = 6
NO_LIMIT = 2**31 - 1

# java.sql.Types, and what some databases made up beside it.
_CODES = {
    -7: "BIT", -6: "TINYINT", 5: "SMALLINT", 4: "INTEGER", -5: "BIGINT", 7: "REAL", 6: "DOUBLE", 8: "DOUBLE",
    2: "DECIMAL", 3: "DECIMAL", 1: "CHAR", 12: "VARCHAR", -1: "VARCHAR", -15: "NCHAR", -9: "NVARCHAR",
    -16: "NVARCHAR", 2005: "CLOB", 2011: "NCLOB", -2: "BINARY", -3: "VARBINARY", -4: "VARBINARY", 2004: "BLOB",
    16: "BOOLEAN", 91: "DATE", 92: "TIME", 93: "TIMESTAMP", 2013: "TIMETZ", 2014: "TIMESTAMPTZ",
    -101: "TIMESTAMPTZ", -102: "TIMESTAMPTZ", -155: "TIMESTAMPTZ", 100: "REAL", 101: "DOUBLE",
    2009: "XML", -8: "ROWID",
}  # fmt: skip
_REFUSED = {2000: "a Java object", 2002: "a structure", 2003: "an array", 2006: "a reference", 2012: "a cursor"}
_LONG_TEXT, _LONG_BYTES = (-1, -16), (-4,)

# Names that say more than the code beside them.
_NAMES = {
    "uuid": "UUID", "decfloat": "DECFLOAT", "xml": "XML", "money": "money", "timetz": "TIMETZ",
    "timestamptz": "TIMESTAMPTZ",
}  # fmt: skip
_ZONED = re.compile(r"(time(?:stamp)?)\b.*\bwith (?:local )?time zone", re.IGNORECASE)

_INTEGERS: dict[str, Layout] = {"TINYINT": "int16", "SMALLINT": "int16", "INTEGER": "int32", "BIGINT": "int64"}
_UNSIGNED: dict[str, Layout] = {"TINYINT": "int16", "SMALLINT": "int32", "INTEGER": "int64", "BIGINT": "decimal"}
_TEXTS = frozenset(("CHAR", "NCHAR", "VARCHAR", "NVARCHAR"))


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnType:
    """A column's type. `text` is its spelling; `precision` and `scale` are of a decimal, or of a time's fraction.

    `refused` is the reason why columns of this type cannot be read. Bytes that are text have the table of their code
    page in `page`, 256 characters.
    """

    kind: Kind
    text: str
    layout: Layout = "text"
    precision: int = 0
    scale: int = 0
    refused: str = ""
    page: str = ""


# Type code, type name, size, digits, and whether there is a sign.
Classify = Callable[[int, str, int, int, bool], ColumnType]


def classify(code: int, type_name: str, size: int, digits: int, signed: bool = True) -> ColumnType:
    """`code` is of java.sql.Types; `size` is a precision or length (0: unknown), `digits` a scale."""
    if code in _REFUSED:
        reason = f"{_REFUSED[code]} cannot be moved through JDBC"
        return ColumnType(kind="TEXT", text=type_name or "OTHER", refused=reason)
    base = _find_base(code, type_name, size)
    if base in _INTEGERS:
        return _classify_integer(base, signed)
    if base in ("DECIMAL", "DECFLOAT"):
        return _classify_decimal(base, size, digits)
    if base in _TEXTS:
        return _classify_text(base, 0 if code in _LONG_TEXT else size)
    if base in ("BINARY", "VARBINARY"):
        length = "" if code in _LONG_BYTES else _spell_length(size)
        return ColumnType(kind="BYTES", text=base + length, layout="bytes")
    if base in ("TIME", "TIMESTAMP", "TIMETZ", "TIMESTAMPTZ"):
        return _classify_clock(base, digits)
    return _SIMPLE.get(base) or ColumnType(kind="TEXT", text=base)


def spell_type(code: int, type_name: str, size: int, digits: int, signed: bool = True) -> str:
    """The spelling alone."""
    return classify(code, type_name, size, digits, signed).text


_SIMPLE = {
    "BOOLEAN": ColumnType(kind="BOOL", text="BOOLEAN", layout="bool"),
    "REAL": ColumnType(kind="FLOAT", text="REAL", layout="float"),
    "DOUBLE": ColumnType(kind="DOUBLE", text="DOUBLE", layout="double"),
    "CLOB": ColumnType(kind="CLOB", text="CLOB"),
    "NCLOB": ColumnType(kind="CLOB", text="NCLOB"),
    "BLOB": ColumnType(kind="BLOB", text="BLOB", layout="bytes"),
    "DATE": ColumnType(kind="DATE", text="DATE", layout="date"),
}


def _find_base(code: int, type_name: str, size: int) -> str:
    """Our name of a type; the vendor's where there is none."""
    name = type_name.strip()
    if known := _NAMES.get(name.lower()):
        return known
    if zoned := _ZONED.match(name):
        return zoned[1].upper() + "TZ"
    base = _CODES.get(code)
    if base == "BIT":
        return "BOOLEAN" if size <= 1 else name
    return base or name or "OTHER"


def _classify_integer(base: str, signed: bool) -> ColumnType:
    if not signed and base == "BIGINT":
        return ColumnType(kind="DECIMAL", text="DECIMAL(20,0)", layout="decimal", precision=20)
    if signed or base == "TINYINT":
        return ColumnType(kind="INT", text=base, layout=_INTEGERS[base])
    wider = {"SMALLINT": "INTEGER", "INTEGER": "BIGINT"}[base]
    return ColumnType(kind="INT", text=wider, layout=_UNSIGNED[base])


def _classify_decimal(base: str, size: int, digits: int) -> ColumnType:
    if base == "DECFLOAT" or not 0 <= digits <= size or not 0 < size < 1000:
        return ColumnType(kind="DECIMAL", text=base)
    layout: Layout = "decimal" if size <= ARROW_DIGITS else "text"
    return ColumnType(kind="DECIMAL", text=f"DECIMAL({size},{digits})", layout=layout, precision=size, scale=digits)


def _classify_text(base: str, size: int) -> ColumnType:
    return ColumnType(kind="TEXT", text=base + _spell_length(size), precision=max(size, 0))


def _spell_length(size: int) -> str:
    return f"({size})" if 0 < size < NO_LIMIT else ""


def _classify_clock(base: str, digits: int) -> ColumnType:
    kinds: dict[str, Kind] = {
        "TIME": "TIME",
        "TIMESTAMP": "TIMESTAMP",
        "TIMETZ": "TIMETZ",
        "TIMESTAMPTZ": "TIMESTAMPTZ",
    }
    fraction = f"({digits})" if 0 < digits <= 12 else ""
    zone = " WITH TIME ZONE" if base.endswith("TZ") else ""
    layout: Layout = "timestamp" if base == "TIMESTAMP" and 0 < digits <= ARROW_CLOCK_DIGITS else "text"
    return ColumnType(kind=kinds[base], text=base.removesuffix("TZ") + fraction + zone, layout=layout, scale=digits)

# MySQL's and MariaDB's types: read from COLUMN_TYPE, spelled, told as JDBC's and as what a column takes. Pure text.
"""`Spelling` and `parse_type`, neutral types both ways, `classify` for results, `describe_target` for what is filled.

A result's types are spelled in MySQL's words too: `DATETIME(6)` is a clock, `TIMESTAMP(6)` an instant.
"""

import re
from dataclasses import dataclass, replace

from pipekit.drivers.jdbc import types
from pipekit.drivers.jdbc.columntypes import ColumnType, Kind, Layout
from pipekit.drivers.jdbc.columntypes import classify as classify_jdbc
from pipekit.drivers.jdbc.products import Spellings
from pipekit.drivers.types import Type

_BASE = re.compile(
    r"\s*([A-Za-z_][A-Za-z0-9_ ]*?)\s*(?:\(|(?=\b(?:unsigned|zerofill|character|charset|collate)\b)|\Z)", re.I
)
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"\d+")
_BITS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "INTEGER": 32, "BIGINT": 64}
_LONG_TEXTS = ("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "JSON")
_BLOBS = ("TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")
SHAPES = (
    "GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
)  # fmt: skip
_CLOCKS: dict[str, Kind] = {
    "DATE": "OWN_DATE", "TIME": "OWN_TIME", "DATETIME": "OWN_TIMESTAMP", "TIMESTAMP": "OWN_INSTANT",
}  # fmt: skip
# Characters before the fraction in the width that a driver tells of a clock.
_WIDTHS = {"TIME": 11, "DATETIME": 20, "TIMESTAMP": 20}
_ARROW_DIGITS = 6
# Unless the query could be nested in one that tells it as a DOUBLE: `floats`.
_SINGLE = "only six digits of a FLOAT arrive; write CAST(... AS DOUBLE)"


@dataclass(frozen=True, slots=True)
class Spelling:
    """A type taken apart; `choices` are the texts of an ENUM or SET."""

    base: str
    arguments: tuple[int, ...] = ()
    choices: tuple[str, ...] = ()
    unsigned: bool = False

    @property
    def first(self) -> int | None:
        """The length, or the digits."""
        return self.arguments[0] if self.arguments else None


def parse_type(text: str) -> Spelling:
    """Reads `int(10) unsigned`, `enum('a','b') CHARACTER SET ...`, `DATETIME(6)`."""
    found = _BASE.match(text)
    if found is None:
        return Spelling(text.strip().upper())
    base, rest = " ".join(found[1].upper().split()), text[found.end(1) :]
    if base in ("ENUM", "SET"):
        return Spelling(base, choices=tuple(item.replace("''", "'") for item in _TEXT.findall(rest)))
    inside = rest.partition("(")[2].partition(")")[0] if rest.lstrip().startswith("(") else ""
    unsigned = bool(re.search(r"\b(?:unsigned|zerofill)\b", rest, re.IGNORECASE))
    return Spelling(base, tuple(int(item) for item in _NUMBER.findall(inside)), unsigned=unsigned)


def to_neutral(text: str) -> Type:
    """A spelling -> neutral type, in MySQL's meaning of the words."""
    type_ = parse_type(text)
    bits = _BITS.get(type_.base)
    if bits:
        return _to_whole(bits + (1 if type_.unsigned else 0))
    if type_.base == "BIT":
        return Type(name="bool") if (type_.first or 1) == 1 else _to_whole((type_.first or 1) + 1)
    if type_.base in ("ENUM", "SET"):
        return Type(name="text")
    if type_.base == "FLOAT":
        is_single = len(type_.arguments) != 1 or (type_.first or 0) <= 24
        return Type(name="float32" if is_single else "float64")
    if type_.base == "TIMESTAMP":
        return Type(name="timestamptz", precision=type_.first or 0)
    if type_.base in ("TIME", "DATETIME"):
        return Type(name="time" if type_.base == "TIME" else "timestamp", precision=type_.first or 0)
    plain = {"YEAR": Type(name="int16"), "REAL": Type(name="float64"), "JSON": Type(name="json")}
    plain |= {"DECIMAL": Type(name="decimal", precision=type_.first or 10, scale=(*type_.arguments, 0, 0)[1])}
    plain |= dict.fromkeys(("TINYTEXT", *_LONG_TEXTS[1:4]), Type(name="text"))
    plain |= dict.fromkeys((*_BLOBS, *SHAPES), Type(name="bytes"))
    return plain.get(type_.base) or types.to_neutral(text)


def _to_whole(bits: int) -> Type:
    if bits > 64:
        return Type(name="decimal", precision=20, scale=0)
    return Type(name="int16" if bits <= 16 else "int32" if bits <= 32 else "int64")


def map_type(text: str, spellings: Spellings) -> str:
    """A result's type as a column of one's own: an instant stays one."""
    neutral = to_neutral(text)
    if neutral.name == "timestamptz":
        return f"TIMESTAMP({neutral.precision})"
    return types.from_neutral(neutral, spellings)


# -- what arrives ------------------------------------------------------------------------------------------------------


def classify(code: int, type_name: str, size: int, digits: int, signed: bool = True) -> ColumnType:
    """A column of a result, as its driver describes it."""
    name = type_name.upper().split(" ")[0].partition("(")[0]
    if name in _CLOCKS:
        return _classify_clock(name, size, digits)
    if name == "YEAR":
        return ColumnType(kind="INT", text="SMALLINT", layout="int16")
    if name == "BIT" and size > 1:
        return _classify_bits(size)
    found = classify_jdbc(code, type_name, size, digits, signed)
    if found.text == "REAL":
        return replace(found, text="FLOAT", refused=_SINGLE)
    if found.text.startswith("CHAR("):
        # Its blanks at the end are gone when it is read, so it is no longer of one length.
        return replace(found, text=f"VAR{found.text}")
    return found


def _classify_clock(name: str, size: int, digits: int) -> ColumnType:
    width = _WIDTHS.get(name, 0)
    fraction = digits if 0 < digits <= 6 else size - width if 0 < size - width <= 6 and width else 0
    layout: Layout = "date" if name == "DATE" else "text"
    if name == "DATETIME" and 0 < fraction <= _ARROW_DIGITS:
        layout = "timestamp"
    text = f"{name}({fraction})" if fraction else name
    return ColumnType(kind=_CLOCKS[name], text=text, layout=layout, scale=fraction)


def _classify_bits(size: int) -> ColumnType:
    if size > 63:
        return ColumnType(kind="BITS", text="DECIMAL(20,0)", layout="decimal", precision=20)
    return ColumnType(kind="BITS", text="BIGINT", layout="int64")


# -- what is filled ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetType:
    """How values are bound to a column: see Java's `Target`."""

    kind: Kind
    size: int = 0
    scale: int = 0
    unsigned: bool = False
    choices: tuple[str, ...] = ()
    is_set: bool = False


def describe_target(text: str) -> TargetType | None:
    """What a column of this spelling takes; None for one that only its driver can describe."""
    type_ = parse_type(text)
    first, second = (*type_.arguments, 0, 0)[:2]
    if bits := _BITS.get(type_.base):
        if type_.unsigned and bits == 64:
            return TargetType(kind="DECIMAL", size=20)
        return TargetType(kind="INT", size=bits, unsigned=type_.unsigned)
    if type_.base == "BIT":
        one = (type_.first or 1) == 1
        return TargetType(kind="BOOL") if one else TargetType(kind="BITS", size=20)
    if type_.base in _CLOCKS:
        return TargetType(kind=_CLOCKS[type_.base], scale=first)
    if type_.base in ("ENUM", "SET"):
        return TargetType(kind="TEXT", choices=type_.choices, is_set=type_.base == "SET")
    if type_.base in ("FLOAT", "DOUBLE", "REAL", "DOUBLE PRECISION"):
        return TargetType(kind="FLOAT" if to_neutral(text).name == "float32" else "DOUBLE", scale=second)
    if type_.base in ("DECIMAL", "NUMERIC", "DEC"):
        return TargetType(kind="DECIMAL", size=type_.first or 10, scale=second)
    plain: dict[str, TargetType] = {"YEAR": TargetType(kind="YEAR", size=16), "VARCHAR": _text(first)}
    plain |= {"CHAR": _text(type_.first or 1), "VARBINARY": TargetType(kind="BYTES", size=first)}
    plain |= {"BINARY": TargetType(kind="BYTES", size=type_.first or 1), "BOOLEAN": TargetType(kind="INT", size=8)}
    plain |= dict.fromkeys(_LONG_TEXTS, TargetType(kind="CLOB")) | dict.fromkeys(_BLOBS, TargetType(kind="BLOB"))
    return plain.get(type_.base)


def _text(size: int) -> TargetType:
    return TargetType(kind="TEXT", size=size)

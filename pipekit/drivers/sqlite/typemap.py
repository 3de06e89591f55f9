# SQLite's type names: to and from the neutral types, and the affinity rules that decide what a column does to a value.
"""What a declared type means to SQLite, and what it means to everybody else."""

import re
from typing import Literal

from pipekit.drivers.datenumbers import NumberDates
from pipekit.drivers.types import TEXT, Type, TypeName

Affinity = Literal["INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC"]

# SQLite keeps about 15 decimal digits of a number that is not a 64-bit integer.
EXACT_DIGITS = 15

_SPELLING = re.compile(
    r"\s*(?P<name>[^()]*?)\s*(?:\(\s*(?P<a>\d+)\s*(?:,\s*(?P<b>\d+)\s*)?\))?\s*(?P<tail>[^()]*?)\s*\Z"
)
_COLLATE = re.compile(r"(?:^|\s+)COLLATE\s+\S+\s*\Z", re.IGNORECASE)

_NAMES: dict[str, TypeName] = {
    **dict.fromkeys(
        (
            "int", "integer", "bigint", "smallint", "tinyint", "mediumint", "int2", "int4", "int8", "unsigned big int",
            "int unsigned", "integer unsigned", "bigint unsigned",
        ),
        "int64",
    ),
    **dict.fromkeys(("real", "double", "double precision", "float", "float4", "float8"), "float64"),
    **dict.fromkeys(("decimal", "numeric", "number", "dec"), "decimal"),
    **dict.fromkeys(
        ("text", "clob", "varchar", "nvarchar", "character varying", "varying character", "varchar2", "string"), "text"
    ),
    **dict.fromkeys(("char", "character", "nchar", "native character"), "char"),
    **dict.fromkeys(("blob", "binary", "varbinary", "bytea"), "bytes"),
    **dict.fromkeys(("boolean", "bool"), "bool"),
    "date": "date",
    "time": "time",
    **dict.fromkeys(("timestamp", "datetime", "timestamp without time zone"), "timestamp"),
    **dict.fromkeys(("timestamptz", "timestamp with time zone", "datetimeoffset"), "timestamptz"),
}  # fmt: skip


def bare_type(type_text: str) -> str:
    """A column's type without its collation: `TEXT COLLATE NOCASE` -> `TEXT`."""
    return _COLLATE.sub("", type_text).strip()


def get_affinity(type_text: str) -> Affinity:
    """What SQLite makes of a declared type, by its own five rules in their order."""
    name = bare_type(type_text).upper()
    if "INT" in name:
        return "INTEGER"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in name or not name:
        return "BLOB"
    if any(part in name for part in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def to_neutral(type_text: str) -> Type:
    """The neutral type of a declared type; text for an empty or unknown one.

    SQLite enforces neither the size of an integer nor the length of a char, so every integer is 64 bits wide and a char
    is a text: what is declared is all that is promised.
    """
    match = _SPELLING.match(bare_type(type_text))
    if not match:
        return TEXT
    name = _find_name(match)
    first = int(match["a"]) if match["a"] else None
    if name == "decimal":
        scale = int(match["b"]) if match["b"] else (0 if first is not None else None)
        return Type(name="decimal", precision=first, scale=scale)
    if name in ("text", "char"):
        return Type(name="text", length=first)
    return Type(name=name) if name else _from_affinity(type_text)


def _from_affinity(type_text: str) -> Type:
    """An unknown name whose affinity still says that it holds bytes; all else travels as text."""
    return Type(name="bytes") if bare_type(type_text) and get_affinity(type_text) == "BLOB" else TEXT


_SPELLED: dict[TypeName, str] = {
    "bool": "BOOLEAN",
    "int16": "INTEGER",
    "int32": "INTEGER",
    "int64": "INTEGER",
    "float32": "REAL",
    "float64": "REAL",
    "bytes": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
}


def is_padded_elsewhere(type_text: str) -> bool:
    """Whether a declared type is one that other databases fill up with blanks."""
    match = _SPELLING.match(bare_type(type_text))
    return match is not None and _find_name(match) == "char"


def _find_name(match: "re.Match[str]") -> TypeName | None:
    return _NAMES.get(" ".join(f"{match['name']} {match['tail']}".lower().split()))


def from_neutral(neutral: Type) -> str:
    """A declared type whose affinity changes no value of the neutral type.

    A name SQLite does not know gets NUMERIC affinity, which turns the text `1e5` into a number. So only types whose
    values never look like one number keep a name of their own; uuid, json, xml, interval and the like are TEXT, and so
    is a decimal with more digits than SQLite's numbers have.
    """
    if neutral.name == "decimal":
        return _spell_decimal(neutral)
    if neutral.name in ("text", "char"):
        return f"VARCHAR({neutral.length})" if neutral.length else "TEXT"
    return _SPELLED.get(neutral.name, "TEXT")


def _spell_decimal(neutral: Type) -> str:
    if neutral.precision is None or neutral.precision > EXACT_DIGITS:
        return "TEXT"
    return f"DECIMAL({neutral.precision},{neutral.scale or 0})"


def find_length(type_text: str) -> int | None:
    """The declared length of a text type in characters, None where there is none."""
    return to_neutral(type_text).length if get_affinity(type_text) == "TEXT" else None


# SQLite's own functions would make 2 March of 31 February, and its CAST 0 of a text that is no number: what is no date
# stays none, and a dest that has dates refuses it.
NUMBER_DATES = NumberDates(
    whole="{x}",
    digits="",
    remainder="({a}) % {b}",
    date="(SELECT printf('%04d-%02d-%02d', n / 10000, n / 100 % 100, n % 100) FROM (SELECT {n} AS n) WHERE n <> 0)",
    time="(SELECT printf('%02d:%02d:%02d', n / 10000, n / 100 % 100, n % 100) FROM (SELECT {n} AS n) WHERE n >= 0)",
    last="'9999-12-31'",
    date_type="DATE",
    time_type="TIME",
)

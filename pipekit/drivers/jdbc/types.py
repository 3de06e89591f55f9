# Types of databases that are reached over JDBC: reading them and spelling them. Pure text.
"""Type spellings: what JDBC names them, and what each product calls them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.jdbc.products import Spellings
from pipekit.drivers.types import TEXT, Type, TypeName

KEY_LENGTH = 190
_ARGUMENTS = re.compile(r"\(\s*([^)]*)\)")
_NUMBER = re.compile(r"\d+")
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}
_COLLATION = re.compile(r"\bCOLLATE\s+\S+")
_CCSID = re.compile(r"\bCCSID\s+(\d+)")

_NAMES: dict[str, TypeName] = {
    "BOOLEAN": "bool", "BOOL": "bool", "BIT": "bool",
    "TINYINT": "int16", "SMALLINT": "int16", "INT2": "int16",
    "INTEGER": "int32", "INT": "int32", "INT4": "int32", "MEDIUMINT": "int32",
    "BIGINT": "int64", "INT8": "int64",
    "REAL": "float32", "FLOAT4": "float32", "BINARY_FLOAT": "float32",
    "DOUBLE": "float64", "DOUBLE PRECISION": "float64", "FLOAT": "float64", "FLOAT8": "float64",
    "BINARY_DOUBLE": "float64",
    "DECIMAL": "decimal", "NUMERIC": "decimal", "DEC": "decimal", "NUMBER": "decimal", "DECFLOAT": "decimal",
    "CHAR": "char", "CHARACTER": "char", "NCHAR": "char", "GRAPHIC": "char",
    "VARCHAR": "text", "CHARACTER VARYING": "text", "CHAR VARYING": "text", "NVARCHAR": "text", "VARCHAR2": "text",
    "NVARCHAR2": "text", "VARGRAPHIC": "text", "VARG": "text", "VARCHAR_IGNORECASE": "text", "LONG VARCHAR": "text",
    "TEXT": "text", "LONGTEXT": "text", "MEDIUMTEXT": "text", "CLOB": "text", "NCLOB": "text", "DBCLOB": "text",
    "CHARACTER LARGE OBJECT": "text", "CHAR LARGE OBJECT": "text", "NTEXT": "text", "LONGNVARCHAR": "text",
    "BINARY": "bytes", "VARBINARY": "bytes", "VARBIN": "bytes", "BINARY VARYING": "bytes", "BLOB": "bytes",
    "BINARY LARGE OBJECT": "bytes", "BYTEA": "bytes", "RAW": "bytes", "LONG RAW": "bytes", "IMAGE": "bytes",
    "LONGBLOB": "bytes", "MEDIUMBLOB": "bytes", "LONG VARBINARY": "bytes", "ROWID": "bytes",
    "DATE": "date", "TIME": "time", "TIME WITHOUT TIME ZONE": "time", "TIME WITH TIME ZONE": "timetz",
    "TIMETZ": "timetz", "TIMESTAMP": "timestamp", "TIMESTMP": "timestamp", "TIMESTAMP WITHOUT TIME ZONE": "timestamp",
    "DATETIME": "timestamp", "DATETIME2": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "TIMESTAMPTZ": "timestamptz", "DATETIMEOFFSET": "timestamptz",
    "UUID": "uuid", "UNIQUEIDENTIFIER": "uuid", "JSON": "json", "JSONB": "json", "XML": "xml",
}  # fmt: skip
_SIZED = frozenset({"text", "char", "bytes"})
_UNLIMITED_NAMES = "CLOB NCLOB DBCLOB BLOB TEXT LONGTEXT MEDIUMTEXT NTEXT BYTEA IMAGE"
_UNLIMITED = frozenset({*_UNLIMITED_NAMES.split(), "LONG VARCHAR", "LONG RAW"})
MOST_SIZE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Spelling:
    """A type taken apart. `is_bits` is Db2's FOR BIT DATA, `ccsid` its character set, None where none is written."""

    base: str
    arguments: tuple[int, ...] = ()
    is_bits: bool = False
    ccsid: int | None = None


def parse_type(text: str) -> Spelling:
    """Reads a spelling; a type it does not know keeps its name as `base`."""
    body = " ".join(text.upper().split())
    ccsid = _CCSID.search(body)
    body = _COLLATION.sub("", _CCSID.sub("", body))
    is_bits = "FOR BIT DATA" in body
    body = body.replace("FOR BIT DATA", "")
    match = _ARGUMENTS.search(body)
    arguments = _read_arguments(match.group(1)) if match else ()
    base = " ".join(_ARGUMENTS.sub(" ", body).split())
    return Spelling(base, arguments, is_bits, int(ccsid.group(1)) if ccsid else None)


def _read_arguments(text: str) -> tuple[int, ...]:
    found = []
    for part in text.split(","):
        number = _NUMBER.search(part)
        if number:
            unit = part[number.end() :].strip()[:1]
            found.append(int(number.group()) * _UNITS.get(unit, 1))
    return tuple(found)


def to_neutral(text: str) -> Type:
    """A spelling -> neutral type; text where there is none, `other` for a name that is not known."""
    if not text.strip():
        return TEXT
    type_ = parse_type(text)
    name: TypeName = _NAMES.get(type_.base, "other")
    first = type_.arguments[0] if type_.arguments else None
    if type_.is_bits:
        name = "bytes"
    if name == "decimal":
        if type_.base == "DECFLOAT" or first is None:
            return Type(name="decimal")
        return Type(name="decimal", precision=first, scale=(*type_.arguments, 0)[1])
    if name == "char" and first is None:
        return Type(name="char", length=1)
    if name in _SIZED:
        sized = first is not None and first < MOST_SIZE and type_.base not in _UNLIMITED
        return Type(name=name, length=first if sized else None)
    if name in ("time", "timetz", "timestamp", "timestamptz"):
        return Type(name=name, precision=first)
    return Type(name=name)


def from_neutral(neutral: Type, spellings: Spellings) -> str:
    """A neutral type -> a product's spelling that holds all its values, or as many as one of its types can."""
    if neutral.name == "decimal":
        return _spell_decimal(neutral.precision, neutral.scale, spellings)
    if neutral.name in _SIZED:
        return _spell_sized(neutral, spellings)
    if neutral.name in ("time", "timestamp", "timetz", "timestamptz"):
        return _spell_time(neutral, spellings)
    found = spellings.plain.get(neutral.name)
    return found if found is not None else _spell_text(None, spellings)


def _spell_decimal(precision: int | None, scale: int | None, spellings: Spellings) -> str:
    if precision is None or not 0 < precision <= spellings.max_precision or not 0 <= (scale or 0) <= precision:
        return spellings.any_decimal
    return spellings.decimal.format(n=precision, s=scale or 0)


def _spell_sized(neutral: Type, spellings: Spellings) -> str:
    length = neutral.length or 0
    if neutral.name == "bytes":
        return spellings.bytes.format(n=length) if 0 < length <= spellings.max_bytes else spellings.long_bytes
    if neutral.name == "char" and 0 < length <= spellings.max_char:
        return spellings.char.format(n=length)
    return _spell_text(neutral.length, spellings)


def _spell_text(length: int | None, spellings: Spellings) -> str:
    return spellings.text.format(n=length) if 0 < (length or 0) <= spellings.max_text else spellings.long_text


def _spell_time(neutral: Type, spellings: Spellings) -> str:
    digits = neutral.precision
    if neutral.name in ("time", "timetz"):
        pattern = spellings.time if neutral.name == "time" else spellings.timetz
        if not pattern:
            return _spell_text(40, spellings)
        return pattern.format(n=min(6 if digits is None else digits, spellings.max_fraction))
    zoned = neutral.name == "timestamptz"
    pattern = spellings.timestamptz if zoned else spellings.timestamp
    if not pattern:
        return _spell_text(40, spellings)
    if digits is None:
        return spellings.any_timestamptz if zoned else spellings.any_timestamp
    return pattern.format(n=min(digits, spellings.max_fraction))


def find_key_refusal(columns: Sequence[Type]) -> str:
    """Why columns cannot be a key in every database: text or bytes without a limit, or with a wide one."""
    for neutral in columns:
        if neutral.name in ("other", "json", "xml", "interval"):
            return f"{neutral.name} cannot be a key everywhere"
    wide = [neutral for neutral in columns if neutral.name in ("text", "char", "bytes")]
    if sum(neutral.length or KEY_LENGTH + 1 for neutral in wide) > KEY_LENGTH:
        return f"a key holds {KEY_LENGTH} characters at most in every database"
    return ""

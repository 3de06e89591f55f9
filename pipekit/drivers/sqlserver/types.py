# SQL Server's types as text: reading them, mapping them, and how each is staged. Knows no connection.
"""Type spellings as the catalogue's columns and `system_type_name` give them.

Staging and the load share the work: the load writes a few plain types only, and refuses each value that its staging
column cannot hold exactly, with column and row. A dest column of another type is staged as one of the plain ones that
holds all its values (`Staged.type`), and where the server's conversion into the dest's own type could change a value
silently (`Staged.lossy`), the driver's exactness statements prove that it does not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.datenumbers import NumberDates
from pipekit.drivers.types import TEXT, Type, TypeName

MAX = -1
LONGEST_UNITS = 4000
LONGEST_BYTES = 8000
MAX_PRECISION = 38
KEY_BYTES = 900
TIME_DIGITS = 7
# A bulk load carries six digits of a second, and instants without an offset: what has more travels as text.
TIME_TEXT = "nvarchar(40)"

ALIASES = {
    "integer": "int",
    "numeric": "decimal",
    "dec": "decimal",
    "double precision": "float",
    "timestamp": "rowversion",
    "character": "char",
    "character varying": "varchar",
    "char varying": "varchar",
    "national character": "nchar",
    "national char": "nchar",
    "national character varying": "nvarchar",
    "national char varying": "nvarchar",
    "national text": "ntext",
    "binary varying": "varbinary",
}
CODE_PAGE_TEXTS = frozenset({"char", "varchar", "text"})
TEXTS = CODE_PAGE_TEXTS | {"nchar", "nvarchar", "ntext"}
# Cannot be compared, grouped or sorted.
INCOMPARABLE = frozenset({"text", "ntext", "image", "xml", "json"})
TIMES = ("time", "datetime2", "datetimeoffset")

_NEUTRAL: dict[str, Type] = {
    "bit": Type(name="bool"),
    "tinyint": Type(name="int16"),
    "smallint": Type(name="int16"),
    "int": Type(name="int32"),
    "bigint": Type(name="int64"),
    "real": Type(name="float32"),
    "float": Type(name="float64"),
    "money": Type(name="decimal", precision=19, scale=4),
    "smallmoney": Type(name="decimal", precision=10, scale=4),
    "date": Type(name="date"),
    "datetime": Type(name="timestamp", precision=3),
    "smalldatetime": Type(name="timestamp", precision=0),
    "text": TEXT,
    "ntext": TEXT,
    "image": Type(name="bytes"),
    "rowversion": Type(name="bytes", length=8),
    "uniqueidentifier": Type(name="uuid"),
    "xml": Type(name="xml"),
    "json": Type(name="json"),
}
_TIME_NAMES: dict[str, TypeName] = {"time": "time", "datetime2": "timestamp", "datetimeoffset": "timestamptz"}
_TIME_SPELLINGS: dict[TypeName, str] = {name: spelling for spelling, name in _TIME_NAMES.items()}
_SPELLINGS: dict[TypeName, str] = {
    "bool": "bit",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float32": "real",
    "float64": "float",
    "date": "date",
    "uuid": "uniqueidentifier",
    # SQL Server knows no zone without a day, and no interval.
    "timetz": "nvarchar(40)",
    "interval": "nvarchar(100)",
}
_CAST_HINT = "cast it in the query"
_REFUSED = {
    "sql_variant": f"each value of sql_variant has a type of its own, which would be lost; {_CAST_HINT}",
    "geography": "geography is an object of SQL Server's own; read .AsTextZM() and .STSrid in the query",
    "geometry": "geometry is an object of SQL Server's own; read .AsTextZM() and .STSrid in the query",
    "hierarchyid": "hierarchyid is an object of SQL Server's own; read .ToString() in the query",
    "vector": f"vector has no exact text; {_CAST_HINT}",
}
_KEYLESS = frozenset({*_REFUSED, "xml", "json"})
_KNOWN = frozenset({*_NEUTRAL, *_TIME_NAMES, *TEXTS, *_REFUSED, "decimal", "binary", "varbinary"})

_COLLATE = re.compile(r"\s+COLLATE\s+(\w+)\s*\Z", re.IGNORECASE)
_SHAPE = re.compile(r"\s*(?P<name>[^()]+?)\s*(?:\(\s*(?P<a>\d+|max)\s*(?:,\s*(?P<b>\d+)\s*)?\)\s*(?P<tail>\w*))?\s*")


@dataclass(frozen=True, slots=True)
class Spelling:
    """A type taken apart: `base` with its aliases resolved, its arguments (`MAX` for max), its collation if it says."""

    base: str
    arguments: tuple[int, ...] = ()
    collation: str = ""

    @property
    def text(self) -> str:
        """The type without its collation."""
        inner = ",".join("max" if number == MAX else str(number) for number in self.arguments)
        return f"{self.base}({inner})" if inner else self.base

    @property
    def full(self) -> str:
        """The type with its collation."""
        return f"{self.text} COLLATE {self.collation}" if self.collation else self.text

    @property
    def length(self) -> int:
        """Of a text or of bytes: bytes, or units of UTF-16 for the national types; `MAX` without a limit."""
        return self.arguments[0] if self.arguments else MAX if self.base in ("text", "ntext", "image") else 1


@dataclass(frozen=True, slots=True)
class Staged:
    """How a dest column is staged; an empty `type` stands for the dest's own."""

    type: str = ""
    lossy: bool = False


def parse_type(text: str) -> Spelling:
    """Reads a type's spelling; a type it does not know keeps its text as `base`."""
    collate = _COLLATE.search(text)
    collation = collate[1] if collate else ""
    body = text[: collate.start()] if collate else text
    match = _SHAPE.fullmatch(body.lower())
    if match is None:
        return Spelling(body.strip(), (), collation)
    name = " ".join(match["name"].split()).replace("[", "").replace("]", "").removeprefix("sys.")
    numbers = tuple(MAX if part == "max" else int(part) for part in (match["a"], match["b"]) if part is not None)
    if name == "sysname":
        return Spelling("nvarchar", (128,), collation)
    base = ALIASES.get(f"{name} {match['tail'] or ''}".strip(), ALIASES.get(name, name))
    if base not in _KNOWN:
        return Spelling(body.strip(), (), collation)
    return Spelling(*_fill_arguments(base, numbers), collation)


def _fill_arguments(base: str, numbers: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """A type with the arguments that SQL Server fills in, so that two spellings of one type are equal."""
    if base == "float":
        return ("real" if numbers and numbers[0] <= 24 else "float"), ()
    if base == "decimal":
        return base, ((numbers or (18,))[0], (*numbers, 0)[1] if len(numbers) > 1 else 0)
    if base in TIMES:
        return base, numbers or (TIME_DIGITS,)
    if base in ("char", "varchar", "nchar", "nvarchar", "binary", "varbinary"):
        return base, numbers or (1,)
    return base, numbers if base == "vector" else ()


def spell_type(base: str, max_length: int, precision: int, scale: int, collation: str = "") -> str:
    """A column's type from the numbers of `sys.columns`, which count bytes."""
    if base in ("nchar", "nvarchar"):
        numbers: tuple[int, ...] = (MAX if max_length == MAX else max_length // 2,)
    elif base in ("char", "varchar", "binary", "varbinary"):
        numbers = (max_length,)
    elif base in ("decimal", "numeric"):
        numbers = (precision, scale)
    else:
        numbers = (scale,) if base in TIMES else ()
    return Spelling(base, numbers, collation).full


def find_refusal(type_text: str) -> str:
    """Why no value of a source's type can be read as it is, `""` when values can."""
    base = parse_type(type_text).base
    if base in _REFUSED or base in _KNOWN or not base:
        return _REFUSED.get(base, "")
    return f"{base} is a type Pipekit does not know; {_CAST_HINT}"


def find_dest_refusal(type_text: str) -> str:
    """Why nothing can be stored in a dest column, `""` when it can be tried."""
    base = parse_type(type_text).base
    if base == "rowversion":
        return "SQL Server itself gives a rowversion its value; keep the source's in binary(8)"
    return f"nothing can be loaded into the type {base}" if base in _REFUSED else ""


def is_indexable(type_text: str) -> bool:
    """Whether a column of a type can be in a key of the dest table."""
    type_ = parse_type(type_text)
    return type_.base not in INCOMPARABLE and MAX not in type_.arguments


# -- neutral types -----------------------------------------------------------------------------------------------------


def to_neutral(text: str) -> Type:
    """A spelling of SQL Server -> neutral type."""
    if not text.strip():
        return TEXT
    type_ = parse_type(text)
    first = type_.arguments[0] if type_.arguments else None
    length = None if first == MAX else first
    if type_.base == "decimal":
        return Type(name="decimal", precision=first, scale=type_.arguments[1])
    if type_.base in ("varchar", "nvarchar"):
        return Type(name="text", length=length)
    if type_.base in ("char", "nchar"):
        return Type(name="char", length=length)
    if type_.base in ("binary", "varbinary"):
        return Type(name="bytes", length=length)
    if type_.base in _TIME_NAMES:
        return Type(name=_TIME_NAMES[type_.base], precision=first)
    return _NEUTRAL.get(type_.base, Type(name="other"))


def from_neutral(neutral: Type) -> str:
    """A neutral type -> the narrowest spelling that holds its values; lengths are counted in UTF-16 units.

    A decimal beyond 38 digits, or without a limit, is kept as text with every digit: no number of SQL Server holds it.
    XML is text as well: the type xml would write some documents anew and refuse others.
    """
    if neutral.name == "decimal":
        return _spell_decimal(neutral.precision, neutral.scale or 0)
    if neutral.name == "bytes":
        return f"varbinary({_limit(neutral.length, LONGEST_BYTES)})"
    if neutral.name == "char" and neutral.length and neutral.length <= LONGEST_UNITS:
        return f"nchar({neutral.length})"
    if neutral.name in ("text", "char"):
        return f"nvarchar({_limit(neutral.length, LONGEST_UNITS)})"
    if neutral.name in _TIME_SPELLINGS:
        digits = TIME_DIGITS if neutral.precision is None else neutral.precision
        return f"{_TIME_SPELLINGS[neutral.name]}({digits})" if 0 <= digits <= TIME_DIGITS else "nvarchar(50)"
    return _SPELLINGS.get(neutral.name, "nvarchar(max)")


def widen_foreign(neutral: Type) -> Type:
    """A text of another database, whose length counts characters: each may be two units of UTF-16.

    A padded text becomes a plain one, as the padding would double too.
    """
    if neutral.name not in ("text", "char") or neutral.length is None:
        return neutral
    return Type(name="text", length=2 * neutral.length)


def _limit(length: int | None, longest: int) -> str:
    return "max" if length is None or not 0 < length <= longest else str(length)


def _spell_decimal(precision: int | None, scale: int) -> str:
    if precision is None:
        return "nvarchar(max)"
    digits, decimals = (precision - scale, 0) if scale < 0 else (max(precision, scale), scale)
    return f"decimal({digits},{decimals})" if 0 < digits <= MAX_PRECISION else "nvarchar(max)"


# -- staging -----------------------------------------------------------------------------------------------------------


def limit_staged(staged: Staged, dest: Spelling, longest: int | None) -> Staged:
    """The same with a limit of `longest` units where a text has none."""
    type_ = parse_type(staged.type) if staged.type else dest
    is_open = dest.base in TEXTS and type_.base == "nvarchar" and type_.length == MAX
    if not is_open or longest is None or not 0 < longest <= LONGEST_UNITS:
        return staged
    return Staged(Spelling("nvarchar", (longest,), dest.collation).full, staged.lossy)


def choose_staged(source: Spelling | None, dest: Spelling) -> Staged:
    """How a dest column is staged; `source` is None when its values come from another kind of database."""
    if source is not None and source.base == "rowversion":
        source = Spelling("binary", (8,))
    if source is not None and dest.base in ("nchar", "binary") and _is_same(source, dest):
        return Staged()
    if source is not None and (source.base, dest.base) == ("datetimeoffset", "datetimeoffset"):
        return Staged(TIME_TEXT, lossy=dest.arguments < source.arguments)
    if source is not None and source == dest == Spelling("datetime2", (TIME_DIGITS,)):
        return Staged(TIME_TEXT)
    if dest.base in TEXTS - {"nvarchar"}:
        return Staged(_stage_text(dest), lossy=dest.base != "ntext")
    return _choose_plain(source.base if source else "", dest)


def _is_same(one: Spelling, two: Spelling) -> bool:
    """Whether two types are the same but for their collation."""
    return (one.base, one.arguments) == (two.base, two.arguments)


def _choose_plain(source: str, dest: Spelling) -> Staged:
    if dest.base == "binary":
        return Staged(f"varbinary({dest.length})", lossy=True)
    if dest.base == "image":
        return Staged("varbinary(max)")
    if dest.base in ("xml", "json"):
        return Staged("nvarchar(max)", lossy=source != dest.base)
    if dest.base in ("money", "smallmoney"):
        digits = 19 if dest.base == "money" else 10
        return Staged(f"decimal({digits},4)", lossy=source != dest.base)
    if dest.base in ("datetime", "smalldatetime"):
        same = source == dest.base
        digits = TIME_DIGITS if not same else 3 if dest.base == "datetime" else 0
        return Staged(f"datetime2({digits})", lossy=not same)
    return Staged()


def _stage_text(dest: Spelling) -> str:
    """Unicode with the dest's collation: as many units as the dest has bytes or units hold all that it can hold."""
    length = MAX if dest.length > LONGEST_UNITS else dest.length
    return Spelling("nvarchar", (length,), dest.collation).full


def build_cast(expression: str, stage: str, dest: str) -> str:
    """A staged value as the dest's type, or as one that the dest's column takes without changing it."""
    one, two = parse_type(stage), parse_type(dest)
    if _is_same(one, two):
        return expression
    if two.base in ("ntext", "image"):
        return expression
    if two.base == "xml":
        return f"CONVERT(xml, {expression}, 1)"
    return f"CAST({expression} AS {'varchar(max)' if two.base == 'text' else two.text})"


def find_key_refusal(types: Sequence[str]) -> str:
    """Why columns of these types cannot be a clustered key, `""` when they can."""
    size = 0
    for type_ in map(parse_type, types):
        if type_.base in _KEYLESS or type_.length == MAX:
            return f"{type_.text} cannot be in one"
        if type_.base in (*TEXTS, "binary", "varbinary"):
            size += type_.length * (2 if type_.base in ("nchar", "nvarchar") else 1)
    return f"a key holds {KEY_BYTES} bytes at most" if size > KEY_BYTES else ""


# STR makes stars of a number with more digits, which are no date.
NUMBER_DATES = NumberDates(
    whole="CAST({x} AS bigint)",
    digits="CAST(NULLIF(LTRIM(RTRIM({x})), '') AS bigint)",
    remainder="({a}) % {b}",
    date="CONVERT(date, REPLACE(STR({n}, 8), ' ', '0'), 112)",
    time="CONVERT(time(0), STUFF(STUFF(REPLACE(STR({n}, 6), ' ', '0'), 5, 0, ':'), 3, 0, ':'))",
    last="CONVERT(date, '99991231', 112)",
    date_type="date",
    time_type="time(0)",
)

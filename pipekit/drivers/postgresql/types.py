# PostgreSQL's types as text: reading them, mapping them, and which conversions are exact. Knows no connection.
"""Type spellings as `format_type` writes them."""

import re
from dataclasses import dataclass

from pipekit.drivers.datenumbers import NumberDates
from pipekit.drivers.types import TEXT, Type, TypeName

ALIASES = {
    "bool": "boolean",
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "smallserial": "smallint",
    "serial": "integer",
    "bigserial": "bigint",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "decimal": "numeric",
    "varchar": "character varying",
    "char varying": "character varying",
    "char": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "varbit": "bit varying",
}
INTEGERS = {"smallint": 5, "integer": 10, "bigint": 19}
FLOATS = ("real", "double precision")
NUMBERS = frozenset({*INTEGERS, *FLOATS, "numeric", "money"})
# Filled up with blanks: among themselves blanks at the end do not count, elsewhere they are part of the text.
PADDED = ("character", "bpchar")
STRINGS = frozenset({"text", "character varying", "character", "bpchar", "name", '"char"'})
TIMES = (
    "timestamp without time zone",
    "timestamp with time zone",
    "time without time zone",
    "time with time zone",
)
# Values of these that are equal are the same.
IDENTICAL = frozenset({*INTEGERS, *TIMES[:3], "boolean", "uuid", "date", "bytea", "oid"})
_TEXT_IS_EXACT = frozenset({*INTEGERS, "uuid", "json", "name"})
_OTHER_BUILT_IN = """
    boolean bytea date interval uuid json jsonb jsonpath xml inet cidr macaddr macaddr8 bit oid xid xid8 cid tid pg_lsn
    pg_snapshot txid_snapshot tsvector tsquery point line lseg box path polygon circle int4range int8range numrange
    tsrange tstzrange daterange int4multirange int8multirange nummultirange tsmultirange tstzmultirange datemultirange
    regclass regproc regprocedure regoper regoperator regtype regrole regnamespace regconfig regdictionary regcollation
    int2vector oidvector
"""
GEOMETRY = frozenset(["point", "line", "lseg", "box", "path", "polygon", "circle"])
UNORDERED = GEOMETRY | {"json", "jsonpath", "xml"}
MOMENT_RANGES = frozenset(f"{name}{kind}" for name in ("ts", "tstz", "date") for kind in ("range", "multirange"))
BUILT_IN = NUMBERS | STRINGS | {*TIMES, "bit varying", *_OTHER_BUILT_IN.split()}

_DIRECT_CASTS = frozenset(
    {
        ("date", TIMES[0]), ("date", TIMES[1]), (TIMES[0], "date"), (TIMES[1], "date"), (TIMES[0], TIMES[1]),
        (TIMES[1], TIMES[0]), (TIMES[0], TIMES[2]), (TIMES[1], TIMES[2]), (TIMES[1], TIMES[3]), (TIMES[2], TIMES[3]),
        (TIMES[3], TIMES[2]), (TIMES[2], "interval"), ("interval", TIMES[2]), ("json", "jsonb"), ("jsonb", "json"),
        ("inet", "cidr"), ("cidr", "inet"), ("macaddr", "macaddr8"), ("macaddr8", "macaddr"), ("bit", "bit varying"),
        ("bit varying", "bit"), ("boolean", "integer"), ("integer", "boolean"), ("bigint", "oid"), ("oid", "bigint"),
    }
)  # fmt: skip

_PLAIN_NAMES: dict[str, TypeName] = {
    "boolean": "bool",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "oid": "int64",
    "real": "float32",
    "double precision": "float64",
    "text": "text",
    "bpchar": "text",
    '"char"': "text",
    "bytea": "bytes",
    "date": "date",
    "interval": "interval",
    "uuid": "uuid",
    "json": "json",
    "jsonb": "json",
    "xml": "xml",
}
_TIME_NAMES: dict[str, TypeName] = dict(zip(TIMES, ("timestamp", "timestamptz", "time", "timetz"), strict=True))
_SPELLINGS: dict[TypeName, str] = {
    "bool": "boolean",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "float32": "real",
    "float64": "double precision",
    "bytes": "bytea",
    "date": "date",
    "interval": "interval",
    "uuid": "uuid",
    "json": "json",
    "xml": "xml",
}
_ARGUMENTS = re.compile(r"\s*\(\s*(-?\d+)\s*(?:,\s*(-?\d+)\s*)?\)")
MAX_VARCHAR = 10_485_760
MAX_PRECISION = 1000
MAX_FRACTION = 6


@dataclass(frozen=True, slots=True)
class Spelling:
    """A type taken apart: `base` without its arguments, `fields` of an interval, `dimensions` of an array."""

    base: str
    arguments: tuple[int, ...] = ()
    fields: str = ""
    dimensions: int = 0

    @property
    def is_built_in(self) -> bool:
        """Whether every PostgreSQL knows the type."""
        return self.base in BUILT_IN

    def plain(self) -> str:
        """The type without its arguments; `character` alone would mean one character."""
        return ("bpchar" if self.base == "character" else self.base) + "[]" * self.dimensions


def parse_type(text: str) -> Spelling:
    """Reads a type's spelling; a type it does not know keeps its text as `base`."""
    body = text.strip()
    dimensions = 0
    while body.endswith("[]"):
        body, dimensions = body[:-2].rstrip(), dimensions + 1
    if body.startswith('"') or '."' in body:
        return Spelling(body, dimensions=dimensions)
    match = _ARGUMENTS.search(body)
    arguments = tuple(int(part) for part in match.groups() if part is not None) if match else ()
    base = " ".join((_ARGUMENTS.sub("", body, count=1) if match else body).split())
    base = ALIASES.get(base.lower(), base.lower() if base.lower() in BUILT_IN else base)
    if base.lower().startswith("interval "):
        return Spelling("interval", arguments, base[9:].lower(), dimensions)
    return Spelling(base, arguments or ((1,) if base == "character" else ()), "", dimensions)


def to_neutral(text: str) -> Type:
    """A spelling of PostgreSQL -> neutral type; arrays and unknown types are `other`."""
    if not text.strip():
        return TEXT
    type_ = parse_type(text)
    first = type_.arguments[0] if type_.arguments else None
    if type_.dimensions:
        return Type(name="other")
    if type_.base == "numeric":
        return Type(name="decimal", precision=first, scale=None if first is None else (*type_.arguments, 0)[1])
    if type_.base == "character varying":
        return Type(name="text", length=first)
    if type_.base == "character":
        return Type(name="char", length=first) if first else TEXT
    if type_.base == "name":
        return Type(name="text", length=63)
    if type_.base in _TIME_NAMES:
        return Type(name=_TIME_NAMES[type_.base], precision=first)
    return Type(name=_PLAIN_NAMES.get(type_.base, "other"))


def from_neutral(neutral: Type) -> str:
    """A neutral type -> the narrowest spelling of PostgreSQL that holds all its values."""
    if neutral.name == "decimal":
        return _spell_decimal(neutral.precision, neutral.scale)
    if neutral.name in ("text", "char"):
        if neutral.length is None or not 0 < neutral.length <= MAX_VARCHAR:
            return "text"
        return f"{'character' if neutral.name == 'char' else 'character varying'}({neutral.length})"
    for spelling, name in _TIME_NAMES.items():
        if name == neutral.name:
            return _spell_time(spelling, neutral.precision)
    return _SPELLINGS.get(neutral.name, "text")


def _spell_decimal(precision: int | None, scale: int | None) -> str:
    if precision is None or not 0 < precision <= MAX_PRECISION or not 0 <= (scale or 0) <= precision:
        return "numeric"
    return f"numeric({precision},{scale or 0})"


def _spell_time(spelling: str, precision: int | None) -> str:
    if precision is None or precision >= 6:
        return spelling
    first, _, rest = spelling.partition(" ")
    return f"{first}({precision}) {rest}"


def drop_padding(text: str) -> str:
    """The type of a column once the blanks that fill it up are dropped."""
    type_ = parse_type(text)
    if type_.base not in PADDED or type_.dimensions:
        return text
    return f"character varying({type_.arguments[0]})" if type_.arguments else "text"


def is_exact_widening(source: Spelling, dest: Spelling) -> bool:
    """Whether the text of every value of `source` is read by `dest` as the same value. Says no when in doubt."""
    if source.dimensions or dest.dimensions or source.fields or dest.fields:
        return False
    if source.base in PADDED and dest.base not in PADDED:
        source = Spelling("character varying" if source.arguments else "text", source.arguments)
    if dest.base == "numeric":
        return _fits_numeric(source, dest.arguments)
    if dest.base in INTEGERS:
        return source.base in INTEGERS and INTEGERS[source.base] <= INTEGERS[dest.base]
    if dest.base in FLOATS:
        return source.base == "smallint" or (source.base == "integer" and dest.base == "double precision")
    if dest.base in ("text", "character varying") and not dest.arguments:
        return source.base in ("text", "character varying") or source.base in _TEXT_IS_EXACT
    if source.base != dest.base:
        return False
    if dest.base in ("character varying", "character"):
        return bool(source.arguments) and source.arguments[0] <= dest.arguments[0] if dest.arguments else False
    return dest.base in TIMES and (*source.arguments, 6)[0] <= (*dest.arguments, 6)[0]


def holds_text_of(dest: Spelling, neutral: Type) -> bool:
    """Whether the text of every value of another kind's type is read by `dest` as the same. Says no when in doubt."""
    source = parse_type(from_neutral(neutral))
    if source.base in TIMES and (neutral.precision is None or neutral.precision > MAX_FRACTION):
        return False
    return source == dest or is_exact_widening(source, dest)


def _fits_numeric(source: Spelling, dest: tuple[int, ...]) -> bool:
    if source.base in INTEGERS:
        return not dest or (dest[0] - (*dest, 0)[1] >= INTEGERS[source.base] and (*dest, 0)[1] >= 0)
    if source.base != "numeric":
        return False
    if not dest:
        return True
    if not source.arguments:
        return False
    (precision, scale), (wide, wide_scale) = (*source.arguments, 0)[:2], (*dest, 0)[:2]
    return wide_scale >= scale and wide - wide_scale >= precision - scale


def build_cast(expression: str, source: str, dest: str) -> str:
    """The expression converted; in two steps where PostgreSQL has no direct conversion that keeps the value."""
    one, two = parse_type(source), parse_type(dest)
    middle = "" if one.dimensions or two.dimensions else _find_middle(one, two)
    if one == Spelling("inet") and two.base in STRINGS:
        expression = f"pg_catalog.abbrev({expression})"  # as it is written: a cast to text would add /32
    if (one.dimensions or two.dimensions) and one.plain() != two.plain():
        middle = "text"
    inner = f"CAST({expression} AS {middle})" if middle else expression
    return f"CAST({inner} AS {dest})"


def _find_middle(one: Spelling, two: Spelling) -> str:
    if one.base == two.base or one.base in STRINGS or two.base in STRINGS or (one.base, two.base) in _DIRECT_CASTS:
        return ""
    if one.base in FLOATS and two.base == "numeric":
        return "text"  # the direct cast keeps 15 digits only
    if one.base in NUMBERS and two.base in NUMBERS:
        return "numeric" if "money" in (one.base, two.base) else ""
    if "boolean" in (one.base, two.base) and (one.base in NUMBERS or two.base in NUMBERS):
        return "integer"
    return "text"


# to_char makes signs of a number with more digits, which are no date; to_date would take what it can of it.
NUMBER_DATES = NumberDates(
    whole="CAST({x} AS bigint)",
    digits="CAST(NULLIF(TRIM({x}), '') AS bigint)",
    remainder="mod({a}, {b})",
    date="CAST(to_char({n}, 'FM00000000') AS date)",
    time="CAST(to_char({n}, 'FM000000') AS time)",
    last="DATE '9999-12-31'",
    date_type="date",
    time_type="time without time zone",
)

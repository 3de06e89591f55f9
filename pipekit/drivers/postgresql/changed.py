# Whether PostgreSQL would change a staged value when it becomes the dest's: conditions in SQL. Pure text.
"""There and back again: a value is exact when converting it to the dest's type and back gives the same value.

A conversion that the server refuses would end the query without a word about the row, so what it would refuse is asked
first where that can be asked: numbers beyond a type's range, text that is no number.
"""

from pipekit.drivers.postgresql.types import FLOATS, INTEGERS, TIMES, Spelling, build_cast, parse_type

# Equality means "the same value" for these; of every other type the text is compared.
_COMPARED_BY_VALUE = frozenset(
    {*INTEGERS, *FLOATS, *TIMES[:3], "numeric", "boolean", "bytea", "uuid", "date"}
    | {"text", "character varying", "character", "bpchar"}
)
_NUMBERS = frozenset({*INTEGERS, *FLOATS, "numeric"})
_TEXTS = frozenset({"text", "character varying", "bpchar", "character", "name"})
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_FLOAT_RANGES = {"real": "1.2e-38 AND 3.4e38", "double precision": "2.3e-308 AND 1.7e308"}

# The one way a server writes each of these: text in any other form would come back changed.
_WRITTEN = {
    **dict.fromkeys(INTEGERS, "^(0|-?[1-9][0-9]*)$"),
    "numeric": "^(NaN|-?[0-9]+([.][0-9]+)?)$",
    "boolean": "^(true|false)$",
    "uuid": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
}


def build_changed(expression: str, stage: str, dest: str) -> str:
    """A condition that is true when storing the expression, of type `stage`, as `dest` would change its value."""
    compared = _build_comparison(expression, stage, dest)
    one, two = parse_type(stage), parse_type(dest)
    if one.dimensions or two.dimensions:
        return compared
    if one.base in _TEXTS and two.base in _WRITTEN:
        number = build_cast(expression, stage, "numeric")
        inner = _guard(expression, _build_range(number, Spelling("numeric"), two), compared)
        return _guard(expression, f"CAST({expression} AS text) ~ '{_WRITTEN[two.base]}'", inner)
    return _guard(expression, _build_range(expression, one, two), compared)


def _build_comparison(expression: str, stage: str, dest: str) -> str:
    if parse_type(dest).base == "bit":  # filled up with zeros, which the way back cuts off again
        return f"CAST({build_cast(expression, stage, dest)} AS text) IS DISTINCT FROM CAST({expression} AS text)"
    there_and_back = build_cast(build_cast(expression, stage, dest), dest, stage)
    type_ = parse_type(stage)
    if type_.base in _COMPARED_BY_VALUE:
        return f"{there_and_back} IS DISTINCT FROM {expression}"
    return f"CAST({there_and_back} AS text) IS DISTINCT FROM CAST({expression} AS text)"


def _guard(expression: str, possible: str, condition: str) -> str:
    """The condition where the conversion is possible; where it is not, every value but NULL is lost."""
    return f"CASE WHEN {possible} THEN {condition} ELSE {expression} IS NOT NULL END" if possible else condition


def _build_range(expression: str, one: Spelling, two: Spelling) -> str:
    """When a conversion succeeds, `""` when it always does."""
    if one.base == "date" and two.base in TIMES[:2]:
        return f"NOT isfinite({expression}) OR {expression} < '294277-01-01'"
    if one.base not in _NUMBERS:
        return ""
    if two.base in _FLOAT_RANGES and one.base not in INTEGERS:
        special = f"CAST({expression} AS text) IN ('0', 'NaN', 'Infinity', '-Infinity') OR {expression} = 0"
        return f"{special} OR abs({expression}) BETWEEN {_FLOAT_RANGES[two.base]}"
    if two.base == "bigint" and one.base in FLOATS:
        return f"{expression} >= {-(2**63)} AND {expression} < {2**63}"
    number = expression if two.base in INTEGERS else build_cast(expression, one.base, "numeric")
    if two.base in INTEGERS:
        return f"{number} BETWEEN {-(2 ** _BITS[two.base])} AND {2 ** _BITS[two.base] - 1}"
    if two.base == "numeric" and two.arguments:
        precision, scale = (*two.arguments, 0)[:2]
        return f"{number} = 'NaN' OR abs(round({number}, {scale})) < 1e{precision - scale}"
    return ""

# Whether SQL Server would change a staged value when it becomes the dest's: conditions in SQL. Pure text.
"""There and back again: a value is exact when converting it to the dest's type and back gives the same value.

"The same" is stricter than SQL Server's `=`, for which 'a' is 'A' under most collations, 'a' is 'a ', 0x01 is 0x0100,
and noon in Berlin is eleven in London: values are compared by what identifies them (`build_identity`), with EXCEPT,
which takes a NULL for a value. A conversion that would fail gives NULL, which is not the same.
"""

from pipekit.drivers.sqlserver.types import CODE_PAGE_TEXTS, MAX, TEXTS, Spelling, parse_type

# Styles of CONVERT: bytes as 0x..., times in ISO form, floats and money with all their digits.
_STYLES = {
    **dict.fromkeys(("binary", "varbinary", "rowversion"), 1),
    **dict.fromkeys(("date", "time", "datetime", "datetime2", "smalldatetime", "datetimeoffset"), 121),
    **dict.fromkeys(("float", "real"), 3),
    **dict.fromkeys(("money", "smallmoney"), 2),
}


def build_changed(expression: str, stage: str, dest: str) -> str:
    """A condition that is true when storing the expression, of type `stage`, as `dest` would change its value."""
    one, two = parse_type(stage), parse_type(dest)
    if two.base == "binary":
        return f"DATALENGTH({expression}) <> {two.length}"
    if two.base == "datetimeoffset" and one.base in TEXTS:
        expression, one = f"TRY_CAST({expression} AS datetimeoffset(7))", Spelling("datetimeoffset", (7,))
    back, back_type = _build_back(expression, one, two)
    left, right = build_identity(expression, one), build_identity(back, back_type)
    if two.base not in ("char", "nchar"):
        return f"EXISTS (SELECT {left} EXCEPT SELECT {right})"
    # The column fills up with blanks: a value without blanks at its end comes back with them, and is the same.
    padded = build_identity(f"RTRIM({back})", back_type)
    return f"EXISTS (SELECT {left} EXCEPT SELECT {right} EXCEPT SELECT {padded})"


def _build_back(expression: str, one: Spelling, two: Spelling) -> tuple[str, Spelling]:
    """The expression after its way into the dest's type and back, and the type it then has."""
    if two.base in CODE_PAGE_TEXTS:
        stored = "varchar(max)" if two.base == "text" else two.text
        return f"CAST(CAST({expression} AS {stored}) AS nvarchar(max))", Spelling("nvarchar", (MAX,))
    if two.base == "nchar":
        return f"CAST({expression} AS {two.text})", two
    if two.base == "xml":
        return f"CAST(TRY_CONVERT(xml, {expression}, 1) AS nvarchar(max))", Spelling("nvarchar", (MAX,))
    # A datetime's ticks are thirds of hundredths of a second, and are written with three digits.
    digits = {"datetime": 3, "smalldatetime": 0}.get(two.base)
    back = Spelling("datetime2", (digits,)) if digits is not None else one
    return f"TRY_CAST(TRY_CAST({expression} AS {two.text}) AS {back.text})", back


def build_identity(expression: str, type_: Spelling) -> str:
    """What two values of a type have in common only if they are the same value; one or two expressions."""
    if type_.base in TEXTS:
        is_long = type_.length == MAX
        text = _build_modern_text(expression, type_)
        return f"CAST({text} AS varbinary({'max' if is_long else 8000})), DATALENGTH({expression})"
    if type_.base in ("xml", "json"):
        text = f"CAST({expression} AS nvarchar(max))"
        return f"CAST({text} AS varbinary(max)), DATALENGTH({text})"
    if type_.base in ("binary", "varbinary"):
        return f"{expression}, DATALENGTH({expression})"
    if type_.base == "image":
        return f"CAST({expression} AS varbinary(max)), DATALENGTH({expression})"
    if type_.base in ("float", "real"):
        return f"CAST({expression} AS binary({8 if type_.base == 'float' else 4}))"
    if type_.base == "datetimeoffset":
        return f"{expression}, DATEPART(tzoffset, {expression})"
    return expression


def _build_modern_text(expression: str, type_: Spelling) -> str:
    if type_.base not in ("text", "ntext"):
        return expression
    return f"CAST({expression} AS {'nvarchar' if type_.base == 'ntext' else 'varchar'}(max))"


def build_text(expression: str, type_text: str, length: str = "max") -> str:
    """A value as text, for people."""
    style = _STYLES.get(parse_type(type_text).base)
    if style is None:
        return f"CAST({expression} AS nvarchar({length}))"
    return f"CONVERT(nvarchar({length}), {expression}, {style})"

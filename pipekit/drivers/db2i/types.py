# Db2 for i's types: character sets, what travels as bytes, numbers that are dates. Pure text; knows no connection.
"""Type spellings as SYSCOLUMNS and JDBC have them; most is shared with `jdbc.types`."""

from pipekit.drivers.base import Cast
from pipekit.drivers.datenumbers import NumberDates
from pipekit.drivers.jdbc.types import parse_type
from pipekit.drivers.jdbc.types import to_neutral as read_jdbc
from pipekit.drivers.types import Type

# Unicode: every character has its place. NULL and 0 say nothing, 65535 is no text at all.
UNICODE = frozenset({1208, 1200, 13488})
# Code pages that are offered for bytes; the expression is in the query, for others to be written.
_EBCDIC = {37: "CCSID 37", 273: "CCSID 273, Germany", 500: "CCSID 500, international"}


def to_neutral(text: str) -> Type:
    """A spelling -> neutral type; DATALINK has none."""
    return read_jdbc(text)


def find_refusal(text: str) -> str:
    """Why a column of this type cannot be read or written; empty when it can."""
    if parse_type(text).base == "DATALINK":
        return "a DATALINK is the address of a file; select DLVALUE's text or leave the column out"
    return ""


def has_own_characters(text: str) -> bool:
    """Whether a column takes only the characters of one code page, and puts a substitute for any other."""
    type_ = parse_type(text)
    if type_.base in ("GRAPHIC", "VARGRAPHIC"):
        return type_.ccsid is not None and type_.ccsid not in UNICODE
    return type_.ccsid not in UNICODE and type_.base in ("CHAR", "VARCHAR") and not type_.is_bits


def find_large_page(text: str) -> int | None:
    """The CCSID of a large text's code page; None for Unicode, for one that is not told, and for any other type."""
    type_ = parse_type(text)
    is_limited = type_.base in ("CLOB", "DBCLOB") and type_.ccsid not in UNICODE and not type_.is_bits
    return type_.ccsid if is_limited else None


def find_most_bytes(text: str) -> int:
    """How many bytes a CHAR or VARCHAR in UTF-8 holds, whose length counts in them; 0 for any other type."""
    type_ = parse_type(text)
    is_utf8 = type_.base in ("CHAR", "VARCHAR") and type_.ccsid == 1208
    return type_.arguments[0] if is_utf8 and type_.arguments else 0


def is_bit_text(text: str) -> bool:
    """Whether a column is CHAR or VARCHAR in CCSID 65535, which is text or bytes as the connection reads it."""
    return parse_type(text).is_bits


def build_unicode_twin(text: str) -> str:
    """The column type that holds what a CHAR or VARCHAR may be given, before its code page is applied."""
    length = (parse_type(text).arguments or (1,))[0]
    return f"VARGRAPHIC({length}) CCSID 1200"


def list_casts(quoted: str, type_text: str) -> tuple[Cast, ...]:
    """What bytes may mean: text in one of these code pages of EBCDIC."""
    type_ = parse_type(type_text)
    if not type_.is_bits:
        return ()
    length = (type_.arguments or (0,))[0]
    read = {f"{type_.base}({length}) CCSID {ccsid}": told for ccsid, told in _EBCDIC.items()}
    return tuple(
        Cast(label=f"text in EBCDIC ({told})", expression=f"CAST({quoted} AS {text})", type=text)
        for text, told in read.items()
    )


# DIGITS leaves out a sign: a number of one digit more is made, of which the first is cut off.
NUMBER_DATES = NumberDates(
    whole="CAST({x} AS BIGINT)",
    digits="CAST(NULLIF(TRIM({x}), '') AS BIGINT)",
    remainder="MOD({a}, {b})",
    date="DATE(TIMESTAMP_FORMAT(SUBSTR(DIGITS(DEC(DEC({n}, 8, 0) + 100000000, 9, 0)), 2), 'YYYYMMDD'))",
    time="TIME(TIMESTAMP_FORMAT(SUBSTR(DIGITS(DEC(DEC({n}, 6, 0) + 1000000, 7, 0)), 2), 'HH24MISS'))",
    last="DATE('9999-12-31')",
    date_type="DATE",
    time_type="TIME",
)

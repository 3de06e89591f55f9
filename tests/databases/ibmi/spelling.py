# Types as Db2 for i spells them, as columns of the double, and as its catalogue tells them. Knows no table.
"""`parse_type` and `tell_type`."""

import re
from collections.abc import Callable
from dataclasses import replace

from tests.databases.ibmi import columns as c
from tests.databases.ibmi.columns import Column

_LARGE = 1 << 20
_TYPE = re.compile(
    r"([A-Z]+)\s*(?:\(\s*(\d+)([KMG]?)(?:\s*,\s*(\d+))?\s*\))?(?:\s+CCSID\s+(\d+))?(\s+FOR BIT DATA)?", re.I
)
_SAME = {"INT": "INTEGER", "DEC": "DECIMAL", "CHARACTER": "CHAR", "FLOAT": "DOUBLE", "NUM": "NUMERIC"}
_PLAIN: dict[str, Callable[[str], Column]] = {
    "SMALLINT": c.smallint,
    "INTEGER": c.integer,
    "BIGINT": c.bigint,
    "REAL": c.real,
    "DOUBLE": c.double,
    "DATE": c.date,
    "TIME": c.time,
    "ROWID": c.rowid,
    "XML": c.xml,
}
# With the size where none is given.
_SIZED: dict[str, tuple[int, Callable[[str, int], Column]]] = {
    "DECFLOAT": (34, c.decfloat),
    "TIMESTAMP": (6, c.timestamp),
    "CHAR": (1, c.char),
    "VARCHAR": (1, c.varchar),
    "GRAPHIC": (1, c.graphic),
    "VARGRAPHIC": (1, c.vargraphic),
    "BINARY": (1, c.binary),
    "VARBINARY": (1, c.varbinary),
    "BLOB": (_LARGE, c.blob),
    "CLOB": (_LARGE, c.clob),
    "DBCLOB": (_LARGE, c.dbclob),
}
# What SYSCOLUMNS calls them; `None` for LENGTH is the precision.
_TOLD = {c.SMALLINT: "SMALLINT", c.INTEGER: "INTEGER", c.BIGINT: "BIGINT", c.FLOAT: "FLOAT", c.DECIMAL: "DECIMAL",
    c.NUMERIC: "NUMERIC", c.DECFLOAT: "DECFLOAT", c.CHAR: "CHAR", c.VARCHAR: "VARCHAR", c.GRAPHIC: "GRAPHIC",
    c.VARGRAPHIC: "VARG", c.BINARY: "BINARY", c.VARBINARY: "VARBIN", c.DATE: "DATE", c.TIME: "TIME",
    c.TIMESTAMP: "TIMESTMP", c.ROWID: "ROWID", c.BLOB_LOCATOR: "BLOB", c.CLOB_LOCATOR: "CLOB",
    c.DBCLOB_LOCATOR: "DBCLOB", c.XML_LOCATOR: "XML"}  # fmt: skip
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def parse_type(name: str, text: str) -> Column:
    """A column of a type as CREATE TABLE and CAST spell it; raises ValueError."""
    found = _TYPE.match(text.strip())
    if found is None:
        raise ValueError(text)
    word, size, unit, scale, ccsid, bits = found.groups()
    word = _SAME.get(word.upper(), word.upper())
    if word in _PLAIN:
        return _PLAIN[word](name)
    if word in ("DECIMAL", "NUMERIC"):
        make = c.decimal if word == "DECIMAL" else c.numeric
        return make(name, int(size or 5), int(scale or 0))
    if word not in _SIZED:
        raise ValueError(text)
    usual, build = _SIZED[word]
    column = build(name, int(size) * _UNITS[unit.upper()] if size else usual)
    if bits:
        return replace(column, ccsid=c.BIT_DATA)
    return replace(column, ccsid=int(ccsid)) if ccsid else column


def tell_type(column: Column) -> tuple[str, int, int | None, int | None, int | None]:
    """DATA_TYPE, LENGTH, NUMERIC_SCALE, CCSID and DATETIME_PRECISION of SYSCOLUMNS."""
    has_ccsid = column.type in _TEXTS
    digits = column.scale if column.type == c.TIMESTAMP else None
    scale = column.scale if column.type in (c.DECIMAL, c.NUMERIC) else None
    return _TOLD[column.type], _measure(column), scale, column.ccsid if has_ccsid else None, digits


_TEXTS = (c.CHAR, c.VARCHAR, c.GRAPHIC, c.VARGRAPHIC, c.CLOB_LOCATOR, c.DBCLOB_LOCATOR)


def _measure(column: Column) -> int:
    if column.type in (c.DECIMAL, c.NUMERIC):
        return column.precision
    if column.type in c.LOCATORS:
        return column.lob_max
    if column.type in (c.GRAPHIC, c.VARGRAPHIC):
        return column.scale
    return column.length - 2 if column.type in c.VARYING else column.length

# Columns of the double: what SQL type they are, how many bytes a row has of them. Knows no connection.
"""`Column`, and a function for each type of Db2 for i by its SQL name.

`type` is the number that the wire has for it where no NULL is allowed; one more is the same with NULL. `length` is in
bytes of a row, with the two or four bytes of a length in front.
"""

from dataclasses import dataclass
from typing import Any

CHAR, VARCHAR, LONG_VARCHAR = 452, 448, 456
GRAPHIC, VARGRAPHIC, LONG_VARGRAPHIC = 468, 464, 472
BINARY, VARBINARY, ROWID = 912, 908, 904
SMALLINT, INTEGER, BIGINT, FLOAT = 500, 496, 492, 480
DECIMAL, NUMERIC, DECFLOAT = 484, 488, 996
DATE, TIME, TIMESTAMP = 384, 388, 392
BLOB_LOCATOR, CLOB_LOCATOR, DBCLOB_LOCATOR, XML_LOCATOR = 960, 964, 968, 2452
BLOB, CLOB, DBCLOB = 404, 408, 412

NUMBERS = (SMALLINT, INTEGER, BIGINT, FLOAT, DECIMAL, NUMERIC, DECFLOAT)
LOCATORS = (BLOB_LOCATOR, CLOB_LOCATOR, DBCLOB_LOCATOR, XML_LOCATOR)
# Two bytes of length in front; those of the second line count characters of two bytes.
VARYING = (VARCHAR, LONG_VARCHAR, VARBINARY, ROWID)
VARYING_WIDE = (VARGRAPHIC, LONG_VARGRAPHIC)
BIT_DATA = 65535


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result, or a parameter marker."""

    name: str
    type: int
    length: int
    scale: int = 0
    precision: int = 0
    ccsid: int = 0
    nullable: bool = True
    lob_max: int = 0


def smallint(name: str, **more: Any) -> Column:
    return Column(name, SMALLINT, 2, precision=5, **more)


def integer(name: str, **more: Any) -> Column:
    return Column(name, INTEGER, 4, precision=10, **more)


def bigint(name: str, **more: Any) -> Column:
    return Column(name, BIGINT, 8, precision=19, **more)


def real(name: str, **more: Any) -> Column:
    return Column(name, FLOAT, 4, **more)


def double(name: str, **more: Any) -> Column:
    return Column(name, FLOAT, 8, **more)


def decimal(name: str, precision: int, scale: int = 0, **more: Any) -> Column:
    return Column(name, DECIMAL, precision // 2 + 1, scale, precision, **more)


def numeric(name: str, precision: int, scale: int = 0, **more: Any) -> Column:
    return Column(name, NUMERIC, precision, scale, precision, **more)


def decfloat(name: str, digits: int = 34, **more: Any) -> Column:
    return Column(name, DECFLOAT, 8 if digits == 16 else 16, precision=digits, **more)


def char(name: str, size: int, ccsid: int = 37, **more: Any) -> Column:
    return Column(name, CHAR, size, ccsid=ccsid, **more)


def varchar(name: str, size: int, ccsid: int = 37, **more: Any) -> Column:
    return Column(name, VARCHAR, size + 2, ccsid=ccsid, **more)


def graphic(name: str, size: int, ccsid: int = 1200, **more: Any) -> Column:
    return Column(name, GRAPHIC, size * 2, size, ccsid=ccsid, **more)


def vargraphic(name: str, size: int, ccsid: int = 1200, **more: Any) -> Column:
    return Column(name, VARGRAPHIC, size * 2 + 2, size, ccsid=ccsid, **more)


def binary(name: str, size: int, **more: Any) -> Column:
    return Column(name, BINARY, size, ccsid=BIT_DATA, **more)


def varbinary(name: str, size: int, **more: Any) -> Column:
    return Column(name, VARBINARY, size + 2, ccsid=BIT_DATA, **more)


def date(name: str, **more: Any) -> Column:
    return Column(name, DATE, 10, ccsid=37, **more)


def time(name: str, **more: Any) -> Column:
    return Column(name, TIME, 8, ccsid=37, **more)


def timestamp(name: str, digits: int = 6, **more: Any) -> Column:
    return Column(name, TIMESTAMP, 20 + digits if digits else 19, digits, ccsid=37, **more)


def rowid(name: str, **more: Any) -> Column:
    return Column(name, ROWID, 42, ccsid=BIT_DATA, **more)


def blob(name: str, size: int = 1 << 20, **more: Any) -> Column:
    return Column(name, BLOB_LOCATOR, 4, ccsid=BIT_DATA, lob_max=size, **more)


def clob(name: str, size: int = 1 << 20, ccsid: int = 37, **more: Any) -> Column:
    return Column(name, CLOB_LOCATOR, 4, ccsid=ccsid, lob_max=size, **more)


def dbclob(name: str, size: int = 1 << 20, ccsid: int = 1200, **more: Any) -> Column:
    return Column(name, DBCLOB_LOCATOR, 4, ccsid=ccsid, lob_max=size, **more)


def xml(name: str, **more: Any) -> Column:
    return Column(name, XML_LOCATOR, 4, ccsid=1208, lob_max=2**31 - 1, **more)

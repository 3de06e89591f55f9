# Values of SQL Server's types at their edges. Knows nothing of the double.
"""`EXACT`: what mssql-python reads and loads without a change."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

EAST = timezone(timedelta(hours=5, minutes=30))

# (type, values), none of them NULL. Read by fetch and as Arrow, and loaded again, they are the same.
EXACT: list[tuple[str, list[Any]]] = [
    ("bit", [False, True]),
    ("tinyint", [0, 255]),
    ("smallint", [-(2**15), 2**15 - 1]),
    ("int", [-(2**31), 2**31 - 1]),
    ("bigint", [-(2**63), 2**63 - 1]),
    ("decimal(38,10)", [Decimal("9" * 28 + "." + "9" * 10), Decimal("-0.0000000001")]),
    ("decimal(38,0)", [Decimal("-" + "9" * 38), Decimal(0)]),
    ("numeric(38,38)", [Decimal("0." + "9" * 38)]),
    ("decimal(9,2)", [Decimal("-9999999.99")]),
    ("decimal(19,4)", [Decimal("999999999999999.9999")]),
    ("decimal(28,1)", [Decimal("1.5")]),
    ("money", [Decimal("-922337203685477.5808"), Decimal("922337203685477.5807")]),
    ("smallmoney", [Decimal("-214748.3648"), Decimal("214748.3647")]),
    ("real", [1.5, -3.4028234663852886e38]),
    ("float", [1.7976931348623157e308, 5e-324, -0.1]),
    ("date", [date(1, 1, 1), date(9999, 12, 31)]),
    ("time(0)", [time(23, 59, 59)]),
    ("time(3)", [time(23, 59, 59, 999000), time(0, 0)]),
    ("time(6)", [time(23, 59, 59, 999999), time(0, 0, 0, 1)]),
    (
        "datetime",
        [datetime(1753, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 997000), datetime(2020, 1, 1, 0, 0, 0, 3000)],
    ),
    ("smalldatetime", [datetime(1900, 1, 1), datetime(2079, 6, 6, 23, 59)]),
    ("datetime2(0)", [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)]),
    ("datetime2(3)", [datetime(1969, 12, 31, 23, 59, 59, 999000)]),
    ("datetime2(6)", [datetime(1, 1, 1, 0, 0, 0, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)]),
    ("datetimeoffset(0)", [datetime(2024, 2, 29, 12, tzinfo=EAST)]),
    ("datetimeoffset(6)", [datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=EAST), datetime(1, 1, 1, tzinfo=UTC)]),
    ("char(5)", ["ab   "]),
    ("varchar(8000)", ["", "é€", "x" * 8000]),
    ("varchar(max)", ["", "y" * 20_000]),
    ("nchar(3)", ["é😀"]),
    ("nvarchar(4000)", ["", "😀", "z" * 4000]),
    ("nvarchar(max)", ["", "😀" * 9000]),
    ("text", ["", "old"]),
    ("ntext", ["", "😀"]),
    ("image", [b"\0\xff"]),
    ("binary(3)", [b"\0\1\2"]),
    ("varbinary(8000)", [b"", b"\xff" * 8000]),
    ("varbinary(max)", [b"", b"\0" * 20_000]),
    ("uniqueidentifier", [UUID("6F9619FF-8B86-D011-B42D-00C04FC964FF")]),
    ("xml", ["<a>é😀</a>"]),
]

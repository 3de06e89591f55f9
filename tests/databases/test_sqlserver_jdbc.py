# What comes out of a JDBC driver and goes into SQL Server, in both formats that its sink can take. H2 and the double.
"""pipekit.drivers.jdbc.reading into pipekit.drivers.sqlserver.load: Db2's way into SQL Server."""

import datetime
import itertools
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pipekit.drivers.wire import Format
from pipekit.errors import Inexact
from tests.databases.jdbc import Open, make_embedded
from tests.databases.sqlservers import Place, build_load, open_place

_NAMES = (f"bulk{number}" for number in itertools.count(1))
SOME = UUID("ff384d6b-e23a-43a8-a836-ba4aa6fc1fc9")
# (H2's expression, SQL Server's type, what it receives)
VALUES: list[tuple[str, str, Any]] = [
    ("-2147483648", "int", -(2**31)),
    ("9223372036854775807", "bigint", 2**63 - 1),
    ("X'00DEAD'", "varbinary(max)", b"\x00\xde\xad"),
    ("'x\\y' || CHAR(9) || 'é😀'", "nvarchar(max)", "x\\y\té😀"),
    ("''", "nvarchar(max)", ""),
    ("cast('long é' as clob)", "nvarchar(max)", "long é"),
    ("timestamp '2024-03-31 02:30:00.123456'", "datetime2(7)", "2024-03-31 02:30:00.1234560"),
    ("true", "bit", True),
    ("cast(-1.5 as decimal(20,5))", "decimal(20,5)", Decimal("-1.50000")),
    ("date '0001-01-01'", "date", datetime.date(1, 1, 1)),
    ("time '23:59:59'", "time(0)", datetime.time(23, 59, 59)),
    ("cast(0.1 as double)", "float", 0.1),
    (
        "cast('ff384d6b-e23a-43a8-a836-ba4aa6fc1fc9' as uuid)",
        "uniqueidentifier",
        UUID("ff384d6b-e23a-43a8-a836-ba4aa6fc1fc9"),
    ),
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        yield place


def load(place: Place, open_jdbc: Open, format: Format, expression: str, stage: str) -> list[tuple[Any, ...]]:
    """One value and one NULL, as the dest received them."""
    source = open_jdbc(make_embedded("h2", next(_NAMES))).source(f"SELECT {expression} AS V UNION ALL SELECT NULL")
    place.make("t", [("V", stage)])
    stream = source.open(format)
    blocks: Any = stream.blocks
    with place.session() as session, closing(blocks):
        sink = session.sink(build_load("t", [("V", source.columns[0].type, stage)]))
        assert sink.load(stream, lambda rows: None) == 2
    return list(place.double.rows("t"))


@pytest.mark.parametrize("format", ["copy-text", "arrow"])
def test_every_value_arrives_as_it_left(place: Place, open_jdbc: Open, format: Format) -> None:
    for expression, stage, value in VALUES:
        assert load(place, open_jdbc, format, expression, stage) == [(value,), (None,)], expression


@pytest.mark.parametrize("format", ["copy-text", "arrow"])
def test_an_offset_that_would_be_lost_is_refused(place: Place, open_jdbc: Open, format: Format) -> None:
    value = "timestamp with time zone '2024-01-02 03:04:05.5+02:00'"
    with pytest.raises(Inexact, match="the offset of"):
        load(place, open_jdbc, format, value, "datetimeoffset(7)")
    assert place.double.rows("t") == []

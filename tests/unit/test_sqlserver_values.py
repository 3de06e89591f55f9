# Tests of what a bulk load of SQL Server sends for a value, and of the values it refuses to send.
"""pipekit.drivers.sqlserver.values."""

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.drivers.sqlserver.values import ColumnLoader, Unfit
from pipekit.errors import StatementFailed
from pipekit.runner_contract import LoadColumn


def make_loader(stage_type: str, source_type: str = "text", exact: bool = True) -> ColumnLoader:
    column = LoadColumn(source_name="a", source_type=source_type, stage_name="a", stage_type=stage_type)
    return ColumnLoader(column, exact)


def convert(stage_type: str, value: Any, source_type: str = "text", exact: bool = True) -> Any:
    """What is sent for a value that stands behind two others; Arrow arrays are taken as they are."""
    loader = make_loader(stage_type, source_type, exact)
    if isinstance(value, pa.Array):
        return loader.convert(value).to_pylist()
    return loader.convert_values([None, None, value]).to_pylist()[2]


DAY = datetime.date(2024, 2, 29)
NOON = datetime.datetime(2024, 2, 29, 12, 34, 56, 789000)
UTC = datetime.UTC


@pytest.mark.parametrize(
    ("stage_type", "value", "sent"),
    [
        ("bit", True, True),
        ("bit", 1, True),
        ("bit", "t", True),
        ("bit", "false", False),
        ("tinyint", 255, 255),
        ("smallint", "-32768", -32768),
        ("int", 7.0, 7),
        ("int", "12.0", 12),
        ("int", True, 1),
        ("bigint", 2**63 - 1, 2**63 - 1),
        ("decimal(38,10)", Decimal("-0.0000000001"), Decimal("-1E-10")),
        ("decimal(10,2)", "1.5", Decimal("1.50")),
        ("decimal(10,2)", 0.1, Decimal("0.10")),
        ("decimal(12,2)", 2**30, Decimal("1073741824.00")),
        ("real", 0.1, 0.10000000149011612),
        ("float", 0.1, 0.1),
        ("float", "1e300", 1e300),
        ("float", 2**53, float(2**53)),
        ("date", "2024-02-29", DAY),
        ("date", "2024-02-29 00:00:00", DAY),
        ("datetime2(3)", "2024-02-29 12:34:56.789", NOON),
        ("datetime2(3)", "2024-02-29T12:34:56.7890000", NOON),
        ("datetime2(7)", "2024-02-29 12:34:56.789+00", NOON),
        ("datetime2(0)", "0001-01-01", datetime.datetime(1, 1, 1)),
        ("datetime2(6)", "9999-12-31 23:59:59.999999", datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
        ("datetimeoffset(6)", "2024-02-29 12:34:56.789+00:00", NOON.replace(tzinfo=UTC)),
        ("datetimeoffset(6)", "2024-02-29 12:34:56.789", NOON.replace(tzinfo=UTC)),
        ("time(3)", "12:34:56.789", NOON.time()),
        ("nvarchar(5)", "wörd\0", "wörd\0"),
        ("nvarchar(4)", "\U0001f600\U0001f600", "\U0001f600\U0001f600"),
        ("nvarchar(max)", "x" * 9000, "x" * 9000),
        ("nvarchar(20) COLLATE Latin1_General_BIN2", "x", "x"),
        ("nvarchar(10)", True, "true"),
        ("nvarchar(10)", 1.5, "1.5"),
        ("nvarchar(10)", Decimal("1E+2"), "100"),
        ("nvarchar(10)", "", ""),
        ("nchar(3)", "ab ", "ab "),
        ("binary(2)", b"\x01\x02", b"\x01\x02"),
        ("varbinary(4)", b"", b""),
        ("varbinary(4)", "\\x01ff", b"\x01\xff"),
        ("uniqueidentifier", "FF384D6B-e23a-43a8-a836-ba4aa6fc1fc9", "FF384D6B-e23a-43a8-a836-ba4aa6fc1fc9"),
    ],
)
def test_a_value_is_sent_as_it_is(stage_type: str, value: Any, sent: Any) -> None:
    assert convert(stage_type, value) == sent


@pytest.mark.parametrize(
    ("stage_type", "value"),
    [
        ("bit", 2),
        ("bit", "maybe"),
        ("tinyint", 256),
        ("tinyint", -1),
        ("int", 2**31),
        ("int", "0x1F"),
        ("int", 1.5),
        ("int", "1.5"),
        ("int", ""),
        ("bigint", 2**63),
        ("decimal(10,2)", "1.505"),
        ("decimal(10,2)", 0.125),
        ("decimal(10,2)", "123456789.00"),
        ("decimal(10,2)", "NaN"),
        ("decimal(38,0)", Decimal("Infinity")),
        ("float", float("nan")),
        ("float", float("inf")),
        ("float", "1e400"),
        ("float", "0.12345678901234567890"),
        ("float", 2**53 + 1),
        ("real", "0.123456789"),
        ("real", 0.123456789),
        ("date", "infinity"),
        ("date", "2024-02-29 00:00:01"),
        ("date", "2023-02-29"),
        ("date", "10000-01-01"),
        ("date", "0044-03-15 BC"),
        ("datetime2(3)", "2024-02-29 12:34:56.7891"),
        ("datetime2(7)", "2024-02-29 12:34:56.1234567"),
        ("datetime2(7)", "2024-02-29 12:34:56+02"),
        ("datetime2(7)", "-infinity"),
        ("datetime2(7)", "2024-02-29 24:00:00"),
        ("datetimeoffset(7)", "2024-02-29 12:34:56 +05:30"),
        ("time(0)", "12:34:56.5"),
        ("time(7)", "24:00:00"),
        ("nvarchar(3)", "abcd"),
        ("nvarchar(3)", "\U0001f600\U0001f600"),
        ("nvarchar(3)", "\ud800"),
        ("nvarchar(max)", b"bytes"),
        ("nchar(3)", "a "),
        ("varchar(9)", "wörd"),
        ("binary(2)", b"\x01"),
        ("varbinary(2)", b"\x01\x02\x03"),
        ("varbinary(2)", "text"),
        ("uniqueidentifier", "no guid"),
    ],
)
def test_a_value_that_would_change_is_refused_with_its_place(stage_type: str, value: Any) -> None:
    with pytest.raises(Unfit) as caught:
        convert(stage_type, value)
    assert caught.value.index == 2


@pytest.mark.parametrize("wrong", ["sql_variant", "geography", "xml"])
def test_a_staging_type_the_load_cannot_fill_is_refused_at_once(wrong: str) -> None:
    with pytest.raises(StatementFailed, match=wrong):
        make_loader(wrong)


def test_a_module_that_accepts_it_lets_values_be_rounded() -> None:
    assert convert("decimal(10,2)", "1.505", exact=False) == Decimal("1.51")
    assert convert("datetime2(6)", "2024-02-29 12:34:56.1234567", exact=False) == NOON.replace(microsecond=123456)
    assert convert("float", "0.12345678901234567890", exact=False) == 0.12345678901234568


INTS = st.integers(-(2**31), 2**31 - 1)


@given(st.lists(st.none() | INTS, min_size=1, max_size=9))
def test_arrow_columns_of_any_layout_become_what_is_wanted(numbers: list[int | None]) -> None:
    for kind in (pa.int32(), pa.int64(), pa.float64(), pa.decimal128(20, 3), pa.decimal256(50, 3)):
        column = pa.array(numbers, pa.int64()).cast(kind if not pa.types.is_decimal(kind) else pa.int64())
        column = (
            pa.array([None if n is None else Decimal(n) for n in numbers], kind) if "decimal" in str(kind) else column
        )
        assert convert("int", column) == numbers
        assert convert("decimal(12,1)", column) == [None if n is None else Decimal(n) for n in numbers]


def test_long_layouts_are_taken_too() -> None:
    assert convert("nvarchar(max)", pa.array(["a", None], pa.large_string())) == ["a", None]
    assert convert("varbinary(max)", pa.array([b"a", None], pa.large_binary())) == [b"a", None]
    assert convert("int", pa.nulls(2)) == [None, None]


@pytest.mark.parametrize(
    ("source_type", "stage_type", "kind"),
    [
        ("integer", "int", pa.int32()),
        ("text", "int", pa.string()),
        ("numeric(12,2)", "decimal(12,2)", pa.decimal128(12, 2)),
        ("text", "decimal(12,2)", pa.string()),
        ("numeric", "float", pa.string()),
        ("double precision", "float", pa.float64()),
        ("double precision", "real", pa.string()),
        ("real", "real", pa.float32()),
        ("real", "float", pa.float64()),
        ("timestamp(3) without time zone", "datetime2(3)", pa.timestamp("us")),
        ("timestamp with time zone", "datetimeoffset(6)", pa.timestamp("us", "UTC")),
        ("TIMESTAMP WITH TIME ZONE", "datetimeoffset(6)", pa.string()),
        ("timestamp with time zone", "datetime2(6)", pa.string()),
        ("boolean", "bit", pa.bool_()),
        ("bytea", "varbinary(max)", pa.string()),
    ],
)
def test_copy_text_is_parsed_at_once_only_where_that_is_exact(
    source_type: str, stage_type: str, kind: pa.DataType
) -> None:
    assert make_loader(stage_type, source_type).copy_kind == kind

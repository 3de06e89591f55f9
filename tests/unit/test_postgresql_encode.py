# Tests of blocks of rows on their way into COPY text. Asks no server.
"""pipekit.drivers.postgresql.encode: a block is looked at column by column, and comes out as its rows one by one."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipekit.drivers.postgresql.encode import RowEncoder
from pipekit.drivers.postgresql.exact import build_decimal_look, build_rule
from pipekit.errors import Inexact
from tests.profiles import examples

TYPES = (
    "smallint", "bigint", "numeric", "numeric(12,2)", "numeric(4,0)", "numeric(5,-2)", "real", "double precision",
    "money", "boolean", "text", "character varying(5)", "character(3)", "date", "timestamp(3) without time zone",
    "timestamp with time zone", "bytea", "jsonb", "integer[]",
)  # fmt: skip

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, 1, 0.0, -0.0, 1.0, 0.1, 0.25, 1e16, 1e-7, 12.345, float("nan"), float("inf"), 2**53 + 1]),
    st.floats(),
    st.integers(-(10**6), 10**6).map(lambda cents: cents / 100),
)
TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["", " ", "a ", "\\N", "a\tb", "\r\n", "x\0", "\ud800", "12", "1.50", '{"a":1,"a":2}', "{1,2}"]),
    st.dates().map(str),
    st.sampled_from(["2024-02-29 23:59:59.1234", "2024-02-29T00:00:00+02", "today", "2024-02-29\n2024-03-01"]),
)
CELLS = st.one_of(NUMBERS, TEXTS, st.none(), st.booleans(), st.binary(max_size=3), st.decimals(places=3))
COLUMNS = st.one_of(*(st.lists(kind, min_size=1, max_size=40) for kind in (CELLS, NUMBERS, TEXTS, TEXTS | st.none())))


def encode(encoder: RowEncoder, rows: list[tuple[Any, ...]], first_row: int) -> bytes | str:
    """The text, or what is said of a value that is refused."""
    try:
        return encoder.encode(rows, first_row)
    except Inexact as error:
        return error.message


@settings(max_examples=examples(600))
@given(st.sampled_from(TYPES), COLUMNS, st.booleans())
def test_a_block_is_written_as_its_rows_one_by_one(type_: str, values: list[Any], exact: bool) -> None:
    encoder = RowEncoder([("a", type_)], exact)
    singly = [encode(encoder, [(value,)], row) for row, value in enumerate(values, start=7)]
    written = b"".join(each for each in singly if isinstance(each, bytes))
    refusals = [each for each in singly if isinstance(each, str)]
    block = encode(encoder, [(value,) for value in values], 7)
    assert encode(encoder, [(value,) for value in values], 7) == block  # what it has learned changes nothing
    if build_decimal_look(type_) and isinstance(block, bytes):
        # Equal numbers may be written as one of them: they are the same to such a column.
        assert [read(line) for line in block.split(b"\n")] == [read(line) for line in written.split(b"\n")]
    elif refusals:
        assert block in refusals
    else:
        assert block == written


def read(line: bytes) -> object:
    """A cell as a decimal of two places holds it."""
    try:
        number = Decimal(line.decode())
    except ArithmeticError:
        return line
    return line if number.is_nan() else number


@given(NUMBERS | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(float))
def test_a_glance_never_passes_what_the_look_refuses(number: Any) -> None:
    for type_ in ("numeric(12,2)", "numeric(3,0)"):
        look = build_decimal_look(type_)
        assert look is not None
        if look([repr(number)]):
            assert build_rule(type_).check(number) == ""
    if isinstance(number, float) and build_rule("real").glances[float]([number]):
        assert build_rule("real").check(number) == ""


@pytest.mark.parametrize("decimals", [(0, 0.5, 1.25, -3), (0.1,) * 9 + (1, 1.0, -0.0, 0.0), (1e15, 0.01)])
def test_numbers_of_so_many_decimals_pass_at_a_glance(decimals: tuple[Any, ...]) -> None:
    look = build_decimal_look("numeric(18,2)")
    assert look is not None
    assert look([repr(number) for number in decimals])

# Tests of the conversions between record batches and the other formats: what goes in comes out, whatever it is.
"""pipekit.drivers.arrow."""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.drivers.arrow import (
    array_from_values,
    batch_bytes,
    batches_from_copy_text,
    batches_from_rows,
    column_hex,
    column_texts,
    column_values,
    copy_text_from_batches,
    rows_from_batches,
    split_batch,
    split_copy_text,
)
from pipekit.drivers.postgresql.copytext import NULL, escape
from pipekit.errors import Inexact

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["\\N", "\\", "\t", "\r\n", ""]
)
CELLS = st.none() | TEXTS
TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=9))


def write_copy_text(rows: Sequence[tuple[str | None, ...]]) -> bytes:
    """COPY text by the other way there is."""
    return "".join("\t".join(NULL if c is None else escape(c) for c in row) + "\n" for row in rows).encode()


def make_batch(**columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def copy_text(batch: pa.RecordBatch) -> bytes:
    [(block, rows)] = copy_text_from_batches(iter([(batch, batch.num_rows)]))
    assert rows == batch.num_rows
    return block


@given(TABLES)
def test_copy_text_is_read_and_written_again_as_it_was(rows: list[tuple[str | None, ...]]) -> None:
    block = write_copy_text(rows)
    names = [f"c{place}" for place in range(len(rows[0]))]
    [(batch, count)] = batches_from_copy_text(iter([(block, len(rows))]), names)
    assert count == len(rows)
    assert list(zip(*[column.to_pylist() for column in batch.columns], strict=True)) == rows
    assert copy_text(batch) == block


@given(TABLES, st.data())
def test_a_slice_of_a_batch_is_written_as_its_own_rows(rows: list[tuple[str | None, ...]], data: st.DataObject) -> None:
    columns = {f"c{place}": pa.array(cells, pa.string()) for place, cells in enumerate(zip(*rows, strict=True))}
    first = data.draw(st.integers(0, len(rows) - 1))
    assert copy_text(make_batch(**columns).slice(first)) == write_copy_text(rows[first:])


PLAIN = {
    "bool": (pa.bool_(), st.booleans()),
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "double": (pa.float64(), st.floats(allow_nan=False)),
    "decimal": (pa.decimal128(38, 10), st.decimals(-(10**27), 10**27, places=10)),
    "string": (pa.string(), TEXTS),
    "large_string": (pa.large_string(), TEXTS),
    "binary": (pa.binary(), st.binary(max_size=9)),
    "large_binary": (pa.large_binary(), st.binary(max_size=9)),
}


@pytest.mark.parametrize("kind", PLAIN)
@given(data=st.data())
def test_rows_become_batches_and_the_same_rows_again(kind: str, data: st.DataObject) -> None:
    arrow, values = PLAIN[kind]
    rows = [(value,) for value in data.draw(st.lists(st.none() | values, max_size=9))]
    batches = batches_from_rows(iter([(rows, len(rows))]), pa.schema([("a", arrow)]))
    [(block, count)] = rows_from_batches(batches)
    assert (block, count) == (rows, len(rows))


@given(st.lists(st.none() | st.binary(max_size=9), min_size=1, max_size=9), st.data())
def test_hex_digits_are_those_of_each_cell(cells: list[bytes | None], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(cells)))
    for kind in (pa.binary(), pa.large_binary()):
        texts = column_hex(pa.array(cells, kind).slice(first)).to_pylist()
        assert texts == [None if cell is None else cell.hex().upper() for cell in cells[first:]]


MICROS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)


@given(st.lists(st.none() | MICROS, min_size=1, max_size=9))
def test_a_timestamp_is_written_without_zeros_at_its_end(micros: list[int | None]) -> None:
    epoch = datetime.datetime(1970, 1, 1)
    texts = column_texts(pa.array(micros, pa.int64()).cast(pa.timestamp("us"))).to_pylist()
    for count, text in zip(micros, texts, strict=True):
        if count is None:
            assert text is None
            continue
        whole, _, fraction = text.partition(".")
        assert not fraction.endswith("0")
        moment = epoch + datetime.timedelta(microseconds=count)
        assert (whole, fraction) == (str(moment.replace(microsecond=0)), f"{moment.microsecond:06}".rstrip("0"))


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (pa.array([Decimal("0E-10")], pa.decimal128(38, 10)), "0.0000000000"),
        (pa.array([Decimal("-0.0000000012")], pa.decimal128(38, 10)), "-0.0000000012"),
        (pa.array([86_399_999_999_900], pa.int64()).cast(pa.time64("ns")), "23:59:59.9999999"),
        (pa.array([1_500_000], pa.int64()).cast(pa.timestamp("us", "+02:00")), "1970-01-01 00:00:01.5Z"),
        (pa.array([datetime.date(1, 1, 1)], pa.date32()), "0001-01-01"),
        (pa.array([0.1], pa.float32()), "0.1"),
        (pa.array([1e22], pa.float64()), "1e+22"),
        (pa.array([True]), "true"),
        (pa.array([200], pa.uint8()), "200"),
    ],
)
def test_a_value_has_one_text(array: pa.Array, text: str) -> None:
    assert column_texts(array).to_pylist() == [text]


def test_postgresql_reads_its_own_spellings() -> None:
    batch = make_batch(
        ok=pa.array([True, False, None]),
        raw=pa.array([b"\x00\xff", b"", None]),
        nan=pa.array([float("nan"), float("-inf"), None]),
    )
    assert copy_text(batch) == b"t\t\\\\x00FF\tnan\nf\t\\\\x\t-inf\n\\N\t\\N\t\\N\n"


def test_a_float_of_32_bits_becomes_the_one_of_64_with_the_same_digits() -> None:
    assert column_values(pa.array([0.1, None], pa.float32())) == [0.1, None]


def test_text_that_is_not_utf8_is_named_by_column_and_row() -> None:
    with pytest.raises(Inexact) as caught:
        split_copy_text(b"a\tb\nc\t\xff\n", ["one", "two"], done=10)
    assert (caught.value.column, caught.value.row) == ("two", 12)


@pytest.mark.parametrize("bad", [2**40, "12", 1.5, b"1"])
def test_a_value_its_type_cannot_hold_is_named_by_column_and_row(bad: Any) -> None:
    with pytest.raises(Inexact) as caught:
        array_from_values([1, 2, bad], pa.field("qty", pa.int32()), done=5)
    assert (caught.value.column, caught.value.row) == ("qty", 8)


def test_an_empty_block_is_no_row() -> None:
    assert [column.to_pylist() for column in split_copy_text(b"", ["a", "b"])] == [[], []]
    assert copy_text(make_batch(a=pa.array([], pa.string()))) == b""


@given(st.lists(st.text("ab", max_size=50), min_size=1, max_size=30), st.integers(1, 200))
def test_a_batch_is_cut_into_small_ones_that_hold_the_same(texts: list[str], limit: int) -> None:
    batch = make_batch(a=pa.array(texts))
    parts = list(split_batch(batch, limit))
    assert [cell for part in parts for cell in part.column(0).to_pylist()] == texts
    assert all(part.num_rows == 1 or batch_bytes(part) <= limit for part in parts)

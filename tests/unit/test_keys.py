# A merge key as text: what stands between the commas, and which names must be quoted in it.
"""`parse_key` and `format_key`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.models import format_key, parse_key


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, ()),
        (" , ,", ()),
        ("id", ("id",)),
        ("region , order id,", ("region", "order id")),
        ('"a,b"', ("a,b",)),
        ('"a,b", c', ("a,b", "c")),
        ('c,"a ""x"", b" , d', ("c", 'a "x", b', "d")),
        ('" a"', (" a",)),
        # What is not one quoted name from comma to comma is taken as it is written.
        ('a"b, c', ('a"b', "c")),
        ('"a, b', ('"a', "b")),
        ('"a"b, c', ('"a"b', "c")),
        ('""', ('""',)),
    ],
)
def test_a_key_is_names_between_commas_of_which_quoted_ones_may_hold_a_comma(
    text: str | None, names: tuple[str, ...]
) -> None:
    assert parse_key(text) == names
    assert parse_key(format_key(names)) == names


@given(st.lists(st.text(alphabet='a", \t', max_size=6).filter(str.strip) | st.text(min_size=1).filter(str.strip)))
def test_a_key_that_was_written_reads_as_it_was(names: list[str]) -> None:
    assert parse_key(format_key(names)) == tuple(names)


def test_a_key_of_plain_names_is_written_as_it_always_was() -> None:
    assert format_key(("region", "order_id", 'odd"name', "Ünï côdé")) == 'region, order_id, odd"name, Ünï côdé'

# Names with values in one text. Knows no field.
"""What is written is read back, whatever the names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.pairs import format_pairs, parse_pairs

NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)
VALUES = st.from_regex(r"[A-Za-z0-9_#$@]{1,8}", fullmatch=True)


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_is_read_back(pairs: dict[str, str]) -> None:
    assert parse_pairs(format_pairs(pairs)) == pairs


@pytest.mark.parametrize("text", ["A", "A =", "= 1", "A = 1 B = 2", "A = 1, , B = 2", 'A" = 1', "A = 1, A = 2"])
def test_a_text_that_is_no_list_of_pairs_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"NAME = VALUE|twice"):
        parse_pairs(text)


def test_nothing_is_no_pair_and_a_comma_at_the_end_says_nothing() -> None:
    assert (parse_pairs(""), parse_pairs(" A = 1 , ")) == ({}, {"A": "1"})

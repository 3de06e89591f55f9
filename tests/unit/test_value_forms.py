# Which ways of writing a value compare as the values do, and which repeat or lose rows.
"""`find_mismatch`."""

import pytest

from pipekit.engine.watermarks.value_forms import Compared, Value, find_mismatch, find_misordered

T = "2026-01-01T10:00:00"
B = "2026-01-01 10:00:00"


@pytest.mark.parametrize(
    ("value", "samples"),
    [
        (B, [T]),
        (T, [B, B]),
        (B + "Z", [B]),
        (B, [B + "Z"]),
        (B + "+00", [B]),
        (B + "+00", [B + "+00:00"]),
        ("2026-01-01 10:00", [B]),
        (B, ["2026-01-01"]),
        (B, ["1767261600"]),
        ("1767261600", [B]),
        ("9", ["10", "11"]),
        ("10", ["9", "8"]),
        ("9.5", ["10.5"]),
        ("31.12.2026", ["2026/12/31"]),
        ("2026-01-01", ["01/02/2026"]),
        ("2026-01-01", ["20260101"]),
        (B, ["yesterday", "today"]),
    ],
)
def test_texts_in_two_forms_are_told(value: str, samples: list[str]) -> None:
    assert find_mismatch(Value(text=value), samples, "text")


@pytest.mark.parametrize(
    ("value", "samples"),
    [
        (B, [B, "2020-05-05 00:00:00"]),
        (T, [T, B]),
        (B + ".123", [B]),
        (B, []),
        ("2026-01-01", ["2026-02-02"]),
        ("2026-01-01", [B]),
        ("000123", ["000124", "999999"]),
        ("abc", ["abd", "xyz"]),
        ("01ARZ3NDEK", ["01ARZ3NDEL"]),
        ("Mixed", ["Case"]),
        (B + ".5", [B + ".25", B + ".125"]),
        ("12.5", ["13.5"]),
    ],
)
def test_texts_in_one_form_are_not(value: str, samples: list[str]) -> None:
    assert find_mismatch(Value(text=value), samples, "text") == ""


@pytest.mark.parametrize(
    ("value", "samples"),
    [(B + ".5", [B + ".500", B + ".250"]), (B, [B + ".000", B + ".100"]), ("2026-01-01", [B])],
)
def test_what_only_repeats_the_last_rows_is_told_where_rows_are_appended(value: str, samples: list[str]) -> None:
    assert find_mismatch(Value(text=value), samples, "text") == ""
    assert find_mismatch(Value(text=value, appends=True), samples, "text")


@pytest.mark.parametrize(
    ("value", "samples", "is_told"),
    [
        ("1900-01-01", [T], False),
        ("1900-01-01 00:00:00", [T], False),
        ("", ["a"], False),
        ("0", ["7", "12"], False),
        ("1900-01-01", ["1767261600"], True),
        ("9999", [B], True),
    ],
)
def test_a_default_may_have_any_form_that_is_below_everything(value: str, samples: list[str], is_told: bool) -> None:
    assert bool(find_mismatch(Value(text=value, is_given=True), samples, "text")) is is_told


@pytest.mark.parametrize(
    ("compared", "value", "is_told"),
    [
        ("number", "12", False),
        ("number", "1.5e3", False),
        ("number", B, True),
        ("number", "1900-01-01", True),
        ("untyped", "12", True),
        ("date", "2026-01-01", False),
        ("date", "2026-01-01 00:00:00", False),
        ("date", B, True),
        ("timestamp", B, False),
        ("timestamp", T + ".5", False),
        ("timestamp", B + "+00", False),
        ("timestamp", T + "Z", False),
        ("timestamp", B + "+02", True),
        ("timestamp", "2026-01-01", False),
        ("other", "anything", False),
    ],
)
def test_a_typed_column_reads_every_form_but_drops_what_it_has_no_place_for(
    compared: Compared, value: str, is_told: bool
) -> None:
    assert bool(find_mismatch(Value(text=value), [], compared)) is is_told


def test_letters_are_ordered_in_two_ways_when_another_database_found_the_value() -> None:
    assert find_mismatch(Value(text="Mixed", is_foreign=True), ["case"], "text")
    assert find_mismatch(Value(text="lower", is_foreign=True), ["case"], "text") == ""


def test_a_day_against_a_typed_time_repeats_its_rows_where_they_are_appended() -> None:
    assert find_mismatch(Value(text="2026-01-01", appends=True), [], "timestamp")
    assert find_mismatch(Value(text="2026-01-01", appends=True, is_given=True), [], "timestamp") == ""


@pytest.mark.parametrize(
    ("compared", "value", "samples", "is_told"),
    [
        ("numeric", "9", ["9", "10"], True),
        ("numeric", "99", ["98", "97"], False),
        ("single", "9.5", ["10.5"], True),
        ("interval", "9 days", ["10 days"], True),
        ("timestamp", B, [B], False),
        ("timestamp", B, ["10000-01-01 00:00:00"], True),
        ("date", "0044-03-15 BC", ["2020-01-01"], True),
        ("text", "b", ["a"], False),
    ],
)
def test_the_greatest_text_need_not_be_the_greatest_value(
    compared: Compared, value: str, samples: list[str], is_told: bool
) -> None:
    assert bool(find_misordered(value, samples, compared)) is is_told


def test_a_float_without_quotes_is_compared_with_more_digits_than_it_has() -> None:
    assert find_mismatch(Value(text="0.1"), [], "single", is_quoted=False)
    assert find_mismatch(Value(text="0.1"), [], "single") == ""
    assert find_mismatch(Value(text="3"), [], "single", is_quoted=False) == ""

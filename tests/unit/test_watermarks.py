# Placeholders in source queries.
"""`{name}` is replaced textually, once, and only for names the module defines."""

import pytest

from pipekit.engine.watermarks.resolve import fill_placeholders, find_unmatched_placeholders


@pytest.mark.parametrize(
    ("query", "values", "expected"),
    [
        ("select * from t where at >= '{since}'", {"since": "1900-01-01"}, "select * from t where at >= '1900-01-01'"),
        ("{a} {a} {b}", {"a": "1", "b": "2"}, "1 1 2"),
        ("{a}", {"a": "{b}", "b": "no"}, "{b}"),
        ("{unknown} {a}", {"a": "1"}, "{unknown} 1"),
        ("select '{}', '{ a }', '{1}', '{{a}}'", {"a": "x"}, "select '{}', '{ a }', '{1}', '{x}'"),
        ("rv > {rv}", {"rv": r"0x00\1\g<0>"}, r"rv > 0x00\1\g<0>"),
        ("{a}", {"a": ""}, ""),
    ],
)
def test_only_defined_names_are_replaced_and_only_once(query: str, values: dict[str, str], expected: str) -> None:
    assert fill_placeholders(query, values) == expected


def test_placeholders_without_a_watermark_are_found_for_the_warning() -> None:
    assert find_unmatched_placeholders("{b} {a} {b} {c} {}", ["a"]) == ["b", "c"]

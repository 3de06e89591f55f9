# Placeholders in source queries.
"""`{name}` is replaced textually, once, and only for names the module defines."""

import pytest

from pipekit.engine.watermarks.places import add_condition, find_places, find_unmatched_placeholders
from pipekit.engine.watermarks.resolve import fill_placeholders


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


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("select * from t where d > {x}", "value"),
        ("select * from t where d > '{x}'", "value"),
        ("select * from t where d > E'{x}'", "value"),
        ("select * from t where d between '{x}' and now()", "value"),
        ("select * from t where d in (select d from u) and d < timestamp '{x} 00:00'", "value"),
        ("select * from t join u on t.d > '{x}'", "value"),
        ("select * from t where to_date('{x}', 'YYYY') < d", "value"),
        ("select case when d > '{x}' then 'new' else 'old' end from t", "value"),
        ("select date '{x}' as d from t", "value"),
        ("select a > '{x}' as is_new from t", "value"),
        ("select * from t where id = any(array[{x}])", "value"),
        ("select '{x}' as a from t", "text"),
        ("select 'see {x} there' as a from t where b = 1", "text"),
        ("select case when d > 1 then '{x}' end from t", "text"),
        ("select (select 1 from t where a = 1), '{x}' from t", "text"),
        ("select * from t where tags @> '{x}'", "text"),
        ("select * from t where doc #>> '{x}' = 'a'", "text"),
        ("select * from t where id = any ('{x}')", "text"),
        ("select * from t where tags = '{x}'::text[]", "text"),
        ("select $q${x}$q$ from t where a = 1", "text"),
        ('select "{x}" from t where a = 1', "text"),
        ("select 1 -- {x}\nfrom t", "comment"),
        ("select /* where d > '{x}' */ 1 from t", "comment"),
        ("select '{x}' from t where d > '{x}'", "value"),
        ("select 1 /* {x} */, '{x}'", "text"),
    ],
)
def test_the_place_of_braces_tells_whether_they_are_meant_as_a_watermark(query: str, place: str) -> None:
    assert find_places(query) == {"x": place}
    assert find_unmatched_placeholders(query, ()) == (["x"] if place == "value" else [])


def test_places_are_found_in_one_pass() -> None:
    query = "select * from t where d in (" + "'{x}', " * 30_000 + "1)"
    assert find_places(query) == {"x": "value"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select a\nfrom t", "select a\nfrom t\nWHERE c"),
        ("select a from t where b = 1;  -- all", "select a from t where b = 1\n  AND c;  -- all"),
        ('select "order" from "group" where (a or b)', 'select "order" from "group" where (a or b)\n  AND c'),
        ("select a from t where b = 1 or b = 2", None),
        ("select a from t order by a", None),
        ("select a from t union select b from u", None),
        ("with x as (select 1) select * from x", None),
        ("select 1", None),
        ("select 'open from t", None),
        ("", None),
    ],
)
def test_a_condition_is_added_where_the_text_tells_its_place(query: str, expected: str | None) -> None:
    assert add_condition(query, "c") == expected

# Values of watermarks that somebody without SQL gives: literals where they stand, or refused.
"""`check_literals`."""

import pytest

from pipekit.engine.watermarks.literals import check_literals
from pipekit.errors import Invalid

QUOTED = "select * from t where a > '{v}'"
BARE = "select * from t where a > {v}"


@pytest.mark.parametrize(
    ("query", "value"),
    [
        (QUOTED, "2026-01-01 00:00:00.5"),
        (QUOTED, ""),
        (QUOTED, "Zürich; -- no comment in a text"),
        (QUOTED, "{other}"),
        (BARE, "42"),
        (BARE, "-4.2e-3"),
        (BARE, "'2026-01-01'"),
        ("select * from t where a in ({v}, {v})", "7"),
        (BARE, "''"),
    ],
)
def test_one_literal_is_taken(query: str, value: str) -> None:
    check_literals(query, {"v": value})


@pytest.mark.parametrize(
    ("query", "value", "said"),
    [
        (QUOTED, "x' or 'a' = 'a", "quote"),
        (QUOTED, "x\\", "backslash"),
        (QUOTED, "x\ny", "control"),
        (BARE, "0 or true", "number"),
        (BARE, "2026-01-01", "number"),
        (BARE, "(select password from users)", "number"),
        (BARE, "'a' || b || 'c'", "number"),
        (BARE, "'a''b'", "number"),
        (BARE, "0x1F", "number"),
        (BARE, "null", "number"),
        (BARE, "", "number"),
        (BARE, "\u0661", "number"),
        ("select a -{v} from t", "-1", "beside"),
        ("select a{v} from t", "1", "beside"),
        ("select N{v} from t", "'a'", "beside"),
        ("select 'a'{v} from t", "'b'", "beside"),
        ("select {v}e5 from t", "1", "beside"),
        ('select "{v}" from t', "a", "comment or a name"),
        ('select "{v}" from t', "1", "beside"),
        ("select [a {v}] from t", "a", "comment or a name"),
        ("select `{v}` from t", "1", "beside"),
        ("select 1 -- {v}", "a", "comment or a name"),
        ("select 1 /* /* */ {v} */", "a", "comment or a name"),
        ("select $${v}$$", "a", "comment or a name"),
        # A backslash ends no text to one database and keeps it open to another.
        (r"select '\'' || {v} || '' from t", "a", "backslash"),
        ("select 1 # it's\n, {v} as b, 'c'", "a", "#"),
    ],
)
def test_anything_else_is_refused_with_the_reason(query: str, value: str, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        check_literals(query, {"v": value})
    assert caught.value.field == "watermarks.v"


def test_a_placeholder_without_a_value_and_a_value_without_a_placeholder_are_no_matter() -> None:
    check_literals("select {other} from t", {"v": "drop"})

# A place in the statement that was sent, as a place in what a person wrote.
"""`engine.planning.error_position`."""

import pytest

from pipekit.engine.planning.error_position import find_error_position
from pipekit.errors import StatementFailed


def fail(statement: str, word: str) -> StatementFailed:
    """As a database fails that points at a word of a statement."""
    return StatementFailed("no", statement=statement, position=statement.index(word) + 1)


def test_a_place_is_counted_in_the_query_and_not_in_what_was_put_around_it() -> None:
    query = "  -- mine\nselect amonut from t;  -- end\n"
    sent = "SELECT * FROM (\n-- mine\nselect amonut from t\n) AS pipekit_query WHERE 1 = 0"
    assert find_error_position(fail(sent, "amonut"), query) == query.index("amonut") + 1
    assert find_error_position(fail(sent, "pipekit_query"), query) is None
    assert find_error_position(fail("select 1", "1"), query) is None
    assert find_error_position(StatementFailed("no"), query) is None


def test_the_end_of_a_query_is_a_place_too() -> None:
    error = StatementFailed("no", statement="(select a from)", position=15)
    assert find_error_position(error, "select a from") == 14


@pytest.mark.parametrize("word", ["select", "nope", "tail"])
def test_values_of_watermarks_do_not_move_the_place(word: str) -> None:
    query = "select {a} from x where d > '{since}' and nope = {other} tail"
    values = {"a": "1 + 1", "since": "2026-01-01"}
    sent = "(\n" + "select 1 + 1 from x where d > '2026-01-01' and nope = {other} tail" + "\n)"
    assert find_error_position(fail(sent, word), query, values) == query.index(word) + 1


def test_a_fault_inside_a_value_is_told_at_its_placeholder() -> None:
    sent = "select 'abc'::int"
    assert find_error_position(fail(sent, "abc"), "select '{x}'::int", {"x": "abc"}) == 9

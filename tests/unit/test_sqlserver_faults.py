# Tests of what is made of SQL Server's own words: places in a statement, columns and rows of a load. Opens no database.
"""pipekit.drivers.sqlserver.faults."""

import pytest

from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.drivers.sqlserver.faults import Fault, build_failure, build_load_failure, read_core
from pipekit.engine.planning.error_position import find_error_position
from pipekit.errors import Inexact, StatementFailed
from pipekit.runner_contract import QueryResult

PLACES = [
    ("207", "Invalid column name 'amonut'.", "SELECT amonut, amonut2\nFROM t", "amonut, "),
    ("208", "Invalid object name 'nowhere'.", "SELECT * FROM nowhere", "nowhere"),
    ("208", "Invalid object name 'dbo.nowhere'.", "SELECT * -- nowhere\nFROM [dbo].[nowhere]", "nowhere]"),
    ("4104", 'The multi-part identifier "x.a" could not be bound.', "SELECT x.a FROM t", "x.a"),
    ("209", "Ambiguous column name 'a'.", "SELECT a FROM t, t2", "a FROM"),
    ("102", "Incorrect syntax near ')'.", "SELECT a FROM t)", ")"),
    ("102", "Incorrect syntax near '''.", "SELECT ' FROM t", "' FROM"),
    ("156", "Incorrect syntax near the keyword 'FROM'.", "SELECT a, from t", "from t"),
    ("195", "'sume' is not a recognized built-in function name.", "SELECT sume(a) FROM t", "sume"),
    ("243", "Type intt is not a defined system type.", "SELECT CAST(a AS intt) FROM t", "intt"),
]


@pytest.mark.parametrize(("number", "message", "sql", "at"), PLACES)
def test_a_word_that_is_named_and_stands_once_is_the_place(number: str, message: str, sql: str, at: str) -> None:
    error = build_failure(Fault(message, number), sql)
    assert (error.position, error.statement) == (sql.rindex(at) + 1, sql)


@pytest.mark.parametrize(
    ("number", "message", "sql"),
    [
        ("207", "Invalid column name 'a'.", "SELECT a FROM t WHERE a = 1"),
        ("207", "Invalid column name 'a'.", "SELECT b FROM a_view -- a"),
        ("208", "Invalid object name 'gone'.", "EXEC load_all"),
        ("207", "Invalid column name 'b'.\nCould not use view 'v' because of binding errors.", "SELECT b FROM v"),
        ("547", "The INSERT statement conflicted with the CHECK constraint 'a'.", "INSERT INTO a VALUES (1)"),
        ("8134", "Divide by zero error encountered.", "SELECT 1 / 0"),
    ],
)
def test_a_place_that_is_not_certain_is_none(number: str, message: str, sql: str) -> None:
    error = build_failure(Fault(message, number), sql)
    assert (error.position, error.statement) == (None, "")


def test_a_query_that_is_refused_undescribed_has_its_place_too() -> None:
    query = "  -- mine\nSELECT amonut FROM t; -- end"
    answer = QueryResult(columns=(), rows=((None, None, "207", "Invalid column name 'amonut'."),))
    with pytest.raises(StatementFailed) as caught:
        DRIVER.introspect_query_columns(lambda _: answer, query)
    assert caught.value.sqlstate == "207"
    assert find_error_position(caught.value, query) == query.index("amonut") + 1


def test_a_load_names_the_row_and_the_column_the_server_tells() -> None:
    text = (
        "Sql Error: 4864: Class 16: State 1: Bulk load data conversion error (type mismatch or invalid character for "
        "the specified codepage) for row 12, column 2 (qty). on double in  at line 1"
    )
    error = build_load_failure(read_core(text), ["id", "qty"])
    assert isinstance(error, Inexact)
    assert (error.row, error.column, error.sqlstate) == (12, "qty", "4864")

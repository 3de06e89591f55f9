# What jrunner prints, read piece by piece. Starts no process.
"""`runner/jrunner_output.py`."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner.jrunner_output import CounterReader, CsvReader, describe_failure


def read(text: str, piece: int = 1) -> list[tuple[str | None, ...]]:
    reader = CsvReader()
    rows = [row for at in range(0, len(text), piece) for row in reader.feed(text[at : at + piece])]
    return rows + reader.finish()


def test_nothing_is_null_and_two_quotes_are_an_empty_string() -> None:
    assert read('a,b\n,""\n') == [("a", "b"), (None, "")]
    assert read('a\n\n""\n') == [("a",), (None,), ("",)]


def test_line_ends_of_windows_and_a_last_line_without_one_are_read() -> None:
    assert read('a,b\r\n1,"x\r\ny"\r\n2,z') == [("a", "b"), ("1", "x\r\ny"), ("2", "z")]


def test_a_cell_that_does_not_end_is_refused() -> None:
    with pytest.raises(StatementFailed, match="in the middle of a quoted cell"):
        read('a\n"never')


@given(st.lists(st.lists(st.text(alphabet='a,"\n\r é'), min_size=2, max_size=3), max_size=4), st.integers(1, 7))
def test_what_python_writes_is_read_whatever_the_pieces(rows: list[list[str]], piece: int) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert read(text.getvalue(), piece) == [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("text", "items", "total"),
    [
        ("250\r500\r612\n612 rows\nelapsed 0.5 s\n", [250, 500, 612, "612 rows", "elapsed 0.5 s"], 612),
        ("10,000\n20,000\n", [10_000, 20_000], 20_000),
        ("500\nrows written: 1,234\n88 rows/s\n", [500, "rows written: 1,234", "88 rows/s"], 1234),
        ("88 rows per second\n", ["88 rows per second"], None),
        ("0 rows", ["0 rows"], 0),
    ],
)
def test_counters_and_the_sum_are_told_apart(text: str, items: list[int | str], total: int | None) -> None:
    for piece in (1, 3, 100):
        reader = CounterReader()
        got = [item for at in range(0, len(text), piece) for item in reader.feed(text[at : at + piece])]
        assert [*got, *reader.finish()] == items
        assert reader.total == total


def test_a_failure_is_told_by_its_exception() -> None:
    said = "loading\njava.sql.SQLException: relation x is not there SQLState: 42P01\n\tat a.b.C(C.java:1)\n"
    error = describe_failure(1, said)
    assert isinstance(error, StatementFailed)
    assert (
        error.message == "jrunner failed (exit code 1): java.sql.SQLException: relation x is not there SQLState: 42P01"
    )
    assert (error.sqlstate, error.transient) == ("42P01", False)


def test_a_refused_connection_may_be_tried_again_and_a_wrong_password_may_not() -> None:
    refused = describe_failure(1, "org.postgresql.util.PSQLException: Connection to h:1 refused.\n")
    login = describe_failure(1, "org.postgresql.util.PSQLException: FATAL: password authentication failed\n")
    assert isinstance(refused, ConnectFailed)
    assert refused.transient
    assert isinstance(login, ConnectFailed)
    assert not login.transient


def test_a_program_that_says_nothing_is_an_error_too() -> None:
    assert "it said nothing" in describe_failure(3, "").message

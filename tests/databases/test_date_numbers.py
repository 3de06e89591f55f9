# Numbers read as dates by PostgreSQL and by SQLite themselves, with the SQL that the wizard writes.
"""Every form, what stands for no date, and what is none."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import TableColumn
from pipekit.errors import StatementFailed
from tests.databases.moving import OpenSession

# A number that is 29 February 2024, and one of the last century.
DAYS = {
    "CYYMMDD": (1240229, 991231),
    "YYYYMMDD": (20240229, 19991231),
    "YYMMDD": (240229, 991231),
    "MMDDYYYY": (2292024, 12311999),
    "DDMMYYYY": (29022024, 31121999),
    "MMDDYY": (22924, 123199),
    "DDMMYY": (290224, 311299),
}
Read = Callable[[str, int | None], Any]


def find_expression(kind: str, label: str) -> str:
    column = TableColumn(name="x", type="numeric(8,0)" if kind == "postgresql" else "INTEGER")
    return next(cast.expression for cast in get_driver(kind).list_casts(column) if cast.label == label)


@pytest.fixture(params=["postgresql", "sqlite"])
def read(request: pytest.FixtureRequest) -> Read:
    """What a database makes of a number, by the label of the reading."""
    kind: str = request.param
    if kind == "postgresql":
        open_session: OpenSession = request.getfixturevalue("open_session")
        session = open_session()

        def ask(label: str, number: int | None) -> Any:
            value = "NULL" if number is None else number
            sql = f"SELECT {find_expression(kind, label)} FROM (SELECT CAST({value} AS numeric) AS x) AS t"
            return session.query(sql).first_cell()

        return ask

    def compute(label: str, number: int | None) -> Any:
        with closing(sqlite3.connect(":memory:")) as db:
            return db.execute(f"SELECT {find_expression(kind, label)} FROM (SELECT ? AS x)", (number,)).fetchone()[0]

    return compute


def test_every_form_is_read_and_what_stands_for_no_date_is_null_or_the_last_day(read: Read) -> None:
    for form, (leap, old) in DAYS.items():
        label, nines = f"date from {form}", int("9" * len(form))
        assert [read(label, number) for number in (leap, old)] == ["2024-02-29", "1999-12-31"], form
        assert [read(label, number) for number in (0, nines, None)] == [None, None, None], form
        kept = f"{label}, {nines} as 9999-12-31"
        assert [read(kept, number) for number in (leap, 0, nines, None)] == ["2024-02-29", None, "9999-12-31", None]
    assert read("date from YYYYMMDD", 10101) == "0001-01-01"
    times = [read("time from HHMMSS", number) for number in (93005, 0, 999999, None)]
    assert times == ["09:30:05", "00:00:00", None, None]


@pytest.mark.parametrize("number", [20240230, 120240229, -20240229, 7])
def test_a_number_that_is_no_date_is_an_error_of_postgresql(open_session: OpenSession, number: int) -> None:
    """SQLite has none: there the text is no date either, and whoever has dates refuses it."""
    expression = find_expression("postgresql", "date from YYYYMMDD")
    with pytest.raises(StatementFailed):
        open_session().query(f"SELECT {expression} FROM (SELECT CAST({number} AS numeric) AS x) AS t")

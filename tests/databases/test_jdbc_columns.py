# What a column of a dest over JDBC would change of a value, and keys that are equal and not the same. Whole runs.
"""H2, HSQLDB and Derby: digits of seconds, bytes that are filled up, texts that compare in a way of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases.test_jdbc_around import Place

pytestmark = pytest.mark.usefixtures("one_child")

# (column, value as SQLite writes it, what is said where the column would change it, or what is there)
VALUES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "h2": (
        ("timestamp(0)", "'2024-01-01 00:00:00.6'", "row 1: '2024-01-01 00:00:00.6' has more than 0 digits"),
        ("timestamp(0) with time zone", "'2024-01-01 00:00:00.6+00:00'", "more than 0 digits"),
        ("time", "'10:00:00.6'", "more than 0 digits"),
        ("binary(5)", "x'41'", "1 bytes would be changed to fit a column of 5"),
        ("interval day to second(0)", "'1 02:03:04.6'", "column V of type INTERVAL"),
        ("decfloat(3)", "'1.2345'", "column V of type DECFLOAT"),
        ("enum('a', 'B')", "'b'", "Row 1: the value 'b'"),
        ("timestamp(0)", "'2024-01-01 00:00:00'", "= 2024-01-01 00:00:00"),
        ("interval day to second(3)", "'1 02:03:04.600'", "= INTERVAL '1 02:03:04.6' DAY TO SECOND"),
        ("enum('a', 'B')", "'B'", "= B"),
        ("json", "'{\"a\":1.50}'", '= {"a":1.50}'),
    ),
    "hsqldb": (
        ("timestamp(0)", "'2024-01-01 00:00:00.6'", "more than 0 digits"),
        ("timestamp(3) with time zone", "'2024-01-01 00:00:00.0006+00:00'", "more than 3 digits"),
        ("time(3)", "'10:00:00.0006'", "more than 3 digits"),
        ("binary(5)", "x'41'", "1 bytes would be changed to fit a column of 5"),
        ("interval day to second(0)", "'1 02:03:04.6'", "column V of type INTERVAL"),
        ("time(3)", "'10:00:00.006'", "= 10:00:00.006"),
        ("interval day to second(3)", "'1 02:03:04.600'", "= 1 02:03:04.600"),
    ),
    "derby": (
        ("time", "'10:00:00.6'", "more than 0 digits"),
        ("char(5) for bit data", "x'41'", "1 bytes would be changed to fit a column of 5"),
        ("char(5) for bit data", "x'4142434445'", "= 0x4142434445"),
    ),
}
# (key column, what is there, what comes, the keys afterwards)
KEYS = {
    "h2": (("varchar_ignorecase(5)", ("a", "B"), ("A", "b", "c"), ("A", "b", "c")),),
    "hsqldb": (
        ("varchar_ignorecase(5)", ("a", "B"), ("A", "b", "c"), ("A", "b", "c")),
        ("varchar(5) collate sql_text_ucc", ("a", "B"), ("A", "b", "c"), ("A", "b", "c")),
        ("varchar(5)", ("c", "d  "), ("c ", "d", "e"), ("c ", "d", "e")),
    ),
    "derby": (("varchar(5)", ("c", "d  "), ("c ", "d", "e"), ("c ", "d", "e")),),
}


@pytest.fixture(params=["h2", "hsqldb", "derby"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path, request.param, None)
    yield place
    place.project.close()


def test_a_value_that_a_column_would_change_is_refused_and_others_arrive(place: Place) -> None:
    for column, value, wanted in VALUES[place.dest.driver]:
        place.clear()
        place.execute(f"create table p (id int not null primary key, v {column})")
        run = place.run("full", {}, f"select 1 as id, {value} as v")
        said = f"{run.status}: {run.error}"
        if wanted.startswith("= "):
            assert run.status == "success", f"{column}: {said}"
            assert place.rows("select v from p") == [(wanted[2:],)], column
        else:
            assert run.status == "error", column
            assert wanted in said, f"{column}: {said}"
            assert place.rows("select v from p") == [], column


def test_keys_that_are_equal_are_one_and_become_what_was_staged(place: Place) -> None:
    for column, held, staged, wanted in KEYS[place.dest.driver]:
        for strategy in ("incremental", "upsert"):
            place.clear()
            place.execute(f"create table p (id {column}, v varchar(5))")
            place.execute(*(f"insert into p values ('{key}', 'old')" for key in held))
            rows = ", ".join(f"('{key}', 'new')" for key in staged)
            run = place.run(strategy, {}, f"with x (id, v) as (values {rows}) select * from x")
            assert run.status == "success", run.error
            found = [(key or "", v) for key, v in place.rows("select id, v from p")]
            assert sorted(found) == [(key, "new") for key in wanted], f"{column}, {strategy}"

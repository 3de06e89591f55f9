# Tests of staged rows held against a dest's on real databases: what is missing, extra and differs, and how often.
"""`CompareSql` on PostgreSQL and SQLite, run by their own sessions."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, MergePlan
from pipekit.drivers.sqlite.wire import connect as connect_sqlite
from pipekit.drivers.wire import Session
from pipekit.models import Strategy
from pipekit.runner_contract import Endpoint, ResultColumn, Statement
from tests.databases.moving import OpenSession


@dataclass(frozen=True, slots=True)
class Place:
    """A session with a database of a kind."""

    driver: Driver
    session: Session

    def run(self, *statements: str) -> None:
        self.session.execute([Statement(sql=sql) for sql in statements], (), False)

    def plan(self, staged: str, dest: str, strategy: Strategy, key: tuple[str, ...]) -> MergePlan:
        """Rows of both sides, as they stand behind VALUES, in `t` and its staging table."""
        table, staging = self.driver.resolve_table(self.session.query, "t"), self.driver.staging_table("m")
        columns = self.driver.get_columns(self.session.query, table)
        plan = MergePlan(
            strategy=strategy,
            staging=staging,
            dest=table,
            columns=tuple(
                self.driver.stage_column(ResultColumn(name=c.name, type=c.type), self.driver, c) for c in columns
            ),
            key=key,
        )
        self.run(*self.driver.find_setup_sql(self.session.query))
        self.run(*self.driver.build_staging_sql(staging, table, plan.columns))
        for name, rows in ((staging, staged), (table, dest)):
            if rows:
                self.run(f"INSERT INTO {self.driver.quote_table(name)} VALUES {rows}")
        return plan

    def compare(self, plan: MergePlan, **more: Any) -> tuple[list[int], list[tuple[str | None, ...]]]:
        """Staged, held, missing, extra, differing; and the rows that differ."""
        found = self.driver.build_comparison(plan, **more)
        assert found is not None
        assert not found.left_out
        cells = [self.session.query(sql).rows[0] for sql in (found.staged, found.held, found.counts)]
        return [int(cell or "") for row in cells for cell in row], list(self.session.query(found.rows).rows)


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    """Makes a table `t` with these columns."""
    kind = request.param
    if kind == "sqlite":
        session: Session = connect_sqlite(
            Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:dest.db", base_dir=str(tmp_path))
        )
    else:
        request.getfixturevalue("session")
        open_session: OpenSession = request.getfixturevalue("open_session")
        session = open_session()
    one = Place(get_driver(kind), session)

    def make(columns: str) -> Place:
        one.run(f"CREATE TABLE t ({columns})")
        return one

    yield make
    session.close()


# Columns, staged rows, rows of the dest, key; staged, held, missing, extra, differing.
CASES: Sequence[tuple[str, str, str, tuple[str, ...], list[int]]] = [
    ("id INTEGER, a TEXT", "(1, 'x'), (2, 'y')", "(1, 'x'), (2, 'y')", ("id",), [2, 2, 0, 0, 0]),
    ("id INTEGER, a TEXT", "(1, 'x'), (2, 'y')", "(2, 'y '), (3, 'z')", ("id",), [2, 2, 1, 1, 1]),
    ("id INTEGER, a TEXT", "(1, NULL), (2, ''), (3, NULL)", "(1, ''), (2, NULL), (3, NULL)", ("id",), [3, 3, 0, 0, 2]),
    ("id INTEGER, a TEXT", "(1, 'a')", "(1, 'A')", ("id",), [1, 1, 0, 0, 1]),
    # A key that stands more than once, on one side more often.
    ("id INTEGER, a TEXT", "(1, 'a'), (1, 'b'), (1, 'b')", "(1, 'b'), (1, 'c')", ("id",), [3, 2, 1, 0, 1]),
    # Whole rows, each as often here as there.
    ("id INTEGER, a TEXT", "(1, 'a'), (1, 'a'), (2, NULL)", "(1, 'a'), (2, NULL), (2, NULL)", (), [3, 3, 1, 1, 0]),
    ("id INTEGER, a TEXT", "", "(1, 'a')", ("id",), [0, 1, 0, 1, 0]),
    ("id INTEGER, a TEXT", "(NULL, 'a')", "(NULL, 'b')", ("id",), [1, 1, 0, 0, 1]),
    ("a TEXT, id INTEGER, line INTEGER", "('x', 1, 1), ('y', 1, 2)", "('y', 1, 1), ('x', 1, 2)", ("id", "line"),
     [2, 2, 0, 0, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("columns", "staged", "dest", "key", "counts"), CASES)
def test_staged_rows_are_told_apart_from_a_dests(
    place: Callable[[str], Place], columns: str, staged: str, dest: str, key: tuple[str, ...], counts: list[int]
) -> None:
    one = place(columns)
    found, rows = one.compare(one.plan(staged, dest, "full", key))
    assert found == counts
    assert sum(int(row[-1] or "") for row in rows) == counts[2] - counts[3]


def test_a_keyed_plan_is_held_against_the_staged_keys_or_against_all_rows(place: Callable[[str], Place]) -> None:
    one = place("id INTEGER, a TEXT")
    plan = one.plan("(1, 'x')", "(1, 'y'), (2, 'z')", "upsert", ("id",))
    assert one.compare(plan)[0] == [1, 1, 0, 0, 1]
    assert one.compare(plan, whole=True)[0] == [1, 2, 0, 1, 1]
    assert one.compare(plan, whole=True, within="id > 1", staged_within="id > 1")[0] == [0, 1, 0, 1, 0]


def test_what_differs_comes_in_the_order_of_the_key_with_both_values(place: Callable[[str], Place]) -> None:
    one = place("id INTEGER, a INTEGER")
    rows = one.compare(one.plan("(2, 5), (10, 6), (1, 0)", "(2, 7), (10, 6), (3, 9)", "full", ("id",)))[1]
    assert rows == [("1", "0", "1"), ("2", "5", "1"), ("2", "7", "-1"), ("3", "9", "-1")]


@pytest.mark.parametrize(
    ("type", "staged", "held"),
    [
        ("numeric", "1.0", "1.00"),
        ("bpchar", "'a'", "'a '"),
        ("double precision", "0.0", "'-0'"),
        ("text", "'x'", "'x '"),
        ("jsonb", "'[1]'", "'[1.0]'"),
        ("json", "'{\"a\":1}'", "'{\"a\": 1}'"),
        ("interval", "'1 day'", "'24:00:00'"),
        ("timestamptz", "'2024-01-01 00:00:00.000001+00'", "'2024-01-01 00:00:00.000002+00'"),
        ("text[]", "'{a,NULL}'", "'{a,\"NULL\"}'"),
        ("point", "'(0,0)'", "'(0,-0)'"),
    ],
)
def test_in_postgresql_values_that_only_look_alike_differ(
    session: Any, open_session: OpenSession, type: str, staged: str, held: str
) -> None:
    one = Place(get_driver("postgresql"), open_session())
    one.run(f"CREATE TABLE t (id integer, a {type})")
    plan = one.plan(f"(1, {staged}), (2, {held})", f"(1, {held}), (2, {held})", "full", ("id",))
    assert one.compare(plan)[0] == [2, 2, 0, 0, 1]
    assert one.compare(replace(plan, key=()))[0] == [2, 2, 1, 1, 0]

# The dest table that a run makes is there with its rows or not at all, whichever database it is in.
"""`create_table`: what a run that fails leaves, what others see meanwhile, who made the table."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import open_look
from pipekit.engine.events import Event, StageStarted
from pipekit.errors import PipekitError
from pipekit.models import Column, Guards
from tests.databases.test_runs import Bench

pytestmark = pytest.mark.usefixtures("near_when_quick")

PAIRS = [("sqlite", "sqlite"), ("sqlite", "postgresql")]
QUERY = "select id, v from t"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Other files bring pairs of their own to these tests."""
    if metafunc.definition.path.samefile(__file__):
        metafunc.parametrize("bench", PAIRS, indirect=True, ids=["-".join(pair) for pair in PAIRS])


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Bench]:
    bench = Bench(tmp_path, request.param, postgres)
    yield bench
    bench.close()


def fill_source(bench: Bench) -> None:
    bench.source.execute("create table t (id integer, v varchar(30))")
    bench.source.execute("insert into t values (1, 'short')", "insert into t values (2, 'much longer')")


def find_rows(bench: Bench) -> list[tuple[Any, ...]] | None:
    """The rows of the table `made`; None when it is not there."""
    try:
        return bench.dest.rows("select * from made order by 1")
    except (sqlite3.OperationalError, psycopg.errors.UndefinedTable, PipekitError):
        return None


def name_staging(bench: Bench) -> str:
    """The staging table of the run that is under way, as a query names it."""
    schema, _, name = (bench.project.last_run().staging_table or "").partition(".")
    return f'"{schema}.{name}"' if bench.dest.kind == "sqlite" else f'"{schema}"."{name}"'


def test_a_first_run_that_fails_leaves_no_table_and_another_type_then_takes_effect(bench: Bench) -> None:
    fill_source(bench)
    for number, (type_text, rows) in enumerate([("varchar(5)", None), ("varchar(30)", 2)]):
        columns = (Column(id="c1", source_name="v", source_type="", dest_name="v", dest_type=type_text),)
        module = bench.module(QUERY, table="made", name=f"m{number}", create_table=True, columns=columns)
        run = bench.project.run(module)
        assert (run.status == "success") == (rows is not None), run.error
        found = find_rows(bench)
        assert (None if found is None else len(found)) == rows


def test_nobody_sees_a_table_that_is_being_filled_for_the_first_time(bench: Bench) -> None:
    fill_source(bench)
    seen: list[object] = []

    def look(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage in ("check", "merge"):
            seen.append(find_rows(bench))

    run = bench.project.run(bench.module(QUERY, table="made", create_table=True), listener=look)
    assert (run.status, seen) == ("success", [None, None]), run.error
    assert find_rows(bench) == [(1, "short"), (2, "much longer")]
    assert [check.ok for check in run.checks if check.name == "dest made"] == [True]


def test_a_table_that_somebody_else_makes_meanwhile_is_left_as_it_is(bench: Bench) -> None:
    fill_source(bench)

    def make_it_too(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "merge":
            bench.dest.execute("create table made (other integer)")

    run = bench.project.run(bench.module(QUERY, table="made", create_table=True), listener=make_it_too)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert "was made by somebody else while this run was loading" in (run.error or "")
    assert bench.dest.rows("select other from made") == []


def test_a_merge_that_fails_takes_the_table_along(bench: Bench) -> None:
    fill_source(bench)

    def lose_a_row(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "merge":
            bench.dest.execute(f"delete from {name_staging(bench)} where id = 1")

    run = bench.project.run(bench.module(QUERY, table="made", create_table=True), listener=lose_a_row)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none"), run.error
    assert find_rows(bench) is None


KEYED = (
    "create table t (id integer not null primary key, v varchar(30))",
    "insert into t values (1, 'a')",
    "insert into t values (2, 'b')",
)
TWICE = "select a.id, b.v from t a join t b on 1 = 1"


@pytest.mark.parametrize(
    ("query", "options", "told"),
    [
        (QUERY, {"merge_strategy": "upsert", "merge_key": "ID"}, "primary key"),
        (TWICE + " where a.id = b.id", {"merge_strategy": "upsert", "merge_key": "id"}, "primary key"),
        (QUERY, {"merge_strategy": "upsert", "merge_key": "id", "guards": Guards(null_keys=True)}, "index on"),
        (QUERY, {"merge_strategy": "incremental", "merge_key": "id"}, "primary key"),
        (QUERY, {"merge_strategy": "incremental", "merge_key": "v"}, "index on"),
        (TWICE, {"merge_strategy": "incremental", "merge_key": "id"}, "index on"),
        ("select id + 0 as id, v from t", {"merge_strategy": "incremental", "merge_key": "id"}, "index on"),
        (QUERY, {"merge_strategy": "append"}, ""),
    ],
)
def test_a_table_that_is_made_has_the_key_of_its_merge(
    bench: Bench, query: str, options: dict[str, Any], told: str
) -> None:
    bench.source.execute(*KEYED)
    module = bench.module(query, table="made", create_table=True, **options)
    run = bench.project.succeed(module)
    bench.project.succeed(module)
    key = [check.detail for check in run.checks if check.name == "dest key"]
    assert [detail.partition(" ")[0] for detail in key] == [told.partition(" ")[0]] if told else key == []
    with open_look(bench.project.config, bench.project.secrets, bench.dest_connection) as look:
        columns = look.driver.get_columns(
            look.query, look.driver.parse_table("MADE" if bench.dest.kind == "derby" else "made")
        )
    keyed = ["id"] if told == "primary key" else []
    assert [column.name.lower() for column in columns if column.in_key] == keyed
    assert [column.name.lower() for column in columns if not column.nullable] == keyed


def test_keys_that_repeat_although_the_source_said_otherwise_are_told_with_the_mend(bench: Bench) -> None:
    bench.source.execute(*KEYED)
    options: dict[str, Any] = {
        "table": "made",
        "create_table": True,
        "merge_strategy": "incremental",
        "merge_key": "id",
    }
    bench.project.succeed(bench.module(QUERY, **options))
    run = bench.project.run(bench.module(TWICE, name="twice", **options))
    assert (run.status, run.error_stage) == ("error", "check")
    assert "Where keys may repeat, drop it" in (run.hint or "")

# Full loads into a table that holds nothing: rows come without staging, and nobody waits. On a real PostgreSQL.
"""`load: auto` into a dest without rows and indexes, where the source expects many rows."""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Module, Run
from pipekit.runner.process import wait_until
from tests.lending import lend_database, take_back
from tests.patience import PATIENCE_S
from tests.project import Project

# The planner expects a third of so many.
MANY = "SELECT n AS id, 'v' || n AS v FROM generate_series(1, 400000) AS n WHERE n <= 3"
STRAIGHT = "direct, as the dest is empty and has no index, and about 133,333 rows are expected"
HELD = f"{MANY} AND (n < 3 OR pg_advisory_xact_lock_shared(7) IS NOT NULL)"


class Place:
    """A database that is source and dest at once, with an empty dest."""

    def __init__(self, folder: Path, postgres: LocalPostgres) -> None:
        self.numbers = itertools.count(1)
        self.name = lend_database(postgres)
        self.login: dict[str, Any] = {"host": "127.0.0.1", "port": postgres.port, "user": "postgres"}
        self.sql = self.connect()
        self.project = Project(folder)
        self.here = self.project.add_connection("here", postgres.jdbc_url(self.name), username="postgres")
        self.sql.execute("CREATE TABLE t (id integer CHECK (id < 100), v text)")

    def connect(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(**self.login, dbname=self.name, autocommit=True)

    def module(self, query: str = MANY, **options: Any) -> Module:
        name = f"m{next(self.numbers)}"
        more = {"source": self.here, "dest": self.here, "table": "t", **options}
        return self.project.add_module(name, query=query, **more)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.sql.execute(sql).fetchall()

    def ids(self) -> list[int]:
        return [number for (number,) in self.ask("SELECT id FROM t ORDER BY id")]

    def run_held(self, module: Module, then: str) -> Run:
        """Runs what waits for a lock in the middle of its rows, and lets it go on when `then` has been done."""
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"

        def let_go() -> None:
            assert wait_until(lambda: self.ask(waits) == [(1,)], PATIENCE_S)
            self.sql.execute(then)
            holder.close()

        holder = self.connect()
        holder.execute("SELECT pg_advisory_lock(7)")
        letting = threading.Thread(target=let_go)
        letting.start()
        run = self.project.run(module)
        letting.join()
        return run


@pytest.fixture
def place(tmp_path: Path, postgres: LocalPostgres, near_when_quick: None) -> Iterator[Place]:
    place = Place(tmp_path, postgres)
    yield place
    place.sql.close()
    take_back(postgres, place.name)
    place.project.close()


def told(run: Run) -> str:
    return "; ".join(check.detail for check in run.checks if check.name == "load")


def test_many_rows_into_an_empty_dest_are_written_once(place: Place) -> None:
    assert told(place.project.run(place.module(), dry_run=True)) == STRAIGHT
    run = place.project.succeed(place.module())
    assert (told(run), place.ids(), run.staging_table) == (STRAIGHT, [1, 2, 3], None)
    assert (run.rows_inserted, run.dest_rows_before, run.dest_rows_after) == (3, 0, 3)
    # The second time it holds rows.
    again = place.project.succeed(place.module())
    assert (told(again).split(",")[0], again.rows_deleted, place.ids()) == ("staged", 3, [1, 2, 3])


STAGED = {
    "few rows are expected": ("", "SELECT n AS id, 'v' AS v FROM generate_series(1, 3) AS n", {}),
    "it has an index": ("CREATE INDEX ON t (id)", MANY, {}),
    "it has a trigger": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", MANY, {},
    ),
    "it has a trigger that minds deletes": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$none$$; END';"
        " CREATE TRIGGER f AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION f()", MANY, {},
    ),
    "values must be compared": ("ALTER TABLE t ALTER v TYPE varchar(9)", MANY, {}),
    "the module says so": ("", MANY, {"load": "staged"}),
    "the strategy keeps rows": ("", MANY, {"merge_strategy": "append"}),
    "it has partitions": ("DROP TABLE t; CREATE TABLE t (id integer, v text) PARTITION BY LIST (v);"
        " CREATE TABLE p PARTITION OF t DEFAULT", MANY, {}),
}  # fmt: skip


def test_many_rows_of_an_sqlite_file_are_written_once_too(place: Place, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db, db:
        db.execute("CREATE TABLE shop (id INTEGER, v TEXT)")
        numbers = "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 120000)"
        db.execute(f"INSERT INTO shop {numbers} SELECT id % 100, 'v' || id FROM n")
    shop = place.project.add_connection("shop", f"jdbc:sqlite:{tmp_path}/shop.db")
    run = place.project.succeed(place.module("SELECT id, v FROM shop", source=shop))
    assert told(run) == STRAIGHT.replace("133,333", "120,000")
    assert (run.staging_table, place.ask("SELECT count(DISTINCT v), max(id) FROM t")) == (None, [(120_000, 99)])


@pytest.mark.parametrize("case", STAGED)
def test_rows_are_staged_where(place: Place, case: str) -> None:
    prepare, query, options = STAGED[case]
    place.sql.execute(prepare)
    run = place.project.succeed(place.module(query, **options))
    assert (run.staging_table is not None, place.ids()) == (True, [1, 2, 3])


def test_a_login_that_may_not_delete_stages_its_rows(place: Place) -> None:
    place.sql.execute(
        f"CREATE ROLE blank_clerk LOGIN; GRANT CREATE ON DATABASE {place.name} TO blank_clerk;"
        " GRANT SELECT, INSERT, TRUNCATE ON t TO blank_clerk"
    )
    try:
        clerk = place.project.add_connection("clerk", place.here.jdbc_url, username="blank_clerk")
        module = place.project.add_module("m", source=place.here, query=MANY, dest=clerk, table="t")
        run = place.project.succeed(module)
        assert (run.staging_table is not None, place.ids()) == (True, [1, 2, 3])
    finally:
        place.sql.execute("DROP OWNED BY blank_clerk CASCADE; DROP ROLE blank_clerk")


def test_rows_that_are_looked_at_before_are_staged(place: Place) -> None:
    module = place.module()
    seen = place.project.run(module, preview=True)
    assert (seen.status, seen.staging_table is not None, place.ids()) == ("dry_run", True, [])
    merged = place.project.succeed(module, merges=seen.id)
    assert (merged.rows_inserted, place.ids()) == (3, [1, 2, 3])


def test_nobody_waits_for_rows_that_come_and_those_of_others_go_as_by_a_merge(place: Place) -> None:
    run = place.run_held(
        place.module(HELD), "SET statement_timeout = '10s'; SELECT * FROM t; INSERT INTO t VALUES (50, 'mine')"
    )
    assert (run.status, place.ids()) == ("success", [1, 2, 3])
    assert (run.rows_deleted, run.rows_inserted, run.dest_rows_after) == (1, 3, 3)


def test_a_dest_that_only_seemed_empty_is_loaded_from_staging(place: Place) -> None:
    place.sql.execute("INSERT INTO t VALUES (50, 'old')")
    place.sql.execute("SELECT pg_stat_force_next_flush(), pg_stat_clear_snapshot()")
    place.sql.execute("SELECT pg_stat_reset_single_table_counters('t'::regclass)")
    run = place.project.succeed(place.module())
    assert "public.t is not empty any more: its rows are staged" in place.project.read_log(run.id)
    assert told(run).startswith("staged")
    assert (run.rows_deleted, place.ids()) == (1, [1, 2, 3])


def test_a_load_that_breaks_leaves_the_empty_dest_empty_for_the_next_one(place: Place) -> None:
    wrong = place.project.run(place.module(f"{MANY} UNION ALL SELECT 100, 'too large'"))
    assert (wrong.status, wrong.error_stage, wrong.merge_state, place.ids()) == ("error", "stage", "none", [])
    assert "t_id_check" in (wrong.error or "")
    place.project.succeed(place.module())
    assert place.ids() == [1, 2, 3]


def test_a_session_that_is_ended_among_the_rows_leaves_the_empty_dest_empty(place: Place) -> None:
    waits = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' LIMIT 1"
    broken = place.run_held(place.module(HELD, retries=0), waits)
    assert (broken.status, broken.merge_state, place.ids()) == ("error", "none", [])

# Which way a run takes into its dest, and what its record says of it. On a real PostgreSQL.
"""`load` of a module: runs from end to end."""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.engine.planning.indexes import LEAST_ROWS
from pipekit.models import Connection, Module, Run
from pipekit.runner.process import wait_until
from tests.lending import lend_database, take_back
from tests.patience import PATIENCE_S
from tests.project import Project

KEPT = "staged, indexes are kept: "
FEW = f"{KEPT}making them anew pays from 50,000 rows on"
MANY = LEAST_ROWS + 1


class Place:
    """A database that is source and dest at once, with a dest that has a primary key and one more index."""

    def __init__(self, folder: Path, postgres: LocalPostgres) -> None:
        self.numbers = itertools.count(1)
        self.name = lend_database(postgres)
        self.sql = psycopg.connect(
            host="127.0.0.1", port=postgres.port, user="postgres", dbname=self.name, autocommit=True
        )
        self.project = Project(folder)
        self.connection: Connection = self.project.add_connection(
            "here", postgres.jdbc_url(self.name), username="postgres"
        )
        self.sql.execute("CREATE TABLE t (id integer PRIMARY KEY, v text); CREATE INDEX t_v ON t (v)")

    def module(self, rows: int, first: int = 1, **options: Any) -> Module:
        query = f"SELECT n AS id, 'v' || n AS v FROM generate_series({first}, {first + rows - 1}) AS n"
        return self.project.add_module(
            f"m{next(self.numbers)}", source=self.connection, query=query, dest=self.connection, table="t",
            **options,
        )  # fmt: skip

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.sql.execute(sql).fetchall()

    def indexes(self) -> list[tuple[Any, ...]]:
        return self.ask("SELECT indexrelid FROM pg_index WHERE indrelid = 't'::regclass ORDER BY 1")


@pytest.fixture
def place(tmp_path: Path, postgres: LocalPostgres, near_when_quick: None) -> Iterator[Place]:
    place = Place(tmp_path, postgres)
    yield place
    place.sql.close()
    take_back(postgres, place.name)
    place.project.close()


def told(run: Run) -> str:
    return "; ".join(check.detail for check in run.checks if check.name == "load")


def test_a_large_load_makes_the_indexes_anew_and_a_small_one_keeps_them(place: Place) -> None:
    before = place.indexes()
    small = place.project.succeed(place.module(100))
    assert (told(small), place.indexes()) == (FEW, before)
    large = place.project.succeed(place.module(MANY))
    assert told(large) == ("staged, indexes are made anew after the rows, as 50,001 rows came: t_pkey, t_v")
    assert "DROP CONSTRAINT" in (large.merge_sql or "")
    assert large.rows_inserted == MANY
    assert not {*before} & {*place.indexes()}
    assert place.ask("SELECT count(*), max(id) FROM t") == [(MANY, MANY)]


def test_a_dry_run_says_what_the_next_run_will_do_by_what_the_dest_holds(place: Place) -> None:
    before = place.indexes()
    assert told(place.project.run(place.module(MANY), dry_run=True)) == FEW
    place.sql.execute(f"INSERT INTO t SELECT n, 'v' FROM generate_series(1, {MANY}) AS n")
    place.sql.execute("ANALYZE t")
    run = place.project.run(place.module(MANY), dry_run=True)
    assert told(run) == "staged, indexes are made anew after the rows, if at least 50,000 come: t_pkey, t_v"
    assert "DROP INDEX" in (run.merge_sql or "")
    assert place.indexes() == before


def test_a_module_that_says_staged_keeps_its_indexes(place: Place) -> None:
    before = place.indexes()
    run = place.project.succeed(place.module(MANY, load="staged"))
    assert (told(run), place.indexes()) == (f"{KEPT}the module says `load: staged`", before)


def test_rows_that_are_added_make_the_indexes_anew_where_they_are_at_least_as_many_as_are_there(place: Place) -> None:
    place.project.succeed(place.module(MANY, merge_strategy="append"))
    place.sql.execute(f"INSERT INTO t SELECT n, 'v' FROM generate_series({MANY + 1}, {MANY * 2}) AS n; ANALYZE t")
    before = place.indexes()
    run = place.project.succeed(place.module(MANY, first=MANY * 2 + 1, merge_strategy="append"))
    assert told(run) == f"{KEPT}50,001 rows are fewer than about 100,002 that are there"
    assert place.indexes() == before


def test_an_incremental_load_of_twice_as_many_rows_as_are_there_deletes_and_inserts_and_makes_the_indexes_anew(
    place: Place,
) -> None:
    place.sql.execute("INSERT INTO t VALUES (1, 'old'), (-1, 'old'); ANALYZE t")
    module = place.module(MANY, merge_strategy="incremental", merge_key=("id",))
    first = place.project.succeed(module)
    assert told(first).startswith("staged, indexes are made anew")
    assert (first.rows_deleted, first.rows_inserted, first.rows_updated, first.rows_unchanged) == (1, MANY, 0, None)
    merges = {check.name: check.detail for check in first.checks}
    assert merges["merge"] == "rows of the staged id are deleted and inserted: twice as many come as are there"
    place.sql.execute("ANALYZE t")
    before = place.indexes()
    again = place.project.succeed(module)
    assert told(again) == f"{KEPT}rows are found by them"
    assert (again.rows_unchanged, place.indexes()) == (MANY, before)
    assert place.ask("SELECT count(*), min(id), max(id) FROM t") == [(MANY + 1, -1, MANY)]


WHY = [
    ("CREATE TABLE child (id integer REFERENCES t ON DELETE CASCADE)", {}, "rows are found by them"),
    ("CREATE PUBLICATION p FOR TABLE t WITH (publish = 'insert, delete')", {}, "the dest is emptied by DELETE"),
    ("", {"merge_strategy": "upsert", "merge_key": ("id",)}, "rows are found by them"),
    (
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER looks BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION look()",
        {},
        "trigger looks may read by them",
    ),
]


@pytest.mark.parametrize(("sql", "options", "why"), WHY, ids=[why for _, _, why in WHY])
def test_what_needs_the_indexes_while_rows_come_keeps_them_and_is_named(
    place: Place, sql: str, options: dict[str, Any], why: str
) -> None:
    place.sql.execute(sql)
    run = place.project.succeed(place.module(10, **options))
    assert told(run) == KEPT + why


def test_a_key_that_comes_twice_in_a_large_load_is_told_as_in_a_small_one(place: Place) -> None:
    place.sql.execute("INSERT INTO t VALUES (0, 'old')")
    query = f"SELECT n % {MANY} AS id, 'v' AS v FROM generate_series(1, {MANY + 1}) AS n"
    module = place.project.add_module("twice", source=place.connection, query=query, dest=place.connection, table="t")
    before = place.indexes()
    run = place.project.run(module)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert run.error == 'duplicate key value violates unique constraint "t_pkey"\nKey (id)=(1) is duplicated.'
    assert (place.ask("SELECT id FROM t"), place.indexes()) == ([(0,)], before)


def test_somebody_who_reads_the_dest_for_long_keeps_no_added_rows_out_but_their_indexes_stay(
    place: Place, postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipekit.drivers.postgresql.rebuild.LOCK_S", 0.1)
    before = place.indexes()
    with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=place.name) as reader:
        reader.execute("SELECT * FROM t")
        run = place.project.succeed(place.module(MANY, merge_strategy="append"))
    assert told(run) == f"{KEPT}canceling statement due to lock timeout"
    assert (run.rows_inserted, place.indexes()) == (MANY, before)
    assert "DROP INDEX" not in (run.merge_sql or "")


def test_an_index_that_changes_while_the_merge_waits_for_the_dest_is_kept_as_it_is(
    place: Place, postgres: LocalPostgres
) -> None:
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass"
    place.sql.execute("INSERT INTO t VALUES (0, 'old')")
    with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=place.name) as other:
        other.execute("LOCK TABLE t IN ROW EXCLUSIVE MODE")
        other.execute("COMMENT ON INDEX t_v IS 'mine'")

        def let_go() -> None:
            assert wait_until(lambda: place.ask(waits) == [(1,)], PATIENCE_S)
            other.commit()

        letting = threading.Thread(target=let_go)
        letting.start()
        run = place.project.succeed(place.module(MANY))
        letting.join()
    assert told(run) == f"{KEPT}Somebody has changed an index of public.t since the run looked at them."
    assert (run.rows_deleted, run.rows_inserted) == (1, MANY)
    assert place.ask("SELECT obj_description('t_v'::regclass)") == [("mine",)]


@pytest.mark.parametrize("truncate", [True, False])
def test_a_reader_of_before_a_full_load_sees_no_rows_after_truncate_and_the_old_ones_after_delete(
    place: Place, postgres: LocalPostgres, truncate: bool
) -> None:
    place.sql.execute("INSERT INTO t VALUES (0, 'old'), (1, 'old')")
    with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=place.name) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        run = place.project.succeed(place.module(3, guards={"truncate": truncate}))
        seen = reader.execute("SELECT count(*) FROM t").fetchall()
    assert (run.dest_rows_before, run.rows_deleted, run.rows_inserted) == (2, 2, 3)
    assert seen == [(0,) if truncate else (2,)]
    assert ("TRUNCATE" in (run.merge_sql or "")) == truncate


def direct(place: Place, query: str, **options: Any) -> Module:
    name = f"d{next(place.numbers)}"
    return place.project.add_module(
        name, source=place.connection, query=query, dest=place.connection, table="t", load="direct", **options
    )


DIRECT = "direct, by the module's `load`: emptied and filled in one transaction; "


def test_a_direct_load_fills_the_dest_without_staging(place: Place) -> None:
    place.sql.execute("CREATE VIEW seen AS SELECT * FROM t; INSERT INTO t VALUES (0, 'old')")
    place.sql.execute("CREATE TABLE log (n bigint)")
    before = place.indexes()
    hook = {"sql": "INSERT INTO log SELECT count(*) FROM t"}
    run = place.project.succeed(direct(place, "SELECT 7 AS id, 'v' AS v", hooks=[hook]))
    assert told(run) == f"{DIRECT}{KEPT.removeprefix('staged, ')}making them anew pays from 50,000 rows on"
    assert (run.rows_read, run.rows_deleted, run.rows_inserted, run.dest_rows_before) == (1, 1, 1, 1)
    assert (place.ask("SELECT * FROM seen"), place.ask("SELECT * FROM log")) == ([(7, "v")], [(1,)])
    assert (run.staging_table, place.indexes()) == (None, before)
    assert [check.name for check in run.checks] == ["columns", "counts", "exact", "not empty", "load"]
    place.sql.execute(f"INSERT INTO t SELECT n, 'v' FROM generate_series(10, {MANY + 10}) AS n; ANALYZE t")
    again = place.project.succeed(direct(place, f"SELECT n AS id, 'w' AS v FROM generate_series(1, {MANY}) AS n"))
    assert told(again) == f"{DIRECT}indexes are made anew after the rows, as the dest is emptied first: t_pkey, t_v"
    assert place.ask("SELECT count(*), max(v) FROM seen") == [(MANY, "w")]
    assert not {*before} & {*place.indexes()}
    ledger = "SELECT rows, state FROM pipekit_staging.pipekit_ledger ORDER BY run_id"
    assert place.ask(ledger) == [(1, "merged"), (MANY, "merged")]
    assert place.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'pipekit_staging'") == [(1,)]


def test_a_reader_of_before_a_direct_load_sees_its_rows(place: Place, postgres: LocalPostgres) -> None:
    place.sql.execute("INSERT INTO t VALUES (0, 'old')")
    with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=place.name) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1")
        place.project.succeed(direct(place, "SELECT 7 AS id, 'v' AS v"))
        assert reader.execute("SELECT * FROM t").fetchall() == [(7, "v")]


def test_numbers_that_come_directly_move_the_sequence_behind_their_column(place: Place) -> None:
    place.sql.execute("DROP TABLE t; CREATE TABLE t (id serial, v text, n numeric GENERATED ALWAYS AS (id * 2) STORED)")
    place.project.succeed(direct(place, "SELECT 41 AS id, 'v' AS v"))
    place.sql.execute("INSERT INTO t (v) VALUES ('next')")
    assert place.ask("SELECT id, n FROM t ORDER BY 1") == [(41, 82), (42, 84)]


def test_a_query_that_reads_the_dest_itself_is_not_loaded_directly(place: Place) -> None:
    place.sql.execute("INSERT INTO t VALUES (0, 'old')")
    run = place.project.run(direct(place, "SELECT id + 1 AS id, v FROM t"))
    assert (run.status, run.error_stage, run.attempt) == ("error", "stage", 1)
    assert run.error == "The source query reads public.t, which `load: direct` empties before the query has been read."
    assert place.ask("SELECT id FROM t") == [(0,)]


NOT_DIRECTLY: dict[str, tuple[str, dict[str, Any], str]] = {
    "it keeps rows": ("", {"merge_strategy": "append"}, "append keeps rows of it"),
    "a trigger fires": (
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER looks BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION look()",
        {},
        "what trigger looks makes of the rows",
    ),
    "others refer to it": ("CREATE TABLE child (id integer REFERENCES t)", {}, "it cannot be truncated"),
    "a guard says so": ("", {"guards": {"truncate": False}}, "`guards: {truncate: false}`"),
    "a type is another": ("ALTER TABLE t ALTER id TYPE smallint", {}, "id (integer into smallint)"),
}


@pytest.mark.parametrize("case", NOT_DIRECTLY)
def test_a_dest_that_cannot_be_loaded_directly_says_why_and_is_left_alone(place: Place, case: str) -> None:
    sql, options, why = NOT_DIRECTLY[case]
    place.sql.execute("INSERT INTO t VALUES (0, 'old')")
    if sql:
        place.sql.execute(sql)
    run = place.project.run(direct(place, "SELECT 7 AS id, 'v' AS v", **options))
    assert (run.status, run.error_stage) == ("error", "plan")
    assert why in (run.error or "")
    assert "load: staged" in (run.hint or "")
    assert place.ask("SELECT id FROM t") == [(0,)]


def test_a_dest_that_a_direct_load_makes_is_made_from_staging(place: Place) -> None:
    place.sql.execute("DROP TABLE t")
    run = place.project.succeed(direct(place, "SELECT 7 AS id, 'v' AS v", create_table=True))
    assert told(run) == "staged, as this run makes the dest"
    assert place.ask("SELECT * FROM t") == [(7, "v")]


BREAKS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "no rows": ("SELECT 1 AS id, 'v' AS v WHERE false", {}, "check", "gave no rows, and public.t holds 2"),
    "too few rows": (
        "SELECT 1 AS id, 'v' AS v", {"guards": {"shrink": 0.8}}, "check", "would leave 1 of 2 rows, less than",
    ),
    "a key twice": ("SELECT 1 AS id, v FROM (VALUES ('a'), ('b')) AS x (v)", {}, "stage", "Row 2: duplicate key"),
    "a NULL": ("SELECT NULLIF(n, 3) AS id, 'v' AS v FROM generate_series(1, 4) AS n", {}, "stage", "Row 3, column id:"),
    "the source fails": (
        "SELECT 1 / (n - 3) AS id, n::text AS v FROM generate_series(1, 3) AS n", {}, "stage", "division",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_a_direct_load_that_breaks_leaves_the_dest_as_it_was(place: Place, case: str) -> None:
    query, options, stage, message = BREAKS[case]
    place.sql.execute("INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    before = place.indexes()
    run = place.project.run(direct(place, query, **options))
    assert (run.status, run.error_stage, run.merge_state) == ("error", stage, "none")
    assert message in (run.error or "")
    assert (place.ask("SELECT id FROM t ORDER BY 1"), place.indexes()) == ([(1,), (2,)], before)


@pytest.mark.parametrize("how", ["cancelled", "killed"])
def test_a_direct_load_that_is_stopped_in_the_middle_leaves_the_dest_as_it_was(place: Place, how: str) -> None:
    place.sql.execute("INSERT INTO t VALUES (1, 'old')")
    query = "SELECT n AS id, pg_sleep(0.5)::text AS v FROM generate_series(1, {rows}) AS n"
    watermark = {"name": "rows", "connection_id": place.connection.id, "resolver_sql": "SELECT 1000"}
    module = direct(place, query, watermarks=[watermark])
    held = "SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND granted"
    program = place.project.start_cli("run", module.name)
    assert wait_until(lambda: place.ask(held) == [(1,)], PATIENCE_S)
    if how == "killed":
        program.kill()
    else:
        place.project.cli("runs", "cancel", str(place.project.last_run().id))
    program.wait(PATIENCE_S)
    assert wait_until(lambda: place.ask(held) == [(0,)], PATIENCE_S)
    assert place.ask("SELECT id FROM t") == [(1,)]
    assert how == "killed" or place.project.get_run(1).status == "cancelled"
    after = place.project.succeed(module, watermarks={"rows": "1"})
    assert (after.rows_deleted, place.ask("SELECT id FROM t")) == (1, [(1,)])
    assert (place.project.get_run(1).merge_state, place.project.get_run(1).error_stage) == ("none", "stage")


def test_rows_of_another_kind_are_looked_at_on_their_direct_way(place: Place, tmp_path: Path) -> None:
    file = sqlite3.connect(tmp_path / "source.db")
    file.executescript("CREATE TABLE s (id, v); INSERT INTO s VALUES (1, 'a'), (2, 'b')")
    source = place.project.add_connection("file", f"jdbc:sqlite:{tmp_path / 'source.db'}")
    module = place.project.add_module(
        "other", source=source, query="SELECT id, v FROM s", dest=place.connection, table="t", load="direct"
    )
    place.project.succeed(module)
    assert place.ask("SELECT * FROM t ORDER BY 1") == [(1, "a"), (2, "b")]
    file.executescript("UPDATE s SET id = 2.5 WHERE v = 'b'")
    run = place.project.run(module)
    assert (run.status, run.error_stage) == ("error", "stage")
    assert "Row 2" in (run.error or "")
    assert place.ask("SELECT count(*) FROM t") == [(2,)]
    back = place.project.add_module(
        "back", source=place.connection, query="SELECT id, v FROM t", dest=source, table="s", load="direct"
    )
    refused = place.project.run(back)
    assert refused.error == "SQLite dests cannot be loaded by `load: direct`."

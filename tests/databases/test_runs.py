# The corridor from end to end, over every pair of kinds that exists, on real databases.
"""What each strategy does, and what each guard refuses, whatever the databases."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine.events import Event, RowsMoved, StageStarted
from pipekit.errors import Invalid
from pipekit.models import Connection, Guards, Module, Run
from tests.lending import lend_database, take_back
from tests.project import Project

PAIRS = [("sqlite", "sqlite"), ("postgresql", "postgresql"), ("sqlite", "postgresql"), ("postgresql", "sqlite")]


class Database:
    """A scratch database of either kind, spoken to by its own library."""

    def __init__(self, kind: str, folder: Path, postgres: LocalPostgres) -> None:
        self.kind = kind
        self._postgres = postgres
        name = f"runs_{time.monotonic_ns()}" if kind == "sqlite" else lend_database(postgres)
        self.name = name
        self.connection: Any
        if kind == "sqlite":
            self.url = f"jdbc:sqlite:{folder / name}.db"
            self.connection = sqlite3.connect(folder / f"{name}.db", isolation_level=None)
        else:
            self.url = postgres.jdbc_url(name)
            self.connection = psycopg.connect(
                host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True
            )

    def close(self) -> None:
        """Ends the session; what PostgreSQL has lent is given back."""
        self.connection.close()
        if self.kind != "sqlite":
            take_back(self._postgres, self.name)

    def execute(self, *statements: str) -> None:
        for sql in statements:
            self.connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.execute(sql).fetchall()]


class Bench:
    """Two databases and a project that connects them."""

    _lent: Database | None = None

    def __init__(
        self, folder: Path, pair: tuple[str, str], postgres: LocalPostgres, source: Database | None = None
    ) -> None:
        self._lent = source
        self.source = source or Database(pair[0], folder, postgres)
        self.dest = Database(pair[1], folder, postgres)
        self.project = Project(folder)
        self.source_connection = self._connect("source", self.source)
        self.dest_connection = self._connect("dest", self.dest)

    def _connect(self, name: str, database: Database) -> Connection:
        username = "postgres" if database.kind == "postgresql" else None
        return self.project.add_connection(name, database.url, username=username)

    def module(self, query: str, table: str = "t", name: str = "m", **options: Any) -> Module:
        return self.project.add_module(
            name, source=self.source_connection, query=query, dest=self.dest_connection, table=table, **options
        )

    def watermark(self, sql: str, default: str | None = None) -> dict[str, Any]:
        return {
            "name": "since",
            "connection_id": self.dest_connection.id,
            "resolver_sql": sql,
            "default_value": default,
        }

    def close(self) -> None:
        if self._lent is None:
            self.source.close()
        self.dest.close()
        self.project.close()


@pytest.fixture(params=PAIRS, ids=["-".join(pair) for pair in PAIRS])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres, near_when_quick: None
) -> Iterator[Bench]:
    bench = Bench(tmp_path, request.param, postgres)
    yield bench
    bench.close()


def fill(bench: Bench) -> None:
    """Source 2..4 as `new`, dest 1..3 as `old`."""
    for database in (bench.source, bench.dest):
        database.execute("create table t (id integer, v text)")
    bench.source.execute("insert into t values (2, 'new'), (3, 'new'), (4, 'new')")
    bench.dest.execute("insert into t values (1, 'old'), (2, 'old'), (3, 'old')")


def dest_rows(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.dest.rows("select id, v from t order by id, v")


def refuse(bench: Bench, module: Module, stage: str, *words: str, **options: Any) -> Run:
    """Runs a module that must fail, and leaves the dest as it was."""
    before = bench.dest.rows("select * from t order by 1, 2")
    run = bench.project.run(module, **options)
    assert (run.status, run.error_stage, run.merge_state) == ("error", stage, "none"), run.error
    for word in words:
        assert word in f"{run.error} {run.hint}"
    assert bench.dest.rows("select * from t order by 1, 2") == before
    return run


def counts(run: Run) -> tuple[int | None, ...]:
    """Rows read, staged, deleted, inserted, and those that came again, written or not."""
    again = (run.rows_updated or 0) + (run.rows_unchanged or 0)
    return (run.rows_read, run.rows_staged, run.rows_deleted, run.rows_inserted, again)


@pytest.mark.parametrize(
    ("strategy", "after", "figures", "again"),
    [
        ("full", [(2, "new"), (3, "new"), (4, "new")], (3, 3, 3, 3, 0), (3, 3, 3, 3, 0)),
        ("incremental", [(1, "old"), (2, "new"), (3, "new"), (4, "new")], (3, 3, 2, 3, 0), (3, 3, 3, 3, 0)),
        ("upsert", [(1, "old"), (2, "new"), (3, "new"), (4, "new")], (3, 3, 0, 1, 2), (3, 3, 0, 0, 3)),
    ],
)
def test_a_strategy_does_what_it_says_and_the_same_again(
    bench: Bench, strategy: str, after: list[tuple[Any, ...]], figures: tuple[int, ...], again: tuple[int, ...]
) -> None:
    fill(bench)
    module = bench.module("select id, v from t", merge_strategy=strategy, merge_key="id")
    assert counts(bench.project.succeed(module)) == figures
    assert dest_rows(bench) == after
    assert counts(bench.project.succeed(module)) == again
    assert dest_rows(bench) == after


def test_append_adds_each_time(bench: Bench) -> None:
    fill(bench)
    module = bench.module("select id, v from t", merge_strategy="append")
    assert counts(bench.project.succeed(module)) == (3, 3, 0, 3, 0)
    bench.project.succeed(module)
    assert len(dest_rows(bench)) == 9


def test_incremental_reloads_a_key_that_is_not_unique(bench: Bench) -> None:
    for database in (bench.source, bench.dest):
        database.execute("create table t (period integer, n integer)")
    bench.source.execute("insert into t values (7, 1), (7, 2)")
    bench.dest.execute("insert into t values (6, 9), (7, 8), (7, 8), (7, 8)")
    run = bench.project.succeed(bench.module("select * from t", merge_strategy="incremental", merge_key="period"))
    assert counts(run) == (2, 2, 3, 2, 0)
    assert bench.dest.rows("select * from t order by 1, 2") == [(6, 9), (7, 1), (7, 2)]


@pytest.mark.parametrize("strategy", ["upsert", "incremental"])
def test_a_merge_key_may_be_a_column_with_a_comma_in_its_name(bench: Bench, strategy: str) -> None:
    for database in (bench.source, bench.dest):
        database.execute("""create table t ("a,b" integer, "c" integer, v text)""")
    bench.source.execute("insert into t values (1, 1, 'new'), (1, 2, 'new')")
    bench.dest.execute("insert into t values (1, 1, 'old'), (2, 1, 'old')")
    bench.project.succeed(bench.module("select * from t", merge_strategy=strategy, merge_key='"a,b", c'))
    assert bench.dest.rows("select * from t order by 1, 2") == [(1, 1, "new"), (1, 2, "new"), (2, 1, "old")]


def test_columns_in_another_order_never_swap_values(bench: Bench) -> None:
    bench.source.execute("create table t (a integer, b integer)", "insert into t values (1, 2)")
    bench.dest.execute("create table t (B integer, A integer)")
    bench.project.succeed(bench.module("select a, b from t"))
    assert bench.dest.rows("select a, b from t") == [(1, 2)]


@pytest.mark.parametrize("ending", [";", " ; -- done", "-- done", " /* ; */ ;", "\n;\n\n"])
def test_a_query_may_end_in_a_semicolon_or_a_comment(bench: Bench, ending: str) -> None:
    fill(bench)
    bench.project.succeed(bench.module(f"select id, v from t where v <> ';'{ending}"))
    assert len(dest_rows(bench)) == 3


def test_a_with_query_works(bench: Bench) -> None:
    fill(bench)
    query = "with x as (select id, v from t) select id, v from x where id > 2"
    bench.project.succeed(bench.module(query))
    assert dest_rows(bench) == [(3, "new"), (4, "new")]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select id, v, 1 as more from t", ["'more' has no dest column"]),
        ("select id from t", ["'needed' is NOT NULL"]),
        ("select id, id, v as needed from t", ["2 columns named 'id'"]),
    ],
)
def test_columns_that_do_not_meet_are_named(bench: Bench, query: str, words: list[str]) -> None:
    bench.source.execute("create table t (id integer, v text)", "insert into t values (1, 'x')")
    bench.dest.execute("create table t (id integer, needed text not null)", "insert into t values (9, 'kept')")
    if "more" in query:
        query = query.replace(" v,", " v as needed,")
    refuse(bench, bench.module(query), "check", *words, "column_truth")


def test_unfed_columns_with_a_default_or_nullable_are_reported(bench: Bench) -> None:
    bench.source.execute("create table t (id integer)", "insert into t values (1)")
    bench.dest.execute("create table t (id integer, d integer not null default 5, n integer)")
    run = bench.project.succeed(bench.module("select id from t"))
    assert bench.dest.rows("select id, d, n from t") == [(1, 5, None)]
    assert any("not fed: d, n" in check.detail for check in run.checks)


def test_an_empty_source_does_not_empty_the_dest(bench: Bench) -> None:
    fill(bench)
    module = bench.module("select id, v from t where 1 = 0")
    refuse(bench, module, "check", "gave no rows", "empty_source: false")
    allowed = bench.module("select id, v from t where 1 = 0", name="allowed", guards=Guards(empty_source=False))
    bench.project.succeed(allowed)
    assert dest_rows(bench) == []


def test_an_empty_source_into_an_empty_dest_is_fine(bench: Bench) -> None:
    fill(bench)
    bench.dest.execute("delete from t")
    assert counts(bench.project.succeed(bench.module("select id, v from t where 1 = 0"))) == (0, 0, 0, 0, 0)


def test_a_dest_that_would_shrink_too_much_is_refused(bench: Bench) -> None:
    fill(bench)
    module = bench.module("select id, v from t where id = 2", guards=Guards(shrink=0.5))
    refuse(bench, module, "check", "1 of 3 rows", "shrink")
    bench.project.succeed(bench.module("select id, v from t where id < 4", name="ok", guards=Guards(shrink=0.5)))


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_a_null_merge_key_is_refused_with_a_count_and_an_example(bench: Bench, strategy: str) -> None:
    fill(bench)
    bench.source.execute("insert into t values (null, 'x'), (null, 'y')")
    module = bench.module("select id, v from t", merge_strategy=strategy, merge_key="id")
    refuse(bench, module, "check", "2 staged rows have a NULL", "null_keys: true")


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_nulls_match_each_other_when_the_module_says_so(bench: Bench, strategy: str) -> None:
    for database in (bench.source, bench.dest):
        database.execute("create table t (a integer, b integer, v text)")
    bench.source.execute("insert into t values (1, null, 'new'), (null, null, 'new'), (2, 2, 'new')")
    bench.dest.execute("insert into t values (1, null, 'old'), (null, null, 'old'), (2, 2, 'old'), (null, 2, 'kept')")
    guards = Guards(null_keys=True)
    module = bench.module("select * from t", merge_strategy=strategy, merge_key="a, b", guards=guards)
    for _ in range(2):
        bench.project.succeed(module)
        assert sorted(row[2] for row in bench.dest.rows("select * from t")) == ["kept", "new", "new", "new"]


def test_upsert_refuses_a_key_that_is_staged_twice(bench: Bench) -> None:
    fill(bench)
    bench.source.execute("insert into t values (4, 'again')")
    module = bench.module("select id, v from t", merge_strategy="upsert", merge_key="id")
    refuse(bench, module, "check", "1 merge keys", "4", "tells these rows apart")


def test_upsert_into_a_dest_with_a_repeated_key_rolls_back(bench: Bench) -> None:
    fill(bench)
    bench.dest.execute("insert into t values (2, 'twin')")
    module = bench.module("select id, v from t", merge_strategy="upsert", merge_key="id")
    refuse(bench, module, "merge", "add up to 4, but 3 were staged")


def test_upsert_of_nothing_but_keys_counts_matches(bench: Bench) -> None:
    for database in (bench.source, bench.dest):
        database.execute("create table t (a integer, b integer)")
    bench.source.execute("insert into t values (1, 1), (2, 2)")
    bench.dest.execute("insert into t values (1, 1)")
    run = bench.project.succeed(bench.module("select * from t", merge_strategy="upsert", merge_key="a, b"))
    assert counts(run) == (2, 2, 0, 1, 1)


@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_a_keyed_merge_writes_what_differs_and_counts_what_does_not(bench: Bench, strategy: str) -> None:
    for database in (bench.source, bench.dest):
        database.execute("create table t (id integer primary key, v text)")
    bench.source.execute("insert into t values (2, 'same'), (3, 'new'), (4, 'new')")
    bench.dest.execute("insert into t values (1, 'old'), (2, 'same'), (3, 'old')")
    module = bench.module("select id, v from t", merge_strategy=strategy, merge_key="id")
    for wanted in ((0, 1, 1, 1), (0, 0, 0, 3)):
        run = bench.project.succeed(module)
        assert (run.rows_deleted, run.rows_inserted, run.rows_updated, run.rows_unchanged) == wanted
        assert dest_rows(bench) == [(1, "old"), (2, "same"), (3, "new"), (4, "new")]


def test_a_key_that_is_not_fed_is_refused(bench: Bench) -> None:
    fill(bench)
    refuse(bench, bench.module("select id, v from t", merge_strategy="upsert", merge_key="nope"), "check", "'nope'")


def test_a_watermark_moves_the_query_on(bench: Bench) -> None:
    fill(bench)
    mark = bench.watermark("select max(id) from t")
    module = bench.module("select id, v from t where id > {since}", merge_strategy="append", watermarks=[mark])
    first, second = bench.project.succeed(module), bench.project.succeed(module)
    assert (first.watermark_values, first.rows_inserted) == ({"since": "3"}, 1)
    assert (second.watermark_values, second.rows_inserted) == ({"since": "4"}, 0)
    assert second.resolved_sql == "select id, v from t where id > 4"


@pytest.mark.parametrize("sql", ["select max(id) from t where 1 = 0", "select id from t where 1 = 0"])
def test_a_resolver_without_a_value_takes_the_default_or_is_an_error(bench: Bench, sql: str) -> None:
    fill(bench)
    query = "select id, v from t where id > {since}"
    run = bench.project.succeed(bench.module(query, watermarks=[bench.watermark(sql, default="3")]))
    assert run.watermark_values == {"since": "3"}
    module = bench.module(query, name="without", watermarks=[bench.watermark(sql)])
    refuse(bench, module, "watermark", "'since' has no value", "default")


def test_a_watermark_can_be_overridden_for_one_run(bench: Bench) -> None:
    fill(bench)
    mark = bench.watermark("select this is not asked")
    module = bench.module("select id, v from t where id > {since}", merge_strategy="append", watermarks=[mark])
    run = bench.project.succeed(module, watermarks={"since": "3"})
    assert (run.watermark_values, run.rows_inserted) == ({"since": "3"}, 1)
    with pytest.raises(Invalid, match="no watermark 'sinse'"):
        bench.project.run(module, watermarks={"sinse": "3"})


def test_a_dry_run_stores_the_text_and_moves_nothing(bench: Bench) -> None:
    fill(bench)
    mark = bench.watermark("select max(id) from t")
    module = bench.module("select id, v from t where id > {since}", watermarks=[mark])
    run = bench.project.run(module, dry_run=True)
    assert (run.status, run.error, run.watermark_values) == ("dry_run", None, {"since": "3"})
    assert "id > 3" in (run.resolved_sql or "")
    assert "pipekit_staging" in (run.staging_sql or "")
    assert "pipekit_staging" in (run.merge_sql or "")
    assert dest_rows(bench) == [(1, "old"), (2, "old"), (3, "old")]
    assert not any("pipekit" in str(row) for row in _tables(bench.dest))


def _tables(database: Database) -> list[tuple[Any, ...]]:
    if database.kind == "sqlite":
        return database.rows("select name from sqlite_master where type = 'table'")
    return database.rows("select schemaname, tablename from pg_tables where schemaname <> 'pg_catalog'")


def test_the_dest_table_is_made_from_the_query_when_it_is_missing(bench: Bench) -> None:
    fill(bench)
    query = 'select id, v as "V 2" from t'
    missing = bench.module(query, table="made", name="missing")
    run = bench.project.run(missing)
    assert (run.status, run.error_stage) == ("error", "check")
    assert "create_table: true" in (run.hint or "")
    module = bench.module(query, table="made", name="making", create_table=True)
    assert bench.project.run(module, dry_run=True).status == "dry_run"
    bench.project.succeed(module)
    bench.project.succeed(module)
    assert bench.dest.rows("select id, v_2 from made order by 1") == [(2, "new"), (3, "new"), (4, "new")]


def test_hooks_run_in_order_and_by_outcome(bench: Bench) -> None:
    fill(bench)
    bench.dest.execute("create table said (what text)")
    hooks = [
        {"sql": f"insert into said values ('{on} {order}')", "run_on": on, "run_order": order}
        for order, on in ((3, "always"), (1, "success"), (2, "failure"))
    ]
    bench.project.succeed(bench.module("select id, v from t", hooks=hooks))
    assert bench.dest.rows("select what from said") == [("success 1",), ("always 3",)]
    bench.dest.execute("delete from said")
    assert bench.project.run(bench.module("select nope", name="fails", hooks=hooks)).status == "error"
    assert bench.dest.rows("select what from said") == [("failure 2",), ("always 3",)]


def test_a_failing_hook_says_that_the_merge_was_committed(bench: Bench) -> None:
    fill(bench)
    bench.dest.execute("create table said (what text)")
    hooks = [
        {"sql": "insert into nowhere values (1)", "run_order": 1},
        {"sql": "insert into said values ('not reached')", "run_order": 2},
        {"sql": "insert into said values ('told')", "run_on": "failure", "run_order": 3},
    ]
    run = bench.project.run(bench.module("select id, v from t", hooks=hooks))
    assert (run.status, run.error_stage, run.merge_state) == ("error", "hook", "merged")
    assert "nowhere" in (run.error or "")
    assert "merge was committed" in (run.error or "")
    assert dest_rows(bench) == [(2, "new"), (3, "new"), (4, "new")]
    assert bench.dest.rows("select what from said") == [("told",)]


def test_a_run_tells_its_stages_and_leaves_a_log_and_nothing_else(bench: Bench) -> None:
    fill(bench)
    events: list[Event] = []
    run = bench.project.run(bench.module("select id, v from t"), events.append)
    stages = [event.stage for event in events if isinstance(event, StageStarted)]
    assert stages == ["watermark", "plan", "stage", "check", "merge", "hook"]
    assert [event.rows for event in events if isinstance(event, RowsMoved)] == [3]
    assert set(run.stages) == set(stages)
    log = bench.project.read_log(run.id)
    assert "-- merge" in log
    assert "staged 3 rows" in log
    staging = [row for row in _tables(bench.dest) if "staging" in str(row)]
    assert len(staging) == 1, "only the ledger stays"
    assert all(check.ok for check in run.checks)
    module = repo.get_module_by_name(bench.project.db, "m")
    assert (module.running, module.lease_owner) == (False, None)


def test_odd_names_work_everywhere(bench: Bench) -> None:
    odd = 'we"ird ; -- näme'
    quoted = odd.replace('"', '""')
    bench.source.execute(f'create table t ("{quoted}" integer, "select" text)', "insert into t values (1, 'x')")
    bench.dest.execute(f'create table "{quoted}" ("select" text, "{quoted}" integer)')
    module = bench.module(
        "select * from t", table=f'"{quoted}"', name="odd-1.x", merge_strategy="upsert", merge_key=odd
    )
    for _ in range(2):
        bench.project.succeed(module)
    assert bench.dest.rows(f'select "{quoted}", "select" from "{quoted}"') == [(1, "x")]


def test_position_loads_a_query_without_usable_names(bench: Bench) -> None:
    fill(bench)
    bench.project.succeed(bench.module("select id as x, v as x2 from t", match="position"))
    assert dest_rows(bench) == [(2, "new"), (3, "new"), (4, "new")]


def test_text_survives(bench: Bench) -> None:
    texts = [
        "",
        "NULL",
        r"\N",
        r"\.",
        "a\tb",
        "a\nb",
        "a\r\nb",
        "back\\slash",
        "'quote'",
        '"q"',
        "😀 é ﷽",
        "  blanks  ",
        "{x}",
        "%s",
    ]
    bench.source.execute("create table t (id integer, v text)")
    mark = "?" if bench.source.kind == "sqlite" else "%s"
    for number, text in enumerate(texts):
        bench.source.connection.execute(f"insert into t values ({mark}, {mark})", (number, text))
    bench.source.execute("insert into t values (999, null)")
    bench.dest.execute("create table t (id integer, v text)")
    bench.project.succeed(bench.module("select id, v from t"))
    assert dest_rows(bench) == [*enumerate(texts), (999, None)]


def test_the_same_module_twice_at_once_is_busy(bench: Bench) -> None:
    fill(bench)
    module = bench.module("select id, v from t")
    seen: list[str] = []

    def during(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "stage":
            finished = bench.project.cli_apart("run", "m", "--json")
            seen.append(f"{finished.code} {finished.stdout}")

    assert bench.project.run(module, during).status == "success"
    assert seen[0].startswith("3 ")
    assert "ModuleBusy" in seen[0]
    assert dest_rows(bench) == [(2, "new"), (3, "new"), (4, "new")]


@pytest.mark.parametrize("default", ["0", None])
def test_a_watermark_may_ask_the_dest_table_that_the_first_run_makes(bench: Bench, default: str | None) -> None:
    fill(bench)
    mark = bench.watermark("select max(id) from made", default=default)
    query = "select id, v from t where id > {since}"
    module = bench.module(query, table="made", create_table=True, merge_strategy="append", watermarks=[mark])
    run = bench.project.run(module)
    if default is None:
        assert (run.status, run.error_stage) == ("error", "watermark")
        return
    assert (run.status, run.watermark_values, run.rows_inserted) == ("success", {"since": "0"}, 3), run.error
    assert bench.project.succeed(module).watermark_values == {"since": "4"}

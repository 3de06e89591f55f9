# The corridor over JDBC: Derby as source and as dest, by the same tests as every other pair of kinds.
"""What `test_runs` says of every pair, with a registered driver on one side."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers import get_driver
from pipekit.drivers.base import LedgerEntry
from pipekit.engine import open_look
from pipekit.engine.planning.creation import MADE
from pipekit.engine.recovering.ledger import settle_merge
from pipekit.engine.recovering.recover import recover_runs
from pipekit.models import Check, Connection, Strategy
from pipekit.runner.native import NativeRunner
from pipekit.runner.process import run_program
from tests.databases import test_creation, test_runs
from tests.databases.jdbc import DERBY_CLIENT
from tests.databases.over_jdbc import PASSWORD, JdbcDatabase, open_derby, register
from tests.databases.test_runs import Bench, Database, counts, fill, refuse
from tests.patience import PATIENCE_S
from tests.project import Project

OUT = [("derby", "sqlite")]
INTO = [("postgresql", "derby")]
PAIRS = [*OUT, ("derby", "postgresql"), *INTO]
# What is asked of a source is asked of Derby once, what is asked of a dest as well; the other side of each is proven by
# its own tests. All of these runs share one Java; the tests below start one for each, as the program does.
SAME = {
    test_runs.test_a_strategy_does_what_it_says_and_the_same_again: PAIRS,
    test_runs.test_append_adds_each_time: PAIRS,
    test_runs.test_a_watermark_moves_the_query_on: PAIRS,
    test_runs.test_columns_in_another_order_never_swap_values: [*OUT, *INTO],
    test_runs.test_odd_names_work_everywhere: [*OUT, *INTO],
    test_runs.test_position_loads_a_query_without_usable_names: [*OUT, *INTO],
    test_runs.test_a_query_may_end_in_a_semicolon_or_a_comment: OUT,
    test_runs.test_a_dest_that_would_shrink_too_much_is_refused: INTO,
    test_runs.test_a_null_merge_key_is_refused_with_a_count_and_an_example: INTO,
    test_runs.test_an_empty_source_does_not_empty_the_dest: INTO,
    test_runs.test_hooks_run_in_order_and_by_outcome: INTO,
    test_runs.test_incremental_reloads_a_key_that_is_not_unique: INTO,
    test_runs.test_nulls_match_each_other_when_the_module_says_so: INTO,
    test_runs.test_upsert_into_a_dest_with_a_repeated_key_rolls_back: INTO,
    test_runs.test_upsert_of_nothing_but_keys_counts_matches: INTO,
    test_runs.test_upsert_refuses_a_key_that_is_staged_twice: INTO,
    test_creation.test_a_first_run_that_fails_leaves_no_table_and_another_type_then_takes_effect: INTO,
    test_creation.test_nobody_sees_a_table_that_is_being_filled_for_the_first_time: INTO,
    test_creation.test_a_table_that_somebody_else_makes_meanwhile_is_left_as_it_is: INTO,
    test_creation.test_a_merge_that_fails_takes_the_table_along: INTO,
    test_creation.test_a_table_that_is_made_has_the_key_of_its_merge: INTO,
}
# They take the fixture `bench` of this file.
globals().update({test.__name__: test for test in SAME})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The pairs of the tests that this file shares with others."""
    pairs = SAME.get(metafunc.function)
    if pairs:
        metafunc.parametrize("bench", pairs, indirect=True, ids=["-".join(pair) for pair in pairs])


@pytest.fixture(scope="module")
def runner() -> Iterator[NativeRunner]:
    """What the tests themselves ask Derby with: one Java for all of them."""
    with NativeRunner(silence_timeout_s=120) as runner:
        yield runner


@pytest.fixture(scope="module")
def derby(derby_server: int, runner: NativeRunner) -> Iterator[JdbcDatabase]:
    """One database for all tests; making one takes longer than a run."""
    with open_derby(derby_server, f"runs_{time.monotonic_ns()}", runner) as database:
        yield database


@pytest.fixture
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres, derby: JdbcDatabase
) -> Iterator[Bench]:
    if request.function in SAME:
        request.getfixturevalue("one_child")
    bench = DerbyBench(tmp_path, request.param, postgres, derby)
    yield bench
    bench.close()
    derby.clear()


class DerbyBench(Bench):
    """Derby on one side, registered as the kind `derby`."""

    def __init__(self, folder: Path, pair: tuple[str, str], postgres: LocalPostgres, derby: JdbcDatabase) -> None:
        self._derby = derby
        self._postgres = postgres
        self._folder = folder
        self.project = Project(folder)
        register(self.project, "derby", DERBY_CLIENT, "jdbc:derby://{host}/{database}")
        self.source, self.dest = (self._open(kind) for kind in pair)
        self.source_connection = self._connect("source", self.source)
        self.dest_connection = self._connect("dest", self.dest)

    def _open(self, kind: str) -> Database:
        if kind == "derby":
            return self._derby  # type: ignore[return-value]
        return Database(kind, self._folder, self._postgres)

    def _connect(self, name: str, database: Database) -> Connection:
        if database.kind != "derby":
            return super()._connect(name, database)
        self.project.secrets.set("DERBY", PASSWORD)
        return self.project.add_connection(name, database.url, username="shop", password="$DERBY")


# -- what only Derby shows ---------------------------------------------------------------------------------------------

into_derby = pytest.mark.parametrize("bench", INTO, indirect=True, ids=["postgresql-derby"])
out_of_derby = pytest.mark.parametrize("bench", [("derby", "postgresql")], indirect=True, ids=["derby-postgresql"])
TYPES = (
    "i integer, s smallint, b bigint, d decimal(31,10), r real, f double, c char(3), v varchar(40), l clob, x blob,"
    " y varchar(8) for bit data, t date, h time, m timestamp, o boolean"
)
VALUES = (
    "(1, -2, 9223372036854775807, 123456789012345678901.0123456789, 1.5, 1e300, 'a', 'ü😀', 'long',"
    " CAST(X'00ff' AS BLOB), X'0102', '0001-01-01', '23:59:59', '9999-12-31 23:59:59.999999', true),"
    " (2, null, null, null, null, null, null, '', null, null, null, null, null, null, null)"
)


@out_of_derby
def test_every_type_goes_to_postgresql_and_comes_back_the_same(bench: DerbyBench) -> None:
    bench.source.execute(f"create table t ({TYPES})", f"insert into t values {VALUES}", f"create table u ({TYPES})")
    bench.project.succeed(bench.module("select * from t", table="t", create_table=True))
    back = bench.project.add_module(
        "back", source=bench.dest_connection, query='select * from "t"', dest=bench.source_connection, table="u"
    )
    bench.project.succeed(back)
    kept = "i, s, b, d, r, f, c, v, cast(l as varchar(100)), length(x), y, t, h, m, o"
    query = "select {} from {} order by i"
    assert bench.source.rows(query.format(kept, "u")) == bench.source.rows(query.format(kept, "t"))
    types = bench.dest.rows(
        "select data_type, numeric_precision from information_schema.columns where table_name = 't' order by 1"
    )
    assert ("numeric", 31) in types
    assert ("timestamp without time zone", None) in types


@pytest.mark.parametrize("bench", OUT, indirect=True, ids=["derby-sqlite"])
def test_every_type_goes_to_sqlite_and_comes_back_the_same(bench: DerbyBench) -> None:
    bench.source.execute(f"create table t ({TYPES})", f"insert into t values {VALUES}", f"create table u ({TYPES})")
    bench.project.succeed(bench.module("select * from t", table="t", create_table=True))
    kinds = bench.dest.rows("select typeof(x), typeof(y), typeof(o), hex(x), hex(y) from t order by i")
    assert kinds == [("blob", "blob", "integer", "00FF", "0102"), ("null", "null", "null", "", "")]
    back = bench.project.add_module(
        "back", source=bench.dest_connection, query="select * from t", dest=bench.source_connection, table="u"
    )
    bench.project.succeed(back)
    kept = "i, s, b, d, r, f, c, v, cast(l as varchar(100)), length(x), y, t, h, m, o"
    query = "select {} from {} order by i"
    assert bench.source.rows(query.format(kept, "u")) == bench.source.rows(query.format(kept, "t"))


@into_derby
@pytest.mark.usefixtures("one_child")
@pytest.mark.parametrize(
    ("source_type", "value", "dest_type"),
    [
        ("numeric", "1.239", "decimal(5,2)"),
        ("numeric(10,4)", "1.2390", "decimal(5,2)"),
        ("bigint", "2147483648", "integer"),
        ("double precision", "1.5", "integer"),
        ("text", "'abcd'", "varchar(3)"),
        ("varchar(10)", "'abcd'", "varchar(3)"),
        ("time", "'12:00:00.5'", "time"),
        ("text", "'2024-02-30'", "date"),
        ("timestamp", "'infinity'", "timestamp"),
        ("double precision", "0.1", "real"),
        ("bigint", "9007199254740993", "double"),
    ],
)
def test_a_value_derby_would_change_is_refused_with_its_row(
    bench: DerbyBench, source_type: str, value: str, dest_type: str
) -> None:
    bench.source.execute(f"create table t (id integer, v {source_type})")
    bench.source.execute(f"insert into t values (1, null), (2, {value})")
    bench.dest.execute(f"create table t (id integer, v {dest_type})", "insert into t values (9, null)")
    run = bench.project.run(bench.module("select id, v from t order by id"))
    assert (run.status, run.merge_state) == ("error", "none")
    told = f"{run.error} {run.hint}"
    assert "Column v, row 2" in told or "Row 2: the value" in told
    assert bench.dest.rows("select id from t") == [(9,)]


@into_derby
def test_a_run_leaves_nothing_but_the_ledger(bench: DerbyBench) -> None:
    fill(bench)
    bench.project.succeed(bench.module("select id, v from t"))
    refuse(bench, bench.module("select id, v from t where 1 = 0", name="empty"), "check", "gave no rows")
    left = "select t.tablename from sys.systables t join sys.sysschemas s on s.schemaid = t.schemaid"
    assert bench.dest.rows(f"{left} where s.schemaname = 'pipekit_staging'") == [("pipekit_ledger",)]
    states = bench.dest.rows('select distinct "state" from "pipekit_staging"."pipekit_ledger" order by 1')
    assert states == [("lock",), ("merged",)]


@out_of_derby
def test_a_dest_table_is_made_with_names_that_a_statement_finds(bench: DerbyBench) -> None:
    fill(bench)
    module = bench.module('select id, v as "V 2" from t', table="made", create_table=True)
    assert counts(bench.project.succeed(module)) == (3, 3, 0, 3, 0)
    assert bench.dest.rows("select id, v_2 from made order by 1") == [(2, "new"), (3, "new"), (4, "new")]


@out_of_derby
def test_a_query_derby_cannot_take_is_its_own_word(bench: DerbyBench) -> None:
    fill(bench)
    refuse(bench, bench.module("select id from t limit 1"), "plan", "limit")


@into_derby
@pytest.mark.parametrize(("strategy", "told"), [("full", (2, 2, 0)), ("incremental", (1, 2, 0)), ("upsert", (0, 1, 1))])
def test_a_preview_into_derby_says_what_a_run_then_does(
    bench: DerbyBench, strategy: Strategy, told: tuple[int, ...]
) -> None:
    bench.source.execute("create table s (id integer, v text)", "insert into s values (2, 'new'), (3, 'new')")
    bench.dest.execute(
        "create table t (id integer, v varchar(9), l clob)", "insert into t values (1, 'old', 'x'), (2, 'old', 'x')"
    )
    expect = {"expect_not_null": "id, v", "expect_unique": "id", "expect_accepted": "id: 2, 3\nv: new"}
    module = bench.module("select id, v, v as l from s", merge_strategy=strategy, merge_key="id", **expect)
    looked = bench.project.run(module, preview=True)
    found = repo.find_preview(bench.project.db, looked.id)
    assert found is not None, looked.error
    assert (found.would_delete, found.would_insert, found.would_update) == told
    if strategy == "upsert":
        assert found.samples.update[0].differs == {"V": ("old", "new"), "L": ("x", "new")}
    run = bench.project.run(module, merges=looked.id)
    assert (run.rows_deleted, run.rows_inserted, run.rows_updated) == told, run.error


@into_derby
def test_a_run_that_was_overtaken_may_not_merge_and_one_that_is_shut_out_never_will(bench: DerbyBench) -> None:
    fill(bench)
    bench.project.succeed(bench.module("select id, v from t"))
    project, driver = bench.project, get_driver("derby")
    newer, older = (LedgerEntry(run_key=f"k{fence}", run_id=fence, module="m", fence=fence) for fence in (8, 7))
    with open_look(project.config, project.secrets, bench.dest_connection, read_only=False) as look:

        def write(entry: LedgerEntry) -> int:
            return look.runner.execute(look.endpoint, driver.build_ledger_sql(entry))["ledger"]

        def ask(entry: LedgerEntry) -> str | None:
            return look.query(driver.build_outcome_sql(entry.run_key)).first_cell()

        assert (write(newer), ask(newer)) == (1, "merged")
        assert (write(older), ask(older)) == (0, None)
        assert settle_merge(look.runner, driver, look.endpoint, newer, "x") == "merged"
        assert settle_merge(look.runner, driver, look.endpoint, older, "x") == "none"
        assert ask(older) == "fenced"
        assert write(older) == 0


@out_of_derby
@pytest.mark.usefixtures("one_child")
@pytest.mark.parametrize(
    ("source_type", "value", "dest_type"),
    [
        ("timestamp", "timestamp('2024-01-01 00:00:00.123456789')", "timestamp"),
        ("timestamp", "timestamp('2024-01-01 00:00:00.123456')", "timestamp(3)"),
        ("decimal(12,4)", "1.2345", "numeric(10,2)"),
        ("double", "0.1", "real"),
        ("varchar(10)", "'ab   '", "varchar(2)"),
        ("varchar(10)", "'ab '", "char(4)"),
        ("timestamp", "timestamp('2024-01-01 10:00:00')", "date"),
        ("varchar(40)", """'{"a": 1, "a": 2}'""", "jsonb"),
    ],
)
def test_a_value_that_postgresql_would_change_is_refused(
    bench: DerbyBench, source_type: str, value: str, dest_type: str
) -> None:
    bench.source.execute(f"create table t (n integer, v {source_type})", f"insert into t values (1, {value})")
    bench.dest.execute(f"create table t (n integer, v {dest_type})", "insert into t values (7, null)")
    run = bench.project.run(bench.module("select * from t", table="t"))
    assert (run.status, bench.dest.rows("select * from t")) == ("error", [(7, None)]), run
    assert "v" in (run.error or "").lower()


@into_derby
def test_recovery_takes_away_the_empty_table_of_a_run_that_was_killed_and_no_other(bench: DerbyBench) -> None:
    """Four tables are there; of three a run says that it made them, of which one has rows by now, one was given up."""
    for name in ("made", "filled", "given_up", "others"):
        bench.dest.execute(f"create table {name} (id integer)")
    bench.dest.execute("insert into filled values 1")
    python = [sys.executable, "-c", "from pipekit.engine.recovering.owner import new_owner; print(new_owner())"]
    dead = run_program(python, timeout_s=PATIENCE_S).stdout.strip()
    for name, ok in (("made", True), ("filled", True), ("given_up", False)):
        run = repo.start_adhoc_run(
            bench.project.db,
            name=name,
            dest_id=bench.dest_connection.id,
            dest_table=name,
            owner=dead,
            triggered_by="cli",
            dry_run=False,
        )
        repo.update_run(bench.project.db, run.id, checks=[Check(name=MADE, ok=ok, detail=f'"SHOP"."{name.upper()}"')])
    closed = recover_runs(bench.project.installation)
    assert {(run.status, run.merge_state) for run in closed} == {("error", "none")}
    tables = bench.dest.rows("select tablename from sys.systables where tabletype = 'T' order by 1")
    assert [name for (name,) in tables if not name.startswith("pipekit")] == ["FILLED", "GIVEN_UP", "OTHERS"]

# `load: swap` on real PostgreSQL servers: what comes along, what forbids it, who waits, what a change meanwhile does.
"""A table that was loaded beside the dest takes its place, and nobody can tell but by its number."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.swap import changing, obstacles, shape
from pipekit.engine.events import Event, StageStarted
from pipekit.errors import StatementFailed
from pipekit.models import Guards, Module, Run
from pipekit.runner.process import wait_until
from tests.databases.moving import Mover, run
from tests.databases.pooler import open_pooler
from tests.databases.swapping import ODD, ROLES, TABLE, ask, photograph
from tests.lending import lend_database, take_back
from tests.patience import PATIENCE_S
from tests.project import Project

pytestmark = pytest.mark.usefixtures("near_when_quick")

LEFT = """SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = 'pipekit_staging' AND c.relkind = 'r' AND c.relname <> 'pipekit_ledger'"""


PLAIN = "CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'old'), (2, 'old')"
NEW = "SELECT i AS id, 'new' AS v FROM generate_series(2, 4) AS i"


class Swapper:
    """One database of a server, which is source and dest."""

    def __init__(self, server: LocalPostgres, folder: Path) -> None:
        self.server = server
        self.name = lend_database(server, "swap")
        self.project = Project(folder)
        self.pg = self.project.add_connection("pg", server.jdbc_url(self.name), username="postgres")

    def sql(self, text: str) -> None:
        with self.connect() as connection:
            connection.execute(text)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1", port=self.server.port, user="postgres", dbname=self.name, autocommit=True
        )

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        return ask(self.server, self.name, text)

    def module(self, query: str, table: str = "t", name: str = "m", **options: Any) -> Module:
        options = {"source": self.pg, "dest": self.pg, "load": "swap", **options}
        return self.project.add_module(name, table=table, query=query, **options)

    def refuse(self, module: Module, stage: str, **options: Any) -> Run:
        """Runs what must fail, and leaves the dest and no staging."""
        look = "SELECT CAST('t' AS regclass)::oid, t.* FROM t ORDER BY 2"
        before = self.rows(look)
        run = self.project.run(module, **options)
        assert (run.status, run.error_stage, run.merge_state) == ("error", stage, "none"), run.error
        assert self.rows(look) == before
        assert self.rows(LEFT) == []
        return run

    def close(self) -> None:
        self.project.close()
        take_back(self.server, self.name)


@pytest.fixture
def swapper(postgres: LocalPostgres, tmp_path: Path) -> Iterator[Swapper]:
    swapper = Swapper(postgres, tmp_path)
    yield swapper
    swapper.close()


@pytest.fixture(params=["postgres", "old_postgres"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Swapper]:
    """With the odd table, on each server."""
    swapper = Swapper(request.getfixturevalue(request.param), tmp_path)
    for role in ROLES:
        swapper.sql(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role}")
    swapper.sql(ODD)
    yield swapper
    swapper.server.drop_database(swapper.name)
    swapper.project.close()
    for role in ROLES:
        swapper.server.run_sql(f"DROP ROLE {role}")


def when(stage: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """Acts when a stage of a run begins."""

    def listen(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == stage:
            act()

    return listen


ROWS = """SELECT i AS n, 'x' || i AS txt, i % 20 + 1 AS p, 1.5::numeric(12,2) AS "Num",
    int4range(i * 10, i * 10 + 1) AS r FROM generate_series(1, 500) AS i"""


def test_a_table_with_everything_is_the_same_after_a_swap_but_for_its_number(odd: Swapper) -> None:
    number = "SELECT oid FROM pg_class WHERE relname LIKE 'Odd%'  AND relkind = 'r'"
    odd.sql(f"ALTER TABLE {TABLE} ALTER c SET DEFAULT 'x'; ANALYZE {TABLE}")
    before, was = photograph(odd.server, odd.name, TABLE), odd.rows(number)
    module = odd.module(ROWS, TABLE)
    done = odd.project.succeed(module)
    assert photograph(odd.server, odd.name, TABLE) == before
    assert odd.rows(number) != was
    # Numbers go on where they were, the identity's by fives and three at a time.
    kept = f"SELECT count(*), min(id), max(id), min(s), max(s), min(twice), min(c) FROM {TABLE}"
    assert odd.rows(kept) == [(500, 205, 2700, 21, 520, 2, "x")]
    assert odd.rows('SELECT last_value FROM rpt."num$1"') == [(2705,)]
    told = {check.name: (check.ok, check.detail) for check in done.checks}
    assert str(told["load"][1]).startswith(
        "swap, by the module's `load`: swapped into place; carried over: 7 indexes, "
    )
    assert told["triggers"] == (None, "carried over and not fired, as a swap inserts no rows: audit")
    assert (done.rows_deleted, done.rows_inserted, done.dest_rows_before, done.dest_rows_after) == (20, 500, 20, 500)
    assert odd.rows(LEFT) == []
    odd.project.succeed(module)
    assert photograph(odd.server, odd.name, TABLE) == before


def test_what_only_the_newest_server_knows_comes_along(swapper: Swapper) -> None:
    swapper.sql(
        "CREATE TABLE other (id integer, at daterange, PRIMARY KEY (id));"
        "CREATE TABLE t (id integer CONSTRAINT named NOT NULL NO INHERIT, r int4range, at daterange,"
        " twice integer GENERATED ALWAYS AS (id * 2) VIRTUAL, o integer REFERENCES other NOT ENFORCED,"
        " PRIMARY KEY (r, at WITHOUT OVERLAPS) WITH (fillfactor = 60),"
        " CONSTRAINT idle CHECK (id > 9) NOT ENFORCED);"
        "COMMENT ON CONSTRAINT named ON t IS 'whose'"
    )
    before = photograph(swapper.server, swapper.name, "t")
    query = (
        "SELECT i AS id, int4range(i, i + 1) AS r, daterange('2026-01-01', NULL) AS at FROM generate_series(1, 9) AS i"
    )
    swapper.project.succeed(swapper.module(query))
    assert photograph(swapper.server, swapper.name, "t") == before
    assert swapper.rows("SELECT count(*), max(twice) FROM t") == [(9, 18)]


@pytest.mark.parametrize("owner", ["swap_login", "swap_owner"])
def test_a_login_without_any_power_swaps_what_is_its_own_or_its_roles(swapper: Swapper, owner: str) -> None:
    roles = ("swap_login", "swap_owner", "swap_reader")
    for role in roles:
        swapper.sql(f"DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN")
    swapper.sql(
        f"GRANT swap_owner TO swap_login; GRANT CREATE ON DATABASE {swapper.name} TO swap_login;"
        "GRANT CREATE, USAGE ON SCHEMA public TO swap_login, swap_owner;"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO other VALUES (2), (3), (4);"
        f"GRANT REFERENCES, SELECT ON other TO {owner}, swap_login; {PLAIN}; ALTER TABLE t OWNER TO {owner};"
        f"GRANT SELECT ON t TO swap_reader; REVOKE TRIGGER ON t FROM {owner};"
        "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES other NOT VALID, ADD s serial;"
        "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); ANALYZE t"
    )
    before = photograph(swapper.server, swapper.name, "t")
    login = swapper.project.add_connection("login", swapper.server.jdbc_url(swapper.name), username="swap_login")
    swapper.project.succeed(swapper.module(NEW, source=login, dest=login))
    assert photograph(swapper.server, swapper.name, "t") == before
    assert swapper.rows("SELECT count(*) FROM t") == [(3,)]
    for role in roles:
        swapper.sql(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


OBSTACLES = {
    "the view v reads it": ("CREATE VIEW v AS SELECT id FROM t",),
    "the materialized view v reads it": ("CREATE MATERIALIZED VIEW v AS SELECT id FROM t",),
    "function f() depends on it": ("CREATE FUNCTION f() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM t; END",),
    "function f(t) depends on it": ("CREATE FUNCTION f(t) RETURNS integer LANGUAGE sql AS 'SELECT 1'",),
    "column x of table other depends on it": ("CREATE TABLE other (x t)",),
    "column x of table others depends on it": ("CREATE TABLE others (x t[])",),
    "policy p on table other depends on it": (
        "CREATE TABLE other (id integer)",
        "CREATE POLICY p ON other USING (id IN (SELECT id FROM t))",
    ),
    "default value for column id of table other depends on it": (
        "ALTER TABLE t ADD i integer GENERATED ALWAYS AS IDENTITY",
        "CREATE TABLE other (id integer DEFAULT nextval('t_i_seq'))",
    ),
    "the foreign key other_id_fkey of other refers to it": ("CREATE TABLE other (id integer REFERENCES t)",),
    "it has row security": ("ALTER TABLE t ENABLE ROW LEVEL SECURITY",),
    "the policy p stands on it": ("CREATE POLICY p ON t",),
    "the rule r stands on it": ("CREATE RULE r AS ON DELETE TO t DO ALSO NOTHING",),
    "part inherits from it": ("CREATE TABLE part () INHERITS (t)",),
    "it inherits from whole": ("CREATE TABLE whole ()", "ALTER TABLE t INHERIT whole"),
    "it is a partition of whole": (
        "CREATE TABLE whole (id integer NOT NULL, v text) PARTITION BY LIST (id)",
        "ALTER TABLE whole ATTACH PARTITION t DEFAULT",
    ),
    "it is a partitioned table": ("DROP TABLE t", "CREATE TABLE t (id integer) PARTITION BY LIST (id)"),
    "it is a view": ("DROP TABLE t", "CREATE VIEW t AS SELECT 1 AS id"),
    "it is a table of the type y": ("DROP TABLE t", "CREATE TYPE y AS (id integer)", "CREATE TABLE t OF y"),
    "its index t_pkey is not valid (REINDEX it)": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_pkey'::regclass",
    ),
    "its constraint late has not been checked for all rows (VALIDATE CONSTRAINT)": (
        "ALTER TABLE t ADD CONSTRAINT late NOT NULL v NOT VALID",
    ),
    "its filled looks at whole rows of it by its name": ("ALTER TABLE t ADD CONSTRAINT filled CHECK (t IS NOT NULL)",),
    "its odd looks at whole rows of it by its name": ("CREATE INDEX odd ON t ((t IS NULL))",),
    "the publication p publishes it": ("CREATE PUBLICATION p FOR TABLE t",),
    "the publication q publishes it": ("CREATE PUBLICATION q FOR ALL TABLES",),
    "the publication r publishes it": ("CREATE PUBLICATION r FOR TABLES IN SCHEMA public",),
    "the subscription u feeds it": (
        "CREATE SUBSCRIPTION u CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
        "INSERT INTO pg_subscription_rel SELECT oid, 't'::regclass, 'r', NULL FROM pg_subscription",
    ),
    "the extension plpgsql holds it, or an index or trigger of it": ("ALTER EXTENSION plpgsql ADD TABLE t",),
    "it has a security label (p)": (
        "INSERT INTO pg_seclabel VALUES ('t'::regclass, 'pg_class'::regclass, 0, 'p', 'x')",
    ),
    "only its owner postgres may do this, or who is a member of that role": ("SET ROLE swap_login",),
    "the login has no right to CREATE in the schema public": (
        "ALTER TABLE t OWNER TO swap_login", "SET ROLE swap_login",
    ),
    "the login may not give a new table to its owner swap_mate, who needs CREATE in the schema for it": (
        "GRANT CREATE ON SCHEMA public TO swap_login", "ALTER TABLE t OWNER TO swap_mate", "SET ROLE swap_login",
    ),
    "the login has no right to REFERENCES on other, which a foreign key of it refers to": (
        "CREATE TABLE other (id integer PRIMARY KEY)", "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES other",
        "GRANT CREATE ON SCHEMA public TO swap_login", "ALTER TABLE t OWNER TO swap_login", "SET ROLE swap_login",
    ),
    "its statistics s belong to another role": (
        "CREATE STATISTICS s ON id, v FROM t", "GRANT CREATE ON SCHEMA public TO swap_login",
        "ALTER TABLE t OWNER TO swap_login", "SET ROLE swap_login",
    ),
    "the login may not use the language plpgsql, by which the swap waits": (
        "REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", "GRANT CREATE ON SCHEMA public TO swap_login",
        "ALTER TABLE t OWNER TO swap_login", "SET ROLE swap_login",
    ),
    "rights on it were granted by swap_mate, who is not its owner": (
        "GRANT SELECT ON t TO swap_mate WITH GRANT OPTION", "SET ROLE swap_mate", "GRANT SELECT ON t TO swap_login",
        "RESET ROLE",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wanted", OBSTACLES)
def test_what_forbids_a_swap_is_named(session: PostgresSession, wanted: str) -> None:
    """All of it in a transaction that is rolled back."""
    session.begin()
    prepare = (
        "CREATE ROLE swap_login; CREATE ROLE swap_mate; GRANT swap_mate TO swap_login",
        "SET LOCAL allow_system_table_mods TO on; SET LOCAL client_min_messages TO error",
        "GRANT USAGE ON SCHEMA public TO PUBLIC; CREATE TABLE t (id integer PRIMARY KEY, v text)",
        *OBSTACLES[wanted],
    )
    for sql in prepare:
        session.link.run(sql)
    found = session.link.fetch(shape.build_shape_sql(DRIVER.quote_literal, DRIVER.parse_table("public.t")))
    session.roll_back()
    assert wanted in [obstacles.tell_obstacle(item) for item in json.loads(found[0] or "")["obstacles"]]


def test_a_table_that_is_gone_is_told_as_gone(session: PostgresSession) -> None:
    with pytest.raises(StatementFailed, match=r"There is no table public\.t any more\."):
        DRIVER.find_swap(session.query, DRIVER.parse_table("public.t"))


def test_a_plain_table_has_no_obstacle(session: PostgresSession) -> None:
    run(session, "CREATE TABLE t (id integer PRIMARY KEY, v text)")
    assert DRIVER.find_swap(session.query, DRIVER.parse_table("public.t")).obstacles == ()


def test_every_obstacle_is_told_before_a_row_moves(swapper: Swapper) -> None:
    swapper.sql(f"{PLAIN}; CREATE VIEW v AS SELECT * FROM t; CREATE TABLE other (id integer REFERENCES t)")
    module = swapper.module(NEW)
    for options in ({}, {"dry_run": True}):
        run = swapper.refuse(module, "plan", **options)
        assert run.error == (
            "No other table can take the place of public.t: the foreign key other_id_fkey of other refers to it;"
            " the view v reads it."
        )
        assert "`load: auto`" in (run.hint or "")


def test_a_dry_run_says_that_the_table_would_be_swapped(swapper: Swapper) -> None:
    swapper.sql(PLAIN)
    run = swapper.project.run(swapper.module(NEW), dry_run=True)
    told = {check.name: check.detail for check in run.checks}
    assert told["load"] == "swap, by the module's `load`: swapped into place; carried over: 1 index"
    assert swapper.rows("SELECT v FROM t") == [("old",), ("old",)]


def test_a_dest_that_the_run_makes_is_made_as_ever(swapper: Swapper) -> None:
    run = swapper.project.succeed(swapper.module(NEW, create_table=True))
    assert "staged, as this run makes the dest" in [check.detail for check in run.checks]
    run = swapper.project.succeed(swapper.module(NEW, name="n"))
    assert swapper.rows("SELECT id, v FROM t ORDER BY id") == [(2, "new"), (3, "new"), (4, "new")]


def test_a_swap_is_for_whole_loads_only(swapper: Swapper) -> None:
    swapper.sql(PLAIN)
    run = swapper.refuse(swapper.module(NEW, merge_strategy="incremental", merge_key="id"), "plan")
    assert "incremental keeps rows of it" in (run.error or "")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("CREATE INDEX late ON t (v)", "indexes"),
        ("ALTER TABLE t ADD late integer", "columns"),
        ("GRANT SELECT ON t TO PUBLIC", "table"),
        ("CREATE POLICY late ON t", "obstacles"),
        ("CREATE VIEW late AS SELECT * FROM t", "obstacles"),
        ("COMMENT ON COLUMN t.v IS 'late'", "columns"),
        ("CREATE TRIGGER late BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()", "triggers"),
    ],
)
def test_what_the_dest_got_meanwhile_is_not_lost(swapper: Swapper, change: str, part: str) -> None:
    swapper.sql(f"{PLAIN}; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    run = swapper.project.run(swapper.module(NEW), when("merge", lambda: swapper.sql(change)))
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert run.error == f"public.t is not what it was when the run began; nothing was merged. It differs in: {part}"
    assert swapper.rows("SELECT id, t.v FROM t ORDER BY id") == [(1, "old"), (2, "old")]
    assert swapper.rows(LEFT) == []


def test_a_table_whose_rows_a_crash_has_taken_is_not_put_there(swapper: Swapper) -> None:
    swapper.sql(PLAIN)
    forget = when("merge", lambda: swapper.sql("TRUNCATE pipekit_staging.m"))
    run = swapper.project.run(swapper.module(NEW), forget)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert "does not hold its rows any more" in (run.error or "")
    assert swapper.rows("SELECT v, count(*) FROM t GROUP BY v") == [("old", 2)]


def test_no_rows_are_swapped_in_where_the_module_says_so(swapper: Swapper) -> None:
    swapper.sql(PLAIN)
    query = f"{NEW} WHERE false"
    run = swapper.project.succeed(swapper.module(query, guards=Guards(empty_source=False)))
    assert (run.rows_deleted, run.rows_inserted, run.dest_rows_after) == (2, 0, 0)
    assert "CREATE UNIQUE INDEX" in (run.staging_sql or "")


def test_a_table_that_would_not_be_the_same_is_not_put_there(swapper: Swapper, monkeypatch: pytest.MonkeyPatch) -> None:
    swapper.sql(f"{PLAIN}; COMMENT ON TABLE t IS 'whose'")
    monkeypatch.setattr(changing, "build_comment", lambda kind, name, text: "SELECT 1")
    run = swapper.refuse(swapper.module(NEW), "merge")
    assert run.error == "A table in the place of public.t would differ in: table"


@pytest.mark.parametrize(
    ("query", "stage", "words"),
    [
        ("SELECT 1 AS id, 'a' AS v UNION ALL SELECT 1, 'b'", "check", ['unique constraint "t_pkey"', "Key (id)=(1)"]),
        ("SELECT 1 AS id, '' AS v", "check", ['check constraint "filled" of relation "t" is violated']),
        (
            "SELECT 99 AS id, 'a' AS v",
            "merge",
            ['foreign key constraint "mother"', "Load the table it refers to first"],
        ),
        ("SELECT NULL::integer AS id, 'a' AS v", "stage", ["null value in column"]),
        ("SELECT 1 AS id, 'a' AS v WHERE false", "check", ["`guards: {empty_source: false}`"]),
        ("SELECT 1 AS id, 'a' AS v, 1.234 AS amount", "check", ["1.234", "'amount'"]),
    ],
)
def test_rows_that_the_dest_would_refuse_leave_it_as_it_is(
    swapper: Swapper, query: str, stage: str, words: list[str]
) -> None:
    swapper.sql(
        f"{PLAIN}; ALTER TABLE t ADD CONSTRAINT filled CHECK (v <> ''), ADD amount numeric(10,2);"
        " CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO other VALUES (1), (2);"
        " ALTER TABLE t ADD CONSTRAINT mother FOREIGN KEY (id) REFERENCES other"
    )
    run = swapper.refuse(swapper.module(query), stage)
    for word in words:
        assert word in f"{run.error} {run.hint}"
    assert "pipekit." not in f"{run.error}"


def test_values_of_another_type_are_compared_before_they_get_the_dests(swapper: Swapper) -> None:
    swapper.sql('CREATE TABLE t (id integer, amount numeric(10,2) DEFAULT 5 NOT NULL, v varchar(3) COLLATE "C")')
    swapper.sql("ALTER TABLE t ALTER v SET STORAGE EXTERNAL")
    before = photograph(swapper.server, swapper.name, "t")
    swapper.project.succeed(swapper.module("SELECT 1::bigint AS id, 1.5::numeric AS amount, 'abc'::text AS v"))
    assert swapper.rows("SELECT * FROM t") == [(1, Decimal("1.50"), "abc")]
    assert photograph(swapper.server, swapper.name, "t") == before
    swapper.sql("ALTER TABLE t ADD twice numeric GENERATED ALWAYS AS (amount * 2) STORED")
    run = swapper.refuse(swapper.module("SELECT 1.5::numeric AS amount", name="n"), "plan")
    assert "amount must be compared with the type that the dest has, and twice may be computed" in (run.error or "")


def test_numbers_that_are_fed_move_the_sequence_of_the_new_table(swapper: Swapper) -> None:
    swapper.sql("CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY, v text)")
    run = swapper.project.succeed(swapper.module("SELECT i AS id, 'x' AS v FROM generate_series(1, 40) AS i"))
    assert "public.t_id_seq, behind id, was moved on by 40" in [check.detail for check in run.checks]
    swapper.sql("INSERT INTO t (v) VALUES ('y')")
    assert swapper.rows("SELECT max(id), count(*) FROM t") == [(41, 41)]


def test_an_unlogged_table_stays_one_and_a_logged_one_is_in_the_log(swapper: Swapper) -> None:
    swapper.sql(PLAIN.replace("CREATE TABLE", "CREATE UNLOGGED TABLE"))
    swapper.project.succeed(swapper.module(NEW))
    assert swapper.rows("SELECT relpersistence FROM pg_class WHERE relname IN ('t', 't_pkey')") == [("u",), ("u",)]
    swapper.sql("ALTER TABLE t SET LOGGED")
    swapper.project.succeed(swapper.module(NEW, name="n"))
    assert swapper.rows("SELECT relpersistence FROM pg_class WHERE relname IN ('t', 't_pkey')") == [("p",), ("p",)]


KNOWN = """SELECT tablename, attname, null_frac, avg_width, n_distinct, most_common_vals::text, most_common_freqs,
    histogram_bounds::text, correlation, most_common_elems::text, elem_count_histogram
    FROM pg_stats WHERE schemaname = 'public' ORDER BY 1, 2"""


@pytest.mark.parametrize("name", ["postgres", "old_postgres"])
def test_the_planner_goes_on_knowing_the_table(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    swapper = Swapper(request.getfixturevalue(name), tmp_path)
    swapper.sql("CREATE TABLE t (id integer, v text, a integer[]); CREATE INDEX low ON t (lower(v))")
    swapper.sql("INSERT INTO t SELECT i % 7, 'v' || i % 3, ARRAY[i % 5] FROM generate_series(1, 200) AS i")
    query = "SELECT id, v, a FROM t"
    swapper.project.succeed(swapper.module(query))
    assert swapper.rows(KNOWN) == []  # the dest's planner knew nothing either
    swapper.sql("ANALYZE t")
    before = swapper.rows(KNOWN)
    assert {row[0] for row in before} == {"t", "low"}
    swapper.project.succeed(swapper.module(query, name="n"))
    # An older server takes a sample, in which expressions of an index are not.
    known = swapper.rows(KNOWN)
    assert known == (before if name == "postgres" else [row for row in before if row[0] == "t"])
    # All the same autovacuum will look at the rows.
    swapper.sql("SELECT pg_stat_clear_snapshot()")
    changed = "SELECT pg_stat_get_mod_since_analyze('t'::regclass)"
    assert wait_until(lambda: swapper.rows(changed) == [(200,)], PATIENCE_S)
    swapper.close()


class Reader(threading.Thread):
    """Asks for the same rows again and again, until it is told to end."""

    def __init__(self, swapper: Swapper, sql: str) -> None:
        super().__init__()
        self._connection = swapper.connect()
        self._sql = sql
        self.reads: list[tuple[Any, ...]] = []
        self._over = threading.Event()

    def run(self) -> None:
        with self._connection:
            while not self._over.is_set():
                self.reads += self._connection.execute(self._sql).fetchall()
                time.sleep(0.001)

    def end(self) -> None:
        self._over.set()
        self.join(PATIENCE_S)


def hold_up(swapper: Swapper, table: str, reader: Reader) -> str:
    """The error of a swap that somebody who reads a table lets wait for a second, while a reader must pass."""
    seen: list[int] = []
    with swapper.connect() as holder:
        holder.execute(f"BEGIN; SET LOCAL application_name TO 'someone'; SELECT * FROM {table}")
        reader.start()
        run = swapper.project.run(swapper.module(NEW), when("merge", lambda: seen.append(len(reader.reads))))
        seen.append(len(reader.reads))
        who = f"process {holder.info.backend_pid} (postgres, someone, its transaction began at "
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert who in (run.error or "")
    # Had it waited in line, the reader would have waited behind it for as long.
    assert seen[1] - seen[0] > 10
    return run.error or ""


def test_readers_pass_a_swap_that_waits_and_see_one_load_or_the_other(
    swapper: Swapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapper.sql(PLAIN)
    monkeypatch.setattr(changing, "LIMIT_S", 1.0)
    reader = Reader(swapper, "SELECT min(v), max(v), count(*) FROM t")
    error = hold_up(swapper, "t", reader)
    assert error.startswith("public.t could not be swapped within 1 s; nothing was merged. It is held by process ")
    swapper.project.succeed(swapper.module(NEW, name="n"))
    reader.end()
    assert set(reader.reads) <= {("old", "old", 2), ("new", "new", 3)}
    assert swapper.rows("SELECT v, count(*) FROM t GROUP BY v") == [("new", 3)]


def test_readers_of_a_table_that_the_dest_refers_to_pass_as_well(
    swapper: Swapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapper.sql(f"{PLAIN}; CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO other SELECT generate_series(1, 9)")
    swapper.sql("ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES other")
    monkeypatch.setattr(changing, "LIMIT_S", 1.0)
    reader = Reader(swapper, "SELECT count(*) FROM other")
    hold_up(swapper, "other", reader)
    reader.end()
    swapper.project.succeed(swapper.module(NEW, name="n"))
    assert swapper.rows("SELECT count(*), min(v) FROM t") == [(3, "new")]


def test_a_swap_gets_past_an_autovacuum(swapper: Swapper) -> None:
    swapper.sql(
        "CREATE TABLE t (id integer, v text) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0,"
        " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);"
        " INSERT INTO t SELECT i, 'old' FROM generate_series(1, 50000) AS i; DELETE FROM t WHERE id > 40000"
    )
    vacuums = "SELECT 1 FROM pg_stat_progress_vacuum WHERE relid = 't'::regclass"
    swapper.server.run_sql("ALTER SYSTEM SET autovacuum_naptime TO 1; SELECT pg_reload_conf()")
    try:
        assert wait_until(lambda: bool(swapper.rows(vacuums)), PATIENCE_S)
        still = []
        module = swapper.module(NEW)
        run = swapper.project.run(module, when("merge", lambda: still.append(swapper.rows(vacuums))))
    finally:
        swapper.server.run_sql("ALTER SYSTEM RESET autovacuum_naptime; SELECT pg_reload_conf()")
    assert still == [[(1,)]]
    assert run.status == "success", run.error


def test_a_swap_goes_on_when_the_table_is_free(swapper: Swapper) -> None:
    swapper.sql(PLAIN)
    holder = swapper.connect()
    holder.execute("BEGIN; SELECT * FROM t")
    waits = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'pipekit:%' AND wait_event = 'PgSleep'"

    def let_go() -> None:
        wait_until(lambda: bool(swapper.rows(waits)), PATIENCE_S)
        holder.execute("COMMIT")

    thread = threading.Thread(target=let_go)
    run = swapper.project.run(swapper.module(NEW), when("merge", thread.start))
    thread.join(PATIENCE_S)
    holder.close()
    assert run.status == "success", run.error


def test_what_other_sessions_meet(swapper: Swapper) -> None:
    """Rows of others between load and swap go with the old table; plans are made anew; an old snapshot sees no row."""
    swapper.sql(PLAIN)
    with swapper.connect() as prepared, swapper.connect() as old:
        prepared.execute("PREPARE ask AS SELECT count(*) FROM t")
        assert prepared.execute("EXECUTE ask").fetchone() == (2,)
        old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class")
        insert = "INSERT INTO t VALUES (77, 'between')"
        run = swapper.project.run(swapper.module(NEW), when("merge", lambda: swapper.sql(insert)))
        assert (run.status, run.rows_deleted) == ("success", 3)
        assert prepared.execute("EXECUTE ask").fetchone() == (3,)
        assert old.execute("SELECT count(*) FROM t").fetchone() == (0,)
    assert swapper.rows("SELECT id FROM t ORDER BY id") == [(2,), (3,), (4,)]


def test_a_swap_goes_through_a_pooler_of_transactions(swapper: Swapper, tmp_path: Path) -> None:
    swapper.sql("CREATE TABLE t (id integer PRIMARY KEY, v text, n integer GENERATED ALWAYS AS IDENTITY)")
    folder = tmp_path / "pooler"
    folder.mkdir()
    with open_pooler(folder, swapper.server, swapper.name, pool_mode="transaction", default_pool_size=3) as url:
        pooled = swapper.project.add_connection("pooled", url, username="postgres")
        swapper.project.succeed(swapper.module(NEW, source=pooled, dest=pooled))
    assert swapper.rows("SELECT id, n FROM t ORDER BY id") == [(2, 1), (3, 2), (4, 3)]


def test_a_table_left_by_a_load_that_was_killed_is_in_nobodys_way(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (id integer GENERATED ALWAYS AS IDENTITY, v text)")
    plan = mover.build_plan((), "full")
    table = DRIVER.parse_table("public.arrived")
    plan = replace(plan, dest=table, swap=DRIVER.find_swap(mover.dest.query, table))
    run(mover.dest, *DRIVER.build_swap_table_sql(plan))
    assert DRIVER.find_swap(mover.dest.query, table).obstacles == ()
    run(mover.dest, "DROP TABLE arrived")


def test_other_kinds_say_that_they_cannot_swap(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE t (id integer)")
    pair = project.add_connection("x", f"jdbc:sqlite:{tmp_path}/x.db")
    module = project.add_module("m", source=pair, dest=pair, table="t", query="SELECT 1 AS id", load="swap")
    run = project.run(module, dry_run=True)
    assert (run.error_stage, run.error) == ("plan", "SQLite dests cannot be loaded by `load: swap`.")
    project.close()

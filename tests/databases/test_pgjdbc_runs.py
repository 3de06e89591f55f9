# PostgreSQL behind its JDBC driver: a kind that `pipekit drivers add` registers, as the source and the dest of modules.
"""A product whose names are small, whose text has no limit, and which has types that no other has."""

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import cancel_run, open_look
from pipekit.models import Connection, Run
from pipekit.runner.process import wait_until
from tests.databases.jdbc import POSTGRESQL
from tests.databases.oddities import POSTGRESQL as ODDITIES
from tests.databases.over_jdbc import put_jar
from tests.databases.test_dest_oddities import PostgresPlace, judge
from tests.patience import PATIENCE_S
from tests.project import Project

KIND = "postgresql_jdbc"
MAKE = """
create schema shop;
create table shop.t (id integer primary key, v text, d numeric, at timestamp(6), u uuid, b bytea);
comment on column shop.t.v is 'what it says';
insert into shop.t values
    (2, 'new é', 12345678901234567890.123456789, '2024-02-29 12:00:00.000001', '123e4567-e89b-12d3-a456-426614174000',
     '\\xdead'),
    (3, '', -0.5, '0001-01-01', null, ''),
    (4, null, null, null, null, null);
"""
ROWS = "select id, v, d, at, u, b from {} order by 1"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    put_jar(project, POSTGRESQL[0])
    added = project.cli_json("drivers", "add", "--kind", KIND, "--jar", POSTGRESQL[0])
    assert (added["state"], added["java_class"]) == ("ok", POSTGRESQL[1])
    yield project
    project.close()


def connect(project: Project, postgres: LocalPostgres, database: str) -> Connection:
    return repo.create_connection(
        project.db, name=database, driver=KIND, jdbc_url=postgres.jdbc_url(database), username="postgres"
    )


def figures(run: Run) -> tuple[int | None, ...]:
    return (run.rows_deleted, run.rows_inserted, run.rows_updated)


def test_rows_go_into_sqlite_and_come_back_by_every_strategy(
    project: Project, postgres: LocalPostgres, source_db: str, dest_db: str, tmp_path: Path
) -> None:
    postgres.run_sql(MAKE, source_db)
    source, dest = connect(project, postgres, source_db), connect(project, postgres, dest_db)
    lite = project.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    out = project.add_module(
        "out", source=source, query="select * from shop.t", dest=lite, table="t", create_table=True
    )
    assert project.succeed(out).rows_inserted == 3
    postgres.run_sql("create table t (id integer, v text, d numeric, at timestamp(6), u uuid, b bytea)", dest_db)
    postgres.run_sql("insert into t (id, v) values (2, 'old'), (9, 'kept')", dest_db)
    told = {"upsert": (0, 2, 1), "incremental": (3, 3, 0), "append": (0, 3, 0), "full": (7, 3, 0)}
    for strategy, expected in told.items():
        back = project.add_module(
            strategy,
            source=lite,
            query="select * from t",
            dest=dest,
            table="t",
            merge_strategy=strategy,
            merge_key="id",
        )
        assert figures(project.succeed(back)) == expected, strategy
    assert postgres.run_sql(ROWS.format("t"), dest_db) == postgres.run_sql(ROWS.format("shop.t"), source_db)


def test_it_is_the_dest_of_itself_and_names_what_it_refuses(
    project: Project, postgres: LocalPostgres, source_db: str
) -> None:
    postgres.run_sql(MAKE, source_db)
    both = connect(project, postgres, source_db)
    copy = project.add_module(
        "copy", source=both, query="select * from shop.t", dest=both, table="copied", create_table=True
    )
    assert project.succeed(copy).rows_inserted == 3
    assert postgres.run_sql(ROWS.format("copied"), source_db) == postgres.run_sql(ROWS.format("shop.t"), source_db)
    postgres.run_sql("create table narrow (id integer, d numeric(5,1))", source_db)
    narrow = project.add_module(
        "narrow", source=both, query="select id, d from shop.t order by id", dest=both, table="narrow"
    )
    run = project.run(narrow)
    assert (run.status, run.merge_state) == ("error", "none")
    assert "Column d, row 1" in (run.error or "")


def test_its_catalogue_is_the_drivers_own(project: Project, postgres: LocalPostgres, source_db: str) -> None:
    postgres.run_sql(MAKE, source_db)
    with open_look(project.config, project.secrets, connect(project, postgres, source_db)) as look:
        assert "shop" in look.driver.list_schemas(look.query)
        columns = look.driver.get_columns(look.query, look.driver.parse_table("shop.t"))
        assert [(column.name, column.in_key) for column in columns][:2] == [("id", True), ("v", False)]
        assert columns[1].comment == "what it says"
        sql = "with x as (select id, u from shop.t) select * from x;"
        described = look.driver.introspect_query_columns(look.query, sql)
        assert [column.name for column in described] == ["id", "u"]


def test_a_cancelled_run_ends_its_java_and_its_sessions_and_leaves_the_dest(
    project: Project, postgres: LocalPostgres, source_db: str
) -> None:
    postgres.run_sql("create table t (n integer); insert into t values (7)", source_db)
    both = connect(project, postgres, source_db)
    slow = "select n + coalesce(length(pg_sleep(0.02)::text), 0) as n from generate_series(1, 100000) n"
    module = project.add_module("slow", source=both, query=slow, dest=both, table="t")
    sessions = (
        "select count(*) from pg_stat_activity where application_name like 'pipekit:%' and query like '%pg_sleep%'"
    )

    def cancel() -> None:
        assert wait_until(lambda: postgres.run_sql(sessions, source_db) != "0", PATIENCE_S)
        db = repo.open_state(project.config.state_path)
        cancel_run(db, repo.list_runs(db, limit=1)[0].id)
        db.close()

    watcher = threading.Thread(target=cancel)
    watcher.start()
    run = project.run(module)
    watcher.join()
    assert (run.status, run.merge_state) == ("cancelled", "none")
    assert wait_until(lambda: postgres.run_sql(sessions, source_db) == "0", PATIENCE_S)
    assert postgres.run_sql("select n from t", source_db) == "7"


class OverJdbc(PostgresPlace):
    """The dest of an oddity behind the registered kind; the source is read as ever."""

    def connect(self, login: str) -> Connection:
        if login not in self.logins:
            self.logins[login] = repo.create_connection(
                self.project.db, name=f"as {login}", driver=KIND, jdbc_url=self.url, username=login
            )
        return self.logins[login]


ODD = (
    "row security that hides rows from the login",
    "the same, with `row_security: true`",
    "tables that inherit from it",
    "a rule that sends rows elsewhere",
    "partitions, one with a trigger that sets a column",
    "a child by `ON DELETE CASCADE` of a row that is gone",
    "a child by `ON DELETE NO ACTION DEFERRABLE` of a row that comes again",
    "a child whose rows the login may not read",
    "an identity, `ALWAYS`",
)


@pytest.mark.usefixtures("one_child")
@pytest.mark.parametrize("strategy", ["full", "upsert"])
def test_what_stands_around_a_dest_is_seen_as_by_the_native_kind(
    project: Project, postgres: LocalPostgres, dest_db: str, strategy: str
) -> None:
    address = f"host=127.0.0.1 port={postgres.port} user=postgres dbname={dest_db}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE ROLE clerk LOGIN; CREATE SCHEMA pipekit_staging AUTHORIZATION clerk")
        connection.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA pipekit_staging GRANT ALL ON TABLES TO clerk")
        place = OverJdbc(project, connection, postgres.jdbc_url(dest_db))
        try:
            for oddity in ODDITIES:
                if oddity.name in ODD:
                    judge(place, oddity, strategy)
        finally:
            connection.execute("DROP OWNED BY clerk CASCADE; DROP ROLE clerk")


@pytest.mark.usefixtures("one_child")
@pytest.mark.parametrize(
    ("setting", "status"),
    [("default_transaction_isolation = 'serializable'", "success"), ("session_replication_role = 'replica'", "error")],
)
def test_a_logins_own_settings_are_put_right_or_refused_by_name(
    project: Project, postgres: LocalPostgres, dest_db: str, setting: str, status: str
) -> None:
    postgres.run_sql("create table t (a int)", dest_db)
    postgres.run_sql(f"alter database {dest_db} set {setting}", "postgres")
    both = connect(project, postgres, dest_db)
    query = "select 1 as a from current_setting('transaction_isolation') as i where i = 'read committed'"
    run = project.run(project.add_module("m", source=both, query=query, dest=both, table="t"))
    assert (run.status, setting.split()[0] in (run.error or "")) == (status, status == "error"), run.error
    assert postgres.run_sql("select count(*) from t", dest_db) == ("1" if status == "success" else "0")


@pytest.mark.usefixtures("one_child")
def test_a_module_may_have_the_longest_name_there_is(project: Project, postgres: LocalPostgres, dest_db: str) -> None:
    postgres.run_sql("create table t (a int)", dest_db)
    both = connect(project, postgres, dest_db)
    options = {"merge_strategy": "upsert", "merge_key": "a"}
    module = project.add_module("m" * 60, source=both, query="select 1 as a", dest=both, table="t", **options)
    project.succeed(module)
    assert postgres.run_sql("select count(*) from t", dest_db) == "1"

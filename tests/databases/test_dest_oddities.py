# Every strategy into every odd dest of the table, through the engine, on real databases, judged by what is there then.
"""What a merge does to its dest and to others."""

import itertools
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Connection, Guards, Run
from tests.databases.oddities import ODDITIES, POSTGRESQL, SQLITE, STRATEGIES, Oddity, build_table
from tests.near import NearRunner
from tests.project import Project

PAGE = Path(__file__).parents[2] / "docs" / "dests.md"

_TABLES = """CREATE TABLE s (id integer, v text); INSERT INTO s VALUES (2, 'new2'), (3, 'new3'), (4, 'new4');
CREATE TABLE t (id integer PRIMARY KEY, v text);
INSERT INTO t VALUES (1, 'old1'), (2, 'old2'), (3, 'old3');"""
_OLD = {1: "old1", 2: "old2", 3: "old3"}
_NEW = {2: "new2", 3: "new3", 4: "new4"}
_NUMBERS = itertools.count(1)
PROMISED = {"full": _NEW, "incremental": _OLD | _NEW, "append": _OLD | {4: "new4"}, "upsert": _OLD | _NEW}


class Place:
    """A scratch database of one kind with a project that loads from it into itself."""

    def __init__(self, project: Project, connection: Any, url: str) -> None:
        self.project = project
        self.connection = connection
        self.url = url
        self.logins: dict[str, Connection] = {}

    def reset(self, setup: str) -> None:
        raise NotImplementedError

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return sorted([tuple(row) for row in self.connection.execute(sql).fetchall()], key=repr)

    def connect(self, login: str) -> Connection:
        if login not in self.logins:
            self.logins[login] = self.project.add_connection(f"as {login}", self.url, username=login or None)
        return self.logins[login]


class PostgresPlace(Place):
    def reset(self, setup: str) -> None:
        self.connection.execute("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public")
        self.connection.execute("GRANT ALL ON SCHEMA public TO clerk")
        self.connection.execute(
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO clerk"
        )
        self.connection.execute(_TABLES)
        self.connection.execute(setup)


class SqlitePlace(Place):
    def reset(self, setup: str) -> None:
        found = self.connection.execute(
            "SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()
        for kind, name in sorted(found, reverse=True):
            if kind in ("view", "table") and not name.startswith("pipekit_staging."):
                self.connection.execute(f'DROP {kind} IF EXISTS "{name}"')
        self.connection.executescript(_TABLES + setup)


@pytest.fixture(scope="module")
def postgres_place(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    postgres.create_database("oddities")
    connection = psycopg.connect(
        host="127.0.0.1", port=postgres.port, user="postgres", dbname="oddities", autocommit=True
    )
    connection.execute("CREATE ROLE clerk LOGIN; CREATE SCHEMA pipekit_staging AUTHORIZATION clerk")
    connection.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA pipekit_staging GRANT ALL ON TABLES TO clerk")
    project = Project(tmp_path_factory.mktemp("oddities"))
    yield PostgresPlace(project, connection, postgres.jdbc_url("oddities"))
    project.close()
    connection.execute("DROP OWNED BY clerk CASCADE; DROP ROLE clerk")
    connection.close()
    postgres.drop_database("oddities")


@pytest.fixture(scope="module")
def sqlite_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("oddities")
    connection = sqlite3.connect(folder / "d.db", isolation_level=None)
    project = Project(folder)
    yield SqlitePlace(project, connection, f"jdbc:sqlite:{folder / 'd.db'}")
    project.close()
    connection.close()


def load(place: Place, oddity: Oddity, strategy: str) -> Run:
    where = " WHERE id > 3" if strategy == "append" else ""
    dest = place.connect(oddity.login or ("postgres" if oddity.kind == "postgresql" else ""))
    module = place.project.add_module(
        f"m{next(_NUMBERS)}",
        source=place.connect("postgres" if oddity.kind == "postgresql" else ""),
        query=oddity.query or f"SELECT id, v FROM s{where}",
        dest=dest,
        table=oddity.dest,
        merge_strategy=strategy,
        merge_key=oddity.key if strategy in ("incremental", "upsert") else None,
        guards=replace(Guards(), **oddity.guards),
    )
    return place.project.run(module)


def judge(place: Place, oddity: Oddity, strategy: str) -> None:
    place.reset(oddity.setup)
    outcome, said = oddity.get_outcome(strategy)
    before = place.rows("SELECT * FROM t")
    others = place.rows(oddity.others) if oddity.others else []
    run = load(place, oddity, strategy)
    checks = "; ".join(f"{'NO' if check.ok is False else 'ok'} {check.name}: {check.detail}" for check in run.checks)
    told = f"{run.error} / {run.hint} / {checks}"
    wanted = "error" if outcome == "refuses" else "success"
    assert run.status == wanted, told
    assert said in told
    if outcome == "refuses":
        assert place.rows("SELECT * FROM t") == before, told
    elif outcome == "loads":
        only = "ONLY " if oddity.kind == "postgresql" and "INHERITS" in oddity.setup else ""
        assert dict(place.rows(f"SELECT id, v FROM {only}t WHERE id < 10")) == PROMISED[strategy], told
        assert strategy != "full" or run.dest_rows_after == len(_NEW)
        assert "NO" not in checks
    else:
        assert "NO" in checks or oddity.guards.get("row_security")
    if not oddity.guards.get("children") or oddity.kind == "sqlite":
        assert (place.rows(oddity.others) if oddity.others else []) == others, told


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipekit.engine.runners.NativeRunner", NearRunner)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("oddity", POSTGRESQL, ids=lambda oddity: oddity.name)
def test_postgresql_does_what_the_table_says(postgres_place: Place, oddity: Oddity, strategy: str) -> None:
    judge(postgres_place, oddity, strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("oddity", SQLITE, ids=lambda oddity: oddity.name)
def test_sqlite_does_what_the_table_says(sqlite_place: Place, oddity: Oddity, strategy: str) -> None:
    judge(sqlite_place, oddity, strategy)


def load_into(place: Place, setup: str, query: str, strategy: str, **options: Any) -> Run:
    """A run of a query of its own into `t`."""
    place.reset(f"DROP TABLE t; {setup}")
    me = place.connect("postgres")
    module = place.project.add_module(
        f"m{next(_NUMBERS)}", source=me, query=query, dest=me, table="t", merge_strategy=strategy, **options
    )
    return place.project.run(module)


PARENT = "CREATE TABLE t (id integer PRIMARY KEY, n integer {more}); INSERT INTO t VALUES (1, 1), (2, 2);"
HELD = PARENT + "CREATE TABLE c (t_id integer REFERENCES t ON DELETE CASCADE); INSERT INTO c VALUES (1), (2);"
ITSELF = PARENT.format(more="REFERENCES t")
SWAP = "VALUES (1, 2), (2, 1)"


@pytest.mark.parametrize(
    ("setup", "rows", "strategy", "said"),
    [
        (HELD.format(more=""), "VALUES (1, 5), (2, 6), (2, 7)", "full", "id is a unique key of public.t"),
        (HELD.format(more="UNIQUE"), SWAP, "full", "must be DEFERRABLE"),
        (HELD.format(more="UNIQUE DEFERRABLE"), SWAP, "full", ""),
        (ITSELF, "VALUES (1, 9), (9, 9)", "incremental", ""),
        (HELD.format(more="REFERENCES t"), "VALUES (1, 9), (2, 2), (9, 9)", "full", ""),
        (HELD.format(more="REFERENCES t ON DELETE CASCADE"), "VALUES (1, 2)", "full", "rows of public.c (t_id)"),
        (HELD.replace("integer PRIMARY", "numeric PRIMARY").format(more=""), "VALUES (1.0, 5), (2.00, 6)", "full", ""),
        (HELD.format(more=""), "SELECT 1, 1 WHERE false", "incremental", ""),
    ],
)
def test_rows_that_stay_become_what_was_staged_or_the_run_says_why(
    postgres_place: Place, setup: str, rows: str, strategy: str, said: str
) -> None:
    key = "id" if strategy == "incremental" else None
    query = f"SELECT * FROM ({rows}) AS s (id, n)"
    run = load_into(postgres_place, setup, query, strategy, merge_key=key)
    assert run.status == ("error" if said else "success"), run.error
    assert said in f"{run.error} {run.hint}"
    there = {tuple(map(str, row)) for row in postgres_place.rows("SELECT * FROM t")}
    staged = {tuple(map(str, row)) for row in postgres_place.rows(query)}
    assert (staged <= there) is not bool(said)
    assert strategy != "full" or len(there) == (2 if said else len(staged))
    assert len(postgres_place.rows("SELECT * FROM c" if "TABLE c" in setup else "VALUES (1), (2)")) == 2


SUPPRESSES = (
    "CREATE TABLE c (t_id integer REFERENCES t); INSERT INTO c VALUES (2); UPDATE t SET v = 'new2' WHERE id = 2;"
    "CREATE TRIGGER acts BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
)
IGNORES = (
    "UPDATE t SET v = 'new2' WHERE id = 2;"
    "CREATE TRIGGER acts BEFORE UPDATE ON t WHEN old.v = new.v BEGIN SELECT RAISE(IGNORE); END"
)


@pytest.mark.parametrize(("kind", "setup"), [("postgresql", SUPPRESSES), ("sqlite", IGNORES)])
@pytest.mark.parametrize("strategy", ["full", "incremental", "upsert"])
def test_a_trigger_that_leaves_a_row_as_it_is_does_no_harm_where_it_is_equal(
    request: pytest.FixtureRequest, kind: str, setup: str, strategy: str
) -> None:
    place: Place = request.getfixturevalue(f"{'postgres' if kind == 'postgresql' else 'sqlite'}_place")
    oddity = Oddity(
        kind=kind, name="", setup=setup if kind == "sqlite" else f"DELETE FROM t WHERE id = 1; {setup}", outcomes={}
    )
    place.reset(oddity.setup)
    run = load(place, oddity, strategy)
    assert run.status == "success", run.error
    there = dict(place.rows("SELECT id, v FROM t WHERE id > 1"))
    assert (there, run.rows_read) == (_NEW, 3)


def test_a_dest_whose_deletes_are_published_and_truncates_are_not_is_never_truncated(postgres_place: Place) -> None:
    for publishes, truncates in (("insert, delete", False), ("insert, delete, truncate", True), ("insert", True)):
        published = f"CREATE PUBLICATION p FOR TABLE t WITH (publish = '{publishes}')"
        oddity = Oddity(kind="postgresql", name="", setup=published, outcomes={})
        postgres_place.reset(published)
        run = load(postgres_place, oddity, "full")
        postgres_place.connection.execute("DROP PUBLICATION p")
        assert (run.status, "TRUNCATE TABLE" in (run.merge_sql or "")) == ("success", truncates), publishes


def test_a_child_that_comes_while_the_rows_are_counted_is_seen(postgres_place: Place) -> None:
    postgres_place.reset(HELD.format(more="").replace("CREATE TABLE t", "DROP TABLE t; CREATE TABLE t"))
    postgres_place.connection.execute("DELETE FROM c")
    with psycopg.connect(postgres_place.connection.info.dsn) as other:
        other.execute("INSERT INTO c VALUES (1)")
        threading.Timer(0.5, other.commit).start()
        me = postgres_place.connect("postgres")
        module = postgres_place.project.add_module(
            f"m{next(_NUMBERS)}", source=me, query="SELECT 2 AS id, 5 AS n", dest=me, table="t"
        )
        run = postgres_place.project.run(module)
    assert "1 rows of public.c (t_id)" in (run.error or "")
    assert postgres_place.rows("SELECT * FROM c") == [(1,)]


@pytest.mark.parametrize(("guards", "status"), [(Guards(), "error"), (Guards(dest_truth=False), "success")])
def test_a_watermark_from_a_column_that_a_trigger_sets_is_told(
    postgres_place: Place, guards: Guards, status: str
) -> None:
    setup = "CREATE TABLE t (id integer PRIMARY KEY, at date);" + (
        "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := 'today'; RETURN NEW; END $$;"
        "CREATE TRIGGER acts BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION act()"
    )
    mark = {"name": "since", "resolver_sql": "SELECT max(at) FROM t", "default_value": "1900-01-01"}
    mark["connection_id"] = postgres_place.connect("postgres").id  # type: ignore[assignment]
    query = "SELECT 1 AS id, CAST('2020-01-01' AS date) AS at WHERE DATE '2020-01-01' > '{since}'"
    options = {"merge_key": "id", "guards": guards, "watermarks": [mark]}
    run = load_into(postgres_place, setup, query, "upsert", **options)
    told = f"{run.error} {[check.detail for check in run.checks]}"
    assert (run.status, "'since' is read from at" in told, "trigger acts" in told) == (status, True, True)


@pytest.mark.parametrize("kind", sorted({oddity.kind for oddity in ODDITIES}))
def test_the_page_shows_the_table(kind: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"\n\n{build_table(kind)}" in page, f"run: python -m tests.databases.oddities {kind}"
    assert page.count("| the dest has | full") == len({oddity.kind for oddity in ODDITIES})

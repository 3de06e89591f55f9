# Keyed merges on a real PostgreSQL: what they leave, write, delete and count, by what stands around the dest.
"""Rows that come again and differ in nothing are not written, unless somebody could tell."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.wire import connect
from pipekit.models import Guards, Run
from pipekit.runner_contract import Endpoint
from tests.databases.moving import Mover, run
from tests.near import NearRunner
from tests.project import Project

_NUMBERS = itertools.count(1)

# Equal values that can be told apart, and values without an equality: (type, held, staged); each must be written.
TOLD_APART = (
    ("numeric", "1.0", "1.00"), ("numeric(12,2)", "1.00", "1.01"), ("numeric", "NaN", "0"),
    ("real", "0", "-0"),  ("double precision", "-0", "0"), ("text", "a", "a "),
    ("bpchar", "a", "a "),  ("character(3)", "a", "b"), ("shout", "a", "a "),
    ("interval", "1 month", "30 days"),  ("jsonb", '{"a": 1.0}', '{"a": 1.00}'), ("json", '{"a":1}', '{"a": 1}'),
    ("point", "(0,0)", "(0,1)"), ("point", "(0,0)", "(-0,0)"),
    ("box", "(1,1),(0,0)", "(2,2),(0,0)"),  ("numeric[]", "{1.0}", "{1.00}"), ("integer[]", "{1}", "[0:0]={1}"),
    ("path", "((0,0))", "[(0,0)]"),  ("time with time zone", "12:00+00", "13:00+01"),
    ("inet", "10.0.0.1", "10.0.0.2"), ("bytea", r"\x00", r"\x0000"),  ("mood", "sad", "ok"),
    ("pair", "(1.0,a)", "(1.00,a)"), ("timestamptz", "infinity", "-infinity"),  ("money", "1", "1.01"),
    ("tsvector", "a:1", "a:2"), ("numrange", "[1.0,2)", "[1.00,2)"),
    ("boolean", "t", "f"),  ("uuid", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001"),
    ('"char"', "a", "b"),  ("bit varying", "1", "10"), ("text", "", None), ("json", None, "null"), ("name", "a", "A"),
    ("date", "epoch", None),
)  # fmt: skip
TYPES = "CREATE DOMAIN shout AS bpchar; CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a numeric, b text)"
# What the wheel's server was built without.
MORE_APART = (("xml", "<a/>", "<a></a>"), ("citext", "A", "a"), ("text COLLATE any_case", "A", "a"), ("loud", "A", "a"))
MORE_TYPES = """CREATE EXTENSION IF NOT EXISTS citext;
CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN loud AS text COLLATE any_case"""


@pytest.fixture
def older(old_postgres: LocalPostgres) -> Iterator[Mover]:
    ends = [connect(Endpoint(kind="postgresql", jdbc_url=old_postgres.jdbc_url(), username="postgres")) for _ in "12"]
    run(ends[0], "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public", MORE_TYPES)
    yield Mover(ends[1], ends[0], "arrived")
    run(ends[0], "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    for end in ends:
        end.close()


@pytest.mark.parametrize("way", ["at once", "apart", "one after the other"])
@pytest.mark.parametrize("server", ["mover", "older"])
def test_a_value_that_can_be_told_from_what_is_held_is_written_and_no_other_is(
    request: pytest.FixtureRequest, server: str, way: str
) -> None:
    mover: Mover = request.getfixturevalue(server)
    run(mover.dest, TYPES)
    wrong = []
    for type_, held, staged in (*TOLD_APART, *(MORE_APART if server == "older" else ())):
        one, two = (f"'{text}'" if text is not None else "NULL" for text in (held, staged))
        run(mover.dest, "DROP TABLE IF EXISTS arrived", f"CREATE TABLE arrived (id integer PRIMARY KEY, v {type_})")
        run(mover.dest, f"INSERT INTO arrived VALUES (1, {one}), (2, {one})")
        bare = type_.split(" COLLATE")[0]
        values = f"(1, CAST({one} AS {bare})), (2, {two}), (3, NULL)"
        staging = mover.move(f"SELECT * FROM (VALUES {values}) AS s (id, v)")
        plan = replace(mover.build_plan(staging, "upsert", ("id",)), leaves=True, unique=True)
        plan = replace(plan, at_once=way != "one after the other", apart=way == "apart")
        counts = mover.merge(plan)
        rows = mover.dest.query("SELECT CAST(v AS text) FROM arrived ORDER BY id").rows
        wanted = mover.source.query(f"SELECT CAST(s.v AS text) FROM (VALUES {values}) AS s (id, v) ORDER BY id").rows
        if counts != {"updated": 1, "inserted": 1} or rows != wanted:
            wrong.append((type_, held, staged, counts, rows))
    assert not wrong


class Place:
    """A scratch database with a project that loads from it into itself."""

    def __init__(self, project: Project, connection: Any, url: str) -> None:
        self.project = project
        self.connection = connection
        self.me = project.add_connection("me", url, username="postgres")
        self.clerk = project.add_connection("clerk", url, username="keyed_clerk")

    def reset(self, setup: str) -> None:
        """Makes the dest anew."""
        self.connection.execute("DROP PUBLICATION IF EXISTS keyed_p")
        self.connection.execute("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public")
        self.connection.execute("GRANT ALL ON SCHEMA public TO keyed_clerk")
        self.connection.execute(setup)

    def load(self, strategy: str, query: str, login: str = "me", **options: Any) -> Run:
        """Runs a query into `t`."""
        dest = self.me if login == "me" else self.clerk
        more: dict[str, Any] = {
            "source": self.me,
            "dest": dest,
            "table": "t",
            "merge_strategy": strategy,
            "merge_key": "id",
        }
        module = self.project.add_module(f"m{next(_NUMBERS)}", query=query, **(more | options))
        return self.project.run(module)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.connection.execute(sql).fetchall()]


@pytest.fixture(scope="module")
def place(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    postgres.create_database("keyed")
    connection = psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname="keyed", autocommit=True)
    connection.execute("CREATE ROLE keyed_clerk LOGIN; CREATE SCHEMA pipekit_staging AUTHORIZATION keyed_clerk")
    connection.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA pipekit_staging GRANT ALL ON TABLES TO keyed_clerk")
    project = Project(tmp_path_factory.mktemp("keyed"))
    yield Place(project, connection, postgres.jdbc_url("keyed"))
    project.close()
    connection.execute("DROP OWNED BY keyed_clerk CASCADE; DROP ROLE keyed_clerk")
    connection.close()
    postgres.drop_database("keyed")


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipekit.engine.runners.NativeRunner", NearRunner)


def figures(record: Run) -> tuple[int | None, ...]:
    return (record.rows_deleted, record.rows_inserted, record.rows_updated, record.rows_unchanged)


def tell(record: Run) -> str:
    """The receipt's line on rows that come again."""
    return next((check.detail for check in record.checks if check.name == "merge"), "")


T = "CREATE TABLE t (id integer PRIMARY KEY, v text);"
OLD = "INSERT INTO t (id, v) OVERRIDING SYSTEM VALUE VALUES (1, 'old'), (2, 'same'), (3, 'old');"
NEW = "SELECT * FROM (VALUES (2, 'same'), (3, 'new'), (4, 'new')) AS s (id, v)"
AFTER = [(1, "old"), (2, "same"), (3, "new"), (4, "new")]
# deleted, inserted, updated, unchanged
LEFT, WRITTEN, ANEW = (0, 1, 1, 1), (0, 1, 2, None), (2, 3, 0, None)
NO_KEY = "no unique key of the dest has id alone"


def fire(when: str, gives: str, each: str = " FOR EACH ROW") -> str:
    """A table with a trigger that changes nothing."""
    act = f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN {gives}; END $$;"
    return f"{T} {act} CREATE TRIGGER acts {when} ON t{each} EXECUTE FUNCTION act();"


def publish(what: str) -> str:
    """A table whose changes are published."""
    return f"{T} CREATE PUBLICATION keyed_p FOR TABLE t WITH (publish = '{what}');"


PARTS = """CREATE TABLE t (id integer PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE p0 (v text, id integer NOT NULL);
ALTER TABLE t ATTACH PARTITION p0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE p1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1);"""
# The dest: what upsert and what incremental come to, and what the receipt says where that is not the usual.
DESTS = {
    "a primary key": (T, LEFT, LEFT, ""),
    "a unique index with more in it": (
        "CREATE TABLE t (id integer, v text); CREATE UNIQUE INDEX ON t (id) INCLUDE (v);", LEFT, LEFT, ""
    ),
    "no key": ("CREATE TABLE t (id integer, v text);", LEFT, ANEW, NO_KEY),
    "a key of more columns": ("CREATE TABLE t (id integer, v text, UNIQUE (id, v));", LEFT, ANEW, NO_KEY),
    "a key of some rows": (
        "CREATE TABLE t (id integer, v text); CREATE UNIQUE INDEX ON t (id) WHERE id > 0;", LEFT, ANEW, NO_KEY
    ),
    "another unique column": (f"{T} CREATE UNIQUE INDEX ON t (v) WHERE v = '';", LEFT, ANEW, "more than id is unique"),
    "an exclusion": (f"{T} ALTER TABLE t ADD EXCLUDE (id WITH =);", LEFT, ANEW, "more than id is unique"),
    "a deferrable key": ("CREATE TABLE t (id integer UNIQUE DEFERRABLE, v text);", LEFT, ANEW, NO_KEY),
    "a column that is not fed": (
        f"{T} ALTER TABLE t ADD n integer DEFAULT 7;", LEFT, ANEW, "n would not get a default again"
    ),
    "a generated column": (f"{T} ALTER TABLE t ADD n text GENERATED ALWAYS AS (v || '!') STORED;", LEFT, LEFT, ""),
    "an identity as its key": (T.replace("integer", "integer GENERATED ALWAYS AS IDENTITY"), LEFT, LEFT, ""),
    "partitions": (PARTS, LEFT, LEFT, ""),
    "a partition with a key of its own": (f"{PARTS} ALTER TABLE p0 ADD UNIQUE (v);", LEFT, ANEW, "more than id"),
    "a table that inherits": (f"{T} CREATE TABLE c () INHERITS (t);", LEFT, LEFT, ""),
    "a trigger on update": (fire("BEFORE UPDATE", "NEW"), WRITTEN, ANEW, "there is trigger acts"),
    "a trigger on delete": (fire("BEFORE DELETE", "OLD"), LEFT, ANEW, "there is trigger acts"),
    "a trigger of statements": (fire("AFTER INSERT", "NULL", ""), WRITTEN, ANEW, "there is trigger acts"),
    "a trigger that is disabled": (
        f"{fire('BEFORE UPDATE', 'NEW')} ALTER TABLE t DISABLE TRIGGER acts;", LEFT, LEFT, ""
    ),
    "a rule that is disabled": (
        f"{T} CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING; ALTER TABLE t DISABLE RULE r;",
        WRITTEN, ANEW, "a rule stands before them",
    ),
    "inserts and deletes that are published": (publish("insert, delete"), LEFT, ANEW, "publication keyed_p"),
    "all changes that are published": (publish("insert, update, delete"), LEFT, LEFT, ""),
}  # fmt: skip


@pytest.mark.parametrize("strategy", ["upsert", "incremental"])
@pytest.mark.parametrize("name", DESTS)
def test_what_a_keyed_merge_writes_depends_on_who_could_tell(place: Place, name: str, strategy: str) -> None:
    setup, upserted, loaded, said = DESTS[name]
    place.reset(setup + OLD)
    written = "SELECT CAST(xmin AS text) FROM t WHERE id = 2"
    before = place.rows(written)
    record = place.load(strategy, NEW)
    assert record.status == "success", record.error
    wanted = upserted if strategy == "upsert" else loaded
    assert (figures(record), place.rows("SELECT id, v FROM t ORDER BY id")) == (wanted, AFTER)
    assert (place.rows(written) == before) is (wanted == LEFT)
    assert (said if wanted != LEFT else "are updated where they differ, and else not written") in tell(record)


def test_a_dry_run_says_what_the_merge_will_do_with_rows_that_come_again(place: Place) -> None:
    place.reset(T + OLD)
    module = place.project.add_module(
        "dry", source=place.me, query=NEW, dest=place.me, table="t", merge_strategy="incremental", merge_key="id"
    )
    record = place.project.run(module, dry_run=True)
    assert (record.status, tell(record)) == (
        "dry_run", "rows that come again by the unique key id are updated where they differ, and else not written"
    )  # fmt: skip
    assert "ON CONFLICT" in (record.merge_sql or "")
    assert place.rows("SELECT count(*) FROM t WHERE v = 'new'") == [(0,)]


MANY = "SELECT i AS id, CASE WHEN i % 100 = 0 THEN 'new' ELSE 'same' END AS v FROM generate_series(1, 60000) AS i"
MOST_NEW = MANY.replace("i % 100 = 0", "i % 10 <> 0")


@pytest.mark.parametrize(
    ("query", "login", "updated", "is_apart"),
    [
        pytest.param(MANY, "me", 500, True, id="rows in the order of the key"),
        pytest.param(f"{MANY} ORDER BY md5(CAST(i AS text))", "me", 500, False, id="rows in any order"),
        pytest.param(MOST_NEW, "me", 45_000, False, id="rows that differ"),
        pytest.param(MANY, "clerk", 500, False, id="a login without temporary tables"),
    ],
)
def test_what_differs_of_many_rows_is_looked_for_apart_where_that_can_be_shared(
    place: Place, query: str, login: str, updated: int, is_apart: bool
) -> None:
    place.reset(f"{T} INSERT INTO t SELECT i, 'same' FROM generate_series(1, 50000) AS i; ANALYZE t")
    place.connection.execute("GRANT ALL ON t TO keyed_clerk; REVOKE TEMPORARY ON DATABASE keyed FROM PUBLIC")
    record = place.load("upsert", query, login)
    assert record.status == "success", record.error
    assert figures(record) == (0, 10_000, updated, 50_000 - updated)
    assert place.rows(f"SELECT count(*) FROM t JOIN ({query}) AS s USING (id, v)") == [(60_000,)]
    assert ("pipekit_differing" in (record.merge_sql or "")) is is_apart
    assert place.rows("SELECT count(*) FROM pg_class WHERE relname = 'pipekit_differing'") == [(0,)]


def test_of_many_staged_rows_a_key_that_comes_twice_is_named(place: Place) -> None:
    place.reset(T)
    record = place.load("upsert", f"{MANY} UNION ALL SELECT 777, 'again' UNION ALL SELECT 888, 'again'")
    assert (record.status, record.error_stage) == ("error", "check")
    assert "2 merge keys (id) stand more than once" in (record.error or "")
    assert "for example id = 777" in (record.error or "")


@pytest.mark.parametrize("strategy", ["upsert", "incremental"])
def test_a_key_that_is_staged_twice_is_refused_though_one_of_them_is_unchanged(place: Place, strategy: str) -> None:
    place.reset(T + OLD)
    record = place.load(strategy, "SELECT * FROM (VALUES (2, 'same'), (2, 'other')) AS s (id, v)")
    assert (record.status, record.error_stage) == ("error", "check")
    assert "1 merge keys (id) stand more than once" in (record.error or "")
    assert place.rows("SELECT v FROM t ORDER BY id") == [("old",), ("same",), ("old",)]


def test_a_unique_value_goes_from_one_row_to_another_as_incremental_has_it(place: Place) -> None:
    place.reset("CREATE TABLE t (id integer PRIMARY KEY, v text UNIQUE);" + "INSERT INTO t VALUES (1, '1'), (2, '2')")
    record = place.load("incremental", "SELECT * FROM (VALUES (1, '2'), (2, '1')) AS s (id, v)")
    assert (record.status, figures(record)) == ("success", (2, 2, 0, None)), record.error


def test_numbers_of_a_column_that_is_not_fed_are_not_used_up_by_rows_that_are_there(place: Place) -> None:
    place.reset(T + "ALTER TABLE t ADD n integer GENERATED BY DEFAULT AS IDENTITY;" + OLD)
    assert figures(place.load("upsert", NEW)) == LEFT
    assert place.rows("SELECT id, n FROM t ORDER BY id") == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_an_index_that_compares_otherwise_than_its_column_is_no_key(place: Place) -> None:
    for index in ('id COLLATE "POSIX"', "id text_pattern_ops"):
        place.reset(f"CREATE TABLE t (id text, v text); CREATE UNIQUE INDEX ON t ({index}); {OLD}")
        record = place.load("incremental", NEW.replace("id, v", "n, v").replace("*", "n::text AS id, v"))
        assert (figures(record), NO_KEY in tell(record)) == (ANEW, True), record.error


RIGHTS = {
    "GRANT SELECT, INSERT, UPDATE, DELETE ON t TO keyed_clerk": (LEFT, LEFT),
    "GRANT SELECT (id), INSERT, UPDATE, DELETE ON t TO keyed_clerk": (WRITTEN, ANEW),
    "GRANT SELECT, INSERT, DELETE ON t TO keyed_clerk": (None, ANEW),
}


@pytest.mark.parametrize("grant", RIGHTS)
def test_a_login_needs_no_right_that_its_strategy_did_not_ask_for(place: Place, grant: str) -> None:
    for strategy, wanted in zip(("upsert", "incremental"), RIGHTS[grant], strict=True):
        place.reset(f"{T} {OLD} {grant}")
        record = place.load(strategy, NEW, login="clerk")
        assert (figures(record) if record.status == "success" else None) == wanted, record.error


def test_rows_under_row_security_are_written_as_ever(place: Place) -> None:
    rights = "GRANT SELECT, INSERT, UPDATE, DELETE ON t TO keyed_clerk; ALTER TABLE t ENABLE ROW LEVEL SECURITY;"
    for strategy, wanted in (("upsert", WRITTEN), ("incremental", ANEW)):
        place.reset(f"{T} {OLD} {rights} CREATE POLICY p ON t USING (id > 1)")
        record = place.load(strategy, NEW, login="clerk", guards=Guards(row_security=True))
        assert (record.status, figures(record)) == ("success", wanted), record.error


def test_rows_with_a_null_in_the_key_are_left_too(place: Place) -> None:
    place.reset("CREATE TABLE t (id integer, v text); INSERT INTO t VALUES (1, 'same'), (NULL, 'same'), (3, 'old')")
    rows = "SELECT * FROM (VALUES (1, 'same'), (NULL, 'same'), (3, 'new'), (4, 'new')) AS s (id, v)"
    record = place.load("upsert", rows, guards=Guards(null_keys=True))
    assert (record.status, figures(record)) == ("success", (0, 1, 1, 2)), record.error


@pytest.mark.parametrize(("strategy", "wanted"), [("full", (1, 1, 1, 1)), ("incremental", LEFT), ("upsert", LEFT)])
def test_rows_that_others_refer_to_are_not_written_either_where_nothing_differs(
    place: Place, strategy: str, wanted: tuple[int, ...]
) -> None:
    place.reset(f"{T} {OLD} CREATE TABLE c (t_id integer REFERENCES t); INSERT INTO c VALUES (2), (3)")
    before = place.rows("SELECT CAST(xmin AS text) FROM t WHERE id = 2")
    record = place.load(strategy, NEW)
    assert (record.status, figures(record)) == ("success", wanted), record.error
    assert place.rows("SELECT CAST(xmin AS text) FROM t WHERE id = 2") == before
    assert place.rows("SELECT id, v FROM t WHERE id > 1 ORDER BY id") == AFTER[1:]
    assert strategy != "full" or (record.dest_rows_before, record.dest_rows_after) == (3, 3)


def test_a_dest_that_holds_a_key_twice_is_refused_though_nothing_in_it_differs(place: Place) -> None:
    place.reset("CREATE TABLE t (id integer, v text); INSERT INTO t VALUES (1, 'same'), (1, 'same')")
    record = place.load("upsert", "SELECT 1 AS id, 'same' AS v")
    assert (record.status, record.error_stage) == ("error", "merge")
    assert "add up to 2, but 1 were staged" in (record.error or "")

# Indexes that a merge makes anew in a real PostgreSQL, of today and of some years ago: everything is as it was.
"""`find_rebuild` and the merges around it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.base import MergePlan
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.wire import connect
from pipekit.errors import CheckFailed, StatementFailed
from pipekit.models import Strategy
from pipekit.runner_contract import Endpoint, ResultColumn
from tests.databases.moving import Mover, load_rows, run
from tests.lending import lend_database, take_back

# Every oddity that an index can have, and what goes with it.
ODD = (
    "CREATE TABLE arrived (id integer NOT NULL, \"B c\" text, j jsonb, at date NOT NULL, span int4range, w tsvector)",
    "ALTER TABLE arrived ADD CONSTRAINT \"Odd key\" PRIMARY KEY (id) WITH (fillfactor = 70)",
    "COMMENT ON CONSTRAINT \"Odd key\" ON arrived IS 'of the constraint'",
    "COMMENT ON INDEX \"Odd key\" IS 'of the index, it''s another'",
    "ALTER TABLE arrived ADD CONSTRAINT late UNIQUE (at, id) INCLUDE (\"B c\") DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE arrived ADD CONSTRAINT nulls UNIQUE NULLS NOT DISTINCT (\"B c\")",
    "CREATE UNIQUE INDEX identity ON arrived (at DESC, id) WITH (deduplicate_items = off)",
    "ALTER TABLE arrived REPLICA IDENTITY USING INDEX identity",
    "CREATE INDEX folded ON arrived (lower(\"B c\") COLLATE \"C\" text_pattern_ops DESC NULLS LAST, (id + 1))"
    " WHERE id > 0",
    "ALTER INDEX folded ALTER COLUMN 2 SET STATISTICS 321",
    "COMMENT ON INDEX folded IS 'folded'",
    "CREATE INDEX j_path ON arrived USING gin (j jsonb_path_ops) WITH (fastupdate = off)",
    "CREATE INDEX w_gist ON arrived USING gist (w tsvector_ops (siglen = 100))",
    "CREATE INDEX at_brin ON arrived USING brin (at) WITH (pages_per_range = 7)",
    "CREATE INDEX hashed ON arrived USING hash (\"B c\") TABLESPACE aside",
    "ALTER TABLE arrived CLUSTER ON late",
    "ALTER TABLE arrived ADD CONSTRAINT apart EXCLUDE USING gist (span WITH &&)",
    "CREATE INDEX broken ON arrived (id)",
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass",
    "CREATE STATISTICS together ON at, id FROM arrived",
    "CREATE PUBLICATION odd FOR TABLE arrived",
)  # fmt: skip
FREE = ["Odd key", "late", "nulls", "identity", "folded", "j_path", "w_gist", "at_brin", "hashed"]

# What the catalogue says of a table, its indexes and constraints; oids and sizes left out.
SNAPSHOT = """
SELECT 'index', x.relname, pg_get_indexdef(x.oid), (to_jsonb(i) - 'indexrelid' - 'indrelid' - 'indcheckxmin'
    - 'indexprs' - 'indpred')::text,
  concat_ws(' ', x.relowner, x.relpersistence, x.reltablespace, x.reloptions, obj_description(x.oid, 'pg_class')),
  (SELECT jsonb_agg(to_jsonb(a) - 'attrelid' ORDER BY attnum) FROM pg_attribute AS a WHERE attrelid = x.oid)::text,
  (SELECT string_agg(attname, ' ' ORDER BY attname) FROM pg_stats WHERE tablename = x.relname)
FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid WHERE i.indrelid = 'arrived'::regclass
  AND x.relname <> 'broken' -- which TRUNCATE mends, with or without us
UNION ALL
SELECT 'constraint', conname, pg_get_constraintdef(k.oid), (to_jsonb(k) - 'oid' - 'conindid')::text,
  obj_description(k.oid, 'pg_constraint'), NULL, NULL
FROM pg_constraint AS k WHERE conrelid = 'arrived'::regclass
UNION ALL
SELECT 'table', relname, NULL, (to_jsonb(c) - 'relfilenode' - 'relfrozenxid' - 'relminmxid' - 'relpages' - 'reltuples'
  - 'relallvisible' - 'relallfrozen')::text, NULL,
  (SELECT jsonb_agg(to_jsonb(a) ORDER BY attnum) FROM pg_attribute AS a WHERE attrelid = c.oid)::text, NULL
FROM pg_class AS c WHERE oid = 'arrived'::regclass
ORDER BY 1, 2
"""
OIDS = "SELECT x.relname, x.oid FROM pg_class AS x JOIN pg_index AS i ON i.indexrelid = x.oid WHERE i.indrelid = \
'arrived'::regclass"


@pytest.fixture(params=["newest", "older"], scope="module")
def server(request: pytest.FixtureRequest) -> LocalPostgres:
    name = "postgres" if request.param == "newest" else "old_postgres"
    found: LocalPostgres = request.getfixturevalue(name)
    return found


@pytest.fixture
def mover(server: LocalPostgres) -> Iterator[Mover]:
    """A database of its own, with a tablespace beside the usual one."""
    name = lend_database(server, "rebuilt")
    ends = [connect(Endpoint(kind="postgresql", jdbc_url=server.jdbc_url(name), username="postgres")) for _ in "12"]
    run(ends[1], "DROP SCHEMA IF EXISTS pipekit_staging CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    if not ends[1].query("SELECT 1 FROM pg_tablespace WHERE spcname = 'aside'").rows:
        for sql in ("SET allow_in_place_tablespaces TO on", "CREATE TABLESPACE aside LOCATION ''"):
            ends[1].link.run(sql)
    yield Mover(ends[0], ends[1], "arrived")
    for end in ends:
        end.close()
    take_back(server, name)


def make_rows(first: int, last: int) -> list[tuple[object, ...]]:
    return [
        (n, f"text {n}", f'{{"n": {n}}}', f"2026-01-{n % 28 + 1:02}", f"[{n * 2},{n * 2 + 1})", f"word{n}")
        for n in range(first, last)
    ]


def plan_merge(mover: Mover, rows: list[tuple[object, ...]], strategy: Strategy) -> MergePlan:
    """A merge of staged rows by the key `id` that makes anew what it may."""
    load_rows(mover, rows)
    columns = DRIVER.get_columns(mover.dest.query, mover.table)
    staged = tuple(DRIVER.stage_column(ResultColumn(name=c.name, type=c.type), DRIVER, c) for c in columns)
    plan = mover.build_plan(staged, strategy, ("id",))
    return replace(plan, rebuild=DRIVER.find_rebuild(mover.dest.query, mover.table))


@pytest.mark.parametrize("strategy", ["full", "incremental", "append"])
def test_indexes_of_every_kind_are_made_anew_as_they_were(mover: Mover, strategy: Strategy) -> None:
    session = mover.dest
    run(session, *ODD)
    plan = plan_merge(mover, make_rows(0, 60), "append")
    mover.merge(replace(plan, rebuild=None))
    run(session, "ANALYZE arrived")
    plan = plan_merge(mover, make_rows(0 if strategy == "full" else 60, 300), strategy)
    assert plan.rebuild is not None
    assert plan.rebuild.names == tuple(FREE)
    assert plan.rebuild.kept == (
        ("apart", "it belongs to an exclusion constraint"),
        ("broken", "it is not valid"),
    )
    before, oids = session.query(SNAPSHOT).rows, {*session.query(OIDS).rows}
    counts = mover.merge(plan)
    assert counts["inserted"] == (300 if strategy == "full" else 240)
    assert session.query(SNAPSHOT).rows == before
    assert {name for name, _ in oids - {*session.query(OIDS).rows}} == {*FREE}
    assert session.query("SELECT count(*), count(DISTINCT id) FROM arrived").rows == (("300", "300"),)


WHY = [
    ("CREATE TABLE child (id integer REFERENCES arrived)", "constraint child_id_fkey on table child needs it"),
    ("CREATE VIEW grouped AS SELECT id, j::text FROM arrived GROUP BY id", "rule _RETURN on view grouped needs it"),
    ("ALTER INDEX arrived_pkey DEPENDS ON EXTENSION plpgsql", "it belongs to an extension"),
]


@pytest.mark.parametrize(("sql", "why"), WHY)
def test_an_index_that_something_else_needs_is_kept_and_the_others_are_made_anew(
    mover: Mover, sql: str, why: str
) -> None:
    run(mover.dest, "CREATE TABLE arrived (id integer PRIMARY KEY, j json)", "CREATE INDEX other ON arrived (id)", sql)
    found = DRIVER.find_rebuild(mover.dest.query, mover.table)
    assert (found.names, found.kept, found.obstacle) == (("other",), (("arrived_pkey", why),), "")


def test_tables_whose_indexes_the_login_may_not_drop_or_make_say_why(mover: Mover) -> None:
    session = mover.dest

    def look() -> str:
        return DRIVER.find_rebuild(session.query, mover.table).obstacle

    assert look() == "it is made by this run"
    run(session, "CREATE TABLE arrived (id integer PRIMARY KEY) PARTITION BY RANGE (id)")
    assert look() == "it is partitioned"
    run(session, "DROP TABLE arrived", "CREATE TABLE arrived (id integer)")
    assert look() == "it has none"
    run(session, "CREATE INDEX ON arrived (id)")
    assert look() == ""
    watch = "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"
    run(session, watch, "CREATE EVENT TRIGGER watching ON sql_drop EXECUTE FUNCTION watch()")
    assert look() == "the event trigger watching looks at such changes"
    run(session, "DROP EVENT TRIGGER watching", "GRANT ALL ON arrived TO pg_monitor")
    session.link.run("SET ROLE pg_monitor")
    assert look() == "only its owner may drop them"
    session.link.run("RESET ROLE")
    run(session, "ALTER TABLE arrived OWNER TO pg_monitor")
    session.link.run("SET ROLE pg_monitor")
    assert look() == "there is no right to make them in the schema public"
    session.link.run("RESET ROLE")


def test_a_key_that_comes_twice_is_told_as_ever_and_everything_is_as_before(mover: Mover) -> None:
    session = mover.dest
    run(session, "CREATE TABLE arrived (id integer PRIMARY KEY)", "INSERT INTO arrived VALUES (1)")
    plan = plan_merge(mover, [(1,), (2,), (2,)], "full")
    told = []
    for rebuild in (None, plan.rebuild):
        before = session.query(SNAPSHOT).rows
        with pytest.raises(StatementFailed) as caught:
            mover.merge(replace(plan, rebuild=rebuild))
        told.append((caught.value.sqlstate, DRIVER.tell_rebuilt(caught.value.message)))
        assert session.query(SNAPSHOT).rows == before
        assert session.query("SELECT id FROM arrived").rows == (("1",),)
    unique = 'duplicate key value violates unique constraint "arrived_pkey"\nKey (id)=(2) '
    assert told == [("23505", f"{unique}already exists."), ("23505", f"{unique}is duplicated.")]


def test_an_index_that_was_changed_since_it_was_looked_at_ends_the_merge(mover: Mover) -> None:
    session = mover.dest
    run(session, "CREATE TABLE arrived (id integer PRIMARY KEY)", "INSERT INTO arrived VALUES (1)")
    plan = plan_merge(mover, [(2,)], "full")
    run(session, "COMMENT ON INDEX arrived_pkey IS 'mine'")
    with pytest.raises(CheckFailed, match="has changed an index of"):
        mover.merge(plan)
    assert session.query("SELECT id FROM arrived").rows == (("1",),)


def test_a_foreign_key_that_is_checked_late_does_not_stand_in_the_way(mover: Mover) -> None:
    run(
        mover.dest,
        "CREATE TABLE parent (id integer PRIMARY KEY)",
        "INSERT INTO parent VALUES (1), (2)",
        "CREATE TABLE arrived (id integer PRIMARY KEY, p integer REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    )
    for strategy in ("full", "incremental", "append"):
        plan = plan_merge(mover, [(1, 1), (2, 2)] if strategy != "append" else [(3, 2)], strategy)
        mover.merge(plan)
    assert mover.dest.query("SELECT count(*) FROM arrived").rows == (("3",),)
    plan = plan_merge(mover, [(4, 9)], "append")
    with pytest.raises(StatementFailed, match="violates foreign key constraint"):
        mover.merge(plan)

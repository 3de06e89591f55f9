# What a keyed merge costs on a real PostgreSQL: how its joins are planned, whatever the dest's statistics say.
"""Merges whose cost grows with the rows. Plans are looked at, not clocks."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.joins import NO_NESTED_LOOPS
from pipekit.models import Strategy
from tests.databases.moving import Mover, run

ROWS = 4_000

# How the dest came to be as it is; `filled` has the rows of 1 to ROWS, `few` hardly any.
_FILL = f"INSERT INTO arrived SELECT g, NULLIF(g % 3, 0), 'old' FROM generate_series(1, {ROWS}) AS g"
STATES = {
    "never analyzed": (_FILL,),
    "vacuumed while it was empty": ("VACUUM ANALYZE arrived",),
    "analyzed while it was empty, filled since": ("VACUUM ANALYZE arrived", _FILL),
    "vacuumed with one row left, filled since": (
        _FILL, f"DELETE FROM arrived WHERE a <> {ROWS}", "VACUUM ANALYZE arrived", _FILL,
    ),
    "analyzed while it was full, emptied since": (_FILL, "ANALYZE arrived", "DELETE FROM arrived"),
    "analyzed without a NULL, which it has since": (
        f"INSERT INTO arrived SELECT g, 1, 'old' FROM generate_series(1, {ROWS}) AS g", "VACUUM ANALYZE arrived",
        "UPDATE arrived SET b = NULL",
    ),
}  # fmt: skip
SHAPES = {
    "with an index": "CREATE TABLE arrived (a integer, b integer, c text); CREATE INDEX ON arrived (a, b)",
    "without an index": "CREATE TABLE arrived (a integer, b integer, c text)",
    "partitioned": "CREATE TABLE arrived (a integer, b integer, c text) PARTITION BY HASH (a); "
    "CREATE TABLE p0 PARTITION OF arrived FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
    "CREATE TABLE p1 PARTITION OF arrived FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    "behind a view": "CREATE TABLE kept (a integer, b integer, c text); CREATE VIEW arrived AS SELECT * FROM kept",
}


def make_dest(mover: Mover, shape: str, state: str, rows: int = ROWS) -> None:
    run(mover.dest, SHAPES[shape])
    for sql in STATES[state]:
        table = "kept" if shape == "behind a view" and "ANALYZE" in sql else "arrived"
        mover.dest.link.run(sql.replace("arrived", table).replace(str(ROWS), str(rows)))


def explain_merge(mover: Mover, strategy: Strategy, rows: str, null_keys: bool, **way: bool) -> Iterator[str]:
    """The plan of each statement of a merge, each of them really done after it was looked at."""
    staged = mover.move(rows, "copy-binary")
    plan = replace(mover.build_plan(staged, strategy, ("a", "b"), null_keys), **way)  # type: ignore[arg-type]
    run(mover.dest, *DRIVER.build_analyze_sql(plan))
    link = mover.dest.link
    link.run("BEGIN")
    for statement in DRIVER.build_merge_sql(plan):
        if statement.name or ("staging" in statement.sql and "set_config('enable" not in statement.sql):
            told = link.run(f"EXPLAIN (COSTS off) {statement.sql}")
            yield "\n".join((told.get_value(i, 0) or b"").decode() for i in range(told.ntuples))
        link.run(statement.sql)
    link.run("COMMIT")


@pytest.mark.parametrize(
    ("shape", "state"),
    [("with an index", state) for state in STATES] + [(shape, "vacuumed while it was empty") for shape in SHAPES][1:],
)
def test_a_keyed_merge_of_many_rows_never_compares_each_with_each(mover: Mover, shape: str, state: str) -> None:
    make_dest(mover, shape, state)
    many = f"SELECT g AS a, NULLIF(g % 3, 0) AS b, 'new'::text AS c FROM generate_series(1, {ROWS}) AS g"
    strategies: tuple[Strategy, ...] = ("upsert", "incremental")
    for strategy, null_keys in itertools.product(strategies, (True, False)):
        rows = many if null_keys else f"SELECT * FROM ({many}) AS m WHERE b IS NOT NULL"
        for plan in explain_merge(mover, strategy, rows, null_keys):
            assert "Nested Loop" not in plan, (strategy, null_keys, plan)
    assert mover.dest.query("SELECT count(*) FROM arrived WHERE c = 'new'").first_cell() == str(ROWS)


@pytest.mark.parametrize("state", ["never analyzed", "analyzed while it was empty, filled since"])
@pytest.mark.parametrize("strategy", ["incremental", "upsert"])
def test_few_rows_into_a_large_table_go_by_its_index(mover: Mover, strategy: Strategy, state: str) -> None:
    make_dest(mover, "with an index", state, 200_000)
    few = "SELECT g * 100 AS a, 1 AS b, 'new'::text AS c FROM generate_series(1, 5) AS g"
    plans = list(explain_merge(mover, strategy, few, False))
    assert "Index" in plans[0], plans
    assert "Seq Scan on arrived" not in "".join(plans), plans


WAYS = {"at once": {"unique": True, "at_once": True}, "by two": {"unique": True}, "counted": {}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", ["vacuumed while it was empty", "analyzed while it was empty, filled since"])
def test_a_merge_that_leaves_rows_never_compares_each_with_each(mover: Mover, state: str, way: str) -> None:
    make_dest(mover, "with an index", state)
    run(mover.dest, "DELETE FROM arrived WHERE b IS NULL", "CREATE UNIQUE INDEX ON arrived (a, b)")
    many = f"SELECT g AS a, g % 3 AS b, 'new'::text AS c FROM generate_series(1, {ROWS}) AS g WHERE g % 3 <> 0"
    for plan in explain_merge(mover, "upsert", many, False, leaves=True, **WAYS[way]):
        assert "Nested Loop" not in plan, plan
    assert mover.dest.query("SELECT count(*) FROM arrived").first_cell() == str(ROWS - ROWS // 3)


@pytest.mark.parametrize("way", ["at once", "by two"])
def test_a_small_part_of_a_large_table_is_searched_by_its_key_in_its_order(mover: Mover, way: str) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b integer, c text, PRIMARY KEY (a, b))")
    run(mover.dest, "INSERT INTO arrived SELECT g, 1, 'old' FROM generate_series(1, 100000) AS g")
    mover.dest.link.run("VACUUM ANALYZE arrived")
    for every, by_key in ((20, True), (1, False)):
        rows = f"SELECT g * {every} AS a, 1 AS b, 'new'::text AS c FROM generate_series(1, {100_000 // every}) AS g"
        plans = list(explain_merge(mover, "upsert", rows, False, leaves=True, **WAYS[way]))
        assert ("Seq Scan on arrived" not in "".join(plans)) is by_key, plans
        assert not by_key or "Sort" in plans[0]


@pytest.mark.parametrize("type_text", ["integer[]", "text", "numeric", "timestamptz", "bytea", "character(3)", "mood"])
def test_keys_with_a_null_meet_by_value_in_every_type(mover: Mover, type_text: str) -> None:
    one, two = {
        "integer[]": ("{1}", "{}"), "numeric": ("1", "2.5"), "timestamptz": ("2026-01-01", "2026-01-02"),
        "mood": ("sad", "ok"),
    }.get(type_text, ("x", "y"))  # fmt: skip
    run(mover.dest, "DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('sad', 'ok')")
    run(mover.dest, f"CREATE TABLE arrived (a {type_text}, b {type_text}, c text)")
    run(mover.dest, f"INSERT INTO arrived VALUES ('{one}', NULL, 'old'), (NULL, '{two}', 'old'), (NULL, NULL, 'old')")
    rows = f"('{one}'::{type_text}, NULL::{type_text}, 'new'), ('{two}', NULL, 'new'), (NULL, NULL, 'new')"
    staged = mover.move(f"SELECT * FROM (VALUES {rows}) AS v (a, b, c)")
    plan = mover.build_plan(staged, "upsert", ("a", "b"), True)
    assert NO_NESTED_LOOPS in DRIVER.build_merge_sql(plan)
    assert mover.merge(plan) == {"updated": 2, "inserted": 1}
    assert mover.dest.query("SELECT count(*) FROM arrived WHERE c = 'old'").first_cell() == "1"

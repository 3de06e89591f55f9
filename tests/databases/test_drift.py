# Runs whose source has other columns than the dest: refused, left out, added or widened, as the module says.
"""`drift` of a module, into PostgreSQL and SQLite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.engine.events import Event, StageStarted
from pipekit.models import Column, Guards, Module
from tests.databases.past_places import Place, get_check, open_place

pytestmark = pytest.mark.usefixtures("near_when_quick")


# Columns that do not meet may be left out by the older switch too.
LOOSE: dict[str, Any] = {
    "query": "SELECT id, v, u FROM o", "merge_strategy": "full", "deletes": "none", "guards": Guards(column_truth=False)
}  # fmt: skip


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Place]:
    with open_place(request.param, tmp_path, postgres) as place:
        place.execute("CREATE TABLE d (id INTEGER, v VARCHAR(2))")
        yield place


def add_module(place: Place, drift: str, query: str = 'SELECT id, v, u AS "New One" FROM o', **options: Any) -> Module:
    return place.module(drift, drift=drift, query=query, merge_strategy="full", deletes="none", **options)


def test_a_new_column_stops_a_run_which_tells_the_statement_that_would_add_it(place: Place) -> None:
    run = place.run(add_module(place, "stop"))
    assert run.status == "error"
    assert "the source column 'New One' has no dest column" in (run.error or "")
    assert 'ADD COLUMN "new_one"' in (run.hint or "")
    ok, told = get_check(run, "drift")
    assert (ok, told.startswith("new in the source, not in the dest: New One: ALTER TABLE")) == (False, True)
    assert place.rows("SELECT * FROM d") == []
    loose = place.project.succeed(place.module("loose", drift="stop", **LOOSE))
    assert get_check(loose, "drift")[0] is None


def test_a_new_column_is_left_out_where_the_module_ignores_it(place: Place) -> None:
    run = place.run(add_module(place, "ignore"))
    assert (run.status, run.rows_inserted) == ("success", 5), run.error
    ok, told = get_check(run, "drift")
    assert (ok, told.startswith("new in the source, left out: New One")) == (True, True)
    assert get_check(run, "columns")[1] == "2 columns meet; not loaded: New One"


def test_a_new_column_is_added_empty_before_its_values_come(place: Place) -> None:
    place.execute("INSERT INTO d VALUES (77, 'x')")
    module = add_module(place, "add")
    looked = place.project.run(module, dry_run=True)
    assert 'ADD COLUMN "new_one"' in (looked.staging_sql or "")
    assert place.project.run(module, preview=True).error is not None
    assert len(place.rows("SELECT * FROM d")[0]) == 2
    run = place.run(module)
    assert (run.status, run.rows_inserted) == ("success", 5), run.error
    assert get_check(run, "drift")[1].startswith("new in the source, added: New One: ALTER TABLE")
    assert place.rows("SELECT id, new_one FROM d ORDER BY id")[:2] == [("1", "2026-01-01"), ("2", "2026-01-02")]
    again = place.run(module)
    assert (again.status, "drift" in [check.name for check in again.checks]) == ("success", False), again.error


def test_a_column_that_the_module_names_has_its_name_and_type_and_one_that_is_gone_is_told(place: Place) -> None:
    columns = (
        Column(id="c1", source_name="New One", source_type="", dest_name="extra", dest_type="VARCHAR(30)"),
        Column(id="c2", source_name="left", source_type="", dest_name="v", dest_type="VARCHAR(2)"),
    )
    run = place.run(add_module(place, "add", columns=columns))
    assert run.status == "success", run.error
    ok, told = get_check(run, "drift")
    assert ok
    assert "in the module's columns, gone from the source: left" in told
    assert place.rows("SELECT extra FROM d WHERE id = 1") == [("2026-01-01",)]


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_wider_type_is_made_where_the_dest_can_and_never_a_narrower_one(place: Place) -> None:
    """SQLite's types bind no value."""
    place.execute(
        "CREATE TABLE s (id bigint, v varchar(20), w smallint, n numeric(9,3));"
        " INSERT INTO s VALUES (3000000000, 'longer than 2', 1, 123456.789)",
        'DROP TABLE d; CREATE TABLE d (id integer PRIMARY KEY, v varchar(2) COLLATE "C", w integer, n numeric(5,2))',
    )
    given = {"source": place.dest, "dest": place.dest, "table": "d", "query": "SELECT * FROM s"}
    added = place.run(place.project.add_module("narrow", **given, drift="add"))  # type: ignore[arg-type]
    assert added.status == "error"
    run = place.run(place.project.add_module("wide", **given, drift="widen"))  # type: ignore[arg-type]
    assert run.status == "success", run.error
    told = get_check(run, "drift")[1]
    assert told.startswith(
        "wider in the source, widened where the dest can: id (bigint), v (character varying(20)), n (numeric(9,3))"
    )
    types = "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute"
    assert place.rows(f"{types} WHERE attrelid = 'd'::regclass AND attnum > 0") == [
        ("bigint, character varying(20), integer, numeric(9,3)",)
    ]
    assert place.rows(
        "SELECT attcollation::regcollation FROM pg_attribute WHERE attrelid = 'd'::regclass AND attnum = 2"
    ) == [('"C"',)]


def test_columns_that_change_their_names_behind_the_plan_load_nothing(place: Place) -> None:
    place.execute("DROP TABLE d", "CREATE TABLE d (id INTEGER, v TEXT, u TEXT)")
    module = add_module(place, "stop", query="SELECT * FROM o")

    def exchange(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "stage":
            for old, new in (("v", "x"), ("u", "v"), ("x", "u")):
                place.source(f"ALTER TABLE o RENAME COLUMN {old} TO {new}")

    run = place.project.run(module, exchange)
    assert (run.status, run.error_stage, place.rows("SELECT * FROM d")) == ("error", "stage", [])
    assert "planned ['id', 'v', 'u'], now ['id', 'u', 'v']" in (run.error or "")

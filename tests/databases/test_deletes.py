# Runs whose module says what becomes of rows that are gone from the source, into PostgreSQL and SQLite.
"""`deletes: hard` and `deletes: mark`: what goes, what is marked, what is protected, and what is refused."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Guards
from tests.databases.past_places import QUERY, Place, find_staging, get_check, open_place

pytestmark = pytest.mark.usefixtures("near_when_quick")


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Place]:
    with open_place(request.param, tmp_path, postgres) as place:
        place.execute("CREATE TABLE d (id INTEGER, v TEXT, u TEXT, gone TIMESTAMP)")
        yield place


@pytest.mark.parametrize("strategy", ["upsert", "incremental"])
def test_rows_that_are_gone_are_deleted_though_the_watermark_reads_a_part(place: Place, strategy: str) -> None:
    module = place.module(merge_strategy=strategy)
    place.run(module)
    place.source("DELETE FROM o WHERE id IN (2, 4)")
    place.source("INSERT INTO o VALUES (9, 'new', '2026-01-09')")
    run = place.run(module)
    assert (run.status, run.rows_read, run.rows_deleted, run.rows_inserted) == ("success", 1, 2, 1), run.error
    assert place.ids() == "1359"
    assert get_check(run, "deletes") == (
        True,
        "2 rows deleted; 4 keys read by the module's query with since = 1900-01-01",
    )
    again = place.run(module)
    assert (again.rows_deleted, again.rows_marked) == (0, None)


def test_a_row_is_marked_with_the_time_of_the_run_that_missed_it_first_and_unmarked_when_it_is_back(
    place: Place,
) -> None:
    module = place.module(deletes="mark", deletes_column="gone")
    place.run(module)
    place.source("DELETE FROM o WHERE id IN (2, 4)")
    run = place.run(module)
    assert (run.status, run.rows_deleted, run.rows_marked) == ("success", 0, 2), run.error
    marks = place.rows("SELECT id, gone FROM d WHERE gone IS NOT NULL ORDER BY id")
    assert run.started_at is not None
    started = datetime.fromisoformat(run.started_at).replace(tzinfo=None)
    assert [(id_, datetime.fromisoformat(at or "")) for id_, at in marks] == [("2", started), ("4", started)]
    assert place.run(module).rows_marked == 0
    assert place.rows("SELECT id, gone FROM d WHERE gone IS NOT NULL ORDER BY id") == marks
    # Its own time is old, so that the watermark's query does not bring it.
    place.source("INSERT INTO o VALUES (2, 'v2', '2026-01-02')")
    run = place.run(module)
    assert get_check(run, "deletes")[1].startswith("0 rows marked in gone, 1 are back; 4 keys")
    assert place.ids("gone IS NOT NULL") == "4"


TODAY = datetime.now().date()
SCOPES: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"deletes_where": "v <> 'v2' -- not this one"}, "2"),
    ({"deletes_where": "u > '{since}'"}, "1245"),
    ({"deletes_days": 3, "deletes_day_column": "u"}, "12"),
    ({"deletes_days": 3, "deletes_day_column": "u", "deletes_where": "v = 'v4' OR v = 'v2'"}, "125"),
]


@pytest.mark.parametrize(("options", "left"), SCOPES, ids=lambda value: str(value)[:40])
def test_only_rows_within_the_scope_go(place: Place, options: dict[str, Any], left: str) -> None:
    module = place.module(**options)
    place.run(module)
    for id_, days in ((4, 3), (5, 1)):
        place.execute(f"UPDATE d SET u = '{TODAY - timedelta(days=days)}' WHERE id = {id_}")
    place.source("DELETE FROM o WHERE id <> 3")
    place.source("INSERT INTO o VALUES (8, 'kept', '2030-01-01')")
    run = place.run(module)
    assert run.status == "success", run.error
    assert place.ids() == "".join(sorted(f"{left}38"))


def test_a_row_with_a_null_in_its_key_has_no_key_unless_nulls_match(place: Place) -> None:
    place.execute("INSERT INTO d VALUES (NULL, 'nobody', '2025-01-01', NULL)")
    place.source("INSERT INTO o VALUES (NULL, 'nobody', '1899-01-01')")
    assert place.run(place.module()).status == "success"
    assert sorted(place.ids()) == sorted("12345-")
    query = "SELECT id, v, u FROM o"
    run = place.run(place.module("with", query=query, guards=Guards(null_keys=True)))
    assert (run.status, run.rows_deleted) == ("success", 0), run.error
    place.source("DELETE FROM o WHERE id IS NULL")
    run = place.run(place.module("without", query=query, guards=Guards(null_keys=True)))
    assert (run.status, run.rows_deleted, place.ids()) == ("success", 1, "12345"), run.error


def test_a_query_of_the_keys_may_be_given_and_a_staged_key_is_never_gone(place: Place) -> None:
    """What was staged is there, whatever the keys say that were read a moment later."""
    module = place.module(query="SELECT id, v, u FROM o WHERE id > 3", deletes_keys="SELECT 5 AS id UNION SELECT 2")
    place.execute("INSERT INTO d VALUES (1, 'old', '', NULL), (2, 'old', '', NULL)")
    run = place.run(module)
    assert run.status == "success", run.error
    assert place.ids() == "245"
    assert get_check(run, "deletes") == (True, "1 rows deleted; 2 keys read by its own query")


Refusal = tuple[dict[str, Any], str, str]
REFUSED: list[Refusal] = [
    ({"deletes_keys": "SELECT 77 AS id"}, "Of 5 rows that were just read, the keys", "the value of a first run"),
    ({"deletes_keys": "SELECT v FROM o"}, "has no column 'id'", "every column of the key"),
    ({"deletes_keys": "SELECT id FROM o WHERE 1 = 0"}, "The source gave no keys: 2 of 3 rows", "empty_source: false"),
    ({"guards": Guards(shrink=0.5)}, "2 of 3 rows of", "guards: {shrink: ...}"),
    ({"deletes_where": "nothing = 1"}, "nothing", ""),
    ({"deletes_where": "1 = 1) OR (1 = 1"}, "its parentheses do not meet", "one condition"),
    (
        {"deletes_days": 1, "deletes_day_column": "absent"},
        "no column 'absent', which `deleting: {day_column",
        "name another",
    ),
    ({"deletes_days": 1, "deletes_day_column": "id"}, "'id' cannot have the time of a run", "date and time"),
    ({"deletes": "mark", "deletes_column": "v"}, "the query feeds it", "another column"),
    ({"deletes": "mark", "deletes_column": "never"}, "no column 'never'", "Add the column"),
    (
        {"query": QUERY, "watermarks": [{"name": "since", "resolver_sql": "SELECT '0'"}]},
        "'since' has no default",
        "deleting: {keys: ...}",
    ),
]


@pytest.mark.parametrize(("options", "told", "mend"), REFUSED, ids=[told[:30] for _, told, _ in REFUSED])
def test_what_would_take_too_much_or_does_not_fit_is_refused_and_changes_nothing(
    place: Place, options: dict[str, Any], told: str, mend: str
) -> None:
    place.execute("INSERT INTO d VALUES (1, 'old', '', NULL), (7, 'old', '', NULL), (8, 'old', '', NULL)")
    given = {"query": "SELECT id, v, u FROM o", **options}
    for mark in given.get("watermarks", ()):
        mark["connection_id"] = place.dest.id
    run = place.run(place.module(**given))
    assert run.status == "error"
    assert told in (run.error or "")
    assert mend in f"{run.hint}"
    assert place.rows("SELECT id, v FROM d ORDER BY id") == [("1", "old"), ("7", "old"), ("8", "old")]
    assert not find_staging(place)


@pytest.mark.parametrize("empties", [True, False])
def test_switches_of_the_guards_let_all_rows_go(place: Place, empties: bool) -> None:
    module = place.module(query="SELECT id, v, u FROM o", guards=Guards(empty_source=not empties, shrink=0))
    place.run(module)
    place.source("DELETE FROM o")
    run = place.run(module)
    assert (run.status, place.ids()) == (("success", "") if empties else ("error", "12345"))


def test_rows_of_other_tables_that_would_go_along_are_counted_and_refused(place: Place) -> None:
    place.execute("CREATE UNIQUE INDEX d_id ON d (id)")
    place.execute("CREATE TABLE c (n INTEGER, d_id INTEGER REFERENCES d (id) ON DELETE CASCADE)")
    module = place.module()
    place.run(module)
    place.execute("INSERT INTO c VALUES (1, 2), (2, 2), (3, 3)")
    place.source("DELETE FROM o WHERE id = 2")
    run = place.run(module)
    assert (run.status, place.ids()) == ("error", "12345")
    assert "2 rows of" in (run.error or "")
    assert "that are gone from the source" in (run.error or "")
    assert "`deletes: mark` deletes nothing" in (run.hint or "")
    run = place.run(place.module("allowed", guards=Guards(children=True)))
    assert (run.status, place.ids()) == ("success", "1345"), run.error
    ok, told = get_check(run, "children of rows that are gone")
    assert not ok
    assert "2 rows of" in told


def test_what_a_trigger_keeps_of_rows_that_are_gone_is_refused(place: Place) -> None:
    if place.kind == "sqlite":
        place.execute("CREATE TRIGGER keep BEFORE DELETE ON d WHEN old.id = 2 BEGIN SELECT RAISE(IGNORE); END")
    else:
        place.execute(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF old.id = 2 THEN RETURN NULL; END IF; RETURN old; END $$",
            "CREATE TRIGGER keep BEFORE DELETE ON d FOR EACH ROW EXECUTE FUNCTION keep()",
        )
    module = place.module()
    place.run(module)
    place.source("DELETE FROM o WHERE id IN (2, 4)")
    run = place.run(module)
    assert (run.status, place.ids()) == ("error", "12345")
    assert "After the merge 1 rows of" in (run.error or "")
    assert "still there as before" in (run.error or "")
    run = place.run(place.module("lenient", guards=Guards(dest_truth=False)))
    assert (run.status, run.rows_deleted, place.ids()) == ("success", 1, "1235"), run.error
    assert get_check(run, "deletes")[0] is False


def test_a_dest_that_is_made_has_the_column_of_the_mark(place: Place) -> None:
    place.execute("DROP TABLE d")
    module = place.module(deletes="mark", deletes_column="gone_at", create_table=True, query="SELECT id, v, u FROM o")
    assert get_check(place.run(module), "deletes") == (True, "none: this run makes the dest")
    place.source("DELETE FROM o WHERE id = 1")
    run = place.run(module)
    assert (run.status, run.rows_marked, place.ids("gone_at IS NOT NULL")) == ("success", 1, "1"), run.error


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_keys_that_differ_from_the_dest_by_blanks_alone_are_refused(place: Place, postgres: LocalPostgres) -> None:
    """Each row of the dest would seem gone. The source needs a char(n)."""
    place.execute("DROP TABLE d", "CREATE TABLE d (k text, v text)", "CREATE TABLE s (k char(3), v text)")
    place.execute("INSERT INTO d VALUES ('a', 'old')", "INSERT INTO s VALUES ('b', 'new')")
    place.execute("INSERT INTO s VALUES ('a', 'old')")
    module = place.project.add_module(
        "b",
        source=place.dest,
        dest=place.dest,
        table="d",
        query="SELECT k, v FROM s",
        merge_strategy="upsert",
        merge_key="k",
        deletes="hard",
        deletes_keys="SELECT k FROM s",
    )
    run = place.run(module)
    assert (run.status, place.rows("SELECT k FROM d")) == ("error", [("a",)])
    assert "but for blanks at its end" in (run.error or "")


def test_a_dry_run_says_what_would_go_and_how_the_keys_are_read(place: Place) -> None:
    run = place.project.run(place.module(), dry_run=True)
    ok, told = get_check(run, "deletes")
    assert ok
    assert told.startswith("rows whose id the source no longer has are deleted; keys are read by the module's query")
    assert "~keys" in (run.merge_sql or "")


@pytest.mark.parametrize("mark", ["", "gone"])
def test_a_preview_counts_what_would_go_and_what_it_has_looked_at_is_merged(place: Place, mark: str) -> None:
    module = place.module(deletes="mark" if mark else "hard", deletes_column=mark)
    place.run(module)
    place.source("DELETE FROM o WHERE id IN (2, 4)")
    looked = place.project.run(module, preview=True)
    assert looked.status == "dry_run", looked.error
    preview = repo.get_preview(place.project.db, looked.id)
    assert (preview.would_delete, [row["id"] for row in preview.samples.delete]) == (
        (0, []) if mark else (2, ["2", "4"])
    )
    assert place.ids() == "12345"
    place.source("DELETE FROM o WHERE id = 5")
    run = place.project.run(module, merges=looked.id)
    assert (run.status, run.rows_deleted, run.rows_marked) == ("success", *((0, 2) if mark else (2, None))), run.error
    assert place.ids("gone IS NULL") == "135"
    assert not find_staging(place)


@pytest.mark.parametrize("mark", ["", "gone"])
def test_what_went_or_was_marked_can_be_taken_back_with_the_rest_of_its_run(place: Place, mark: str) -> None:
    module = place.module(deletes="mark" if mark else "hard", deletes_column=mark, undo_runs=2)
    place.run(module)
    before = place.rows("SELECT * FROM d ORDER BY id")
    place.source("DELETE FROM o WHERE id IN (2, 4)")
    place.source("INSERT INTO o VALUES (9, 'new', '2026-01-09')")
    run = place.run(module)
    assert (run.status, place.ids("gone IS NULL")) == ("success", "1359"), run.error
    undone = place.project.cli("undo", str(run.id))
    assert undone.code == 0, undone.stderr
    assert place.rows("SELECT * FROM d ORDER BY id") == before

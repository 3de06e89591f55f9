# Runs of the strategy snapshot into PostgreSQL and SQLite: which versions end, which begin, and when.
"""A dest that keeps every version of its rows."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Guards, Module, Run
from tests.databases.past_places import Place, find_staging, get_check, open_place

pytestmark = pytest.mark.usefixtures("near_when_quick")

TABLE = "CREATE TABLE d (id INTEGER, v TEXT, u TEXT, valid_from TIMESTAMP, valid_to TIMESTAMP, current {flag})"
VERSIONS = "SELECT id, v, valid_from, valid_to FROM d ORDER BY id, valid_from"


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Place]:
    with open_place(request.param, tmp_path, postgres) as place:
        yield place


def add_module(place: Place, name: str = "m", **options: Any) -> Module:
    given: dict[str, Any] = {"query": "SELECT id, v, u FROM o", "create_table": True}
    return place.module(name, merge_strategy="snapshot", deletes="none", **(given | options))


def read(place: Place) -> list[str]:
    """Each version as `id v`, with a star where it is the current one."""
    sql = "SELECT id, v, current FROM d ORDER BY id, valid_from, valid_to"
    return [f"{id_} {v}{'*' if flag in ('1', 't', 'true') else ''}" for id_, v, flag in place.rows(sql)]


def figures(run: Run) -> tuple[Any, ...]:
    assert run.status == "success", f"{run.error_stage}: {run.error}"
    return run.rows_inserted, run.rows_updated, run.rows_deleted, run.rows_unchanged


def test_versions_end_and_begin_with_what_changes_and_the_same_load_changes_nothing(place: Place) -> None:
    module = add_module(place)
    first = place.run(module)
    assert figures(first) == (5, 0, 0, 0)
    assert get_check(first, "dest key") == (True, "primary key id, valid_from")
    before = place.rows(VERSIONS)
    assert figures(place.run(module)) == (0, 0, 0, 5)
    assert place.rows(VERSIONS) == before
    place.source("DELETE FROM o WHERE id = 2")
    place.source("UPDATE o SET v = '' WHERE id = 3")
    place.source("UPDATE o SET v = NULL WHERE id = 4")
    place.source("INSERT INTO o VALUES (9, 'new', '')")
    second = place.run(module)
    assert figures(second) == (3, 3, 0, 2)
    told = "3 versions began; 2 ended as their rows have changed, 1 as their keys are gone"
    assert get_check(second, "history") == (True, told)
    place.source("UPDATE o SET v = '' WHERE id = 4")
    place.source("INSERT INTO o VALUES (2, 'v2', '2026-01-02')")
    assert figures(place.run(module)) == (2, 1, 0, 4)
    assert read(place) == ["1 v1*", "2 v2", "2 v2*", "3 v3", "3 *", "4 v4", "4 None", "4 *", "5 v5*", "9 new*"]
    assert second.started_at is not None
    [(begin,)] = place.rows("SELECT valid_from FROM d WHERE id = 3 AND v = ''")
    assert datetime.fromisoformat(begin or "") == datetime.fromisoformat(second.started_at).replace(tzinfo=None)
    assert place.rows("SELECT valid_to FROM d WHERE id = 3 AND v = 'v3'") == [(begin,)]


def test_a_query_that_reads_a_part_ends_only_versions_whose_keys_are_gone(place: Place) -> None:
    since = {"name": "since", "connection_id": place.dest.id, "default_value": "1900-01-01"}
    mark = {**since, "resolver_sql": "SELECT max(u) FROM d"}
    module = add_module(place, query="SELECT id, v, u FROM o WHERE u > '{since}'", watermarks=[mark])
    place.run(module)
    place.source("DELETE FROM o WHERE id IN (1, 2)")
    place.source("UPDATE o SET v = 'newer', u = '2026-02-01' WHERE id = 4")
    run = place.run(module)
    assert figures(run) == (1, 3, 0, 0)
    assert read(place) == ["1 v1", "2 v2", "3 v3*", "4 v4", "4 newer*", "5 v5*"]
    assert get_check(run, "history")[1].endswith("by keys read by the module's query with since = 1900-01-01")


def test_columns_have_the_names_that_the_module_gives_and_the_current_one_may_be_a_number(place: Place) -> None:
    place.execute("CREATE TABLE d (id INTEGER, v TEXT, since DATE, until DATE, is_now INTEGER)")
    names = {"history_from": "since", "history_to": "until", "history_current": "is_now"}
    module = add_module(place, query="SELECT id, v FROM o WHERE id = 1", create_table=False, **names)
    assert figures(place.run(module)) == (1, 0, 0, 0)
    today = datetime.now().astimezone().date()
    [(since, until, now)] = place.rows("SELECT since, until, is_now FROM d")
    assert (abs((datetime.fromisoformat(since or "").date() - today).days) <= 1, until, now) == (True, None, "1")
    place.source("UPDATE o SET v = 'changed' WHERE id = 1")
    run = place.run(module)
    assert "where until holds days alone and there is a second run on a day" in (run.error or "")
    assert place.rows("SELECT v FROM d") == [("v1",)]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("", {"create_table": False}, "There is no dest table"),
    ("CREATE TABLE d (id INTEGER, v TEXT, u TEXT)", {}, "no column 'valid_from', which `history: {from: ...}` names"),
    (TABLE.replace("valid_to TIMESTAMP", "valid_to TIMESTAMP NOT NULL"), {}, "valid_to takes no NULL"),
    (TABLE, {"history_to": "valid_from"}, "they are not three columns"),
    (TABLE.replace("{flag}", "TIMESTAMP"), {}, "'current' cannot tell the current version"),
    (TABLE, {"query": "SELECT id, v, u, id AS valid_to FROM o"}, "'valid_to' has no dest column"),
    (TABLE, {"query": "SELECT 1 AS id, v, u FROM o"}, "stand more than once in the staged rows"),
    (TABLE, {"query": "SELECT NULL AS id, v, u FROM o"}, "have a NULL in the merge key"),
]


@pytest.mark.parametrize(("table", "options", "told"), REFUSED, ids=[told[:30] for _, _, told in REFUSED])
def test_a_dest_that_cannot_keep_versions_is_refused(
    place: Place, table: str, options: dict[str, Any], told: str
) -> None:
    if table:
        place.execute(table.format(flag="BOOLEAN"))
    run = place.run(add_module(place, **options))
    assert run.status == "error"
    assert told in (run.error or "")
    assert not table or not place.rows("SELECT id FROM d")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("UPDATE d SET valid_from = '2999-01-01 00:00:00'", "began or ended at the time of this run, or after it"),
        (
            "INSERT INTO d SELECT id, v, u, '2026-01-01 00:00:00', NULL, current FROM d WHERE id = 5",
            "not every staged key had one open version",
        ),
    ],
)
def test_versions_that_would_contradict_each_other_are_refused_and_stay(place: Place, spoil: str, told: str) -> None:
    module = add_module(place)
    place.run(module)
    place.execute(spoil)
    place.source("UPDATE o SET v = 'changed' WHERE id = 1")
    before = place.rows(VERSIONS)
    run = place.run(module)
    assert (run.status, told in (run.error or "")) == ("error", True), run.error
    assert place.rows(VERSIONS) == before
    assert not find_staging(place)


def test_guards_hold_what_would_end_and_nulls_may_match_in_the_key(place: Place) -> None:
    module = add_module(place, guards=Guards(shrink=0.5, null_keys=True))
    place.source("UPDATE o SET id = NULL WHERE id = 5")
    assert figures(place.run(module)) == (5, 0, 0, 0)
    assert figures(place.run(module)) == (0, 0, 0, 5)
    place.source("DELETE FROM o WHERE id IN (1, 2, 3)")
    run = place.run(module)
    assert "3 of 5 rows of" in (run.error or "")
    assert "would be ended" in (run.error or "")
    place.source("DELETE FROM o")
    run = place.run(add_module(place, "other", guards=Guards(null_keys=True)))
    assert "The source gave no rows: 5 of 5 rows" in (run.error or "")
    assert len([version for version in read(place) if version.endswith("*")]) == 5


def test_what_a_trigger_makes_of_a_version_is_refused(place: Place) -> None:
    place.execute(TABLE.format(flag="BOOLEAN"))
    if place.kind == "sqlite":
        place.execute("CREATE TRIGGER odd AFTER INSERT ON d BEGIN UPDATE d SET v = 'odd' WHERE id = new.id; END")
    else:
        place.execute(
            "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.v = 'odd'; RETURN new; END $$",
            "CREATE TRIGGER odd BEFORE INSERT ON d FOR EACH ROW EXECUTE FUNCTION odd()",
        )
    run = place.run(add_module(place))
    assert (run.status, place.rows(VERSIONS)) == ("error", [])
    assert "did not hold what was staged" in (run.error or "")


def test_a_preview_says_what_a_merge_then_does_which_can_be_taken_back(place: Place) -> None:
    module = add_module(place, undo_runs=2)
    place.run(module)
    before = place.rows(VERSIONS)
    place.source("DELETE FROM o WHERE id = 2")
    place.source("UPDATE o SET v = 'changed' WHERE id = 1")
    looked = place.project.run(module, preview=True)
    preview = repo.get_preview(place.project.db, looked.id)
    assert (preview.would_insert, preview.would_update, preview.unchanged) == (1, 2, 3), looked.error
    assert [meeting.differs for meeting in preview.samples.update] == [{"v": ("v1", "changed")}]
    assert place.rows(VERSIONS) == before
    run = place.project.run(module, merges=looked.id)
    assert figures(run) == (1, 2, 0, 3)
    undone = place.project.cli("undo", str(run.id))
    assert undone.code == 0, undone.stderr
    assert place.rows(VERSIONS) == before

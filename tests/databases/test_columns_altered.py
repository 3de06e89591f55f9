# A column of a dest that is renamed, retyped or dropped, in the dest and in the modules that load it.
"""Runs with an `alteration`, into PostgreSQL and SQLite."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import recover_runs
from pipekit.engine.altering.asking import build_alteration
from pipekit.models import Column, Module, Run
from tests.databases.past_places import Place, get_check, open_place

pytestmark = pytest.mark.usefixtures("near_when_quick")

MAPPED = (
    Column(id="c1", source_name="id", source_type="", dest_name="id", dest_type=""),
    Column(id="c2", source_name="v", source_type="", dest_name="v", dest_type="TEXT"),
)


@pytest.fixture(params=["postgresql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Place]:
    with open_place(request.param, tmp_path, postgres) as place:
        place.execute(
            "CREATE TABLE d (id INTEGER PRIMARY KEY, v TEXT DEFAULT 'x' NOT NULL, u TEXT)",
            "CREATE INDEX d_v ON d (v)",
            "CREATE INDEX d_u ON d (u)",
            "CREATE VIEW w AS SELECT id, v FROM d",
        )
        yield place


def add_module(place: Place, **options: Any) -> Module:
    given = {"query": "SELECT id, v, u FROM o", "deletes": "none", "columns": MAPPED}
    return place.module("m", **{**given, **options})


def change(place: Place, module: Module, what: Any, column: str, to: str = "", **options: Any) -> Run:
    asked = build_alteration(place.project.db, module, what, column, to, "ana")
    return place.project.run(module, alteration=asked, **options)


def reread(place: Place, module: Module) -> Module:
    return repo.get_module(place.project.db, module.id)


def test_a_column_that_is_renamed_by_its_id_goes_on_being_fed(place: Place) -> None:
    module = add_module(place, merge_key="id", expect_not_null="id, v", expect_accepted="v: v1, v2, v3, v4, v5")
    place.run(module)
    before = place.rows("SELECT * FROM d ORDER BY id")
    looked = change(place, module, "rename", "c2", "label", dry_run=True)
    assert (looked.status, looked.merge_state) == ("dry_run", "none"), looked.error
    assert "label" in (looked.merge_sql or "")
    assert reread(place, module).columns == module.columns
    run = change(place, module, "rename", "c2", "label")
    assert (run.status, run.merge_state) == ("success", "merged"), run.error
    after = reread(place, module)
    assert [column.dest_name for column in after.columns] == ["id", "label"]
    assert [column.id for column in after.columns] == ["c1", "c2"]
    assert (after.expect_not_null, after.expect_accepted) == ("id, label", "label: v1, v2, v3, v4, v5")
    place.source("UPDATE o SET v = 'v5' WHERE id = 1")
    loaded = place.run(after)
    assert (loaded.status, loaded.rows_updated) == ("success", 1), loaded.error
    assert place.rows("SELECT * FROM d ORDER BY id") == [("1", "v5", "2026-01-01"), *before[1:]]
    assert place.rows("SELECT count(*) FROM w") == [("5",)]


def test_a_key_without_a_mapping_follows_its_new_name_and_so_do_other_modules(place: Place) -> None:
    module = add_module(place, columns=())
    other = place.module("other", query="SELECT id, v FROM o", columns=MAPPED, deletes="none")
    run = change(place, module, "rename", "id", "number")
    assert run.status == "success", run.error
    assert "so do those of other" in get_check(run, "definition")[1]
    after = reread(place, module)
    assert after.merge_key == ("number",)
    assert [(c.source_name, c.dest_name) for c in after.columns] == [("id", "number")]
    assert reread(place, other).columns[0].dest_name == "number"
    for each in (after, reread(place, other)):
        loaded = place.run(each)
        assert loaded.status == "success", loaded.error
    assert place.rows("SELECT number FROM d ORDER BY number") == [("1",), ("2",), ("3",), ("4",), ("5",)]


def test_what_stands_in_sql_of_the_module_is_named_and_left(place: Place) -> None:
    mark = {"name": "since", "connection_id": place.dest.id, "resolver_sql": "SELECT max(u) FROM d"}
    query = "SELECT id, v, u FROM o WHERE u > '{since}'"
    module = add_module(place, query=query, columns=(), watermarks=[{**mark, "default_value": "1900"}])
    run = change(place, module, "rename", "u", "changed")
    assert run.status == "success", run.error
    assert get_check(run, "definition") == (
        False,
        "the module's columns, keys and expectations follow; its name stands in the watermark since, which stay as"
        " they are",
    )


def test_a_column_that_goes_names_what_goes_along_and_is_refused_while_something_needs_it(place: Place) -> None:
    module = add_module(place)
    place.run(module)
    fed = change(place, module, "drop", "u")
    assert (fed.status, fed.error) == ("error", "The column 'u' is still in the query, as 'u'.")
    assert "Take it out of the query first" in (fed.hint or "")
    key = change(place, module, "drop", "c1")
    assert "still in the merge key; the primary key of the dest" in (key.error or "")
    module = repo.update_module(place.project.db, module.id, source_query="SELECT id, v FROM o")
    run = change(place, module, "drop", "u")
    assert run.status == "success", run.error
    assert "with it go index d_u, and every value" in get_check(run, "column")[1]
    assert len(place.rows("SELECT * FROM d")[0]) == 2
    assert place.run(reread(place, module)).status == "success"
    module = repo.update_module(place.project.db, module.id, source_query="SELECT id, 'a' AS u FROM o")
    viewed = change(place, module, "drop", "c2")
    assert "cannot be changed while these stand on it: view w" in (viewed.error or "")


def test_a_type_is_changed_where_every_value_fits_and_rows_that_do_not_are_named(place: Place) -> None:
    module = add_module(place)
    place.run(module)
    place.execute("DROP VIEW w")
    wanted = {"postgresql": "integer", "sqlite": "INTEGER"}[place.kind]
    for options in ({"dry_run": True}, {}):
        bad = change(place, module, "retype", "c2", wanted, **options)
        assert (bad.status, [check.name for check in bad.checks]) == ("error", ["column"])
        assert (bad.error or "").startswith(f"5 values of 'v' would not be the same as {wanted}: id = 1: 'v1'")
    assert reread(place, module).columns == module.columns
    place.execute("UPDATE d SET v = CAST(id AS TEXT)", "ALTER TABLE d RENAME COLUMN u TO other")
    if place.kind == "postgresql":
        place.execute("ALTER TABLE d ALTER COLUMN v SET DEFAULT '7'")
    run = change(place, module, "retype", "c2", wanted)
    assert run.status == "success", run.error
    assert get_check(run, "fits") == (True, "every value was looked at and fits")
    assert "index d_v" in get_check(run, "column")[1].partition("on it stand ")[2]
    assert reread(place, module).columns[1].dest_type == wanted
    if place.kind == "postgresql":
        place.execute("INSERT INTO d (id) VALUES (9)")
        assert place.rows("SELECT sum(v) FROM d") == [("22",)]
    else:
        assert place.rows("SELECT typeof(v), sum(v) FROM d") == [("integer", "15")]


def test_a_change_that_the_process_did_not_live_to_write_down_is_carried_over_by_who_looks_next(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dest has the new name, the module has not: as a kill behind the commit leaves it."""
    module = add_module(place)
    place.run(module)
    with monkeypatch.context() as patch:
        patch.setattr("pipekit.engine.running.corridor.settle_alterations", lambda db: [])
        assert change(place, module, "rename", "c2", "label").status == "success"
    assert reread(place, module).columns == module.columns
    run = place.run(module)
    assert run.status == "success", run.error
    assert reread(place, module).columns[1].dest_name == "label"
    assert [entry.user for entry in repo.list_audit(place.project.db, limit=1)] == ["ana"]


@pytest.mark.parametrize("commits", [True, False])
def test_a_run_that_was_killed_in_the_change_is_settled_by_the_dest(
    place: Place, monkeypatch: pytest.MonkeyPatch, commits: bool
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    module = add_module(place)
    place.run(module)
    name = "pipekit.engine.altering.altering.note_fitting" if commits else "pipekit.engine.altering.altering.tell_unfit"
    with monkeypatch.context() as patch:
        patch.setattr(name, die)
        patch.setattr("pipekit.engine.record.RunRecord.finish", die)
        with pytest.raises(Killed):
            change(place, module, "rename", "c2", "label")
    place.project.db.execute("UPDATE run_log SET lease_expires_at = '2000-01-01' WHERE status = 'running'")
    recover_runs(place.project.installation)
    assert reread(place, module).columns[1].dest_name == ("label" if commits else "v")
    assert place.run(reread(place, module)).status == "success"


HARD = """\
CREATE TABLE "Odd t" (  -- a table
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  [k] VARCHAR(10) COLLATE NOCASE NOT NULL DEFAULT 'a,(b' /* , */,
  `x` REAL CHECK (x > -5), extra TEXT UNIQUE,
  p INTEGER REFERENCES parent (id) ON DELETE CASCADE,
  twice INTEGER GENERATED ALWAYS AS (n * 2) STORED
)"""


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_table_of_sqlite_that_is_made_anew_keeps_all_that_stood_around_it(place: Place) -> None:
    file = place.project.home.parent / "dest.db"
    place.execute(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
        "INSERT INTO parent VALUES (1)",
        HARD,
        'CREATE INDEX odd_k ON "Odd t" (k, x)',
        'CREATE TRIGGER odd_t AFTER INSERT ON "Odd t" BEGIN UPDATE parent SET id = id WHERE id = new.p; END',
        'CREATE VIEW odd_v AS SELECT n, k FROM "Odd t"',
        'CREATE TABLE child (n REFERENCES "Odd t" (n))',
        """INSERT INTO "Odd t" (n, k, x, extra, p) VALUES (1, '10', 1, 'e1', 1), (7, '20', 2, 'e2', 1)""",
        'DELETE FROM "Odd t" WHERE n = 7',
        "INSERT INTO child VALUES (1)",
        'ANALYZE "Odd t"',
    )
    module = place.project.add_module(
        "odd", source=place.dest, dest=place.dest, table='"Odd t"', query="SELECT 2 AS n, 5 AS k", merge_key="n",
        merge_strategy="upsert",
    )  # fmt: skip
    with sqlite3.connect(file) as db:
        before = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    retyped = change(place, module, "retype", "k", "INTEGER")
    assert retyped.status == "success", retyped.error
    dropped = change(place, module, "drop", "extra")
    assert dropped.status == "success", dropped.error
    with sqlite3.connect(file) as db:
        after = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        name = "Odd t"
        text = before.pop(name).replace("[k] VARCHAR(10)", "[k] INTEGER").replace(" extra TEXT UNIQUE,", "")
        now = after.pop(name)
        assert {name: sql for name, sql in after.items() if not name.startswith("pipekit")} == before
        assert " ".join(now.split()) == " ".join(text.split())
        assert db.execute('SELECT k, typeof(k), twice FROM "Odd t"').fetchall() == [(10, "integer", 2)]
        assert db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).fetchall() == [(7,)]
        assert db.execute("SELECT count(*) FROM sqlite_stat1 WHERE tbl = ?", (name,)).fetchone() != (0,)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute("SELECT count(*) FROM odd_v").fetchone() == (1,)
    db.close()
    assert place.run(reread(place, module)).status == "success"


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_type_of_postgresql_keeps_collation_default_and_keys(place: Place) -> None:
    place.execute(
        "CREATE TABLE k (id integer PRIMARY KEY, v varchar(4) COLLATE \"C\" DEFAULT 'ab' UNIQUE)",
        "CREATE TABLE c (id integer REFERENCES k (id))",
        "INSERT INTO k VALUES (1, 'abcd')",
    )
    module = place.project.add_module(
        "k", source=place.dest, dest=place.dest, table="k", query="SELECT 1 AS id", merge_key="id"
    )
    for to in ("character varying(20)", "text"):
        run = change(place, module, "retype", "v", to)
        assert (run.status, get_check(run, "fits")[1]) == ("success", "the new type holds every value of the old one")
    assert change(place, module, "retype", "id", "bigint").status == "success"
    short = change(place, module, "retype", "v", "character varying(3)")
    assert "1 values of 'v' would not be the same as character varying(3): id = 1: 'abcd'" in (short.error or "")
    facts = "SELECT attcollation::regcollation, pg_get_expr(adbin, adrelid) FROM pg_attribute JOIN pg_attrdef ON"
    facts += " adrelid = attrelid AND adnum = attnum WHERE attrelid = 'k'::regclass AND attname = 'v'"
    assert place.rows(facts) == [('"C"', "'ab'::character varying")]
    assert place.rows("SELECT count(*) FROM pg_constraint WHERE conrelid = 'k'::regclass OR confrelid = 'k'::regclass")[
        0
    ] != ("0",)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("value", "to", "fits"),
    [
        ("'20'", "REAL", True), ("'1.5'", "REAL", True), ("'1.50'", "REAL", False), ("'abc'", "REAL", False),
        ("7", "REAL", True), ("9007199254740993", "REAL", False), ("1.5", "INTEGER", False), ("2.0", "INTEGER", True),
        ("'007'", "INTEGER", False), ("0.1", "TEXT", True), ("1.0/3", "TEXT", False), ("x'00'", "INTEGER", False),
        ("'abcd'", "VARCHAR(3)", False), ("'2026-01-01'", "DATE", True), ("NULL", "INTEGER", True),
    ],
)  # fmt: skip
def test_a_value_of_sqlite_fits_that_is_as_large_and_written_as_before(
    place: Place, value: str, to: str, fits: bool
) -> None:
    place.execute("CREATE TABLE k (id INTEGER PRIMARY KEY, v)", f"INSERT INTO k VALUES (1, {value})")
    module = place.project.add_module("k", source=place.dest, dest=place.dest, table="k", query="SELECT 1 AS id")
    run = change(place, module, "retype", "v", to, dry_run=True)
    assert (run.status == "dry_run") is fits, run.error

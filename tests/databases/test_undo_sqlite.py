# Runs into SQLite that are taken back: every value with its type as it was. Real files, real runs.
"""The same promises as in `test_undo.py`, where a value may be of another type than its column."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.undoing import name_images
from pipekit.models import Run
from tests.databases.undoing import FULL, GONE, KEYED, LOOSE, ROUNDS, Shape, Workload, undo
from tests.profiles import is_quick
from tests.project import Project

pytestmark = pytest.mark.usefixtures("near_when_quick")

START = "drop table if exists t;; drop table if exists source;; drop table if exists audit;;"
OLD = "with recursive n (i) as (select 1 union all select i + 1 from n where i < 12)"
PLAIN = [*KEYED, FULL[0]]
SHAPES = [
    Shape(
        "wide",
        f"{START}create table source (id, a, n, f, v, b);;"
        "create table t (id integer primary key, a varchar(9), n numeric, f real, v any,"
        " b blob, unfed text default 'u', twice as (id * 2));;"
        f"insert into t (id, a, n, v) {OLD} select i, 'old', 1.50, i || '' from n;;",
        {"id": "id", "a": "text", "n": "int", "f": "real", "v": "any", "b": "blob"},
        PLAIN + GONE,
    ),
    Shape(
        "bare",
        f"{START}create table source (id, a);; create table t (id, a collate nocase, rowid default 'r');;"
        "insert into t values (1, 1, null), (1, 1, null), (1, 1.0, null), (null, 'A', 'x'), (null, 'a', 'x');;",
        {"id": "null id", "a": "any"},
        [("append", "", {}), *((way, "id", {"guards": LOOSE}) for way in ("incremental", "upsert")), FULL[0]],
    ),
    Shape(
        "strict",
        f"{START}create table source (id, v);; create table t (id int, v any, primary key (id)) strict, without rowid;;"
        f"insert into t {OLD} select i, case i % 3 when 0 then '1' when 1 then 1 else x'31' end from n;;",
        {"id": "id", "v": "any"},
        PLAIN,
    ),
    Shape(
        "versions",
        f"{START}create table source (id, a);; create table t (id int not null, a text, valid_from timestamp not null,"
        " valid_to timestamp, current boolean, primary key (id, valid_from));;",
        {"id": "id", "a": "text"},
        [("snapshot", "id", {})],
    ),
    Shape(
        "triggers",
        f"{START}create table source (id, a);; create table audit (op);;"
        "create table t (id integer primary key, a text, touched int);;"
        f"insert into t {OLD} select i, 'old', 0 from n;;"
        "create trigger touch after insert on t begin update t set touched = touched + 1 where id = new.id;"
        " insert into audit values ('insert'); end;;"
        "create trigger spread after update of a on t begin update t set touched = 99 where id % 7 = 0;"
        " insert into audit values ('update'); end;;",
        {"id": "id", "a": "text"},
        [(strategy, key, {"guards": LOOSE}) for strategy, key, _ in PLAIN],
    ),
]  # fmt: skip


class SqlitePlace:
    """A file that is source and dest."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "shop.db"
        self.project = Project(folder)
        self.connection = self.project.add_connection("d", f"jdbc:sqlite:{self.path}")

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            return db.execute(sql).fetchall()

    def photograph(self) -> list[str]:
        with closing(sqlite3.connect(self.path)) as db:
            db.text_factory = bytes
            found = db.execute("select * from t").fetchall()
        return sorted(repr([(type(cell).__name__, cell) for cell in row]) for row in found)

    def list_kept(self) -> list[str]:
        sql = "select name from sqlite_master where type = 'table' and name like 'pipekit_staging.%' order by 1"
        names = [row[0].removeprefix("pipekit_staging.") for row in self.execute(sql)]
        return [name for name in names if name != "pipekit_ledger"]

    def upsert(self, name: str, query: str) -> Run:
        module = self.project.add_module(
            name, source=self.connection, query=query,
            dest=self.connection, table="t", merge_strategy="upsert", merge_key="id", undo_runs=3,
        )  # fmt: skip
        return self.project.succeed(module)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.project.close()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_runs_drawn_by_chance_are_taken_back_with_every_type(place: SqlitePlace, shape: Shape) -> None:
    Workload(place, shape).play(2 if is_quick() else ROUNDS)


def test_what_stands_in_the_way_is_named_and_left_as_it_is(place: SqlitePlace) -> None:
    place.execute("create table t (id integer primary key, a text)")
    place.execute("insert into t values (1, 'old'), (2, 'two')")
    ran = place.upsert("first", "select 1 as id, 'new' as a union all select 3, 'three'")
    assert place.list_kept() == [name_images(ran.run_key)]
    assert ran.undo_rows == 3
    later = place.upsert("later", "select 3 as id, 'again' as a")
    assert undo(place, ran).error == (
        f"Later runs have changed rows that run {ran.id} has written: run {later.id} of {later.module}."
    )
    assert undo(place, later).status == "success"
    place.execute("update t set a = 'mine' where id = 1")
    left = place.photograph()
    assert "no longer as the run left them: 1 rows, the first id = 1." in (undo(place, ran).error or "")
    assert place.photograph() == left
    place.execute("update t set a = 'new' where id = 1")
    place.execute("alter table t add column b int")
    assert "'b' is INT" in (undo(place, ran).error or "")
    place.execute("alter table t drop column b")
    assert undo(place, ran).status == "success"
    assert place.execute("select * from t") == [(1, "old"), (2, "two")]

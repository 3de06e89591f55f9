# Runs that are taken back: the dest byte by byte as it was, or a refusal that says why. Real databases, real runs.
"""`undo: {runs: N}` on a module, and `pipekit undo RUN`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.undoing import name_images
from pipekit.engine.receipt import build_receipt
from pipekit.models import Connection, Module, Run
from tests.databases.undoing import APART, FULL, GONE, KEYED, LOOSE, ROUNDS, Shape, Workload, undo
from tests.lending import lend_database, take_back
from tests.profiles import is_quick
from tests.project import Project

pytestmark = pytest.mark.usefixtures("near_when_quick")

WIDE = {
    "id": "id", "a": "text", "n": "numeric", "f": "float", "m": "moment", "j": "json", "b": "bytes", "r": "array",
}  # fmt: skip
TYPES = "a text, n numeric, f float8, m timestamptz, j jsonb, b bytea, r int[]"
BARE = {"id": "null id", "c": "char", "i": "interval", "p": "point", "j": "json"}
TWO = {"id": "id", "a": "text"}
SOURCE = "drop table if exists child, t, source, audit cascade;;"
TOUCHED = """
create or replace function touch() returns trigger language plpgsql as
  'begin new.touched := coalesce(new.touched, 0) + 1; return new; end';;
create or replace function spread() returns trigger language plpgsql as
  'begin if pg_trigger_depth() = 1 then update t set a = coalesce(a, '''') || ''!'' where id % 7 = 0; end if;
   insert into audit values (tg_op); return null; end';;
create trigger touch before insert or update on t for each row execute function touch();;
create trigger spread after insert or update or delete on t for each statement execute function spread();;
"""

SHAPES = [
    Shape(
        "wide",
        f"{SOURCE}create table source (id int, {TYPES});; create table t (id int primary key, {TYPES},"
        " unfed text default 'u', twice int generated always as (id * 2) stored);;"
        "insert into t (id, a, n, unfed) select i, 'old', 1.50, 'x' || i from generate_series(1, 12) i;;",
        WIDE,
        KEYED + GONE + FULL + APART,
    ),
    Shape(
        "bare",
        f"{SOURCE}create table source (id int, c char(5), i interval, p point, j json);;"
        "create table t (id int, c char(5), i interval, p point, j json, at timestamptz default clock_timestamp());;"
        "insert into t values (1, 'a', '1 day', '(0,0)', '{}', null), (1, 'a', '1 day', '(0,0)', '{}', null),"
        " (1, 'a', '24 hours', '(0,0)', '{}', null), (null, null, null, null, null, null);;",
        BARE,
        [("append", "", {}), *((way, "id", {"guards": LOOSE}) for way in ("incremental", "upsert")), *FULL, *APART],
    ),
    Shape(
        "identity",
        f"{SOURCE}create table source (id int, a text);;"
        "create table t (own int generated always as identity primary key, id int unique, a text, s serial);;"
        "insert into t (id, a) select i, 'old' from generate_series(1, 12) i;;",
        TWO,
        KEYED + FULL + APART,
    ),
    Shape(
        "triggers",
        f"{SOURCE}create table source (id int, a text);; create table audit (op text);;"
        "create table t (id int primary key, a text, touched int);;"
        "insert into t select i, 'old', 0 from generate_series(1, 15) i;;",
        TWO,
        [(strategy, key, {"guards": LOOSE}) for strategy, key, _ in (*KEYED, *FULL)],
        TOUCHED,
    ),
    Shape(
        "referred",
        f"{SOURCE}create table source (id int, a text);;"
        "create table t (id int primary key, a text, up int references t);;"
        "create table child (id int references t on update cascade deferrable);;"
        "insert into t select i, 'old', nullif(i - 1, 0) from generate_series(1, 12) i;;",
        TWO,
        [("upsert", "id", {}), ("incremental", "id", {})],
    ),
    Shape(
        "versions",
        f"{SOURCE}create table source (id int, a text);; create table t (id int, a text, valid_from timestamptz,"
        " valid_to timestamptz, current boolean, primary key (id, valid_from));;",
        TWO,
        [("snapshot", "id", {})],
    ),
    Shape(
        "parted",
        f"{SOURCE}create table source (id int, a text);; create table t (id int, a text) partition by range (id);;"
        "create table t1 partition of t for values from (minvalue) to (10);;"
        "create table t2 partition of t for values from (10) to (maxvalue);; create index on t (id);;"
        "insert into t select i % 20, 'old' from generate_series(1, 30) i;;",
        TWO,
        [("append", "", {}), *KEYED[:1], ("full", "", {})],
    ),
]  # fmt: skip


class Place:
    """A database that is source and dest, and its owner's session."""

    def __init__(self, folder: Path, postgres: LocalPostgres) -> None:
        self.name = lend_database(postgres, "undo")
        self.owner = psycopg.connect(
            host="127.0.0.1", port=postgres.port, dbname=self.name, user="postgres", autocommit=True
        )
        self.project = Project(folder)
        self.connection: Connection = self.project.add_connection(
            "d", postgres.jdbc_url(self.name), username="postgres"
        )
        self.number = 0

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        found = self.owner.execute(sql.encode())
        return found.fetchall() if found.description else []

    def photograph(self) -> list[str]:
        return [row[0] for row in self.execute('select t::text collate "C" from t order by 1')]

    def list_kept(self) -> list[str]:
        """Every table of the staging schema but the ledger."""
        rows = self.execute(
            "select relname from pg_class c join pg_namespace n on n.oid = relnamespace"
            " where nspname = 'pipekit_staging' and relkind = 'r' order by 1"
        )
        return [row[0] for row in rows if row[0] != "pipekit_ledger"]

    def module(self, query: str, **options: Any) -> Module:
        self.number += 1
        options = {"undo_runs": 3, "dest": self.connection, **options}
        return self.project.add_module(f"u{self.number}", source=self.connection, query=query, table="t", **options)

    def undo(self, run: Run) -> Run:
        return undo(self, run)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres: LocalPostgres) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("undo"), postgres)
    yield place
    place.project.close()
    place.owner.close()
    take_back(postgres, place.name)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_runs_drawn_by_chance_are_taken_back_byte_for_byte(place: Place, shape: Shape) -> None:
    Workload(place, shape).play(1 if is_quick() else ROUNDS)


FED = "select * from (values (1, 'new'), (3, 'three')) as v (id, a)"
MAKE = "create table t (id int primary key, a text);; insert into t values (1, 'old'), (2, 'two')"


def make(place: Place, sql: str = MAKE) -> None:
    for text in ("drop schema if exists pipekit_staging cascade;;" + SOURCE + sql).split(";;"):
        if text.strip():
            place.execute(text)


def upsert(place: Place, query: str = FED, **options: Any) -> Run:
    return place.project.succeed(place.module(query, merge_strategy="upsert", merge_key="id", **options))


def tell(run: Run, name: str) -> str:
    return "; ".join(check.detail for check in run.checks if check.name == name)


def test_an_undo_is_a_run_with_a_receipt_and_a_row_in_the_ledger(place: Place) -> None:
    make(place)
    ran = upsert(place)
    assert (ran.undo_rows, tell(ran, "undo").partition(";")[0]) == (3, "3 rows are kept")
    undone = place.undo(ran)
    assert (undone.status, undone.triggered_by, undone.undoes) == ("success", "undo", ran.id)
    assert (undone.rows_deleted, undone.rows_inserted, undone.merge_state) == (2, 1, "merged")
    assert "deleted 2  inserted 1  updated 0" in build_receipt(undone)[1]
    assert place.photograph() == ["(1,old)", "(2,two)"]
    assert (place.project.get_run(ran.id).undone_by, place.project.get_run(ran.id).undo_rows) == (undone.id, None)
    keys = f"select run_id from pipekit_staging.pipekit_ledger where run_id in ({ran.id}, {undone.id}) order by 1"
    assert place.execute(keys) == [(ran.id,), (undone.id,)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("update t set a = 'mine' where id = 1", "no longer as the run left them: 1 rows, the first id = 1."),
        ("delete from t where id = 3", "no longer as the run left them: 1 rows, the first id = 3."),
        ("alter table t add b int", "The columns of the dest are not what they were: 'b' is integer."),
        ("alter table t alter a type varchar(9)", "'a' was text, 'a' is character varying(9)"),
        ("drop table t", "cannot be written to"),
    ],
)
def test_what_others_have_done_to_the_rows_since_is_never_put_over(place: Place, change: str, says: str) -> None:
    make(place)
    ran = upsert(place)
    place.execute(change)
    left = place.photograph() if "drop" not in change else None
    undone = place.undo(ran)
    assert undone.status == "error"
    assert says in (undone.error or "")
    assert left is None or place.photograph() == left


def test_rows_that_the_run_has_deleted_and_somebody_has_made_again_are_told(place: Place) -> None:
    make(place)
    ran = place.project.succeed(place.module(FED))
    place.execute("insert into t values (2, 'mine')")
    assert "Rows that the run deleted are there again: 1 rows, the first id = 2." in (place.undo(ran).error or "")
    assert place.photograph() == ["(1,new)", "(2,mine)", "(3,three)"]


def test_a_later_run_that_has_touched_the_same_rows_is_named_and_another_is_no_hindrance(place: Place) -> None:
    make(place)
    first = upsert(place)
    other = upsert(place, "select 7 as id, 'seven' as a")
    later = upsert(place, "select 3 as id, 'again' as a")
    undone = place.undo(first)
    told = f"Later runs have changed rows that run {first.id} has written: run {later.id} of {later.module}."
    hint = f"Take back run {later.id} of {later.module} first."
    assert (undone.status, undone.error, undone.hint) == ("error", told, hint)
    assert place.undo(later).status == "success"
    assert place.undo(first).status == "success"
    assert place.photograph() == ["(1,old)", "(2,two)", "(7,seven)"]
    assert place.undo(other).status == "success"


def test_a_later_run_that_keeps_nothing_is_named_where_rows_differ(place: Place) -> None:
    make(place)
    first = upsert(place)
    later = upsert(place, "select 3 as id, 'again' as a", undo_runs=None)
    assert f"Since then merged: run {later.id} of {later.module}." in (place.undo(first).error or "")


def test_only_what_a_run_has_changed_can_be_taken_back_and_once(place: Place) -> None:
    make(place)
    without = upsert(place, undo_runs=None)
    ran = upsert(place, "select 8 as id, 'eight' as a")
    undone = place.undo(ran)
    for run, why in (
        (without, "nothing is kept of what it has changed"),
        (place.project.get_run(ran.id), f"run {undone.id} has taken it back already"),
        (undone, "it has taken another run back"),
    ):
        told = place.project.cli("undo", str(run.id))
        assert (told.code, why in told.stderr) == (2, True), told.stderr


def test_the_command_prints_the_record_of_the_run_that_takes_back(place: Place) -> None:
    make(place)
    ran = upsert(place)
    record = json.loads(place.project.cli("undo", str(ran.id), "--json").stdout)
    assert (record["status"], record["undoes"], record["triggered_by"]) == ("success", ran.id, "undo")
    assert place.photograph() == ["(1,old)", "(2,two)"]


def test_a_dest_keeps_as_many_runs_as_the_module_says_and_none_of_one_that_says_no_more(place: Place) -> None:
    make(place)
    module = place.module(FED, merge_strategy="upsert", merge_key="id", undo_runs=2)
    runs = [place.project.succeed(module) for _ in range(3)]
    assert place.list_kept() == sorted(name_images(run.run_key) for run in runs[1:])
    place.project.succeed(repo.update_module(place.project.db, module.id, undo_runs=None))
    assert place.list_kept() == []
    assert [place.project.get_run(run.id).undo_rows for run in runs] == [None] * 3


def test_the_doctor_says_how_much_is_kept_and_a_purge_removes_it_with_its_module(place: Place) -> None:
    make(place)
    ran = upsert(place)
    told = place.project.cli("doctor").stdout
    assert f"undo {ran.module}: its dest keeps 3 rows, " in told
    repo.delete_module(place.project.db, ran.module_id or 0)
    assert len(place.list_kept()) == 1
    assert place.project.cli("purge").code == 0
    assert place.list_kept() == []


def test_rows_of_others_that_would_go_along_stop_an_undo(place: Place) -> None:
    make(place, MAKE + ";;create table child (id int references t on delete cascade)")
    ran = upsert(place)
    place.execute("insert into child values (3)")
    undone = place.undo(ran)
    told = "Rows of public.child refer to rows that the run has inserted, and would go along: 1 rows, the first id = 3."
    assert (undone.status, undone.error) == ("error", told)
    assert place.execute("select count(*) from child") == [(1,)]


def test_watermarks_that_ask_the_dest_are_what_the_run_had_found_and_it_says_so(place: Place) -> None:
    make(place)
    mark = {"name": "last", "resolver_sql": "select max(id) from t", "connection_id": place.connection.id}
    query = "select id, a from (values (3, 'x')) as v (id, a) where id > {last}"
    ran = upsert(place, query, watermarks=[mark], hooks=[{"sql": "select 1"}])
    undone = place.undo(ran)
    assert tell(undone, "watermarks") == "as the run had found them: last = 2"
    assert "what hooks have done stays" in tell(undone, "not undone")


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("create table base (id int primary key, a text);; create view t as select * from base", "it is a view"),
        ("create table t (id int primary key, a text, pipekit_side int)", "it has a column pipekit_side"),
    ],
)
def test_a_dest_that_can_keep_nothing_is_refused_before_a_row_moves(place: Place, sql: str, why: str) -> None:
    make(place, "drop view if exists t;; drop table if exists base;;" + sql)
    ran = place.project.run(place.module(FED, merge_strategy="append"))
    assert (ran.error_stage, ran.error) == ("plan", f"Runs into public.t cannot be taken back: {why}.")
    place.execute("drop view if exists t" if "view" in sql else "drop table t")


def test_triggers_fire_again_where_they_leave_what_is_put_back_as_it_is(place: Place) -> None:
    make(place, MAKE + ";;create table audit (op text);;"
         "create or replace function note() returns trigger language plpgsql as"
         " 'begin insert into audit values (tg_op); return null; end';;"
         "create trigger note after insert or update or delete on t for each row execute function note()")  # fmt: skip
    undone = place.undo(upsert(place))
    assert "triggers fired again: note" in tell(undone, "not undone")
    assert place.execute("select op, count(*) from audit group by 1 order by 1") == [
        ("DELETE", 2), ("INSERT", 2), ("UPDATE", 1),
    ]  # fmt: skip


def test_a_login_that_could_make_triggers_but_not_drop_them_is_refused_unless_all_rows_are_replaced(
    place: Place,
) -> None:
    make(place, MAKE + ";;grant all on t to public;;grant all on schema public to public;;"
         "create schema pipekit_staging;;grant all on schema pipekit_staging to public")  # fmt: skip
    place.execute("drop role if exists undo_feeder")
    place.execute("create role undo_feeder login")
    place.execute("grant create on database current to undo_feeder".replace("current", place.name))
    url = place.connection.jdbc_url
    feeder = place.project.add_connection("feeder", url, username="undo_feeder")
    refused = place.project.run(place.module(FED, merge_strategy="upsert", merge_key="id", dest=feeder))
    assert refused.error == "Runs into public.t cannot be taken back: the login does not own it."
    ran = place.project.succeed(place.module(FED, dest=feeder))
    assert place.undo(ran).status == "success"
    assert place.photograph() == ["(1,old)", "(2,two)"]
    place.execute("drop schema pipekit_staging cascade")
    place.execute("drop owned by undo_feeder")
    place.execute("drop role undo_feeder")


def test_a_row_that_others_refer_to_stays_and_gets_its_old_key_back_to_the_last_zero(place: Place) -> None:
    make(place, "create table t (id numeric primary key);; insert into t values (1.0), (2);;"
         "create table child (id numeric references t);; insert into child values (1.0)")  # fmt: skip
    module = place.module("select 1.00::numeric as id", merge_strategy="upsert", merge_key="id")
    ran = place.project.succeed(module)
    assert place.photograph() == ["(1.00)", "(2)"]
    undone = place.undo(ran)
    assert (undone.status, undone.rows_updated, undone.error) == ("success", 1, None)
    assert place.photograph() == ["(1.0)", "(2)"]

# Columns that PostgreSQL numbers by itself: fed as the source has them, and what an application is given afterwards.
"""Identities are never renumbered, and the sequences behind fed columns are moved on, never back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.engine.planning.sequences import build_sequence_statements
from pipekit.models import Guards, Module, Run
from tests.databases.moving import Mover, run
from tests.project import Project

pytestmark = pytest.mark.usefixtures("near_when_quick")

ALWAYS = "create table t (id int generated always as identity primary key, v text)"
SERIAL = "create table t (id serial primary key, v text)"
FED = "select * from (values (7, 'a'), (9, 'b')) as v (id, v)"


class Place:
    """One database that is source and dest, and its rows."""

    def __init__(self, folder: Path, postgres: LocalPostgres) -> None:
        postgres.create_database("identity")
        self.owner = psycopg.connect(
            host="127.0.0.1", port=postgres.port, dbname="identity", user="postgres", autocommit=True
        )
        self.project = Project(folder)
        self.connection = self.project.add_connection("d", postgres.jdbc_url("identity"), username="postgres")
        self.owner.execute("create role feeder login; create role app login")
        self.feeder = self.project.add_connection("f", postgres.jdbc_url("identity"), username="feeder")
        self.number = 0

    def module(self, query: str = FED, *, as_feeder: bool = False, **options: Any) -> Module:
        self.number += 1
        return self.project.add_module(
            f"m{self.number}",
            source=self.connection,
            query=query,
            dest=self.feeder if as_feeder else self.connection,
            table="t",
            **options,
        )

    def make(self, *statements: str) -> None:
        """An empty schema, then these."""
        self.owner.execute("drop schema public cascade; create schema public; grant all on schema public to public")
        for sql in statements:
            self.owner.execute(sql)

    def ids(self, sql: str = "select id from t order by id") -> list[Any]:
        return [row[0] for row in self.owner.execute(sql).fetchall()]

    def next_id(self, sql: str = "insert into t (v) values ('own') returning id") -> Any:
        """The number an application is given."""
        return self.owner.execute(sql).fetchall()[0][0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres: LocalPostgres) -> Iterator[Place]:
    place = Place(Path(tmp_path_factory.mktemp("identity")), postgres)
    yield place
    place.project.close()
    place.owner.close()
    postgres.drop_database("identity")


def tell(run: Run) -> str:
    """What the receipt says of sequences."""
    return "; ".join(check.detail for check in run.checks if check.name == "sequences")


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, FED),
        ({"merge_strategy": "append"}, FED),
        ({"merge_strategy": "incremental", "merge_key": "id"}, FED),
        ({"merge_strategy": "upsert", "merge_key": "id"}, FED),
        ({"merge_strategy": "upsert", "merge_key": "id"}, "select id from (values (7), (9)) as v (id)"),
        ({"match": "position"}, "select a, b from (values (7, 'a'), (9, 'b')) as v (a, b)"),
        ({"guards": Guards(column_truth=False)}, FED),
    ],
)
def test_an_identity_that_is_fed_keeps_the_sources_numbers(place: Place, options: dict[str, Any], query: str) -> None:
    place.make(ALWAYS)
    module = place.module(query, **options)
    place.project.succeed(module)
    assert place.ids() == [7, 9]
    if options.get("merge_strategy") != "append":
        place.project.succeed(module)
        assert place.ids() == [7, 9]


def test_an_identity_under_a_view_is_fed_too(place: Place) -> None:
    place.make(ALWAYS.replace(" t ", " base "), "create view t as select * from base where id > 0")
    place.project.succeed(place.module())
    assert place.ids() == [7, 9]


def test_by_position_an_identity_is_left_out_only_where_the_query_leaves_no_doubt(place: Place) -> None:
    place.make(ALWAYS)
    place.project.succeed(place.module("select 'x' as a", match="position"))
    assert place.ids("select id || v from t") == ["1x"]
    place.owner.execute("alter table t add w text default 'w'")
    ran = place.project.run(place.module("select 'x' as a", match="position"))
    assert ran.status == "error"
    assert "'id', an identity" in (ran.error or "")


def test_upsert_refuses_to_change_an_identity_that_is_not_in_the_key(place: Place) -> None:
    place.make(ALWAYS)
    ran = place.project.run(place.module(merge_strategy="upsert", merge_key="v"))
    assert (ran.status, ran.rows_staged) == ("error", None)
    assert "'id'" in (ran.error or "")
    assert "identity" in (ran.error or "").lower()


FAR = "select i as id, 'x' as v from generate_series(1, 20001, 20000) as i"
CALLED = "select nextval('s')"
SHARED = "create sequence s"
BY_DEFAULT = "create table t (id int default nextval('s') primary key, v text)"
PARTITION = "create table t partition of whole for values from (1) to (1000)"
PARTITIONED = "create table t (id serial primary key, v text) partition by range (id)"


@pytest.mark.parametrize(
    ("made", "query", "next_id"),
    [
        ([ALWAYS], FED, 10),
        ([ALWAYS.replace("always", "by default")], FED, 10),
        ([SERIAL], FED, 10),
        ([SERIAL], FAR, 20002),
        ([SERIAL.replace(" primary key", "")], FED, 10),
        ([SHARED, BY_DEFAULT], FED, 10),
        ([SHARED, "select setval('s', 50)", BY_DEFAULT], FED, 51),
        ([SHARED, "select setval('s', 9)", BY_DEFAULT], FED, 10),
        ([SHARED, "select setval('s', 9, false)", BY_DEFAULT], FED, 10),
        ([SHARED, "select setval('s', 10, false)", BY_DEFAULT], FED, 10),
        (["create sequence s increment 2", CALLED, BY_DEFAULT], FED, 11),
        (["create sequence s increment 10 start 5", BY_DEFAULT], FED, 15),
        (["create sequence s increment -1", BY_DEFAULT], FED.replace("7", "-7"), -8),
        (["create sequence s maxvalue 100 cycle", BY_DEFAULT], FED, 10),
        (["create sequence s maxvalue 8", BY_DEFAULT], FED, 8),
        ([SHARED, "create domain d bigint default nextval('s')", "create table t (id d, v text)"], FED, 10),
        ([SHARED, BY_DEFAULT.replace("int", "smallint")], FED, 10),
        ([SHARED, BY_DEFAULT.replace("int", "numeric")], FED, 10),
        ([PARTITIONED, "create table t1 partition of t for values from (1) to (1000)"], FED, 10),
        (["create table whole (id serial, v text) partition by range (id)", PARTITION], FED, 10),
        (["create table base (id serial primary key, v text)", "create view t as select * from base"], FED, 10),
        ([SERIAL], FED + " where false", 1),
        ([SHARED, "create table t (id int default nextval('s') * 10, v text)"], FED, 10),
    ],
)
def test_a_merge_leaves_the_next_free_number_to_an_application(
    mover: Mover, made: list[str], query: str, next_id: int
) -> None:
    run(mover.dest, *made)
    mover.table = DRIVER.parse_table("t")
    plan = mover.build_plan(mover.move(query), "append")
    found = DRIVER.list_sequences(mover.dest.query, mover.table, ["id"])
    plan = replace(plan, sequences=found, moves_sequences=True)
    mover.dest.execute([*DRIVER.build_merge_sql(plan), *build_sequence_statements(DRIVER, plan)], (), False)
    run(mover.dest, "insert into t (v) values ('own')")
    assert mover.dest.query("select id from t where v = 'own'").first_cell() == str(next_id)


@pytest.mark.parametrize(
    ("options", "query", "says", "next_id"),
    [
        ({}, FED, "public.t_id_seq, behind id, was moved on by 9", 10),
        ({"guards": Guards(sequences=False)}, FED, "", 1),
        ({"merge_strategy": "append"}, FED, "is 9 behind what was fed; `guards: {sequences: true}`", 1),
        ({"merge_strategy": "upsert", "merge_key": "id", "guards": Guards(sequences=True)}, FED, "moved on by 9", 10),
        ({}, "select 'a' as v", "", 2),
    ],
)
def test_the_receipt_says_what_became_of_a_sequence(
    place: Place, options: dict[str, Any], query: str, says: str, next_id: int
) -> None:
    place.make(SERIAL)
    told = tell(place.project.succeed(place.module(query, **options)))
    assert says in told
    assert bool(says) == bool(told)
    assert place.next_id() == next_id


@pytest.mark.parametrize(
    ("grants", "query", "ok", "says", "next_id"),
    [
        ("", FED, False, "grant it SELECT and UPDATE on the sequence public.t_id_seq", 1),
        ("grant usage on sequence t_id_seq to feeder", FED, False, "grant it SELECT", 1),
        ("grant usage, select on sequence t_id_seq to feeder", FED, True, "moved on by 9", 10),
        ("grant select, update on sequence t_id_seq to feeder", FAR, True, "moved on by 20001", 20002),
        (
            "grant usage, select on sequence t_id_seq to feeder",
            "select 2000000000 as id, 'x' as v",
            False,
            "too far behind",
            1,
        ),
    ],
)
def test_without_a_right_on_the_sequence_the_rows_come_and_the_receipt_says_what_is_missing(
    place: Place, grants: str, query: str, ok: bool, says: str, next_id: int
) -> None:
    place.make(SERIAL, "grant select, insert, delete, truncate on t to feeder", grants or "select 1")
    place.owner.execute("grant create on database identity to feeder")
    place.owner.execute("drop schema if exists pipekit_staging cascade")
    ran = place.project.succeed(place.module(query, as_feeder=True))
    place.owner.execute("drop schema if exists pipekit_staging cascade")
    check = next(check for check in ran.checks if check.name == "sequences")
    assert (check.ok, says in check.detail) == (ok, True), check
    assert place.next_id() == next_id

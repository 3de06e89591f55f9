# What a merge over JDBC does to rows of other tables, and what triggers make of its own. Each product in one table.
"""Children by each ON DELETE action, parents that are loaded again, triggers: H2, HSQLDB, Derby and MariaDB."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.engine import open_look
from pipekit.models import Guards, Run
from pipekit.runner_contract import Statement
from tests.databases.jdbc import DERBY, H2, HSQLDB
from tests.databases.mariadb import DRIVER, PASSWORD, USER, Mariadb
from tests.databases.over_jdbc import register
from tests.project import Project

FILES = {
    "h2": (H2, "jdbc:h2:{file}", "jdbc:h2:{}/shop"),
    "hsqldb": (HSQLDB, "jdbc:hsqldb:file:{file}", "jdbc:hsqldb:file:{}/shop;shutdown=true"),
    "derby": (DERBY, "jdbc:derby:{file}", "jdbc:derby:{}/shop;create=true"),
}
NEW = "with x (id, v) as (values (2, 'new'), (3, 'new'), (4, 'new')) select * from x"
ALL, ADDED = ("full", "incremental", "upsert", "append"), "with x (id, v) as (values (4, 'new')) select * from x"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A dest `p` of the rows 1 to 3, SQL after it is there, what loads and what is refused, and by which words.

    The children are the same afterwards, unless a switch lets them change.
    """

    name: str
    setup: tuple[str, ...]
    loads: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    said: str = ""
    guards: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""
    kinds: tuple[str, ...] = ("h2", "hsqldb", "derby", "mariadb")


LOSING = "create table c (n int, p_id int unique, foreign key (p_id) references p (id) on delete set null)"
FOLLOWING = "create table g (n int, c_p int, foreign key (c_p) references c (p_id) on update cascade)"
CHILD = "create table c (n int not null primary key, p_id int default 3, foreign key (p_id) references p (id) {})"
GRANDCHILD = "create table g (n int, c_n int, foreign key (c_n) references c (n) on delete set null)"


def child(action: str, parent: int) -> tuple[str, ...]:
    return (CHILD.format(action), f"insert into c values (1, {parent})")


MARIADB_SETS = ("create trigger acts before insert on p for each row set new.v = 'other'",)
HSQLDB_SETS = ("create trigger acts before insert on p referencing new row as n for each row set n.v = 'other'",)
DERBY_SETS = (
    "create trigger acts after insert on p referencing new as n for each row update p set v = 'other' where id = n.id",
)
NOTES = (
    "create table notes (n int)",
    "create trigger acts after insert on p for each row insert into notes values (new.id)",
)
DELETING = ("full", "incremental")

CASES = (
    Case(name="no action, its row comes again", setup=child("", 2), loads=ALL),
    Case(
        name="cascade, its row comes again", setup=child("on delete cascade", 2), loads=DELETING, told="no row changed"
    ),
    Case(
        name="set null, its row comes again",
        setup=child("on delete set null", 2),
        loads=("full",),
        told="no row changed",
    ),
    Case(
        name="cascade, its row is gone",
        setup=child("on delete cascade", 1),
        refused=("full",),
        loads=("incremental",),
        said="1 rows of",
    ),
    Case(name="set null, its row is gone", setup=child("on delete set null", 1), refused=("full",), said="1 rows of"),
    Case(
        name="a grandchild through a cascade, which may",
        setup=(*child("on delete cascade", 1), GRANDCHILD, "insert into g values (1, 1)"),
        guards={"children": True},
        loads=("full",),
        told="set to NULL",
    ),
    Case(
        name="a grandchild of what a child loses, which may",
        setup=(LOSING, "insert into c values (1, 1)", FOLLOWING, "insert into g values (1, 1)"),
        guards={"children": True},
        loads=("full",),
        told=") changed",
        kinds=("h2", "hsqldb", "mariadb"),
    ),
    Case(name="no action, its row is gone", setup=child("", 1), refused=("full",), said="load those tables first"),
    Case(name="a trigger sets a column", kinds=("mariadb",), refused=ALL, said="trigger acts", setup=MARIADB_SETS),
    Case(name="a trigger sets a column", kinds=("hsqldb",), refused=DELETING, said="trigger ACTS", setup=HSQLDB_SETS),
    Case(name="a trigger sets a column", kinds=("derby",), refused=DELETING, said="trigger ACTS", setup=DERBY_SETS),
    Case(name="a trigger notes", kinds=("mariadb",), loads=ALL, told="the dest holds what was staged", setup=NOTES),
    Case(
        name="a trigger sets a column, which is accepted",
        kinds=("mariadb",),
        loads=("full",),
        guards={"dest_truth": False},
        told="are not as they were staged",
        setup=MARIADB_SETS,
    ),
)


class Place:
    """A project with a dest of one kind."""

    def __init__(self, folder: Path, kind: str, server: Mariadb | None) -> None:
        self.project = Project(folder)
        if server:
            server.clear()
            driver, template, url = DRIVER, "jdbc:mariadb://{host}:{port}/{database}", server.url()
            login = {"username": USER, "password": "$MARIADB"}
            self.project.secrets.set("MARIADB", PASSWORD)
        else:
            driver, template, url = FILES[kind]
            url, login = url.format(folder), {"username": "sa"}
        register(self.project, kind, driver, template, "" if server else folder)
        sqlite3.connect(folder / "lite.db").execute("create table one (a)").connection.close()
        self.lite = self.project.add_connection("lite", f"jdbc:sqlite:{folder}/lite.db")
        self.dest = repo.create_connection(self.project.db, name="dest", driver=kind, jdbc_url=url, **login)

    def prepare(self, case: Case) -> None:
        sql = ["create table p (id int not null primary key, v varchar(20))", *case.setup[:1]]
        rows = ["insert into p values (1, 'old')", "insert into p values (2, 'old')", "insert into p values (3, 'old')"]
        is_trigger = "trigger" in case.setup[-1]
        self.execute(*(sql[:1] + rows + list(case.setup) if is_trigger else [sql[0], *rows, *case.setup]))

    def clear(self) -> None:
        with open_look(self.project.config, self.project.secrets, self.dest, read_only=False) as look:
            for table in ("g", "c", "notes", "p"):
                look.runner.execute(
                    look.endpoint, [Statement(sql=look.driver.build_drop_table_sql(look.driver.parse_table(table)))]
                )

    def execute(self, *statements: str) -> None:
        with open_look(self.project.config, self.project.secrets, self.dest, read_only=False) as look:
            look.runner.execute(look.endpoint, [Statement(sql=self._spell(sql)) for sql in statements])

    def _spell(self, sql: str) -> str:
        return f"{sql} engine=innodb" if self.dest.driver == "mariadb" and sql.startswith("create table") else sql

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        with open_look(self.project.config, self.project.secrets, self.dest) as look:
            return list(look.query(sql).rows)

    def run(self, strategy: str, guards: Mapping[str, Any], query: str = "") -> Run:
        name = f"m{len(repo.list_modules(self.project.db))}"
        query = query or (ADDED if strategy == "append" else NEW)
        key = {"merge_key": "id"} if strategy in ("incremental", "upsert") else {}
        module = self.project.add_module(
            name, source=self.lite, query=query, dest=self.dest, table="p", merge_strategy=strategy,
            guards=Guards(**guards), **key,
        )  # fmt: skip
        return self.project.run(module)


@pytest.fixture(params=["h2", "hsqldb", "derby", "mariadb"])
def place(request: pytest.FixtureRequest, tmp_path: Path, one_child: None) -> Iterator[Place]:
    server = request.getfixturevalue("mariadb") if request.param == "mariadb" else None
    place = Place(tmp_path, request.param, server)
    yield place
    place.project.close()


def test_what_a_merge_does_to_others_and_others_to_it(place: Place) -> None:
    for case in CASES:
        if place.dest.driver not in case.kinds:
            continue
        for strategy in (*case.loads, *case.refused):
            where = f"{case.name}, {strategy}"
            place.prepare(case)
            kept = "select count(*), max(p_id) from c" if "create table c" in case.setup[0] else "select 1 from p"
            before, rows = place.rows(kept), place.rows("select id, v from p order by id")
            run = place.run(strategy, case.guards)
            said = f"{run.error} {run.hint} {' '.join(check.detail for check in run.checks)}"
            if strategy in case.refused:
                assert (run.status, run.error_stage) == ("error", "merge"), f"{where}: {said}"
                assert case.said in said, f"{where}: {said}"
                assert not ("those tables first" in said and "it refers to first" in said), f"{where}: {said}"
                assert place.rows("select id, v from p order by id") == rows, where
            else:
                assert run.status == "success", f"{where}: {said}"
                assert case.told in said, f"{where}: {said}"
                ids = [row[0] for row in place.rows("select id from p order by id")]
                assert ids == list("234" if strategy == "full" else "1234"), where
            if not case.guards:
                assert place.rows(kept)[:1] == before[:1], where
            place.clear()
    check_a_parent_that_is_loaded_again(place)
    check_a_table_that_refers_to_itself(place)


def check_a_table_that_refers_to_itself(place: Place) -> None:
    """Each row refers to one that comes later; some look at each row as it comes, all at the end of each statement."""
    place.clear()
    place.execute("create table p (id int not null primary key, v int, foreign key (v) references p (id))")
    before = "with x (id, v) as (values (1, 2), (2, 3), (3, null)) select * from x"
    after = "with x (id, v) as (values (2, 4), (3, 2), (4, 5), (5, null)) select * from x"
    for strategy, rows in (("full", 4), ("upsert", 5), ("incremental", 5)):
        for query in (before, before, after):
            run = place.run("full" if query == before else strategy, {}, query)
            assert run.status == "success", f"{strategy}: {run.error}"
        kept = [("1", "2")] if rows == 5 else []
        assert place.rows("select id, v from p order by id") == [*kept, ("2", "4"), ("3", "2"), ("4", "5"), ("5", None)]


def check_a_parent_that_is_loaded_again(place: Place) -> None:
    place.prepare(CASES[0])
    for _ in range(2):
        run = place.run("full", {})
        assert run.status == "success", run.error
    assert (run.rows_deleted, run.rows_inserted, run.rows_updated) == (0, 0, 3)
    assert (run.dest_rows_before, run.dest_rows_after) == (3, 3)

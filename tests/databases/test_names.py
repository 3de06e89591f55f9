# Which table a name means: a schema that is left out, capitals, and what is made. The same for every kind that has it.
"""Each kind with a session whose own schema is RPT, beside another one that has tables of the same names."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.engine import open_look
from pipekit.models import Connection, Run
from pipekit.runner_contract import Statement
from tests.databases import mariadb as server_of_mariadb
from tests.databases.jdbc import DERBY_CLIENT, H2, HSQLDB, POSTGRESQL, make_endpoint
from tests.databases.mariadb import Mariadb
from tests.databases.over_jdbc import register
from tests.lending import lend_database, take_back
from tests.project import Project

pytestmark = pytest.mark.usefixtures("one_child")

Rows = list[tuple[str | None, ...]]


@dataclass(kw_only=True)
class Place:
    """A dest, and an SQLite file with the rows 1 and 2 of `sales`; `fold` is how the kind stores a plain name."""

    project: Project
    dest: Connection
    lite: Connection
    other: str
    fold: Callable[[str], str] = str.lower
    made: list[str] = field(default_factory=list)

    def execute(self, *statements: str) -> None:
        with open_look(self.project.config, self.project.secrets, self.dest, read_only=False) as look:
            look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])

    def make(self, name: str, *ids: int) -> None:
        """A table, its name as it is to stand in a statement."""
        engine = " ENGINE=InnoDB" if self.dest.driver == "mariadb" else ""
        self.execute(
            f"CREATE TABLE {name} (id integer, v varchar(9)){engine}",
            *(f"INSERT INTO {name} VALUES ({id_}, 'old')" for id_ in ids),
        )

    def rows(self, sql: str) -> Rows:
        with open_look(self.project.config, self.project.secrets, self.dest) as look:
            return list(look.query(sql).rows)

    def run(self, table: str, query: str = "SELECT id, v FROM sales", **options: Any) -> Run:
        name = f"m{len(repo.list_modules(self.project.db))}"
        module = self.project.add_module(name, source=self.lite, query=query, dest=self.dest, table=table, **options)
        return self.project.run(module)

    def quote(self, name: str) -> str:
        return get_driver(self.dest.driver).quote_identifier(name)


def connect(project: Project, kind: str, url: str, username: str, password: str | None = None) -> Connection:
    name = f"dest{len(repo.list_connections(project.db))}"
    return repo.create_connection(
        project.db, name=name, driver=kind, jdbc_url=url, username=username, password=password
    )


def run_in(project: Project, connection: Connection, *statements: str) -> None:
    with open_look(project.config, project.secrets, connection, read_only=False) as look:
        look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])


@contextmanager
def open_postgresql(project: Project, folder: Path, servers: "Servers", kind: str = "postgresql") -> Iterator[Any]:
    """The second schema of a search path is the first that exists; the address of the other kind names one."""
    postgres = servers.get("postgres")
    name = lend_database(postgres)
    postgres.run_sql("CREATE SCHEMA rpt", name)
    if kind == "postgresql":
        postgres.run_sql(f"ALTER DATABASE {name} SET search_path = nowhere, rpt, public", name)
        yield connect(project, kind, postgres.jdbc_url(name), "postgres"), "public"
    else:
        register(project, kind, POSTGRESQL, "")
        yield connect(project, kind, postgres.jdbc_url(name) + "?currentSchema=rpt", "postgres"), "public"
    take_back(postgres, name)


@contextmanager
def open_pgjdbc(project: Project, folder: Path, servers: "Servers") -> Iterator[Any]:
    with open_postgresql(project, folder, servers, "postgresql_jdbc") as opened:
        yield opened


@contextmanager
def open_h2(project: Project, folder: Path, servers: "Servers") -> Iterator[Any]:
    register(project, "h2", H2, "", folder)
    first = connect(project, "h2", f"jdbc:h2:{folder}/names", "sa")
    run_in(project, first, "CREATE SCHEMA RPT")
    yield connect(project, "h2", f"jdbc:h2:{folder}/names;SCHEMA=RPT", "sa"), "PUBLIC"


@contextmanager
def open_hsqldb(project: Project, folder: Path, servers: "Servers") -> Iterator[Any]:
    register(project, "hsqldb", HSQLDB, "", folder)
    url = f"jdbc:hsqldb:file:{folder}/names;shutdown=true"
    first = connect(project, "hsqldb", url, "SA")
    run_in(
        project,
        first,
        "CREATE SCHEMA RPT",
        "CREATE USER RPT PASSWORD '' ADMIN",
        "ALTER USER RPT SET INITIAL SCHEMA RPT",
    )
    yield connect(project, "hsqldb", url, "RPT"), "PUBLIC"


@contextmanager
def open_derby(project: Project, folder: Path, servers: "Servers") -> Iterator[Any]:
    """A login's schema is called like it, and need not be there."""
    register(project, "derby", DERBY_CLIENT, "")
    url = f"jdbc:derby://127.0.0.1:{servers.get('derby_server')}/{folder.name}"
    runner = servers.get("lent_child")()
    runner.execute(make_endpoint(DERBY_CLIENT, f"{url};create=true"), [Statement(sql="CREATE SCHEMA SHOP")])
    runner.close()
    yield connect(project, "derby", url, "rpt"), "SHOP"


@contextmanager
def open_mariadb(project: Project, folder: Path, servers: "Servers") -> Iterator[Any]:
    server: Mariadb = servers.get("mariadb")
    server.clear()
    server.run("DROP DATABASE IF EXISTS rpt; CREATE DATABASE rpt", "mysql")
    register(project, "mariadb", server_of_mariadb.DRIVER, "")
    project.secrets.set("MARIADB", server_of_mariadb.PASSWORD)
    yield connect(project, "mariadb", server.url("rpt"), server_of_mariadb.USER, "$MARIADB"), "shop"


KINDS: dict[str, tuple[Callable[..., Any], Callable[[str], str]]] = {
    "postgresql": (open_postgresql, str.lower),
    "pgjdbc": (open_pgjdbc, str.lower),
    "h2": (open_h2, str.upper),
    "hsqldb": (open_hsqldb, str.upper),
    "derby": (open_derby, str.upper),
    "mariadb": (open_mariadb, str),
}


@dataclass
class Servers:
    """Starts those servers that a test asks for."""

    request: pytest.FixtureRequest

    def get(self, name: str) -> Any:
        return self.request.getfixturevalue(name)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    opens, fold = KINDS[request.param]
    project = Project(tmp_path)
    lite = project.add_connection("lite", f"jdbc:sqlite:{tmp_path}/lite.db")
    run_in(project, lite, "CREATE TABLE sales (id INTEGER, v TEXT)", "INSERT INTO sales VALUES (1, 'a'), (2, 'b')")
    with opens(project, tmp_path, Servers(request)) as (dest, other):
        yield Place(project=project, dest=dest, lite=lite, other=other, fold=fold)
    project.close()


def test_a_table_without_a_schema_is_the_one_that_its_session_finds(place: Place) -> None:
    own = f"{place.fold('rpt')}.{place.fold('sales')}"
    other = f"{place.other}.{place.fold('sales')}"
    place.make(f"{place.other}.sales", 7)
    # What is not there yet is made where the session makes it.
    first = place.run("made", create_table=True)
    assert (first.status, first.dest_table) == ("success", own.replace(place.fold("sales"), place.fold("made")))
    place.make("sales", 8, 9)
    run = place.run("sales")
    assert (run.status, run.dest_table, run.dest_rows_before) == ("success", own, 2), run.error
    assert place.rows(f"SELECT id FROM {own} ORDER BY id") == [("1",), ("2",)]
    assert place.rows(f"SELECT id FROM {other}") == [("7",)]
    with open_look(place.project.config, place.project.secrets, place.dest) as look:
        assert look.driver.find_session_schema(look.query) == place.fold("rpt")


def test_names_are_folded_as_a_statement_would_and_a_table_that_is_made_is_found_by_one(place: Place) -> None:
    if place.fold is not str:  # elsewhere capitals are another table
        place.make("sales")
        run = place.run("RPT.Sales")
        assert (run.status, run.dest_table) == ("success", place.fold("rpt.sales")), run.error
    query = 'SELECT id AS "ID", v AS "UpdatedAt", id AS "Odd Name" FROM sales'
    for _ in range(2):
        run = place.run("Made", query, create_table=True, merge_strategy="incremental", merge_key="Odd Name")
        assert run.status == "success", run.error
    told = place.rows("SELECT max(id), count(updatedat), max(odd_name) FROM Made")
    assert told == [("2", "2", "2")]


def test_beside_a_table_that_differs_in_case_no_second_one_is_made(place: Place) -> None:
    place.make(place.quote("SaLes"))
    for create in (False, True):
        run = place.run("sales", create_table=create)
        assert (run.status, run.error_stage) == ("error", "check")
        assert "SaLes" in (run.error or "")
        assert "upper and lower case" in (run.error or "")
    # As it is typed there is one, and no other could be meant.
    assert place.run("SaLes").status == "success"
    if place.fold is not str:
        assert place.run("RPT.SaLes").status == "success"
    assert place.run(place.quote("SaLes")).status == "success"
    assert place.rows(f"SELECT count(*) FROM {place.quote('SaLes')}") == [("2",)]

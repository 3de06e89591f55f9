# The wizard's two ways over a registered JDBC driver, Derby here, from the first page to a run; and its API.
"""Browse a table, write SQL: what a person sees of a kind whose catalogue is its driver's."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from tests.api.caller import Caller
from tests.databases.jdbc import DERBY_CLIENT
from tests.databases.over_jdbc import PASSWORD, JdbcDatabase, open_derby, register
from tests.pages.site import Site

pytestmark = pytest.mark.usefixtures("one_child")

FILL = (
    "CREATE TABLE SHOP.ORDERS (ID INTEGER NOT NULL PRIMARY KEY, PLACED DATE, TOTAL DECIMAL(9,2), WHAT VARCHAR(40))",
    "INSERT INTO SHOP.ORDERS VALUES (1, '2024-02-29', 10.50, 'é'), (2, NULL, NULL, NULL)",
    "CREATE VIEW SHOP.CHEAP AS SELECT ID FROM SHOP.ORDERS WHERE TOTAL < 100",
)


@pytest.fixture(scope="module")
def derby(derby_server: int) -> Iterator[JdbcDatabase]:
    """A database that no test changes."""
    with (
        NativeRunner(silence_timeout_s=120) as runner,
        open_derby(derby_server, f"wizard_{time.monotonic_ns()}", runner) as database,
    ):
        database.execute(*FILL)
        yield database


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    register(site, "derby", DERBY_CLIENT, "jdbc:derby://{host}/{database}")
    site.secrets.set("DERBY", PASSWORD)
    yield site
    site.close()


@pytest.fixture
def source(site: Site, derby: JdbcDatabase) -> Connection:
    return site.add_connection("derby", derby.url, username="shop", password="$DERBY")


@pytest.fixture
def lite(site: Site, tmp_path: Path) -> Connection:
    return site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")


def test_a_table_is_browsed_and_becomes_a_module_that_runs(site: Site, source: Connection, lite: Connection) -> None:
    ana = site.visit("ana")
    tables = ana.get("/wizard/tables", params={"source_id": source.id, "schema": "SHOP"})
    assert tables.texts("#tables .row-link") == ["CHEAP", "ORDERS"]
    page = ana.get("/wizard/columns", params={"source_id": source.id, "schema": "SHOP", "table": "ORDERS"})
    assert page.texts("#columns label") == ["ID", "PLACED", "TOTAL", "WHAT"]
    assert page.texts("#columns .badge") == ["key"]
    step3 = ana.post("/wizard/columns", page.form("form[action='/wizard/columns']"))
    fields = step3.form("form[action='/wizard/create']")
    assert fields["col_source_type[]"] == ["INTEGER", "DATE", "DECIMAL(9,2)", "VARCHAR(40)"]
    made = ana.post("/wizard/create", fields | {"dest_id": str(lite.id), "dest_table": "orders", "name": "orders"})
    assert made.status == 303, made.text
    assert site.succeed(repo.get_module_by_name(site.db, "orders")).rows_inserted == 2


def test_a_query_is_written_and_becomes_a_module_that_runs(site: Site, source: Connection, lite: Connection) -> None:
    ana = site.visit("ana")
    sql = 'select id, total * 2 as "Twice" from shop.orders -- both of them\n;'
    page = ana.post("/wizard/sql/columns", {"source_id": str(source.id), "query": sql, "entry_mode": "sql"})
    fields = page.form("form[action='/wizard/create']")
    assert fields["col_source_name[]"] == ["ID", "Twice"]
    assert fields["col_source_type[]"][0] == "INTEGER"
    made = ana.post("/wizard/create", fields | {"dest_id": str(lite.id), "dest_table": "twice", "name": "twice"})
    assert made.status == 303, made.text
    assert site.succeed(repo.get_module_by_name(site.db, "twice")).rows_inserted == 2


def test_a_query_that_derby_refuses_is_refused_on_the_page_in_its_words(site: Site, source: Connection) -> None:
    form = {"source_id": str(source.id), "query": "select id from shop.orders limit 1", "entry_mode": "sql"}
    page = site.visit("ana").post("/wizard/sql/columns", form)
    assert page.status == 422
    assert "limit" in page.text


def test_the_api_tells_the_same(site: Site, source: Connection) -> None:
    api = Caller(site.app, repo.create_token(site.db, repo.get_user_by_name(site.db, "ana").id, "tests"))
    path = f"/introspect/{source.name}"
    assert "SHOP" in api.get(f"{path}/schemas")
    assert [table["name"] for table in api.get(f"{path}/tables?schema=SHOP")] == ["CHEAP", "ORDERS"]
    columns = api.get(f"{path}/columns?schema=SHOP&table=ORDERS")
    assert [(column["name"], column["type"], column["in_key"]) for column in columns][::2] == [
        ("ID", "INTEGER", True),
        ("TOTAL", "DECIMAL(9,2)", False),
    ]
    sql = "select id, total from shop.orders;"
    assert [column["name"] for column in api.post(f"{path}/query-columns", {"sql": sql})] == ["ID", "TOTAL"]
    assert api.post(f"{path}/preview", {"sql": sql, "limit": 1})["rows"] == [["1", "10.50"]]

# Db2 for i's driver from end to end, on Derby in its place: its catalogue, its wizard, its runs. No IBM i is here.
"""Libraries, labels, journals, FETCH FIRST, all strategies both ways."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.drivers.base import TableColumn, TableName
from pipekit.drivers.db2i import driver as db2i
from pipekit.engine import open_look
from pipekit.models import Connection, Guards, Module
from pipekit.runner.native import NativeRunner
from tests.databases.db2i_on_derby import Db2iOnDerby, Field, make_qsys2, make_table, tell_file_key
from tests.databases.jdbc import DERBY_CLIENT
from tests.databases.over_jdbc import PASSWORD, JdbcDatabase, open_derby, register
from tests.pages.site import Site

# That a run has a Java of its own is for the tests of Derby's runs to say: the wire is the same.
pytestmark = pytest.mark.usefixtures("one_child")

ORDERS = (
    Field("ORDER_NUMBER", "INTEGER", ("INTEGER", 4, 0, None, None), "Order number", "ORDNO", in_key=True),
    Field("CUST#", "CHAR(8)", ("CHAR", 8, None, 37, None), "Customer"),
    Field("ORDDTE", "DECIMAL(7,0)", ("DECIMAL", 7, 0, None, None), "Order date"),
    Field("AMT$", "DECIMAL(11,2)", ("DECIMAL", 11, 2, None, None)),
    Field("CHANGED_AT_THE_LAST_TIME", "TIMESTAMP", ("TIMESTMP", 10, None, None, 6), "", "CHANG00001"),
)
ROWS = "(1, 'ANNA', 1240229, 10.50, '2024-02-29 12:00:00.123456'), (2, 'BERT', 0, NULL, NULL)"


@pytest.fixture(scope="module")
def runner() -> Iterator[NativeRunner]:
    """What the tests themselves ask Derby with."""
    with NativeRunner(silence_timeout_s=120) as runner:
        yield runner


@pytest.fixture(scope="module")
def derby(derby_server: int, runner: NativeRunner) -> Iterator[JdbcDatabase]:
    """One database for all tests; making one takes longer than a run."""
    with open_derby(derby_server, f"ibmi_{time.monotonic_ns()}", runner, "db2i") as database:
        yield database


@pytest.fixture
def ibmi(derby: JdbcDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[JdbcDatabase]:
    """An empty library SHOP beside a QSYS2."""
    monkeypatch.setattr(db2i, "DRIVER", Db2iOnDerby())
    make_qsys2(derby)
    yield derby
    derby.clear()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    register_as_db2i(site)
    yield site
    site.close()


def register_as_db2i(site: Site) -> None:
    """The kind db2i with Derby's jar: `register` would refuse the template, as it must."""
    register(site, "derby", DERBY_CLIENT, "")
    found = repo.find_driver_registration(site.db, "derby")
    assert found is not None
    repo.register_driver(
        site.db,
        "db2i",
        jar=found.jar,
        jar_sha256=found.jar_sha256,
        java_class=found.java_class,
        url_template="jdbc:derby:",
    )


def connect(site: Site, database: JdbcDatabase) -> Connection:
    site.secrets.set("IBMI", PASSWORD)
    return repo.create_connection(
        site.db, name="ibmi", driver="db2i", jdbc_url=database.url, username="shop", password="$IBMI"
    )


@pytest.fixture
def orders(ibmi: JdbcDatabase) -> JdbcDatabase:
    """SHOP.ORDERS with two rows."""
    make_table(ibmi, "ORDERS", ORDERS, label="Orders of the shop")
    ibmi.execute(f"INSERT INTO SHOP.ORDERS VALUES {ROWS}")
    return ibmi


def test_the_catalogue_is_read_from_qsys2(site: Site, orders: JdbcDatabase) -> None:
    orders.execute("CREATE VIEW SHOP.CHEAP AS SELECT * FROM SHOP.ORDERS")
    with open_look(site.config, site.secrets, connect(site, orders)) as look:
        assert look.driver.list_schemas(look.query) == ["SHOP"]
        tables = look.driver.list_tables(look.query, "SHOP")
        assert [(t.name, t.is_view, t.comment) for t in tables] == [
            ("CHEAP", True, None),
            ("ORDERS", False, "Orders of the shop"),
        ]
        columns = look.driver.get_columns(look.query, TableName(schema="SHOP", name="ORDERS"))
        assert [(c.name, c.type, c.nullable, c.in_key, c.comment) for c in columns] == [
            ("ORDER_NUMBER", "INTEGER", False, True, "Order number [ORDNO]"),
            ("CUST#", "CHAR(8) CCSID 37", True, False, "Customer"),
            ("ORDDTE", "DECIMAL(7,0)", True, False, "Order date"),
            ("AMT$", "DECIMAL(11,2)", True, False, None),
            ("CHANGED_AT_THE_LAST_TIME", "TIMESTAMP(6)", True, False, None),
        ]
        assert list(look.driver.column_inventory(look.query, "SHOP")) == ["ORDERS"]


def test_a_table_is_found_by_its_system_name_too(site: Site, ibmi: JdbcDatabase) -> None:
    make_table(ibmi, "ORDERS_OF_THIS_YEAR", ORDERS, system_name="ORDTHSYR")
    with open_look(site.config, site.secrets, connect(site, ibmi)) as look:
        columns = look.driver.get_columns(look.query, look.driver.parse_table("shop.ordthsyr"))
        assert columns[0].name == "ORDER_NUMBER"
        assert look.driver.get_table_facts(look.query, look.driver.parse_table("SHOP.ORDTHSYR")).exists


def find_key(site: Site, database: JdbcDatabase, table: str) -> list[str]:
    connection = next(iter(repo.list_connections(site.db)), None) or connect(site, database)
    with open_look(site.config, site.secrets, connection) as look:
        columns = look.driver.get_columns(look.query, look.driver.parse_table(f"shop.{table}"))
    return [column.name for column in columns if column.in_key]


def test_the_unique_key_of_a_file_that_dds_made_is_its_key(site: Site, ibmi: JdbcDatabase) -> None:
    """There is no constraint; the key may name columns by either name, and every member has a row of its own."""
    fields = [replace(field, in_key=False) for field in ORDERS]
    for table in ("DDSFILE", "LOOSE", "CUT", "WITHOUT"):
        make_table(ibmi, table, fields)
    for member in ("M1", "M2"):
        tell_file_key(ibmi, "DDSFILE", "ORDNO, CUST#", member=member)
    tell_file_key(ibmi, "DDSFILE", "ORDDTE", kind="LOGICAL")
    tell_file_key(ibmi, "LOOSE", "ORDNO", unique="FIFO DUPLICATES")
    tell_file_key(ibmi, "CUT", "ORDNO, CU...")
    assert find_key(site, ibmi, "DDSFILE") == ["ORDER_NUMBER", "CUST#"]
    assert [find_key(site, ibmi, table) for table in ("LOOSE", "CUT", "WITHOUT")] == [[], [], []]
    ibmi.execute("DROP VIEW QSYS2.SYSPARTITIONINDEXES")
    assert find_key(site, ibmi, "DDSFILE") == []


def test_columns_without_a_code_page_are_text_where_the_connection_translates_them(
    site: Site, ibmi: JdbcDatabase
) -> None:
    """QSYS2 says 65535 of both; that the driver reads the first as text is what `translate binary=true` does."""
    fields = (
        Field("TEXT65535", "CHAR(4)", ("CHAR", 4, None, 65535, None)),
        Field("BITS65535", "CHAR(4) FOR BIT DATA", ("CHAR", 4, None, 65535, None)),
    )
    make_table(ibmi, "OLD", fields)
    with open_look(site.config, site.secrets, connect(site, ibmi)) as look:
        columns = look.driver.get_columns(look.query, look.driver.parse_table("shop.old"))
        assert [(column.name, column.type) for column in columns] == [
            ("TEXT65535", "CHAR(4)"),
            ("BITS65535", "CHAR(4) FOR BIT DATA"),
        ]
        assert [len(look.driver.list_casts(column)) for column in columns] == [0, 3]


@pytest.mark.parametrize(
    "query",
    [
        "select * from shop.orders",
        "select * from shop.orders fetch first 5 rows only",
        "select * from shop.orders order by 1 for read only with ur -- all of them\n;",
        'select * from shop.orders /* no limit (1) */ where "AMT$" > 1 or 1 = 1 with cs',
    ],
)
def test_a_querys_columns_are_found_whatever_its_end(site: Site, orders: JdbcDatabase, query: str) -> None:
    with open_look(site.config, site.secrets, connect(site, orders)) as look:
        columns = look.driver.introspect_query_columns(look.query, query)
        assert [column.name for column in columns] == [field.name for field in ORDERS]
        preview = look.runner.query(look.endpoint, look.driver.build_preview_sql(query, 1))
        assert len(preview.rows) == 1


def add_module(site: Site, source: Connection, query: str, dest: Connection, table: str, **options: Any) -> Module:
    return site.add_module("m", source=source, query=query, dest=dest, table=table, **options)


@pytest.mark.parametrize("strategy", ["full", "incremental", "upsert", "append"])
def test_every_strategy_loads_from_it_and_into_it(
    site: Site, orders: JdbcDatabase, tmp_path: Path, strategy: str
) -> None:
    ibmi, lite = connect(site, orders), site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    options = {"merge_strategy": strategy, "merge_key": "ORDER_NUMBER", "create_table": True}
    out = add_module(site, ibmi, "select * from shop.orders", lite, "orders", **options)
    assert site.succeed(out).rows_inserted == 2
    make_table(orders, "COPIED", [replace(f, told=(*f.told[:3], None, f.told[4])) for f in ORDERS])
    orders.execute("INSERT INTO SHOP.COPIED (ORDER_NUMBER, \"CUST#\") VALUES (1, 'OLD'), (9, 'KEPT')")
    if strategy == "append":
        orders.execute("DELETE FROM SHOP.COPIED")
    query = 'select order_number, cust as "CUST#", orddte, amt as "AMT$", changed_at_the_last_time from orders'
    back = site.add_module("back", source=lite, query=query, dest=ibmi, table="shop.copied", **options)
    run = site.succeed(back)
    after = orders.rows('SELECT ORDER_NUMBER, "CUST#" FROM SHOP.COPIED ORDER BY 1')
    kept = [(9, "KEPT    ")] if strategy in ("incremental", "upsert") else []
    assert after == [(1, "ANNA    "), (2, "BERT    "), *kept]
    assert (run.rows_deleted, run.rows_inserted, run.rows_updated) == {
        "full": (2, 2, 0),
        "incremental": (1, 2, 0),
        "upsert": (0, 1, 1),
        "append": (0, 2, 0),
    }[strategy]
    assert orders.rows("SELECT TABLE_NAME FROM QSYS2.SYSTABLES WHERE TABLE_SCHEMA = 'PIPEKIT'") == [("pipekit_ledger",)]


def test_blanks_of_char_columns_are_dropped_where_the_module_says_so(
    site: Site, orders: JdbcDatabase, tmp_path: Path
) -> None:
    ibmi, lite = connect(site, orders), site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    query = 'select order_number, "CUST#" from shop.orders'
    module = add_module(site, ibmi, query, lite, "orders", create_table=True, trim_char=True)
    site.succeed(module)
    with open_look(site.config, site.secrets, lite) as look:
        assert look.query("select cust from orders").rows == (("ANNA",), ("BERT",))


def test_a_dest_without_a_journal_is_refused_unless_the_module_accepts_it(
    site: Site, orders: JdbcDatabase, tmp_path: Path
) -> None:
    make_table(orders, "LOOSE", ORDERS[:1], journaled=False)
    ibmi = connect(site, orders)
    module = add_module(site, ibmi, "select order_number from shop.orders", ibmi, "SHOP.LOOSE")
    run = site.run(module)
    assert (run.status, run.error_stage) == ("error", "check")
    assert "SHOP/LOOSE is not journaled" in (run.error or "")
    assert "atomic: false" in (run.hint or "")
    repo.update_module(site.db, module.id, guards=Guards(atomic=False))
    site.succeed(repo.get_module(site.db, module.id))
    assert orders.rows("SELECT COUNT(*) FROM SHOP.LOOSE") == [(2,)]


def test_an_older_release_that_cannot_tell_journals_is_no_obstacle(site: Site, orders: JdbcDatabase) -> None:
    make_table(orders, "LOOSE", ORDERS[:1], journaled=False)
    orders.execute("DROP VIEW QSYS2.JOURNALED_OBJECTS")
    ibmi = connect(site, orders)
    site.succeed(add_module(site, ibmi, "select order_number from shop.orders", ibmi, "SHOP.LOOSE"))


def test_a_run_by_rrn_says_what_reorganising_does(site: Site, orders: JdbcDatabase, tmp_path: Path) -> None:
    """RRN is a function of Derby's own here: what counts is the log and the page."""
    orders.execute(
        "CREATE FUNCTION SHOP.RRN (X INTEGER) RETURNS INTEGER PARAMETER STYLE JAVA NO SQL LANGUAGE JAVA"
        " EXTERNAL NAME 'java.lang.Math.abs'"
    )
    lite = site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    query = "select order_number, rrn(order_number) as r from shop.orders where rrn(order_number) > 1"
    module = add_module(site, connect(site, orders), query, lite, "orders", create_table=True)
    run = site.succeed(module)
    assert run.rows_inserted == 1
    assert "RGZPFM" in " ".join(site.visit("vera").get(f"/modules/{module.id}").texts(".notice.warn"))
    assert "note: RRN is a row's place" in site.read_log(run.id)
    assert "RGZPFM" in site.read_log(run.id)


# -- the wizard --------------------------------------------------------------------------------------------------------


def test_the_wizard_browses_a_library_and_reads_a_number_as_a_date(
    site: Site, orders: JdbcDatabase, tmp_path: Path
) -> None:
    source = connect(site, orders)
    lite = site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    ana = site.visit("ana")
    tables = ana.get("/wizard/tables", params={"source_id": source.id, "schema": "SHOP"})
    assert tables.texts("#tables .row-link") == ["ORDERS"]
    page = ana.get("/wizard/columns", params={"source_id": source.id, "schema": "SHOP", "table": "ORDERS"})
    assert page.texts("#columns select option") == ["as it is", "date from CYYMMDD"]
    form = page.form("form[action='/wizard/columns']")
    step3 = ana.post("/wizard/columns", form | {"cast[]": "ORDDTE=date from CYYMMDD"})
    fields = step3.form("form[action='/wizard/create']")
    assert fields["col_source_type[]"][2] == "DATE"
    assert fields["col_dest_type[]"][2] == "DATE"
    assert fields["col_comment[]"][0] == "Order number [ORDNO]"
    made = ana.post("/wizard/create", fields | {"dest_id": str(lite.id), "dest_table": "orders", "name": "orders"})
    assert made.status == 303, made.text
    query = repo.get_module_by_name(site.db, "orders").source_query
    column = TableColumn(name="ORDDTE", type="DECIMAL(7,0)")
    [cast, _] = [c for c in Db2iOnDerby().list_casts(column) if c.label.startswith("date from CYYMMDD")]
    assert f'{cast.expression} AS "ORDDTE"' in query
    assert query.endswith('FROM "SHOP"."ORDERS"')


def test_the_wizard_takes_a_query_and_makes_a_module_that_runs(
    site: Site, orders: JdbcDatabase, tmp_path: Path
) -> None:
    source = connect(site, orders)
    lite = site.add_connection("lite", f"jdbc:sqlite:{tmp_path / 'lite.db'}")
    ana = site.visit("ana")
    sql = 'select order_number, "CUST#" as cust from shop.orders with ur'
    form = {"source_id": str(source.id), "query": sql, "entry_mode": "sql"}
    page = ana.post("/wizard/sql/columns", form)
    fields = page.form("form[action='/wizard/create']")
    assert fields["col_source_type[]"] == ["INTEGER", "CHAR(8)"]
    made = ana.post("/wizard/create", fields | {"dest_id": str(lite.id), "dest_table": "orders", "name": "orders"})
    assert made.status == 303, made.text
    run = site.succeed(repo.get_module_by_name(site.db, "orders"))
    assert run.rows_inserted == 2
    assert run.resolved_sql == sql


def test_a_table_without_a_library_is_in_that_of_the_session_by_either_of_its_names(
    site: Site, orders: JdbcDatabase
) -> None:
    make_table(orders, "ORDERS_OF_THIS_YEAR", ORDERS, system_name="ORDTHSYR")
    with open_look(site.config, site.secrets, connect(site, orders)) as look:
        found = [look.driver.resolve_table(look.query, text) for text in ("orders", "ordthsyr", "new", "other.new")]
    assert [str(table) for table in found] == ["SHOP.ORDERS", "SHOP.ORDERS_OF_THIS_YEAR", "SHOP.NEW", "OTHER.NEW"]

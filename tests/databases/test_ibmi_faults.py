# What goes wrong between Pipekit and Db2 for i in the middle of a run, with jt400 and the double of its servers. No
# IBM i is here: the messages are what the double is told to send.
"""Each fault with its message, on the way out and on the way in; the dest stays as it was. See docs/db2-for-i.md."""

from pathlib import Path

import pytest

from pipekit.demo.postgres import LocalPostgres
from tests.databases.ibmi.answers import Mischief, Trouble, fail
from tests.databases.ibmi.host import Door
from tests.databases.ibmi.shop import COLUMNS, FIRST, ORDERS, Told, make_orders, open_shop, spell_orders
from tests.databases.moving import OpenSession, run
from tests.databases.tds.double import lend_double
from tests.databases.test_sqlserver_runs import OLD, teach_catalogue

pytestmark = pytest.mark.usefixtures("one_child")

# More than a block of 512 KB holds.
MANY, LATE = 9_000, 8_500
LOCKED = fail(-913, "57033", "Row or object ORDERS in SHOPLIB type *FILE in use.")
DEADLOCK = fail(-911, "40001", "Unit of work rolled back due to deadlock or timeout.")
GOVERNED = fail(-666, "57005", "SQL query exceeds specified time limit or storage limit.")
UNMAPPABLE = fail(-802, "22023", "Data conversion or data mapping error.")
# What happens, the words of the message, and whether the module's retries are for it.
FAULTS: list[tuple[str, Told, str, bool]] = [
    ("reset", Trouble(LATE, Mischief.RESET), "Communication link failure. (Connection reset)", True),
    ("end of the job", Trouble(LATE, Mischief.END), "Connection was dropped unexpectedly", True),
    ("silence", Trouble(LATE, Mischief.STALL), "Communication link failure. (Read timed out)", True),
    ("no answer", Trouble(LATE, Mischief.GARBLE), "Internal driver error. (Data stream is not known.)", False),
    ("lock", Trouble(LATE, LOCKED), "[SQL0913] Row or object ORDERS in SHOPLIB type *FILE in use.", True),
    ("deadlock", Trouble(LATE, DEADLOCK), "[SQL0911] Unit of work rolled back due to deadlock or timeout.", True),
    ("governor", GOVERNED, "[SQL0666] SQL query exceeds specified time limit or storage limit.", False),
    ("value in row 17", Trouble(16, UNMAPPABLE), "It came with the first rows of the query.", False),
    ("value in a later block", Trouble(LATE, UNMAPPABLE), "[SQL0802] Data conversion or data mapping error.", False),
]


@pytest.mark.parametrize(("name", "what", "told", "retried"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_of_the_source_is_told_as_what_it_is_and_leaves_the_dest(
    tmp_path: Path, door: Door, name: str, what: Told, told: str, retried: bool
) -> None:
    silence = ";socket timeout=1500" if name == "silence" else ""
    with open_shop(tmp_path, door, f";block size=512{silence}") as shop:
        shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, MANY))
        shop.execute("insert into orders values (7, 'KEPT', null, null, null)")
        shop.troubles["from orders"] = what
        run = shop.project.run(shop.read_out(retries=1))
        # A stalled job of the double waits for a cancel.
        shop.host.let_go()
        assert run.status == "error"
        assert told in (run.error or "")
        assert run.attempt == (2 if retried else 1)
        assert ("SYSTOOLS.VALIDATE_DATA" in (run.hint or "") or "RRN(t)" in (run.hint or "")) == name.startswith(
            "value"
        )
        assert shop.execute("select ordno, cust from orders") == [(7, "KEPT")]


def test_the_same_of_a_source_leaves_postgresql_as_it_was(
    tmp_path: Path, door: Door, postgres: LocalPostgres, database: str, open_session: OpenSession
) -> None:
    session = open_session()
    columns = "ordno int, cust text, amt numeric, changed timestamp, day date"
    run(session, f"CREATE TABLE orders ({columns})", "INSERT INTO orders (ordno, cust) VALUES (7, 'KEPT')")
    with open_shop(tmp_path, door, ";block size=512") as shop:
        shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, MANY))
        warehouse = shop.project.add_connection("warehouse", postgres.jdbc_url(database), username="postgres")
        query = f"select {COLUMNS} from orders"
        for number, what in enumerate((Trouble(LATE, Mischief.RESET), Trouble(LATE, UNMAPPABLE))):
            shop.troubles["from orders"] = what
            module = shop.project.add_module(
                f"out{number}", source=shop.ibmi, query=query, dest=warehouse, table="orders", retries=0
            )
            assert shop.project.run(module).status == "error"
            assert list(session.query("SELECT ordno, cust FROM orders").rows) == [("7", "KEPT")]


@pytest.mark.parametrize(("name", "what", "told", "retried"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_the_same_of_a_source_leaves_sql_servers_double_as_it_was(
    tmp_path: Path, door: Door, name: str, what: Told, told: str, retried: bool
) -> None:
    silence = ";socket timeout=1500" if name == "silence" else ""
    tmp_path.joinpath("tds").mkdir()
    with lend_double(tmp_path / "tds") as double, open_shop(tmp_path, door, f";block size=512{silence}") as shop:
        double.add_table("dbo.orders", [("id", "int not null"), ("name", "nvarchar(20)")], rows=OLD)
        teach_catalogue(double)
        shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, MANY))
        shop.troubles["from orders"] = what
        dest = shop.project.add_connection("dw", double.jdbc_url, username="sa")
        query = "select ordno as id, cust as name from orders"
        module = shop.project.add_module(
            "orders", source=shop.ibmi, query=query, dest=dest, table="dbo.orders", retries=0
        )
        ended = shop.project.run(module)
        shop.host.let_go()
        assert ended.status == "error"
        assert told in (ended.error or "")
        assert double.rows("dbo.orders") == OLD
        assert not [text for text in double.texts() if "[dbo].[orders]" in text and "INSERT" in text]


DEST_FAULTS: list[tuple[str, str, Told, str]] = [
    ("lock", 'DELETE FROM "SHOPLIB"."BACK"', LOCKED, "[SQL0913]"),
    ("deadlock", 'INSERT INTO "SHOPLIB"."BACK"', DEADLOCK, "[SQL0911]"),
    ("value", 'INSERT INTO "PIPEKIT"', UNMAPPABLE, "[SQL0802]"),
]


@pytest.mark.parametrize(("name", "part", "what", "told"), DEST_FAULTS, ids=[fault[0] for fault in DEST_FAULTS])
def test_a_fault_of_the_dest_is_told_as_what_it_is_and_changes_nothing(
    tmp_path: Path, door: Door, name: str, part: str, what: Told, told: str
) -> None:
    with open_shop(tmp_path, door) as shop:
        shop.tables.make(ORDERS.format("BACK"), [FIRST])
        shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(5, 10)])
        shop.troubles[part] = what
        ended = shop.project.run(shop.write_in("full", retries=0))
        assert ended.status == "error"
        assert told in (ended.error or "")
        assert shop.tables.read("SELECT ORDNO FROM BACK") == [(1,)]

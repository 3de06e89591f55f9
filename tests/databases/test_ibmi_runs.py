# Whole runs with jt400, out of the double of IBM i and into it. No IBM i is here: its tables are kept in SQLite.
"""All strategies both ways, what is refused, and connections that break in the middle of a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.engine import open_look
from tests.databases.ibmi.answers import Mischief, Rows, Trouble, fail
from tests.databases.ibmi.columns import integer
from tests.databases.ibmi.host import Door
from tests.databases.ibmi.shop import COLUMNS, FIRST, ORDERS, SECOND, Shop, make_orders, open_shop, spell_orders

# That a run has a Java of its own is for the tests of Derby's runs to say.
pytestmark = pytest.mark.usefixtures("one_child")


@pytest.fixture
def shop(tmp_path: Path, door: Door) -> Iterator[Shop]:
    with open_shop(tmp_path, door) as made:
        yield made


def test_a_full_run_brings_every_value_of_the_table(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("ORDERS"), [FIRST, SECOND, *make_orders(3, 6000)])
    run = shop.project.succeed(shop.read_out())
    assert run.rows_read == 6000
    first, second, last = shop.execute("select * from orders where ordno in (1, 2, 6000) order by 1")
    assert first == (1, "ANNA", "10.50", "2024-02-29 12:00:00.123456", "0001-01-01")
    assert second == SECOND
    assert last == (6000, "C0", "6000.25", "2024-01-01 00:00:00", "9999-12-31")


def test_every_strategy_writes_what_its_name_says(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("BACK"))
    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(1, 3000)])
    shop.project.succeed(shop.write_in("full"))
    assert _list_keys(shop) == [*range(1, 3001)]

    shop.execute("update orders set cust = 'NEW' where ordno > 2990")
    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(3001, 3005)])
    late = f"select {COLUMNS} from orders where ordno > 2990"
    run = shop.project.succeed(shop.write_in("upsert", late, merge_key=["ORDNO"]))
    assert _list_keys(shop) == [*range(1, 3006)]
    assert shop.tables.read("SELECT COUNT(*) FROM BACK WHERE CUST = 'NEW'") == [(10,)]
    assert run.rows_read == 15
    assert [sql for sql in shop.host.seen if sql.startswith("MERGE INTO")]

    shop.execute("update orders set cust = 'LAST' where ordno > 3000")
    shop.project.succeed(shop.write_in("incremental", late, merge_key=["ORDNO"]))
    assert shop.tables.read("SELECT COUNT(*) FROM BACK WHERE CUST = 'LAST'") == [(5,)]

    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(3006, 3006)])
    shop.project.succeed(shop.write_in("append", f"select {COLUMNS} from orders where ordno > 3005"))
    assert _list_keys(shop) == [*range(1, 3007)]


def test_a_key_that_is_there_already_ends_an_append_and_changes_nothing(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("BACK"), [FIRST])
    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(1, 10)])
    run = shop.project.run(shop.write_in("append"))
    assert (run.status, run.error_stage) == ("error", "merge")
    assert "SQL0803" in (run.error or "")
    assert _list_keys(shop) == [1]


def test_a_character_that_the_column_lacks_is_refused_before_the_dest_is_touched(shop: Shop) -> None:
    """jt400 itself would write a substitute, and say nothing."""
    shop.tables.make(ORDERS.format("BACK"), [FIRST])
    shop.execute("insert into orders values (7, '5 €', '1.00', null, null)")
    run = shop.project.run(shop.write_in("full"))
    assert run.status == "error"
    assert "CUST" in (run.error or "").upper()
    assert _list_keys(shop) == [1]


@pytest.mark.parametrize("mischief", [Mischief.RESET, Mischief.END])
def test_a_source_that_breaks_in_the_middle_leaves_the_dest_as_it_was(shop: Shop, mischief: Mischief) -> None:
    shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, 30_000))
    shop.execute("insert into orders values (7, 'KEPT', null, null, null)")
    shop.troubles["from orders"] = Trouble(25_000, mischief)
    run = shop.project.run(shop.read_out())
    assert run.status == "error"
    assert shop.execute("select ordno, cust from orders") == [(7, "KEPT")]


def test_a_lock_that_is_not_got_is_told_as_what_it_is(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("BACK"), [FIRST])
    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(5, 10)])
    shop.troubles['DELETE FROM "SHOPLIB"."BACK"'] = fail(-913, "57033", "Row or object BACK in SHOPLIB in use.")
    run = shop.project.run(shop.write_in("full"))
    assert run.status == "error"
    assert "in use" in (run.error or "")
    assert _list_keys(shop) == [1]


def test_the_jobs_that_serve_a_run_stand_in_its_record_and_its_log_and_know_whose_they_are(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("BACK"), [FIRST])
    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(5, 10)])
    run = shop.project.succeed(shop.write_in("full"))
    [session] = shop.project.get_run(run.id).sessions
    assert (session.name, session.writes) == ("000001/QUSER/QZDASOINIT", True)
    assert "blocks of 512 KB" in session.about
    assert f"session {session.name} writes: {session.about}\n" in shop.project.read_log(run.id)
    assert run.to_json()["sessions"] == [{"name": session.name, "about": session.about, "writes": True}]
    told = dict(
        note.split("=", 1) for note in shop.host.seen if note.startswith(("APPLNAME=", "USERID=", "PROGRAMID="))
    )
    assert told["APPLNAME"].startswith(f"pipekit:{run.id}@")
    assert (told["USERID"], told["PROGRAMID"]) == ("SHOP", "pipekit")


def test_a_run_with_watermarks_of_its_own_source_has_one_session_there(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, 20))
    marks = [
        {"connection_id": shop.ibmi.id, "name": name, "resolver_sql": f"select {sql}(ordno) from orders"}
        for name, sql in (("low", "min"), ("high", "max"))
    ]
    query = f"select {COLUMNS} from orders where ordno > {{low}} and ordno < {{high}} with ur"
    run = shop.project.succeed(shop.read_out("upsert", query, watermarks=marks, trim_char=True, merge_key=["ordno"]))
    assert run.rows_read == 18
    assert [session.writes for session in run.sessions] == [False]
    assert [text for text in shop.host.seen if text == run.resolved_sql]


def test_modules_name_the_library_of_whichever_system_they_are_run_on(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, 20))
    shop.tables.make(ORDERS.format("BACK"))
    repo.update_connection(shop.project.db, shop.ibmi.id, variables={"library": "SHOPLIB"})
    mark = {"connection_id": shop.ibmi.id, "name": "low", "resolver_sql": "select min(ordno) from {library}.orders"}
    module = shop.project.add_module(
        "between",
        source=shop.ibmi,
        query=f"select {COLUMNS} from {{library}}.orders where ordno > {{low}}",
        dest=shop.ibmi,
        table="{library}.BACK",
        watermarks=[mark],
        hooks=[{"sql": "update {library}.back set cust = 'HOOK' where ordno = 20"}],
    )
    run = shop.project.succeed(module)
    assert (run.dest_table, run.watermark_values) == ("SHOPLIB.BACK", {"low": "1"})
    assert run.resolved_sql == f"select {COLUMNS} from SHOPLIB.orders where ordno > 1"
    assert _list_keys(shop) == [*range(2, 21)]
    assert shop.tables.read("SELECT CUST FROM BACK WHERE ORDNO = 20") == [("HOOK",)]


def test_without_commitment_control_a_merge_is_refused_or_told_as_one_that_cannot_be_undone(shop: Shop) -> None:
    """The file has a journal, which is of no use then. What a dry run says a first run will say."""
    shop.tables.make(ORDERS.format("BACK"), [FIRST])
    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(5, 10)])
    url = "jdbc:as400://ibmi/SHOPLIB;transaction isolation=none"
    repo.update_connection(shop.project.db, shop.ibmi.id, jdbc_url=url)
    module = shop.write_in("full")
    refused = shop.project.run(module)
    assert (refused.status, refused.error_stage) == ("error", "check")
    assert "could not be undone: the connection has no commitment control" in (refused.error or "")
    assert _list_keys(shop) == [1]
    module = repo.update_module(shop.project.db, module.id, guards={"atomic": False})
    for run in (shop.project.run(module, dry_run=True), shop.project.succeed(module)):
        [told] = [check.detail for check in run.checks if check.name == "atomic" and check.ok is None]
        assert told.endswith("a merge that fails leaves the dest as far as it came")
    assert _list_keys(shop) == [*range(5, 11)]


def test_a_file_without_a_journal_is_refused_and_what_mends_it_is_said(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("BACK"), [FIRST])
    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(5, 10)])
    shop.troubles["QSYS2.JOURNALED_OBJECTS"] = Rows([integer("N")], [(0,)])
    module = shop.write_in("full")
    told = shop.project.run(module).error or ""
    assert "SHOPLIB/BACK is not journaled" in told
    assert "only over `transaction isolation=none`" in told
    shop.troubles['DELETE FROM "SHOPLIB"."BACK"'] = fail(-7008, "55019", "BACK in SHOPLIB not valid for operation.")
    run = shop.project.run(repo.update_module(shop.project.db, module.id, guards={"atomic": False}))
    assert run.status == "error"
    assert "STRJRNPF gives it one" in (run.hint or "")
    assert _list_keys(shop) == [1]


def test_a_slash_between_library_and_table_is_refused_by_the_system_and_the_mend_is_said(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, 3))
    run = shop.project.run(shop.read_out(query=f"select {COLUMNS} from shoplib/orders"))
    assert "[SQL5016]" in (run.error or "")
    assert "Write LIBRARY.TABLE" in (run.hint or "")


def test_the_system_is_told_how_long_a_query_may_take_and_the_error_says_whose_limit_it_was(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("ORDERS"), make_orders(1, 3))
    module = shop.read_out("full", "select ordno from orders", query_timeout_s=1)
    shop.project.succeed(module)
    assert "TIMEOUT=1" in shop.host.seen
    shop.troubles["from orders"] = Rows([integer("ORDNO")], [(1,)], delay_s=3)
    run = shop.project.run(module)
    assert "[SQL0666]" in (run.error or "")
    assert "The limit is 1 s, by the module's `timeouts: {query_s}`." in (run.error or "")
    back = shop.write_in("full", query_timeout_s=1)
    refused = shop.project.run(back)
    assert (refused.status, refused.error_stage) == ("error", "plan")
    assert "SQLite is not told how long a query may take" in (refused.error or "")


PEOPLE = (
    "CREATE TABLE PEOPLE (ID INTEGER NOT NULL, NAME CHAR(8) FOR BIT DATA, CITY VARCHAR(20) FOR BIT DATA,"
    " RAW CHAR(2) FOR BIT DATA, PRIMARY KEY (ID))"
)


@pytest.mark.parametrize(("trims", "name"), [(False, "Müller  "), (True, "Müller")])
def test_columns_of_one_table_are_read_in_the_code_page_of_each(shop: Shop, trims: bool, name: str) -> None:
    """The same bytes mean other letters in another country; what nobody named stays bytes."""
    shop.tables.make(
        PEOPLE, [(1, "Müller  ".encode("cp273"), "Zürich [8]".encode("cp500"), b"\xc1\x00"), (2, *[None] * 3)]
    )
    module = shop.project.add_module(
        "people",
        source=shop.ibmi,
        query="select * from people",
        dest=shop.lite,
        table="people",
        create_table=True,
        translate={"NAME": 273, "CITY": "500"},
        trim_char=trims,
    )
    assert module.translate == "NAME = 273, CITY = 500"
    shop.project.succeed(module)
    assert shop.execute("select * from people") == [(1, name, "Zürich [8]", b"\xc1\x00"), (2, None, None, None)]


@pytest.mark.parametrize(
    ("translate", "told"),
    [
        ("NAME = 875", "byte 2, X'DC', has no character"),
        ("NAME = 1200", "CCSID 1200 is no code page of one byte a character"),
        ("NAME = 4", "jt400 knows no CCSID 4"),
        ("ID = 37", "'ID', which is INTEGER and not text as bytes"),
        ("NAMES = 37", "'NAMES', which is no column of the query"),
    ],
)
def test_what_a_code_page_cannot_say_is_refused_and_the_dest_stays(shop: Shop, translate: str, told: str) -> None:
    shop.tables.make(PEOPLE, [(1, b"\xc1\x40", None, None), (2, b"\xc1\xdc", None, None)])
    shop.execute("create table people (id integer primary key, name text, city blob, raw blob)")
    shop.execute("insert into people values (7, 'KEPT', null, null)")
    run = shop.project.run(
        shop.project.add_module(
            "people",
            source=shop.ibmi,
            query="select * from people",
            dest=shop.lite,
            table="people",
            translate=translate,
        )
    )
    assert run.status == "error"
    assert told in (run.error or "")
    assert shop.execute("select id, name from people") == [(7, "KEPT")]


def test_the_wizard_sees_libraries_tables_and_columns(shop: Shop) -> None:
    shop.tables.make(ORDERS.format("ORDERS"))
    with open_look(shop.project.config, shop.project.secrets, shop.ibmi) as look:
        assert look.driver.list_schemas(look.query) == ["SHOPLIB"]
        assert [table.name for table in look.driver.list_tables(look.query, "SHOPLIB")] == ["ORDERS"]
        columns = look.driver.get_columns(look.query, look.driver.parse_table("SHOPLIB.ORDERS"))
    assert [(column.name, column.type, column.in_key) for column in columns][:3] == [
        ("ORDNO", "INTEGER", True),
        ("CUST", "VARCHAR(8) CCSID 37", False),
        ("AMT", "DECIMAL(11,2)", False),
    ]


def _list_keys(shop: Shop) -> list[Any]:
    return [row[0] for row in shop.tables.read("SELECT ORDNO FROM BACK ORDER BY ORDNO")]

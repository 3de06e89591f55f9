# `pipekit jrunner` as scripts of an IBM i call it, with jt400 on the double. No IBM i is here.
"""Rows printed, loaded out of the double and into it, by jrunner's own flags."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases.ibmi.host import Door
from tests.databases.ibmi.shop import FIRST, ORDERS, SECOND, Shop, open_shop, spell_orders

pytestmark = pytest.mark.usefixtures("one_child")


@pytest.fixture
def shop(tmp_path: Path, door: Door) -> Iterator[Shop]:
    with open_shop(tmp_path, door) as made:
        (made.project.home / "config.yaml").write_text(json.dumps({"java_options": door.java_options}))
        made.tables.make(ORDERS.format("ORDERS"), [FIRST, SECOND])
        (tmp_path / "pull.sql").write_text("select * from orders order by ordno;\n", "utf-8")
        yield made


def jrunner(shop: Shop, *words: str) -> str:
    folder = shop.file.parent
    done = shop.project.cli("jrunner", *words, "-sq", str(folder / "pull.sql"))
    assert done.code == 0, done.stderr
    return done.stdout


IBMI = ("jdbc:as400://ibmi/SHOPLIB;naming=sql;block size=512", "SHOP", "anything")


def test_the_rows_of_a_query_are_printed_and_nothing_else(shop: Shop) -> None:
    url, user, password = IBMI
    printed = jrunner(shop, "-scu", url, "-scn", user, "-scp", password)
    assert printed.splitlines() == [
        "ORDNO,CUST,AMT,CHANGED,DAY",
        "1,ANNA,10.50,2024-02-29 12:00:00.123456,0001-01-01",
        "2,,,,",
    ]


def test_a_table_is_loaded_out_of_the_system_and_into_it_by_position(shop: Shop) -> None:
    url, user, password = IBMI
    lite = f"jdbc:sqlite:{shop.file}"
    moved = jrunner(shop, "-scu", url, "-scn", user, "-scp", password, "-dcu", lite, "-dt", "orders", "-c", "-b")
    assert "2 rows" in moved.splitlines()
    assert shop.execute("select ordno, amt from orders order by 1") == [(1, "10.50"), (2, None)]

    shop.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(3, 2000)])
    shop.tables.make(ORDERS.format("BACK"), [(77, "GONE", None, None, None)])
    back = jrunner(shop, "-scu", lite, "-dcu", url, "-dcn", user, "-dcp", password, "-dt", "BACK", "-c")
    assert "2000 rows" in back.splitlines()
    assert shop.tables.read("SELECT COUNT(*), MIN(ORDNO), MAX(ORDNO) FROM BACK") == [(2000, 1, 2000)]


def test_a_load_that_fails_leaves_the_table_as_it_was(shop: Shop) -> None:
    url, user, password = IBMI
    with sqlite3.connect(shop.file) as lite:
        lite.execute("insert into orders values (1, '5 €', null, null, null)")
    shop.tables.make(ORDERS.format("BACK"), [(77, "KEPT", None, None, None)])
    words = ("-scu", f"jdbc:sqlite:{shop.file}", "-dcu", url, "-dcn", user, "-dcp", password, "-dt", "BACK", "-c")
    done = shop.project.cli("jrunner", *words, "-sq", str(shop.file.parent / "pull.sql"))
    assert done.code == 1
    assert "CUST" in done.stderr.upper()
    assert shop.tables.read("SELECT ORDNO FROM BACK") == [(77,)]

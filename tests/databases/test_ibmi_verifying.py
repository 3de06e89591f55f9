# What is seen before a run and proved after it, with jt400 on the double of IBM i. Its tables are kept in SQLite.
"""`verify`, previews, `deletes`, `expect` and drift with a dest on Db2 for i."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.engine import open_look
from pipekit.models import Run, Verify
from pipekit.runner_contract import Statement
from tests.databases.ibmi.host import Door
from tests.databases.ibmi.shop import COLUMNS, ORDERS, Shop, make_orders, open_shop, spell_orders

pytestmark = pytest.mark.usefixtures("one_child")

PLANTED = (
    "UPDATE BACK SET CUST = 'C2 ' WHERE ORDNO = 2",
    "UPDATE BACK SET AMT = AMT + 0.01 WHERE ORDNO = 3",
    "UPDATE BACK SET CUST = NULL WHERE ORDNO = 4",
    "DELETE FROM BACK WHERE ORDNO = 5",
)
EXTRA = "INSERT INTO BACK (ORDNO, CUST) VALUES (99, 'NEW')"


@pytest.fixture
def shop(tmp_path: Path, door: Door) -> Iterator[Shop]:
    with open_shop(tmp_path, door) as made:
        made.tables.make(ORDERS.format("BACK"), make_orders(1, 8))
        made.execute("insert into orders values (?, ?, ?, ?, ?)", [*spell_orders(1, 8)])
        yield made


def change(shop: Shop, *statements: str) -> None:
    with open_look(shop.project.config, shop.project.secrets, shop.ibmi, read_only=False) as look:
        look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])


def verify(shop: Shop, module: Any, **asked: Any) -> Run:
    return shop.project.run(module, verify=Verify(**asked))


@pytest.mark.parametrize(("strategy", "extra"), [("full", 1), ("upsert", 0), ("incremental", 0), ("append", 0)])
def test_planted_differences_are_found_on_the_double_and_mended(shop: Shop, strategy: str, extra: int) -> None:
    module = shop.write_in(strategy, merge_key=["ORDNO"] if strategy in ("upsert", "incremental") else [])
    run = verify(shop, module)
    assert (run.status, run.verify and run.verify["rows_dest"]) == ("success", 8), run.error
    change(shop, *PLANTED, EXTRA)
    run = verify(shop, module)
    assert run.verify is not None, run.error
    assert "missing" in run.verify, run.error
    told = tuple(run.verify[name] for name in ("missing", "extra", "extra_kept", "differing"))
    assert told == (1, 1, 1 - extra, 3)
    assert {item["key"]["ORDNO"] for item in run.verify["examples"]} == {"2", "3", "4", "5"} | (
        {"99"} if extra else set()
    )
    mended = verify(shop, module, repair=True)
    assert (mended.status, mended.merge_state) == ("success", "merged"), mended.error
    assert shop.tables.read("SELECT COUNT(*) FROM BACK") == [(9 - extra,)]


@pytest.mark.parametrize("deletes", ["hard", "mark"])
def test_rows_that_are_gone_go_from_the_double_and_a_verify_sees_those_that_have_not(shop: Shop, deletes: str) -> None:
    shop.tables.make(
        "CREATE TABLE KEPT (ORDNO INTEGER NOT NULL, CUST VARCHAR(20), GONE TIMESTAMP, PRIMARY KEY (ORDNO))"
    )
    more = {"deletes_column": "GONE"} if deletes == "mark" else {}
    module = shop.project.add_module(
        "kept", source=shop.lite, query="select ordno, cust from orders", dest=shop.ibmi, table="KEPT",
        merge_strategy="upsert", merge_key=["ORDNO"], deletes=deletes, **more,
    )  # fmt: skip
    shop.project.succeed(module)
    shop.execute("delete from orders where ordno in (2, 3)")
    run = verify(shop, module)
    assert run.verify is not None, run.error
    assert "missing" in run.verify, run.error
    assert (run.status, run.verify["extra"], run.verify["extra_kept"]) == ("error", 2, 0)
    preview = shop.project.run(module, preview=True)
    assert preview.status == "dry_run", preview.error
    run = shop.project.succeed(module)
    assert (run.rows_deleted, run.rows_marked) == ((2, None) if deletes == "hard" else (0, 2))
    assert verify(shop, module).status == "success"


def test_what_is_expected_of_rows_is_asked_of_staging_on_the_double(shop: Shop) -> None:
    shop.execute("update orders set cust = 'C1' where ordno = 2")
    module = shop.write_in("full", expect_unique="cust")
    run = shop.project.run(module)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "check", "none")
    assert "CUST" in (run.error or "").upper()


def test_a_column_that_is_new_in_the_source_is_told_and_the_statement_for_db2_shown(shop: Shop) -> None:
    shop.execute("alter table orders add column note text")
    run = shop.project.run(shop.write_in("full", f"select {COLUMNS}, note from orders", drift="stop"))
    assert (run.status, run.merge_state) == ("error", "none")
    assert "note" in f"{run.error} {run.hint}".lower()

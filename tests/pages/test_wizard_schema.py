# Many tables of a schema at once, by its forms as a browser without scripts sends them. Starts no server.
"""`/wizard/schema`: choosing, one line for each table, all of it or nothing."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from pipekit import repo
from tests.pages.shop import ask_dest
from tests.pages.site import Page, Site, Visitor

TABLES = """
create table customers (id integer primary key, name text not null, updated_at timestamp);
create table "Order Lines" (order_no integer, line integer, note text, primary key (order_no, line));
create table log (said text);
insert into customers values (1, 'a', '2026-01-01 10:00:00'), (2, 'b', '2026-01-02 10:00:00');
insert into "Order Lines" values (1, 1, 'x');
insert into log values ('x'), ('y');
create view cheap as select 1 as one;
"""
PLAN = "#plan"
COLUMNS = ("t_name[]", "t_dest_table[]", "t_strategy[]", "t_key[]", "t_watermark[]")


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with four things to read from and an empty `dw` to write to."""
    with closing(sqlite3.connect(site.config.base_dir / "shop.db")) as db:
        db.executescript(TABLES)
    site.make_pair()
    ask_dest(site, "create table other (x)")
    return site


def choose(site: Site, ana: Visitor, *tables: str) -> Page:
    """The lines of some tables, all of them by default."""
    source = str(repo.get_connection_by_name(site.db, "shop").id)
    page = ana.get("/wizard/schema", params={"source_id": source, "schema": "main"})
    boxes = [node.attributes["value"] for node in page.all("input[name='pick[]']")]
    assert boxes == ["Order Lines", "cheap", "customers", "log"]
    sent = {"source_id": source, "schema": "main", "pick[]": list(tables) or boxes}
    return ana.post("/wizard/schema/plan", sent)


def get_lines(form: dict[str, Any]) -> list[tuple[str, ...]]:
    return list(zip(*(form[name] for name in COLUMNS), strict=True))


def set_cell(form: dict[str, Any], name: str, place: int, value: str) -> dict[str, Any]:
    cells = list(form[name])
    cells[place] = value
    return form | {name: cells}


def test_what_is_ticked_is_proposed_for_each_table_and_ends_in_a_group_with_a_schedule(
    shop: Site, ana: Visitor
) -> None:
    page = choose(shop, ana)
    form = page.form(PLAN)
    assert get_lines(form) == [
        ("order_lines", "order_lines", "full", "order_no, line", ""),
        ("cheap", "cheap", "full", "", ""),
        ("customers", "customers", "upsert", "id", "updated_at"),
        ("log", "log", "full", "", ""),
    ]
    assert (form["group"], form["cron"]) == ("shop nightly", "0 4 * * *")
    done = ana.post("/wizard/schema/create", form)
    assert done.status == 303, done.texts(".field-problem")
    [group] = repo.list_groups(shop.db)
    assert done.answer.headers["location"] == f"/groups/{group.id}"
    assert [item.cron for item in repo.list_schedules(shop.db, group.id)] == ["0 4 * * *"]
    modules = {item.name: item for item in repo.list_modules(shop.db)}
    members = [member.module_id for member in repo.list_members(shop.db, group.id)]
    assert sorted(members) == sorted(item.id for item in modules.values())
    assert {name: shop.succeed(item).rows_inserted for name, item in modules.items()} == {
        "cheap": 1,
        "customers": 2,
        "log": 2,
        "order_lines": 1,
    }
    customers = modules["customers"]
    assert customers.source_query.endswith("WHERE \"updated_at\" >= '{since}'")
    [mark] = repo.list_watermarks(shop.db, customers.id)
    assert (mark.name, mark.resolver_sql) == ("since", 'SELECT max("updated_at") FROM "customers"')
    assert shop.succeed(customers).rows_read == 1
    keys = ask_dest(shop, "select name, \"notnull\", pk from pragma_table_info('order_lines') order by pk")
    assert [name for name, _, pk in keys if pk] == ["order_no", "line"]
    made = {entry.name for entry in repo.list_audit(shop.db) if entry.kind == "table"}
    assert made == {f"dw: {name}" for name in modules}


def test_every_fault_stands_at_its_line_and_nothing_is_made(shop: Site, ana: Visitor) -> None:
    ask_dest(shop, "create table cheap (two integer not null)")
    shop.make_module("log")
    before = [item.name for item in repo.list_modules(shop.db)]
    form = choose(shop, ana).form(PLAN)
    assert [line[0] for line in get_lines(form)] == ["order_lines", "cheap", "customers", "main_log"]
    form = set_cell(form, "t_key[]", 0, "order_no, nr") | {"t_strategy[]": ["upsert", "full", "full", "upsert"]}
    form = set_cell(set_cell(form, "t_name[]", 1, "customers"), "t_name[]", 3, "log")
    page = ana.post("/wizard/schema/create", form)
    told = page.texts(".field-problem")
    assert page.status == 422
    for words in ("no column nr", "Another line has this name", "reads everything", "needs a merge key"):
        assert any(words in text for text in told), (words, told)
    assert "There is a module named 'log' already." in told
    form = page.form(PLAN) | {"t_strategy[]": ["full"] * 4, "t_name[]": ["a", "b", "c", "d"], "t_key[]": [""] * 4}
    page = ana.post("/wizard/schema/create", form | {"t_watermark[]": [""] * 4, "cron": "0 25 * * *"})
    [unfit] = page.texts(".field-problem")
    assert "two" in unfit
    form = page.form(PLAN) | {"cron": "0 25 * * *"}
    page = ana.post("/wizard/schema/create", set_cell(form, "t_dest_table[]", 1, "cheaper"))
    assert page.has("#p-cron")
    assert [item.name for item in repo.list_modules(shop.db)] == before
    assert repo.list_groups(shop.db) == []
    assert ask_dest(shop, "select name from sqlite_master where type = 'table' order by 1") == [("cheap",), ("other",)]


def test_a_dest_that_is_there_is_taken_and_no_group_is_made_without_a_name(shop: Site, ana: Visitor) -> None:
    ask_dest(shop, "create table log (said text)")
    form = choose(shop, ana, "log", "customers").form(PLAN) | {"group": ""}
    assert ana.post("/wizard/schema/create", form).answer.headers["location"] == "/modules"
    assert repo.list_groups(shop.db) == []
    assert {entry.name for entry in repo.list_audit(shop.db) if entry.kind == "table"} == {"dw: customers"}


def test_what_a_strategy_means_without_a_watermark_is_said_and_nothing_ticked_is_told(shop: Site, ana: Visitor) -> None:
    form = choose(shop, ana, "customers", "log").form(PLAN) | {"t_strategy[]": ["incremental", "append"]}
    page = ana.post("/wizard/schema/plan", form | {"t_watermark[]": ["", ""]})
    first, second = page.texts("td:last-child .help")
    assert "incremental reads every row" in first
    assert "append adds every row" in second
    sent = {"source_id": form["source_id"], "schema": "main"}
    page = ana.post("/wizard/schema/plan", sent)
    assert (page.status, "Tick at least one table" in page.text) == (422, True)
    page = ana.post("/wizard/schema/plan", sent | {"pick[]": ["gone"]})
    assert "no table gone" in page.text
    found = ana.get("/wizard/schema", params=sent | {"filter": "CUST"})
    assert found.texts("#tables label") == ["customers"]


def test_only_admins_make_many(shop: Site, otto: Visitor) -> None:
    assert otto.get("/wizard/schema").status == 403
    for act in ("plan", "create"):
        assert otto.post(f"/wizard/schema/{act}").status == 403

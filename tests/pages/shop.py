# A shop to read from and the way through the wizard, for the wizard's tests. Asserts nothing of a page.
"""`make_shop`, `browse`, `write_sql`, `ask_dest`."""

import sqlite3
from contextlib import closing
from typing import Any

from pipekit import repo
from tests.pages.site import Page, Site, Visitor

SHOP = """
create table "Order Lines" ("Line No" integer primary key, "Order No" integer not null, price decimal(10,2), note text);
insert into "Order Lines" values (1, 10, 2.5, 'first'), (2, 10, 3, null);
create view cheap as select "Line No" from "Order Lines" where price < 3;
"""
STEP3 = "#step3"


def make_shop(site: Site) -> None:
    """`shop` with rows, and an empty `dw`."""
    with closing(sqlite3.connect(site.config.base_dir / "shop.db")) as db:
        db.executescript(SHOP)
    site.make_pair()


def source_id(site: Site) -> str:
    return str(repo.get_connection_by_name(site.db, "shop").id)


def ask_dest(site: Site, sql: str) -> list[Any]:
    return _ask(site, "dw.db", sql)


def ask_shop(site: Site, sql: str) -> list[Any]:
    return _ask(site, "shop.db", sql)


def _ask(site: Site, name: str, sql: str) -> list[Any]:
    with closing(sqlite3.connect(site.config.base_dir / name)) as db:
        return db.execute(sql).fetchall()


def browse(site: Site, ana: Visitor, table: str = "Order Lines") -> Page:
    """Step 3 of a browsed table."""
    page = ana.get("/wizard/columns", params={"source_id": source_id(site), "schema": "main", "table": table})
    return ana.post("/wizard/columns", page.form("form[action='/wizard/columns']"))


def write_sql(site: Site, ana: Visitor, query: str, **more: Any) -> Page:
    """What comes of a query: step 3, or the page with the error."""
    page = ana.get("/wizard/sql")
    form = page.form("form[action='/wizard/sql/columns']")
    return ana.post("/wizard/sql/columns", {**form, "source_id": source_id(site), "query": query, **more})

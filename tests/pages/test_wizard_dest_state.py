# What step 3 says of the dest before anything is made. Real SQLite files.
"""`/wizard/dest/state`, and the dest that is offered first."""

import sqlite3
from contextlib import ExitStack, closing
from typing import Any

import pytest

from pipekit import repo
from pipekit.engine.looking import looks
from tests.pages.shop import STEP3, browse, make_shop, source_id
from tests.pages.site import Page, Site, Visitor


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with a shop to read from and an empty `dw` to write to."""
    make_shop(site)
    return site


def ask(ana: Visitor, form: dict[str, Any], **changes: Any) -> Page:
    return ana.post("/wizard/dest/state", {**form, **changes}, headers={"HX-Request": "true"})


def make_table(shop: Site, ddl: str) -> None:
    with closing(sqlite3.connect(shop.config.base_dir / "dw.db")) as db:
        db.execute(ddl)


def test_a_table_that_is_missing_is_made(shop: Site, ana: Visitor) -> None:
    make_table(shop, "create table other (a)")
    form = browse(shop, ana).form(STEP3)
    page = ask(ana, form)
    assert page.one("[data-dest-is]").attributes["data-dest-is"] == "new"
    assert page.texts("[data-dest-is]") == ["order_lines is not in dw yet: it is made."]
    assert not ask(ana, form, dest_table="").has("[data-dest-is]")


def test_a_table_that_fits_is_taken_as_it_is(shop: Site, ana: Visitor) -> None:
    make_table(
        shop, "create table order_lines (note text, line_no integer, order_no integer, price numeric, more text)"
    )
    page = ask(ana, browse(shop, ana).form(STEP3), name="", merge_strategy="upsert")
    told = page.one("[data-dest-is]")
    assert (told.attributes["data-dest-is"], told.attributes["data-dest-name"]) == ("taken", "order_lines")
    assert "already, with 5 columns" in told.text()


def test_a_table_that_does_not_fit_says_which_column(shop: Site, ana: Visitor) -> None:
    make_table(shop, "create table order_lines (line_no integer, order_no integer, price numeric)")
    page = ask(ana, browse(shop, ana).form(STEP3))
    assert page.one("[data-dest-is]").attributes["data-dest-is"] == "misfit"
    assert "note" in page.text


def test_a_file_that_is_missing_is_made_too_and_a_database_that_is_down_is_told(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3)
    assert "the file of dw with it" in ask(ana, form).text
    down = repo.create_connection(
        shop.db, name="down", driver="postgresql", jdbc_url="jdbc:postgresql://127.0.0.1:1/x", username="me"
    )
    page = ask(ana, ana.post("/wizard/dest", {**form, "dest_id": str(down.id)}).form(STEP3))
    assert page.one("[data-dest-is]").attributes["data-dest-is"] == "unknown"
    assert "down cannot be asked" in page.text
    assert "Nobody answers there" in page.text


def test_where_too_many_look_already_nothing_is_said_of_the_table(
    shop: Site, ana: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = browse(shop, ana).form(STEP3)
    monkeypatch.setattr(looks, "WAIT_FOR_PLACE_S", 0.1)
    context, dw = shop.app.state.context, repo.get_connection_by_name(shop.db, "dw")
    with ExitStack() as under_way:
        for _ in range(looks.MOST_AT_ONCE):
            under_way.enter_context(context.looks.open(dw))
        page = ask(ana, form)
        tables = ana.get("/wizard/tables", params={"source_id": source_id(shop)})
    assert page.one("[data-dest-is]").attributes["data-dest-is"] == "unknown"
    assert "8 looks into databases are under way" in page.text
    assert "8 looks into databases are under way" in tables.text


def test_a_file_that_is_no_database_is_not_taken_for_one_that_is_missing(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3)
    (shop.config.base_dir / "dw.db").write_text("no database\n" * 100)
    page = ask(ana, form)
    assert page.one("[data-dest-is]").attributes["data-dest-is"] == "unknown"
    assert "not an SQLite database" in page.text


def test_the_dest_that_is_offered_first_is_where_the_sources_newest_module_goes(shop: Site, ana: Visitor) -> None:
    shop.add_connection("attic", "jdbc:sqlite:attic.db")
    later = shop.add_connection("warehouse", "jdbc:sqlite:warehouse.db")
    assert browse(shop, ana).one("#f-dest_id option[selected]").text() == "attic"
    source = repo.get_connection_by_name(shop.db, "shop")
    shop.add_module("m", source=source, query="select 1 as a", dest=later, table="m")
    assert browse(shop, ana).one("#f-dest_id option[selected]").text() == "warehouse"

# Trying a watermark in a form: its value, and the query with it, before anything is kept.
"""`POST /watermarks/try`."""

from typing import Any

import pytest

from pipekit import repo
from tests.pages.shop import make_shop
from tests.pages.site import Page, Site, Visitor


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with a shop to read from and an empty `dw` to write to."""
    make_shop(site)
    return site


def try_out(site: Site, visitor: Visitor, sql: str, **more: Any) -> Page:
    row = {
        "wm_id[]": "",
        "wm_name[]": "last",
        "wm_connection_id[]": str(repo.get_connection_by_name(site.db, "shop").id),
        "wm_resolver_sql[]": sql,
        "wm_default_value[]": "",
        "query": 'select * from "Order Lines" where "Line No" > {last} and x < {other}',
    }
    return visitor.post("/watermarks/try", row | more, headers={"HX-Request": "true"})


def test_it_shows_the_value_and_the_query_with_it(shop: Site, ana: Visitor) -> None:
    page = try_out(shop, ana, 'select max("Line No") from "Order Lines"')
    assert page.one(".notice code").text() == "2"
    assert page.one("pre.sql").text() == 'select * from "Order Lines" where "Line No" > 2 and x < {other}'
    assert repo.list_audit(shop.db) == []


def test_without_a_value_it_says_what_a_run_would_do(shop: Site, ana: Visitor) -> None:
    none = 'select max("Line No") from "Order Lines" where 1 = 0'
    assert "a run would stop here" in try_out(shop, ana, none).text
    page = try_out(shop, ana, none, **{"wm_default_value[]": "0"})
    assert "gives no value now, so 0 is used" in page.text
    assert "> 0 and x" in page.one("pre.sql").text()


def test_an_error_is_told_with_its_place_and_what_is_missing_by_name(shop: Site, ana: Visitor) -> None:
    page = try_out(shop, ana, 'select max("Line No")\nfrom nowhere')
    assert (page.status, page.one("pre.where").attributes["data-fault"]) == (200, "28")
    assert "Write the SQL" in try_out(shop, ana, " ").text
    assert "Choose the connection" in try_out(shop, ana, "select 1", **{"wm_connection_id[]": ""}).text


def test_it_reads_and_never_writes(shop: Site, ana: Visitor) -> None:
    assert try_out(shop, ana, 'delete from "Order Lines" returning 1').has(".problem")
    assert try_out(shop, ana, 'select count(*) from "Order Lines"').one(".notice code").text() == "2"


def test_running_sql_means_admin(shop: Site, otto: Visitor, vera: Visitor) -> None:
    for visitor in (otto, vera):
        assert try_out(shop, visitor, "select 1").status == 403


@pytest.mark.parametrize("path", ["/modules/new", "/wizard/sql"])
def test_every_row_of_a_form_has_a_button_for_scripts(shop: Site, ana: Visitor, path: str) -> None:
    page = ana.get(path)
    if path == "/wizard/sql":
        form = page.form("main form") | {"source_id": "1", "query": "select 1 as a"}
        page = ana.post("/wizard/sql/columns", form)
    buttons = page.all("fieldset.row button[data-try]")
    assert buttons
    assert all("hidden" in button.attributes and button.attributes["type"] == "button" for button in buttons)

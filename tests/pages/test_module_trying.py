# Trying a module's form before it is saved: columns, first rows, warnings, and a dry run with the save.
"""`POST /modules/look`, what saving warns of, *Save and dry run*."""

from typing import Any

import pytest

from pipekit import repo
from pipekit.models import Module
from tests.pages.shop import ask_dest, make_shop
from tests.pages.site import Page, Site, Visitor

FORM = "form.module-form"
QUERY = 'select "Line No" as line, note from "Order Lines" where "Line No" > {last}'
MARK = {"wm_name[]": "last", "wm_resolver_sql[]": "select max(line) from lines", "wm_default_value[]": "1"}


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with a shop to read from and an empty `dw` to write to."""
    make_shop(site)
    ask_dest(site, "create table other (x)")
    return site


def fill(site: Site, ana: Visitor, **changes: Any) -> dict[str, Any]:
    """The form of a module that can be kept as it is."""
    ids = {name: str(repo.get_connection_by_name(site.db, name).id) for name in ("shop", "dw")}
    given = {"name": "lines", "source_id": ids["shop"], "source_query": QUERY, "dest_id": ids["dw"]}
    given |= {"dest_table": "lines", "merge_strategy": "upsert", "merge_key": "line", "wm_connection_id[]": ids["dw"]}
    return {**ana.get("/modules/new").form(FORM), **given, **MARK, **changes}


def look(ana: Visitor, form: dict[str, Any], part: str = "columns") -> Page:
    return ana.post("/modules/look", form | {"part": part}, headers={"HX-Request": "true"})


def get_saved(page: Page, site: Site) -> Module:
    assert page.status == 303, page.text
    return repo.get_module_by_name(site.db, "lines")


def test_columns_and_first_rows_are_shown_with_the_values_a_run_would_use(shop: Site, ana: Visitor) -> None:
    form = fill(shop, ana)
    assert look(ana, form).texts("td:first-child") == ["line", "note"]
    assert look(ana, form, "rows").texts("td") == ["2", "NULL"]
    none = form | {"wm_default_value[]": ""}
    assert look(ana, none).texts("td:first-child") == ["line", "note"]
    assert "no value for {last} now" in look(ana, none, "rows").one(".problem").text()
    fault = look(ana, form | {"source_query": QUERY.replace("note", "nota")})
    assert fault.one("pre.where").attributes["data-fault"] == "27"
    assert "does not use last" in look(ana, form | {"source_query": "select 1 as a"}).one(".notice.warn").text()
    whole = ana.post("/modules/look", form | {"part": "columns"})
    assert (whole.texts("#looked td:first-child"), whole.form(FORM)["name"]) == (["line", "note"], "lines")
    assert repo.list_modules(shop.db) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source_query": QUERY.replace("note", "nota")}, "no such column: nota"),
        ({"source_query": QUERY.replace("Order Lines", "Orders")}, "no such table"),
        ({"source_query": QUERY.replace("{last}", "{lst}")}, "{lst}, and no watermark of that name"),
        ({"merge_key": "line, nr"}, "The merge key has nr, which is no column of the query."),
        ({"col_source_name[]": "lin", "col_dest_name[]": "no"}, "gives no column lin"),
        ({"create_table": "0"}, "There is no table lines, and the module does not make it."),
        ({"dest_table": "narrow"}, "note"),
    ],
)
def test_what_a_run_would_stumble_over_is_told_before_anything_is_saved(
    shop: Site, ana: Visitor, changes: dict[str, str], words: str
) -> None:
    ask_dest(shop, "create table narrow (line integer primary key)")
    form = fill(shop, ana, **changes)
    warned = ana.post("/modules", form)
    assert warned.status == 422
    assert words in warned.one("div[role=alert]").text()
    assert repo.list_modules(shop.db) == []
    again = ana.post("/modules", form | {"told": warned.form(FORM)["told"]})
    assert "Saved." in ana.get(again.answer.headers["location"]).one(".notice.good").text()
    assert get_saved(again, shop).dest_table == form["dest_table"]


def test_a_form_that_fits_is_saved_at_once_and_only_what_changed_is_asked_again(shop: Site, ana: Visitor) -> None:
    page = ana.post("/modules", fill(shop, ana))
    module = get_saved(page, shop)
    assert page.answer.headers["location"] == f"/modules/{module.id}?saved=1"
    repo.update_module(shop.db, module.id, source_query=QUERY.replace("note", "nota"))
    form = ana.get(f"/modules/{module.id}/edit").form(FORM)
    assert ana.post(f"/modules/{module.id}", form | {"notes": "kept"}).status == 303
    assert ana.post(f"/modules/{module.id}", form | {"merge_strategy": "full"}).status == 422


def test_saving_begins_a_dry_run_when_it_is_asked_to(shop: Site, ana: Visitor) -> None:
    page = ana.post("/modules", fill(shop, ana, then="dry_run"))
    module = get_saved(page, shop)
    [run] = repo.list_runs(shop.db, module=module.id)
    assert (page.answer.headers["location"], run.dry_run, run.triggered_by) == (f"/runs/{run.id}", True, "user:ana")
    form = ana.get(f"/modules/{module.id}/edit").form(FORM)
    busy = ana.post(f"/modules/{module.id}", form | {"then": "dry_run"})
    assert "no dry run was begun" in ana.get(busy.answer.headers["location"]).one(".notice.good").text()


def test_looking_means_admin(shop: Site, otto: Visitor, vera: Visitor) -> None:
    for visitor in (otto, vera):
        assert visitor.post("/modules/look", {"source_query": "select 1"}).status == 403

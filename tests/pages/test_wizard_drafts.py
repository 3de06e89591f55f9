# What somebody typed into the wizard is there again: after a closed tab, another login, the way back.
"""Drafts: `/wizard/draft`, `/wizard/drafts/{key}`, the list on the wizard's first page, discarding."""

from typing import Any

import pytest

from pipekit import repo
from tests.pages.shop import STEP3, browse, make_shop, source_id, write_sql
from tests.pages.site import Page, Site, Visitor


@pytest.fixture
def shop(site: Site) -> Site:
    """A site with a shop to read from and an empty `dw` to write to."""
    make_shop(site)
    return site


def only_draft(ana: Visitor) -> str:
    """The address of the only draft there is."""
    return ana.get("/wizard").one("#drafts a.row-link").attributes["href"] or ""


def typed(page: Page, **more: Any) -> dict[str, Any]:
    names = ["one", "two", "three", "four"]
    return page.form(STEP3) | {"name": "mine", "dest_table": "my_lines", "col_dest_name[]": names, **more}


def test_nothing_is_kept_before_anything_was_chosen(shop: Site, ana: Visitor) -> None:
    for path in ("/wizard", "/wizard/tables", "/wizard/sql"):
        assert ana.get(path).status == 200
    assert not ana.get("/wizard").has("#drafts")
    assert ana.post("/wizard/draft", ana.get("/wizard/sql").form("main form")).text == ""
    assert repo.list_drafts(shop.db, 1) == []


def test_what_is_typed_is_kept_while_it_is_typed_and_found_after_another_login(shop: Site, ana: Visitor) -> None:
    form = typed(browse(shop, ana), **{"merge_strategy": "upsert", "key[]": "c2", "not_null[]": ["c1", "c3"]})
    kept = ana.post("/wizard/draft", form, headers={"HX-Request": "true"})
    assert (kept.status, "Kept as a draft" in kept.text, kept.has("main")) == (200, True, False)
    page = shop.visit("ana").get(only_draft(ana))
    again = page.form(STEP3)
    for field in ("name", "dest_table", "col_dest_name[]", "merge_strategy", "key[]", "not_null[]", "primary_key"):
        assert again[field] == form[field], field
    assert page.one("[data-draft]").attributes["data-draft"] == f"{only_draft(ana)}?step=dest"


def test_a_query_that_the_database_refused_is_kept(shop: Site, ana: Visitor) -> None:
    write_sql(shop, ana, "select nonsense from nowhere")
    page = ana.get(only_draft(ana))
    assert page.one("textarea[name=query]").text().strip() == "select nonsense from nowhere"
    assert page.form("main form")["source_id"] == source_id(shop)


def test_each_step_of_a_draft_has_an_address(shop: Site, ana: Visitor) -> None:
    ana.post("/wizard/draft", typed(browse(shop, ana)))
    address = only_draft(ana)
    assert ana.get(f"{address}?step=columns").has("#columns")
    tables = ana.get(f"{address}?step=tables")
    assert tables.texts("#tables button.row-link") == ["Order Lines", "cheap"]
    assert ana.get(f"{address}?step=sql").has(STEP3)
    chosen = ana.post("/wizard/table", tables.form("form[action='/wizard/table']") | {"table": "Order Lines"})
    form = ana.post("/wizard/columns", chosen.form("main form")).form(STEP3)
    assert (form["name"], form["col_dest_name[]"]) == ("mine", ["one", "two", "three", "four"])
    assert only_draft(ana) == address


def test_a_module_that_is_made_takes_its_draft_along_and_no_other(shop: Site, ana: Visitor) -> None:
    write_sql(shop, ana, "select 1 as other")
    form = browse(shop, ana).form(STEP3)
    refused = ana.post("/wizard/create", form | {"name": "!!"})
    assert refused.status == 422
    assert ana.get("/wizard").texts("#drafts .row-link")[0] == "!!: main.Order Lines"
    assert ana.post("/wizard/create", form).status == 303
    assert ana.get("/wizard").texts("#drafts .row-link") == ["result: select 1 as other"]


def test_a_draft_is_named_before_it_is_thrown_away(shop: Site, ana: Visitor) -> None:
    browse(shop, ana)
    page = ana.get(f"{only_draft(ana)}/discard")
    assert "the draft order_lines: main.Order Lines, left at the dest" in page.text
    assert len(repo.list_drafts(shop.db, 1)) == 1
    assert ana.post(f"{only_draft(ana)}/discard").answer.headers["location"] == "/wizard"
    assert not ana.get("/wizard").has("#drafts")


def test_a_draft_whose_source_is_gone_begins_at_choosing_one(shop: Site, ana: Visitor) -> None:
    browse(shop, ana)
    address = only_draft(ana)
    repo.delete_connection(shop.db, int(source_id(shop)))
    page = ana.get(address)
    assert (page.status, page.has("select[name=source_id]")) == (200, True)


def test_drafts_are_for_admins_and_each_for_its_own_person(shop: Site, ana: Visitor, otto: Visitor) -> None:
    browse(shop, ana)
    address = only_draft(ana)
    assert otto.get(address).status == 403
    assert otto.post("/wizard/draft", {"source_id": "1"}).status == 403
    repo.update_user(shop.db, repo.get_user_by_name(shop.db, "otto").id, role="admin")
    otto = shop.visit("otto")
    assert not otto.get("/wizard").has("#drafts")
    assert (otto.get(address).status, otto.post(f"{address}/discard").status) == (404, 303)
    assert ana.get(address).status == 200


def test_a_key_that_is_none_of_ours_is_given_anew(shop: Site, ana: Visitor) -> None:
    form = browse(shop, ana).form(STEP3) | {"draft": "<script>"}
    ana.post("/wizard/draft", form)
    assert "<script>" not in "".join(draft.key for draft in repo.list_drafts(shop.db, 1))
    assert len(repo.list_drafts(shop.db, 1)) == 2


def test_a_draft_of_an_earlier_version_that_lacks_fields_is_still_opened(shop: Site, ana: Visitor) -> None:
    browse(shop, ana)
    key = only_draft(ana).rsplit("/", 1)[1]
    draft = repo.get_draft(shop.db, 1, key)
    rows = {"col": [{name: row[name] for name in ("id", "source_name")} for row in draft.form["rows"]["col"]]}
    repo.save_draft(shop.db, 1, key, title="old", step="dest", form={"values": draft.form["values"], "rows": rows})
    for step in ("dest", "columns", "tables"):
        assert ana.get(f"/wizard/drafts/{key}?step={step}").status == 200

# The form that makes, changes and clones a module, seen from outside: what is posted, what the page and the state say.
"""Making, changing, cloning and deleting modules on their pages."""

from typing import Any

import pytest

from pipekit import repo
from pipekit.models import Guards
from tests.pages.site import Site, Visitor

FORM = "form.module-form"


def fill(site: Site, **changes: Any) -> dict[str, Any]:
    """A form that can be accepted."""
    source, dest = site.make_pair()
    given = {
        "name": "orders",
        "source_id": str(source),
        "source_query": "select * from orders",
        "dest_id": str(dest),
        "dest_table": "orders",
        "merge_strategy": "full",
    }
    return {**given, **changes}


def test_a_module_is_made_and_its_page_is_next(site: Site, ana: Visitor) -> None:
    page = ana.post("/modules", fill(site))
    module = repo.get_module_by_name(site.db, "orders")
    assert page.status == 303
    # No file of the source is there.
    assert page.answer.headers["location"] == f"/modules/{module.id}?saved=unasked"
    assert "could not be asked" in ana.get(page.answer.headers["location"]).one(".notice.good").text()
    assert (module.merge_strategy, module.enabled, module.create_table, module.guards) == ("full", True, True, Guards())
    entry = repo.list_audit(site.db, kind="module")[0]
    assert (entry.user, entry.action, entry.name) == ("ana", "create", "orders")


def test_a_form_as_the_page_shows_it_changes_nothing_when_it_is_sent_back(site: Site, ana: Visitor) -> None:
    module = site.make_module(
        source_query="\n  select 1 as id\n\n", load="staged", merge_strategy="upsert", merge_key=("id, x", "region"),
        retries=0, guards=Guards(shrink=0.25, null_keys=True, exactness=False), run_timeout_s=90.5, enabled=False,
    )  # fmt: skip
    repo.create_watermark(
        site.db, module_id=module.id, name="since", connection_id=module.dest_id, resolver_sql="select\n 1"
    )
    repo.create_hook(site.db, module_id=module.id, sql="analyze", run_on="always", run_order=-3)
    before = (module, repo.list_watermarks(site.db, module.id), repo.list_hooks(site.db, module.id))
    sent = ana.get(f"/modules/{module.id}/edit").form(FORM)
    assert ana.post(f"/modules/{module.id}", sent).status == 303
    after = (
        repo.get_module(site.db, module.id),
        repo.list_watermarks(site.db, module.id),
        repo.list_hooks(site.db, module.id),
    )
    assert after == before
    assert repo.list_audit(site.db) == []


def test_everything_typed_is_still_there_beside_the_problems(site: Site, ana: Visitor) -> None:
    data = fill(site, name="", source_query="select <b> '", retries="many", shrink="7", merge_key="a, a")
    data |= {"wm_id[]": "", "wm_name[]": "9", "wm_connection_id[]": "", "wm_resolver_sql[]": "", "hook_sql[]": "vacuum"}
    page = ana.post("/modules", data)
    assert page.status == 422
    assert repo.list_modules(site.db) == []
    assert page.one("#f-source_query").text().strip() == "select <b> '"
    assert page.one("#f-retries").attributes["value"] == "many"
    assert page.one("#p-name").text() == "Give the module a name."
    assert "retries" in (page.one("#f-retries").attributes["aria-describedby"] or "")
    assert "a number from 0 to 1" in page.one("#p-shrink").text()
    assert "stands twice" in page.one("#p-merge_key").text()
    assert page.all("[autofocus]")[0].attributes["id"] == "f-name"
    assert len(page.all("[autofocus]")) == 1
    assert "not a digit first" in page.text
    assert page.form(FORM)["wm_name[]"] == ["9", ""]
    assert page.form(FORM)["hook_sql[]"] == ["vacuum", ""]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"merge_strategy": "upsert"}, "merge_key"),
        ({"merge_strategy": "replace"}, "merge_strategy"),
        ({"name": "a b"}, "name"),
        ({"dest_table": "a.b.c.d"}, "dest_table"),
        ({"source_query": "select 1; select 2"}, "source_query"),
        ({"source_id": "99"}, "source_id"),
        ({"dest_id": ""}, "dest_id"),
        ({"run_timeout_s": "-1"}, "run_timeout_s"),
        ({"run_timeout_s": "nan"}, "run_timeout_s"),
        ({"match": "luck"}, "match"),
    ],
)
def test_a_problem_stands_beside_its_field(site: Site, ana: Visitor, changes: dict[str, str], field: str) -> None:
    page = ana.post("/modules", fill(site, **changes))
    assert page.status == 422
    assert len(page.all(".field-problem")) == 1, page.texts(".field-problem")
    assert page.has(f"#p-{field}")


def test_a_name_that_is_taken_is_told_beside_the_name(site: Site, ana: Visitor) -> None:
    site.make_module("orders")
    known = {item.name: str(item.id) for item in repo.list_connections(site.db)}
    data = {"name": "Orders", "source_id": known["shop"], "dest_id": known["dw"], "source_query": "select 1"}
    page = ana.post("/modules", {**data, "dest_table": "o", "merge_strategy": "full"})
    assert "already" in page.one("#p-name").text()


def test_line_ends_of_a_browser_do_not_get_into_the_query(site: Site, ana: Visitor) -> None:
    ana.post("/modules", fill(site, source_query="select 1\r\nfrom t"))
    assert repo.get_module_by_name(site.db, "orders").source_query == "select 1\nfrom t"


def test_a_clone_has_everything_of_its_model_but_its_ids(site: Site, ana: Visitor) -> None:
    query = "select * from orders where id > {m}"
    module = site.make_module(merge_strategy="upsert", merge_key="id", source_query=query)
    repo.create_watermark(site.db, module_id=module.id, name="m", connection_id=module.dest_id, resolver_sql="select 1")
    repo.create_hook(site.db, module_id=module.id, sql="analyze")
    page = ana.get(f"/modules/new?from={module.id}")
    assert page.one("#f-name").attributes["value"] == "orders_copy"
    ana.post("/modules", page.form(FORM))
    clone = repo.get_module_by_name(site.db, "orders_copy")
    assert clone.merge_key == ("id",)
    assert [mark.name for mark in repo.list_watermarks(site.db, clone.id)] == ["m"]
    assert [hook.sql for hook in repo.list_hooks(site.db, clone.id)] == ["analyze"]
    assert len(repo.list_watermarks(site.db, module.id)) == 1
    assert ana.get(f"/modules/new?from={module.id}").one("#f-name").attributes["value"] == "orders_copy2"


def test_columns_keep_their_ids_and_new_ones_get_the_next(site: Site, ana: Visitor) -> None:
    rows = {"col_id[]": ["c4", "", ""], "col_source_name[]": ["a", "b", ""], "col_dest_name[]": ["A", "B", ""]}
    ana.post("/modules", fill(site, **rows))
    columns = repo.get_module_by_name(site.db, "orders").columns
    assert [(c.id, c.source_name, c.dest_name) for c in columns] == [("c4", "a", "A"), ("c5", "b", "B")]


def test_a_form_of_a_thousand_columns_is_taken(site: Site, ana: Visitor) -> None:
    names = [f"n{i}" for i in range(1000)]
    rows = {f"col_{f}[]": names for f in ("source_name", "source_type", "dest_name", "dest_type")}
    assert ana.post("/modules", fill(site, **rows)).status == 303
    assert len(repo.get_module_by_name(site.db, "orders").columns) == 1000


def test_deleting_names_the_run_records_that_stay_and_asks_for_the_name(site: Site, ana: Visitor) -> None:
    module = site.make_module()
    for _ in range(2):
        run = repo.enqueue_run(site.db, module.id, triggered_by="cli")
        repo.cancel_queued_run(site.db, run.id)
    page = ana.get(f"/modules/{module.id}/delete")
    assert "its 2 run records" in page.text
    assert "the table orders in dw" in page.text
    refused = ana.post(f"/modules/{module.id}/delete", {"confirm": "order"})
    assert refused.status == 422
    assert refused.texts(".problem") == ["Type orders to delete it."]
    assert repo.find_module_by_name(site.db, "orders")
    assert ana.post(f"/modules/{module.id}/delete", {"confirm": "orders"}).answer.headers["location"] == "/modules"
    assert repo.find_module_by_name(site.db, "orders") is None
    assert len(repo.list_runs(site.db)) == 2


def test_a_module_is_switched_off_and_on(site: Site, ana: Visitor) -> None:
    module = site.make_module()
    assert ana.post(f"/modules/{module.id}/disable").status == 303
    assert not repo.get_module(site.db, module.id).enabled
    ana.post(f"/modules/{module.id}/enable")
    assert repo.get_module(site.db, module.id).enabled
    assert [entry.detail["enabled"] for entry in repo.list_audit(site.db)] == [[False, True], [True, False]]


def test_without_connections_the_form_says_what_to_do_first(ana: Visitor) -> None:
    page = ana.get("/modules/new")
    assert page.one(".empty a.primary").attributes["href"] == "/connections/new"


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/modules?state=failing", "/modules?state=failing"),
        ("//evil.example", "/modules/1"),
        ("/modules\\x", "/modules/1"),
    ],
)
def test_a_switch_leads_back_to_its_list_and_nowhere_else(site: Site, ana: Visitor, asked: str, led: str) -> None:
    module = site.make_module()
    assert ana.post(f"/modules/{module.id}/disable", {"next": asked}).answer.headers["location"] == led


def test_notes_are_kept_with_their_lines_and_stand_on_the_modules_page(site: Site, ana: Visitor) -> None:
    assert ana.post("/modules", fill(site, notes="Ask Bea.\r\nSecond <line>")).status == 303
    module = repo.get_module_by_name(site.db, "orders")
    assert module.notes == "Ask Bea.\nSecond <line>"
    assert ana.get(f"/modules/{module.id}").one(".notice.notes p").text() == "Ask Bea.\nSecond <line>"
    assert ana.get(f"/modules/{module.id}/edit").form(FORM)["notes"] == "Ask Bea.\nSecond <line>"

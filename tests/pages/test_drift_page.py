# Columns that are not in the dest as they are in the source, on the page that lists them for all modules.
"""`/drift`, of modules whose last run has seen a difference."""

from pipekit import repo
from pipekit.models import Check
from tests.pages.records import make_run
from tests.pages.site import Site, Visitor

TOLD = 'new in the source, not in the dest: x: ALTER TABLE "t" ADD COLUMN "x" text;'


def test_the_last_run_of_each_module_says_what_differs_and_how_it_would_be_mended(
    site: Site, ana: Visitor, vera: Visitor
) -> None:
    assert "No module's last run has seen" in ana.get("/drift").text
    lite = site.add_connection("lite", "jdbc:sqlite:lite.db")
    module = site.add_module("orders", source=lite, query="select 1 as x", dest=lite, table="t")
    make_run(site, module, status="error", checks=[Check(name="drift", ok=False, detail=TOLD)])
    page = ana.get("/drift")
    assert 'ALTER TABLE "t" ADD COLUMN "x" text' in page.text
    assert page.has(f'a[href="/modules/{module.id}/columns/new"]')
    assert page.has(f'form[action="/modules/{module.id}/run"]')
    assert not vera.get("/drift").has("main form")
    assert 'ALTER TABLE "t" ADD COLUMN "x" text' in vera.get(f"/modules/{module.id}").text
    assert ana.post(f"/drift/{module.id}", {"drift": "add"}).status == 303
    assert repo.get_module(site.db, module.id).drift == "add"
    assert ana.post(f"/drift/{module.id}", {"drift": "narrow"}).status == 422
    assert vera.post(f"/drift/{module.id}", {"drift": "ignore"}).status == 403
    make_run(site, module, status="success", checks=[Check(name="columns", ok=True)])
    assert "No module's last run has seen" in ana.get("/drift").text

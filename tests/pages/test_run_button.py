# Starting a module from its page. Knows the queue's rows, starts nothing.
"""`POST /modules/{id}/run` answers at once, in the manner of who asks."""

from pipekit import repo
from tests.pages.site import Site, Visitor

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_is_led_to_the_run(site: Site, otto: Visitor) -> None:
    module = site.make_module()
    page = otto.post(f"/modules/{module.id}/run", {"dry_run": "1"}, headers=HTML)
    run = repo.list_runs(site.db)[0]
    assert (page.status, page.answer.headers["location"]) == (303, f"/runs/{run.id}")
    assert run.dry_run
    assert [(e.user, e.action, e.name) for e in repo.list_audit(site.db)] == [("otto", "run", "orders")]


def test_htmx_is_led_there_by_its_header(site: Site, otto: Visitor) -> None:
    module = site.make_module()
    page = otto.post(f"/modules/{module.id}/run", headers={"HX-Request": "true"})
    assert page.answer.headers["hx-redirect"] == f"/runs/{repo.list_runs(site.db)[0].id}"


def test_a_script_gets_the_runs_id_and_a_busy_module_is_a_conflict(site: Site, otto: Visitor) -> None:
    module = site.make_module()
    first = otto.post(f"/modules/{module.id}/run", headers={"Accept": "application/json"}).answer
    assert (first.status_code, first.json()) == (202, {"run_id": repo.list_runs(site.db)[0].id})
    again = otto.post(f"/modules/{module.id}/run", headers={"Accept": "application/json"}).answer
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ModuleBusy")


def test_a_busy_module_is_told_on_a_page(site: Site, otto: Visitor) -> None:
    module = site.make_module()
    otto.post(f"/modules/{module.id}/run", headers=HTML)
    page = otto.post(f"/modules/{module.id}/run", headers=HTML)
    assert page.status == 409
    assert "waiting to run already" in page.text

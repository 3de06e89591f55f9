# Running a module with values of somebody's own, for one run. Starts no runner.
"""`GET /modules/{id}/run`, and the values a run is asked for with."""

import pytest

from pipekit import repo
from pipekit.models import Module
from tests.pages.records import make_run
from tests.pages.site import Site, Visitor

JSON = {"Accept": "application/json"}


@pytest.fixture
def orders(site: Site) -> Module:
    """A module with two watermarks."""
    module = site.make_module("orders", source_query="select * from o where d >= '{since}' and n < {most}")
    for name, default in (("since", "1900-01-01"), ("most", None)):
        repo.create_watermark(
            site.db,
            module_id=module.id,
            name=name,
            connection_id=module.dest_id,
            resolver_sql=f"select {name}",
            default_value=default,
        )
    return module


def test_the_form_has_a_field_for_each_watermark_and_says_what_a_blank_one_means(
    site: Site, otto: Visitor, orders: Module
) -> None:
    make_run(site, orders, watermark_values={"since": "2026-01-01", "most": "7"})
    page = otto.get(f"/modules/{orders.id}/run")
    form = page.form("#run-values")
    assert (form["run_name[]"], form["run_value[]"]) == (["since", "most"], ["", ""])
    assert "Last value 2026-01-01. Left blank: dw: select since, else 1900-01-01" in page.texts(".field .help")
    assert otto.get(f"/modules/{orders.id}").has(f"a[href='/modules/{orders.id}/run']")


def test_the_values_are_those_of_one_run(site: Site, otto: Visitor, orders: Module) -> None:
    typed = {"run_name[]": ["since", "most"], "run_value[]": ["2020-01-01", ""]}
    answer = otto.post(f"/modules/{orders.id}/run", typed, headers=JSON).answer
    assert answer.status_code == 202
    run_id = answer.json()["run_id"]
    assert repo.get_overrides(site.db, run_id) == {"since": "2020-01-01"}
    assert '"since": "2020-01-01"' in str(repo.list_audit(site.db, kind="module")[0].detail).replace("'", '"')


def test_values_of_an_earlier_run_are_used_again(site: Site, otto: Visitor, orders: Module) -> None:
    run = make_run(site, orders, watermark_values={"since": "2026-01-01", "most": "7"})
    assert otto.get(f"/modules/{orders.id}/run?from={run.id}").form("#run-values")["run_value[]"] == ["2026-01-01", "7"]
    assert otto.get(f"/runs/{run.id}?tab=watermarks").has(f"a[href='/modules/{orders.id}/run?from={run.id}']")
    other = site.make_module("other")
    for text in (str(make_run(site, other, watermark_values={"since": "no"}).id), "999", "x", "²"):
        page = otto.get(f"/modules/{orders.id}/run", params={"from": text})
        assert page.form("#run-values")["run_value[]"] == ["", ""]


def test_the_module_shows_the_values_of_its_last_runs(site: Site, vera: Visitor, orders: Module) -> None:
    for day in ("01", "02"):
        make_run(site, orders, watermark_values={"since": f"2026-01-{day}"})
    page = vera.get(f"/modules/{orders.id}")
    assert page.texts("details table tbody code") == ["2026-01-02", "-", "2026-01-01", "-"]
    assert "Use again" not in page.text


def test_a_watermark_the_module_has_not_is_refused(site: Site, otto: Visitor, orders: Module) -> None:
    answer = otto.post(f"/modules/{orders.id}/run", {"run_name[]": "x", "run_value[]": "1"}, headers=JSON).answer
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "Invalid")
    assert repo.list_runs(site.db) == []


def test_a_module_without_watermarks_says_what_to_do(site: Site, otto: Visitor, vera: Visitor) -> None:
    module = site.make_module("plain")
    assert "has no watermarks" in otto.get(f"/modules/{module.id}/run").one(".empty h2").text()
    assert vera.get(f"/modules/{module.id}/run").status == 403


def test_only_an_admin_gives_a_value_that_is_sql(site: Site, ana: Visitor, otto: Visitor, orders: Module) -> None:
    typed = {"run_name[]": ["since", "most"], "run_value[]": ["2020-01-01", "(select max(n) from o)"]}
    refused = otto.post(f"/modules/{orders.id}/run", typed, headers=JSON).answer
    assert refused.status_code == 422
    assert "The value of 'most' must be a number" in refused.json()["error"]["message"]
    assert repo.list_runs(site.db) == []
    assert ana.post(f"/modules/{orders.id}/run", typed, headers=JSON).status == 202

# A module's page: definition in reading order, last run, history, buttons by role.
"""`/modules/{id}`."""

import json

from pipekit import repo
from pipekit.models import Check, Column, Verify
from tests.pages.records import OWNER, make_run, start_run
from tests.pages.site import Site, Visitor


def test_the_definition_is_told_in_reading_order(site: Site, vera: Visitor) -> None:
    column = Column(id="c1", source_name="ORDNO", source_type="DECIMAL(9,0)", dest_name="order_id", dest_type="bigint")
    module = site.make_module("orders", merge_strategy="upsert", merge_key="order_id", columns=(column,))
    repo.create_watermark(
        site.db, module_id=module.id, name="since", connection_id=module.dest_id, resolver_sql="select max(a) from t"
    )
    repo.create_hook(site.db, module_id=module.id, sql="analyze orders")
    make_run(site, module, watermark_values={"since": "2026-03-04"})
    page = vera.get(f"/modules/{module.id}")
    titles = page.texts(".split > div:first-child h2")
    assert titles == ["From shop", "Watermarks", "Into dw orders", "How", "After"]
    assert "2026-03-04" in page.text
    assert page.texts("#columns td")[:4] == ["ORDNO", "DECIMAL(9,0)", "order_id key", "bigint"]
    assert "analyze orders" in page.text


def test_the_last_run_that_ended_is_shown_with_what_goes_on(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    ended = make_run(site, module)
    running = start_run(site, module)
    page = vera.get(f"/modules/{module.id}")
    links = [node.attributes["href"] for node in page.all(".split > div:last-child a.status")]
    assert links == [f"/runs/{running.id}", f"/runs/{ended.id}"]
    assert page.texts(".checks li") == ["counts"]


def test_a_module_that_never_ran_says_what_a_dry_run_does(site: Site, vera: Visitor) -> None:
    page = vera.get(f"/modules/{site.make_module().id}")
    assert "It has not run yet" in page.text
    assert not page.has("[data-chart]")


def test_the_chart_has_its_figures_and_bars_where_scripts_are_off(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    runs = [make_run(site, module) for _ in range(3)]
    page = vera.get(f"/modules/{module.id}")
    chart = json.loads(page.one("[data-chart]").attributes["data-chart"] or "")
    assert chart["href"] == [f"/runs/{run.id}" for run in runs]
    assert chart["rows"] == [1204] * 3
    assert len(page.all("[data-chart] svg a")) == 3


def test_the_history_goes_on_to_older_runs(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    runs = [make_run(site, module) for _ in range(17)]
    page = vera.get(f"/modules/{module.id}")
    assert len(page.all("#history .row-link")) == 15
    older = page.one("#history a[rel=next]").attributes["href"] or ""
    found = vera.get(older.partition("#")[0]).texts("#history .row-link")
    assert found == [str(run.id) for run in reversed(runs[:2])]


def test_groups_are_named_with_their_next_time(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=module.id)
    repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    assert "04:00" in vera.get(f"/modules/{module.id}").text


def test_roles_decide_about_buttons(site: Site, ana: Visitor, otto: Visitor, vera: Visitor) -> None:
    path = f"/modules/{site.make_module().id}"
    assert not vera.get(path).has(".crumbs .actions > *")
    assert otto.get(path).texts(".crumbs .actions button") == ["Dry run", "Preview", "Verify", "Run"]
    assert ana.get(path).texts(".crumbs .actions .button") == ["Edit", "Clone", "Delete"]
    assert len(ana.get(path).all(".primary")) == 1


def test_a_module_that_is_not_there_is_not_found(vera: Visitor) -> None:
    assert vera.get("/modules/999").status == 404


def test_a_verify_is_asked_for_on_a_modules_page_and_asked_for_again_on_its_own(site: Site, otto: Visitor) -> None:
    module = site.make_module()
    otto.post(f"/modules/{module.id}/run", {"verify": "1"})
    run = repo.list_runs(site.db)[0]
    assert run.asked_verify == Verify()
    assert repo.claim_next_run(site.db, owner=OWNER, lease_s=3600, max_runs=4) is not None
    checks = (Check(name="verify", ok=False, detail="1 row is missing"),)
    repo.finish_run(
        site.db, run.id, owner=OWNER, status="error", checks=checks, verified='{"equal": false, "missing": 1}'
    )
    page = otto.get(f"/runs/{run.id}")
    assert "1 row is missing" in page.text
    assert page.texts("#run-actions button") == ["Verify again"]


def test_the_chart_of_a_module_with_ten_good_runs_has_the_band_of_usual_rows(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    for number in range(10):
        assert not vera.get(f"/modules/{module.id}").has("[data-usual]")
        make_run(site, module, rows_read=1000 + number)
    page = vera.get(f"/modules/{module.id}")
    low, high = json.loads(page.all("[data-chart]")[0].attributes["data-usual"] or "")
    assert low < 1000 < 1009 < high
    assert f"Usually {low:,} to {high:,} rows are read".replace(",", " ") in page.text.replace("\u202f", " ")

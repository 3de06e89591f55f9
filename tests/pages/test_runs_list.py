# The list of runs, group runs and their live page, and searching.
"""`/runs`, `/group-runs`, `/search`."""

import json

from pipekit import repo
from pipekit.models import GroupRun
from tests.pages.records import OWNER, end_run, make_run
from tests.pages.site import Site, Visitor


def make_group_run(site: Site) -> GroupRun:
    group = repo.create_group(site.db, name="nightly")
    for name in ("orders", "prices"):
        repo.create_member(site.db, group_id=group.id, module_id=site.make_module(name).id)
    return repo.create_group_run(site.db, group.id, triggered_by="manual")


def test_runs_are_filtered_by_module_and_status_and_go_on_to_older_ones(site: Site, vera: Visitor) -> None:
    orders, prices = site.make_module("orders"), site.make_module("prices")
    for _ in range(51):
        make_run(site, orders)
    failed = make_run(site, prices, "error", error_stage="stage", error="gone")
    page = vera.get("/runs")
    assert page.texts(".row-link")[0] == str(failed.id)
    assert len(page.all(".row-link")) == 50
    older = page.one("a[rel=next]").attributes["href"] or ""
    assert vera.get(older).texts(".row-link") == ["2", "1"]
    assert vera.get("/runs?module=prices").texts(".row-link") == [str(failed.id)]
    assert vera.get("/runs?status=error").texts(".row-link") == [str(failed.id)]
    assert vera.get("/runs?status=error&module=orders").texts(".row-link") == []


def test_without_runs_the_list_says_what_will_be_there(vera: Visitor) -> None:
    assert "No runs yet" in vera.get("/runs").text
    assert "No run fits" in vera.get("/runs?status=error").text
    assert "No group runs yet" in vera.get("/group-runs").text


def test_a_group_run_shows_its_members_over_time(site: Site, vera: Visitor) -> None:
    group_run = make_group_run(site)
    run = repo.claim_next_run(site.db, owner=OWNER, lease_s=60, max_runs=4)
    assert run is not None
    end_run(site, run)
    page = vera.get(f"/group-runs/{group_run.id}")
    assert page.texts(".row-link") == ["orders", "prices"]
    assert [link.attributes["href"] for link in page.all("svg.gantt a")] == [f"/runs/{run.id}"]
    assert vera.get("/group-runs").texts(".row-link") == [str(group_run.id)]


def test_a_group_runs_fragment_is_silent_when_unchanged_and_ends_by_itself(site: Site, otto: Visitor) -> None:
    group_run = make_group_run(site)
    path = f"/group-runs/{group_run.id}"
    live = otto.get(path).one("#group-run-live")
    assert live.attributes["hx-trigger"] == "every 2s"
    have = json.loads(live.attributes["hx-vals"] or "")["have"]
    assert otto.get_fragment(f"{path}/live?have={have}").status == 204
    assert otto.post(f"{path}/cancel").status == 303
    page = otto.get_fragment(f"{path}/live?have={have}")
    assert "hx-trigger" not in page.one("#group-run-live").attributes
    assert page.texts(".run-head > .status")[0] == "cancelled"
    assert repo.list_audit(site.db)[0].kind == "group run"


def test_a_viewer_cannot_cancel_a_group_run(site: Site, vera: Visitor) -> None:
    path = f"/group-runs/{make_group_run(site).id}"
    assert not vera.get(path).has("#group-run-actions form")
    assert vera.post(f"{path}/cancel").status == 403


def test_search_finds_modules_tables_groups_connections_and_a_run(site: Site, vera: Visitor) -> None:
    make_group_run(site)
    module = site.make_module("customers", dest_table="public.kunden")
    run = make_run(site, module)
    assert vera.get("/search?q=kunden").texts(".row-link") == ["customers"]
    assert vera.get("/search?q=night").texts(".row-link") == ["nightly"]
    assert "shop" in vera.get("/search?q=sho").texts(".row-link")
    assert vera.get(f"/search?q=%23{run.id}").texts(".row-link")[0] == f"run {run.id}"
    assert "Nothing has" in vera.get("/search?q=zzz").text


def test_a_search_for_the_only_thing_of_a_name_opens_it(site: Site, vera: Visitor) -> None:
    module = site.make_module("customers")
    assert vera.get("/search?q=Customers").answer.headers["location"] == f"/modules/{module.id}"


def test_runs_are_filtered_by_group_day_and_words_of_the_error_which_is_shown(site: Site, vera: Visitor) -> None:
    group_run = make_group_run(site)
    prices = site.make_module("people")
    in_group = repo.claim_next_run(site.db, owner=OWNER, lease_s=60, max_runs=4)
    assert in_group is not None
    end_run(site, in_group, "error", error_stage="merge", error="duplicate key 4711")
    failed = make_run(site, prices, "error", error_stage="stage", error="100% of it is gone")
    old = make_run(site, prices)
    site.db.execute("DROP TRIGGER run_log_is_final")
    site.db.execute("UPDATE run_log SET finished_at = '2026-03-01T12:00:00.000Z' WHERE id = ?", (old.id,))
    group_id = group_run.group_id
    listed = vera.get(f"/runs?group={group_id}").texts(".row-link")
    assert str(in_group.id) in listed
    assert str(failed.id) not in listed
    assert vera.get("/runs?day=2026-03-01").texts(".row-link") == [str(old.id)]
    assert vera.get("/runs?text=100%25+of").texts(".row-link") == [str(failed.id)]
    page = vera.get("/runs?text=KEY+47")
    assert page.texts(".row-link") == [str(in_group.id)]
    assert "in merge: duplicate key 4711" in page.text
    assert "No run fits" in vera.get("/runs?day=2026-03-02").text
    assert len(vera.get("/runs?day=nonsense&group=x").texts(".row-link")) == 4
    assert "1 of 2" in vera.get("/group-runs").text


def test_a_full_load_counts_a_row_that_came_again_once(site: Site, vera: Visitor) -> None:
    make_run(site, site.make_module(), rows_inserted=1204, rows_deleted=1100)
    page = vera.get("/runs")
    assert "Written" in page.text
    assert page.texts("td.num.wide-only")[-1] == "1 204"

# Groups on their pages: members, schedules, running. Knows the queue's rows, starts nothing.
"""Making groups, ordering members, scheduling, running and pausing."""

from datetime import UTC, datetime

import pytest

from pipekit import repo
from pipekit.models import Group
from pipekit.web.groups.schedule_words import build_schedule_view
from tests.pages.site import Site, Visitor


@pytest.fixture
def group(site: Site) -> Group:
    """A group of `a` and `b`; `c` is in none."""
    group = repo.create_group(site.db, name="nightly")
    for name in ("a", "b", "c"):
        module = site.make_module(name)
        if name != "c":
            repo.create_member(site.db, group_id=group.id, module_id=module.id)
    return group


def orders(site: Site, group: Group) -> dict[str, int]:
    return {repo.get_module(site.db, m.module_id).name: m.run_order for m in repo.list_members(site.db, group.id)}


def test_a_group_is_made_and_its_page_is_next(site: Site, ana: Visitor) -> None:
    page = ana.post("/groups", {"name": "nightly", "parallel": "3"})
    made = repo.get_group_by_name(site.db, "nightly")
    assert page.answer.headers["location"] == f"/groups/{made.id}"
    assert (made.parallel, made.enabled) == (3, True)
    refused = ana.post("/groups", {"name": "Nightly", "parallel": "0"})
    assert refused.one("#f-parallel").attributes["value"] == "0"
    assert refused.has("#p-parallel")
    assert "already" in ana.post("/groups", {"name": "Nightly", "parallel": "1"}).one("#p-name").text()


def test_members_are_ordered_taken_out_and_added_in_one_post(site: Site, ana: Visitor, group: Group) -> None:
    form = ana.get(f"/groups/{group.id}").form("#members form")
    assert form["member_order[]"] == ["1", "2"]
    form["member_order[]"] = ["7", "2"]
    form["member_deleted_id[]"] = [form["member_id[]"][1]]
    form |= {"add_module_id": str(repo.get_module_by_name(site.db, "c").id), "add_order": "7"}
    assert ana.post(f"/groups/{group.id}/members", form).status == 303
    assert orders(site, group) == {"a": 7, "c": 7}


def test_a_bad_order_keeps_what_was_typed_and_changes_nothing(site: Site, ana: Visitor, group: Group) -> None:
    form = ana.get(f"/groups/{group.id}").form("#members form")
    page = ana.post(f"/groups/{group.id}/members", {**form, "member_order[]": ["9", "first"]})
    assert page.status == 422
    assert page.form("#members form")["member_order[]"] == ["9", "first"]
    assert "whole number" in page.one("#members .field-problem").text()
    assert orders(site, group) == {"a": 1, "b": 2}


def test_a_schedule_is_made_and_reads_in_plain_words(site: Site, ana: Visitor, group: Group) -> None:
    assert ana.post(f"/groups/{group.id}/schedules", {"cron": "0 4 * * *"}).status == 303
    page = ana.get(f"/groups/{group.id}")
    assert "At 04:00 every day" in page.one("#schedules form [id^=words-] .help").text()
    assert len(page.all("#schedules .help .nowrap")) == 5
    schedule = repo.list_schedules(site.db, group.id)[0]
    ana.post(f"/groups/{group.id}/schedules/{schedule.id}", {"cron": "30 5 * * 1", "enabled": "0", "catch_up": "0"})
    changed = repo.get_schedule(site.db, schedule.id)
    assert (changed.cron, changed.enabled, changed.catch_up) == ("30 5 * * 1", False, False)
    assert "At 05:30" in ana.get("/groups").text


@pytest.mark.parametrize("cron", ["0 4 30 2 *", "61 * * * *", "often", ""])
def test_a_schedule_that_never_comes_is_refused_with_what_was_typed(
    site: Site, ana: Visitor, group: Group, cron: str
) -> None:
    page = ana.post(f"/groups/{group.id}/schedules", {"cron": cron})
    assert page.status == 422
    assert page.one("#f-cron").attributes["value"] == cron
    assert page.has("#p-cron")
    assert repo.list_schedules(site.db, group.id) == []


def test_a_change_that_never_comes_stands_beside_its_own_field(site: Site, ana: Visitor, group: Group) -> None:
    schedule = repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    page = ana.post(f"/groups/{group.id}/schedules/{schedule.id}", {"cron": "0 4 31 2 *"})
    assert page.status == 422
    assert page.one(f"#f-cron-{schedule.id}").attributes["value"] == "0 4 31 2 *"
    assert "never comes" in page.one(f"#p-cron-{schedule.id}").text()
    assert page.one("#f-cron").attributes["value"] == ""


def test_an_expression_is_read_while_it_is_typed(ana: Visitor) -> None:
    good = ana.get_fragment("/groups/schedule-words?cron=*/15 * * * *")
    assert "Every 15 minutes" in good.text or "15" in good.text
    assert len(good.all(".nowrap")) == 5
    assert "never comes" in ana.get_fragment("/groups/schedule-words?cron=0 0 30 2 *").text
    assert ana.get_fragment("/groups/schedule-words?cron=").text == ""


def test_a_schedule_that_comes_before_the_group_is_usually_done_is_warned_of() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert "skipped" in build_schedule_view("*/5 * * * *", usual_s=600, now=now).warning
    assert build_schedule_view("0 4 * * *", usual_s=600, now=now).warning == ""


def test_deleting_a_schedule_names_what_goes_with_it(site: Site, ana: Visitor, group: Group) -> None:
    schedule = repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    assert "At 04:00 every day" in ana.get(f"/groups/{group.id}/schedules/{schedule.id}/delete").text
    assert ana.post(f"/groups/{group.id}/schedules/{schedule.id}/delete").status == 303
    assert repo.list_schedules(site.db, group.id) == []


def test_a_schedule_of_another_group_is_not_touched(site: Site, ana: Visitor, group: Group) -> None:
    other = repo.create_group(site.db, name="other")
    schedule = repo.create_schedule(site.db, group_id=other.id, cron="0 4 * * *")
    assert ana.post(f"/groups/{group.id}/schedules/{schedule.id}", {"cron": "0 5 * * *"}).status == 404
    assert ana.post(f"/groups/{group.id}/schedules/{schedule.id}/delete").status == 404


def test_a_group_is_run_paused_and_resumed(site: Site, otto: Visitor, group: Group) -> None:
    otto.post(f"/groups/{group.id}/pause")
    refused = otto.post(f"/groups/{group.id}/run", headers={"Accept": "text/html"})
    assert refused.status == 409
    assert "paused" in refused.one("main > .problem").text()
    otto.post(f"/groups/{group.id}/resume")
    page = otto.post(f"/groups/{group.id}/run", headers={"Accept": "text/html"})
    run = repo.list_group_runs(site.db)[0]
    assert page.answer.headers["location"] == f"/group-runs/{run.id}"
    assert len(repo.list_group_members(site.db, run.id)) == 2
    shown = otto.get(f"/groups/{group.id}")
    assert f"/group-runs/{run.id}" in [a.attributes["href"] for a in shown.all(".actions a")]
    again = otto.post(f"/groups/{group.id}/run").answer
    assert (again.status_code, again.json()["error"]["code"]) == (409, "GroupBusy")


def test_deleting_a_group_asks_for_its_name_and_keeps_its_runs(site: Site, ana: Visitor, group: Group) -> None:
    run = repo.create_group_run(site.db, group.id, triggered_by="manual")
    assert ana.post(f"/groups/{group.id}/delete", {"confirm": "nightly"}).status == 409
    repo.cancel_group_run(site.db, run.id)
    assert ana.post(f"/groups/{group.id}/delete", {"confirm": "daily"}).status == 422
    assert "its 1 group run" in ana.get(f"/groups/{group.id}/delete").text
    assert ana.post(f"/groups/{group.id}/delete", {"confirm": "nightly"}).answer.headers["location"] == "/groups"
    assert repo.list_groups(site.db) == []
    assert repo.get_group_run(site.db, run.id).group_name == "nightly"


def test_members_of_one_place_are_drawn_side_by_side(site: Site, ana: Visitor, vera: Visitor, group: Group) -> None:
    assert "hidden" in vera.get(f"/groups/{group.id}").one("ol.flow").attributes
    module = repo.get_module_by_name(site.db, "c")
    repo.create_member(site.db, group_id=group.id, module_id=module.id, run_order=2)
    for visitor in (ana, vera):
        flow = visitor.get(f"/groups/{group.id}").one("ol.flow")
        assert "hidden" not in flow.attributes
        assert [[name.text() for name in step.css("span")] for step in flow.css("li")] == [["a"], ["b", "c"]]


def test_a_member_is_verified_where_its_box_is_ticked(site: Site, ana: Visitor, vera: Visitor, group: Group) -> None:
    address = f"/groups/{group.id}"
    form = ana.get(address).form("#members form")
    first = repo.list_members(site.db, group.id)[0]
    added = {"add_module_id": str(first.module_id), "add_verify": "1"}
    refused = ana.post(f"{address}/members", {**form, "add_module_id": str(first.module_id)})
    assert "already" in refused.text
    assert ana.post(f"{address}/members", {**form, **added}).status == 303
    assert [member.verify for member in repo.list_members(site.db, group.id)] == [False, False, True]
    assert vera.get(address).texts("#members .badge") == ["verify"]
    module = vera.get(f"/modules/{first.module_id}")
    assert [a.text() for a in module.all(f'main li a[href="{address}"]')] == [group.name]
    form = ana.get(address).form("#members form")
    last = repo.list_members(site.db, group.id)[-1]
    assert form["member_verify_id[]"] in (str(last.id), [str(last.id)])
    clash = ana.post(f"{address}/members", {**form, "member_verify_id[]": [str(first.id), str(last.id)]})
    assert "to be verified" in clash.text
    assert ana.post(f"{address}/members", {**form, "member_verify_id[]": []}).status == 422


def test_buttons_to_move_a_member_are_for_scripts(ana: Visitor, vera: Visitor, group: Group) -> None:
    page = ana.get(f"/groups/{group.id}")
    assert [node.attributes["aria-label"] for node in page.all("td.moves[hidden] button[type=button]")] == [
        "Move a up",
        "Move a down",
        "Move b up",
        "Move b down",
    ]
    assert not vera.get(f"/groups/{group.id}").has(".moves")


def test_a_group_whose_old_name_holds_a_slash_is_reached_and_renamed(site: Site, ana: Visitor, group: Group) -> None:
    site.db.change("UPDATE grp SET name = 'EU/daily' WHERE id = ?", (group.id,))
    assert "EU/daily" in ana.get("/groups").text
    form = ana.get(f"/groups/{group.id}/edit").form("form.stack")
    assert ana.post(f"/groups/{group.id}", {**form, "name": "US/daily"}).has("#p-name")
    assert ana.post(f"/groups/{group.id}", {**form, "parallel": "2"}).status == 303
    form = ana.get(f"/groups/{group.id}/edit").form("form.stack")
    assert ana.post(f"/groups/{group.id}", {**form, "name": "EU-daily"}).status == 303
    renamed = repo.get_group(site.db, group.id)
    assert (renamed.name, renamed.parallel) == ("EU-daily", 2)


def test_what_came_of_due_times_is_on_the_groups_page(site: Site, vera: Visitor, group: Group) -> None:
    assert not vera.get(f"/groups/{group.id}").has("#fires")
    schedule = repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    now = datetime(2026, 3, 5, 4, tzinfo=UTC)
    repo.record_fire(site.db, schedule.id, now.replace(day=3), "fired", recorded_at=now)
    repo.record_fire(site.db, schedule.id, now.replace(day=4), "skipped", reason="paused", recorded_at=now)
    repo.record_fire(site.db, schedule.id, now, "missed", reason="no server ran", recorded_at=now)
    page = vera.get(f"/groups/{group.id}")
    assert [text.split()[0] for text in page.texts("#fires td:last-child")] == ["missed", "skipped", "fired"]
    assert "no server ran" in page.one("#fires").text()

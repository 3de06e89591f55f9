# Two people in one form: the second one is told before something of the first is lost.
"""What is changed between opening a form and saving it."""

from typing import Any

import pytest

from pipekit import repo
from pipekit.definitions import edit
from tests.pages.site import Page, Site, Visitor


def put_in_group(site: Site) -> int:
    group = repo.create_group(site.db, name="nightly")
    for name in ("orders", "prices"):
        module = repo.find_module_by_name(site.db, name) or site.make_module(name)
        repo.create_member(site.db, group_id=group.id, module_id=module.id)
    return group.id


def save(visitor: Visitor, page: Page, selector: str, **changes: Any) -> Page:
    """Sends a form as it was opened, with some of it changed."""
    action = page.one(selector).attributes["action"] or ""
    return visitor.post(action, {**page.form(selector), **changes})


def test_a_module_that_was_changed_meanwhile_is_not_overwritten_unasked(site: Site, ana: Visitor) -> None:
    module = site.make_module()
    opened = ana.get(f"/modules/{module.id}/edit")
    edit.update(site.db, edit.MODULE, "otto", module.id, source_query="select 2 as otto")
    page = save(ana, opened, "form.module-form", source_query="select 3 as ana")
    assert page.status == 409
    assert "otto, " in page.one(".problem[role=alert]").text()
    assert "changed orders after this form was opened" in page.one(".problem[role=alert]").text()
    assert page.one(".problem[role=alert] a").attributes["href"] == f"/modules/{module.id}"
    assert page.one("#f-source_query").text().strip() == "select 3 as ana"
    assert repo.get_module(site.db, module.id).source_query == "select 2 as otto"
    assert save(ana, page, "form.module-form").status == 303
    assert repo.get_module(site.db, module.id).source_query == "select 3 as ana"


@pytest.mark.parametrize("part", ["watermark", "hook"])
def test_a_watermark_and_a_hook_are_parts_of_the_module(site: Site, ana: Visitor, part: str) -> None:
    module = site.make_module()
    opened = ana.get(f"/modules/{module.id}/edit")
    if part == "watermark":
        mark = {"name": "since", "connection_id": module.source_id, "resolver_sql": "select 1"}
        edit.create(site.db, edit.WATERMARK, "otto", module_id=module.id, **mark)
    else:
        edit.create(site.db, edit.HOOK, "otto", module_id=module.id, sql="analyze")
    page = save(ana, opened, "form.module-form", retries="7")
    assert page.status == 409
    assert "otto, " in page.text
    assert repo.get_module(site.db, module.id).retries != 7


def test_what_a_run_writes_is_no_change_of_the_module(site: Site, ana: Visitor) -> None:
    module = site.make_module()
    opened = ana.get(f"/modules/{module.id}/edit")
    site.run(module)
    assert save(ana, opened, "form.module-form", retries="7").status == 303


def test_a_connection_and_a_group_tell_it_too(site: Site, ana: Visitor) -> None:
    group_id = put_in_group(site)
    connection = repo.get_connection_by_name(site.db, "shop")
    opened = ana.get(f"/connections/{connection.id}/edit")
    edit.update(site.db, edit.CONNECTION, "otto", connection.id, max_runs=3)
    page = save(ana, opened, "form.stack", username="me")
    assert (page.status, repo.get_connection(site.db, connection.id).username) == (409, None)
    assert page.one("#f-username").attributes["value"] == "me"
    assert save(ana, page, "form.stack").status == 303
    opened = ana.get(f"/groups/{group_id}/edit")
    edit.update(site.db, edit.GROUP, "otto", group_id, enabled=False)
    page = save(ana, opened, "form.stack", parallel="4")
    assert (page.status, repo.get_group(site.db, group_id).parallel) == (409, 1)


def test_members_that_were_ordered_meanwhile_keep_that_order(site: Site, ana: Visitor) -> None:
    group_id = put_in_group(site)
    form = f"form[action='/groups/{group_id}/members']"
    opened = ana.get(f"/groups/{group_id}")
    first, second = repo.list_members(site.db, group_id)
    edit.update(site.db, edit.MEMBER, "otto", second.id, run_order=9)
    page = save(ana, opened, form, **{"member_order[]": ["4", "3"]})
    assert page.status == 409
    assert "otto, " in page.one("#members .problem").text()
    assert [member.run_order for member in repo.list_members(site.db, group_id)] == [first.run_order, 9]
    assert page.form(form)["member_order[]"] == ["4", "3"]
    assert save(ana, page, form).status == 303
    assert [member.run_order for member in repo.list_members(site.db, group_id)] == [3, 4]


def test_a_script_that_brings_no_digest_overwrites_as_through_the_api(site: Site, ana: Visitor) -> None:
    module = site.make_module()
    edit.update(site.db, edit.MODULE, "otto", module.id, retries=9)
    form = ana.get(f"/modules/{module.id}/edit").form("form.module-form")
    del form["seen"]
    assert ana.post(f"/modules/{module.id}", {**form, "retries": "1"}).status == 303


def test_a_role_is_changed_only_by_who_saw_the_one_that_is(site: Site, ana: Visitor) -> None:
    otto = repo.get_user_by_name(site.db, "otto")
    opened = ana.get("/users")
    repo.update_user(site.db, otto.id, role="viewer")
    selector = f'form.inline[action="/users/{otto.id}"]'
    assert save(ana, opened, selector, role="admin").status == 409
    assert repo.get_user(site.db, otto.id).role == "viewer"
    assert save(ana, ana.get("/users"), selector, role="admin").status == 303
    assert repo.get_user(site.db, otto.id).role == "admin"


def test_a_schedule_is_changed_only_by_who_saw_the_one_that_is(site: Site, ana: Visitor) -> None:
    group_id = put_in_group(site)
    schedule = repo.create_schedule(site.db, group_id=group_id, cron="0 4 * * *")
    opened = ana.get(f"/groups/{group_id}")
    edit.update(site.db, edit.SCHEDULE, "otto", schedule.id, cron="0 5 * * *")
    selector = f'form[action="/groups/{group_id}/schedules/{schedule.id}"]'
    assert save(ana, opened, selector, cron="0 6 * * *").status == 409
    assert save(ana, ana.get(f"/groups/{group_id}"), selector, cron="0 6 * * *").status == 303
    assert repo.get_schedule(site.db, schedule.id).cron == "0 6 * * *"


def test_an_old_page_cannot_delete_who_came_after(site: Site, ana: Visitor) -> None:
    old = repo.create_user(site.db, name="old", password_hash="x", role="viewer")
    repo.delete_user(site.db, old.id)
    new = repo.create_user(site.db, name="new", password_hash="x", role="viewer")
    assert ana.post(f"/users/{old.id}/delete").status == 404
    assert repo.get_user(site.db, new.id).name == "new"

# Every page there is, by the list of routes: a new one is looked at without being named here.
"""Accessibility in both colour schemes, and the width of a phone, over all pages."""

import re
from collections.abc import Callable

import pytest
from fastapi.routing import APIRoute

from pipekit import repo
from pipekit.definitions import edit
from pipekit.engine.jars import register
from pipekit.repo import alert_channels, alerts
from pipekit.web import moved
from pipekit.web.app import ROUTERS
from tests.e2e.browser.desk import Desk, House
from tests.jars import write_jar

# What is no page of its own: pieces that others ask for, and a file.
PIECES = {
    "/status",
    "/board",
    "/runs/{run_id:int}/live",
    "/group-runs/{group_run_id:int}/live",
    "/groups/schedule-words",
    "/runs/{run_id:int}/log.txt",
}
LONG = "a_module_with_a_name_of_sixty_characters_which_is_the_most_x"


@pytest.fixture(scope="module")
def addresses(house: House) -> list[str]:
    """An address of every page, of things that exist; a route with a parameter of an unknown name fails."""
    ids = furnish(house)
    found = []
    for router in ROUTERS:
        # What has moved is no page of its own.
        for route in router.routes if router is not moved.router else ():
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and route.path not in PIECES:
                found.append(re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: str(ids[name[1]]), route.path))
    found += [f"/runs/{ids['run_id']}?tab={tab}" for tab in ("sql", "merge", "watermarks")]
    found += [f"/runs/{ids['failed_id']}", f"/wizard/tables?source_id={house.shop.id}"]
    found += [f"/wizard/schema?source_id={house.shop.id}"]
    found += [f"/wizard/columns?source_id={house.shop.id}&schema=main&table=orders", f"/modules/{ids['failing_id']}"]
    found += ["/modules?q=nothing+has+this", "/runs?status=error", "/search?q=a_module", "/modules?state=failing"]
    found += [
        "/nowhere",
        "/modules/4711",
        "/runs/4711",
        "/audit?user=nobody",
        "/alerts/channels/new?kind=mail",
        f"/modules/new?from={ids['module_id']}",
    ]
    return sorted(set(found) - {"/login"})


def furnish(house: House) -> dict[str, object]:
    """One of everything, with long names; the ids by the names of the routes' parameters."""
    db = house.db
    mark = {"name": "since", "connection_id": house.shop.id, "resolver_sql": "select 0", "default_value": "0"}
    hook = {"sql": "select 1", "run_on": "success"}
    query = "select * from orders where order_no > {since}"
    module = house.add(LONG, query, table="tidy", watermarks=[mark], hooks=[hook])
    edit.update(db, edit.MODULE, "ana", module.id, notes="It has a version now.")
    failing = house.add(f"bad_{LONG[:50]}", "select no_such_column from orders")
    group = repo.create_group(db, name=f"group {LONG}")
    for item in (module, failing):
        repo.create_member(db, group_id=group.id, module_id=item.id)
    schedule = repo.create_schedule(db, group_id=group.id, cron="0 4 * * *", enabled=False)
    repo.create_group_run(db, group.id, triggered_by="manual")
    group_run = repo.list_group_runs(db, group_id=group.id)[0]
    assert house.wait(lambda: repo.get_group_run(db, group_run.id).status == "error")
    house.secrets.set("TIDY_PASSWORD", "nobody knows")
    house.add_person("ana")
    house.add_person("zoe")
    ana = repo.get_user_by_name(db, "ana")
    repo.create_token(db, ana.id, "a script")
    repo.save_draft(db, ana.id, "0123456789abcdef", title="a draft", step="sql", form=DRAFT)
    archived = repo.ArchivedRun(first_id="1", module=LONG, status="success", record={"stdout": "one\ntwo", "rows": 2})
    repo.keep_archived_runs(db, [archived])
    settings = {"url": "https://hooks.example.com/x"}
    channel = alert_channels.create_channel(db, name=f"hook {LONG}", kind="webhook", settings=settings)
    alert_channels.note_unsent(db, channel.id, "The address answers 503 Service Unavailable.", repo.wall_clock())
    rule = alert_channels.create_rule(db, channel_id=channel.id, events=["failed"], group_id=group.id)
    told = {"module": LONG, "run_id": 1}
    alerts.add_alert(db, rule, event="failed", subject="module:1", facts=told, due_at=repo.wall_clock())
    alert_channels.update_rule(db, rule.id, enabled=False)
    folder = house.config.jar_folder
    folder.mkdir(parents=True, exist_ok=True)
    write_jar(folder / "h2.jar")
    register(db, house.config, kind="h2", jar="h2.jar", java_class="", url_template="", user="tests")
    return {
        "module_id": module.id,
        "number": 2,
        "failing_id": failing.id,
        "archived_id": repo.list_archived_runs(db)[0].id,
        "run_id": repo.list_runs(db, module=module.id)[0].id,
        "failed_id": repo.list_runs(db, module=failing.id)[0].id,
        "group_id": group.id,
        "schedule_id": schedule.id,
        "group_run_id": group_run.id,
        "channel_id": channel.id,
        "rule_id": rule.id,
        "connection_id": house.shop.id,
        "user_id": repo.get_user_by_name(db, "zoe").id,
        "token_id": repo.list_tokens(db, ana.id)[0].id,
        "name": "TIDY_PASSWORD",
        "key": "0123456789abcdef",
        "kind": "h2",
    }


DRAFT = {"values": {"entry_mode": "sql", "query": "select 1 as one", "source_id": "1"}, "rows": {}}


def test_no_page_has_a_serious_accessibility_problem_in_light_or_dark(
    new_desk: Callable[..., Desk], addresses: list[str]
) -> None:
    desk = new_desk()
    desk.sit_down()
    assert len(addresses) > 50
    for path in addresses:
        desk.go(path)
        assert desk.page.locator("h1").count() == 1, path
        for scheme in ("light", "dark"):
            desk.page.emulate_media(color_scheme=scheme)
            desk.look(f"{scheme} {path}")


WIDE = """() => {
  const right = document.documentElement.clientWidth;
  const cells = [...document.querySelectorAll("table.list:not(.grid) td")];
  const cut = cells.filter((cell) => cell.getBoundingClientRect().right > right);
  return document.documentElement.scrollWidth - right + cut.length;
}"""


def test_no_page_is_wider_than_a_phone_and_no_list_is_cut_there(
    new_desk: Callable[..., Desk], addresses: list[str]
) -> None:
    desk = new_desk(viewport={"width": 390, "height": 844})
    desk.sit_down()
    assert {path: over for path in addresses if (over := measure(desk, path, WIDE)) > 0} == {}


def measure(desk: Desk, path: str, script: str) -> int:
    desk.go(path)
    over: int = desk.page.evaluate(script)
    return over


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_a_viewer_may_not_do_is_said_on_a_page_that_is_accessible_too(
    new_desk: Callable[..., Desk], house: House, scheme: str
) -> None:
    house.add_person("vic", role="viewer")
    desk = new_desk(color_scheme=scheme)
    desk.sit_down("vic")
    page = desk.go("/modules/new")
    desk.see("This needs the role admin; vic is viewer.")
    desk.look(f"{scheme} 403")
    assert page.locator("main a").count() >= 1

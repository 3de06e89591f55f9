# One act on many modules of the list, by its form as a browser without scripts sends it.
"""`POST /modules/bulk/*` and the ticks of the list."""

import pytest

from pipekit import repo
from pipekit.models import Module
from tests.pages.site import Page, Site, Visitor

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}


@pytest.fixture
def three(site: Site) -> list[Module]:
    """Modules a, b and c."""
    return [site.make_module(name) for name in "abc"]


def act(visitor: Visitor, name: str, *modules: Module, **more: str) -> Page:
    """What the list's form sends with some modules ticked."""
    form = visitor.get("/modules?q=&sort=status").form("#act")
    data = form | {"id": [str(module.id) for module in modules]} | more
    return visitor.post(f"/modules/bulk/{name}", data, headers=HTML)


def follow(visitor: Visitor, answer: Page) -> Page:
    assert answer.status == 303, answer.text
    return visitor.get(answer.answer.headers["location"])


def test_every_line_has_a_tick_and_a_form_that_works_without_scripts(
    site: Site, three: list[Module], ana: Visitor, otto: Visitor, vera: Visitor
) -> None:
    page = ana.get("/modules")
    ticks = page.all("td.pick input[type=checkbox][name=id][form=act]")
    assert [node.attributes["value"] for node in ticks] == [str(module.id) for module in three]
    assert [node.attributes["aria-label"] for node in ticks] == ["Choose a", "Choose b", "Choose c"]
    assert page.texts(".bulk button") == ["Run", "Dry run", "Enable", "Disable", "Delete"]
    assert otto.get("/modules").texts(".bulk button") == ["Run", "Dry run"]
    assert not vera.get("/modules").has(".bulk, .pick")


def test_the_chosen_modules_are_asked_to_run_and_busy_ones_are_left(
    site: Site, three: list[Module], otto: Visitor
) -> None:
    a, b, c = three
    page = follow(otto, act(otto, "run", a, b, dry_run="1"))
    notice = page.one(".notice")
    assert notice.text().split("  ")[0].strip().startswith("2 modules are asked to run.")
    link = notice.css_first("a")
    assert link is not None
    assert otto.get(link.attributes["href"] or "").texts(".row-link") == ["2", "1"]
    assert {(run.module, run.status, run.dry_run) for run in repo.list_runs(site.db)} == {
        ("a", "queued", True),
        ("b", "queued", True),
    }
    assert (
        "1 module is asked to run. 2 modules are running or waiting already."
        in follow(otto, act(otto, "run", a, b, c)).text
    )
    data = {"id": [str(a.id), str(c.id)]}
    answer = otto.post("/modules/bulk/run", data, headers=JSON).answer
    assert (answer.status_code, answer.json()) == (202, {"run_ids": [], "busy": ["a", "c"]})


def test_the_list_comes_back_as_it_was(site: Site, three: list[Module], ana: Visitor) -> None:
    answer = act(ana, "disable", three[0])
    assert answer.answer.headers["location"] == "/modules?sort=status&bulk=disable&done=1&left=0"
    for bad in ("//evil", "https://evil", "/modules?x=\\", "/runs"):
        assert act(ana, "enable", three[0], next=bad).answer.headers["location"].startswith("/modules?bulk=")


def test_modules_are_enabled_and_disabled_together_with_who_did_it(
    site: Site, three: list[Module], ana: Visitor, otto: Visitor
) -> None:
    a, b, c = three
    repo.update_module(site.db, a.id, enabled=False)
    assert "2 modules are disabled. 1 module is disabled already." in follow(ana, act(ana, "disable", *three)).text
    assert [module.enabled for module in repo.list_modules(site.db)] == [False] * 3
    answer = ana.post("/modules/bulk/enable", {"id": [str(b.id)]}, headers=JSON).answer
    assert answer.json() == {"changed": [b.id]}
    assert [entry.name for entry in repo.list_audit(site.db, kind="module")] == ["b", "c", "b"]
    assert act(otto, "disable", c).status == 403


def test_modules_are_put_into_a_group_once_each(site: Site, three: list[Module], ana: Visitor) -> None:
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=three[1].id, run_order=1)
    page = follow(ana, act(ana, "group", *three, group_id=str(group.id)))
    assert "2 modules are put into the group. 1 module is in it already." in page.text
    members = [(m.module_id, m.run_order) for m in repo.list_members(site.db, group.id)]
    assert members == [(three[1].id, 1), (three[0].id, 2), (three[2].id, 3)]
    for bad in ("", "999", "x"):
        assert act(ana, "group", *three, group_id=bad).status == 422


def test_what_is_deleted_is_named_and_asked_for_before(site: Site, three: list[Module], ana: Visitor) -> None:
    a, b, _ = three
    page = act(ana, "delete", a, b)
    assert page.status == 200
    assert "the module a, with its query" in page.text
    assert "the tables a, b" in page.text
    assert len(repo.list_modules(site.db)) == 3
    form = page.form("form.stack")
    assert (form["id"], form["next"]) == ([str(a.id), str(b.id)], "/modules?sort=status")
    assert ana.post("/modules/bulk/delete", form | {"confirm": "delete"}, headers=HTML).status == 422
    told = follow(ana, ana.post("/modules/bulk/delete", form | {"confirm": "delete 2 modules"}, headers=HTML))
    assert "2 modules are deleted." in told.text
    assert [module.name for module in repo.list_modules(site.db)] == ["c"]


def test_one_that_cannot_go_keeps_all(site: Site, three: list[Module], ana: Visitor) -> None:
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=three[2].id, run_order=1)
    page = act(ana, "delete", *three)
    assert "take c out of their groups first" in page.text
    assert not page.has("form.stack")
    refused = act(ana, "delete", *three, confirm="delete 3 modules")
    assert (refused.status, "take c out of their groups first" in refused.text) == (409, True)
    assert len(repo.list_modules(site.db)) == 3


def test_the_chosen_modules_are_taken_out_of_a_group(site: Site, three: list[Module], ana: Visitor) -> None:
    a, b, c = three
    group = repo.create_group(site.db, name="nightly")
    for place, module in enumerate((a, b), 1):
        repo.create_member(site.db, group_id=group.id, module_id=module.id, run_order=place)
    told = follow(ana, act(ana, "ungroup", b, c, group_id=str(group.id))).text
    assert "1 module is taken out of the group. 1 module is not in it." in told
    assert [member.module_id for member in repo.list_members(site.db, group.id)] == [a.id]
    assert act(ana, "ungroup", a).status == 422


def test_without_a_tick_nothing_happens_and_that_is_said(site: Site, three: list[Module], ana: Visitor) -> None:
    for name in ("run", "enable", "disable", "delete"):
        assert "No module was chosen" in follow(ana, act(ana, name)).text
    assert "chosen" not in ana.get("/modules?bulk=run&done=<b>&left=1").text.replace("With the chosen", "")
    stranger = ana.post("/modules/bulk/run", {"id": ["999", "x", "²"]}, headers=JSON).answer
    assert (stranger.status_code, stranger.json()) == (202, {"run_ids": [], "busy": []})


def test_the_list_is_sorted_by_the_next_time_and_found_by_the_group(
    site: Site, three: list[Module], vera: Visitor
) -> None:
    a, _, c = three
    for name, cron, member in (("far", "0 0 1 1 *", a), ("soon", "* * * * *", c)):
        group = repo.create_group(site.db, name=name)
        repo.create_member(site.db, group_id=group.id, module_id=member.id, run_order=1)
        repo.create_schedule(site.db, group_id=group.id, cron=cron)
    names = ".row-link"
    assert vera.get("/modules?sort=next").texts(names) == ["c", "a", "b"]
    assert vera.get("/modules?sort=next&desc=1").texts(names) == ["a", "c", "b"]
    assert vera.get("/modules?q=soon").texts(names) == ["c"]
    repo.update_module(site.db, c.id, enabled=False)
    assert vera.get("/modules?sort=next").texts(names) == ["a", "b", "c"]

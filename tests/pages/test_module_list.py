# The list of modules: what a line shows, filters in the address, sorting, pages.
"""`/modules`."""

from pipekit import repo
from tests.pages.records import make_run, start_run
from tests.pages.site import Page, Site, Visitor


def names(page: Page) -> list[str]:
    return page.texts("table.list .row-link")


def test_without_modules_the_page_says_what_to_do_next(ana: Visitor, vera: Visitor) -> None:
    assert ana.get("/modules").one(".empty a").attributes["href"] == "/wizard"
    assert "An admin can make one" in vera.get("/modules").text


def test_a_line_shows_where_from_where_to_and_what_happened_last(site: Site, ana: Visitor) -> None:
    module = site.make_module("orders", dest_table="public.orders")
    run = make_run(site, module)
    page = ana.get("/modules")
    cells = page.texts("table.list tbody td:not(.pick)")
    assert cells[0] == "orders"
    assert cells[1] == "shop → dw public.orders"
    assert cells[4:6] == ["success", "1 204"]
    assert page.one("table.list .status").attributes["href"] == f"/runs/{run.id}"


def test_the_last_twelve_runs_are_bars_that_open_them(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    runs = [make_run(site, module) for _ in range(13)]
    failed = make_run(site, module, "error", error_stage="stage", error="gone")
    links = vera.get("/modules").all("svg.strip a")
    assert [link.attributes["href"] for link in links] == [f"/runs/{run.id}" for run in [*runs[2:], failed]]
    assert "fill-error" in (links[-1].html or "")


def test_filter_state_and_sort_stand_in_the_address_and_are_kept(site: Site, vera: Visitor) -> None:
    for name in ("orders", "order_lines", "prices"):
        site.make_module(name)
    assert names(vera.get("/modules?q=order")) == ["order_lines", "orders"]
    page = vera.get("/modules?q=order&desc=1")
    assert names(page) == ["orders", "order_lines"]
    assert page.one(".filters input[name=q]").attributes["value"] == "order"
    addresses = [node.attributes["href"] or "" for node in page.all(".choices a")]
    assert all("q=order" in address and "desc=1" in address for address in addresses)
    assert page.texts("th[aria-sort=descending]") == ["Name"]


def test_wildcards_of_the_filter_are_plain_characters(site: Site, vera: Visitor) -> None:
    site.make_module("a_b")
    site.make_module("axb")
    assert names(vera.get("/modules?q=a_b")) == ["a_b"]
    assert names(vera.get("/modules?q=%25")) == []


def test_failing_running_and_disabled_modules_are_found(site: Site, vera: Visitor) -> None:
    make_run(site, site.make_module("bad"), "error", error_stage="merge", error="no")
    start_run(site, site.make_module("busy"))
    site.make_module("off", enabled=False)
    make_run(site, site.make_module("good"))
    assert names(vera.get("/modules?state=failing")) == ["bad"]
    assert names(vera.get("/modules?state=running")) == ["busy"]
    assert names(vera.get("/modules?state=disabled")) == ["off"]


def test_an_address_that_makes_no_sense_shows_the_plain_list(site: Site, vera: Visitor) -> None:
    site.make_module()
    for address in ("?sort=nonsense", "?state=nonsense", "?page=-1", "?page=99999999999999999999", "?page=7"):
        assert names(vera.get(f"/modules{address}")) == ["orders"]


def test_many_modules_come_in_pages(site: Site, vera: Visitor) -> None:
    for number in range(51):
        site.make_module(f"m{number:02d}")
    page = vera.get("/modules")
    assert len(names(page)) == 50
    assert page.one("a[rel=next]").attributes["href"] == "/modules?page=2"
    assert names(vera.get("/modules?page=2")) == ["m50"]


def test_groups_and_the_next_time_are_shown(site: Site, vera: Visitor) -> None:
    module = site.make_module()
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=module.id)
    repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    page = vera.get("/modules")
    assert page.texts(".badge") == ["nightly"]
    assert "04:00" in page.texts("table.list tbody td")


def test_roles_decide_about_buttons(site: Site, ana: Visitor, otto: Visitor, vera: Visitor) -> None:
    module = site.make_module()
    assert not vera.get("/modules").has("table.list button")
    addresses = [node.attributes["formaction"] for node in otto.get("/modules").all("table.list button")]
    assert addresses == [f"/modules/{module.id}/run"] * 2
    page = ana.get("/modules")
    assert page.one("[role=switch]").attributes["aria-checked"] == "true"
    assert page.one("[role=switch]").attributes["formaction"] == f"/modules/{module.id}/disable"
    assert page.texts(".row-actions button") == ["Run", "Dry run"]

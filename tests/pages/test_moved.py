# Addresses that people have in bookmarks and scripts. Asserts nothing of the pages behind them.
"""Every address that the first Pipekit had leads to a page that answers."""

import re

import pytest

from pipekit import repo
from tests.pages.site import Site, Visitor

LEADS = {
    "/watermarks/{watermark}/edit": r"/modules/(\d+)/edit#wm-{watermark}",
    "/watermarks/{watermark}": r"/modules/(\d+)/edit#wm-{watermark}",
    "/hooks/{hook}/edit": r"/modules/(\d+)/edit#hook-{hook}",
    "/hooks/{hook}": r"/modules/(\d+)/edit#hook-{hook}",
    "/modules/{module}/watermarks/new": r"/modules/{module}/edit",
    "/modules/{module}/hooks/new": r"/modules/{module}/edit",
    "/modules/{module}/columns": r"/modules/{module}",
    "/schedules/{schedule}/edit": r"/groups/{group}",
    "/schedules/{schedule}": r"/groups/{group}",
    "/watermarks": r"/modules",
    "/hooks": r"/modules",
    "/schedules": r"/groups",
    "/openapi.json": r"/api/openapi\.json",
    "/wizard/sql/columns": r"/wizard/sql",
    "/wizard/dest": r"/wizard",
    "/wizard/create": r"/wizard",
}


@pytest.fixture
def ids(site: Site) -> dict[str, int]:
    """One of each noun, whose ids differ from each other."""
    site.make_module("other")
    module = site.make_module("orders")
    dest = module.dest_id
    for name in ("a", "b"):
        mark = repo.create_watermark(
            site.db, module_id=module.id, connection_id=dest, name=name, resolver_sql="select 1"
        )
    hooks = [repo.create_hook(site.db, module_id=module.id, sql=f"select {n}") for n in range(4)]
    group = repo.create_group(site.db, name="nightly")
    for hour in range(5):
        schedule = repo.create_schedule(site.db, group_id=group.id, cron=f"0 {hour} * * *")
    return {
        "module": module.id,
        "watermark": mark.id,
        "hook": hooks[-1].id,
        "group": group.id,
        "schedule": schedule.id,
    }


@pytest.mark.parametrize("address", LEADS)
def test_an_old_address_leads_to_a_page_that_answers(ids: dict[str, int], ana: Visitor, address: str) -> None:
    def fill(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: str(ids[found[1]]), text)

    answer = ana.get(fill(address))
    location = answer.answer.headers["location"]
    assert answer.status == 303
    assert re.fullmatch(fill(LEADS[address]), location)
    if not location.startswith("/api/"):
        page, _, place = location.partition("#")
        shown = ana.get(page)
        assert shown.status == 200
        assert not place or shown.has(f"#{place}")


@pytest.mark.parametrize("address", ["/watermarks/77/edit", "/hooks/77", "/schedules/77/edit", "/modules/77/columns"])
def test_an_old_address_of_what_is_gone_says_so(site: Site, ana: Visitor, address: str) -> None:
    page = ana.get(address)
    assert page.status == 404
    assert "no such page" not in page.text


@pytest.mark.parametrize("path", ["/health", "/api/health"])
def test_health_answers_whoever_asks_for_all_of_it_or_its_head(site: Site, path: str) -> None:
    client = site.new_client()
    assert client.get(path).json()["status"] == "ok"
    assert client.head(path).status_code == 200

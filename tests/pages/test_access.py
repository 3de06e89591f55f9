# Who gets in and who may do what, over every route of the application. Knows no page's content.
"""Sessions, roles, CSRF and other sites' pages."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from fastapi.routing import APIRoute

from pipekit import repo
from pipekit.api import openapi
from pipekit.api.routes import ROUTERS as API_ROUTERS
from pipekit.web.app import ROUTERS as WEB_ROUTERS
from tests.pages.site import Page, Site, Visitor

OPEN = {"/login", "/health", "/api/health"}
# What is for programs asks for a token instead of leading to the login.
FOR_PROGRAMS = ("/api/", "/metrics")


def list_routes(method: str) -> Iterator[str]:
    """Every path of a method, its parameters filled with 1."""
    for router in (*API_ROUTERS, openapi.router, *WEB_ROUTERS):
        for route in router.routes:
            if isinstance(route, APIRoute) and method in (route.methods or ()):
                yield re.sub(r"\{[^}]*\}", "1", route.path)


def list_page_posts() -> list[str]:
    """What forms of pages post to, logins aside."""
    return [path for path in list_routes("POST") if not path.startswith("/api/") and path != "/login"]


def test_the_lists_of_routes_are_not_empty() -> None:
    assert len(list(list_routes("GET"))) > 50
    assert len(list_page_posts()) > 25


def test_without_a_session_every_page_but_login_and_health_leads_to_the_login(site: Site) -> None:
    client = site.new_client()
    for path in set(list_routes("GET")) - OPEN:
        answer = client.get(path)
        if path.startswith(FOR_PROGRAMS):
            assert answer.status_code == 401, path
        else:
            led_to = answer.headers.get("location", "").partition("?")[0]
            assert (answer.status_code, led_to) == (303, "/login"), path


def test_without_a_session_nothing_can_be_posted(site: Site) -> None:
    client = site.new_client()
    for path in set(list_routes("POST")) - OPEN:
        status = client.post(path, data={"csrf": "x"}).status_code
        assert status == (401 if path.startswith("/api/") else 303), path


def test_looking_at_every_page_changes_nothing(site: Site, ana: Visitor) -> None:
    site.make_module()
    group = repo.create_group(site.db, name="nightly")
    repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    with closing(sqlite3.connect(site.config.state_path)) as state:
        before = list(state.iterdump())
        for path in sorted(set(list_routes("GET"))):
            ana.client.get(path)
        assert list(state.iterdump()) == before


def test_every_post_without_the_sessions_value_is_refused(site: Site, ana: Visitor) -> None:
    for path in list_page_posts():
        for data in ({}, {"csrf": "wrong"}):
            page = Page(ana.client.post(path, data=data))
            assert page.status == 403, path
            assert "too old or came from elsewhere" in page.text, path


def test_the_value_of_another_session_is_refused(site: Site, ana: Visitor) -> None:
    other = site.visit("ana")
    assert Page(ana.client.post("/settings/pause", data={"csrf": other.csrf})).status == 403


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_post_from_another_sites_page_is_refused(site: Site, ana: Visitor, headers: dict[str, str]) -> None:
    page = ana.post("/settings/pause", headers=headers)
    assert page.status == 403
    assert "came from another site" in page.text
    assert not repo.is_paused(site.db)
    assert Page(site.new_client().post("/login", data={"name": "ana"}, headers=headers)).status == 403


def test_a_post_from_our_own_page_is_taken(site: Site, ana: Visitor) -> None:
    assert ana.post("/settings/pause", headers={"Origin": "http://localhost"}).status == 303
    assert repo.is_paused(site.db)


OPERATORS_POSTS = re.compile(
    r"/logout|/account/.*|/settings/(pause|resume|theme)|/(modules|groups)/1/run|/groups/1/(pause|resume)"
    r"|/(runs|group-runs)/1/(cancel|rerun|drop)|/runs/1/undo|/modules/bulk/run|/connections/1/test|/modules/1/dest"
)
VIEWERS_POSTS = re.compile(r"/logout|/account/.*|/settings/theme")


@pytest.mark.parametrize(("name", "allowed"), [("vera", VIEWERS_POSTS), ("otto", OPERATORS_POSTS)])
def test_only_admins_define(site: Site, name: str, allowed: re.Pattern[str]) -> None:
    site.make_module()
    visitor = site.visit(name)
    for path in list_page_posts():
        if allowed.fullmatch(path):
            continue
        page = visitor.post(path)
        assert page.status == 403, path
        assert "This needs the role" in page.text, path


def test_an_operator_runs_and_a_viewer_does_not(site: Site, otto: Visitor, vera: Visitor) -> None:
    module = site.make_module()
    assert vera.post(f"/modules/{module.id}/run").status == 403
    answer = otto.post(f"/modules/{module.id}/run").answer
    assert answer.status_code == 202
    assert repo.get_run(site.db, answer.json()["run_id"]).triggered_by == "user:otto"


@pytest.mark.parametrize("path", ["/connections", "/connections/1", "/groups", "/groups/1", "/secrets", "/settings"])
def test_a_viewer_sees_pages_without_buttons(site: Site, vera: Visitor, path: str) -> None:
    module = site.make_module()
    group = repo.create_group(site.db, name="nightly")
    repo.create_member(site.db, group_id=group.id, module_id=module.id)
    repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    site.secrets.set("DW_PASSWORD", "hush hush")
    page = vera.get(path)
    assert page.status == 200
    actions = [form.attributes.get("action") or "" for form in page.all("form[method=post]")]
    assert set(actions) <= {"/logout", "/settings/theme"}
    links = [link.attributes.get("href") or "" for link in page.all("main a")]
    assert [link for link in links if re.search(r"/(new|edit|delete|wizard)", link)] == []


@pytest.mark.parametrize("path", ["/nowhere", "/connections/abc", "/modules/4711", "/runs/99999999999999999999"])
def test_what_is_not_there_is_told_on_a_page_with_the_bar(site: Site, vera: Visitor, path: str) -> None:
    page = vera.get(path)
    assert page.status in (404, 422), path
    assert page.has("header.bar nav a")
    assert page.has(".problem")


def test_somebody_who_is_not_logged_in_sees_no_bar_where_nothing_is(site: Site) -> None:
    page = Page(site.new_client().get("/nowhere"))
    assert page.status == 404
    assert not page.has("header.bar")
    assert page.one("main p a").attributes["href"] == "/login"

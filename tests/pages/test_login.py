# Logging in and out in a browser's manner. Knows the login page alone.
"""The login, its throttle, and how sessions end."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from pipekit import repo
from pipekit.http import auth
from pipekit.http.auth import COOKIE
from pipekit.http.throttle import TRIES, TRIES_FOR_ONE_NAME, Budget, list_login_limits
from pipekit.passwords import hash_password
from tests.pages.site import Page, Site, Visitor
from tests.people import PASSWORD


def log_in(site: Site, name: str, password: str, address: str = "10.0.0.1") -> Page:
    client = TestClient(site.app, base_url="http://localhost", follow_redirects=False, client=(address, 50000))
    return Page(client.post("/login", data={"name": name, "password": password}))


def test_a_login_opens_a_session_whose_cookie_scripts_cannot_read(site: Site) -> None:
    page = log_in(site, "ana", PASSWORD)
    assert page.status == 303
    cookie = page.answer.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize("name", ["ana", "nobody"])
def test_a_wrong_login_keeps_the_name_and_does_not_tell_whether_it_exists(site: Site, name: str) -> None:
    page = log_in(site, name, "wrong password")
    assert page.status == 401
    assert page.texts(".problem") == ["The name or the password is wrong."]
    assert page.one("input[name=name]").attributes["value"] == name
    assert "wrong password" not in page.html


def test_after_five_failures_a_minute_of_waiting_is_asked_for(site: Site) -> None:
    assert [log_in(site, "ana", "wrong").status for _ in range(6)] == [401] * 5 + [429]
    page = log_in(site, "ana", PASSWORD)
    assert page.status == 429
    assert "Wait a minute" in page.text
    assert log_in(site, "otto", PASSWORD).status == 303
    assert log_in(site, "ana", PASSWORD, "10.0.0.2").status == 303


def test_many_guesses_at_a_name_do_not_keep_its_person_out_of_known_places(site: Site) -> None:
    assert log_in(site, "ana", PASSWORD, "10.0.0.1").status == 303
    limits = list_login_limits("ana", "elsewhere", is_known=False)
    for _ in range(TRIES_FOR_ONE_NAME):
        auth.THROTTLE.note_failure(limits)
    assert log_in(site, "ana", PASSWORD, "10.0.0.2").status == 429
    assert log_in(site, "ana", PASSWORD, "10.0.0.1").status == 303


def test_many_guesses_at_once_are_few_guesses(site: Site) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: log_in(site, "ana", "wrong").status, range(40)))
    # Two are looked at together, so one may be looked at beyond the limit.
    assert statuses.count(401) in (TRIES, TRIES + 1)
    assert set(statuses) == {401, 429}


def test_logins_are_in_the_audit_trail_with_where_they_came_from(site: Site) -> None:
    log_in(site, "Ana", PASSWORD, "10.0.0.1")
    log_in(site, "otto", "wrong", "10.0.0.2")
    log_in(site, "nobody at all", "wrong", "10.0.0.3")
    log_in(site, "x" * 5000, "wrong", "10.0.0.4")
    told = [(e.user, e.action, e.name, e.detail["from"]) for e in repo.list_audit(site.db, kind="login")]
    assert told == [
        ("-", "refuse", "xx...", "10.0.0.4"),
        ("-", "refuse", "no...", "10.0.0.3"),
        ("-", "refuse", "otto", "10.0.0.2"),
        ("ana", "accept", "ana", "10.0.0.1"),
    ]


def test_nobody_fills_the_audit_trail_with_guesses(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REFUSALS", Budget(3, 3600.0))
    for n in range(6):
        log_in(site, f"nobody {n}", "wrong", f"10.0.0.{n}")
    assert len(repo.list_audit(site.db, kind="login")) == 3


def test_a_login_ends_the_session_that_this_browser_had(ana: Visitor) -> None:
    old = ana.client.cookies[COOKIE]
    answer = ana.client.post("/login", data={"name": "ana", "password": PASSWORD})
    new = answer.cookies[COOKIE]
    assert len({old, new}) == 2
    assert min(len(old), len(new)) >= 43  # 256 bits, six a character
    seen = {}
    for value in (old, new):
        ana.client.cookies.clear()
        ana.client.cookies.set(COOKIE, value)
        seen[value] = ana.get("/account").status
    assert seen == {old: 303, new: 200}


def test_a_session_ends_at_logout(ana: Visitor) -> None:
    cookie = ana.client.cookies[COOKIE]
    assert ana.post("/logout").answer.headers["location"].startswith("/login")
    ana.client.cookies.set(COOKIE, cookie)
    assert ana.get("/account").answer.headers["location"].startswith("/login")


def test_a_session_ends_when_the_password_changes(site: Site, vera: Visitor) -> None:
    assert vera.get("/account").status == 200
    user = repo.get_user_by_name(site.db, "vera")
    repo.update_user(site.db, user.id, password_hash=hash_password("another password"))
    assert vera.get("/account").answer.headers["location"].startswith("/login")


def test_an_expired_session_sends_htmx_to_the_login(site: Site) -> None:
    page = Page(site.new_client().get("/account", headers={"HX-Request": "true"}))
    assert page.status == 401
    assert page.answer.headers["hx-redirect"] == "/login"


def test_that_a_session_is_used_is_written_down_once_a_minute(site: Site, vera: Visitor) -> None:
    def read() -> str:
        return str(site.db.rows("SELECT last_seen_at FROM session")[0]["last_seen_at"])

    first = read()
    vera.get("/account")
    assert read() == first
    site.db.execute(
        "UPDATE session SET last_seen_at = ?", (repo.format_moment(datetime.now(UTC) - timedelta(hours=1)),)
    )
    vera.get("/account")
    assert read() >= first


def test_a_session_that_was_not_used_for_long_has_ended(site: Site, vera: Visitor) -> None:
    site.db.execute(
        "UPDATE session SET last_seen_at = ?", (repo.format_moment(datetime.now(UTC) - timedelta(hours=9)),)
    )
    assert vera.get("/account").answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", ["/runs/4711?tab=sql", "/modules?q=a%20b&state=failing", "/drivers"])
def test_a_login_leads_to_the_page_that_was_asked_for(site: Site, path: str) -> None:
    client = site.new_client()
    form = Page(client.get(client.get(path).headers["location"]))
    sent = {**form.form("main form"), "name": "vera", "password": "wrong"}
    again = Page(client.post("/login", data=sent))
    assert again.status == 401
    sent = {**again.form("main form"), "password": PASSWORD}
    answer = client.post("/login", data=sent)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert client.get("/login", params={"next": path}).headers["location"] == path


def test_a_fragments_login_leads_back_to_its_page(site: Site) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/runs/7?tab=merge"}
    answer = site.new_client().get("/runs/7/live", headers=headers)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login?next=%2Fruns%2F7%3Ftab%3Dmerge")


@pytest.mark.parametrize("asked", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "evil", ""])
def test_a_login_leads_to_no_other_site(site: Site, asked: str) -> None:
    answer = site.new_client().post("/login", data={"name": "vera", "password": PASSWORD, "next": asked})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")

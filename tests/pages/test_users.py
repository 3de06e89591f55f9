# Users, one's own account and tokens on their pages. Knows sessions from outside.
"""Making, changing and deleting users; passwords; tokens."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from pipekit import repo
from pipekit.http.auth import COOKIE
from tests.pages.site import Page, Site, Visitor
from tests.people import PASSWORD

NEW = "another password"


def log_in(site: Site, name: str, password: str) -> int:
    return Page(site.new_client().post("/login", data={"name": name, "password": password})).status


def test_a_user_is_made_and_can_log_in(site: Site, ana: Visitor) -> None:
    page = ana.post("/users", {"name": "zoe", "role": "operator", "password": NEW, "again": NEW})
    assert page.status == 303
    assert log_in(site, "zoe", NEW) == 303
    entry = repo.list_audit(site.db, kind="user")[0]
    assert (entry.kind, entry.name, dict(entry.detail)) == ("user", "zoe", {"role": [None, "operator"]})


def test_a_form_that_is_refused_keeps_everything_but_the_password(site: Site, ana: Visitor) -> None:
    page = ana.post("/users", {"name": "zoe", "role": "operator", "password": NEW, "again": "another passwort"})
    assert page.status == 422
    assert page.one("#p-again").text() == "The two passwords differ."
    assert page.one("input[name=role][checked]").attributes["value"] == "operator"
    assert NEW not in page.html
    short = ana.post("/users", {"name": "Otto", "role": "viewer", "password": "short", "again": "short"})
    assert "at least 8" in short.one("#p-password").text()
    taken = ana.post("/users", {"name": "Otto", "role": "viewer", "password": NEW, "again": NEW})
    assert "already" in taken.one("#p-name").text()
    strange = ana.post("/users", {"name": "zoe", "role": "king", "password": NEW, "again": NEW})
    assert "no role" in strange.one("#p-role").text()
    assert len(repo.list_users(site.db)) == 3


def test_a_role_and_a_switch_change_and_end_the_users_sessions(site: Site, ana: Visitor, vera: Visitor) -> None:
    user = repo.get_user_by_name(site.db, "vera")
    ana.post(f"/users/{user.id}", {"role": "operator"})
    assert repo.get_user(site.db, user.id).role == "operator"
    assert vera.get("/connections").status == 303
    ana.post(f"/users/{user.id}", {"enabled": "0"})
    assert log_in(site, "vera", PASSWORD) == 401
    assert repo.get_user(site.db, user.id).role == "operator"


def test_a_password_is_reset_without_the_old_one(site: Site, ana: Visitor) -> None:
    user = repo.get_user_by_name(site.db, "vera")
    assert ana.post(f"/users/{user.id}/password", {"password": NEW, "again": ""}).status == 422
    assert ana.post(f"/users/{user.id}/password", {"password": NEW, "again": NEW}).status == 303
    assert (log_in(site, "vera", PASSWORD), log_in(site, "vera", NEW)) == (401, 303)


def test_deleting_a_user_names_the_tokens_that_go(site: Site, ana: Visitor) -> None:
    user = repo.get_user_by_name(site.db, "vera")
    repo.create_token(site.db, user.id, "dashboard")
    assert "the token dashboard" in ana.get(f"/users/{user.id}/delete").text
    assert ana.post(f"/users/{user.id}/delete").status == 303
    assert repo.find_user_by_name(site.db, "vera") is None


def test_nobody_changes_or_deletes_himself(site: Site, ana: Visitor) -> None:
    me = repo.get_user_by_name(site.db, "ana")
    for path in (f"/users/{me.id}", f"/users/{me.id}/delete", f"/users/{me.id}/password"):
        assert ana.post(path, {"role": "viewer", "password": NEW, "again": NEW}).status == 409
    assert repo.get_user_by_name(site.db, "ana").role == "admin"


def test_users_are_for_admins(otto: Visitor) -> None:
    assert otto.get("/users").status == 403
    assert "/users" not in [a.attributes["href"] for a in otto.get("/account").all(".menu a")]


def test_ones_own_password_needs_the_old_one_and_ends_the_other_sessions(site: Site, vera: Visitor) -> None:
    elsewhere = site.visit("vera")
    wrong = vera.post("/account/password", {"current": "guess", "password": NEW, "again": NEW})
    assert wrong.status == 422
    assert wrong.one("#p-current").text() == "This is not your password."
    old = vera.client.cookies[COOKIE]
    page = vera.post("/account/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert page.answer.headers["location"] == "/account?changed=1"
    assert vera.get("/account").status == 200
    assert elsewhere.get("/account").status == 303
    stale = site.new_client()
    stale.cookies.set(COOKIE, old)
    assert stale.get("/account").status_code == 303
    assert log_in(site, "vera", NEW) == 303


@pytest.mark.parametrize("path", ["/login", "/account", "/users", "/users/2/password", "/secrets", "/connections/new"])
def test_fields_for_passwords_hide_them_and_let_programs_fill_them_in(site: Site, path: str) -> None:
    page = Page(site.new_client().get(path)) if path == "/login" else site.visit("ana").get(path)
    fields = page.all("input[autocomplete$=-password]")
    assert fields
    assert {field.attributes["type"] for field in fields} == {"password"}
    for selector in ("input[type=password]", "form[method=post] input[type=password]"):
        assert len(page.all(selector)) == len(fields)


def test_a_password_counts_with_its_blanks_and_capitals(site: Site, ana: Visitor) -> None:
    typed = "  Two Blanks before, one behind, and 64 characters or a few more of them "
    ana.post("/users", {"name": "zoe", "role": "viewer", "password": typed, "again": typed})
    tries = (typed, typed.strip(), typed.lower(), typed[:64])
    assert [log_in(site, "zoe", password) for password in tries] == [303, 401, 401, 401]


def test_guessing_the_password_of_an_open_session_is_throttled(site: Site, vera: Visitor) -> None:
    for _ in range(5):
        vera.post("/account/password", {"current": "guess", "password": NEW, "again": NEW})
    page = vera.post("/account/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert "Wait a minute" in page.one("#p-current").text()
    elsewhere = TestClient(site.app, base_url="http://localhost", cookies=vera.client.cookies, client=("10.9.9.9", 1))
    form = {"csrf": vera.csrf, "current": PASSWORD, "password": NEW, "again": NEW}
    assert "Wait a minute" in elsewhere.post("/account/password", data=form).text


def test_a_token_is_shown_once_works_and_is_revoked(site: Site, otto: Visitor) -> None:
    page = otto.post("/account/tokens", {"token_name": "nightly script"})
    assert page.status == 201
    value = page.one("pre.token").text()
    assert value not in otto.get("/account").html
    user = repo.find_token_user(site.db, value)
    assert user is not None
    assert user.name == "otto"
    again = otto.post("/account/tokens", {"token_name": "nightly script"})
    assert "already" in again.one("#p-token_name").text()
    token = repo.list_tokens(site.db, user.id)[0]
    assert "nightly script" in otto.get(f"/account/tokens/{token.id}/delete").text
    otto.post(f"/account/tokens/{token.id}/delete")
    assert repo.find_token_user(site.db, value) is None


def test_a_token_may_what_its_role_says_and_never_more_than_its_owner(site: Site, otto: Visitor) -> None:
    assert otto.post("/account/tokens", {"token_name": "up", "role": "admin"}).status == 422
    reads = otto.post("/account/tokens", {"token_name": "reads", "role": "viewer"}).one("pre.token").text()
    runs = otto.post("/account/tokens", {"token_name": "runs", "role": "operator"}).one("pre.token").text()
    user = repo.get_user_by_name(site.db, "otto")

    def roles() -> list[str]:
        return [found.role if (found := repo.find_token_user(site.db, value)) else "" for value in (reads, runs)]

    assert roles() == ["viewer", "operator"]
    repo.update_user(site.db, user.id, role="viewer")
    assert roles() == ["viewer", "viewer"]
    repo.update_user(site.db, user.id, role="admin")
    assert roles() == ["viewer", "operator"]
    site.db.execute("UPDATE token SET role = NULL, expires_at = NULL WHERE name = 'runs'")
    assert roles() == ["viewer", "admin"]


def test_a_token_ends_on_its_day_and_when_the_password_changes(site: Site, vera: Visitor) -> None:
    one, two = (
        vera.post("/account/tokens", {"token_name": name, "days": "30"}).one("pre.token").text() for name in "ab"
    )
    assert vera.post("/account/tokens", {"token_name": "c", "days": "-1"}).status == 422
    page = vera.get("/account")
    assert page.text.count(f"never {repo.format_moment(repo.wall_clock() + timedelta(days=30))[:10]}") == 2
    site.db.execute("UPDATE token SET expires_at = '2026-01-01T00:00:00.000Z' WHERE name = 'a'")
    assert (repo.find_token_user(site.db, one) is None, repo.find_token_user(site.db, two) is None) == (True, False)
    assert vera.get("/account").texts(".badge") == ["ended"]
    vera.post("/account/password", {"current": PASSWORD, "password": NEW, "again": NEW})
    assert repo.find_token_user(site.db, two) is None
    entry = repo.list_audit(site.db, kind="user")[0]
    assert dict(entry.detail) == {"password": ["(old)", "(new)"], "tokens": ["b, a", None]}


def test_a_common_password_is_refused_where_one_is_typed(site: Site, ana: Visitor) -> None:
    page = ana.post("/users", {"name": "zoe", "role": "viewer", "password": "password", "again": "password"})
    assert "15 characters or more are advised" in page.one("#p-password").text()
    page = ana.post("/account/password", {"current": PASSWORD, "password": "ana-2024", "again": "ana-2024"})
    assert "first that are tried" in page.one("#p-password").text()


def test_a_token_of_somebody_else_is_not_found(site: Site, vera: Visitor) -> None:
    user = repo.get_user_by_name(site.db, "ana")
    repo.create_token(site.db, user.id, "mine")
    token = repo.list_tokens(site.db, user.id)[0]
    assert vera.post(f"/account/tokens/{token.id}/delete").status == 404
    assert len(repo.list_tokens(site.db, user.id)) == 1

# Who may do what through the API: logins, roles, users, tokens, other sites' pages.
"""Rules for logging in and roles over HTTP."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pipekit.api.openapi import build_openapi
from tests.api.caller import Caller, Home
from tests.people import PASSWORD

OPERATIONS = [(method.upper(), path) for path, operations in build_openapi()["paths"].items() for method in operations]
# What somebody below an admin may do beyond reading.
OPERATOR = {
    "/api/modules/{ref}/run",
    "/api/groups/{ref}/run",
    "/api/groups/{ref}/pause",
    "/api/groups/{ref}/resume",
    "/api/runs/{id}/cancel",
    "/api/runs/{id}/preview",
    "/api/runs/{id}/undo",
    "/api/group-runs/{id}/cancel",
    "/api/group-runs/{id}/rerun",
    "/api/pause",
    "/api/resume",
    "/api/introspect/{ref}/test",
}
# A database's catalogue is looked into by who may define, as on the pages.
LOOKS = tuple(f"/api/introspect/{{ref}}/{what}" for what in ("schemas", "tables", "columns", "inventory"))
ADMIN_READS = ("/api/users", "/api/users/{id}", *LOOKS)


def send(caller: Caller, method: str, path: str) -> int:
    filled = (
        path.replace("{ref}", "nothing")
        .replace("{id}", "4711")
        .replace("{kind}", "nothing")
        .replace("{name}", "NOTHING")
    )
    body: dict[str, Any] = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    return caller.client.request(method, filled, **body).status_code


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.fixture(scope="module")
def everybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Caller]]:
    """Clients of everybody and, under "", of nobody; one installation for all operations."""
    home = Home(tmp_path_factory.mktemp("everybody"))
    yield {name: home.call(name or None) for name in ("", "vera", "otto", "ana")}
    home.close()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_but_health_needs_a_login(everybody: dict[str, Caller], method: str, path: str) -> None:
    expected = 200 if path == "/api/health" else 401
    assert send(everybody[""], method, path) == expected


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_asks_for_its_role(everybody: dict[str, Caller], method: str, path: str) -> None:
    needed = "admin"
    if path in OPERATOR:
        needed = "operator"
    if (method == "GET" and path not in ADMIN_READS) or path.startswith("/api/tokens"):
        needed = "viewer"
    refused = {name: send(everybody[name], method, path) == 403 for name in ("vera", "otto", "ana")}
    assert refused == {"vera": needed != "viewer", "otto": needed == "admin", "ana": False}


def test_many_requests_at_once_do_not_meet_in_one_state(home: Home, ana: Caller) -> None:
    with ana.client, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda number: ana.client.get("/api/modules").status_code, range(100)))
    assert answers == [200] * 100


def test_basic_logins_and_tokens_both_work(home: Home) -> None:
    nobody = home.call(None)
    assert nobody.get("/modules", headers=basic("ana", PASSWORD)) == []
    assert nobody.fail("GET", "/modules", 401, headers=basic("ana", "wrong"))["code"] == "Unauthorized"
    assert nobody.fail("GET", "/modules", 401, headers={"Authorization": "Bearer pk_wrong"})
    answer = nobody.client.get("/api/modules")
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("value", ["Basic", "Basic %%%", "Basic w6TDtg", "Basic \xe4", "Digest x", "Bearer", ""])
def test_a_header_that_says_nothing_is_no_login(home: Home, value: str) -> None:
    answer = home.call(None).client.get("/api/modules", headers=[(b"Authorization", value.encode("latin-1"))])
    assert answer.status_code == 401


def test_other_sites_pages_are_refused_even_with_a_login(home: Home, ana: Caller) -> None:
    for site in ("cross-site", "same-site"):
        headers = {**basic("ana", PASSWORD), "Sec-Fetch-Site": site}
        assert ana.fail("POST", "/groups", 403, {"name": "g"}, headers=headers)["code"] == "Forbidden"
    ana.get("/groups", headers={"Sec-Fetch-Site": "same-origin"})


def test_a_session_cookie_is_no_login_for_the_api(home: Home) -> None:
    client = home.call(None).client
    client.post("/login", data={"name": "ana", "password": PASSWORD})
    assert client.cookies
    assert client.get("/api/modules").status_code == 401


def test_users_are_made_changed_and_deleted_without_showing_a_hash(home: Home, ana: Caller) -> None:
    made = ana.post("/users", {"name": "udo", "password": "long enough"}, expect=201)
    assert set(made) == {"id", "name", "role", "enabled", "created_at", "last_login_at"}
    assert made["role"] == "viewer"
    nobody = home.call(None)
    assert nobody.get("/modules", headers=basic("udo", "long enough")) == []
    ana.patch(f"/users/{made['id']}", {"password": "another one", "role": "operator"})
    nobody.fail("GET", "/modules", 401, headers=basic("udo", "long enough"))
    ana.patch(f"/users/{made['id']}", {"enabled": False})
    nobody.fail("GET", "/modules", 401, headers=basic("udo", "another one"))
    ana.delete(f"/users/{made['id']}", expect=204)
    shown = str(ana.get("/audit")) + str(ana.get("/users"))
    assert "argon2" not in shown
    assert "another one" not in shown
    assert [e["action"] for e in ana.get("/audit?kind=user")] == ["delete", "change", "change", "create"]


def test_a_token_makes_no_token_that_may_more_or_lasts_longer(home: Home, ana: Caller) -> None:
    made = ana.post("/tokens", {"name": "reads", "role": "viewer", "days": 7}, expect=201)
    assert made["role"] == "viewer"
    reads = Caller(home.app, made["token"])
    reads.fail("GET", "/users", 403)
    assert reads.fail("POST", "/tokens", 422, {"name": "more", "role": "operator"})["field"] == "role"
    child = reads.post("/tokens", {"name": "longer", "days": 3650}, expect=201)
    assert (child["role"], child["expires_at"]) == ("viewer", made["expires_at"])
    assert ana.fail("POST", "/tokens", 422, {"name": "x", "days": 0})["field"] == "days"
    basic_made = home.call(None).post("/tokens", {"name": "basic"}, headers=basic("ana", PASSWORD))
    assert (basic_made["role"], basic_made["expires_at"] > child["expires_at"]) == ("admin", True)


def test_a_script_with_name_and_password_is_in_the_audit_trail_once(home: Home, ana: Caller) -> None:
    nobody = home.call(None)
    for _ in range(3):
        nobody.get("/modules", headers=basic("vera", PASSWORD))
    nobody.fail("GET", "/modules", 401, headers=basic("vera", "wrong"))
    told = [(e["action"], e["name"], e["detail"]) for e in ana.get("/audit?kind=login")]
    assert told == [
        ("refuse", "vera", {"from": "testclient"}),
        ("accept", "vera", {"from": "testclient", "by": "api"}),
    ]


def test_a_short_password_and_a_taken_name_are_refused(ana: Caller) -> None:
    assert ana.fail("POST", "/users", 422, {"name": "udo", "password": "short"})["field"] == "password"
    assert ana.fail("POST", "/users", 409, {"name": "ANA", "password": "long enough"})["code"] == "NameTaken"


def test_nobody_deletes_or_demotes_himself(ana: Caller) -> None:
    me = next(user for user in ana.get("/users") if user["name"] == "ana")["id"]
    ana.fail("DELETE", f"/users/{me}", 409)
    ana.fail("PATCH", f"/users/{me}", 409, {"role": "viewer"})


def test_a_token_is_shown_once_works_and_can_be_revoked(home: Home, vera: Caller, otto: Caller) -> None:
    made = vera.post("/tokens", {"name": "laptop"}, expect=201)
    mine = Caller(home.app, made["token"])
    assert mine.get("/modules") == []
    assert made["token"] not in str(mine.get("/tokens"))
    assert mine.get(f"/tokens/{made['id']}")["name"] == "laptop"
    otto.fail("DELETE", f"/tokens/{made['id']}", 404)
    vera.delete(f"/tokens/{made['id']}", expect=204)
    mine.fail("GET", "/modules", 401)

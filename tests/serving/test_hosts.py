# Names, proxies and HTTPS: what a request says of them and who is believed. Knows pages from outside.
"""`allowed_hosts`, `trusted_proxies`, `https`."""

from dataclasses import replace
from http.client import HTTPConnection
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pipekit.http.auth import COOKIE, HTTPS_COOKIE
from pipekit.http.throttle import TRIES
from pipekit.serving.app import create_app
from tests.api.caller import Home
from tests.people import PASSWORD
from tests.serving.conftest import OpenPort


def ask(home: Home, path: str, host: str, *, base: str = "http://127.0.0.1", **settings: Any) -> Any:
    app = create_app(replace(home.config, **settings), home.secrets, with_service=False)
    answer = TestClient(app, base_url=base, follow_redirects=False).get(path, headers={"Host": host})
    app.state.context.close()
    return answer


@pytest.mark.parametrize(
    ("host", "listed", "is_answered"),
    [
        ("localhost:8321", (), True),
        ("127.0.0.1:8321", (), True),
        ("[::1]:8321", (), True),
        ("10.1.2.3", (), True),
        ("pipekit.example.com", (), False),
        ("evil.example", (), False),
        ("localhost.evil.example", (), False),
        ("pipekit.example.com:443", ("pipekit.example.com",), True),
        ("PIPEKIT.example.com.", ("pipekit.example.com",), True),
        ("localhost", ("pipekit.example.com",), True),
        ("10.1.2.3", ("pipekit.example.com",), False),
        ("evil.example", ("*",), True),
    ],
)
def test_pages_that_are_asked_for_here_answer_to_names_of_this_machine_and_to_those_that_are_listed(
    home: Home, host: str, listed: tuple[str, ...], is_answered: bool
) -> None:
    page = ask(home, "/login", host, allowed_hosts=listed)
    call = ask(home, "/api/health", host, allowed_hosts=listed)
    assert [page.status_code, call.status_code] == ([200, 200] if is_answered else [400, 400])
    if not is_answered:
        assert "`allowed_hosts` in config.yaml" in page.text
        assert call.json()["error"]["code"] == "Invalid"


def test_from_elsewhere_any_name_is_answered_unless_names_are_listed(home: Home) -> None:
    there = "http://10.9.8.7"
    assert ask(home, "/login", "any.example", base=there).status_code == 200
    assert ask(home, "/login", "any.example", base=there, allowed_hosts=("one.example",)).status_code == 400


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/modules/?q=a%20b", 307, "/modules?q=a%20b"),
        ("/api/modules/", 307, "/api/modules"),
        ("/modules", 303, "/login?next=%2Fmodules"),
        ("//evil.example/", 404, None),
        ("/%2Fevil.example/", 404, None),
        ("/%5Cevil.example/", 307, "/%5Cevil.example"),
    ],
)
def test_no_redirect_names_the_host_that_was_asked_for(
    home: Home, path: str, status: int, location: str | None
) -> None:
    answer = ask(home, f"http://127.0.0.1{path}", "evil.example", allowed_hosts=("*",))
    assert (answer.status_code, answer.headers.get("location")) == (status, location)


def log_in(port: int, password: str, **headers: str) -> Any:
    client = HTTPConnection("127.0.0.1", port, timeout=30)
    form = {"Content-Type": "application/x-www-form-urlencoded", **{k.replace("_", "-"): v for k, v in headers.items()}}
    client.request("POST", "/login", f"name=ana&password={password.replace(' ', '+')}", form)
    answer = client.getresponse()
    answer.read()
    client.close()
    return answer


def test_forwarded_addresses_count_from_a_trusted_proxy_alone(open_port: OpenPort) -> None:
    port = open_port()
    guesses = [log_in(port, "wrong", X_Forwarded_For=f"10.0.0.{n}").status for n in range(TRIES + 1)]
    assert guesses == [401] * TRIES + [429]
    trusting = open_port(trusted_proxies=("127.0.0.0/8",))
    assert log_in(trusting, PASSWORD, X_Forwarded_For="10.0.0.99").status == 303


@pytest.mark.parametrize(
    ("settings", "headers", "is_https"),
    [
        ({}, {}, False),
        ({}, {"X_Forwarded_Proto": "https"}, False),
        ({"trusted_proxies": ("127.0.0.1",)}, {"X_Forwarded_Proto": "https"}, True),
        ({"https": True}, {}, True),
    ],
)
def test_behind_https_the_session_is_for_https_and_this_host_alone(
    open_port: OpenPort, settings: dict[str, Any], headers: dict[str, str], is_https: bool
) -> None:
    port = open_port(**settings)
    answer = log_in(port, PASSWORD, **headers)
    cookie = answer.getheader("set-cookie")
    assert cookie.startswith(f"{HTTPS_COOKIE if is_https else COOKIE}=")
    assert ("; Secure" in cookie, "; Path=/" in cookie, "Domain" in cookie) == (is_https, True, False)
    assert bool(answer.getheader("strict-transport-security")) == settings.get("https", False)
    value = cookie.partition(";")[0].partition("=")[2]
    client = HTTPConnection("127.0.0.1", port, timeout=30)
    seen = {}
    for name in (COOKIE, HTTPS_COOKIE):
        given = {key.replace("_", "-"): text for key, text in headers.items()}
        client.request("GET", "/account", headers={**given, "Cookie": f"{name}={value}"})
        seen[name] = (answer := client.getresponse()).status
        answer.read()
    client.close()
    assert seen == {COOKIE: 303 if is_https else 200, HTTPS_COOKIE: 200 if is_https else 303}

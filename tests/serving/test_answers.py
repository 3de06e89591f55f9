# What every answer says of itself, whatever it answers. Knows no page's content.
"""Types, characters, caches, and other sites."""

import pytest

from tests.api.caller import Home

HTML, JSON = "text/html; charset=utf-8", "application/json"


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/login", 200, HTML),
        ("/nowhere", 404, HTML),
        ("/api/health", 200, JSON),
        ("/api/modules", 401, JSON),
        ("/api/nowhere", 404, JSON),
        ("/static/icon.svg", 200, "image/svg+xml"),
    ],
)
def test_every_answer_says_what_it_is_and_in_which_characters(home: Home, path: str, status: int, kind: str) -> None:
    answer = home.call(None).client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_no_other_site_is_told_that_it_may_read(home: Home, method: str) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/login", "/api/health", "/api/modules", "/static/icon.svg"):
        answer = home.call("ana").client.request(method, path, headers=asked)
        assert [name for name in answer.headers if name.startswith("access-control")] == [], path


def test_no_page_is_kept_by_a_browser(home: Home) -> None:
    client = home.call("ana").client
    for path in ("/login", "/modules", "/api/modules", "/nowhere"):
        assert client.get(path).headers["cache-control"] == "no-store", path

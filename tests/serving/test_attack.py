# What the attack takes for right and for wrong. Starts no server.
"""`tests.attack.access.is_right`."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.attack.access import Route, is_right, list_routes, may_ask
from tests.attack.target import NOBODY
from tests.pages.site import Site
from tests.people import PEOPLE

ROUTES = {route.path: route for route in list_routes()}


def find(path: str) -> Route:
    return ROUTES[path]


@pytest.mark.parametrize(
    ("path", "method", "name", "right", "wrong"),
    [
        ("/api/modules", "GET", NOBODY, {401}, {200, 303, 403, 500}),
        ("/api/modules", "GET", "vera", {200}, {401, 403, 500}),
        ("/api/modules", "POST", "otto", {403}, {201, 401, 404, 422, 500}),
        ("/api/modules", "POST", "ana", {201, 422}, {401, 403, 500}),
        ("/api/modules/{ref}/run", "POST", "otto", {202, 404}, {403, 500}),
        ("/api/users", "GET", "otto", {403}, {200}),
        ("/api/users", "OPTIONS", "ana", {405}, {200, 204, 500}),
        ("/users", "GET", "vera", {403}, {200, 303}),
        ("/users", "GET", NOBODY, {303}, {200, 403}),
        ("/modules/{module_id}/run", "POST", "vera", {403}, {202, 303, 404}),
        ("/modules/{module_id}/edit", "GET", "otto", {403}, {200}),
        ("/health", "GET", NOBODY, {200}, {401, 403, 500}),
    ],
)
def test_an_answer_is_right_or_wrong_by_who_asked(
    path: str, method: str, name: str, right: set[int], wrong: set[int]
) -> None:
    assert {status for status in right | wrong if is_right(find(path), method, name, status)} == right


def test_what_the_attack_says_of_every_page_is_what_the_pages_do(tmp_path: Path) -> None:
    with closing(Site(tmp_path)) as site:
        visitors = {name: site.visit(name) for name in PEOPLE}
        pages = [route for route in list_routes() if "GET" in route.methods and not route.is_api]
        for route in pages:
            for name, visitor in visitors.items():
                path = route.fill("1" if may_ask(route, "GET", name) else "4711")
                status = visitor.get(path, follow_redirects=False).status
                assert is_right(route, "GET", name, status), f"{path} by {name}: {status}"

# Every route by every method for everybody, and what docs/users.md promises of it. Knows no server.
"""`list_routes`, `judge`: what a request must come to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi.routing import APIRoute

from pipekit.api import openapi
from pipekit.api.routes import ROUTERS as API_ROUTERS
from pipekit.models.people import Role
from pipekit.web import moved
from pipekit.web.app import ROUTERS as WEB_ROUTERS
from tests.api.test_access import ADMIN_READS, OPERATOR
from tests.attack.target import NOBODY
from tests.pages.test_access import FOR_PROGRAMS, OPEN, OPERATORS_POSTS, VIEWERS_POSTS
from tests.people import PEOPLE

# Addresses of earlier versions.
MOVED = [route.path for route in moved.router.routes if isinstance(route, APIRoute)]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
RANKS: tuple[Role, ...] = ("viewer", "operator", "admin")
# Pages of users, and those that only defining needs.
ADMINS_PAGES = re.compile(
    r"/users.*|/wizard(/(columns|drafts/.*|schema.*|sql|tables))?|/modules/1/columns.*|/alerts/(channels|rules)/1"
    r"|.*/(new|edit|delete)"
)
OPERATORS_PAGES = re.compile(r"/modules/1/run|/runs/1/undo")
# Of these everybody has some of the own; the others only lead to the page that asks.
VIEWERS_PAGES = re.compile(r"/account/.*|" + "|".join(re.sub(r"\{[^}]*\}", "1", path) for path in MOVED))
# What ends the session that asks for it, or begins another.
SESSIONS = ("/login", "/logout")


@dataclass(frozen=True)
class Route:
    """An address with everything that is answered there."""

    path: str
    methods: frozenset[str]

    @property
    def is_api(self) -> bool:
        return self.path.startswith(FOR_PROGRAMS)

    def fill(self, value: str) -> str:
        """The address, every part that differs being this."""
        return re.sub(r"\{[^}]*\}", value, self.path)


def list_routes() -> list[Route]:
    """Every route of the application by its path."""
    found: dict[str, set[str]] = {}
    for router in (*API_ROUTERS, openapi.router, *WEB_ROUTERS):
        for route in router.routes:
            if isinstance(route, APIRoute):
                found.setdefault(re.sub(r":\w+\}", "}", route.path), set()).update(route.methods or ())
    return [Route(path, frozenset(methods)) for path, methods in sorted(found.items())]


def may_ask(route: Route, method: str, name: str) -> bool:
    """Whether this person may."""
    needed = find_role(route, method)
    return needed is None or (name != NOBODY and RANKS.index(PEOPLE[name]) >= RANKS.index(needed))


def find_role(route: Route, method: str) -> Role | None:
    """Who may, at least; None: anybody."""
    if route.path in OPEN:
        return None
    return _find_api_role(route.path, method) if route.is_api else _find_page_role(route.fill("1"), method)


def _find_api_role(path: str, method: str) -> Role:
    if (method == "GET" and path not in ADMIN_READS) or path.startswith("/api/tokens"):
        return "viewer"
    return "operator" if path in OPERATOR else "admin"


def _find_page_role(path: str, method: str) -> Role:
    forms, pages = (VIEWERS_POSTS, OPERATORS_POSTS), (VIEWERS_PAGES, OPERATORS_PAGES)
    viewers, operators = forms if method == "POST" else pages
    if viewers.fullmatch(path):
        return "viewer"
    if operators.fullmatch(path):
        return "operator"
    return "admin" if method == "POST" or ADMINS_PAGES.fullmatch(path) else "viewer"


def is_right(route: Route, method: str, name: str, status: int) -> bool:
    """Whether this person's request may come to this status."""
    if method not in route.methods:
        return 400 <= status < 500 or (status == 303 and name == NOBODY)
    if may_ask(route, method, name):
        return 200 <= status < 500 and status not in (401, 403)
    nobody = 401 if route.is_api else 303
    return status == (nobody if name == NOBODY else 403)


def list_requests(routes: list[Route]) -> Iterator[tuple[Route, str, str]]:
    """Route, method and person of the matrix, logins and logouts aside."""
    for route in routes:
        for method in METHODS:
            for name in (NOBODY, *PEOPLE):
                if route.path not in SESSIONS or method != "POST":
                    yield route, method, name

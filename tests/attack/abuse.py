# What somebody sends who means harm: other sites' requests, too much, guesses, odd addresses. Judges each.
"""`ABUSES`: functions that take a target and give `Shot`s, one for each request."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator

from tests.attack.access import Route, list_routes
from tests.attack.shots import Shot
from tests.attack.target import NOBODY, Target
from tests.attack.waiting import send_and_stay
from tests.pages.test_access import OPEN
from tests.people import PEOPLE

REFUSED = range(400, 500)
JSON = {"Content-Type": "application/json"}

ODD_PATHS = (
    *(
        "//evil.example/",
        "/%2Fevil.example/",
        "/%5Cevil.example/",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
    ),
    *(
        "/static/..%2f..%2f..%2fetc/passwd",
        "/static/%2e%2e/%2e%2e/app.py",
        "/static/css/",
        "/static",
        "/static/nothing",
    ),
    *("/modules/%00", "/modules/-1", "/modules/0x1", "/modules/1e3", "/modules/99999999999999999999", "/modules/1;x=1"),
    *(
        "/runs/%ED%A0%80",
        "/runs/1%0d%0aX:%20y",
        "/secrets/%3Cscript%3E/delete",
        "/api",
        "/api/",
        "/api/nothing",
        "/API/modules",
    ),
    *(
        "/api/modules/%2e%2e",
        "/api/modules/..%2fusers",
        "/api/runs/9e9",
        "/api/runs?limit=-1",
        "/api/runs?limit=9" + "9" * 30,
    ),
    *("/runs?before=x&status=%00", "/audit?before=-9&kind=%F0%9F%92%A3", "/modules?q=%25%27%22%3B--", "/search?q=%00"),
    *("/.git/config", "/.env", "/pipekit.db", "/config.yaml", "/docs", "/openapi.json", "/login?next=//evil.example"),
)


ODD_PARTS = ("0", "-1", "9" * 20, str(2**63), "%00", "%ED%A0%80", "1%27--", "x" * 3000)


def send_foreign_forms(target: Target) -> Iterator[Shot]:
    """Every form of every page without the session's value, with another session's, and from another site."""
    ways = ("", "wrong", "other", "site")
    for route in _list_forms():
        for name in PEOPLE:
            client, other = target.clients[name], target.clients["vera" if name != "vera" else "ana"]
            for way in ways:
                csrf = {"": "", "wrong": "x" * 43, "other": other.csrf, "site": client.csrf}[way]
                headers = {"Origin": "https://evil.example"} if way == "site" else {}
                answer = client.post_form(route.fill("1"), {"csrf": csrf}, headers)
                yield Shot(f"POST {route.path} by {name}, value {way or 'none'}", answer, answer.status == 403)


def _list_forms() -> list[Route]:
    return [r for r in list_routes() if "POST" in r.methods and not r.is_api and r.path != "/login"]


def send_foreign_hosts(target: Target) -> Iterator[Shot]:
    """Every address that can be looked at, asked for under the name of another site; the API from its page."""
    for route in list_routes():
        if "GET" not in route.methods:
            continue
        for name in (NOBODY, "ana"):
            answer = target.clients[name].send("GET", route.fill("1"), headers={"Host": "evil.example"})
            yield Shot(f"GET {route.path} by {name}, Host evil.example", answer, answer.status == 400)
        if route.is_api and route.path not in OPEN:
            answer = target.clients["ana"].send("GET", route.fill("1"), headers={"Sec-Fetch-Site": "cross-site"})
            yield Shot(f"GET {route.path} from another site's page", answer, answer.status == 403)


def send_odd_parts(target: Target) -> Iterator[Shot]:
    """Every address that has a part which differs, with parts that no thing is called by; and other sites' calls."""
    for route in list_routes():
        for part in ODD_PARTS if "{" in route.path else ():
            for name in ("ana", "vera"):
                answer = target.clients[name].send("GET", route.fill(part))
                yield Shot(f"GET {route.fill(part)[:80]} by {name}", answer, 200 <= answer.status < 500)
        for method in route.methods - {"GET"} if route.is_api and route.path not in OPEN else ():
            for name in PEOPLE:
                headers = {"Sec-Fetch-Site": "cross-site", **JSON}
                answer = target.clients[name].send(method, route.fill("1"), body="{}", headers=headers)
                yield Shot(f"{method} {route.path} by {name} from another site", answer, answer.status == 403)


def send_too_much(target: Target) -> Iterator[Shot]:
    """Long names, long fields, many fields, deep documents, long headers, bodies over every limit; 0 is hung up."""
    ana = target.clients["ana"]
    for size in (300, 10_000, 900_000, 1_100_000, 5_000_000):
        for path in ("/api/groups", "/api/users", "/api/connections", "/api/modules", "/api/tokens"):
            answer = ana.send("POST", path, body=json.dumps({"name": "x" * size}), headers=JSON)
            yield Shot(f"POST {path}, a name of {size:,}", answer, answer.status in (0, *REFUSED))
        for route in _list_forms():
            if (
                "{" in route.path
                or size in (300, 10_000)
                or route.path.startswith(("/logout", "/settings", "/account"))
            ):
                continue
            answer = ana.post_form(route.path, {"csrf": ana.csrf, "name": "x" * size})
            yield Shot(f"POST {route.path}, a name of {size:,}", answer, 0 <= answer.status < 500)
    for depth in (100, 5_000, 400_000):
        answer = ana.send("POST", "/api/groups", body="[" * depth + "]" * depth, headers=JSON)
        yield Shot(f"a document {depth:,} deep", answer, answer.status in REFUSED)
    for count in (2_000, 19_000):
        answer = ana.post_form("/groups/new", {"csrf": ana.csrf, **{f"f{n}": "x" for n in range(count)}})
        yield Shot(f"a form of {count:,} fields", answer, answer.status in REFUSED)
    for size in (5_000, 60_000, 500_000):
        answer = ana.send("GET", "/modules?q=" + "x" * size)
        yield Shot(f"an address of {size:,}", answer, 0 <= answer.status < 500)
        answer = ana.send("GET", "/modules", headers={"X-Long": "x" * size})
        yield Shot(f"a header of {size:,}", answer, 0 <= answer.status < 500)


def guess(target: Target) -> Iterator[Shot]:
    """Logins that are wrong, by page and API, with short names and with very long ones."""
    nobody = target.clients[NOBODY]
    for number in range(600):
        name = f"guest {number}" if number % 2 else "x" * 900_000
        forwarded = {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250}"}
        answer = nobody.post_form("/login", {"name": name, "password": "wrong"}, forwarded)
        yield Shot(f"login {number}, a name of {len(name):,}", answer, answer.status in (0, *REFUSED))
    for number in range(200):
        basic = b64encode(f"guest {number}:wrong".encode()).decode()
        answer = nobody.send("GET", "/api/modules", headers={"Authorization": f"Basic {basic}"})
        yield Shot(f"Basic login {number}", answer, answer.status in (401, 429))


def send_odd_paths(target: Target) -> Iterator[Shot]:
    """Addresses that nobody would type, by everybody."""
    for path in ODD_PATHS:
        for method in ("GET", "POST", "HEAD", "DELETE"):
            for name, client in target.clients.items():
                answer = client.send(method, path)
                led = answer.headers.get("location", "/")
                is_ours = led.startswith("/") and not led.startswith(("//", "/\\")) and b"root:" not in answer.body
                yield Shot(f"{method} {path} by {name}", answer, 200 <= answer.status < 500 and is_ours)


ABUSES: dict[str, Callable[[Target], Iterator[Shot]]] = {
    "forms of other sites": send_foreign_forms,
    "names of other sites": send_foreign_hosts,
    "too much": send_too_much,
    "guessed logins": guess,
    "connections that stay": send_and_stay,
    "odd addresses": send_odd_paths,
    "odd parts of addresses": send_odd_parts,
}

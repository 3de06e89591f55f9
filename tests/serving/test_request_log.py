# What the log says of requests that failed. Real sockets where the server under the application has its say.
"""Bodies in the log: there, masked, capped; and an exception that is told once."""

import re
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from pipekit import repo
from pipekit.http.auth import COOKIE
from pipekit.logs import get_logger
from pipekit.server.service import Service
from pipekit.serving import request_log, site
from pipekit.serving.app import create_app
from tests.api.caller import Home
from tests.patience import PATIENCE_S
from tests.people import PASSWORD
from tests.serving.conftest import Read


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A client with a session; its posts carry the session's value."""

    client: TestClient
    csrf: str

    def post(self, path: str, data: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Response:
        return self.client.post(path, data={**(data or {}), "csrf": self.csrf}, headers=headers or {})


def log_in(home: Home) -> LoggedIn:
    """The admin `ana`, by the form."""
    client = home.call(None).client
    client.post("/login", data={"name": "ana", "password": PASSWORD})
    session = repo.find_session(home.db, client.cookies[COOKIE])
    assert session
    return LoggedIn(client, session.csrf)


def test_a_request_that_fails_is_in_the_log_with_its_body_and_without_its_secrets(home: Home, read_log: Read) -> None:
    body = {"name": "x", "more": "no such", "password": "hunter2"}
    answer = home.call("ana").client.post("/api/groups", json=body)
    assert answer.status_code == 422
    assert "POST /api/groups 422 Invalid: " in read_log()
    assert "no such" in read_log()
    assert "hunter2" not in read_log()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/secrets/DW", '{"psw": "hunter2-4711"}'),
        ("PUT", "/api/secrets/DW", '{"hunter2-4711": 1}'),
        ("PUT", "/api/secrets/DW", '{"value": "hunter2-4711'),
        ("PUT", "/api/secrets/hunter2-4711", '{"value": "x"}'),
        ("DELETE", "/api/secrets/hunter2-4711", ""),
        ("POST", "/api/users", '{"name": "hunter2-4711\\u0001", "password": "long enough"}'),
        ("POST", "/api/users", '{"name": "x", "pw": "hunter2-4711"}'),
        ("POST", "/api/tokens", '{"name": "hunter2-4711\\u0001"}'),
        ("POST", "/api/connections", '{"name": "x", "driver": "hunter2-4711", "jdbc_url": "jdbc:x:y"}'),
        ("POST", "/api/connections", '{"name": "x", "driver": "sqlite", "jdbc_url": "hunter2-4711"}'),
    ],
)
def test_no_call_brings_what_is_secret_into_the_log_whatever_field_it_was_typed_into(
    home: Home, read_log: Read, method: str, path: str, body: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = home.call("ana").client.request(method, path, content=body, headers=headers)
    assert answer.status_code in (404, 422)
    assert f"{method} {path[:12]}" in read_log()
    assert re.search(r" 4(?:04|22) (?!body)\S", read_log())
    assert ("a field that is not known" in read_log()) == ("Extra inputs" in read_log())
    assert CANARY not in read_log()


@pytest.mark.parametrize("form", [{"name": "ana", "psw": "hunter2-4711"}, {"name": "hunter2-4711", "password": "x"}])
def test_a_refused_login_is_in_the_log_by_the_beginning_of_its_name(
    home: Home, read_log: Read, form: dict[str, str]
) -> None:
    assert home.call(None).client.post("/login", data=form).status_code == 401
    assert f"login of {form['name'][:1]}" in read_log()
    assert "from testclient refused" in read_log()
    assert CANARY not in read_log()
    assert CANARY not in str(repo.list_audit(home.db))


def test_nothing_is_told_of_what_strangers_send(home: Home, read_log: Read) -> None:
    nobody = home.call(None).client
    for path in ("/api/modules", "/modules", "/nowhere"):
        nobody.post(path, json={"name": CANARY * 100})
    assert read_log().count(" pipekit.http POST ") == 2
    assert CANARY not in read_log()


CANARY = "hunter2-4711"


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/secrets", {"name": "9 no name", "value": CANARY}),
        ("/users", {"name": "zoe", "role": "viewer", "password": "another one", "again": CANARY}),
        ("/account/password", {"current": CANARY, "password": "another one", "again": "another one"}),
        ("/account/password", {"current": PASSWORD, "password": "another one", "again": CANARY}),
        ("/connections", {"name": "x", "driver": "sqlite", "jdbc_url": "", "password": CANARY}),
        ("/connections", {"name": "x", "driver": "postgresql", "jdbc_url": f"jdbc:postgresql://h/d?password={CANARY}"}),
        ("/connections", {"name": "x", "driver": "postgresql", "jdbc_url": f"jdbc:postgresql://me:{CANARY}@h/d"}),
        ("/connections", {"name": "", "driver": "postgresql", "jdbc_url": f"jdbc:oracle:thin:me/{CANARY}@h:1/d"}),
        (
            "/connections",
            {"name": "", "driver": "sqlserver", "jdbc_url": f"jdbc:sqlserver://h;password={{a;{CANARY}}}"},
        ),
    ],
)
def test_no_form_brings_what_is_secret_into_the_log(
    home: Home, read_log: Read, path: str, data: dict[str, str]
) -> None:
    page = log_in(home)
    answer = page.post(path, data)
    assert answer.status_code == 422
    assert f"POST {path} 422" in read_log()
    assert CANARY not in read_log()
    assert "another+one" not in read_log()
    assert page.csrf not in read_log()


@pytest.mark.parametrize(
    "body",
    [
        f'{{"name": "x", "password": "{CANARY}"',
        f"{{'name': 'x', 'password': '{CANARY}'}}",
        f"name=x&password={CANARY}&driver=sqlite",
        f'{{"name": "x", "more": [{{"api_key": ["{CANARY}"]}}]}}',
        f'{{"p\\u0061ssword": "{CANARY}"}}',
        f'{{"name": "x", "jdbc_url": "jdbc:sqlserver://h;user=me;password={CANARY};encrypt=true"}}',
        f'{{"password": "{CANARY}\\',
        f'{{"name": "{"y" * request_log.KEPT_BYTES}", "password": "{CANARY}"}}',
        f'{{"name": "{"y" * (request_log.KEPT_BYTES - 40)}", "password": "{CANARY}{"z" * 99}"}}',
    ],
)
def test_a_document_that_is_no_document_or_is_cut_hides_them_too(home: Home, read_log: Read, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = home.call("ana").client.post("/api/modules", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert "POST /api/modules 4" in read_log()
    assert CANARY[:6] not in read_log()


def test_the_log_says_why_a_request_failed(home: Home, read_log: Read) -> None:
    home.call("ana").client.post("/api/modules/nothing/run", json={})
    assert "POST /api/modules/nothing/run 404 NotFound: " in read_log()
    assert "nothing" in read_log()
    home.call(None).client.post("/login", data={"name": "ana", "password": CANARY})
    assert "POST /login 401 The name or the password is wrong." in read_log()
    home.call(None).client.get("/api/modules", headers={"Authorization": "Bearer pk_wrong"})
    assert "GET /api/modules 401 Unauthorized: " in read_log()


def test_whatever_is_refused_is_in_the_log_with_its_reason(home: Home, read_log: Read) -> None:
    page, api = log_in(home), home.call("ana").client
    refused = 0
    for route in page.client.app.routes:  # type: ignore[attr-defined]
        for method in sorted(getattr(route, "methods", None) or ()):
            path = re.sub(r"\{[^}]+\}", "7", getattr(route, "path", ""))
            if method in ("HEAD", "OPTIONS", "GET") or path == "/logout":
                continue
            is_api = path.startswith("/api/")
            answer = api.request(method, path, json={}) if is_api else page.post(path)
            if answer.status_code >= 400:
                refused += 1
                told = re.escape(path.replace("secrets/7", "secrets/****"))
                found = re.search(rf"{method} {told} {answer.status_code} (?!body:)\S", read_log())
                assert found, f"{method} {path} {answer.status_code}"
    assert refused > 60


NO_FOLDER = "jdbc:sqlite:nowhere/at/all.db"


def test_the_reason_in_the_log_is_what_the_page_says(home: Home, read_log: Read) -> None:
    page = log_in(home)
    lost = str(home.add_connection("lost", NO_FOLDER).id)
    step3 = {"entry_mode": "sql", "source_id": lost, "dest_id": lost, "mapped_for": "sqlite", "query": "select 1 as a"}
    step3 |= {"dest_table": "t", "name": "t", "col_id[]": "c1", "col_source_name[]": "a", "col_dest_name[]": "a"}
    page.post("/wizard/create", step3 | {"merge_strategy": "upsert"})
    assert "POST /wizard/create 422 merge_key: The strategy upsert needs a merge key" in read_log()
    page.post("/wizard/create", step3 | {"merge_strategy": "full"})
    assert re.search(r"POST /wizard/create 422 \S.*nowhere", read_log())
    page.post("/wizard/preview", step3 | {"part": "rows"}, {"HX-Request": "true"})
    assert re.search(r"POST /wizard/preview 200 \S.*nowhere", read_log())
    page.post("/wizard/sql/columns", step3, {"HX-Request": "true"})
    assert re.search(r"POST /wizard/sql/columns 200 \S.*nowhere", read_log())
    page.post(f"/connections/{lost}/test", {}, {"HX-Request": "true"})
    assert re.search(rf"POST /connections/{lost}/test 200 \S.*nowhere", read_log())
    page.post("/watermarks/try", {"wm_connection_id[]": lost, "wm_resolver_sql[]": "select 1"})
    assert re.search(r"POST /watermarks/try 200 \S.*nowhere", read_log())
    page.post("/modules/7/run", {}, {"Accept": "application/json"})
    assert "POST /modules/7/run 404 NotFound: There is no module with id 7." in read_log()


def test_a_server_error_is_in_the_log_with_its_traceback(home: Home, read_log: Read) -> None:
    made = home.add_connection("lost", "jdbc:postgresql://127.0.0.1:1/x", username="me", password="$NOWHERE")
    answer = home.call("ana").client.post(f"/api/introspect/{made.id}/test")
    assert answer.status_code == 503
    assert f"POST /api/introspect/{made.id}/test 503 SecretMissing: " in read_log()
    assert "Traceback" in read_log()


def test_a_long_body_is_cut(home: Home, read_log: Read) -> None:
    home.call("ana").client.post("/api/modules", json={"name": "y" * 200_000})
    assert len(read_log()) < request_log.KEPT_BYTES + 1000
    assert "bytes)" in read_log()


def test_an_exception_in_a_request_is_logged_once(home: Home, read_log: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(home.config, home.secrets, with_service=False)

    def fail() -> None:
        raise ZeroDivisionError("boom")

    app.add_api_route("/boom", fail)
    monkeypatch.setattr(site, "create_app", lambda *_, **__: app)
    bound = site.bind(home.config, "127.0.0.1", 0)
    port = bound.getsockname()[1]
    with ExitStack() as stack:
        handler = get_logger().handlers[0]
        stack.enter_context(site.open_site(home.config, home.secrets, Service(home.config), bound, handler))
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/boom", timeout=PATIENCE_S)
        raised.value.close()
    assert raised.value.code == 500
    assert read_log().count("ZeroDivisionError: boom") == 1
    assert "GET /boom 500" in read_log()

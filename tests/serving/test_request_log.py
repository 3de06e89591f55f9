# What the log says of requests that failed. Real sockets where the server under the application has its say.
"""Bodies in the log: there, masked, capped; and an exception that is told once."""

import io
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipekit.logs import get_logger, set_up_logging
from pipekit.server import Service
from pipekit.serving import request_log, site
from pipekit.serving.app import create_app
from tests.api.caller import Home

Read = Callable[[], str]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """An installation with an API."""
    made = Home(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def read_log(home: Home) -> Iterator[Read]:
    """What was logged so far."""
    stream = io.StringIO()
    logger = get_logger()
    before = logger.handlers[:], logger.level, logger.propagate
    handler = set_up_logging("warning", "text", home.secrets.masker, stream)
    uvicorn_handlers = logging.getLogger("uvicorn").handlers[:]
    site.hand_logs_to(handler)
    yield stream.getvalue
    logger.handlers[:], logger.level, logger.propagate = before
    logging.getLogger("uvicorn").handlers[:] = uvicorn_handlers


def test_a_request_that_fails_is_in_the_log_with_its_body_and_without_its_secrets(home: Home, read_log: Read) -> None:
    body = {"name": "x", "driver": "no such", "jdbc_url": "jdbc:x:y", "password": "hunter2"}
    answer = home.call("ana").client.post("/api/connections", json=body)
    assert answer.status_code == 422
    assert "POST /api/connections 422 body:" in read_log()
    assert "no such" in read_log()
    assert "hunter2" not in read_log()


def test_a_long_body_is_cut(home: Home, read_log: Read) -> None:
    home.call("ana").client.post("/api/connections", json={"name": "y" * 200_000})
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
            urllib.request.urlopen(f"http://127.0.0.1:{port}/boom", timeout=10)
        raised.value.close()
    assert raised.value.code == 500
    assert read_log().count("ZeroDivisionError: boom") == 1
    assert "GET /boom 500" in read_log()

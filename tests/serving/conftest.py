# Fixtures of the tests of what stands around the application: an installation, and its pages on a real socket.
"""Fixtures `home`, `read_log` and `open_port`."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit.logs import get_logger, set_up_logging
from pipekit.server.service import Service
from pipekit.serving import site
from tests.api.caller import Home
from tests.logins import nobody_failed as nobody_failed

OpenPort = Callable[..., int]
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
    loggers = [get_logger(), *map(logging.getLogger, ("uvicorn", "asyncio"))]
    before = [(each.handlers[:], each.filters[:], each.level, each.propagate) for each in loggers]
    site.hand_logs_to(set_up_logging("warning", "text", home.secrets.masker, stream))
    yield stream.getvalue
    for each, (handlers, filters, level, propagate) in zip(loggers, before, strict=True):
        each.handlers[:], each.filters[:], each.level, each.propagate = handlers, filters, level, propagate


@pytest.fixture
def open_port(home: Home, read_log: Read) -> Iterator[OpenPort]:
    """Puts the installation's pages on a socket of 127.0.0.1, with other settings perhaps; gives the port."""
    with ExitStack() as stack:

        def open_one(**settings: Any) -> int:
            config = replace(home.config, **settings)
            bound = site.bind(config, "127.0.0.1", 0)
            port: int = bound.getsockname()[1]
            handler = get_logger().handlers[0]
            stack.enter_context(site.open_site(config, home.secrets, Service(config), bound, handler))
            return port

        yield open_one

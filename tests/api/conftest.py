# Fixtures of the tests of the API: an installation, and clients of an admin, an operator and a viewer.
"""Fixtures `home`, `ana`, `otto`, `vera`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.caller import Caller, Home
from tests.logins import nobody_failed as nobody_failed


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def ana(home: Home) -> Caller:
    """An admin's client."""
    return home.call("ana")


@pytest.fixture
def otto(home: Home) -> Caller:
    """An operator's client."""
    return home.call("otto")


@pytest.fixture
def vera(home: Home) -> Caller:
    """A viewer's client."""
    return home.call("vera")

# What the program remembers of failed logins, which is of its process, kept apart from test to test. Knows no page.
"""The fixture `nobody_failed`, for the rooms whose tests log in."""

import pytest

from pipekit.http import auth
from pipekit.http.throttle import Budget, Throttle


@pytest.fixture(autouse=True)
def nobody_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed logins of another test do not count."""
    monkeypatch.setattr(auth, "THROTTLE", Throttle())
    monkeypatch.setattr(auth, "REFUSALS", Budget(60, 3600.0))

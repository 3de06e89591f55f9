# Fixtures of the tests of pages: a site, and clients logged in as admin, operator and viewer.
"""Fixtures `make_site`, `site`, `ana`, `otto`, `vera`, `traced`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipekit.repo import files, opening
from pipekit.repo.state import State
from tests.logins import nobody_failed as nobody_failed
from tests.pages.site import Site, Visitor


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """Makes an installation in a folder of its own."""
    made: list[Site] = []

    def make() -> Site:
        site = Site(tmp_path / f"site-{len(made)}")
        made.append(site)
        return site

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """An empty installation with three people."""
    return make_site()


@pytest.fixture
def ana(site: Site) -> Visitor:
    """Logged in as admin."""
    return site.visit("ana")


@pytest.fixture
def otto(site: Site) -> Visitor:
    """Logged in as operator."""
    return site.visit("otto")


@pytest.fixture
def vera(site: Site) -> Visitor:
    """Logged in as viewer."""
    return site.visit("vera")


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that any connection runs from now on."""
    seen: list[str] = []
    original: Callable[..., State] = files.open_file

    def open_traced(*args: object, **options: object) -> State:
        db = original(*args, **options)
        db.set_trace_callback(seen.append)
        return db

    monkeypatch.setattr(opening, "open_file", open_traced)
    return seen

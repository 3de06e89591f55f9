# A browser, a house for all tests of this folder, and desks in it. Knows no page.
"""Fixtures `house`, `desk`, `new_desk`, `warehouse`."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, sync_playwright

from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Connection
from tests.e2e.browser.desk import AXE, ROOT, Desk, House

CHROMIUM = Path("/usr/bin/chromium")
BUILT = ROOT / "pipekit" / "web" / "static" / "build" / "stamp"


def _need(path: Path, words: str) -> None:
    """Skips where something is missing, and fails where CI says that it must be there."""
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    _need(CHROMIUM, f"{CHROMIUM} is not here (apt-get install chromium)")
    _need(BUILT, "the assets are not built (make setup, with npm)")
    _need(AXE, "axe-core is not here (make setup, with npm)")
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[House]:
    """One installation for all: each test uses names of its own."""
    made = House(Path(tmp_path_factory.mktemp("house")))
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="session")
def looked() -> set[str]:
    """Kinds of pages that axe-core has seen."""
    return set()


@pytest.fixture
def new_desk(house: House, browser: Browser, looked: set[str]) -> Iterator[Callable[..., Desk]]:
    """Desks whose pages asked nobody else, and whose console stayed empty."""
    desks: list[Desk] = []

    def make(**options: Any) -> Desk:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        desks.append(Desk(house, context, looked, has_scripts=options.get("java_script_enabled", True)))
        return desks[-1]

    yield make
    for desk in desks:
        desk.context.close()
    for desk in desks:
        assert (desk.foreign, desk.complaints) == ([], [])


@pytest.fixture
def desk(house: House, new_desk: Callable[..., Desk]) -> Desk:
    """Ana, an admin, logged in."""
    made = new_desk()
    made.sit_down()
    return made


@pytest.fixture(scope="session")
def warehouse(house: House, postgres: LocalPostgres) -> Connection:
    """A connection to a PostgreSQL database with a table, its comments, and a view that takes its time."""
    postgres.create_database("browser")
    with psycopg.connect(postgres.jdbc_url("browser").removeprefix("jdbc:"), user="postgres", autocommit=True) as db:
        db.execute("create table customers (id bigint primary key, full_name text not null, since date)")
        db.execute("comment on table customers is 'Who buys'")
        db.execute("comment on column customers.full_name is 'As on the invoice'")
        db.execute(
            "insert into customers select n, 'Customer ' || n, '2020-01-01'::date + n from generate_series(1, 250) n"
        )
        db.execute("create view slowly as select n as id from generate_series(1, 12) n where pg_sleep(0.3) is not null")
        db.execute("create schema mart")
    return house.add_connection("warehouse", postgres.jdbc_url("browser"), username="postgres")

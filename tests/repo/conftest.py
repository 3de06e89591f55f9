# An open state database with what most tests of the state need. Knows no driver.
"""Fixtures: `db`, `shop`, `dw`, `orders`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.models import Connection, Module
from tests.states import new_state


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pipekit.db"


@pytest.fixture
def db(path: Path) -> Iterator[repo.State]:
    state = new_state(path)
    yield state
    state.close()


@pytest.fixture
def shop(db: repo.State) -> Connection:
    return repo.create_connection(db, name="shop", driver="sqlite", jdbc_url="jdbc:sqlite:shop.db")


@pytest.fixture
def dw(db: repo.State) -> Connection:
    return repo.create_connection(
        db, name="dw", driver="postgresql", jdbc_url="jdbc:postgresql://127.0.0.1/dw", username="etl", password="$DW"
    )


@pytest.fixture
def orders(db: repo.State, shop: Connection, dw: Connection) -> Module:
    return repo.create_module(
        db, name="orders", source_id=shop.id, dest_id=dw.id, source_query="select * from orders", dest_table="orders"
    )

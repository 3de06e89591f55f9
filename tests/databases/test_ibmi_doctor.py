# `pipekit doctor --deep` with jt400 on the double, and on SQLite. No IBM i is here.
"""What a system says of itself, written down to be sent; what it refuses is written down too."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases.ibmi.host import Door
from tests.databases.ibmi.shop import FIRST, ORDERS, Shop, open_shop

pytestmark = pytest.mark.usefixtures("one_child")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Door() as door, open_shop(tmp_path, door) as made:
        (made.project.home / "config.yaml").write_text(json.dumps({"java_options": door.java_options}))
        made.tables.make(ORDERS.format("ORDERS"), [FIRST])
        yield made


def test_a_system_is_asked_what_it_is_and_nothing_of_its_data(shop: Shop) -> None:
    answer = shop.project.cli_json("doctor", "--deep", "ibmi")
    said = {item["name"]: item for item in answer["said"]}
    assert answer["kind"] == "db2i"
    assert said["session"]["answer"].endswith("QZDASOINIT: jt400 9.4, blocks of 512 KB")
    assert said["commitment control"]["answer"] == "some"
    assert said["tables of the schema"]["answer"] == "1"
    assert said["files with a journal"]["answer"] == "1"
    assert "37 1" in said["columns by CCSID"]["answer"]
    assert said["system values"]["refused"], "the double has no such view"
    assert "(5 rows in" in said["rows a second, blocks of 512 KB"]["answer"]
    assert "would go on with 32" in said["rows a second, blocks of 4096 KB"]["answer"]
    assert "ANNA" not in json.dumps(answer)
    assert not [sql for sql in shop.host.seen if "ORDERS" in sql]


def test_a_kind_without_questions_of_its_own_says_what_every_kind_says(shop: Shop) -> None:
    told = shop.project.cli("doctor", "--connect", "lite", "--deep")
    assert told.code == 0
    assert "version: 3." in told.stdout
    assert "schemas: 1 that can be seen" in told.stdout

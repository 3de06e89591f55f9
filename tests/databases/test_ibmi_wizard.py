# The wizard on the double of IBM i, with jt400. No IBM i is here.
"""What a person sees of columns that hold text as bytes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from tests.databases.ibmi.host import Door, Host
from tests.databases.ibmi.tables import Tables
from tests.databases.jdbc import JT400
from tests.databases.over_jdbc import register
from tests.pages.site import Site

pytestmark = pytest.mark.usefixtures("one_child")


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    tmp_path.joinpath("system").mkdir()
    return Tables(tmp_path / "system")


@pytest.fixture
def site(tmp_path: Path, tables: Tables) -> Iterator[Site]:
    with Door() as door:
        host = door.add("ibmi", Host(tables.talk))
        home = tmp_path / ".pipekit"
        home.mkdir()
        (home / "config.yaml").write_text(json.dumps({"java_options": door.java_options}))
        site = Site(tmp_path)
        register(site, "db2i", JT400, "")
        site.secrets.set("IBMI", "anything")
        yield site
        site.close()
        assert host.faults == []


def test_the_first_values_of_bytes_are_shown_in_every_code_page_they_may_be_read_in(site: Site, tables: Tables) -> None:
    create = "CREATE TABLE PEOPLE (ID INTEGER NOT NULL, NAME CHAR(6) FOR BIT DATA, CITY VARCHAR(9) CCSID 37)"
    tables.make(create, [(1, "Müller".encode("cp273"), "Bern"), (2, None, None)])
    login = {"username": "SHOP", "password": "$IBMI"}
    ibmi = repo.create_connection(site.db, name="ibmi", driver="db2i", jdbc_url="jdbc:as400://ibmi/SHOPLIB", **login)
    page = site.visit("ana").get(
        "/wizard/columns", params={"source_id": ibmi.id, "schema": "SHOPLIB", "table": "PEOPLE"}
    )
    assert page.texts("#columns .samples dt") == [
        "as it is",
        "text in EBCDIC (CCSID 37)",
        "text in EBCDIC (CCSID 273, Germany)",
        "text in EBCDIC (CCSID 500, international)",
    ]
    shown = [node.html or "" for node in page.all("#columns .samples dd")]
    assert ["0xD4D0939385" in shown[0], "M}ller" in shown[1], "Müller" in shown[2], "M}ller" in shown[3]] == [True] * 4
    assert all("NULL" in text for text in shown)

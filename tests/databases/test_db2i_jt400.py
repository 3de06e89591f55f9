# IBM's own driver for Db2 for i, loaded for real, with nobody at the other end. No IBM i is here.
"""The class loads, the URL says what we mean, and a refusal is a clear one."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.db2i.address import FORCED
from pipekit.drivers.db2i.driver import DRIVER
from pipekit.engine import open_look
from pipekit.engine.jars import check_drivers
from pipekit.errors import ConnectFailed
from pipekit.runner.native import NativeRunner
from tests.databases.jdbc import JT400, find_jar, make_endpoint
from tests.databases.over_jdbc import register
from tests.project import Project

URL = "jdbc:as400://127.0.0.1/SHOPLIB;translate binary=true;transaction isolation=none"


@pytest.fixture(scope="module")
def parsed() -> Iterator[dict[str, Any]]:
    """What jt400 reads from the URL we build."""
    find_jar(JT400[0])
    endpoint = make_endpoint(JT400, DRIVER.build_connect_url(URL), kind="db2i")
    with NativeRunner(silence_timeout_s=120) as runner:
        yield runner.probe(endpoint)


def test_the_drivers_class_loads_and_takes_our_url(parsed: dict[str, Any]) -> None:
    assert parsed["accepts_url"] is True
    assert int(parsed["version"].split(".")[0]) >= 9


@pytest.mark.parametrize(("name", "value"), FORCED.items())
def test_every_property_we_set_is_one_the_driver_read(parsed: dict[str, Any], name: str, value: str) -> None:
    assert parsed["properties"][name] == value


def test_what_a_connection_may_set_is_read_too(parsed: dict[str, Any]) -> None:
    assert parsed["properties"]["translate binary"] == "true"
    assert parsed["properties"]["transaction isolation"] == "none"


def test_nobody_listening_is_said_clearly(tmp_path: Path) -> None:
    project = Project(tmp_path)
    register(project, "db2i", JT400, "")
    assert [s.state for s in check_drivers(project.db, project.config, "db2i")] == ["ok"]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    from pipekit import repo

    url = f"jdbc:as400://127.0.0.1:{port}/SHOPLIB"
    project.secrets.set("IBMI_PASSWORD", "a secret of tests")
    ibmi = repo.create_connection(
        project.db, name="ibmi", driver="db2i", jdbc_url=url, username="shop", password="$IBMI_PASSWORD"
    )
    with (
        open_look(project.config, project.secrets, ibmi) as look,
        pytest.raises(ConnectFailed) as refused,
    ):
        look.driver.list_schemas(look.query)
    assert "refused" in str(refused.value).lower()
    assert "a secret of tests" not in str(refused.value)
    project.close()

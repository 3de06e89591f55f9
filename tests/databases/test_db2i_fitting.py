# What jt400 makes of an address, asked of the jar itself. Connects to nothing.
"""Blocks as large as the jar takes, and nothing that it would read as something else without a word."""

from collections.abc import Iterator
from typing import Any

import jpype
import pytest

from pipekit.drivers.db2i.address import build_connect_url
from pipekit.drivers.db2i.fitting import fit
from pipekit.drivers.jdbc.jvm import load_driver, start
from pipekit.errors import ConnectFailed
from tests.databases.jdbc import JT400, make_endpoint

URL = "jdbc:as400://ibmi/SHOPLIB"
BLOCK_SIZE = 1


@pytest.fixture(scope="module")
def jt400() -> Any:
    endpoint = make_endpoint(JT400, URL, kind="db2i")
    start(endpoint)
    return load_driver(endpoint)


@pytest.fixture
def newer(jt400: Any) -> Iterator[Any]:
    """The same driver, which takes such blocks as jt400 takes from 21.0.5 on: no such jar is to be had here."""
    properties = jt400.getClass().getClassLoader().loadClass("com.ibm.as400.access.JDProperties")
    field = properties.getDeclaredField("dpi_")
    field.setAccessible(True)
    described = field.get(None)[BLOCK_SIZE]
    kept = list(described.choices)
    described.choices = jpype.JArray(jpype.JString)([*map(str, kept), "4096", "16000"])
    yield jt400
    described.choices = jpype.JArray(jpype.JString)(kept)


def test_the_largest_block_of_this_jar_is_chosen_and_the_jar_is_named(jt400: Any) -> None:
    fitted = fit(jt400, build_connect_url(URL))
    assert fitted.jdbc_url.endswith(";block size=512")
    assert fitted.about == "jt400 9.4, blocks of 512 KB"


def test_a_jar_that_takes_larger_blocks_gets_them(newer: Any) -> None:
    assert fit(newer, build_connect_url(URL)).about.endswith(", blocks of 4096 KB")
    assert ";block size=16000;" in fit(newer, build_connect_url(f"{URL};block size=16000")).jdbc_url


def test_a_block_that_this_jar_would_make_32_without_a_word_is_refused(jt400: Any) -> None:
    with pytest.raises(ConnectFailed, match=r"does not take block size=4096: it would go on with 32\.") as refused:
        fit(jt400, build_connect_url(f"{URL};block size=4096"))
    assert "21.0.5" in refused.value.hint


def test_tuning_that_this_jar_does_not_know_is_left_out_and_anything_else_is_refused(jt400: Any) -> None:
    assert "tcp no delay" not in fit(jt400, build_connect_url(f"{URL};tcp no delay=true;stay alive=60")).jdbc_url
    with pytest.raises(ConnectFailed, match="does not know the property 'of tomorrow'"):
        fit(jt400, f"{URL};of tomorrow=1")


def test_a_port_that_this_jar_ignores_is_told(jt400: Any) -> None:
    assert "ignores the address's port" in fit(jt400, build_connect_url("jdbc:as400://ibmi:8471/SHOPLIB")).about
    assert "port" not in fit(jt400, build_connect_url(URL)).about

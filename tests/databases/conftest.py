# A database shared by the tests of a file, and PostgreSQL sessions with it. The server is the fixture of all tests.
"""Fixtures: a `database`, a `door`, sessions, a `mover`; `near_when_quick` and `one_child`; what Java needs."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from pipekit.config import Config
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.wire import connect
from pipekit.engine.runners import start_runner
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint
from tests.databases.ibmi.host import Door
from tests.databases.jdbc import Open, open_sessions, start_derby
from tests.databases.mariadb import UNKIND, Mariadb, start_mariadb
from tests.databases.moving import Mover, OpenSession, run
from tests.databases.one_child import OneChild
from tests.databases.places import Place, Postgres, Sqlite
from tests.lending import lend_database, take_back
from tests.near import NearRunner
from tests.profiles import is_quick


@pytest.fixture(scope="module")
def database(postgres: LocalPostgres) -> Iterator[str]:
    """One database for all tests of a file."""
    name = lend_database(postgres, "shared")
    yield name
    take_back(postgres, name)


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """The way to doubles of IBM i for all tests of a file."""
    with Door() as made:
        yield made


@pytest.fixture
def open_session(database: str, postgres: LocalPostgres) -> Iterator[OpenSession]:
    """Opens sessions with the file's database; arguments change the endpoint. All are closed after the test."""
    sessions: list[PostgresSession] = []

    def open_one(**more: Any) -> PostgresSession:
        endpoint = Endpoint(kind="postgresql", jdbc_url=postgres.jdbc_url(database), username="postgres")
        sessions.append(connect(replace(endpoint, **more)))
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.close()


@pytest.fixture
def session(open_session: OpenSession) -> PostgresSession:
    """A session with the file's database, which has no tables at that moment."""
    one = open_session(application_name="pipekit:tests")
    run(one, "DROP SCHEMA IF EXISTS pipekit_staging CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    return one


@pytest.fixture
def mover(session: PostgresSession, open_session: OpenSession) -> Mover:
    """From the file's database to its table `arrived`, over two sessions."""
    return Mover(open_session(), session, "arrived")


@pytest.fixture
def open_jdbc() -> Iterator[Open]:
    """Opens sessions over JDBC in this process."""
    with open_sessions() as open_one:
        yield open_one


@pytest.fixture(scope="module")
def lent_child() -> Iterator[OneChild]:
    """What `one_child` lends."""
    child = OneChild()
    yield child
    child.end()


@pytest.fixture
def one_child(lent_child: OneChild, monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs of a test, and of its file, in one process. What a run leaves in it is for other tests to say."""
    _run_in(lent_child, monkeypatch)


def _run_in(runner: Callable[..., NativeRunner], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run gets such a runner, and none a child that waits."""

    def refuse(kinds: Collection[str]) -> None:
        raise OSError("no child is started ahead of a run that needs none")

    def start_own(config: Config, spares: Any, kinds: Collection[str], seen: Any, **options: Any) -> NativeRunner:
        options.pop("child", None)
        return start_runner(config, kinds=kinds, **options)

    monkeypatch.setattr("pipekit.runner.ahead.start_child", refuse)
    monkeypatch.setattr("pipekit.engine.runners.NativeRunner", runner)
    monkeypatch.setattr("pipekit.engine.running.entrance.lend_runner", start_own)


@pytest.fixture
def near_when_quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody waits, runs need no process at all; in a thorough run they share one."""
    if request.node.get_closest_marker("own_process"):
        return
    if is_quick():
        _run_in(NearRunner, monkeypatch)
    else:
        request.getfixturevalue("one_child")


@pytest.fixture(scope="module")
def postgres_place(postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    postgres.create_database("previews")
    connection = psycopg.connect(
        host="127.0.0.1", port=postgres.port, user="postgres", dbname="previews", autocommit=True
    )
    place = Postgres(tmp_path_factory.mktemp("previews"), connection, postgres.jdbc_url("previews"))
    yield place
    place.project.close()
    connection.close()
    postgres.drop_database("previews")


@pytest.fixture(scope="module")
def sqlite_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqlite]:
    place = Sqlite(tmp_path_factory.mktemp("previews"))
    yield place
    place.project.close()


@pytest.fixture(params=["postgres_place", "sqlite_place"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(request.param)
    found.clear()
    return found


@pytest.fixture(scope="session")
def derby_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Derby that is reached over the network."""
    with start_derby(tmp_path_factory.mktemp("derby")) as port:
        yield port


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Mariadb]:
    """A MariaDB whose settings are as unkind as they may be."""
    with start_mariadb(*UNKIND) as server:
        yield server

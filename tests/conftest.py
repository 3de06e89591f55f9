# A real PostgreSQL for every test that needs one: one server for each process of tests, fresh databases for each test.
"""Fixtures `postgres`, `source_db` and `dest_db`; the hooks of `tests/selection.py`."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.errors import PipekitError
from pipekit.runner_contract import Endpoint
from tests import profiles  # noqa: F401 (registers itself)
from tests.lending import lend_database, take_back
from tests.places import stay_in_memory

stay_in_memory()

pytest_plugins = ("tests.selection",)

# A test run that a shell has put into the background ignores Ctrl-C, and so would every `pipekit` it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """A running server. Where it cannot be had the tests are skipped, and fail where CI says that it must be there.

    PIPEKIT_TEST_POSTGRES names the folder of another one than the wheel's, `/usr/lib/postgresql/15` for one.
    """
    installed = os.environ.get("PIPEKIT_TEST_POSTGRES")
    folder = Path(tmp_path_factory.mktemp("postgres"))
    server = LocalPostgres(folder, installed=Path(installed)) if installed else LocalPostgres(folder)
    try:
        server.start()
    except PipekitError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL: {error} {error.hint}")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def old_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """Debian's PostgreSQL 15 beside the wheel's; skips where it is not installed."""
    installed = Path("/usr/lib/postgresql/15")
    if not (installed / "bin" / "postgres").exists():
        pytest.skip("no PostgreSQL 15 (apt-get install postgresql-15)")
    with LocalPostgres(Path(tmp_path_factory.mktemp("old-postgres")), installed=installed) as server:
        yield server


@pytest.fixture
def make_database(postgres: LocalPostgres) -> Iterator[Callable[[str], str]]:
    """Lends empty databases that no other test uses meanwhile."""
    lent: list[str] = []

    def make(prefix: str) -> str:
        lent.append(lend_database(postgres, prefix))
        return lent[-1]

    yield make
    for name in lent:
        take_back(postgres, name)


@pytest.fixture
def source_db(make_database: Callable[[str], str]) -> str:
    """The name of an empty database to read from."""
    return make_database("source")


@pytest.fixture
def dest_db(make_database: Callable[[str], str]) -> str:
    """The name of an empty database to write to."""
    return make_database("dest")


@pytest.fixture
def make_endpoint(postgres: LocalPostgres) -> Callable[..., Endpoint]:
    """The endpoint of one of the server's databases."""

    def make(database: str, application_name: str = "pipekit:test", read_only: bool = False) -> Endpoint:
        return Endpoint(
            kind="postgresql",
            jdbc_url=postgres.jdbc_url(database),
            username="postgres",
            application_name=application_name,
            read_only=read_only,
        )

    return make

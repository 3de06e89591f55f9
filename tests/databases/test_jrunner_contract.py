# The contract of a runner, kept by our own and by the one that drives jrunner, on real databases.
"""The same tests for `NativeRunner` and for `JrunnerRunner` with each jrunner there is."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect

import pytest

from pipekit.runner.jrunner import JrunnerRunner
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint
from tests.contract.exercise_runner import Databases, RunnerContract, StartRunner
from tests.databases.jdbc import make_embedded
from tests.databases.jrunners import JRUNNERS, write_launcher


def build_start(which: str, folder: Path) -> StartRunner:
    """Starts our own runner, or the one that drives this jrunner."""
    if which == "native":
        return NativeRunner
    program = write_launcher(folder, which)
    return lambda **options: JrunnerRunner(program, **options)


class _EveryRunner(RunnerContract):
    @pytest.fixture(params=["native", *JRUNNERS])
    def start(self, request: pytest.FixtureRequest, tmp_path: Path) -> StartRunner:
        return build_start(request.param, tmp_path)


class TestOnSqlite(_EveryRunner):
    @pytest.fixture
    def databases(self, tmp_path: Path) -> Databases:
        for name in ("source.db", "dest.db"):
            with closing(connect(tmp_path / name)) as db:
                db.execute("CREATE TABLE made (x)")
        folder = str(tmp_path)
        return Databases(
            source=Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:source.db", base_dir=folder, read_only=True),
            dest=Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:dest.db", base_dir=folder),
        )


class TestOnPostgresql(_EveryRunner):
    @pytest.fixture
    def databases(self, source_db: str, dest_db: str, make_endpoint: Callable[..., Endpoint]) -> Databases:
        return Databases(source=make_endpoint(source_db, read_only=True), dest=make_endpoint(dest_db))


@pytest.fixture(scope="module")
def java() -> Iterator[NativeRunner]:
    with NativeRunner() as runner:
        yield runner


class TestOverJdbc(RunnerContract):
    """H2 as the generic kind; one Java for all tests but those that end it, a database of its own for each."""

    @pytest.fixture
    def start(self) -> StartRunner:
        return NativeRunner

    @pytest.fixture
    def runner(self, java: NativeRunner) -> NativeRunner:
        return java

    @pytest.fixture
    def databases(self, request: pytest.FixtureRequest) -> Databases:
        name = f"{request.node.name};MODE=PostgreSQL;DATABASE_TO_LOWER=TRUE"
        dest = make_embedded("h2", name)
        return Databases(source=replace(dest, read_only=True), dest=dest)


class TestFromPostgresqlToSqlite(_EveryRunner):
    @pytest.fixture(params=["native", "fake"])
    def start(self, request: pytest.FixtureRequest, tmp_path: Path) -> StartRunner:
        return build_start(request.param, tmp_path)

    @pytest.fixture
    def databases(self, source_db: str, make_endpoint: Callable[..., Endpoint], tmp_path: Path) -> Databases:
        with closing(connect(tmp_path / "dest.db")) as db:
            db.execute("CREATE TABLE made (x)")
        return Databases(
            source=make_endpoint(source_db, read_only=True),
            dest=Endpoint(kind="sqlite", jdbc_url=f"jdbc:sqlite:{tmp_path}/dest.db", base_dir=str(tmp_path)),
        )

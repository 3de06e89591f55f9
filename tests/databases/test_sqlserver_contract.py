# The contract of a runner, kept by our own on SQL Server: over the TDS double, or a real server.
"""`RunnerContract` under both native providers of mssql-python; the double evaluates the contract's T-SQL."""

import os
from collections.abc import Iterator

import pytest

from pipekit.runner.native import NativeRunner
from tests.contract.exercise_runner import Databases, RunnerContract, StartRunner
from tests.databases.sqlservers import Place, open_place, take_provider
from tests.databases.tds.library import PROVIDERS

if os.environ.get("CI") != "true":
    pytest.importorskip("sqlglot")
    pytest.importorskip("mssql_python")

TABLES = ("t", "staged")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with open_place(tmp_path_factory.mktemp("double"), evaluates=True) as place:
        yield place


class TestOnSqlServer(RunnerContract):
    @pytest.fixture
    def start(self) -> StartRunner:
        return NativeRunner

    @pytest.fixture(params=PROVIDERS)
    def databases(self, place: Place, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Databases:
        take_provider(monkeypatch, request.param)
        for table in TABLES:
            place.drop(table)
        return Databases(
            source=place.endpoint(read_only=True),
            dest=place.endpoint(),
            numbers="WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})",
            named="CONCAT('row ', i)",
            end=" OPTION (MAXRECURSION 0)",
            text="N'{}'",
            quoted="[dbo].[{}]",
            types=("int", "nvarchar(max)"),
        )

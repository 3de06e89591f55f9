# What only a real SQL Server can show: merges, proofs, the ledger, sessions. Skipped where there is none.
"""Runs of the engine into the server that PIPEKIT_TEST_SQLSERVER names; see docs/sqlserver.md."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pipekit.drivers.base import LedgerEntry
from pipekit.drivers.sqlserver.driver import DRIVER
from pipekit.engine.recovering.ledger import end_sessions, settle_merge
from pipekit.errors import StatementFailed
from pipekit.models import Module
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Statement
from pipekit.secrets import Secrets
from tests.databases.sqlservers import REAL, Place, open_place
from tests.project import Project

pytestmark = pytest.mark.skipif(not REAL.jdbc_url, reason="PIPEKIT_TEST_SQLSERVER names no SQL Server")

Rows = Sequence[tuple[Any, ...]]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        place.drop("arrived")
        yield place


@pytest.fixture
def project(tmp_path: Path, place: Place) -> Iterator[Project]:
    project = Project(tmp_path)
    project.secrets = Secrets(project.config.secrets_path, {"DEST_PASSWORD": place.endpoint().password or ""})
    yield project
    project.close()


def fill(tmp_path: Path, rows: Rows) -> None:
    """The source's rows: a whole number and a text."""
    with closing(sqlite3.connect(tmp_path / "source.db")) as db:
        db.execute("DROP TABLE IF EXISTS orders")
        db.execute("CREATE TABLE orders (id INTEGER, name TEXT)")
        db.executemany("INSERT INTO orders VALUES (?, ?)", rows)
        db.commit()


def add_module(project: Project, place: Place, tmp_path: Path, **options: Any) -> Module:
    """A module from the SQLite file into `dbo.arrived`."""
    endpoint = place.endpoint()
    source = project.add_connection("source", f"jdbc:sqlite:{tmp_path}/source.db")
    dest = project.add_connection("dest", endpoint.jdbc_url, username=endpoint.username, password="$DEST_PASSWORD")
    query = "SELECT id, name FROM orders"
    return project.add_module("arriving", source=source, query=query, dest=dest, table="dbo.arrived", **options)


FIRST: Rows = [(1, "one"), (2, "two"), (3, None)]
SECOND: Rows = [(2, "TWO"), (4, "\U0001f600 4")]
STRATEGIES: list[tuple[str, Rows]] = [
    ("full", SECOND),
    ("append", [*FIRST, *SECOND]),
    ("incremental", [FIRST[0], FIRST[2], *SECOND]),
    ("upsert", [FIRST[0], FIRST[2], *SECOND]),
]


@pytest.mark.parametrize(("strategy", "rows"), STRATEGIES)
@pytest.mark.parametrize("columns", ["id int NOT NULL PRIMARY KEY, name nvarchar(20)", "id int, name varchar(20)"])
def test_a_strategy_does_what_it_says(
    project: Project, place: Place, tmp_path: Path, strategy: str, rows: Rows, columns: str
) -> None:
    if strategy == "append":
        columns = columns.replace(" PRIMARY KEY", "")
    if "nvarchar" not in columns:
        rows = [(number, name and name.replace("\U0001f600", "é")) for number, name in rows]
    second = [(number, name and name.replace("\U0001f600", "é")) for number, name in SECOND]
    place.run(f"CREATE TABLE dbo.arrived ({columns})")
    key = "" if strategy in ("full", "append") else "id"
    module = add_module(project, place, tmp_path, merge_strategy=strategy, merge_key=key)
    for given in (FIRST, SECOND if "nvarchar" in columns else second):
        fill(tmp_path, given)
        project.succeed(module)
    assert sorted(place.rows("arrived"), key=str) == sorted(((str(a), b) for a, b in rows), key=str)


def test_a_letter_the_code_page_lacks_is_refused_and_the_dest_stays(
    project: Project, place: Place, tmp_path: Path
) -> None:
    place.run("CREATE TABLE dbo.arrived (id int, name varchar(20))", "INSERT INTO dbo.arrived VALUES (7, 'old')")
    fill(tmp_path, [(1, "fine"), (2, "\U0001f600")])
    ended = project.run(add_module(project, place, tmp_path))
    assert (ended.status, ended.error_stage) == ("error", "check")
    assert "name" in (ended.error or "")
    assert place.rows("arrived") == [("7", "old")]


def test_an_identity_column_keeps_the_sources_values(project: Project, place: Place, tmp_path: Path) -> None:
    place.run("CREATE TABLE dbo.arrived (id int IDENTITY(1,1), name nvarchar(20), rv rowversion, loud AS name + N'!')")
    fill(tmp_path, [(41, "a"), (7, "b")])
    project.succeed(add_module(project, place, tmp_path))
    assert sorted(row[:2] for row in place.rows("arrived")) == [("41", "a"), ("7", "b")]


def test_a_broken_constraint_leaves_the_dest_as_it_was(project: Project, place: Place, tmp_path: Path) -> None:
    place.run(
        "CREATE TABLE dbo.arrived (id int PRIMARY KEY, name nvarchar(20))", "INSERT INTO dbo.arrived VALUES (7, N'old')"
    )
    fill(tmp_path, [(1, "a"), (1, "b")])
    ended = project.run(add_module(project, place, tmp_path))
    assert (ended.status, ended.error_stage) == ("error", "merge")
    assert place.rows("arrived") == [("7", "old")]


def test_a_run_that_never_merged_is_shut_out_of_it(project: Project, place: Place, tmp_path: Path) -> None:
    place.run("CREATE TABLE dbo.arrived (id int, name nvarchar(20))")
    fill(tmp_path, FIRST)
    project.succeed(add_module(project, place, tmp_path))
    entry = LedgerEntry(run_key=uuid4().hex, run_id=1, module="other", fence=1)
    with NativeRunner() as runner:
        for _ in range(2):
            assert settle_merge(runner, DRIVER, place.endpoint(), entry, "pipekit:nobody") == "none"
        # The ledger's row once more, without the look whether one is there: as when two write it at once.
        insert = DRIVER.build_fence_sql(entry).rpartition("\nWHERE NOT EXISTS")[0]
        with pytest.raises(StatementFailed) as refused:
            runner.execute(place.endpoint(), [Statement(sql=insert)])
    assert refused.value.sqlstate == "2627"


def test_the_sessions_of_a_run_are_ended(place: Place) -> None:
    name = "pipekit:1@test"
    with place.session(application_name=name) as session, NativeRunner() as runner:
        assert session.query("SELECT APP_NAME() AS n").first_cell() == name
        end_sessions(runner, DRIVER, place.endpoint(), name)
        with pytest.raises(StatementFailed) as lost:
            session.query("SELECT 1 AS n")
    assert lost.value.transient

# Runs whose server was killed, dests that hang, addresses that were edited meanwhile: how recovery closes them.
"""Every run is closed in time with its true outcome, and what a dest could not be asked is asked again."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import recover_runs
from pipekit.engine.recovering import outcomes
from pipekit.models import Connection, MergeState, Module, Run
from pipekit.runner.process import wait_until
from pipekit.server.unknown_outcomes import Settling
from tests.patience import PATIENCE_S
from tests.project import Project

SLOW_HOOK = {"sql": "select pg_sleep(60)"}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


@contextmanager
def hanging_port() -> Iterator[int]:
    """A port of 127.0.0.1 that takes connections and never says a word."""
    with hanging_server() as server:
        yield server.getsockname()[1]


def hanging_server() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=64)


def count_connections(server: socket.socket) -> int:
    """How many have come, whatever became of them."""
    server.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            count += 1
    return count


def add_dead_run(project: Project, dest: Connection, name: str) -> Run:
    """A run of a process that is gone, in the middle of its work."""
    module = project.add_module(name, source=dest, query="select 1 as id", dest=dest, table=f"public.{name}")
    run = repo.claim_module(
        project.db, module.id, owner="gone", lease_s=-1, triggered_by="api", dry_run=False, staging_table=None
    )
    repo.keep_dest(project.db, run.id, dest)
    staged: dict[str, Any] = {"staging_table": f"pipekit_staging.{name}", "staging_left": True, "rows_staged": 1}
    repo.update_run(project.db, run.id, **staged)
    return repo.get_run(project.db, run.id)


@pytest.fixture
def database(postgres: LocalPostgres) -> Iterator[str]:
    name = f"recovery_{time.monotonic_ns()}"
    postgres.create_database(name)
    yield name
    postgres.drop_database(name)


@pytest.fixture
def dest(postgres: LocalPostgres, database: str) -> Iterator[psycopg.Connection[Any]]:
    login = {"host": "127.0.0.1", "port": postgres.port, "user": "postgres", "dbname": database}
    with psycopg.connect(**login, autocommit=True) as connection:  # type: ignore[arg-type]
        yield connection


def list_staging(dest: psycopg.Connection[Any]) -> list[str]:
    tables = "select tablename from pg_tables where schemaname = 'pipekit_staging' order by 1"
    claims = "select run_key from pipekit_staging.pipekit_ledger where run_key like 'staging:%'"
    return [row[0] for sql in (tables, claims) for row in dest.execute(sql).fetchall()]


def test_dead_runs_of_dests_that_hang_are_closed_side_by_side(
    project: Project, postgres: LocalPostgres, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three dests hang with two runs each, one answers: none is asked after another, and none a second time."""
    well = project.add_connection("well", postgres.jdbc_url(database), username="postgres")
    all_are_asked, ask_dest = threading.Barrier(4), outcomes._ask_dest

    def ask_with_the_others(look: Any, instance: str, deadline: float, stop: threading.Event) -> Any:
        with suppress(threading.BrokenBarrierError):
            all_are_asked.wait(PATIENCE_S)
        patience_s = PATIENCE_S if look.dest.jdbc_url == well.jdbc_url else 0.0
        return ask_dest(look, instance, deadline + patience_s, stop)

    monkeypatch.setattr(outcomes, "ASK_WITHIN_S", 4.0)
    monkeypatch.setattr(outcomes, "_ask_dest", ask_with_the_others)
    with hanging_server() as one, hanging_server() as two, hanging_server() as three:
        for number, server in enumerate((one, two, three)):
            url = f"jdbc:postgresql://127.0.0.1:{server.getsockname()[1]}/x"
            hung = project.add_connection(f"hung{number}", url, username="postgres")
            for name in "ab":
                add_dead_run(project, hung, f"m{number}{name}")
        add_dead_run(project, well, "well")
        told: list[float] = []
        closed = recover_runs(project.installation, before=lambda: told.append(1))
        assert not all_are_asked.broken
        assert [count_connections(server) for server in (one, two, three)] == [1, 1, 1]
    assert {run.module: run.merge_state for run in closed} == {
        **{f"m{number}{name}": "unknown" for number in range(3) for name in "ab"},
        "well": "none",
    }
    assert len(told) == 1
    assert repo.list_live_runs(project.db) == []
    assert not any(module.running for module in repo.list_modules(project.db))


@pytest.mark.parametrize("merged", ["merged", "none"])
def test_a_server_settles_what_is_left_when_the_dest_is_back(
    project: Project, postgres: LocalPostgres, database: str, dest: psycopg.Connection[Any], merged: MergeState
) -> None:
    """The outcome, the staging table and its claim, without any run of the module."""
    dest.execute("create table t (id int)")
    here = project.add_connection("here", postgres.jdbc_url(database), username="postgres")
    module = project.add_module("m", source=here, query="select 1 as id", dest=here, table="public.t")
    project.succeed(module)
    run = add_dead_run(project, here, "left")
    owner = f"{run.run_key} left@{repo.get_instance_id(project.db)}"
    dest.execute("create table pipekit_staging.left (id int)")
    columns = "run_key, run_id, module, fence, state"
    insert = f"insert into pipekit_staging.pipekit_ledger ({columns}) values (%s, 1, %s, 0, %s)"
    dest.execute(insert, ("staging:left", owner, "fenced"))
    if merged == "merged":
        dest.execute(insert, (run.run_key, "left@x", "merged"))
    with hanging_port() as port:  # nothing listens there any more
        pass
    lost: dict[str, Any] = {"driver": "postgresql", "jdbc_url": f"jdbc:postgresql://127.0.0.1:{port}/x"}
    repo.keep_dest(project.db, run.id, Connection(id=0, name="lost", **lost))
    repo.update_run(project.db, run.id, attempt=1, staging_left=True)
    [closed] = recover_runs(project.installation)
    assert (closed.status, closed.merge_state) == ("error", "unknown")
    assert "asked again until it answers" in (closed.error or "")

    now = [0.0]
    settling = Settling(project.config, project.secrets, clock=lambda: now[0])
    settling.settle(project.db)
    assert project.get_run(run.id).merge_state == "unknown"
    repo.keep_dest(project.db, run.id, here)
    repo.note_staging_left(project.db, run.id, True)
    settling.settle(project.db)
    assert project.get_run(run.id).merge_state == merged
    assert list_staging(dest) == ["pipekit_ledger"]
    assert repo.list_leftover_runs(project.db) == []


def test_a_dest_that_does_not_answer_is_asked_ever_less_often(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hanging_port() as port:
        pass
    gone = project.add_connection("gone", f"jdbc:postgresql://127.0.0.1:{port}/x", username="postgres")
    run = add_dead_run(project, gone, "m")
    repo.finish_run(project.db, run.id, owner="gone", status="error", merge_state="unknown")
    asked: list[int] = []
    now = [0.0]

    def answer_nothing(*arguments: Any) -> list[tuple[Run, outcomes.Outcome]]:
        asked.extend(run.id for run in arguments[-1])
        return [(run, outcomes.NO_ANSWER) for run in arguments[-1]]

    monkeypatch.setattr("pipekit.engine.recovering.recover.ask_dests", answer_nothing)
    settling = Settling(project.config, project.secrets, clock=lambda: now[0])
    for second in range(0, 3600, 5):
        now[0] = float(second)
        settling.settle(project.db)
    assert 55 <= len(asked) <= 66


def make_slow_hook(project: Project, url: str) -> Module:
    here = project.add_connection("here", url, username="postgres")
    query = "select 7 as id"
    return project.add_module("m", source=here, query=query, dest=here, table="public.t", hooks=[SLOW_HOOK])


def test_a_run_is_asked_about_where_it_merged_though_its_connection_leads_elsewhere_by_now(
    project: Project, postgres: LocalPostgres, database: str, dest: psycopg.Connection[Any]
) -> None:
    dest.execute("create table t (id int)")
    other = f"{database}_other"
    postgres.create_database(other)
    module = make_slow_hook(project, postgres.jdbc_url(database))
    with project.start_cli("run", "m") as program:
        assert wait_until(lambda: dest.execute("select count(*) from t").fetchone() == (1,), PATIENCE_S)
        repo.update_connection(project.db, module.dest_id, jdbc_url=postgres.jdbc_url(other))
        program.kill()
    [closed] = recover_runs(project.installation)
    assert (closed.status, closed.error_stage, closed.merge_state) == ("error", "hook", "merged")
    assert "The merge was committed" in (closed.error or "")
    postgres.drop_database(other)

# kill -9 of the server, of runners, or of both, at random moments of a running workload on a real PostgreSQL.
"""Dest, ledger and run records agree every time, and no module stays locked.

PIPEKIT_TEST_KILLS sets how many kills there are.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.errors import ModuleBusy
from pipekit.models import Module
from pipekit.runner.process import Program, wait_until
from tests.patience import PATIENCE_S
from tests.project import Project, find_children

KILLS = int(os.environ.get("PIPEKIT_TEST_KILLS", "30"))
SEED = int(os.environ.get("PIPEKIT_TEST_SEED", "4711"))
QUIET_EVERY = 10  # kills between two looks at everything
ROWS = 4000

# Each row carries the version that the source had when it was read: a dest of mixed versions was merged by halves.
QUERY = "select id, version, pad from t, v"


class Workload:
    """A module for each strategy, a server that runs them, and the means to look at what they left."""

    def __init__(self, postgres: LocalPostgres, folder: Path) -> None:
        self.random = random.Random(SEED)
        for name in ("loop_source", "loop_dest"):
            postgres.create_database(name)
        self.source, self.dest = (
            psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True)
            for name in ("loop_source", "loop_dest")
        )
        self.source.execute("create table v (version int); insert into v values (0)")
        self.source.execute(f"create table t as select g id, repeat('x', 200) pad from generate_series(1, {ROWS}) g")
        self.project = Project(folder)
        self.log_path = folder / "serve.log"
        here, there = (
            self.project.add_connection(name, postgres.jdbc_url(f"loop_{name}"), username="postgres")
            for name in ("source", "dest")
        )
        self.modules: list[Module] = []
        for strategy in ("full", "incremental", "append", "upsert"):
            self.dest.execute(f"create table {strategy}_t (id int, version int, pad text)")
            module = self.project.add_module(
                strategy,
                source=here,
                query=QUERY,
                dest=there,
                table=f"{strategy}_t",
                merge_strategy=strategy,
                merge_key="id",
            )
            self.modules.append(module)
        self.server: Program | None = None

    def start_server(self) -> None:
        self.server = self.project.start_cli("serve", log_path=self.log_path)

    def ask(self) -> None:
        """Asks for a run of each module that is idle, of a new version of the source."""
        self.source.execute("update v set version = version + 1")
        for module in self.modules:
            try:
                repo.enqueue_run(self.project.db, module.id, triggered_by="api")
            except ModuleBusy:
                continue

    def kill_something(self) -> str:
        """One kill -9 of a victim that is drawn; says which it was."""
        assert self.server is not None
        victim = self.random.choice(["server", "runner", "both"])
        runners = [pid for pid in find_children(self.server.pid) if _is_runner(pid)]
        if victim in ("runner", "both"):
            for pid in runners if victim == "both" else runners[:1]:
                _kill(pid)
        if victim in ("server", "both"):
            self.server.kill()
            self.server.close_pipes()
            self.start_server()
        return victim

    def live_runs(self) -> list[Any]:
        return repo.list_live_runs(self.project.db)

    def check(self) -> None:
        """With nothing going on: what is in the dest is what the ledger and the records say."""
        assert wait_until(lambda: not self.live_runs(), PATIENCE_S, 0.1), self.live_runs()
        for module in repo.list_modules(self.project.db):
            assert (module.running, module.lease_owner) == (False, None)
        for module in self.modules:
            self._check_module(module)
        staging = "select tablename from pg_tables where schemaname = 'pipekit_staging'"
        assert self.dest.execute(staging).fetchall() == [("pipekit_ledger",)]

    def _check_module(self, module: Module) -> None:
        runs = repo.list_runs(self.project.db, module=module.id, limit=100_000)
        assert not [run for run in runs if run.merge_state == "unknown"]
        merged = {run.run_key for run in runs if run.merge_state == "merged"}
        like = f"{module.name}@%"
        ledger = self.dest.execute(
            "select run_key from pipekit_staging.pipekit_ledger where state = 'merged' and module like %s", (like,)
        ).fetchall()
        assert merged == {row[0] for row in ledger}
        assert {run.run_key for run in runs if run.status == "success"} <= merged
        sql = f"select count(*), count(distinct id), count(distinct version) from {module.name}_t"
        rows, ids, versions = self.dest.execute(sql).fetchone() or (0, 0, 0)
        times = len(merged) if module.name == "append" else min(1, len(merged))
        assert (rows, ids) == (ROWS * times, ROWS if times else 0)
        assert versions == times

    def close(self) -> None:
        if self.server is not None:
            self.server.stop(30)
            self.server.close_pipes()
        self.source.close()
        self.dest.close()
        self.project.close()


def _is_runner(pid: int) -> bool:
    try:
        return b"pipekit.runner.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture
def workload(postgres: LocalPostgres, tmp_path: Path) -> Iterator[Workload]:
    workload = Workload(postgres, tmp_path)
    yield workload
    workload.close()


def test_after_any_kill_dest_ledger_and_records_agree(workload: Workload) -> None:
    workload.start_server()
    # One run of each that nothing disturbs: the ledger and the dests are made with the first rows.
    workload.ask()
    assert wait_until(lambda: not workload.live_runs(), PATIENCE_S, 0.1), workload.live_runs()
    for number in range(1, KILLS + 1):
        workload.ask()
        time.sleep(workload.random.uniform(0.0, 1.2))
        workload.kill_something()
        if number % QUIET_EVERY == 0:
            workload.check()
    workload.check()
    statuses = {run.status for run in repo.list_runs(workload.project.db, limit=10_000)}
    assert {"success", "error"} <= statuses, "the kills hit nothing, or everything"

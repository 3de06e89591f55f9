# A Pipekit home between two SQLite files with real servers on it, for tests. Knows no PostgreSQL.
"""`Site`: a project with a source of 100 rows, a dest, and servers that end with the test."""

import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from pipekit import repo
from pipekit.models import Module, Run
from pipekit.runner.process import Program, start_program, wait_until
from tests.patience import PATIENCE_S
from tests.project import Project

COUNT = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {count}) select {what} as id from n"
ENDLESS = COUNT.format(count=10**12, what="i")


class Site:
    """A project with a source, a dest, and servers that end with the test."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.project = Project(folder)
        self.configure(**settings)
        self.servers: list[Program] = []
        for name in ("src", "dw"):
            with closing(sqlite3.connect(folder / f"{name}.db")) as db:
                db.execute("create table t (id integer primary key)")
                db.executemany("insert into t values (?)", [(n,) for n in range(100)])
                db.commit()
        self.source = self.project.add_connection("src", "jdbc:sqlite:src.db")
        self.dest = self.project.add_connection("dw", "jdbc:sqlite:dw.db")

    def configure(self, **settings: Any) -> None:
        lines = [f"{name}: {value}\n" for name, value in {"port": 0, **settings}.items()]
        (self.project.home / "config.yaml").write_text("".join(lines))

    def add(self, name: str, query: str = "select id from t", **options: Any) -> Module:
        return self.project.add_module(
            name, source=self.source, query=query, dest=self.dest, table=name, create_table=True, **options
        )

    def rows(self, table: str) -> int:
        """How many rows a dest table has; none while it is not there."""
        with closing(sqlite3.connect(self.folder / "dw.db", timeout=30)) as db:
            there = db.execute("select 1 from sqlite_schema where name = ?", (table,)).fetchone()
            return int(db.execute(f"select count(*) from {table}").fetchone()[0]) if there else 0

    def ask(self, module: Module) -> int:
        return repo.enqueue_run(self.project.db, module.id, triggered_by="api").id

    def serve(self, *words: str, env: dict[str, str] | None = None, through: Sequence[str] = ()) -> Program:
        """A server that has started, perhaps by another command."""
        server = self.start("serve", *words, env=env, through=through)
        started = wait_until(lambda: "server started" in self.log() or server.poll() is not None, PATIENCE_S)
        assert started, self.log()
        return server

    def start(self, *words: str, env: dict[str, str] | None = None, through: Sequence[str] = ()) -> Program:
        """A command that may go on; its log is the newest."""
        log = self.folder / f"serve-{len(self.servers)}.log"
        argv = [*through, sys.executable, "-m", "pipekit", *words]
        server = start_program(argv, env={**self.project.environment(), **(env or {})}, log_path=log)
        self.servers.append(server)
        return server

    def log(self, number: int = -1) -> str:
        names = sorted(self.folder.glob("serve-*.log"))
        return names[number].read_text() if names else ""

    def wait_for(self, run_id: int, *statuses: str, timeout_s: float = PATIENCE_S) -> Run:
        assert wait_until(lambda: self.project.get_run(run_id).status in statuses, timeout_s), (
            f"{self.project.get_run(run_id)}\n{self.log()}"
        )
        return self.project.get_run(run_id)

    def wait_for_rows(self, run_id: int) -> None:
        """Until the run moves rows."""
        assert wait_until(lambda: "-- stage" in self.project.read_log(run_id), PATIENCE_S), self.log()

    def close(self) -> None:
        for server in self.servers:
            server.kill()
        self.project.close()


def stop(server: Program, timeout_s: float = PATIENCE_S) -> int | None:
    os.kill(server.pid, signal.SIGTERM)
    return server.wait(timeout_s)

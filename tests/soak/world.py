# What a soak works on: a PostgreSQL, two installations that share its dest, their servers and shells. Harms nothing.
"""`World` and `Installation`."""

import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.errors import PipekitError
from pipekit.models import Module, Verify
from pipekit.runner.process import Program
from tests.project import Project, find_children

ROWS = 500
STRATEGIES = ("full", "incremental", "append", "upsert")
# Nobody merges what a preview has staged: it goes when its time is over.
SETTINGS = {
    "port": 0, "lease_s": 8, "heartbeat_s": 1, "max_runs": 4, "connect_timeout_s": 5, "drain_s": 5, "preview_kept_s": 1,
}  # fmt: skip
# What changes nothing in a dest, and is asked for beside the loads.
LOOKS: tuple[dict[str, Any], ...] = ({"preview": True}, {"verify": Verify()})
LOOKS_TOO = 0.2
MOST_SHELLS = 3


class Installation:
    """A home with a module for each strategy and one into SQLite, and a server.

    Its modules are called like those of every other installation; their tables are its own. A row says which table it
    was read for, and of which version of the source it is.
    """

    def __init__(self, name: str, folder: Path, postgres: LocalPostgres) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.project = Project(self.folder)
        lines = [f"{key}: {value}\n" for key, value in SETTINGS.items()]
        (self.project.home / "config.yaml").write_text("".join(lines))
        self.address = postgres.jdbc_url("dest")
        login = {"username": "postgres"}
        self.source = self.project.add_connection("source", postgres.jdbc_url("source"), **login)
        self.dest = self.project.add_connection("dest", self.address, **login)
        self.lite = self.project.add_connection("lite", f"jdbc:sqlite:{folder / 'lite.db'}")
        self.tables: dict[int, tuple[str, str]] = {}
        for strategy in STRATEGIES:
            self._add(strategy, strategy, self.dest)
        self._add("lite", "full", self.lite)
        self.instance = repo.get_instance_id(self.project.db)
        self.server: Program | None = None
        self.shells: list[Program] = []

    def _add(self, name: str, strategy: str, dest: Any) -> None:
        table = f"{self.name}_{name}"
        module = self.project.add_module(
            name,
            source=self.source,
            query=f"select id, version, '{table}' as who from t, v",
            dest=dest,
            table=table,
            merge_strategy=strategy,
            merge_key="id",
        )
        self.tables[module.id] = (table, strategy)

    @property
    def modules(self) -> list[Module]:
        return repo.list_modules(self.project.db)

    def start_server(self) -> None:
        if self.server is None or self.server.poll() is not None:
            self.server = self.project.start_cli("serve", log_path=self.folder / "serve.log")

    def ask(self, draw: random.Random) -> None:
        """Asks the server for a run of some modules, or for a look at what one would do, and shells for others."""
        for module in self.modules:
            if draw.random() < 0.6:
                try:
                    look = draw.choice(LOOKS) if draw.random() < LOOKS_TOO else {}
                    repo.enqueue_run(self.project.db, module.id, triggered_by="api", **look)
                except PipekitError:
                    continue
        self.shells = [shell for shell in self.shells if shell.poll() is None]
        while len(self.shells) < MOST_SHELLS and draw.random() < 0.7:
            name = draw.choice(self.modules).name
            self.shells.append(self.project.start_cli("run", name, log_path=self.folder / "shells.log"))

    def find_runners(self) -> list[int]:
        """The children that speak to databases now, of the server and of shells."""
        parents = [program for program in (self.server, *self.shells) if program and program.poll() is None]
        found = []
        for program in parents:
            try:
                found += find_children(program.pid)
            except OSError:
                continue
        return found

    def swap_names(self, one: str, two: str) -> None:
        """Each of two modules gets the other's name, whatever runs meanwhile."""
        db = self.project.db
        first, second = (repo.get_module_by_name(db, name) for name in (one, two))
        repo.update_module(db, first.id, name="between")
        repo.update_module(db, second.id, name=one)
        repo.update_module(db, first.id, name=two)

    def close(self) -> None:
        for program in (self.server, *self.shells):
            if program is not None:
                program.kill()
                program.close_pipes()
        self.project.close()


class World:
    """Everything in one folder, on 127.0.0.1 only; `close` ends and removes all of it but the folder."""

    def __init__(self, folder: Path) -> None:
        self.lite_path = folder / "lite.db"
        self.postgres = LocalPostgres(folder / "postgres", settings={"max_connections": "200"})
        self.postgres.start()
        for name in ("source", "dest", "elsewhere"):
            self.postgres.create_database(name)
        with self.connect("source") as source:
            source.execute("create table v (version int); insert into v values (0)")
            source.execute(f"create table t as select g as id from generate_series(1, {ROWS}) g")
        self.installations = [Installation(name, folder, self.postgres) for name in ("one", "two")]
        with self.connect("dest") as dest, closing(sqlite3.connect(self.lite_path)) as lite:
            for installation in self.installations:
                for table, _ in installation.tables.values():
                    to = lite if table.endswith("lite") else dest
                    to.execute(f"create table {table} (id int, version int, who text)")

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """A session of the soak's own. While the server comes back after a crash it takes some tries."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return psycopg.connect(
                    host="127.0.0.1", port=self.postgres.port, user="postgres", dbname=database, autocommit=True
                )
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def ask(self, draw: random.Random) -> None:
        """A new version of the source, and runs of it."""
        with self.connect("source") as source:
            source.execute("update v set version = version + 1")
        for installation in self.installations:
            installation.start_server()
            installation.ask(draw)

    def close(self) -> None:
        for installation in self.installations:
            installation.close()
        self.postgres.stop()


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

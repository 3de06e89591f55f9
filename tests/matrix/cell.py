# One cell of the matrix: a run that is held up at a stage, harmed, let go, and brought to its end. Judges nothing.
"""`Cell`: the installation of one cell, and what the harm and the judge need to know of it."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg

from pipekit import repo
from pipekit.engine.undoing.asking import ask_undo
from pipekit.models import Connection, Run, RunStatus
from pipekit.runner.process import Program, start_program, wait_until
from tests.matrix.holds import CHECK, COMMIT, COPY, HOOK, LEDGER, ROW_OF, WATERMARK
from tests.matrix.places import Place
from tests.matrix.proxy import Proxy
from tests.matrix.works import NEW, Work, make_all
from tests.matrix.world import CANARY, World, make_row
from tests.near import NearRunner
from tests.patience import PATIENCE_S
from tests.project import Project, find_children

# One slot, so that a run waits where it is taken. A lease is longer than a cell: who is killed is seen to be dead.
SETTINGS: dict[str, Any] = {
    "port": 0, "max_runs": 1, "warm_runners": 0, "lease_s": 600, "heartbeat_s": 1, "connect_timeout_s": 5,
    "drain_s": 3, "retry_delays_s": [0.1, 0.2],
}  # fmt: skip
_RUNNER = "pipekit.engine.runners.NativeRunner"
QUERY = "select id, v as v, pad from s where pass(id) and id > {floor}"
_FLOOR = {"name": "floor", "resolver_sql": f"select gate({WATERMARK})", "default_value": "0"}
# At the commit of a merge, not at that of a claim: both write into the ledger.
_LATE = f"""
    create function late() returns trigger language plpgsql as
    $$ begin perform gate({COMMIT}); return null; end $$
"""
_AT_COMMIT = f"""
    create constraint trigger late after insert on {LEDGER} deferrable initially deferred for each row
    when (new.run_key not like 'staging:%') execute function late()
"""
ENDED: tuple[RunStatus, ...] = ("success", "error", "cancelled", "dry_run")


class Cell:
    """A home of its own, a module `m` between the world's source and a place, and the process that runs it."""

    def __init__(self, world: World, place: Place, work: Work, folder: Path) -> None:
        self.world, self.place, self.work = world, place, work
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.project = Project(folder)
        self.holder: psycopg.Connection[Any] | None = None
        self.program: Program | None = None
        self.run_id = 0
        self.serves = False
        self.through: Sequence[str] = ()
        self.ports: dict[str, int] = {}
        self.options: dict[str, Any] = {}
        self.spoil = ""
        self.proxy: Proxy | None = None
        self.changing: threading.Thread | None = None
        self.seen: set[int] = set()
        self.closing: list[Callable[[], object]] = []

    @property
    def state_path(self) -> Path:
        return self.project.config.state_path

    @property
    def run(self) -> Run:
        return self.project.get_run(self.run_id)

    def prepare(self, stage: str) -> None:
        """Everything but the run: databases, connections, the module. A run that must come first has been."""
        self._configure()
        self._fill(stage)
        self._add_module(stage)
        if self.work.is_first:
            run = self.run_near()
            assert run.status == "success", run.error

    def _configure(self) -> None:
        lines = [f"{name}: {value}\n" for name, value in SETTINGS.items()]
        (self.project.home / "config.yaml").write_text("".join(lines))
        secrets = self.project.config.secrets_path
        secrets.touch(mode=0o600)
        secrets.write_text(f"TEST_PASSWORD={CANARY}\nTEST_MARIADB='no word of a query'\n")

    def _fill(self, stage: str) -> None:
        ask = self.world.ask
        self.world.clear()
        ask("source", "create table s (id int, v text, pad text)")
        self.world.put_rows("source", "s", [make_row(number, "new") for number in (*NEW, NEW[-1] + 1)])
        self.hold_rows(ROW_OF.get(stage, 0))
        before = make_all(range(1, 41), "old") if self.work.is_first else self.work.before
        self.place.prepare(self.work.table, [make_row(number, v) for number, v in before])
        if self.spoil:
            ask("dest", self.spoil)
        if stage == "commit":
            ask("dest", _LATE)
            ask("dest", _AT_COMMIT)

    def hold_rows(self, at: int) -> None:
        """The source gives its rows up to the last but one; at row `at` it waits until it may go on."""
        self.world.ask(
            "source",
            f"create or replace function pass(id int) returns boolean language plpgsql as $$ begin"
            f" if id = {at} then perform gate({COPY}); end if; return id <= {NEW[-1]}; end $$",
        )

    def _add_module(self, stage: str) -> None:
        source = self._connect_source()
        dest = self.place.connect(self.project, self.ports.get("dest"))
        options = {**self.work.options, **self.options, "watermarks": [{**_FLOOR, "connection_id": source.id}]}
        if stage == "check":
            options["expect_sql"] = f"select 1 where gate({CHECK}) < 0"
        if stage in ("hook", "finish"):
            options["hooks"] = [{"sql": f"select gate({HOOK})"}]
        add = self.project.add_module
        self.module = add("m", source=source, query=QUERY, dest=dest, table="t", **options)
        plain = self.project.add_connection("plain", f"jdbc:sqlite:{self.folder / 'plain.db'}")
        self.other = add("other", source=plain, query="select 1", dest=plain, table="x")

    def _connect_source(self) -> Connection:
        port = self.ports.get("source", self.world.servers["source"].port)
        url = f"jdbc:postgresql://127.0.0.1:{port}/source"
        return self.project.add_connection("source", url, username="postgres", password="$TEST_PASSWORD")

    # -- the run -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Asks for the run: of a server, or by a command of its own."""
        if self.serves:
            self.run_id = self._ask_server()
            self.start_server()
        else:
            self.program = self._start(*self.work.words)

    def start_server(self) -> None:
        self.program = self._start("serve")

    def _ask_server(self) -> int:
        db = self.project.db
        if self.work.is_first:
            return ask_undo(db, self.project.get_run(1), user="matrix").id
        return repo.enqueue_run(db, self.module.id, triggered_by="api", **self.work.asked).id

    def _start(self, *words: str) -> Program:
        argv = [*self.through, sys.executable, "-m", "pipekit", *words]
        # A compiled file that a full disk cuts short would be there for the next cell too.
        env = {**self.project.environment(), "PYTHONDONTWRITEBYTECODE": "1"}
        return start_program(argv, env=env, log_path=self.folder / "program.log")

    def is_over(self) -> bool:
        """Whether the process has ended."""
        return self.program is None or self.program.poll() is not None

    def note(self) -> None:
        """Which run it is, and which processes have come of it."""
        self.run_id = max(run.id for run in repo.list_runs(self.project.db, limit=5) if run.module == "m")
        self.seen |= {*self.find_runners(), self.pid}

    @property
    def pid(self) -> int:
        assert self.program is not None
        return self.program.pid

    def find_runners(self) -> list[int]:
        """The children that speak to databases, or are about to."""
        with contextlib.suppress(OSError):
            return find_children(self.pid)
        return []

    def finish(self, within_s: float = PATIENCE_S) -> str:
        """Lets it come to its end, with a new server where the old one is gone; what is wrong if it does not."""
        if not self.serves:
            if not wait_until(self.is_over, within_s, 0.05):
                return f"the command has not ended after {within_s:g} s"
            return ""
        if not wait_until(self._is_served, within_s, 0.1):
            return f"the server has not ended the run after {within_s:g} s"
        assert self.program is not None
        if self.is_over():
            return ""
        os.kill(self.pid, signal.SIGTERM)
        code = self.program.wait(within_s)
        return "" if code == 0 else f"the server ended with {code}"

    def run_near(self, *, dry_run: bool = False) -> Run:
        """A run of the module that nothing disturbs, in this process where that can be.

        Java has one of its own; a library that waits for the proxy would wait for itself.
        """
        is_apart = self.place.kind == "mariadb" or self.ports
        with contextlib.nullcontext() if is_apart else mock.patch(_RUNNER, NearRunner):
            return self.project.run(repo.get_module(self.project.db, self.module.id), dry_run=dry_run)

    def _is_served(self) -> bool:
        """Whether the run has ended; while it has not, there is a server."""
        if self.run.status in ENDED:
            return True
        if self.is_over():
            self.start_server()
        self.seen |= {*self.find_runners(), self.pid}
        return False

    def close(self) -> None:
        for close in self.closing:
            close()
        if self.program is not None:
            self.program.kill()
            self.program.close_pipes()
        self.project.close()

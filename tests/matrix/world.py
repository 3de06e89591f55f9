# The databases that the matrix of faults works on: two PostgreSQL servers, one of them on a small disk. Harms nothing.
"""`World`: made once, emptied for each cell."""

import shutil
import tempfile
import time
from collections.abc import Sequence
from hashlib import md5
from pathlib import Path
from typing import Any

import psycopg

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.runner_contract import QueryResult
from tests.harm import mount_small, unmount

# The password of both servers, which must be found nowhere but where it is kept.
CANARY = "Vogelfrei-0815-Kanari"
DISK_MB = 48
COMES_BACK_WITHIN_S = 60

_SESSIONS = "select pid from pg_stat_activity where application_name like 'pipekit:%'"
_WAITS = f"{_SESSIONS} and state = 'active' and wait_event_type = 'Lock' and datname = current_database()"
# Waits for as long as somebody holds the lock of this number; what the sessions of a run take is shared.
_GATE = """
    create function gate(n int) returns int language plpgsql as
    $$ begin perform pg_advisory_xact_lock_shared(n); return 0; end $$
"""

Row = tuple[int, str, str]


def pad_of(number: int) -> str:
    """Two thousand characters that no two rows share, and that cannot be packed."""
    return "".join(md5(f"{number} {part}".encode()).hexdigest() for part in range(63))


def make_row(number: int, v: str) -> Row:
    return number, v, pad_of(number)


class World:
    """Two servers, `source` and `dest`, each with a database of its own name; `close` ends and removes everything.

    `disk` is the folder that holds the dest's rows and is small, None with `no_disk` where that cannot be had.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.no_disk = ""
        self.disk: Path | None = None
        self.servers = {
            side: LocalPostgres(folder / side, password=CANARY, settings=settings)
            for side, settings in (("source", {}), ("dest", {"deadlock_timeout": "3s", "autovacuum": "off"}))
        }
        self._open: dict[str, psycopg.Connection[Any]] = {}
        for side, server in self.servers.items():
            server.start()
            if side == "source":
                server.create_database(side)
        self._make_disk()

    def _make_disk(self) -> None:
        """The dest's database lies on a disk of its own, where one may be mounted."""
        place, server = Path(tempfile.mkdtemp(prefix="pipekit-disk-")), self.servers["dest"]
        self._place = place
        self.no_disk = mount_small(place, DISK_MB)
        if self.no_disk:
            server.create_database("dest")
            return
        self.disk = place
        place.chmod(0o755)
        (place / "space").mkdir(mode=0o700)
        shutil.chown(place / "space", "nobody")
        server.run_sql(f"create tablespace small location '{place / 'space'}'")
        server.run_sql("create database dest tablespace small")

    def connect(self, side: str) -> psycopg.Connection[Any]:
        """A session of the suite's own; while the server comes back after a crash it takes some tries."""
        deadline = time.monotonic() + COMES_BACK_WITHIN_S
        while True:
            try:
                return psycopg.connect(
                    host="127.0.0.1",
                    port=self.servers[side].port,
                    user="postgres",
                    password=CANARY,
                    dbname=side,
                    autocommit=True,
                    application_name="matrix",
                    prepare_threshold=None,  # the tables of one cell are others than those of the next
                )
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def ask(self, side: str, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Runs a statement in a session that is kept; once more in a new one when the server has gone meanwhile."""
        for is_last in (False, True):
            kept = self._open.get(side)
            if kept is None or kept.closed:
                kept = self._open[side] = self.connect(side)
            try:
                done = kept.execute(sql, parameters or None)
                return done.fetchall() if done.description else []
            except psycopg.OperationalError:
                kept.close()
                if is_last:
                    raise
        raise AssertionError("unreachable")

    def list_sessions(self, side: str) -> list[int]:
        """The server's processes that serve runs of Pipekit."""
        return [pid for (pid,) in self.ask(side, _SESSIONS)]

    def is_held_up(self, side: str) -> bool:
        """Whether a run waits for a lock there."""
        return bool(self.ask(side, _WAITS))

    def clear(self) -> None:
        """Both databases empty but for what lets a stage be held up; the ledger is there."""
        for side in ("source", "dest"):
            for schema in ("public", "pipekit_staging"):
                self.ask(side, f"drop schema if exists {schema} cascade")
            self.ask(side, "create schema public")
            self.ask(side, _GATE)
        for sql in DRIVER.find_setup_sql(self._look_at_dest):
            self.ask("dest", sql)

    def _look_at_dest(self, sql: str) -> QueryResult:
        """A query's rows as a runner gives them: true is `t`."""
        rows = self.ask("dest", sql)
        return QueryResult(columns=(), rows=tuple(tuple(str(cell)[0].lower() for cell in row) for row in rows))

    def put_rows(self, side: str, table: str, rows: Sequence[Row]) -> None:
        """Into the columns `id`, `v` and `pad` of a table that is there."""
        self.ask(side, "select 1")
        with self._open[side].cursor() as cursor:
            cursor.executemany(f"insert into {table} (id, v, pad) values (%s, %s, %s)", rows)

    def close(self) -> None:
        for connection in self._open.values():
            connection.close()
        for server in self.servers.values():
            server.stop()
        if self.disk is not None:
            unmount(self.disk)
        shutil.rmtree(self._place, ignore_errors=True)

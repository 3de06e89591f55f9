# The two PostgreSQL servers everything is measured on. Knows nothing of the contenders.
"""A source and a dest that behave like production servers: fsync on, each a cluster of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipekit.demo.postgres import LocalPostgres

DATABASE = "bench"
SETTINGS = {
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "jit": "off",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Servers:
    """Both servers, started, each with an empty database."""

    source: LocalPostgres
    dest: LocalPostgres

    def settle(self) -> None:
        """Writes out what either server still holds back, so that no contender pays for the one before it."""
        for server in (self.source, self.dest):
            server.run_sql("checkpoint", timeout_s=600)


@contextmanager
def start_servers(folder: Path) -> Iterator[Servers]:
    """Starts both servers with fresh files below `folder`; stops them and removes their files at the end."""
    places = [folder / "source", folder / "dest"]
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
    source, dest = (LocalPostgres(place, fsync=True, settings=SETTINGS) for place in places)
    try:
        with source, dest:
            for server in (source, dest):
                server.create_database(DATABASE)
            yield Servers(source=source, dest=dest)
    finally:
        for place in places:
            shutil.rmtree(place, ignore_errors=True)


def psql_command(server: LocalPostgres, *arguments: str, database: str = DATABASE) -> list[str]:
    """The argv of psql on one of the server's databases."""
    login = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-d", database]
    return [str(server.psql_path), "-qAtX", "-v", "ON_ERROR_STOP=1", *login, *arguments]

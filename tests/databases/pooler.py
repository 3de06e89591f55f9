# A pgbouncer in front of the tests' PostgreSQL: the same database through a pool, in any of its modes.
"""`open_pooler`."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.demo.postgres import UNPRIVILEGED_USER, LocalPostgres
from tests.patience import PATIENCE_S

# Logins that a pooler lets in besides the superuser; a test that makes one takes the next.
ODD_LOGINS = tuple(f"odd_{number}" for number in range(30))


@contextlib.contextmanager
def open_pooler(folder: Path, postgres: LocalPostgres, database: str, **settings: object) -> Iterator[str]:
    """The address of the database behind a pgbouncer of its own; `settings` are lines of its configuration.

    Skips the test where there is no pgbouncer.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("no pgbouncer (apt-get install pgbouncer)")
    port = _find_port()
    logins = folder / "logins.txt"
    logins.write_text("".join(f'"{name}" ""\n' for name in ("postgres", *ODD_LOGINS)), encoding="utf-8")
    lines = {
        "listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": "", "auth_type": "trust",
        "auth_file": logins, **settings,
    }  # fmt: skip
    told = "\n".join(f"{name} = {value}" for name, value in lines.items())
    server = f"host=127.0.0.1 port={postgres.port} dbname={database}"
    path, log = folder / "pgbouncer.ini", folder / "pgbouncer.log"
    path.write_text(f"[databases]\n{database} = {server}\n[pgbouncer]\n{told}\n", encoding="utf-8")
    argv = [program, *(["-u", UNPRIVILEGED_USER] if os.geteuid() == 0 else []), str(path)]
    with log.open("wb") as said:
        process = subprocess.Popen(argv, stdout=said, stderr=said)
    try:
        _wait_for(port, process, log)
        yield f"jdbc:postgresql://127.0.0.1:{port}/{database}"
    finally:
        process.kill()
        process.wait()


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"pgbouncer did not start: {log.read_text(encoding='utf-8')}")

# Other people's tools beside Pipekit. Knows how each is asked to do the same, nothing of how it does it.
"""sling and dlt, from wheels that carry their program, in an environment of their own."""

import os
import platform
import sys
from pathlib import Path

from bench.data import TABLE
from bench.measure import CommandFailed, measure
from bench.place import Peers
from bench.race import Contender
from bench.servers import DATABASE, Servers

SLING, DLT = "sling 1.4.11", "dlt 1.31.0, connectorx, parquet, ADBC"
# Later wheels of sling fetch their program when it first runs. dlt takes SQLAlchemy 2.1, whose `postgresql://` asks for
# another library than dlt brings.
PINNED = (
    "sling-linux-amd64==1.4.11",
    "dlt[postgres,parquet]==1.31.0",
    "psycopg2-binary==2.9.13",
    "SQLAlchemy==2.0.44",
    "connectorx==0.4.6",
    "adbc-driver-manager==1.13.0",
    "adbc-driver-postgresql==1.13.0",
)
_MARK = "installed"


def install_peers(folder: Path) -> Peers:
    """Installs both with pip, once; raises CommandFailed where they cannot be had."""
    home = folder / "peers"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise CommandFailed("sling's wheel is for Linux on x86_64 only")
    if not (home / _MARK).exists():
        home.mkdir(parents=True, exist_ok=True)
        measure([sys.executable, "-m", "venv", str(home / "venv")], cwd=home)
        pip = [str(home / "venv/bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
        measure([*pip, *PINNED], cwd=home)
        (home / _MARK).touch()
    program = next((home / "venv").glob("lib/*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
    return Peers(home=home, python=home / "venv/bin/python", sling=program)


def build_sling(
    peers: Peers, servers: Servers, *, table: str = TABLE, database: str = DATABASE, key: str = ""
) -> Contender:
    """sling into the big table's dest: emptied and filled, or with a key merged into what is there."""
    login = "postgres://postgres@127.0.0.1:{}/{}?sslmode=disable"
    env = {
        **_build_environment(peers),
        "BENCH_SOURCE": login.format(servers.source.port, DATABASE),
        "BENCH_DEST": login.format(servers.dest.port, database),
    }
    mode = ["--mode", "incremental", "--primary-key", key] if key else ["--mode", "truncate"]
    argv = [str(peers.sling), "run", "--src-conn", "BENCH_SOURCE", "--src-stream", f"public.{table}"]
    argv += ["--tgt-conn", "BENCH_DEST", "--tgt-object", f"public.{TABLE}", *mode]
    return Contender(name=SLING, what="its own staging", argv=argv, env=env, dest=TABLE, other=True)


def build_dlt(peers: Peers, servers: Servers) -> Contender:
    """dlt into the big table's dest, which it replaces."""
    script = str(Path(__file__).with_name("dlt_mover.py"))
    ports = [str(servers.source.port), str(servers.dest.port)]
    argv = [str(peers.python), script, *ports, DATABASE, TABLE, str(peers.home / "state")]
    env = _build_environment(peers)
    return Contender(name=DLT, what="its fastest way", argv=argv, env=env, dest=TABLE, other=True)


def _build_environment(peers: Peers) -> dict[str, str]:
    """Neither writes into a person's home, nor tells anybody that it ran."""
    quiet = {"SLING_DISABLE_TELEMETRY": "true", "RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1"}
    return {**os.environ, "HOME": str(peers.home), **quiet}

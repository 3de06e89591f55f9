#!/usr/bin/env bash
# A join by a column under RTRIM passes over rows that are equal.
# One would guess: 'a' = 'a ' holds in a join where it holds in a WHERE.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'apsw==3.40.1.0'
seen=$("$work/venv/bin/python" - <<'PY'
import apsw

print("SQLite", apsw.sqlitelibversion())
base = apsw.Connection(":memory:").cursor()
for table in ("one", "other"):
    base.execute(f"CREATE TABLE {table} (code TEXT COLLATE RTRIM)")
base.execute("INSERT INTO one VALUES ('a')")
base.execute("INSERT INTO other VALUES ('a  ')")
print("by a constant", base.execute("SELECT count(*) FROM one WHERE code = 'a  '").fetchall())
print("by IN", base.execute("SELECT count(*) FROM one WHERE code IN (SELECT code FROM other)").fetchall())
print("in a join", base.execute("SELECT count(*) FROM one, other WHERE one.code = other.code").fetchall())
PY
)
expected=$(cat <<'TEXT'
SQLite 3.40.1
by a constant [(1,)]
by IN [(1,)]
in a join [(0,)]
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

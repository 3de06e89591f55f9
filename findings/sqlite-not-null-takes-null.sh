#!/usr/bin/env bash
# A NOT NULL column of SQLite takes NULL, where it is the integer primary key.
# One would guess: NOT NULL refuses NULL; what a type is called, INTEGER or BIGINT, does not matter.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'apsw==3.46.1.0'
seen=$("$work/venv/bin/python" - <<'PY'
import apsw

print("SQLite", apsw.sqlite_lib_version())
base = apsw.Connection(":memory:")
for type_ in ("INTEGER", "BIGINT"):
    base.execute(f"CREATE TABLE t_{type_} (id {type_} NOT NULL, v TEXT, PRIMARY KEY (id))")
    try:
        base.execute(f"INSERT INTO t_{type_} VALUES (NULL, 'a')")
        print(type_, base.execute(f"SELECT * FROM t_{type_}").fetchall())
    except apsw.ConstraintError as error:
        print(type_, error)
PY
)
expected=$(cat <<'TEXT'
SQLite 3.46.1
INTEGER [(1, 'a')]
BIGINT ConstraintError: NOT NULL constraint failed: t_BIGINT.id
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

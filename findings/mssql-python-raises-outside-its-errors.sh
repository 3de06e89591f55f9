#!/usr/bin/env bash
# mssql-python refuses a connection string with an error that its own base class does not catch.
# One would guess: whatever a DB-API module raises is a subclass of its `Error` (PEP 249).
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'mssql-python==1.16.0'
seen=$("$work/venv/bin/python" - <<'PY'
from importlib.metadata import version

import mssql_python

print("mssql-python", version("mssql-python"))
try:
    mssql_python.connect("Server=127.0.0.1,1433;Connection Timeout=5")
except Exception as error:
    print(type(error).__name__, "is an Error:", isinstance(error, mssql_python.Error))
PY
)
expected=$(cat <<'TEXT'
mssql-python 1.16.0
ConnectionStringParseError is an Error: False
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

#!/usr/bin/env bash
# pyarrow's safe cast refuses some losses and makes others.
# One would guess: `cast(..., safe=True)`, the default, raises where a value would change.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'pyarrow==26.0.1'
seen=$("$work/venv/bin/python" - <<'PY'
from decimal import Decimal

import pyarrow as pa

print("pyarrow", pa.__version__)
for value, type_ in [
    (1.5, pa.int64()),
    (Decimal("1.5"), pa.decimal128(10, 0)),
    (1.5, pa.decimal128(10, 0)),
    (2**53 + 1, pa.float64()),
    (Decimal(2**53 + 1), pa.float64()),
    ("1e400", pa.float64()),
    ("0x10", pa.int64()),
]:
    source = pa.array([value])
    try:
        became = source.cast(type_)[0].as_py()
    except pa.ArrowInvalid:
        became = "refused"
    print(f"{source.type} {value} -> {type_}: {became}")
PY
)
expected=$(cat <<'TEXT'
pyarrow 26.0.1
double 1.5 -> int64: refused
decimal128(2, 1) 1.5 -> decimal128(10, 0): refused
double 1.5 -> decimal128(10, 0): 2
int64 9007199254740993 -> double: refused
decimal128(16, 0) 9007199254740993 -> double: 9007199254740992.0
string 1e400 -> double: inf
string 0x10 -> int64: 16
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

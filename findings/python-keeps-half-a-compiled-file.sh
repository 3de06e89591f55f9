#!/usr/bin/env bash
# A module that is imported for the first time while the disk is full cannot be imported when there is room again.
# One would guess: a compiled file that could not be written whole is not kept.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3; seen with 3.10.13, 3.11.7, 3.12.1, 3.13.0. A limit on the size of files stands for the full disk.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
python3 -c 'print("\n".join(f"def f{i}(): return {i}" for i in range(1000)))' >many.py
seen=$(
  python3 -c 'import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, -1)); import many; print("once")'
  python3 -c 'import many; print("twice")' 2>&1 | tail -1 | cut -d: -f1 || true
)
expected=$(cat <<'TEXT'
once
EOFError
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

#!/usr/bin/env bash
# SQLite copies rows whole from one table into another that is alike, but not if the INSERT names the columns.
# One would guess: names that are all of the table's, in its order, cost nothing.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3.
set -euo pipefail
command -v python3 > /dev/null || { echo "needs python3"; exit 2; }
seen=$(python3 - <<'PY'
import sqlite3

names = [f"c{number}" for number in range(40)]
db = sqlite3.connect(":memory:")
for table in "ab":
    db.execute(f"CREATE TABLE {table} ({', '.join(names)})")
db.executemany(f"INSERT INTO a VALUES ({', '.join('?' * 40)})", [range(40)] * 1000)


def count_steps(sql):
    steps = 0

    def step():
        nonlocal steps
        steps += 10

    db.set_progress_handler(step, 10)
    db.execute(sql)
    db.set_progress_handler(None, 0)
    return steps


listed = ", ".join(names)
by_name = count_steps(f"INSERT INTO b ({listed}) SELECT {listed} FROM a")
whole = count_steps("INSERT INTO b SELECT * FROM a")
print("with names: more than 40 steps a row" if by_name > 40_000 else f"with names: {by_name / 1000} steps a row")
print("without: fewer than 8" if whole < 8_000 else f"without: {whole / 1000} steps a row")
PY
)
expected='with names: more than 40 steps a row
without: fewer than 8'
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

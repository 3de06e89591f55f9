#!/usr/bin/env bash
# cronsim leaves out a time behind a change of the clocks by half an hour.
# One would guess: `30 * * * *` comes whenever a clock on the wall shows half past, as `*/30 * * * *` does.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'cronsim==2.8' 'tzdata==2025.2'
seen=$("$work/venv/bin/python" - <<'PY'
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from cronsim import CronSim

# Lord Howe goes from 02:00 to 02:30.
start = datetime(2026, 10, 4, 1, 0, tzinfo=ZoneInfo("Australia/Lord_Howe"))
print("cronsim", version("cronsim"))
for cron in ("30 * * * *", "*/30 * * * *"):
    times = CronSim(cron, start)
    print(cron.ljust(12), *(next(times).strftime("%H:%M%z") for _ in range(4)))
PY
)
expected=$(cat <<'TEXT'
cronsim 2.8
30 * * * *   01:30+1030 03:30+1100 04:30+1100 05:30+1100
*/30 * * * * 01:30+1030 02:30+1100 03:00+1100 03:30+1100
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

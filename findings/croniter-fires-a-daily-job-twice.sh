#!/usr/bin/env bash
# croniter gives a daily time twice on the day when clocks go back.
# One would guess: a job of 01:30 every day comes once a day, as crontab(5) promises.
# Exit status: 0 it is still so, 1 it has changed, 2 it could not be tried.
# Needs python3 with venv.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'croniter==7.0.0' 'cronsim==2.8'
seen=$("$work/venv/bin/python" - <<'PY'
from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

start = datetime(2026, 11, 1, tzinfo=ZoneInfo("America/New_York"))
one, other = croniter("30 1 * * *", start), CronSim("30 1 * * *", start)
print("croniter", version("croniter"), *(one.get_next(datetime).isoformat() for _ in range(3)))
print("cronsim", version("cronsim"), *(next(other).isoformat() for _ in range(3)))
PY
)
expected=$(cat <<'TEXT'
croniter 7.0.0 2026-11-01T01:30:00-04:00 2026-11-01T01:30:00-05:00 2026-11-02T01:30:00-05:00
cronsim 2.8 2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00 2026-11-03T01:30:00-05:00
TEXT
)
printf '%s\n' "$seen"
if [ "$seen" != "$expected" ]; then
  echo "This has changed. It was:"
  printf '%s\n' "$expected"
  exit 1
fi

# The clock that leases are measured with. Knows `meta` and where leases stand, nothing of who holds one.
"""`lease_now` and `lease_end`.

The wall clock may be set: stepped back an hour it would keep a dead owner's lease alive for an hour, stepped forward it
would end a living one's. So leases are measured by the time since the machine started, which all its processes share
and nobody sets. What is added to make it look like the time of day is written down once for each start of the machine.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from pipekit.repo.state import State, format_moment, wall_clock

# A lease of the time before a restart may not look younger than this, whatever the wall clock says after it.
LONGEST_LEASE_S = 60.0

_LATEST = """
    SELECT max(at) AS at FROM (
        SELECT max(lease_expires_at) AS at FROM run_log WHERE status = 'running'
        UNION ALL SELECT max(lease_expires_at) FROM run_log WHERE status = 'queued'
        UNION ALL SELECT lease_expires_at FROM server)
"""


def lease_now(db: State) -> str:
    """This moment as leases count it, written like `now`."""
    return lease_end(db, 0.0)


def lease_end(db: State, seconds: float) -> str:
    """The moment `seconds` from now at which a lease runs out."""
    if not _boot():
        return format_moment(wall_clock() + timedelta(seconds=seconds))  # nothing tells one start from another
    if db.lease_epoch_s is None:
        db.lease_epoch_s = _get_epoch_s(db)
    return format_moment(datetime.fromtimestamp(db.lease_epoch_s + _since_start_s() + seconds, UTC))


def _get_epoch_s(db: State) -> float:
    """What the time since the machine's start is counted from, in seconds since 1970."""
    name = f"lease_clock {_boot()}"
    found = db.row("SELECT value FROM meta WHERE name = ?", (name,))
    if found is None:
        epoch_s = max(wall_clock().timestamp(), _latest_lease_s(db) - LONGEST_LEASE_S) - _since_start_s()
        db.execute("INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)", (name, repr(epoch_s)))
        found = db.row("SELECT value FROM meta WHERE name = ?", (name,))
        assert found is not None
    return float(found["value"])


def _latest_lease_s(db: State) -> float:
    row = db.row(_LATEST)
    try:
        return datetime.fromisoformat(row["at"]).timestamp() if row and row["at"] else 0.0
    except ValueError:
        return 0.0


def _since_start_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""

# What work on a state database costs, counted: a figure that no other process can change. Knows no table.
"""`count_steps` of SQLite's machine, and `count_written` bytes."""

import os
from collections.abc import Callable

from pipekit import repo


def count_steps(db: repo.State, work: Callable[[], object]) -> int:
    """Steps of SQLite's machine that some work takes on this connection; each looks at or writes about one value."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(step, 1)
    try:
        work()
    finally:
        db.set_progress_handler(None, 0)
    return steps


def count_written(db: repo.State, work: Callable[[], object]) -> int:
    """Bytes that some work adds to the write-ahead log, which is emptied before and not during it."""
    [limit] = (db.row("PRAGMA wal_autocheckpoint") or {}).values()
    [path] = [row["file"] for row in db.rows("PRAGMA database_list") if row["name"] == "main"]
    db.row("PRAGMA wal_checkpoint(TRUNCATE)")
    db.row("PRAGMA wal_autocheckpoint = 0")
    try:
        work()
        return os.path.getsize(f"{path}-wal")
    finally:
        db.row(f"PRAGMA wal_autocheckpoint = {limit}")

# How long records and logs are kept. Knows the settings and the pace of removal, not which rows may go.
"""`purge`: removes what is older than the settings say, so slowly that nobody waits for it."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from pipekit import repo
from pipekit.config import Config
from pipekit.engine import Installation
from pipekit.engine.undoing.dropping import drop_unwanted
from pipekit.repo import purge as rows

# A batch aims at holding the write lock this long; the next one begins after a pause in which others have their turn.
HOLD_S = 0.04
PAUSE_S = 0.06
FIRST_BATCH = 50
LARGEST_BATCH = 5_000
# Pieces of a live log are up to 16,384 characters each.
LARGEST_LOG_BATCH = 100


@dataclass(frozen=True, slots=True)
class Purged:
    """How many of each were removed, or would be."""

    logs: int = 0
    runs: int = 0
    group_runs: int = 0
    fires: int = 0
    logins: int = 0
    alerts: int = 0
    versions: int = 0
    undo: int = 0

    @property
    def total(self) -> int:
        """How many in all."""
        return sum(getattr(self, f.name) for f in fields(self))

    def __str__(self) -> str:
        runs = f"{self.runs} runs, {self.group_runs} group runs, {self.fires} fires"
        undo = f", what dests kept of {self.undo} runs to take them back" if self.undo else ""
        versions = f", {self.versions} versions of modules" if self.versions else ""
        return f"{self.logs} logs, {runs}, {self.logins} logins, {self.alerts} alerts{versions}{undo}"


def purge(db: repo.State, config: Config, *, dry_run: bool = False, stop: threading.Event | None = None) -> Purged:
    """Removes live logs older than `keep_logs_days`; runs, logins, alerts, versions ... older than `keep_runs_days`.

    Ends early when `stop` is set; the next time goes on where it ended. `dry_run` only counts.
    """
    runs_before = _days_ago(config.keep_runs_days)
    logs_before = max(_days_ago(config.keep_logs_days), runs_before)
    if dry_run:
        kinds = (rows.RUNS, rows.GROUP_RUNS, rows.FIRES, rows.LOGINS, rows.ALERTS, rows.VERSIONS)
        return Purged(
            sum(1 for _ in rows.list_old_logs(db, logs_before)),
            *(sum(1 for _ in rows.list_old(db, kind, runs_before)) for kind in kinds),
        )
    pace = _Pace(stop or threading.Event())
    logs = sum(_purge_log(db, run_id, pace) for run_id in pace.until_stopped(rows.list_old_logs(db, logs_before)))
    named = {
        "fires": rows.FIRES,
        "runs": rows.RUNS,
        "group_runs": rows.GROUP_RUNS,
        "logins": rows.LOGINS,
        "alerts": rows.ALERTS,
        "versions": rows.VERSIONS,
    }
    return Purged(logs=logs, **{name: _purge_kind(db, kind, runs_before, pace) for name, kind in named.items()})


def purge_undo(installation: Installation, *, dry_run: bool = False) -> int:
    """Of how many runs dests keep nothing any more, as nobody can take them back or they are too old."""
    return drop_unwanted(installation, _days_ago(installation.config.keep_runs_days), dry_run=dry_run)


def _days_ago(days: int) -> str:
    return repo.format_moment(repo.wall_clock() - timedelta(days=days))


def _purge_log(db: repo.State, run_id: int, pace: "_Pace") -> int:
    """1 when the log is gone, 0 when the time was up before."""
    while not pace.stop.is_set():
        limit = min(pace.size, LARGEST_LOG_BATCH)
        if pace.measure(rows.delete_log_chunks, db, run_id, limit) < limit:
            return 1
    return 0


def _purge_kind(db: repo.State, kind: rows.Kind, before: str, pace: "_Pace") -> int:
    """How many rows of a kind were removed."""
    pace.size = FIRST_BATCH
    ids = pace.until_stopped(rows.list_old(db, kind, before))
    removed = 0
    while batch := list(itertools.islice(ids, pace.size)):
        removed += pace.measure(rows.delete_old, db, kind, batch, before)
    return removed


class _Pace:
    """Chooses the size of batches by how long they took, and waits between them."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.size = FIRST_BATCH

    def until_stopped(self, ids: Iterable[int]) -> Iterator[int]:
        """The ids, as long as nobody asks to stop."""
        return itertools.takewhile(lambda _: not self.stop.is_set(), ids)

    def measure(self, remove: Callable[..., int], *arguments: Any) -> int:
        """Removes a batch and pauses; how much was removed."""
        begun = time.monotonic()
        removed = remove(*arguments)
        took_s = time.monotonic() - begun
        self.size = max(1, min(LARGEST_BATCH, round(self.size * min(2.0, HOLD_S / max(took_s, 0.001)))))
        self.stop.wait(max(PAUSE_S, took_s))
        return removed

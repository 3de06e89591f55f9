# Figures of all modules at once, for what watches servers. Knows nothing of their form.
"""`list_module_figures`, `list_status_counts`: one query each, along indexes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipekit.repo.loads import build_load_condition
from pipekit.repo.pages import read_at_once
from pipekit.repo.state import State

_IS_LOAD = build_load_condition("r")
_MODULES = f"""
    SELECT m.name, m.fresh_within_s, l.status, l.finished_at AS ended_at, g.started_at, g.finished_at AS good_at,
           g.rows_read, g.rows_inserted, g.rows_updated, g.rows_deleted
    FROM module m
    LEFT JOIN run_log l ON l.id = (
        SELECT id FROM run_log r WHERE module_id = m.id AND +status IN ('success', 'error', 'cancelled') AND {_IS_LOAD}
        ORDER BY id DESC LIMIT 1)
    LEFT JOIN run_log g ON g.id = (
        SELECT id FROM run_log r WHERE module_id = m.id AND +status = 'success' AND {_IS_LOAD} ORDER BY id DESC LIMIT 1)
    ORDER BY m.name
"""
_NAMES = ("name", "fresh_within_s", "status", "ended_at", "started_at", "good_at")
_COUNTS = ("rows_read", "rows_inserted", "rows_updated", "rows_deleted")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleFigures:
    """A module's figures by name; None where it has none yet."""

    module: str
    values: Mapping[str, float | None]


def list_module_figures(db: State) -> list[ModuleFigures]:
    """Every module's last run and last good run, by name."""
    return [
        ModuleFigures(module=str(row["name"]), values=_build_values(row))
        for row in read_at_once(db, (*_NAMES, *_COUNTS), _MODULES)
    ]


def _build_values(row: Mapping[str, object]) -> dict[str, float | None]:
    began, good = _read_time(row["started_at"]), _read_time(row["good_at"])
    written = [row[name] for name in _COUNTS[1:]]
    return {
        "failed": None if row["status"] is None else float(row["status"] == "error"),
        "last_end_timestamp_seconds": _read_time(row["ended_at"]),
        "last_success_timestamp_seconds": good,
        "last_duration_seconds": good - began if good is not None and began is not None else None,
        "last_rows_read": _read_count(row["rows_read"]),
        "last_rows_written": None if good is None else sum(_read_count(count) or 0.0 for count in written),
        "fresh_within_seconds": _read_count(row["fresh_within_s"]),
    }


def _read_time(text: object) -> float | None:
    return datetime.fromisoformat(str(text)).timestamp() if text else None


def _read_count(value: object) -> float | None:
    return float(value) if isinstance(value, int) else None


def list_status_counts(db: State) -> list[tuple[str, int]]:
    """How many runs are on record by status; walks an index, not the records."""
    rows = read_at_once(
        db, ("status", "n"), "SELECT status, count(*) AS n FROM run_log GROUP BY status ORDER BY status"
    )
    return [(str(row["status"]), int(row["n"])) for row in rows]


def find_oldest_queued(db: State) -> str | None:
    """Since when the run that has waited longest has waited."""
    row = db.row("SELECT min(queued_at) AS at FROM run_log WHERE status = 'queued'")
    return row["at"] if row else None

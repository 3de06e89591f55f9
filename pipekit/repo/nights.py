# What the first page says of nights past: failures in a row, each group's days, due times that nothing came of.
"""`list_streaks`, `list_group_days`, `count_unfired`; each in one query whatever there is."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.repo.loads import build_load_condition
from pipekit.repo.pages import read_at_once
from pipekit.repo.state import State

# Failures in a row that are counted; nobody needs to know it more exactly.
MOST_IN_A_ROW = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Failing:
    """A module that fails: since when, how often in a row (at most MOST_IN_A_ROW), when it last was good."""

    module_id: int
    since: str
    times: int
    good_at: str | None


_IS_LOAD = build_load_condition("r")
_STREAKS = f"""
    SELECT w.value AS module_id, g.finished_at AS good_at,
        (SELECT count(*) FROM (SELECT 1 FROM run_log r INDEXED BY run_log_by_module
            WHERE module_id = w.value AND id > coalesce(g.id, 0) AND status = 'error' AND {_IS_LOAD}
            LIMIT {MOST_IN_A_ROW})) AS times,
        (SELECT finished_at FROM run_log r WHERE module_id = w.value AND id > coalesce(g.id, 0)
            AND status = 'error' AND {_IS_LOAD} ORDER BY id LIMIT 1) AS since
    FROM (SELECT value FROM json_each(:ids)) AS w
    LEFT JOIN run_log g ON g.id = (
        SELECT id FROM run_log r WHERE module_id = w.value AND status = 'success' AND {_IS_LOAD}
        ORDER BY id DESC LIMIT 1)
"""


def list_streaks(db: State, module_ids: Sequence[int]) -> dict[int, Failing]:
    """Of modules whose last run failed, by id."""
    names = ("module_id", "good_at", "times", "since")
    rows = read_at_once(db, names, _STREAKS, {"ids": json.dumps(list(module_ids))})
    return {row["module_id"]: Failing(**row) for row in rows if row["times"]}


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupDay:
    """A group's runs that ended in a span of time."""

    group_id: int
    ended: int
    failed: int


def list_group_days(db: State, since: str, until: str) -> list[GroupDay]:
    """The groups of which runs ended from a moment up to another, dry runs aside."""
    sql = """
        SELECT g.group_id, count(*) AS ended, sum(r.status = 'error') AS failed
        FROM run_log r CROSS JOIN group_run g ON g.id = r.group_run_id
        WHERE r.finished_at >= :since AND r.finished_at < :until AND +r.status IN ('success', 'error', 'cancelled')
              AND g.group_id IS NOT NULL
        GROUP BY g.group_id
    """
    rows = read_at_once(db, ("group_id", "ended", "failed"), sql, {"since": since, "until": until})
    return [GroupDay(**row) for row in rows]


def count_unfired(db: State, since: str) -> dict[str, int]:
    """How many due times were skipped or missed since a moment."""
    sql = """
        SELECT outcome, count(*) AS n FROM schedule_fire
        WHERE recorded_at >= :since AND outcome IN ('skipped', 'missed') GROUP BY outcome
    """
    return {row["outcome"]: row["n"] for row in read_at_once(db, ("outcome", "n"), sql, {"since": since})}

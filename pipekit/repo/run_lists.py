# Lists of runs and of group runs, by what people ask for. Knows no page.
"""`list_run_briefs` and `count_group_runs`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields

from pipekit.repo.pages import BRIEF, BRIEF_NAMES, RunBrief, like_pattern, read_at_once
from pipekit.repo.state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """Which runs a list shows; None: any. `since` and `until` bound when they ended, `text` stands in the error.

    `from_id` and `to_id` are the first and the last of them.
    """

    module: str | int | None = None
    status: str | None = None
    group_id: int | None = None
    since: str | None = None
    until: str | None = None
    text: str | None = None
    before_id: int | None = None
    from_id: int | None = None
    to_id: int | None = None


# Of a group the runs of so many group runs are listed, and so many failures are searched for a text.
MOST_GROUP_RUNS = 500
MOST_SEARCHED = 5_000
_OF_GROUP = f"""r.group_run_id IN (
    SELECT id FROM group_run WHERE group_id = :group_id ORDER BY id DESC LIMIT {MOST_GROUP_RUNS})"""
_OF_TIME = "r.id IN (SELECT id FROM run_log WHERE finished_at >= :since AND finished_at < :until)"
_OF_TEXT = f"""r.error LIKE :text ESCAPE '\\' AND r.id IN (
    SELECT id FROM run_log WHERE status = 'error' ORDER BY id DESC LIMIT {MOST_SEARCHED})"""


def list_run_briefs(db: State, asked: RunFilter = RunFilter(), *, limit: int = 50) -> list[RunBrief]:
    """Runs, the newest first."""
    sql, values = build_briefs_sql(asked)
    return [RunBrief.from_row(row) for row in read_at_once(db, BRIEF_NAMES, sql, {**values, "limit": limit})]


def build_briefs_sql(asked: RunFilter) -> tuple[str, dict[str, str | int]]:
    """The query of `list_run_briefs`: by module or status alone it walks an index backwards and stops at its limit."""
    is_apart = asked.module is not None or asked.group_id is not None or asked.since is not None or asked.text
    conditions = {
        "module": "r.module_id = :module" if isinstance(asked.module, int) else "r.module = :module",
        # The plus keeps a status, of which there are few, from being chosen as the index where something else is given.
        "status": "+r.status = :status" if is_apart else "r.status = :status",
        "group_id": _OF_GROUP,
        "since": _OF_TIME,
        "text": _OF_TEXT,
        "before_id": "r.id < :before_id",
        "from_id": "r.id >= :from_id",
        "to_id": "r.id <= :to_id",
    }
    values = {f.name: getattr(asked, f.name) for f in fields(RunFilter) if getattr(asked, f.name) is not None}
    if asked.text is not None:
        values["text"] = like_pattern(asked.text)
    where = " AND ".join(text for name, text in conditions.items() if name in values) or "TRUE"
    return f"SELECT {BRIEF} FROM run_log r WHERE {where} ORDER BY r.id DESC LIMIT :limit", values


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many runs a group run has, and how many of them failed."""

    runs: int
    failed: int


def count_group_runs(db: State, group_run_ids: Sequence[int]) -> dict[int, Tally]:
    """Of each of some group runs."""
    sql = """
        SELECT group_run_id, count(*) AS runs, sum(status = 'error') AS failed FROM run_log
        WHERE group_run_id IN (SELECT value FROM json_each(:ids)) GROUP BY group_run_id
    """
    rows = read_at_once(db, ("group_run_id", "runs", "failed"), sql, {"ids": json.dumps(list(group_run_ids))})
    return {row["group_run_id"]: Tally(runs=row["runs"], failed=row["failed"]) for row in rows}

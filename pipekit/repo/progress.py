# What runs that go on have come to, and what their modules' good runs took. Knows no page and no guess.
"""`list_live_briefs` and `list_good_loads`: a query each, whatever the number of runs and modules."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipekit.repo.loads import build_load_condition
from pipekit.repo.pages import BRIEF, RunBrief
from pipekit.repo.state import State

# So many good loads tell what one takes, looked for among so many runs.
TOLD_BY = 5
AMONG = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class GoodLoad:
    """A load that went well: rows that were read, seconds by stage in their order."""

    run_id: int
    rows: int | None
    stages: Mapping[str, float]


_GOOD = f"""
    SELECT w.value AS module_id, (
        SELECT json_group_array(json_array(id, rows_read, json(coalesce(stages_json, '{{}}')))) FROM (
            SELECT id, rows_read, stages_json FROM run_log r
            WHERE r.id IN (
                SELECT id FROM run_log WHERE module_id = w.value AND id < :before ORDER BY id DESC LIMIT {AMONG})
              AND +r.status = 'success' AND r.overrides_json IS NULL AND {build_load_condition("r")}
            ORDER BY r.id DESC LIMIT {TOLD_BY})
    ) AS loads FROM json_each(:ids) AS w
"""
_ANY = 2**62


def list_good_loads(db: State, module_ids: Iterable[int], before_id: int = _ANY) -> dict[int, list[GoodLoad]]:
    """The latest good loads of each of some modules (values by hand aside), the newest first; before a run's id."""
    ids = sorted(set(module_ids))
    rows = db.rows(_GOOD, {"ids": json.dumps(ids), "before": before_id})
    return {
        row["module_id"]: [GoodLoad(run_id=id_, rows=n, stages=stages) for id_, n, stages in json.loads(row["loads"])]
        for row in rows
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveRun:
    """A run that has not ended and how far it is: seconds of the stages behind it, since when its stage goes on.

    `is_usual` is a load with the values that its module finds: only what others like it took says something of it.
    """

    run: RunBrief
    stages: Mapping[str, float]
    stage_started_at: str | None
    rows_expected: int | None
    is_usual: bool


_ALIVE = f"""
    SELECT {BRIEF}, r.stages_json,
        (SELECT stage_started_at FROM run_live WHERE run_id = r.id) AS stage_started_at,
        (SELECT rows_expected FROM run_live WHERE run_id = r.id) AS rows_expected,
        r.overrides_json IS NULL AND {build_load_condition("r")}
            AND NOT EXISTS (SELECT 1 FROM run_preview WHERE run_id = r.id) AS is_usual
    FROM run_log r WHERE {{which}} ORDER BY r.run_order, r.id
"""


def list_live_runs(db: State, *, group_run_id: int | None = None) -> list[LiveRun]:
    """Runs that run now, the oldest first; with `group_run_id` the members of a group run that have not ended."""
    if group_run_id is None:
        rows = db.rows(_ALIVE.format(which="r.status = 'running'"))
    else:
        which = "r.group_run_id = :group_run AND +r.status IN ('queued', 'running')"
        rows = db.rows(_ALIVE.format(which=which), {"group_run": group_run_id})
    return [
        LiveRun(
            run=RunBrief.from_row(row),
            stages=json.loads(row["stages_json"] or "{}"),
            stage_started_at=row["stage_started_at"],
            rows_expected=row["rows_expected"],
            is_usual=bool(row["is_usual"]),
        )
        for row in rows
    ]

# What a module's good runs were like: rows, bytes, when, and NULLs by column. Knows nothing of what is usual.
"""`list_past`, and what is kept for it: counts of NULLs, and bytes."""

import json
from collections.abc import Mapping

from pipekit.models import PastRun
from pipekit.repo.loads import build_load_condition
from pipekit.repo.state import State, transaction

# So many runs tell what is usual; older ones tell what once was.
MOST_PAST = 100
# Only loads as the module is: not those with values by hand, none that mended what a comparison had found, none from
# before its query, key or strategy changed.
_PAST = f"""
    SELECT r.started_at, r.rows_read, r.rows_staged, b.bytes, b.format,
           (SELECT nulls_json FROM run_nulls WHERE run_id = r.id) AS nulls_json
    FROM run_log r LEFT JOIN run_bytes b ON b.run_id = r.id
    WHERE r.module_id = :module_id AND +r.status = 'success' AND r.merge_state = 'merged' AND r.rows_read IS NOT NULL
      AND {build_load_condition("r")}
      AND (r.overrides_json IS NULL
           OR EXISTS (SELECT 1 FROM run_preview p WHERE p.run_id = r.id AND p.merges IS NOT NULL))
      AND r.started_at > coalesce((
          SELECT max(a.at) FROM audit a, json_each(a.detail_json) c
          WHERE a.kind = 'module' AND a.name = (SELECT name FROM module WHERE id = :module_id) AND a.action = 'change'
            AND c.key IN ('source_query', 'merge_strategy', 'merge_key', 'source_id')), '')
    ORDER BY r.id DESC LIMIT :most
"""


def list_past(db: State, module_id: int) -> list[PastRun]:
    """A module's good runs as it is now, the newest first."""
    rows = db.rows(_PAST, {"module_id": module_id, "most": MOST_PAST})
    return [
        PastRun(
            started_at=row["started_at"],
            rows=row["rows_read"],
            staged=row["rows_staged"] or 0,
            nulls=json.loads(row["nulls_json"]) if row["nulls_json"] else None,
            bytes=row["bytes"],
            format=row["format"] or "",
        )
        for row in rows
    ]


def keep_nulls(db: State, run_id: int, nulls: Mapping[str, int]) -> None:
    """Keeps how many NULLs each column of a run's staged rows has."""
    with transaction(db):
        db.change("INSERT OR REPLACE INTO run_nulls (run_id, nulls_json) VALUES (?, ?)", (run_id, json.dumps(nulls)))


def keep_bytes(db: State, run_id: int, count: int, form: str) -> None:
    """Keeps how many bytes a run's rows were in the form they came in."""
    with transaction(db):
        db.change("INSERT OR REPLACE INTO run_bytes (run_id, bytes, format) VALUES (?, ?, ?)", (run_id, count, form))

# Removing what is old. Knows what of it must stay, nothing of how long things are kept.
"""Lists of what can go (live logs, runs, group runs, fires, logins, alerts, versions); its removal in small batches.

What can go is listed outside of any transaction and looked at once more when it is removed, so that the write lock is
held for a batch alone. A live run, one whose merge is not settled or of which a dest keeps what it changed, the newest
of each module, and the runs of a live group run always stay; so do the newest group run of each group, the newest
fire of each schedule, and the newest version of each module.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipekit.models import Row
from pipekit.repo.state import State, transaction

PAGE = 2_000

_SETTLED = "{r}.finished_at < :before AND {r}.merge_state <> 'unknown'"
_RUN_MAY_GO = f"""
    {_SETTLED}
    AND ({{r}}.module_id IS NULL
         OR {{r}}.id <> (SELECT max(n.id) FROM run_log n WHERE n.module_id = {{r}}.module_id))
    AND NOT EXISTS (SELECT 1 FROM undo_kept k WHERE k.run_id = {{r}}.id)
    AND NOT EXISTS (SELECT 1 FROM group_run g WHERE g.id = {{r}}.group_run_id AND g.finished_at IS NULL)
"""
_GROUP_RUN_MAY_GO = f"""
    r.finished_at < :before
    AND (r.group_id IS NULL OR r.id <> (SELECT max(n.id) FROM group_run n WHERE n.group_id = r.group_id))
    AND NOT EXISTS (SELECT 1 FROM run_log m WHERE m.group_run_id = r.id AND NOT ({_RUN_MAY_GO.format(r="m")}))
"""
_FIRE_MAY_GO = """
    r.recorded_at < :before
    AND r.due_at <> (SELECT max(n.due_at) FROM schedule_fire n WHERE n.schedule_id = r.schedule_id)
"""
_VERSION_MAY_GO = """
    r.at < :before AND r.number <> (SELECT max(n.number) FROM module_version n WHERE n.module_id = r.module_id)
"""
# Every run that has a log, one index step for each, whatever the length of the logs.
_LOGS = f"""
    WITH RECURSIVE logged (run_id) AS (
        SELECT (SELECT min(run_id) FROM run_log_chunk WHERE run_id > :after)
        UNION ALL
        SELECT (SELECT min(run_id) FROM run_log_chunk WHERE run_id > logged.run_id) FROM logged
        WHERE logged.run_id IS NOT NULL
    )
    SELECT r.id FROM logged CROSS JOIN run_log r ON r.id = logged.run_id WHERE {_SETTLED.format(r="r")} LIMIT :page
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing that is purged: its name for people, where it lies, its age, and what of it may go."""

    name: str
    table: str
    age: str
    may_go: str


RUNS = Kind("runs", "run_log", "finished_at", _RUN_MAY_GO.format(r="r"))
GROUP_RUNS = Kind("group runs", "group_run", "finished_at", _GROUP_RUN_MAY_GO)
LOGINS = Kind("logins", "audit", "at", "r.kind = 'login' AND r.at < :before")
ALERTS = Kind("alerts", "alert", "made_at", "r.made_at < :before")
VERSIONS = Kind("versions", "module_version", "at", _VERSION_MAY_GO)
FIRES = Kind("fires", "schedule_fire", "recorded_at", _FIRE_MAY_GO)


def list_old_logs(db: State, before: str) -> Iterator[int]:
    """Ids of runs that ended before a moment and have a live log, the oldest first."""
    after = -1
    while page := db.rows(_LOGS, {"before": before, "after": after, "page": PAGE}):
        yield from (row["id"] for row in page)
        after = page[-1]["id"]


def list_old(db: State, kind: Kind, before: str) -> Iterator[int]:
    """Ids of rows of a kind that may go, the oldest first."""
    place: Row = {"age": "", "id": -1}
    while page := db.rows(build_old_sql(kind), {**place, "before": before, "page": PAGE}):
        yield from (row["id"] for row in page)
        place = page[-1]


def build_old_sql(kind: Kind) -> str:
    """A page of what may go, along the index of age and from the place on where the last page ended."""
    return f"""
        SELECT r.{kind.age} AS age, r.id FROM {kind.table} r
        WHERE r.{kind.age} >= :age AND (r.{kind.age}, r.id) > (:age, :id) AND {kind.may_go}
        ORDER BY r.{kind.age}, r.id LIMIT :page
    """


def delete_log_chunks(db: State, run_id: int, limit: int) -> int:
    """Removes the first `limit` pieces of a run's live log, in one transaction; returns how many there were."""
    with transaction(db):
        return db.change(
            "DELETE FROM run_log_chunk WHERE run_id = :run_id AND start IN "
            "(SELECT start FROM run_log_chunk WHERE run_id = :run_id ORDER BY start LIMIT :limit)",
            {"run_id": run_id, "limit": limit},
        )


def delete_old(db: State, kind: Kind, ids: Sequence[int], before: str) -> int:
    """Removes those of the rows that still may go, in one transaction; returns how many."""
    values: dict[str, int | str] = {f"i{place}": row_id for place, row_id in enumerate(ids)}
    marks = ", ".join(f":{name}" for name in values)
    with transaction(db):
        sql = f"DELETE FROM {kind.table} AS r WHERE r.id IN ({marks}) AND {kind.may_go}"
        return db.change(sql, {**values, "before": before})

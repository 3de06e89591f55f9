# Runs of another Pipekit, kept to be looked at. Knows nothing of where they come from.
"""Keep, list and read archived runs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import islice
from typing import Any

from pipekit.errors import NotFound
from pipekit.repo.runs import storable
from pipekit.repo.state import State, transaction

# How many are kept in one transaction, so that whoever waits for the state waits for a moment.
AT_ONCE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedRun:
    """A run as it was recorded elsewhere: `first_id` is its number there, times are as they were written there.

    `record` is everything that was known of it, by the names it had.
    """

    id: int = 0
    first_id: str
    module: str
    status: str
    triggered_by: str = ""
    started_at: str = ""
    finished_at: str = ""
    rows: int | None = None
    error: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The run as the command line prints it."""
        return asdict(self)


_LISTED = ", ".join(f.name for f in fields(ArchivedRun) if f.name != "record")


def keep_archived_runs(db: State, runs: Iterable[ArchivedRun]) -> int:
    """Keeps those that are not kept yet; returns how many that were."""
    kept, left = 0, iter(runs)
    while batch := list(islice(left, AT_ONCE)):
        with transaction(db):
            kept += sum(_keep(db, run) for run in batch)
    return kept


def _keep(db: State, run: ArchivedRun) -> int:
    values = {f.name: getattr(run, f.name) for f in fields(run) if f.name not in ("id", "record")}
    values = {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}
    values["record_json"] = storable(json.dumps(dict(run.record), ensure_ascii=False, default=str))
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    return db.change(f"INSERT OR IGNORE INTO archived_run ({names}) VALUES ({marks})", values)


def list_archived_runs(
    db: State, *, module: str | None = None, status: str | None = None, limit: int = 50, before_id: int | None = None
) -> list[ArchivedRun]:
    """Archived runs without their `record`, those that were kept last first."""
    filters = {"module": ("module = :module", module), "status": ("status = :status", status)}
    filters["before_id"] = ("id < :before_id", None if before_id is None else str(before_id))
    used = {name: pair for name, pair in filters.items() if pair[1] is not None}
    where = " AND ".join(condition for condition, _ in used.values()) or "TRUE"
    sql = f"SELECT {_LISTED} FROM archived_run WHERE {where} ORDER BY id DESC LIMIT :limit"
    return [
        ArchivedRun(**row) for row in db.rows(sql, {"limit": limit, **{n: value for n, (_, value) in used.items()}})
    ]


def get_archived_run(db: State, archived_id: int) -> ArchivedRun:
    """An archived run with everything; raises NotFound."""
    row = db.row(f"SELECT {_LISTED}, record_json FROM archived_run WHERE id = ?", (archived_id,))
    if row is None:
        raise NotFound(f"There is no archived run {archived_id}.", hint="`pipekit runs archive` lists them.")
    values = {name: value for name, value in row.items() if name != "record_json"}
    return ArchivedRun(**values, record=json.loads(row["record_json"]))


def has_archived_runs(db: State) -> bool:
    """Whether there is any."""
    return db.row("SELECT 1 FROM archived_run LIMIT 1") is not None

# What lists and overviews show, in few queries whatever the number of modules and runs. Knows no page.
"""Reading for many things at once: module rows, recent runs by module, what runs, what failed, a day's ends."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, Self

from pipekit.models import Row
from pipekit.repo.loads import build_load_condition
from pipekit.repo.state import State

ModuleState = Literal["all", "failing", "running", "disabled"]
MODULE_STATES: tuple[ModuleState, ...] = ("all", "failing", "running", "disabled")
# The plus keeps a status from being chosen as the index: there are 500 modules and a million runs.
_STATES = {
    "all": "TRUE",
    "failing": "+r.status = 'error'",
    "running": "m.running",
    "disabled": "NOT m.enabled",
}
# Without a last run a module comes last, whichever way it is sorted.
MODULE_SORTS = {
    "name": "m.name {way}",
    "source": "s.name {way}, m.name",
    "strategy": "m.merge_strategy {way}, m.name",
    "status": "r.status IS NULL, r.status {way}, m.name",
    "last": "r.id IS NULL, r.id {way}",
    "rows": "r.rows_read IS NULL, r.rows_read {way}, m.name",
    "next": "NOT m.enabled OR c.place IS NULL, c.place {way}, m.name",
    "took": "r.finished_at IS NULL, julianday(r.finished_at) - julianday(r.started_at) {way}, m.name",
}
_SORTS_BY_RUN = frozenset({"status", "last", "rows", "took"})
_LONGEST_ERROR = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class RunBrief:
    """A run as a list shows it: no SQL, no long texts. `error` is its beginning, `cron` of the schedule that fired."""

    id: int
    module_id: int | None
    module: str
    group_run_id: int | None
    triggered_by: str
    status: str
    dry_run: bool
    preview: bool
    verify: bool
    attempt: int
    queued_at: str | None
    started_at: str | None
    finished_at: str | None
    stage: str | None
    rows_so_far: int | None
    rows_read: int | None
    rows_deleted: int | None
    rows_inserted: int | None
    rows_updated: int | None
    rows_unchanged: int | None
    dest_rows_after: int | None
    error_stage: str | None
    error: str | None
    cron: str | None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        flags = {name: bool(row[name]) for name in ("preview", "verify")}
        return cls(**{name: row[name] for name in BRIEF_NAMES} | flags)

    @property
    def merged(self) -> dict[str, int]:
        """What its merge came to, in words for people: those that are not 0."""
        counts = {
            "inserted": self.rows_inserted,
            "updated": self.rows_updated,
            "unchanged": self.rows_unchanged,
            "deleted": self.rows_deleted,
        }
        return {name: count for name, count in counts.items() if count}

    @property
    def written(self) -> int | None:
        """How many rows of the dest are other than before; one that was deleted and inserted again counts once."""
        if self.rows_inserted is None and self.rows_deleted is None and self.rows_updated is None:
            return None
        return max(self.rows_inserted or 0, self.rows_deleted or 0) + (self.rows_updated or 0)

    @property
    def seconds(self) -> float | None:
        """From start to finish; None where one of them is missing."""
        return _measure(self.started_at, self.finished_at)


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run as one of many bars."""

    id: int
    status: str
    queued_at: str | None
    started_at: str | None
    finished_at: str | None
    rows_read: int | None

    @property
    def seconds(self) -> float | None:
        """From start to finish; None where one of them is missing."""
        return _measure(self.started_at, self.finished_at)


def _measure(started_at: str | None, finished_at: str | None) -> float | None:
    if not started_at or not finished_at:
        return None
    return (datetime.fromisoformat(finished_at) - datetime.fromisoformat(started_at)).total_seconds()


def read_at_once(
    db: State, names: Sequence[str], sql: str, values: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """A query's rows, packed by SQLite into one.

    For each row that is fetched a thread lets go of the interpreter and waits until it gets it back; where twenty
    requests want it at once, a hundred rows are a hundred waits. Columns are numbers, plain text or NULL.
    """
    columns = ", ".join(f'"{name}"' for name in names)
    row = db.row(f"SELECT json_group_array(json_array({columns})) AS packed FROM ({sql})", values or {})
    packed: list[list[Any]] = json.loads(row["packed"]) if row else []
    return [dict(zip(names, found, strict=True)) for found in packed]


BRIEF_NAMES = tuple(f.name for f in fields(RunBrief))
_LIVE_NAMES = ("stage", "rows_so_far")
_SPELLED = {name: f"(SELECT {name} FROM run_live WHERE run_id = r.id) AS {name}" for name in _LIVE_NAMES}
_SPELLED["rows_unchanged"] = "(SELECT rows_unchanged FROM run_merge WHERE run_id = r.id) AS rows_unchanged"
_SPELLED["preview"] = "(SELECT merges IS NULL FROM run_preview WHERE run_id = r.id) AS preview"
_SPELLED["cron"] = """(SELECT cron FROM schedule
    WHERE r.triggered_by LIKE 'schedule:%' AND id = CAST(substr(r.triggered_by, 10) AS INTEGER)) AS cron"""
_SPELLED["verify"] = "(SELECT asked_json IS NOT NULL FROM run_verify WHERE run_id = r.id) AS verify"
_SPELLED["error"] = f"substr(r.error, 1, {_LONGEST_ERROR}) AS error"
BRIEF = ", ".join(_SPELLED.get(name, f"r.{name}") for name in BRIEF_NAMES)
_LAST = "(SELECT max(id) FROM run_log WHERE module_id = m.id)"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleRow:
    """A module as the list shows it."""

    id: int
    name: str
    source: str
    dest: str
    dest_table: str
    merge_strategy: str
    enabled: bool
    running: bool


def list_module_rows(
    db: State,
    *,
    search: str = "",
    state: ModuleState = "all",
    sort: str = "name",
    descending: bool = False,
    coming: Sequence[int] = (),
    limit: int = 50,
    offset: int = 0,
) -> list[ModuleRow]:
    """Modules whose name, table, connections or groups contain `search`, in an order of `MODULE_SORTS`.

    `coming` is the groups in the order of their next times, for the order `next`.
    """
    order = MODULE_SORTS[sort].format(way="DESC" if descending else "ASC")
    sql = f"""
        SELECT m.id, m.name, s.name AS source, d.name AS dest, m.dest_table, m.merge_strategy, m.enabled, m.running
        {_module_source(state, with_last=state == "failing" or sort in _SORTS_BY_RUN, with_next=sort == "next")}
        ORDER BY {order} LIMIT :limit OFFSET :offset
    """
    values = {"like": like_pattern(search), "coming": json.dumps(list(coming)), "limit": limit, "offset": offset}
    found = read_at_once(db, [f.name for f in fields(ModuleRow)], sql, values)
    return [ModuleRow(**{**row, "enabled": bool(row["enabled"]), "running": bool(row["running"])}) for row in found]


def count_module_rows(db: State, *, search: str = "", state: ModuleState = "all") -> int:
    """How many there are in all."""
    source = _module_source(state, with_last=state == "failing")
    row = db.row(f"SELECT count(*) AS n {source}", {"like": like_pattern(search)})
    return int(row["n"]) if row else 0


# The place of each module's soonest group among those that come.
_NEXT = """LEFT JOIN (
    SELECT p.module_id, min(k.key) AS place FROM json_each(:coming) k JOIN group_member p ON p.group_id = k.value
    GROUP BY p.module_id) c ON c.module_id = m.id"""


def _module_source(state: ModuleState, *, with_last: bool, with_next: bool = False) -> str:
    return f"""
        FROM module m
        JOIN connection s ON s.id = m.source_id
        JOIN connection d ON d.id = m.dest_id
        {f"LEFT JOIN run_log r ON r.id = {_LAST}" if with_last else ""}
        {_NEXT if with_next else ""}
        WHERE {_STATES[state]} AND (:like = '%' OR m.name LIKE :like ESCAPE '\\' OR m.dest_table LIKE :like ESCAPE '\\'
            OR s.name LIKE :like ESCAPE '\\' OR d.name LIKE :like ESCAPE '\\'
            OR EXISTS (SELECT 1 FROM group_member p JOIN grp g ON g.id = p.group_id
                       WHERE p.module_id = m.id AND g.name LIKE :like ESCAPE '\\'))
    """


@dataclass(frozen=True, slots=True)
class ModuleName:
    """A module to choose."""

    id: int
    name: str
    enabled: bool


def list_module_names(db: State) -> tuple[ModuleName, ...]:
    """Every module by name."""
    sql = "SELECT json_group_array(json_array(id, name, enabled)) AS packed FROM (SELECT * FROM module ORDER BY name)"
    row = db.row(sql)
    return _unpack_names(row["packed"]) if row else ()


@lru_cache(maxsize=4)
def _unpack_names(packed: str) -> tuple[ModuleName, ...]:
    return tuple(ModuleName(id_, name, bool(enabled)) for id_, name, enabled in json.loads(packed))


def like_pattern(text: str) -> str:
    """A LIKE pattern for text that stands anywhere; its own wildcards are plain characters."""
    text = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{text}%" if text else "%"


# -- runs --------------------------------------------------------------------------------------------------------------


_MARK_NAMES = tuple(f.name for f in fields(RunMark))
_RECENT = f"""
    SELECT group_concat((
        SELECT json_group_array(json_array({", ".join(_MARK_NAMES)}))
        FROM (SELECT {", ".join(_MARK_NAMES)} FROM run_log WHERE module_id = w.value ORDER BY id DESC LIMIT :count)
    ), char(10)) AS lines
    FROM (SELECT value FROM json_each(:ids) ORDER BY key) AS w
"""


def pack_recent_runs(db: State, module_ids: Sequence[int], count: int) -> list[str]:
    """The last `count` runs of each of some modules, in their order, each as a text for `unpack_runs`. One query.

    Equal texts are equal runs: whoever keeps what was made of one need not look into it again.
    """
    row = db.row(_RECENT, {"ids": json.dumps(list(module_ids)), "count": count})
    return str(row["lines"]).split("\n") if row and module_ids else []


def unpack_runs(packed: str) -> list[RunMark]:
    """The runs of one module, the oldest first."""
    return sorted((RunMark(*values) for values in json.loads(packed)), key=lambda run: run.id)


_FAILED = f"""
    SELECT {BRIEF} FROM (
        SELECT (SELECT iif(status = 'error', id, NULL) FROM run_log r
                WHERE module_id = m.id AND +status NOT IN ('queued', 'running') AND {build_load_condition("r")}
                ORDER BY id DESC LIMIT 1) AS failed
        FROM module m WHERE m.enabled
    ) CROSS JOIN run_log r ON r.id = failed ORDER BY r.id DESC
"""


def list_failed_modules(db: State) -> list[RunBrief]:
    """The last load of each enabled module that ended, where it failed; the latest first."""
    return [RunBrief.from_row(row) for row in read_at_once(db, BRIEF_NAMES, _FAILED)]


def get_run_stamp(db: State, run_id: int) -> str:
    """Changes whenever something that a live page of the run shows has changed; empty for a run that is not there."""
    row = db.row(
        """
        SELECT status, cancel_requested, attempt, merge_state, rows_read, rows_staged, stages_json,
            l.stage, l.rows_so_far,
            (SELECT start + length(text) FROM run_log_chunk
             WHERE run_id = run_log.id ORDER BY start DESC LIMIT 1) AS log,
            (SELECT value FROM meta WHERE name = 'paused' AND status = 'queued') AS paused,
            (SELECT p.paused FROM group_run g JOIN grp p ON p.id = g.group_id
             WHERE g.id = run_log.group_run_id AND run_log.status = 'queued') AS group_paused
        FROM run_log LEFT JOIN run_live l ON l.run_id = run_log.id WHERE id = ?
        """,
        (run_id,),
    )
    return ".".join(str(value) for value in _stamp_parts(row)) if row else ""


def get_phase(stamp: str) -> str:
    """The part of a run's stamp that says what can be done with the run: its status, and whether it is to end."""
    return ".".join(stamp.split(".", 2)[:2])


def _stamp_parts(row: Row) -> list[Any]:
    figures = ("stage", "rows_so_far", "rows_read", "rows_staged")
    names = ("status", "cancel_requested", "attempt", "merge_state", *figures, "log", "paused", "group_paused")
    return [row[name] if row[name] is not None else "" for name in names] + [len(row["stages_json"] or "")]


def list_member_briefs(db: State, group_run_id: int) -> list[RunBrief]:
    """The runs of a group run in the order they start."""
    sql = f"SELECT {BRIEF} FROM run_log r WHERE r.group_run_id = ? ORDER BY r.run_order, r.id"
    return [RunBrief.from_row(row) for row in db.rows(sql, (group_run_id,))]


def get_group_run_stamp(db: State, group_run_id: int) -> str:
    """Changes whenever a member starts or ends or a cancel is asked for; empty for a group run that is not there."""
    row = db.row(
        """
        SELECT g.status, g.cancel_requested, count(r.id) AS total, sum(r.status = 'running') AS running,
               sum(r.finished_at IS NOT NULL) AS ended, sum(l.rows_so_far) AS rows, group_concat(l.stage) AS stages
        FROM group_run g LEFT JOIN run_log r ON r.group_run_id = g.id LEFT JOIN run_live l ON l.run_id = r.id
        WHERE g.id = ? GROUP BY g.id
        """,
        (group_run_id,),
    )
    return ".".join(str(value) for value in row.values()) if row else ""

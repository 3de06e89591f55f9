# The record of runs: reading it, and filling it in while a run lives. Owners are in leases.py, logs in live_log.py.
"""Read and update runs."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from pipekit.cutting import STATEMENT, cut, cut_lines
from pipekit.errors import Invalid, NotFound
from pipekit.models import Check, MergeState, Module, Run, RunStatus, Verify
from pipekit.repo.clock import lease_now
from pipekit.repo.state import State, now, transaction

_SURROGATE = re.compile("[\ud800-\udfff]")
# Of what a runner said beside its answers.
LONGEST_OUTPUT = 65_536
ALIVE = "status IN ('queued', 'running')"

# What a run learns while it goes; everything else is set by claim, take-over and finish.
_PLAIN = (
    "attempt",
    "staging_table",
    "dest_table",
    "resolved_sql",
    "staging_sql",
    "merge_sql",
    "merge_state",
    "rows_read",
    "rows_staged",
    "rows_deleted",
    "rows_inserted",
    "rows_updated",
    "dest_rows_before",
    "dest_rows_after",
    "error_stage",
    "error",
    "hint",
    "stdout",
    "stderr",
)
# What a run is doing now lies in a table of its own: columns behind the runner's output would be slow to reach.
LIVE_FIGURES = ("stage", "stage_started_at", "rows_so_far", "rows_expected")
LIVE = ", ".join(f"(SELECT {name} FROM run_live WHERE run_id = run_log.id) AS {name}" for name in LIVE_FIGURES)
CANCELLED_BY = "(SELECT user FROM run_cancel WHERE run_id = run_log.id) AS cancelled_by"
SESSIONS = "(SELECT sessions_json FROM run_session WHERE run_id = run_log.id) AS sessions_json"
VERIFY = ", ".join(
    f"(SELECT {name}_json FROM run_verify WHERE run_id = run_log.id) AS verify_{name}" for name in ("asked", "result")
)
UNCHANGED = (
    "(SELECT rows_unchanged FROM run_merge WHERE run_id = run_log.id) AS rows_unchanged,"
    " (SELECT rows_marked FROM run_gone WHERE run_id = run_log.id) AS rows_marked"
)
PREVIEW = """
    (SELECT merges IS NULL FROM run_preview WHERE run_id = run_log.id) AS preview,
    (SELECT merges FROM run_preview WHERE run_id = run_log.id) AS merges_preview"""
UNDO = """
    (SELECT undoes FROM undo_asked WHERE run_id = run_log.id) AS undoes,
    (SELECT rows FROM undo_kept WHERE run_id = run_log.id) AS undo_rows,
    (SELECT a.run_id FROM undo_asked a JOIN run_log u ON u.id = a.run_id AND u.merge_state = 'merged'
     WHERE a.undoes = run_log.id) AS undone_by
"""
ALTERATION = "(SELECT asked_json FROM column_change WHERE run_id = run_log.id) AS alteration"
# A list leaves out stdout and stderr, which may be long, and where a run failed: no list shows them.
LISTED = f"""
    id, run_key, module_id, module, group_run_id, run_order, triggered_by, status, dry_run, attempt, fence, owner,
    lease_expires_at, cancel_requested, dest_id, staging_table, dest_table, queued_at, started_at, finished_at,
    merge_state, rows_read, rows_staged, rows_deleted, rows_inserted,
    rows_updated, dest_rows_before, dest_rows_after, error_stage, overrides_json, stages_json, watermark_values_json,
    checks_json,
    hint, error, resolved_sql, staging_sql, merge_sql,
    {LIVE}, {UNCHANGED}, {PREVIEW}, {UNDO}, {VERIFY}, {ALTERATION}, {CANCELLED_BY},
    NULL AS error_position, NULL AS sessions_json,
    NULL AS stdout, NULL AS stderr
"""
_SQL = "resolved_sql, staging_sql, merge_sql"
_WITHOUT_SQL = LISTED.replace(_SQL, ", ".join(f"NULL AS {name}" for name in _SQL.split(", ")))


def get_run(db: State, run_id: int) -> Run:
    """The run of this id; raises NotFound."""
    position = "(SELECT position FROM run_fault WHERE run_id = run_log.id) AS error_position"
    found = f"{LIVE}, {UNCHANGED}, {PREVIEW}, {UNDO}, {VERIFY}, {ALTERATION}, {CANCELLED_BY}, {SESSIONS}, {position}"
    row = db.row(f"SELECT *, {found} FROM run_log WHERE id = ?", (run_id,))
    if row is None:
        raise NotFound(f"There is no run {run_id}.", hint="`pipekit runs list` shows the latest.")
    return Run.from_row(row)


def list_runs(
    db: State,
    *,
    module: str | int | None = None,
    status: RunStatus | None = None,
    group_run_id: int | None = None,
    limit: int = 50,
    before_id: int | None = None,
    with_sql: bool = True,
) -> list[Run]:
    """Runs, the newest first, without `stdout`, `stderr`, `error_position` and `sessions`, perhaps without SQL.

    `module` is a module's id, or the name a run had when it started (so runs of deleted modules are found too, letter
    case aside). `before_id` goes on where a page ended.
    """
    if limit < 1:
        raise Invalid("A list has a limit of 1 or more.", field="limit")
    sql, values = build_list_sql(module=module, status=status, group_run_id=group_run_id, before_id=before_id)
    sql = sql if with_sql else sql.replace(LISTED, _WITHOUT_SQL)
    return [Run.from_row(row) for row in db.rows(sql, {**values, "limit": limit})]


def build_list_sql(
    *, module: str | int | None, status: str | None, group_run_id: int | None = None, before_id: int | None
) -> tuple[str, dict[str, str | int]]:
    """The query of `list_runs`: every form of it walks an index backwards and stops at its limit."""
    filters: dict[str, tuple[str, str | int | None]] = {
        "module": ("module_id = :module" if isinstance(module, int) else "module = :module", module),
        # The plus keeps a status, of which there are few, from being chosen as the index where a module is given.
        "status": ("status = :status" if module is None else "+status = :status", status),
        "group_run_id": ("group_run_id = :group_run_id", group_run_id),
        "before_id": ("id < :before_id", before_id),
    }
    used = {name: pair for name, pair in filters.items() if pair[1] is not None}
    where = " AND ".join(condition for condition, _ in used.values()) or "TRUE"
    sql = f"SELECT {LISTED} FROM run_log WHERE {where} ORDER BY id DESC LIMIT :limit"
    return sql, {name: value for name, (_, value) in used.items() if value is not None}


def list_group_members(db: State, group_run_id: int, *, with_sql: bool = True) -> list[Run]:
    """The runs of a group run in the order they start."""
    sql = f"SELECT {LISTED if with_sql else _WITHOUT_SQL} FROM run_log WHERE group_run_id = ? ORDER BY run_order, id"
    return [Run.from_row(row) for row in db.rows(sql, (group_run_id,))]


def insert_queued_run(
    db: State,
    module: Module,
    *,
    preview: bool = False,
    merges: int | None = None,
    verify: Verify | None = None,
    **fields: str | int | None,
) -> Run:
    """A `queued` row for a module, inside the caller's transaction; with `verify` of a comparison."""
    values = {
        "run_key": uuid4().hex,
        "status": "queued",
        "queued_at": now(),
        "module_id": module.id,
        "module": module.name,
        "dest_id": module.dest_id,
        "dest_table": module.dest_table,
    }
    run_id = db.insert("run_log", {**values, **fields})
    if preview or merges is not None:
        db.change("INSERT INTO run_preview (run_id, merges) VALUES (?, ?)", (run_id, merges))
    if verify is not None:
        db.insert("run_verify", {"run_id": run_id, "asked_json": verify.to_text()})
    return get_run(db, run_id)


def list_live_runs(db: State) -> list[Run]:
    """Runs that have not ended, the oldest first."""
    return _list(db, ALIVE)


def list_expired_runs(db: State) -> list[Run]:
    """Running runs whose owner has let the lease run out, the oldest first."""
    return _list(db, "status = 'running' AND lease_expires_at < :now", {"now": lease_now(db)})


def has_run_ended(db: State, run_key: str) -> bool | None:
    """Whether the run of this key has ended, and needs its staging no more; None when there is none."""
    kept = "EXISTS (SELECT 1 FROM run_preview WHERE run_id = run_log.id AND kept_until IS NOT NULL)"
    row = db.row(f"SELECT NOT ({ALIVE} OR {kept}) AS ended FROM run_log WHERE run_key = ?", (run_key,))
    return None if row is None else bool(row["ended"])


def update_run(db: State, run_id: int, *, if_owner: str | None = None, **fields: Any) -> bool:
    """Fills in what a run has learnt; returns False, and changes nothing, once it has ended.

    With `if_owner` also when somebody else owns it by now. `stages`, `watermark_values` and `checks` are whole values,
    not additions.
    """
    beside = take_beside(fields)
    values = run_values(fields)
    condition = "status = 'running' AND (:if_owner IS NULL OR owner = :if_owner)"
    with transaction(db):
        is_changed = bool(_update(db, run_id, values, condition, {"if_owner": if_owner}))
        if is_changed:
            note_beside(db, run_id, beside)
        return is_changed


def note_live_figures(db: State, run_id: int, figures: Mapping[str, Any]) -> None:
    """Keeps some of `LIVE_FIGURES` of a run that goes on."""
    sets = ", ".join(f"{name} = excluded.{name}" for name in figures)
    names, values = ", ".join(figures), ", ".join(f":{name}" for name in figures)
    db.change(
        f"""
        INSERT INTO run_live (run_id, {names})
        SELECT :run_id, {values} FROM run_log WHERE id = :run_id AND status = 'running'
        ON CONFLICT (run_id) DO UPDATE SET {sets}
        """,
        {**figures, "run_id": run_id},
    )


# What is kept of a run beside its row: where in its SQL it failed, rows that its merge left as they were or marked as
# gone, its sessions, what its dest keeps of them so that it can be taken back, what a comparison found, the change of a
# column it is about, whether its staging table may still be in the dest, and who ended it (the first who asked).
_BESIDE = {
    "error_position": "INSERT OR REPLACE INTO run_fault (position, run_id) VALUES (?, ?)",
    "rows_unchanged": "INSERT OR REPLACE INTO run_merge (rows_unchanged, run_id) VALUES (?, ?)",
    "rows_marked": "INSERT OR REPLACE INTO run_gone (rows_marked, run_id) VALUES (?, ?)",
    "sessions": "INSERT OR REPLACE INTO run_session (sessions_json, run_id) VALUES (?, ?)",
    "undo_rows": "INSERT INTO undo_kept (rows, run_id) VALUES (?, ?) ON CONFLICT DO UPDATE SET rows = excluded.rows",
    "undo_bytes": "UPDATE undo_kept SET bytes = ? WHERE run_id = ?",
    "verified": """
        INSERT INTO run_verify (result_json, run_id) VALUES (?, ?)
        ON CONFLICT (run_id) DO UPDATE SET result_json = excluded.result_json
    """,
    "cancelled_by": """
        INSERT INTO run_cancel (user, run_id, at) VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
        ON CONFLICT (run_id) DO NOTHING
    """,
    "alteration": "UPDATE column_change SET asked_json = ? WHERE run_id = ?",
    "staging_left": "UPDATE run_dest SET staging_left = ? WHERE run_id = ?",
}


def take_beside(fields: dict[str, Any]) -> dict[str, Any]:
    """Takes what is kept beside a run's row out of `fields`."""
    return {name: fields.pop(name) for name in _BESIDE if name in fields}


def note_beside(db: State, run_id: int, beside: Mapping[str, Any]) -> None:
    """Keeps it, inside the caller's transaction; None says nothing."""
    for name, value in beside.items():
        if value is not None:
            if name == "sessions":
                value = storable(json.dumps(value))
            db.change(_BESIDE[name], (value if isinstance(value, str) else int(value), run_id))


def note_staging_left(db: State, run_id: int, left: bool | None) -> None:
    """Keeps whether the run's staging table may still be in the dest; None says nothing."""
    note_beside(db, run_id, {"staging_left": left})


def note_sessions(db: State, run_id: int, sessions: Sequence[Mapping[str, Any]]) -> None:
    """Keeps the sessions of a run that goes on, by the fields of `RunSession`."""
    with transaction(db):
        note_beside(db, run_id, {"sessions": list(sessions)})


def settle_merge_state(db: State, run_id: int, merge_state: MergeState) -> bool:
    """Says what became of a merge nobody knew about; False when it was known already. The run may have ended."""
    if merge_state not in ("merged", "none"):
        raise ValueError(merge_state)
    return bool(_update(db, run_id, {"merge_state": merge_state}, "merge_state = 'unknown'"))


def request_cancel(db: State, run_id: int, user: str | None = None) -> bool:
    """Asks a run to stop; its owner sees it at the next `renew_lease`. False when it has ended; raises NotFound."""
    with transaction(db):
        get_run(db, run_id)
        is_asked = bool(_update(db, run_id, {"cancel_requested": 1}, ALIVE))
        if is_asked:
            note_beside(db, run_id, {"cancelled_by": user})
        return is_asked


def find_canceller(db: State, run_id: int) -> str | None:
    """Who asked a run to stop; None where nobody did, or it is not known."""
    row = db.row("SELECT user FROM run_cancel WHERE run_id = ?", (run_id,))
    return row["user"] if row else None


def run_values(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a `Run` as its row holds them."""
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _PLAIN:
            values[name] = storable(cut_field(name, value)) if isinstance(value, str) else value
        elif name in ("stages", "watermark_values"):
            values[f"{name}_json"] = json.dumps(dict(value))
        elif name == "checks":
            values["checks_json"] = _checks_json(value)
        else:
            raise TypeError(f"a run's {name} is not set this way")
    return values


def cut_field(name: str, text: str) -> str:
    """A text of a record as it is kept; SQL is cut only where no page could show it."""
    if name in ("error", "hint"):
        return cut(text)
    return cut(cut_lines(text), LONGEST_OUTPUT) if name in ("stdout", "stderr") else cut(text, STATEMENT)


def storable(text: str) -> str:
    """Text SQLite can hold: what is not Unicode becomes the replacement mark. A record must not fail for its log."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def _checks_json(checks: Iterable[Check]) -> str:
    return json.dumps([{"name": c.name, "ok": c.ok, "detail": cut(c.detail)} for c in checks])


def _list(db: State, where: str, values: Mapping[str, Any] | None = None) -> list[Run]:
    rows = db.rows(f"SELECT {LISTED} FROM run_log WHERE {where} ORDER BY id", values or {})
    return [Run.from_row(row) for row in rows]


def _update(
    db: State, run_id: int, values: Mapping[str, Any], condition: str, extra: Mapping[str, Any] | None = None
) -> int:
    if not values:
        return 0
    pairs = ", ".join(f"{name} = :{name}" for name in values)
    sql = f"UPDATE run_log SET {pairs} WHERE id = :run_id AND {condition}"
    with transaction(db):
        return db.change(sql, {**values, **(extra or {}), "run_id": run_id})

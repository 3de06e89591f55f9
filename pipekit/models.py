# Frozen records of what the state database holds. Knows nothing of where they are kept or used.
"""Records: connections, modules, watermarks, hooks, runs, groups and schedules."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

Strategy = Literal["full", "incremental", "append", "upsert"]
RunStatus = Literal["queued", "running", "success", "dry_run", "error", "cancelled"]
GroupRunStatus = Literal["running", "success", "dry_run", "error", "cancelled"]
FireOutcome = Literal["fired", "catch_up", "skipped", "missed"]
Stage = Literal["claim", "watermark", "plan", "stage", "check", "merge", "hook"]
RunOn = Literal["success", "failure", "always"]
Match = Literal["name", "position"]
MergeState = Literal["none", "merged", "unknown"]

STRATEGIES: tuple[Strategy, ...] = ("full", "incremental", "append", "upsert")
RUN_ON: tuple[RunOn, ...] = ("success", "failure", "always")

Row = Mapping[str, Any]

# A module's name is its staging table's name in every kind of database, so it stays within the shortest common limit.
MODULE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,59}\Z")
# What can stand in braces in a query.
WATERMARK_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}\Z")
RESERVED_MODULE_NAMES = frozenset({"pipekit_ledger"})


def parse_key(text: str | None) -> tuple[str, ...]:
    """`"col1, col2"` -> `("col1", "col2")`; empty parts are dropped."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One entry of `columns_json`: how a source column is named and typed in the dest."""

    id: str
    source_name: str
    source_type: str
    dest_name: str
    dest_type: str


def parse_columns(text: str | None) -> tuple[Column, ...]:
    """`columns_json` -> columns, in order."""
    names = {f.name for f in fields(Column)}
    return tuple(Column(**{k: v for k, v in item.items() if k in names}) for item in json.loads(text or "[]"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Guards:
    """A module's switches for the checks of a run; every check is on unless it is switched off here.

    `shrink` is the share (0 to 1) of the dest's rows a `full` run must leave; None switches that check off.
    `null_keys` True says that NULLs in the merge key match each other. `atomic` False accepts a dest whose changes
    cannot be rolled back.
    """

    empty_source: bool = True
    shrink: float | None = None
    count_truth: bool = True
    column_truth: bool = True
    exactness: bool = True
    null_keys: bool = False
    atomic: bool = True

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Reads `guards_json`; unknown names are ignored so that a newer file opens in an older program."""
        known = {f.name for f in fields(cls)}
        return cls(**{k: v for k, v in json.loads(text or "{}").items() if k in known})


@dataclass(frozen=True, kw_only=True, slots=True)
class DriverRegistration:
    """A kind that is registered; `jar` and `java_class` are for kinds that are reached over JDBC.

    `jar` is relative to the configured folder, `jar_sha256` what it was when it was registered.
    """

    kind: str
    jar: str | None = None
    java_class: str | None = None
    url_template: str | None = None
    jar_sha256: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {name: row[name] for name in ("kind", "jar", "url_template", "jar_sha256")}
        return cls(**plain, java_class=row["class"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A named database. `password` is a `$NAME` reference (or None), never the value.

    At most `max_runs` runs use it at the same time, as source or as dest; None says as many as there are slots.
    """

    id: int
    name: str
    driver: str
    jdbc_url: str
    username: str | None = None
    password: str | None = None
    max_runs: int | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Module:
    """One sync: a source query kept in step with a dest table.

    `trim_char` drops the trailing blanks of the source's CHAR columns.
    """

    id: int
    name: str
    source_id: int
    dest_id: int
    source_query: str
    dest_table: str
    merge_strategy: Strategy = "full"
    merge_key: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    match: Match = "name"
    guards: Guards = field(default_factory=Guards)
    create_table: bool = False
    trim_char: bool = False
    enabled: bool = True
    retries: int = 2
    silence_timeout_s: float | None = None
    run_timeout_s: float | None = None
    running: bool = False
    lease_owner: str | None = None
    lease_expires_at: str | None = None
    fence: int = 0

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {
            f.name: row[f.name]
            for f in fields(cls)
            if f.name not in ("merge_key", "columns", "guards") and f.name in row
        }
        for flag in ("create_table", "trim_char", "enabled", "running"):
            plain[flag] = bool(plain[flag])
        return cls(
            **plain,
            merge_key=parse_key(row["merge_key"]),
            columns=parse_columns(row["columns_json"]),
            guards=Guards.from_json(row["guards_json"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Watermark:
    """A placeholder `{name}` of a module's query and the SQL that resolves it."""

    id: int
    module_id: int
    name: str
    connection_id: int
    resolver_sql: str
    default_value: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """SQL run on the dest after the merge."""

    id: int
    module_id: int
    sql: str
    run_order: int = 1
    run_on: RunOn = "success"

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One line of a receipt: what was checked, whether it held, and the figures."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution of a module: a `run_log` row. Row counts are None until they are known.

    `run_key` is unique over all installations and names the run in the dest's ledger. `merge_state` says what the
    dest's ledger said: nothing was merged, it was merged, or the dest could not be asked. `run_order` is its place in
    its group run. `error_position` is the character of `resolved_sql`, from 1, at which the source saw the fault.
    """

    id: int
    run_key: str
    module_id: int | None
    module: str
    group_run_id: int | None = None
    run_order: int | None = None
    triggered_by: str = "cli"
    status: RunStatus = "running"
    dry_run: bool = False
    attempt: int = 1
    fence: int = 0
    owner: str | None = None
    lease_expires_at: str | None = None
    dest_id: int | None = None
    staging_table: str | None = None
    dest_table: str | None = None
    queued_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    watermark_values: Mapping[str, str] = field(default_factory=dict)
    resolved_sql: str | None = None
    staging_sql: str | None = None
    merge_sql: str | None = None
    merge_state: MergeState = "none"
    rows_read: int | None = None
    rows_staged: int | None = None
    rows_deleted: int | None = None
    rows_inserted: int | None = None
    rows_updated: int | None = None
    dest_rows_before: int | None = None
    dest_rows_after: int | None = None
    checks: tuple[Check, ...] = ()
    error_stage: Stage | None = None
    error: str | None = None
    error_position: int | None = None
    hint: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    cancel_requested: bool = False

    @classmethod
    def from_row(cls, row: Row) -> Self:
        special = {"stages", "watermark_values", "checks", "dry_run", "cancel_requested"}
        plain = {f.name: row[f.name] for f in fields(cls) if f.name not in special}
        return cls(
            **plain,
            dry_run=bool(row["dry_run"]),
            cancel_requested=bool(row["cancel_requested"]),
            stages=json.loads(row["stages_json"] or "{}"),
            watermark_values=json.loads(row["watermark_values_json"] or "{}"),
            checks=tuple(Check(**item) for item in json.loads(row["checks_json"] or "[]")),
        )

    def to_json(self) -> dict[str, Any]:
        """The run record as `pipekit run --json` prints it."""
        record: dict[str, Any] = {"run_id": self.id}
        for f in fields(self):
            if f.name not in ("id", "run_key", "owner", "lease_expires_at", "fence", "dest_id"):
                record[f.name] = getattr(self, f.name)
        record["stages"] = dict(self.stages)
        record["watermark_values"] = dict(self.watermark_values)
        record["checks"] = [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in self.checks]
        return record


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """A named, ordered set of modules.

    `parallel` members of equal `run_order` may run side by side. `enabled` says whether its schedules fire; while it is
    `paused` none of its runs starts.
    """

    id: int
    name: str
    enabled: bool = True
    parallel: int = 1
    paused: bool = False

    @classmethod
    def from_row(cls, row: Row) -> Self:
        flags = {"enabled": bool(row["enabled"]), "paused": bool(row["paused"])}
        return cls(id=row["id"], name=row["name"], parallel=row["parallel"], **flags)


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupMember:
    """A module's place in a group."""

    id: int
    group_id: int
    module_id: int
    run_order: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRun:
    """One execution of a group; its runs carry its id. The name stays when the group is deleted."""

    id: int
    group_id: int | None
    group_name: str
    status: GroupRunStatus
    triggered_by: str
    parallel: int = 1
    cancel_requested: bool = False
    started_at: str | None = None
    finished_at: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {f.name: row[f.name] for f in fields(cls)}
        return cls(**{**plain, "cancel_requested": bool(row["cancel_requested"])})

    def to_json(self) -> dict[str, Any]:
        """The group run as the command line prints it."""
        return {
            "group_run_id": self.id,
            "group": self.group_name,
            "status": self.status,
            "triggered_by": self.triggered_by,
            "cancel_requested": self.cancel_requested,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """A cron expression tied to a group.

    Of the times that were missed (nothing looked at the clock) the latest is made up for if `catch_up` says so.
    `last_fired_at` is the latest due time that was dealt with, whatever came of it; times up to `active_from`, when it
    was made, changed or enabled, are not due.
    """

    id: int
    group_id: int
    cron: str
    enabled: bool = True
    catch_up: bool = True
    active_from: str | None = None
    last_fired_at: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        flags = {"enabled": bool(row["enabled"]), "catch_up": bool(row["catch_up"])}
        return cls(**{**{f.name: row[f.name] for f in fields(cls)}, **flags})


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleFire:
    """What came of one due time of a schedule."""

    id: int
    schedule_id: int
    due_at: str
    outcome: FireOutcome
    reason: str | None = None
    group_run_id: int | None = None
    recorded_at: str

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)})


def as_strategy(text: str) -> Strategy:
    """Narrows a checked string to a `Strategy`."""
    if text not in STRATEGIES:
        raise ValueError(text)
    return text

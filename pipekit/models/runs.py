# Frozen records of what ran. Knows nothing of where they are kept or used.
"""Runs, group runs, and what came of a schedule's due times."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from pipekit.cutting import STATEMENT, cut
from pipekit.models.altering import Alteration
from pipekit.models.verifying import Verify

RunStatus = Literal["queued", "running", "success", "dry_run", "error", "cancelled"]
GroupRunStatus = Literal["running", "success", "dry_run", "error", "cancelled"]
FireOutcome = Literal["fired", "catch_up", "skipped", "missed"]
Stage = Literal["claim", "watermark", "plan", "stage", "check", "merge", "verify", "hook"]
MergeState = Literal["none", "merged", "unknown"]
# Who ends a run where no person is known by name: Ctrl-C or a signal, and a server that ends.
INTERRUPTED, ENDING = "interrupt", "server"
STATEMENTS = ("resolved_sql", "staging_sql", "merge_sql")

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One line of a receipt: what was checked, whether it held (None: it was not made), and the figures."""

    name: str
    ok: bool | None
    detail: str = ""

    @classmethod
    def from_json(cls, item: Row) -> Self:
        """Reads an item of `checks_json`."""
        return cls(name=item["name"], ok=item["ok"], detail=cut(item.get("detail", "")))


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSession:
    """A session of a run as the people of its system know it: `name` is a job's, `about` how it is connected."""

    name: str
    about: str = ""
    writes: bool = False

    @classmethod
    def from_json(cls, item: Row) -> Self:
        """Reads an item of `sessions_json`, or what a runner says of one."""
        return cls(name=item["name"], about=item["about"], writes=item["writes"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution of a module: a `run_log` row. Row counts are None until they are known.

    `rows_unchanged` came again, differed in nothing and were not written; None where rows are not compared.
    `rows_marked` are gone from the source and were marked so; None where rows are not marked.

    `run_key` is unique over all installations and names the run in the dest's ledger. `merge_state` says what the
    dest's ledger said: nothing was merged, it was merged, or the dest could not be asked. `run_order` is its place in
    its group run. `stage` is what it is doing now, `rows_so_far` how many rows have arrived in staging.
    `sessions` are those that can be told from others on their system, in the order they were opened.
    A `preview` only looks at what its merge would do; a run with `merges_preview` merges what that run has staged.
    `undo_rows` are the rows that its dest keeps so that it can be taken back, None where it keeps none; `undoes` is the
    run that this one takes back, `undone_by` the one that has taken this one back.
    `error_position` is the character of `resolved_sql`, from 1, at which the source saw the fault. `verify` is what a
    run found that held the dest against the source (`Verified`, keys without values), and what was asked for (`asked`;
    None where a load ended with it). `watermarks_given` are the names of those whose values were given by hand;
    `cancelled_by` is who asked it to stop: a person's name, `shell:` and one, or one of the words above.
    `rows_expected` is how many rows its source thought that there were, where it was asked.
    `alteration` is the change of a dest column that the run is about.
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
    preview: bool = False
    merges_preview: int | None = None
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
    watermarks_given: tuple[str, ...] = ()
    resolved_sql: str | None = None
    staging_sql: str | None = None
    merge_sql: str | None = None
    merge_state: MergeState = "none"
    stage: Stage | None = None
    stage_started_at: str | None = None
    rows_so_far: int | None = None
    rows_expected: int | None = None
    rows_read: int | None = None
    rows_staged: int | None = None
    rows_deleted: int | None = None
    rows_inserted: int | None = None
    rows_updated: int | None = None
    rows_unchanged: int | None = None
    rows_marked: int | None = None
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
    cancelled_by: str | None = None
    sessions: tuple[RunSession, ...] = ()
    undo_rows: int | None = None
    undoes: int | None = None
    undone_by: int | None = None
    verify: Mapping[str, Any] | None = None
    alteration: Alteration | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        special = {"stages", "watermark_values", "checks", "dry_run", "preview", "cancel_requested", "sessions"}
        special |= {"verify", "watermarks_given", "alteration"}
        plain = {f.name: row[f.name] for f in fields(cls) if f.name not in special}
        # Records that were written before texts were cut are as large as what they quote.
        plain |= {name: cut(plain[name]) for name in ("error", "hint") if plain[name]}
        plain |= {name: cut(plain[name], STATEMENT) for name in STATEMENTS if plain[name]}
        return cls(
            **plain,
            dry_run=bool(row["dry_run"]),
            preview=bool(row["preview"]),
            cancel_requested=bool(row["cancel_requested"]),
            stages=json.loads(row["stages_json"] or "{}"),
            watermark_values=json.loads(row["watermark_values_json"] or "{}"),
            # The merge of a preview has the preview's values.
            watermarks_given=() if row["merges_preview"] else tuple(json.loads(row["overrides_json"] or "{}")),
            checks=tuple(Check.from_json(item) for item in json.loads(row["checks_json"] or "[]")),
            sessions=tuple(RunSession.from_json(item) for item in json.loads(row["sessions_json"] or "[]")),
            verify=_read_verify(row["verify_asked"], row["verify_result"]),
            alteration=Alteration.from_text(row["alteration"]) if row["alteration"] else None,
        )

    @property
    def asked_verify(self) -> Verify | None:
        """What the run is to compare, None where it is a load."""
        asked = self.verify and self.verify.get("asked")
        return None if asked is None else Verify.from_text(json.dumps(asked))

    def to_json(self) -> dict[str, Any]:
        """The run record as `pipekit run --json` prints it."""
        record: dict[str, Any] = {"run_id": self.id}
        for f in fields(self):
            if f.name not in ("id", "run_key", "owner", "lease_expires_at", "fence", "dest_id"):
                record[f.name] = getattr(self, f.name)
        record["stages"] = dict(self.stages)
        record["watermark_values"] = dict(self.watermark_values)
        record["watermarks_given"] = list(self.watermarks_given)
        record["checks"] = [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in self.checks]
        record["alteration"] = asdict(self.alteration) if self.alteration else None
        record["sessions"] = [asdict(session) for session in self.sessions]
        return record


def _read_verify(asked: str | None, result: str | None) -> Mapping[str, Any] | None:
    if asked is None and result is None:
        return None
    return {"asked": json.loads(asked or "null"), **json.loads(result or "{}")}


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRun:
    """A good run of a module's past; `nulls` by column of its staged rows, None where they were not counted.

    `bytes` are those of its rows on their way in this `format`, None where they were not counted.
    """

    started_at: str
    rows: int
    staged: int
    nulls: Mapping[str, int] | None = None
    bytes: int | None = None
    format: str = ""


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

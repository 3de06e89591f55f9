# What there is to tell in the state database, and what was told. Knows nothing of how a message is sent.
"""Alerts: noted, found, told, dropped; and what a message says of a module's past."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipekit.models.alerts import Alert, Rule
from pipekit.repo.loads import build_load_condition
from pipekit.repo.names import get_row
from pipekit.repo.state import State, format_moment, now


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A run or a group run that ended and was not looked at yet."""

    id: int
    run_id: int | None
    group_run_id: int | None


def list_ended(db: State, limit: int) -> list[Ended]:
    """What ended, the earliest first."""
    rows = db.rows("SELECT id, run_id, group_run_id FROM alert_ended ORDER BY id LIMIT ?", (limit,))
    return [Ended(**row) for row in map(dict, rows)]


def forget_ended(db: State, ended_id: int) -> None:
    """It was looked at; call it in the transaction that notes what there is to tell."""
    db.change("DELETE FROM alert_ended WHERE id = ?", (ended_id,))


def add_alert(
    db: State,
    rule: Rule,
    *,
    event: str,
    subject: str,
    facts: Mapping[str, Any],
    due_at: datetime,
    cause: str = "",
) -> Alert:
    """Notes something to tell by a rule's channel, not before `due_at` (aware)."""
    values = {"rule_id": rule.id, "channel_id": rule.channel_id, "event": event, "subject": subject, "cause": cause}
    values |= {"facts_json": json.dumps(facts), "made_at": now(), "due_at": format_moment(due_at)}
    return Alert.from_row(get_row(db, "alert", "alert", db.insert("alert", values)))


def find_last_alert(db: State, rule_id: int, subject: str, events: Iterable[str]) -> Alert | None:
    """The latest of some events that a rule noted of a subject, told or not, dropped ones aside."""
    sql = """
        SELECT * FROM alert WHERE rule_id = :rule AND subject = :subject AND NOT dropped
        AND event IN (SELECT value FROM json_each(:events)) ORDER BY id DESC LIMIT 1
    """
    row = db.row(sql, {"rule": rule_id, "subject": subject, "events": json.dumps(list(events))})
    return Alert.from_row(row) if row else None


def list_open_late(db: State, rule_id: int) -> list[Alert]:
    """The subjects that a rule noted as late and not as good again."""
    sql = """
        SELECT * FROM alert a WHERE rule_id = :rule AND event = 'late' AND NOT dropped AND id = (
            SELECT max(id) FROM alert b
            WHERE b.rule_id = :rule AND b.subject = a.subject AND b.event IN ('late', 'recovered') AND NOT b.dropped
        )
    """
    return [Alert.from_row(row) for row in db.rows(sql, {"rule": rule_id})]


def drop_alert(db: State, alert_id: int) -> None:
    """It need not be told any more."""
    db.change("UPDATE alert SET dropped = 1 WHERE id = ? AND told_at IS NULL", (alert_id,))


def find_told_cause(db: State, channel_id: int, cause: str, since: datetime) -> str | None:
    """When a channel was last told of a failure of this cause, if that was since a moment."""
    sql = """
        SELECT max(told_at) AS at FROM alert
        WHERE channel_id = ? AND cause = ? AND cause <> '' AND event IN ('failed', 'guard', 'drift') AND told_at >= ?
    """
    row = db.row(sql, (channel_id, cause, format_moment(since)))
    return row["at"] if row else None


def list_due(db: State, channel_id: int, moment: datetime) -> list[Alert]:
    """What waits to be told by a channel and is due, the earliest first."""
    sql = """
        SELECT * FROM alert WHERE channel_id = ? AND due_at <= ? AND told_at IS NULL AND NOT dropped ORDER BY id
    """
    return [Alert.from_row(row) for row in db.rows(sql, (channel_id, format_moment(moment)))]


def note_told(db: State, alert_ids: Sequence[int]) -> None:
    """They were told, by a channel that works."""
    sql = "UPDATE alert SET told_at = ? WHERE id IN (SELECT value FROM json_each(?))"
    db.change(sql, (now(), json.dumps(list(alert_ids))))


def list_alerts(db: State, limit: int = 50) -> list[Alert]:
    """What was told and what waits, the latest first."""
    rows = db.rows("SELECT * FROM alert WHERE NOT dropped ORDER BY id DESC LIMIT ?", (limit,))
    return [Alert.from_row(row) for row in rows]


# -- what a message says of a module -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Streak:
    """How often a module has failed in a row up to a run, since when, and the last good run before it (0: none)."""

    failures: int
    since: str | None
    good_id: int
    good_at: str | None


_IS_LOAD = build_load_condition("r")
_LAST_GOOD = f"""
    SELECT id, finished_at FROM run_log r WHERE module_id = :module AND status = 'success' AND id < :run AND {_IS_LOAD}
    ORDER BY id DESC LIMIT 1
"""
_FAILURES = f"""
    SELECT count(*) AS n, min(finished_at) AS since FROM run_log r
    WHERE module_id = :module AND status = 'error' AND id > :good AND id <= :run AND {_IS_LOAD}
"""


def get_streak(db: State, module_id: int, run_id: int) -> Streak:
    """A module's failed loads in a row."""
    good = db.row(_LAST_GOOD, {"module": module_id, "run": run_id})
    good_id, good_at = (good["id"], good["finished_at"]) if good else (0, None)
    row = db.row(_FAILURES, {"module": module_id, "run": run_id, "good": good_id})
    assert row is not None
    return Streak(failures=row["n"], since=row["since"], good_id=good_id, good_at=good_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """A module whose rows are to be no older than `within_s`, and when it last was good."""

    module_id: int
    module: str
    within_s: int
    good_at: str | None


def list_promises(db: State) -> list[Promise]:
    """The enabled modules that promise freshness."""
    sql = f"""
        SELECT m.id AS module_id, m.name AS module, m.fresh_within_s AS within_s,
               (SELECT r.finished_at FROM run_log r WHERE r.module_id = m.id AND r.status = 'success' AND {_IS_LOAD}
                ORDER BY r.id DESC LIMIT 1) AS good_at
        FROM module m WHERE m.enabled AND m.fresh_within_s > 0 ORDER BY m.name
    """
    return [Promise(**dict(row)) for row in db.rows(sql)]

# Frozen records of whom the program tells what. Knows nothing of how a message is sent.
"""Channels, rules, and alerts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, get_args

ChannelKind = Literal["mail", "webhook", "apprise"]
# `ended` is every run; `guard` a load that a check refused; the others are told once for as long as they last.
AlertEvent = Literal["failed", "recovered", "late", "guard", "drift", "ended"]
CHANNEL_KINDS: tuple[ChannelKind, ...] = get_args(ChannelKind)
ALERT_EVENTS: tuple[AlertEvent, ...] = get_args(AlertEvent)

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A way to people or programs. `settings` are those of its kind (see `repo/alerts.py`), secrets by name only.

    `failing_since` says that nothing could be sent since then; it is tried again at `next_try_at`.
    """

    id: int
    name: str
    kind: ChannelKind
    settings: Mapping[str, str] = field(default_factory=dict)
    enabled: bool = True
    worked_at: str | None = None
    failing_since: str | None = None
    error: str | None = None
    attempts: int = 0
    next_try_at: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {f.name: row[f.name] for f in fields(cls) if f.name not in ("settings", "enabled")}
        return cls(**plain, settings=json.loads(row["settings_json"]), enabled=bool(row["enabled"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """Which events of which modules go to a channel: of one module, of a group's, or of all.

    A failure is told when a module has failed `after_failures` times in a row. What happens between `quiet_from` and
    `quiet_until` (HH:MM, local time) is told after it.
    """

    id: int
    channel_id: int
    events: tuple[AlertEvent, ...]
    group_id: int | None = None
    module_id: int | None = None
    after_failures: int = 1
    quiet_from: str | None = None
    quiet_until: str | None = None
    enabled: bool = True

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {f.name: row[f.name] for f in fields(cls) if f.name not in ("events", "enabled")}
        return cls(**plain, events=tuple(json.loads(row["events_json"])), enabled=bool(row["enabled"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One thing to tell. `facts` hold what a message says of it, and no data; `cause` gathers those of one cause."""

    id: int
    rule_id: int | None
    channel_id: int
    event: AlertEvent
    subject: str
    cause: str
    facts: Mapping[str, Any]
    made_at: str
    due_at: str
    told_at: str | None
    dropped: bool

    @classmethod
    def from_row(cls, row: Row) -> Self:
        plain = {f.name: row[f.name] for f in fields(cls) if f.name not in ("facts", "dropped")}
        return cls(**plain, facts=json.loads(row["facts_json"]), dropped=bool(row["dropped"]))

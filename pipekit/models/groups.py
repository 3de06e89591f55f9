# Frozen records of groups and when they run. Knows nothing of where they are kept or used.
"""Groups, their members and schedules."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pipekit.fields import told

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupFields:
    """What a person says of a group, besides its modules and schedules.

    `parallel` members of equal `run_order` may run side by side. `enabled` says whether its schedules fire; while it is
    `paused` none of its runs starts.
    """

    name: str = field(metadata=told("What it is called, letter case aside unique.", name=""))
    enabled: bool = field(default=True, metadata=told("Whether its schedules fire."))
    paused: bool = field(default=False, metadata=told("Hold back its schedules and everything it would start."))
    parallel: int = field(
        default=1, metadata=told("How many modules of the same order run side by side.", low=1, high=1000)
    )
    heartbeat: str = field(
        default="",
        metadata=told("A web address that is called after each good run of the group, or $NAME of a secret."),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Group(GroupFields):
    """A named, ordered set of modules, as it is kept."""

    id: int

    @classmethod
    def from_row(cls, row: Row) -> Self:
        flags = {"enabled": bool(row["enabled"]), "paused": bool(row["paused"])}
        return cls(id=row["id"], name=row["name"], parallel=row["parallel"], heartbeat=row["heartbeat"], **flags)


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupMember:
    """A module's place in a group; where it is to `verify`, its dest is compared with its source there."""

    id: int
    group_id: int
    module_id: int
    run_order: int = field(
        metadata=told(
            "Lower runs first; equal ones may run side by side. In files the place in the list, unless set.",
            name="order",
            low=1,
            high=1_000_000,
            required=False,
        )
    )
    verify: bool = field(
        default=False,
        metadata=told("Compare its dest with its source instead of running it, as `pipekit verify` does."),
    )

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls(**{f.name: row[f.name] for f in fields(cls)} | {"verify": bool(row["verify"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleFields:
    """What a person says of a schedule, besides its cron expression, which is what it is known by."""

    enabled: bool = field(default=True, metadata=told("Whether it fires."))
    catch_up: bool = field(default=True, metadata=told("Fire once for times that were missed."))


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule(ScheduleFields):
    """A cron expression tied to a group.

    Of the times that were missed (nothing looked at the clock) the latest is made up for if `catch_up` says so.
    `last_fired_at` is the latest due time that was dealt with, whatever came of it; times up to `active_from`, when it
    was made, changed or enabled, are not due.
    """

    id: int
    group_id: int
    cron: str
    active_from: str | None = None
    last_fired_at: str | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        flags = {"enabled": bool(row["enabled"]), "catch_up": bool(row["catch_up"])}
        return cls(**{**{f.name: row[f.name] for f in fields(cls)}, **flags})

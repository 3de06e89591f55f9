# Commands that look at schedules: list, and what came of their due times. Starts nothing.
"""`pipekit schedules`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session
from pipekit.cli.text import format_time

if TYPE_CHECKING:
    from pipekit.models import Group, Schedule, ScheduleFire

NOT_ON = "off"


@click.group(short_help="When groups run: list schedules and their fires.")
def schedules() -> None:
    """List schedules, and what came of their due times."""


@schedules.command("list", short_help="Every schedule, its next time and its last.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List schedules. Cron expressions are read on the wall clock of this machine (or of TZ); times are local."""
    from pipekit import repo

    db = session.db()
    paused = repo.is_paused(db)
    rows = [(group, schedule) for group in repo.list_groups(db) for schedule in repo.list_schedules(db, group.id)]
    records = [_build_record(s, group, repo.find_last_fire(db, s.id), paused) for group, s in rows]
    if as_json:
        session.say_json(records)
        return
    session.say_table(
        ["GROUP", "CRON", "MEANS", "NEXT", "LAST DUE", "OUTCOME"],
        [_row(record) for record in records],
        empty="There are no schedules. Add `schedules: ['0 4 * * *']` to a group and apply its file.",
    )


def _build_record(schedule: "Schedule", group: "Group", last: "ScheduleFire | None", paused: bool) -> dict[str, Any]:
    from pipekit.cron import describe

    return {
        "schedule_id": schedule.id,
        "group": group.name,
        "cron": schedule.cron,
        "description": describe(schedule.cron),
        "enabled": schedule.enabled and group.enabled,
        "paused": paused or group.paused,
        "catch_up": schedule.catch_up,
        "next_at": _find_next(schedule.cron) if schedule.enabled and group.enabled else None,
        "last_due_at": last.due_at if last else None,
        "last_outcome": last.outcome if last else None,
        "last_reason": last.reason if last else None,
        "last_group_run_id": last.group_run_id if last else None,
    }


def _find_next(cron: str) -> str | None:
    from pipekit.cron import check_cron, next_times

    if check_cron(cron):
        return None
    found = next_times(cron, datetime.now(UTC), 1)
    return found[0].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if found else None


def _row(record: dict[str, Any]) -> list[str]:
    upcoming = format_time(record["next_at"]) if record["enabled"] else NOT_ON
    upcoming += " (paused)" if record["enabled"] and record["paused"] else ""
    last = [format_time(record["last_due_at"]), record["last_outcome"] or "-"]
    return [record["group"], record["cron"], record["description"], upcoming, *last]


@schedules.command(short_help="What came of due times.")
@click.option("--group", metavar="GROUP", help="Only fires of this group's schedules.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many at most.")
@json_option
@click.pass_obj
def fires(session: Session, group: str | None, limit: int, as_json: bool) -> None:
    """List due times and what came of them, the latest first: fired, catch_up, skipped or missed."""
    from pipekit import repo

    db = session.db()
    group_id = repo.get_group_by_name(db, group).id if group else None
    latest = repo.list_fires(db, limit=limit, group_id=group_id)
    present = repo.list_schedules(db)
    names = {item.id: item.name for item in repo.list_groups(db)}
    homes = {item.id: (names[item.group_id], item.cron) for item in present if item.group_id in names}
    # What was deleted between the looks is left out.
    found = [(*homes[fire.schedule_id], fire) for fire in latest if fire.schedule_id in homes]
    if as_json:
        session.say_json([_build_fire(name, cron, fire) for name, cron, fire in found])
        return
    session.say_table(
        ["GROUP", "CRON", "DUE", "OUTCOME", "GROUP RUN", "REASON"],
        [_fire_row(name, cron, fire) for name, cron, fire in found],
        right=(4,),
        empty="No schedule has come due yet. See `pipekit schedules list`.",
    )


def _build_fire(group: str, cron: str, fire: "ScheduleFire") -> dict[str, Any]:
    return {
        "schedule_id": fire.schedule_id,
        "group": group,
        "cron": cron,
        "due_at": fire.due_at,
        "outcome": fire.outcome,
        "reason": fire.reason,
        "group_run_id": fire.group_run_id,
        "recorded_at": fire.recorded_at,
    }


def _fire_row(group: str, cron: str, fire: "ScheduleFire") -> list[str]:
    run = str(fire.group_run_id) if fire.group_run_id is not None else "-"
    return [group, cron, format_time(fire.due_at), fire.outcome, run, fire.reason or ""]

# What overviews show: what is alive, the last day, groups and schedules, what a search finds. Knows no page.
"""Counts, schedule states and search, each in one query whatever there is."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields

from pipekit.repo.pages import like_pattern, read_at_once
from pipekit.repo.state import State


@dataclass(frozen=True, kw_only=True, slots=True)
class Alive:
    """How many runs run and wait, whether everything is held back, and whether alerts cannot be sent."""

    running: int
    queued: int
    paused: bool
    unsent: bool


def count_alive(db: State) -> Alive:
    """What the bar of every page shows."""
    row = db.row(
        """
        SELECT (SELECT count(*) FROM run_log WHERE status = 'running') AS running,
               (SELECT count(*) FROM run_log WHERE status = 'queued') AS queued,
               EXISTS (SELECT 1 FROM meta WHERE name = 'paused' AND value = '1') AS paused,
               EXISTS (SELECT 1 FROM alert_channel WHERE enabled AND failing_since IS NOT NULL) AS unsent
        """
    )
    assert row is not None
    flags = {name: bool(row[name]) for name in ("paused", "unsent")}
    return Alive(running=row["running"], queued=row["queued"], **flags)


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """How far an installation has come."""

    connections: int
    modules: int
    members: int

    @property
    def is_new(self) -> bool:
        """Whether one of the three first steps is still to be done."""
        return not (self.connections and self.modules and self.members)


def count_installed(db: State) -> Installed:
    """How many connections, modules and places in groups there are."""
    row = db.row(
        """
        SELECT (SELECT count(*) FROM connection) AS connections, (SELECT count(*) FROM module) AS modules,
               (SELECT count(*) FROM group_member) AS members
        """
    )
    assert row is not None
    return Installed(**row)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """Runs that ended in a span of time: `number` counts spans from the beginning asked for."""

    number: int
    ended: int
    failed: int


def count_ended_by_span(db: State, since: str, span_s: int) -> list[Bucket]:
    """Runs that ended since a moment, counted in spans; spans without any are left out."""
    sql = """
        SELECT CAST((julianday(finished_at) - julianday(:since)) * 86400 / :span AS INTEGER) AS number,
               count(*) AS ended, sum(status = 'error') AS failed
        FROM run_log WHERE finished_at IS NOT NULL AND finished_at >= :since GROUP BY 1 ORDER BY 1
    """
    return [
        Bucket(**row) for row in read_at_once(db, ("number", "ended", "failed"), sql, {"since": since, "span": span_s})
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRun:
    """A run that ended, as a mark of its group's; `group` is empty for one that was started by itself."""

    id: int
    module: str
    group: str
    status: str
    started_at: str | None
    finished_at: str


def list_ended_runs(db: State, since: str, limit: int) -> list[DayRun]:
    """Runs that ended since a moment, the earliest first."""
    sql = """
        SELECT r.id, r.module, coalesce(g.group_name, '') AS "group", r.status, r.started_at, r.finished_at
        FROM run_log r LEFT JOIN group_run g ON g.id = r.group_run_id
        WHERE r.finished_at IS NOT NULL AND r.finished_at >= :since ORDER BY r.finished_at LIMIT :limit
    """
    found = read_at_once(db, [f.name for f in fields(DayRun)], sql, {"since": since, "limit": limit})
    return [DayRun(**row) for row in found]


# -- groups and schedules ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Badge:
    """A group a module is in."""

    id: int
    name: str


def list_badges(db: State, module_ids: Iterable[int]) -> dict[int, list[Badge]]:
    """The groups of each of some modules, by name. One query."""
    badges: dict[int, list[Badge]] = {module_id: [] for module_id in module_ids}
    sql = """
        SELECT DISTINCT p.module_id, g.id, g.name FROM json_each(:ids) AS w
        JOIN group_member p ON p.module_id = w.value JOIN grp g ON g.id = p.group_id ORDER BY g.name
    """
    for row in read_at_once(db, ("module_id", "id", "name"), sql, {"ids": json.dumps(list(badges))}):
        badges[row["module_id"]].append(Badge(id=row["id"], name=row["name"]))
    return badges


def count_enabled_members(db: State) -> dict[int, int]:
    """How many enabled modules each group has."""
    sql = """
        SELECT p.group_id, count(DISTINCT m.id) AS n FROM group_member p JOIN module m ON m.id = p.module_id
        WHERE m.enabled GROUP BY p.group_id
    """
    return {row["group_id"]: row["n"] for row in read_at_once(db, ("group_id", "n"), sql)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleState:
    """A schedule that counts, what came of its last due time, and when its group was last good.

    `began_at` is when the group run of that due time started; `usual_s` how long the group's last good run took.
    """

    schedule_id: int
    group_id: int
    group: str
    cron: str
    paused: bool
    mark: str | None
    due_at: str | None
    outcome: str | None
    reason: str | None
    group_run_id: int | None
    group_run_status: str | None
    began_at: str | None
    good_at: str | None
    usual_s: float | None


_SCHEDULES = """
    SELECT s.id AS schedule_id, g.id AS group_id, g.name AS "group", s.cron, g.paused,
           nullif(max(coalesce(s.last_fired_at, ''), coalesce(s.active_from, '')), '') AS mark,
           f.due_at, f.outcome, f.reason, f.group_run_id,
           v.status AS group_run_status, v.started_at AS began_at,
           good.finished_at AS good_at, (julianday(good.finished_at) - julianday(good.started_at)) * 86400 AS usual_s
    FROM schedule s JOIN grp g ON g.id = s.group_id
    LEFT JOIN schedule_fire f ON f.id = (
        SELECT id FROM schedule_fire WHERE schedule_id = s.id ORDER BY due_at DESC LIMIT 1)
    LEFT JOIN group_run v ON v.id = f.group_run_id
    LEFT JOIN group_run good ON good.id = (
        SELECT max(id) FROM group_run WHERE group_id = g.id AND status = 'success')
    WHERE s.enabled AND g.enabled ORDER BY g.name, s.id
"""


def list_schedule_states(db: State) -> list[ScheduleState]:
    """Every enabled schedule of an enabled group. One query."""
    found = read_at_once(db, [f.name for f in fields(ScheduleState)], _SCHEDULES)
    return [ScheduleState(**{**row, "paused": bool(row["paused"])}) for row in found]


def pack_crons(db: State) -> str:
    """Group, name, cron and pause of what `list_schedule_states` lists, as JSON: equal texts are equal schedules."""
    row = db.row(
        """
        SELECT json_group_array(json_array(id, name, cron, paused)) AS packed FROM (
            SELECT g.id, g.name, s.cron, g.paused FROM schedule s JOIN grp g ON g.id = s.group_id
            WHERE s.enabled AND g.enabled ORDER BY g.name, s.id)
        """
    )
    return str(row["packed"]) if row else "[]"


def list_past_values(db: State, module_id: int, limit: int = 10) -> list[tuple[int, dict[str, str]]]:
    """The watermark values of a module's last runs that found some: the run and its values, the latest first."""
    rows = db.rows(
        """
        SELECT id, watermark_values_json AS packed FROM (
            SELECT id, watermark_values_json FROM run_log WHERE module_id = ? ORDER BY id DESC LIMIT 60)
        WHERE coalesce(watermark_values_json, '{}') <> '{}' LIMIT ?
        """,
        (module_id, limit),
    )
    return [(row["id"], json.loads(row["packed"])) for row in rows]


# -- search ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """Something found: its kind, where it is, and in which words."""

    kind: str
    id: int
    name: str
    detail: str


_SEARCHES = {
    "module": """
        SELECT m.id, m.name, s.name || ' -> ' || d.name || ' ' || m.dest_table AS detail FROM module m
        JOIN connection s ON s.id = m.source_id JOIN connection d ON d.id = m.dest_id
        WHERE m.name LIKE :like ESCAPE '\\' OR m.dest_table LIKE :like ESCAPE '\\'
           OR m.source_query LIKE :like ESCAPE '\\'
        ORDER BY m.name NOT LIKE :like ESCAPE '\\', m.name LIMIT :limit
    """,
    "group": "SELECT id, name, '' AS detail FROM grp WHERE name LIKE :like ESCAPE '\\' ORDER BY name LIMIT :limit",
    "connection": """
        SELECT id, name, driver AS detail FROM connection
        WHERE name LIKE :like ESCAPE '\\' OR driver LIKE :like ESCAPE '\\' ORDER BY name LIMIT :limit
    """,
}


def search(db: State, text: str, limit: int = 20) -> list[Hit]:
    """Modules (also by table and query), groups and connections that contain a text, and the run of that number."""
    text = text.strip()
    if not text:
        return []
    hits = _find_run(db, text)
    for kind, sql in _SEARCHES.items():
        hits += [Hit(kind=kind, **row) for row in db.rows(sql, {"like": like_pattern(text), "limit": limit})]
    return hits


def _find_run(db: State, text: str) -> list[Hit]:
    number = text.removeprefix("#")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return []
    rows = db.rows("SELECT id, module, status FROM run_log WHERE id = ?", (int(number),))
    return [
        Hit(kind="run", id=row["id"], name=f"run {row['id']}", detail=f"{row['module']}, {row['status']}")
        for row in rows
    ]

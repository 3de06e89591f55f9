# An installation with a long past, for measuring pages. Knows the state database's tables, no page.
"""`make_installation`: 500 modules, 100 groups with schedules, a million runs; the same figures every time."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipekit import repo
from pipekit.config import load_config
from pipekit.models.people import Role
from pipekit.passwords import hash_password

DAYS = 100
MODULES = 500
GROUPS = 100
CONNECTIONS = 20
USERS = 10
RUNS = 1_000_000
LOGS = 2_000
OWNER = "bench:1"

QUERY = """select o.id, o.customer_id, o.state, o.total, o.currency, o.created_at, o.updated_at
from sales.orders o join sales.customers c on c.id = o.customer_id
where o.updated_at > {last_update} and c.region = 'emea' -- module %d
"""

# A run every DAYS days / RUNS; each module in turn, so that each has as many; two in a hundred failed.
_RUNS = """
    INSERT INTO run_log (run_key, module_id, module, group_run_id, run_order, triggered_by, status, attempt, fence,
        owner, dest_id, staging_table, dest_table, queued_at, started_at, finished_at, merge_state, rows_read,
        rows_staged, rows_deleted, rows_inserted, rows_updated, error_stage, stages_json, watermark_values_json,
        checks_json, hint, error, resolved_sql, merge_sql)
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :runs),
    w AS (SELECT i, 1 + i % :modules AS module_id, (i * 7919) % 1000 AS dice,
                 julianday('now') - :days * (1.0 - (i + 1.0) / (:runs + 50)) AS began FROM n)
    SELECT 'key-' || i, w.module_id, m.name, 1 + i / 5, i % 5, 'schedule:' || (1 + w.module_id % :groups),
        CASE WHEN dice < 20 THEN 'error' WHEN dice < 25 THEN 'cancelled' ELSE 'success' END, 1, 1 + i / :modules,
        'host:1', m.dest_id, 'pipekit_staging.m' || w.module_id, m.dest_table,
        strftime('%Y-%m-%dT%H:%M:%fZ', began), strftime('%Y-%m-%dT%H:%M:%fZ', began),
        strftime('%Y-%m-%dT%H:%M:%fZ', began + (2 + dice / 40.0) / 86400), iif(dice < 25, 'none', 'merged'),
        dice * 1204, dice * 1204, iif(dice < 25, NULL, dice * 1100), iif(dice < 25, NULL, dice * 1204),
        iif(dice < 25, NULL, 0), iif(dice < 20, 'merge', NULL),
        '{"watermark": 0.1, "plan": 0.1, "stage": 8.9, "check": 0.2, "merge": 3.0}',
        '{"last_update": "2026-11-24 04:00:00"}',
        '[{"name": "counts", "ok": true, "detail": "read = staged"},'
            || ' {"name": "columns", "ok": true, "detail": "7 equal"}]',
        iif(dice < 20, 'Look at the key.', NULL),
        iif(dice < 20, 'duplicate key value violates unique constraint "orders_pkey" of run ' || i, NULL),
        m.source_query, 'delete from ' || m.dest_table || ' d using pipekit_staging.m' || w.module_id
            || ' s where d.id = s.id; insert into ' || m.dest_table || ' select * from pipekit_staging.m' || w.module_id
    FROM w JOIN module m ON m.id = w.module_id
"""
_GROUP_RUNS = """
    INSERT INTO group_run (id, group_id, group_name, status, triggered_by, started_at, finished_at)
    SELECT r.group_run_id, g.id, g.name, iif(sum(r.status <> 'success'), 'error', 'success'),
        'schedule:' || g.id, min(r.started_at), max(r.finished_at)
    FROM run_log r JOIN grp g ON g.id = 1 + r.group_run_id % :groups GROUP BY r.group_run_id
"""
_FIRES = """
    INSERT INTO schedule_fire (schedule_id, due_at, outcome, group_run_id, recorded_at)
    SELECT s.id, v.started_at, 'fired', v.id, v.started_at FROM group_run v JOIN schedule s ON s.group_id = v.group_id
"""
_LOGS = """
    INSERT INTO run_log_chunk (run_id, start, text)
    SELECT id, 0, replace(hex(zeroblob(60)), '00', '2026-11-24 04:00:00 stage: a line of a log' || char(10))
    FROM run_log ORDER BY id DESC LIMIT :logs
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """Where it is, and the cookies of its users: an admin, an operator, and viewers."""

    home: Path
    cookies: tuple[str, ...]

    def open_state(self) -> repo.State:
        """A connection to its state database."""
        return repo.open_state(load_config({"PIPEKIT_HOME": str(self.home)}).state_path)


def make_installation(home: Path, *, runs: int = RUNS, say: Callable[[str], None]) -> Installation:
    """Makes it in a fresh home; what the runs moved was never there."""
    shutil.rmtree(home, ignore_errors=True)
    config = load_config({"PIPEKIT_HOME": str(home)})
    with closing(repo.open_state(config.state_path, create=True)) as db:
        with repo.transaction(db):
            _define(db)
        say(f"{runs:,} runs are being written")
        values = {"runs": runs, "modules": MODULES, "groups": GROUPS, "days": DAYS, "logs": LOGS}
        with repo.transaction(db):
            for sql in (_RUNS, _GROUP_RUNS, _FIRES, _LOGS):
                db.execute(sql, {name: value for name, value in values.items() if f":{name}" in sql})
        _start_some(db)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Installation(home=home, cookies=tuple(make_users(db)))


def make_users(db: repo.State, count: int = USERS) -> list[str]:
    """An admin, an operator and viewers; the values of a session's cookie of each."""
    hashed = hash_password("a password of the benchmark")
    first: tuple[Role, ...] = ("admin", "operator")
    users = [
        repo.create_user(db, name=f"user{n}", password_hash=hashed, role=first[n] if n < len(first) else "viewer")
        for n in range(count)
    ]
    return [repo.open_session(db, user.id) for user in users]


def _define(db: repo.State) -> None:
    for number in range(CONNECTIONS):
        url = f"jdbc:postgresql://db{number:02d}.example.com:5432/sales"
        repo.create_connection(db, name=f"db{number:02d}", driver="postgresql", jdbc_url=url, username="etl")
    for number in range(1, MODULES + 1):
        source_id, dest_id = 1 + number % CONNECTIONS, 1 + (number * 7 + 3) % CONNECTIONS
        module = repo.create_module(
            db,
            name=f"orders_{number:03d}",
            source_id=source_id,
            dest_id=dest_id,
            source_query=QUERY % number,
            dest_table=f"public.orders_{number:03d}",
            merge_strategy="incremental",
            merge_key=["id"],
        )
        asked = "select max(updated_at) from public.orders"
        repo.create_watermark(db, module_id=module.id, name="last_update", connection_id=dest_id, resolver_sql=asked)
    for number in range(1, GROUPS + 1):
        group = repo.create_group(db, name=f"nightly_{number:03d}")
        for place in range(MODULES // GROUPS):
            repo.create_member(db, group_id=group.id, module_id=1 + (number * 5 + place) % MODULES)
        repo.create_schedule(db, group_id=group.id, cron=f"{number % 60} {number % 24} * * *")


def _start_some(db: repo.State) -> None:
    """Three runs that go on, as far as a page can tell, in modules that wait for nothing."""
    for module_id in (11, 22, 33):
        run = repo.claim_module(
            db,
            module_id,
            owner=OWNER,
            lease_s=7200,
            triggered_by="user:user1",
            dry_run=False,
            staging_table="pipekit_staging.s",
        )
        repo.append_live_log(db, run.id, "-- watermark\n-- plan\n-- stage\n61 000\n")

# A run log of any size, filled in bulk. Knows the tables, moves no rows of anybody.
"""`fill_run_log`."""

from datetime import timedelta

from pipekit import repo

RUNS = """
    INSERT INTO run_log (run_key, module_id, module, triggered_by, status, merge_state, started_at, finished_at,
                         rows_read, rows_staged, rows_inserted, stages_json, watermark_values_json, resolved_sql)
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
    SELECT lower(hex(randomblob(16))), 1 + i % :modules, 'm' || (1 + i % :modules), 'schedule:1',
           CASE WHEN i % 50 = 7 THEN 'error' ELSE 'success' END, 'merged',
           strftime('%Y-%m-%dT%H:%M:%fZ', :oldest, '+' || (i * :days * 86400.0 / :count) || ' seconds'),
           strftime('%Y-%m-%dT%H:%M:%fZ', :oldest, '+' || (i * :days * 86400.0 / :count + 0.5) || ' seconds'),
           i % 1000, i % 1000, i % 1000, '{"stage": 0.2, "merge": 0.1}', '{"since": "2024-01-01"}',
           'select * from orders where updated_at >= ''2024-01-01'''
    FROM n
"""


def fill_run_log(db: repo.State, count: int, *, modules: int = 100, days: float = 730) -> None:
    """Ended runs of `modules` modules, evenly over the last `days` days."""
    connection = repo.create_connection(db, name="c", driver="sqlite", jdbc_url="jdbc:sqlite:c.db")
    for number in range(1, modules + 1):
        module = repo.create_module(
            db,
            name=f"m{number}",
            source_id=connection.id,
            dest_id=connection.id,
            source_query="select 1",
            dest_table="t",
        )
        assert module.id == number
    oldest = repo.format_moment(repo.wall_clock() - timedelta(days=days)).rstrip("Z")
    settings = {"synchronous": ("OFF", "FULL"), "cache_size": (-400_000, -2_000), "journal_mode": ("MEMORY", "WAL")}
    for name, (fast, _) in settings.items():
        db.row(f"PRAGMA {name} = {fast}")
    with repo.transaction(db):
        db.execute(RUNS, {"count": count, "modules": modules, "oldest": oldest, "days": days})
    for name, (_, safe) in settings.items():
        db.row(f"PRAGMA {name} = {safe}")

# What must hold in a dest at every moment, and what must hold once nothing is going on. Does no harm.
"""`judge_dest` looks at ledger and rows in one snapshot; `judge_quiet` at leftovers and at what the records say."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from pipekit import repo
from pipekit.runner.process import wait_until
from tests.left import LEDGER_SQL, list_left, list_left_in_file
from tests.soak.world import ROWS, Installation, World

QUIET_WITHIN_S = 90.0
_KEPT = "SELECT 1 FROM run_preview WHERE kept_until IS NOT NULL LIMIT 1"
_ROWS = "select version, who, count(*) from {table} group by version, who"


def judge_dest(world: World) -> list[str]:
    """What is wrong in the dests now, at any moment: a merge and its row in the ledger are one transaction."""
    return [*_judge_postgres(world), *_judge_lite(world)]


def _judge_postgres(world: World) -> Iterator[str]:
    with world.connect("dest") as dest, dest.transaction():
        dest.execute("set transaction isolation level repeatable read")
        # Before the snapshot: one that is older than a TRUNCATE shows the table as empty.
        names = ", ".join(table for _, _, table, _ in _list_tables(world, lite=False))
        dest.execute(f"lock table {names} in access share mode")
        found = dest.execute("select to_regclass('pipekit_staging.pipekit_ledger') is not null").fetchone()
        merged: Counter[str] = Counter()
        if found and found[0]:
            ledger = dest.execute(LEDGER_SQL.format(ledger="pipekit_staging.pipekit_ledger")).fetchall()
            merged.update(module.partition("@")[2] for _, module in ledger)
        for installation, module_id, table, strategy in _list_tables(world, lite=False):
            rows = [tuple(row) for row in dest.execute(_ROWS.format(table=table)).fetchall()]
            yield from _judge_rows(table, strategy, rows, merged[f"{installation.instance}/{module_id}"])


def _judge_lite(world: World) -> Iterator[str]:
    with closing(sqlite3.connect(world.lite_path, timeout=60, isolation_level=None)) as lite:
        lite.execute("begin")
        there = lite.execute("select 1 from sqlite_schema where name = 'pipekit_staging.pipekit_ledger'").fetchone()
        merged: Counter[str] = Counter()
        if there:
            ledger = lite.execute(LEDGER_SQL.format(ledger='"pipekit_staging.pipekit_ledger"')).fetchall()
            merged.update(module.partition("@")[2] for _, module in ledger)
        for installation, module_id, table, strategy in _list_tables(world, lite=True):
            rows = lite.execute(_ROWS.format(table=table)).fetchall()
            yield from _judge_rows(table, strategy, rows, merged[f"{installation.instance}/{module_id}"])


def _list_tables(world: World, *, lite: bool) -> Iterator[tuple[Installation, int, str, str]]:
    for installation in world.installations:
        for module_id, (table, strategy) in installation.tables.items():
            if table.endswith("lite") is lite:
                yield installation, module_id, table, strategy


def _judge_rows(table: str, strategy: str, rows: list[tuple[int, str, int]], merged: int) -> Iterator[str]:
    """`rows` are (version, table they were read for, how many)."""
    if strangers := {who for _, who, _ in rows if who != table}:
        yield f"{table} holds rows of {', '.join(sorted(strangers))}"
    total = sum(count for _, _, count in rows)
    times = merged if strategy == "append" else min(1, merged)
    if total != ROWS * times:
        yield f"{table} ({strategy}) holds {total} rows, and {merged} merges are in the ledger"
    if strategy == "append" and any(count % ROWS for _, _, count in rows):
        yield f"{table} holds a part of a load: {rows}"
    if strategy != "append" and len(rows) > 1:
        yield f"{table} ({strategy}) mixes {len(rows)} versions"


def judge_quiet(world: World) -> list[str]:
    """What is wrong once everything that was asked for has ended; servers are up and nobody does harm."""
    problems = judge_dest(world)
    for installation in world.installations:
        db = installation.project.db
        if not wait_until(lambda db=db: not repo.list_live_runs(db), QUIET_WITHIN_S, 0.5):  # type: ignore[misc]
            problems += [f"{installation.name}: run {run.id} does not end" for run in repo.list_live_runs(db)]
        if not wait_until(lambda db=db: not db.row(_KEPT), QUIET_WITHIN_S, 0.5):  # type: ignore[misc]
            problems.append(f"{installation.name}: what a preview has staged is kept for longer than it should be")
        if not wait_until(lambda db=db: not repo.list_leftover_runs(db), QUIET_WITHIN_S, 0.5):  # type: ignore[misc]
            problems += [f"{installation.name}: run {run.id} is not settled" for run in repo.list_leftover_runs(db)]
        problems += [f"{installation.name}: {m.name} is locked" for m in installation.modules if m.running]
        problems += _judge_records(world, installation)
    return [*problems, *_list_left(world), *judge_dest(world)]


def _judge_records(world: World, installation: Installation) -> Iterator[str]:
    """A record says merged of exactly the runs that the ledgers say it of, and success of no others."""
    with world.connect("dest") as dest, closing(sqlite3.connect(world.lite_path, timeout=60)) as lite:
        told = dest.execute(LEDGER_SQL.format(ledger="pipekit_staging.pipekit_ledger")).fetchall()
        told += lite.execute(LEDGER_SQL.format(ledger='"pipekit_staging.pipekit_ledger"')).fetchall()
    ledger = {key for key, module in told if module.partition("@")[2].startswith(installation.instance)}
    for run in repo.list_runs(installation.project.db, limit=1_000_000):
        if (run.run_key in ledger) != (run.merge_state == "merged"):
            yield f"{installation.name}: run {run.id} says {run.merge_state}, the ledger {run.run_key in ledger}"
        if run.status == "success" and run.verify is None and run.run_key not in ledger:
            yield f"{installation.name}: run {run.id} says success, and the ledger does not know it"


def _list_left(world: World) -> Iterator[str]:
    with world.connect("dest") as dest, closing(sqlite3.connect(world.lite_path, timeout=60)) as lite:
        left = [*list_left(lambda sql: dest.execute(sql).fetchall()), *list_left_in_file(lite.execute)]
    yield from (f"left in the dest: {name}" for name in left)

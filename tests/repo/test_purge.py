# What is removed when it is old and what stays, and at which pace.
"""Retention."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.config import Config
from pipekit.models import Connection, Module, Run
from pipekit.repo.purge import FIRES, GROUP_RUNS, LOGINS, RUNS, build_old_sql
from pipekit.server.retention import Purged, purge
from tests.repo.large import fill_run_log


@pytest.fixture
def config(path: Path) -> Config:
    return Config(home=path.parent, base_dir=path.parent, state_path=path, secrets_path=path.parent / "secrets.env")


def ago(days: float) -> str:
    return repo.format_moment(repo.wall_clock() - timedelta(days=days))


def add_run(db: repo.State, module: Module, days: float, *, status: str = "success", log: str = "") -> Run:
    """A run of a module that ended so many days ago, with a log."""
    run = repo.claim_module(
        db, module.id, owner="me", lease_s=20, triggered_by="cli", dry_run=False, staging_table=None
    )
    if log:
        repo.append_live_log(db, run.id, log)
    if status != "running":
        db.update("run_log", run.id, {"started_at": ago(days)})
        repo.finish_run(db, run.id, owner="me", status="success", finished_at=ago(days))
    return repo.get_run(db, run.id)


def ids(db: repo.State) -> list[int]:
    return [row["id"] for row in db.rows("SELECT id FROM run_log ORDER BY id")]


def logged(db: repo.State) -> list[int]:
    return [row["run_id"] for row in db.rows("SELECT DISTINCT run_id FROM run_log_chunk ORDER BY run_id")]


def test_old_runs_and_older_logs_go(db: repo.State, orders: Module, config: Config) -> None:
    runs = [add_run(db, orders, days, log="line\n" * 10).id for days in (800, 366, 364, 31, 29, 0)]
    counted = purge(db, config, dry_run=True)
    assert counted == Purged(logs=4, runs=2)
    assert ids(db) == logged(db) == runs
    assert purge(db, config) == counted
    assert ids(db) == runs[2:]
    assert logged(db) == runs[4:]
    assert purge(db, config) == Purged()


def test_the_newest_run_of_each_module_stays_however_old_it_is(
    db: repo.State, orders: Module, dw: Connection, config: Config
) -> None:
    other = repo.create_module(
        db, name="other", source_id=dw.id, dest_id=dw.id, source_query="select 1", dest_table="o"
    )
    kept = [add_run(db, module, 900).id for module in (orders, orders, other)][1:]
    assert purge(db, config).runs == 1
    assert ids(db) == kept


def test_runs_of_modules_that_are_gone_go_all(db: repo.State, orders: Module, config: Config) -> None:
    add_run(db, orders, 900)
    repo.delete_module(db, orders.id)
    assert purge(db, config).runs == 1
    assert ids(db) == []


def test_a_live_run_and_one_whose_merge_is_not_settled_stay_with_their_logs(
    db: repo.State, orders: Module, config: Config
) -> None:
    unsettled = add_run(db, orders, 900, status="running", log="line\n")
    repo.finish_run(db, unsettled.id, owner="me", status="error", merge_state="unknown", finished_at=ago(900))
    db.execute("DROP TRIGGER run_log_is_final")
    db.update("run_log", unsettled.id, {"started_at": ago(900), "finished_at": ago(900)})
    gone = add_run(db, orders, 900, log="line\n")
    live = add_run(db, orders, 900, status="running", log="line\n")
    db.update("run_log", live.id, {"started_at": ago(900)})
    assert purge(db, config) == Purged(logs=1, runs=1)
    assert ids(db) == logged(db) == [unsettled.id, live.id]
    assert gone.id not in ids(db)


def test_group_runs_go_with_their_runs_and_fires_with_their_age(db: repo.State, orders: Module, config: Config) -> None:
    group = repo.create_group(db, name="nightly")
    repo.create_member(db, group_id=group.id, module_id=orders.id)
    schedule = repo.create_schedule(db, group_id=group.id, cron="0 4 * * *")
    db.execute("DROP TRIGGER run_log_is_final")
    for days in (900, 800, 10):
        moment = repo.wall_clock() - timedelta(days=days)
        fire = repo.record_fire(db, schedule.id, moment, "fired", recorded_at=moment)
        assert fire is not None
        made = repo.create_group_run(db, group.id, triggered_by=f"schedule:{schedule.id}")
        repo.set_fire_group_run(db, fire.id, made.id)
        repo.cancel_group_run(db, made.id)
        for table in ("run_log", "group_run"):
            mine = "group_run_id" if table == "run_log" else "id"
            db.execute(f"UPDATE {table} SET finished_at = ? WHERE {mine} = ?", (ago(days), made.id))
    counted = purge(db, config, dry_run=True)
    assert counted == Purged(runs=2, group_runs=2, fires=2)
    assert purge(db, config) == counted
    assert [made.id for made in repo.list_group_runs(db)] == [3]
    assert [row["group_run_id"] for row in db.rows("SELECT group_run_id FROM schedule_fire")] == [3]


def test_runs_of_a_live_group_run_stay(db: repo.State, orders: Module, config: Config) -> None:
    group = repo.create_group(db, name="nightly")
    repo.create_member(db, group_id=group.id, module_id=orders.id)
    made = repo.create_group_run(db, group.id, triggered_by="manual")
    member = repo.list_runs(db)[0]
    db.update("run_log", member.id, {"status": "error", "finished_at": ago(900)})
    add_run(db, orders, 0)
    assert purge(db, config) == Purged()
    db.update("group_run", made.id, {"status": "error", "finished_at": ago(900)})
    assert purge(db, config).runs == 1


def test_a_long_log_goes_in_pieces(db: repo.State, orders: Module, config: Config) -> None:
    run = add_run(db, orders, 100, log="x" * 1023 + "\n")
    db.execute("DELETE FROM run_log_chunk")
    db.execute(
        "INSERT INTO run_log_chunk (run_id, start, text) WITH RECURSIVE n (i) AS "
        "(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT ?, i * 16384, printf('%16384c', 'x') FROM n",
        (run.id,),
    )
    begun = db.total_changes
    assert purge(db, config) == Purged(logs=1)
    assert db.total_changes - begun == 1000
    assert logged(db) == []


class SetBySecondWait(threading.Event):
    """Asks to stop in the pause after the second batch."""

    paused = False

    def wait(self, timeout: float | None = None) -> bool:
        if self.paused:
            self.set()
        self.paused = True
        return self.is_set()


def test_old_logins_go_and_everything_else_of_the_audit_trail_stays(db: repo.State, config: Config) -> None:
    for kind in ("login", "login", "user"):
        repo.note_audit(db, user="ana", action="accept", kind=kind, name="ana")
    db.execute("UPDATE audit SET at = ? WHERE id <> 2", (ago(366),))
    assert purge(db, config, dry_run=True) == purge(db, config) == Purged(logins=1)
    assert [(entry.kind, entry.id) for entry in repo.list_audit(db)] == [("user", 3), ("login", 2)]


def test_a_purge_that_is_told_to_stop_ends_and_goes_on_the_next_time(path: Path, config: Config) -> None:
    db = repo.open_state(path, create=True)
    fill_run_log(db, 3_000, modules=3)
    first = purge(db, config, stop=SetBySecondWait())
    assert 0 < first.runs < 1_500
    assert first.runs + purge(db, config).runs == pytest.approx(1_500, abs=3)
    db.close()


def test_what_is_old_is_found_along_an_index(db: repo.State) -> None:
    indexes = ((RUNS, "run_log_by_end"), (GROUP_RUNS, "group_run_by_end"), (FIRES, "schedule_fire_by_time"))
    for kind, index in (*indexes, (LOGINS, "audit_logins")):
        sql = "EXPLAIN QUERY PLAN " + build_old_sql(kind)
        steps = [row["detail"] for row in db.rows(sql, {"before": "2", "age": "", "id": -1, "page": 10})]
        assert any(index in step for step in steps), steps
        assert all(not step.startswith("SCAN") and "TEMP B-TREE" not in step for step in steps), steps

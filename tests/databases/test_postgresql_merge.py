# What the merge, its checks and the ledger do on a real PostgreSQL.
"""Merging and the ledger."""

import random
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from pipekit.drivers.base import LedgerEntry
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.errors import StatementFailed
from pipekit.models import Strategy
from pipekit.runner_contract import ResultColumn
from tests.databases.moving import Mover, OpenSession, load_rows, run
from tests.patience import PATIENCE_S


def make_entry(run_key: str, fence: int = 1) -> LedgerEntry:
    return LedgerEntry(run_key=run_key, run_id=1, module="orders@abc", fence=fence, rows=3)


def merge_model(
    strategy: Strategy, dest: list[tuple[Any, ...]], staged: list[tuple[Any, ...]], null_keys: bool
) -> list[tuple[Any, ...]]:
    """What the strategies mean, in Python; the key is the first two columns."""
    keys = {row[:2] for row in staged if null_keys or None not in row[:2]}
    if strategy == "full":
        return staged
    if strategy == "append":
        return dest + staged
    if strategy == "incremental":
        return [row for row in dest if row[:2] not in keys] + staged
    there = {row[:2] for row in dest}
    updates = {row[:2]: row for row in staged if row[:2] in keys}
    kept = [updates.get(row[:2], row) for row in dest]
    return kept + [row for row in staged if row[:2] not in there or row[:2] not in keys]


@pytest.mark.parametrize("can_truncate", [True, False])
@pytest.mark.parametrize("null_keys", [True, False])
@pytest.mark.parametrize("strategy", ["full", "incremental", "append", "upsert"])
def test_a_merge_does_what_its_strategy_says(
    mover: Mover, strategy: Strategy, null_keys: bool, can_truncate: bool
) -> None:
    chance = random.Random(f"{strategy}{null_keys}")
    keys = [(a, b) for a in (None, 1, 2, 3) for b in (None, "x", "y")]
    dest = [(*key, f"old {key}") for key in keys if chance.random() < 0.6]
    unique = [key for key in keys if chance.random() < 0.6 and (null_keys or None not in key)]
    staged = [(*key, f"new {key}") for key in unique]
    if strategy == "incremental":
        staged += [(*key, "again") for key in unique[:2]]
    run(mover.dest, "CREATE TABLE arrived (a integer, b text, c text)")
    load_rows(mover, dest)
    columns = DRIVER.get_columns(mover.dest.query, mover.table)
    plan = mover.build_plan(mover.stage([ResultColumn(name=c.name, type=c.type) for c in columns]), "append")
    load_rows(mover, dest)
    mover.merge(plan)
    load_rows(mover, staged)
    plan = replace(plan, strategy=strategy, key=("a", "b"), null_keys=null_keys, can_truncate=can_truncate)
    counts = mover.merge(plan)
    rows = [tuple(row) for row in mover.dest.query("SELECT a, b, c FROM arrived").rows]
    wanted = [(None if a is None else str(a), b, c) for a, b, c in merge_model(strategy, dest, staged, null_keys)]
    assert sorted(rows, key=repr) == sorted(wanted, key=repr)
    changed = counts["inserted"] + counts.get("updated", 0)
    assert changed == len(staged)
    if strategy == "full":
        assert counts == {"before": len(dest), "deleted": len(dest), "inserted": len(staged)}


def test_null_and_repeated_keys_are_counted_with_an_example(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text)")
    load_rows(mover, [(1, "x"), (1, "x"), (2, "y"), (None, "z"), (3, None), (2, "y")])
    columns = DRIVER.get_columns(mover.dest.query, mover.table)
    staged = tuple(DRIVER.stage_column(ResultColumn(name=c.name, type=c.type), DRIVER, c) for c in columns)
    plan = mover.build_plan(staged, "incremental", ("a", "b"))
    assert mover.dest.query(DRIVER.build_null_key_sql(plan)).rows == (("2", "a = 3, b = NULL"),)
    assert mover.dest.query(DRIVER.build_repeated_key_sql(plan)).rows == (("2", "a = 1, b = x"),)


def test_a_converted_key_merges_by_its_value_in_the_dest(mover: Mover) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text)", "INSERT INTO arrived VALUES (1, 'old'), (2, 'old')")
    staged = mover.move("SELECT * FROM (VALUES (1::numeric, 'new'), (3, 'new')) AS v (a, b)")
    assert staged[0].lossy
    plan = mover.build_plan(staged, "upsert", ("a",))
    assert mover.merge(plan) == {"updated": 1, "inserted": 1}
    assert mover.merge(replace(plan, strategy="incremental")) == {"deleted": 2, "inserted": 2}
    rows = mover.dest.query("SELECT * FROM arrived ORDER BY a").rows
    assert rows == (("1", "new"), ("2", "old"), ("3", "new"))


def test_setup_is_asked_for_once_and_survives_two_at_once(session: PostgresSession, open_session: OpenSession) -> None:
    setup = DRIVER.find_setup_sql(session.query)
    assert len(setup) == 4
    others = [open_session() for _ in range(4)]
    threads = [threading.Thread(target=run, args=(other, *setup)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert DRIVER.find_setup_sql(session.query) == ()


def test_the_ledger_takes_a_run_once_and_knows_its_outcome(mover: Mover) -> None:
    session = mover.dest
    assert session.query(DRIVER.build_outcome_sql("k1")).rows == ()
    assert session.execute(DRIVER.build_ledger_sql(make_entry("k1")), (), False) == {"ledger": 1}
    assert session.execute(DRIVER.build_ledger_sql(make_entry("k1")), (), False) == {"ledger": 0}
    run(session, DRIVER.build_fence_sql(make_entry("k1")))
    assert session.query(DRIVER.build_outcome_sql("k1")).first_cell() == "merged"
    run(session, DRIVER.build_fence_sql(make_entry("k2")))
    assert session.query(DRIVER.build_outcome_sql("k2")).first_cell() == "fenced"
    assert session.execute(DRIVER.build_ledger_sql(make_entry("k2")), (), False) == {"ledger": 0}


def test_a_run_older_than_the_modules_newest_is_shut_out(mover: Mover) -> None:
    session = mover.dest
    assert session.execute(DRIVER.build_ledger_sql(make_entry("new", fence=5)), (), False) == {"ledger": 1}
    assert session.execute(DRIVER.build_ledger_sql(make_entry("old", fence=4)), (), False) == {"ledger": 0}
    other = replace(make_entry("other", fence=1), module="another")
    assert session.execute(DRIVER.build_ledger_sql(other), (), False) == {"ledger": 1}


@pytest.mark.parametrize("strategy", ["full", "incremental", "upsert"])
def test_two_merges_into_one_dest_without_a_unique_key_come_one_after_the_other(
    mover: Mover, open_session: OpenSession, strategy: Strategy
) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer, b text)")
    run(mover.dest, "CREATE VIEW w AS SELECT * FROM arrived", "CREATE VIEW shown AS SELECT a, b FROM w")
    plan = mover.build_plan(mover.move("SELECT 1 AS a, 'x' AS b"), strategy, () if strategy == "full" else ("a",))
    plan = replace(plan, can_truncate=False)
    view = replace(plan, dest=DRIVER.parse_table("shown"))
    one, other = ((*DRIVER.build_turn_sql(item), *DRIVER.build_merge_sql(item)) for item in (view, plan))
    first, second = open_session(), open_session()
    first.begin()
    for statement in one:
        first.link.run(statement.sql)
    thread = threading.Thread(target=second.execute, args=(other, (), False))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    first.commit()
    thread.join(PATIENCE_S)
    assert mover.dest.query("SELECT * FROM arrived").rows == (("1", "x"),)


def test_two_merges_take_turns_though_another_table_has_taken_the_dests_place(
    mover: Mover, open_session: OpenSession
) -> None:
    run(mover.dest, "CREATE TABLE arrived (a integer)")
    plan = mover.build_plan(mover.move("SELECT 1 AS a"), "full")
    first, second = open_session(), open_session()
    first.begin()
    for statement in DRIVER.build_turn_sql(plan):
        first.link.run(statement.sql)
    run(mover.dest, "DROP TABLE arrived; CREATE TABLE arrived (a integer)")
    thread = threading.Thread(target=second.execute, args=(DRIVER.build_turn_sql(plan), (), False))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    first.commit()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
def test_a_fence_waits_for_the_merge_it_shuts_out(mover: Mover, open_session: OpenSession, ending: str) -> None:
    merging, fencing = open_session(), open_session()
    merging.link.run("BEGIN")
    for statement in DRIVER.build_ledger_sql(make_entry("k")):
        merging.link.run(statement.sql)
    thread = threading.Thread(target=run, args=(fencing, DRIVER.build_fence_sql(make_entry("k"))))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    merging.link.run(ending)
    thread.join(10)
    outcome = mover.dest.query(DRIVER.build_outcome_sql("k")).first_cell()
    assert outcome == ("merged" if ending == "COMMIT" else "fenced")


def test_an_older_merge_waits_for_a_newer_one_and_is_then_shut_out(mover: Mover, open_session: OpenSession) -> None:
    newer, older, counts = open_session(), open_session(), {}
    newer.link.run("BEGIN")
    for statement in DRIVER.build_ledger_sql(make_entry("new", fence=2)):
        newer.link.run(statement.sql)
    entry = make_entry("old", fence=1)
    thread = threading.Thread(target=lambda: counts.update(older.execute(DRIVER.build_ledger_sql(entry), (), False)))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    newer.link.run("COMMIT")
    thread.join(10)
    assert counts == {"ledger": 0}


def test_ending_sessions_takes_those_of_the_name_and_no_other(
    session: PostgresSession, open_session: OpenSession
) -> None:
    doomed, spared = open_session(application_name="pipekit:7@a"), open_session(application_name="pipekit:77@a")
    sql = DRIVER.build_end_sessions_sql("pipekit:7@a")
    assert session.query(sql).first_cell() == "1"
    deadline = time.monotonic() + PATIENCE_S
    while session.query(sql).first_cell() != "0" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert session.query(sql).first_cell() == "0"
    assert spared.query("SELECT 1").first_cell() == "1"
    with pytest.raises(StatementFailed):
        doomed.query("SELECT 1")

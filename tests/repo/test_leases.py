# The life of a lease: claimed, renewed, lost, taken over, finished; by one process, and by two at once.
"""Real files, real processes."""

import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.errors import Conflict, ModuleBusy, NotFound
from pipekit.models import Connection, Module, Run
from tests.patience import PATIENCE_S

FORK = multiprocessing.get_context("fork")
ROUNDS = 40


def claim(db: repo.State, module_id: int, owner: str = "me", lease_s: float = 20) -> Run:
    return repo.claim_module(
        db, module_id, owner=owner, lease_s=lease_s, triggered_by="cli", dry_run=False, staging_table="s.orders"
    )


@pytest.fixture
def run(db: repo.State, orders: Module) -> Run:
    return claim(db, orders.id)


@pytest.fixture
def adhoc(db: repo.State, dw: Connection) -> Run:
    return repo.start_adhoc_run(
        db, name="copy of t", dest_id=dw.id, dest_table="t", owner="me", triggered_by="cli", dry_run=True
    )


@pytest.fixture
def other(path: Path, db: repo.State) -> Iterator[repo.State]:
    state = repo.open_state(path)
    yield state
    state.close()


def test_a_claim_takes_the_module_and_starts_a_run(db: repo.State, orders: Module, run: Run) -> None:
    module = repo.get_module(db, orders.id)
    assert (module.running, module.lease_owner, module.fence) == (True, "me", run.fence)
    assert (run.status, run.owner, run.module, run.module_id) == ("running", "me", "orders", orders.id)
    assert (run.dest_id, run.dest_table, run.staging_table) == (orders.dest_id, "orders", "s.orders")
    assert run.lease_expires_at == module.lease_expires_at
    assert run.started_at is not None
    assert run.lease_expires_at is not None
    assert run.lease_expires_at > run.started_at
    assert len(run.run_key) == 32
    assert run.finished_at is None


def test_a_second_claim_is_refused_and_says_which_run_holds_the_module_since_when(
    other: repo.State, orders: Module, run: Run
) -> None:
    with pytest.raises(ModuleBusy) as caught:
        claim(other, orders.id, "you")
    assert f"run {run.id}, since {run.started_at}" in caught.value.message
    assert caught.value.exit_code == 3
    assert [r.id for r in repo.list_runs(other)] == [run.id]


def test_a_missing_module_is_not_claimed(db: repo.State) -> None:
    with pytest.raises(NotFound):
        claim(db, 99)


def test_a_lease_that_ran_out_is_still_not_free_for_a_claim(db: repo.State, orders: Module) -> None:
    claim(db, orders.id, lease_s=-5)
    with pytest.raises(ModuleBusy):
        claim(db, orders.id, "you")


def test_renewing_extends_the_lease_of_module_and_run(db: repo.State, orders: Module, run: Run) -> None:
    assert repo.renew_lease(db, run.id, "me", 60) == "held"
    module, renewed = repo.get_module(db, orders.id), repo.get_run(db, run.id)
    assert module.lease_expires_at == renewed.lease_expires_at
    assert renewed.lease_expires_at is not None
    assert run.lease_expires_at is not None
    assert renewed.lease_expires_at > run.lease_expires_at


def test_somebody_else_cannot_renew(db: repo.State, run: Run) -> None:
    assert repo.renew_lease(db, run.id, "you", 60) == "lost"
    assert repo.get_run(db, run.id) == run


def test_a_request_to_cancel_is_told_at_the_next_renewal(db: repo.State, other: repo.State, run: Run) -> None:
    assert repo.request_cancel(other, run.id) is True
    assert repo.request_cancel(other, run.id) is True
    assert repo.renew_lease(db, run.id, "me", 60) == "cancel"
    assert repo.get_run(db, run.id).cancel_requested is True


def test_a_run_that_has_ended_is_not_cancelled_or_renewed(db: repo.State, run: Run) -> None:
    repo.finish_run(db, run.id, owner="me", status="success")
    assert repo.request_cancel(db, run.id) is False
    assert repo.renew_lease(db, run.id, "me", 60) == "lost"
    assert repo.get_run(db, run.id).cancel_requested is False
    with pytest.raises(NotFound):
        repo.request_cancel(db, 99)


def test_finishing_writes_the_outcome_and_frees_the_module(db: repo.State, orders: Module, run: Run) -> None:
    assert repo.finish_run(db, run.id, owner="me", status="error", error_stage="merge", error="no", merge_state="none")
    ended, module = repo.get_run(db, run.id), repo.get_module(db, orders.id)
    assert (ended.status, ended.error_stage, ended.error, ended.owner) == ("error", "merge", "no", "me")
    assert ended.finished_at is not None
    assert (module.running, module.lease_owner, module.lease_expires_at) == (False, None, None)
    assert claim(db, orders.id, "you").fence > module.fence


def test_a_run_is_finished_once(db: repo.State, orders: Module, run: Run) -> None:
    assert repo.finish_run(db, run.id, owner="me", status="success") is True
    second = claim(db, orders.id)
    assert repo.finish_run(db, run.id, owner="me", status="error", error="late") is False
    assert repo.get_run(db, run.id).status == "success"
    assert repo.get_module(db, orders.id).running is True
    assert repo.get_run(db, second.id).status == "running"


def test_the_fence_follows_the_clock_so_that_an_older_backup_does_not_fall_behind(
    db: repo.State, orders: Module
) -> None:
    before = round(time.time() * 1000)
    assert claim(db, orders.id).fence >= before


def test_a_dead_owners_run_is_taken_over_with_its_lease_and_the_fence_rises(
    db: repo.State, other: repo.State, orders: Module, run: Run
) -> None:
    assert repo.take_over_run(other, run.id, owner="medic", dead_owner="me", lease_s=20) is True
    module = repo.get_module(db, orders.id)
    assert (module.lease_owner, module.fence, module.running) == ("medic", run.fence + 1, True)
    taken = repo.get_run(db, run.id)
    assert (taken.owner, taken.fence, taken.run_key) == ("medic", run.fence, run.run_key)
    assert repo.renew_lease(db, run.id, "me", 20) == "lost"
    assert repo.update_run(db, run.id, if_owner="me", rows_read=1) is False
    assert repo.finish_run(db, run.id, owner="me", status="success") is False
    assert repo.renew_lease(other, run.id, "medic", 20) == "held"
    assert repo.finish_run(other, run.id, owner="medic", status="error", error="its owner died") is True
    assert repo.get_module(db, orders.id).running is False


def test_a_take_over_names_the_owner_it_takes_from(db: repo.State, run: Run) -> None:
    assert repo.take_over_run(db, run.id, owner="a", dead_owner="somebody", lease_s=20) is False
    assert repo.take_over_run(db, run.id, owner="a", dead_owner="me", lease_s=20) is True
    assert repo.take_over_run(db, run.id, owner="b", dead_owner="me", lease_s=20) is False
    repo.finish_run(db, run.id, owner="a", status="error")
    assert repo.take_over_run(db, run.id, owner="b", dead_owner="a", lease_s=20) is False


def test_runs_whose_lease_ran_out_are_listed(db: repo.State, orders: Module, adhoc: Run) -> None:
    dead = claim(db, orders.id, lease_s=-1)
    assert [run.id for run in repo.list_live_runs(db)] == [adhoc.id, dead.id]
    assert [run.id for run in repo.list_expired_runs(db)] == [dead.id]
    repo.renew_lease(db, dead.id, "me", 20)
    assert repo.list_expired_runs(db) == []


def test_a_run_without_a_module_has_a_lease_too(db: repo.State, adhoc: Run) -> None:
    assert (adhoc.module_id, adhoc.module, adhoc.dry_run, adhoc.fence) == (None, "copy of t", True, 0)
    assert repo.renew_lease(db, adhoc.id, "me", 60) == "held"
    assert repo.renew_lease(db, adhoc.id, "you", 60) == "lost"
    assert repo.take_over_run(db, adhoc.id, owner="you", dead_owner="me", lease_s=20) is True
    assert repo.finish_run(db, adhoc.id, owner="you", status="dry_run") is True
    with pytest.raises(NotFound):
        repo.start_adhoc_run(db, name="x", dest_id=99, dest_table="t", owner="me", triggered_by="cli", dry_run=False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE module SET running = 1",
        "UPDATE module SET lease_owner = 'ghost'",
        "UPDATE module SET lease_expires_at = '2030-01-01'",
    ],
)
def test_the_database_refuses_a_lock_without_an_owner(db: repo.State, orders: Module, statement: str) -> None:
    with pytest.raises(Conflict):
        db.execute(statement)


def test_the_database_refuses_a_running_run_without_an_owner(db: repo.State, run: Run) -> None:
    for column in ("owner", "lease_expires_at"):
        with pytest.raises(Conflict):
            db.execute(f"UPDATE run_log SET {column} = NULL")


@pytest.mark.parametrize(
    "change",
    [
        "status = 'error', error = 'edited'",
        "status = 'running', finished_at = NULL, lease_expires_at = 'x'",
        "rows_read = 7",
        "stderr = 'edited'",
        "module_id = NULL, rows_read = 7",
        "merge_state = 'none'",
        "cancel_requested = 1",
    ],
)
def test_the_database_refuses_to_edit_a_run_that_has_ended(db: repo.State, run: Run, change: str) -> None:
    repo.finish_run(db, run.id, owner="me", status="success", merge_state="merged")
    with pytest.raises(Conflict, match="not edited"):
        db.execute(f"UPDATE run_log SET {change}")
    assert repo.get_run(db, run.id).rows_read is None


# -- two processes -----------------------------------------------------------------------------------------------------


def compete(path: Path, module_id: int, owner: str, barrier: Any, outcomes: Any) -> None:
    db = repo.open_state(path)
    wins: list[tuple[int, int]] = []
    for number in range(ROUNDS):
        barrier.wait(PATIENCE_S)
        try:
            run = claim(db, module_id, owner)
        except ModuleBusy:
            run = None
        barrier.wait(PATIENCE_S)
        if run:
            wins.append((number, run.fence))
            assert repo.finish_run(db, run.id, owner=owner, status="success")
    outcomes.put(wins)
    db.close()


def test_of_processes_that_claim_a_module_at_once_exactly_one_wins_each_time(path: Path) -> None:
    db = repo.open_state(path, create=True)
    here = repo.create_connection(db, name="here", driver="sqlite", jdbc_url="jdbc:sqlite:x.db")
    module = repo.create_module(
        db, name="m", source_id=here.id, dest_id=here.id, source_query="select 1", dest_table="t"
    )
    db.close()
    barrier, outcomes = FORK.Barrier(2), FORK.Queue()
    workers = [
        FORK.Process(target=compete, args=(path, module.id, owner, barrier, outcomes)) for owner in ("one", "two")
    ]
    for worker in workers:
        worker.start()
    wins = sorted(win for _ in workers for win in outcomes.get(timeout=PATIENCE_S))
    for worker in workers:
        worker.join()
    # One winner a round, and its fence is higher than the last winner's.
    assert [number for number, _ in wins] == list(range(ROUNDS))
    fences = [fence for _, fence in wins]
    assert fences == sorted(set(fences))
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT count(*) FROM run_log WHERE status = 'success'").fetchone() == (ROUNDS,)
    raw.close()

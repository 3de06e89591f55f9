# Group runs: made whole, cancelled whole, and ended in the transaction that ends their last run.
"""Real files, no runner."""

import threading
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.errors import GroupBusy, Invalid, NotFound
from pipekit.models import GroupRun, Module, Run


@pytest.fixture
def modules(db: repo.State, orders: Module) -> list[Module]:
    ends = {"source_id": orders.source_id, "dest_id": orders.dest_id, "source_query": "select 1"}
    return [orders, *(repo.create_module(db, name=name, dest_table=name, **ends) for name in ("lines", "parts"))]  # type: ignore[arg-type]


@pytest.fixture
def group_id(db: repo.State, modules: list[Module]) -> int:
    group = repo.create_group(db, name="nightly")
    for module in modules:
        repo.create_member(db, group_id=group.id, module_id=module.id)
    return group.id


def start(db: repo.State, group_id: int, **options: object) -> GroupRun:
    return repo.create_group_run(db, group_id, **{"triggered_by": "manual", **options})  # type: ignore[arg-type]


def runs_of(db: repo.State, group_run: GroupRun) -> list[Run]:
    return repo.list_group_members(db, group_run.id)


def work_off(db: repo.State, *statuses: str) -> None:
    for status in statuses:
        run = repo.claim_next_run(db, owner="me", lease_s=20, max_runs=9)
        assert run is not None
        assert repo.finish_run(db, run.id, owner="me", status=status)  # type: ignore[arg-type]


def status_of(db: repo.State, group_run: GroupRun) -> str:
    return repo.get_group_run(db, group_run.id).status


def test_a_group_run_has_a_queued_run_for_each_member_in_order(db: repo.State, group_id: int) -> None:
    group_run = start(db, group_id, triggered_by="schedule:7", dry_run=True)
    assert (group_run.status, group_run.group_name, group_run.finished_at) == ("running", "nightly", None)
    assert group_run.started_at is not None
    runs = runs_of(db, group_run)
    assert [(run.module, run.run_order) for run in runs] == [("orders", 1), ("lines", 2), ("parts", 3)]
    assert {(run.status, run.triggered_by, run.dry_run, run.owner) for run in runs} == {
        ("queued", "schedule:7", True, None)
    }


def test_a_shells_group_run_is_owned_by_it(db: repo.State, group_id: int) -> None:
    group_run = start(db, group_id, owner="shell", lease_s=20)
    assert {run.owner for run in runs_of(db, group_run)} == {"shell"}
    assert all(run.lease_expires_at for run in runs_of(db, group_run))
    assert repo.claim_next_run(db, owner="server", lease_s=20, max_runs=9) is None
    run = repo.claim_next_run(db, owner="one of mine", lease_s=20, max_runs=9, asked_by="shell")
    assert run is not None
    assert (run.module, run.owner) == ("orders", "one of mine")
    assert repo.renew_places(db, "shell", 20) == 2


def test_disabled_members_are_skipped(db: repo.State, modules: list[Module], group_id: int) -> None:
    repo.update_module(db, modules[1].id, enabled=False)
    assert [run.module for run in runs_of(db, start(db, group_id))] == ["orders", "parts"]


def test_a_group_without_enabled_members_succeeds_at_once(db: repo.State) -> None:
    group_run = start(db, repo.create_group(db, name="empty").id, dry_run=True)
    assert (group_run.status, group_run.finished_at is not None) == ("success", True)


def test_a_group_runs_once_at_a_time(db: repo.State, group_id: int) -> None:
    group_run = start(db, group_id)
    assert repo.find_live_group_run(db, group_id) == group_run
    with pytest.raises(GroupBusy, match=f"group run {group_run.id}, since") as caught:
        start(db, group_id)
    assert caught.value.exit_code == 3
    assert len(repo.list_runs(db)) == 3
    work_off(db, "success", "success", "success")
    assert repo.find_live_group_run(db, group_id) is None
    assert start(db, group_id).id > group_run.id
    with pytest.raises(NotFound):
        start(db, 99)


def test_a_group_run_belongs_to_the_callers_transaction(db: repo.State, group_id: int) -> None:
    def fail() -> None:
        with repo.transaction(db):
            start(db, group_id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (repo.list_group_runs(db), repo.list_runs(db)) == ([], [])


@pytest.mark.parametrize(
    ("ended", "folded"),
    [
        (("success", "success", "success"), "success"),
        (("dry_run", "dry_run", "dry_run"), "dry_run"),
        (("dry_run", "success", "dry_run"), "success"),
        (("error", "success", "success"), "error"),
        (("success", "cancelled", "success"), "error"),
    ],
)
def test_the_last_run_ends_the_group_run(db: repo.State, group_id: int, ended: tuple[str, ...], folded: str) -> None:
    group_run = start(db, group_id)
    work_off(db, *ended[:2])
    assert status_of(db, group_run) == "running"
    work_off(db, ended[2])
    final = repo.get_group_run(db, group_run.id)
    assert (final.status, final.finished_at) == (folded, runs_of(db, group_run)[2].finished_at)


def test_a_run_that_ends_while_it_waits_may_end_the_group_run_too(
    db: repo.State, modules: list[Module], group_id: int
) -> None:
    group_run = start(db, group_id)
    work_off(db, "success", "success")
    repo.delete_module(db, modules[2].id)
    repo.close_orphans(db)
    assert status_of(db, group_run) == "error"


def test_an_orphaned_group_run_is_closed_whole(db: repo.State, group_id: int) -> None:
    group_run = start(db, group_id, owner="shell", lease_s=-1)
    assert repo.claim_next_run(db, owner="server", lease_s=20, max_runs=9) is None
    assert status_of(db, group_run) == "error"
    assert {run.status for run in runs_of(db, group_run)} == {"error"}


def test_cancelling_asks_what_runs_and_ends_what_waits(db: repo.State, group_id: int) -> None:
    group_run = start(db, group_id)
    run = repo.claim_next_run(db, owner="me", lease_s=20, max_runs=9)
    assert run is not None
    assert repo.cancel_group_run(db, group_run.id) is True
    assert [(r.status, r.cancel_requested) for r in runs_of(db, group_run)] == [
        ("running", True),
        ("cancelled", False),
        ("cancelled", False),
    ]
    assert repo.get_group_run(db, group_run.id).cancel_requested is True
    assert repo.renew_lease(db, run.id, "me", 20) == "cancel"
    repo.finish_run(db, run.id, owner="me", status="cancelled")
    assert status_of(db, group_run) == "cancelled"
    assert repo.cancel_group_run(db, group_run.id) is False
    with pytest.raises(NotFound):
        repo.cancel_group_run(db, 99)


def test_cancelling_what_has_not_begun_ends_it_at_once(db: repo.State, group_id: int) -> None:
    group_run = start(db, group_id)
    assert repo.cancel_group_run(db, group_run.id) is True
    assert status_of(db, group_run) == "cancelled"
    assert repo.find_live_group_run(db, group_id) is None


def test_a_group_that_is_deleted_while_it_runs_lets_its_runs_end(db: repo.State, group_id: int) -> None:
    group_run = start(db, group_id)
    repo.delete_group(db, group_id)
    work_off(db, "success", "success", "success")
    final = repo.get_group_run(db, group_run.id)
    assert (final.status, final.group_id, final.group_name) == ("success", None, "nightly")


def test_a_group_run_that_was_left_behind_is_folded(db: repo.State, group_id: int) -> None:
    group_run, live = start(db, group_id), start(db, repo.create_group(db, name="other").id)
    assert repo.fold_ended_group_runs(db) == 0
    work_off(db, "success", "success", "success")
    db.execute("UPDATE group_run SET status = 'running', finished_at = NULL")
    assert repo.fold_ended_group_runs(db) == 2
    assert [status_of(db, item) for item in (group_run, live)] == ["success", "success"]


def test_group_runs_are_listed_newest_first_by_group_and_status(db: repo.State, group_id: int) -> None:
    empty = repo.create_group(db, name="empty").id
    made = [start(db, empty), start(db, group_id), start(db, empty)]
    assert [item.id for item in repo.list_group_runs(db)] == [item.id for item in reversed(made)]
    assert [item.id for item in repo.list_group_runs(db, group_id=empty)] == [made[2].id, made[0].id]
    assert [item.id for item in repo.list_group_runs(db, status="running")] == [made[1].id]
    assert [item.id for item in repo.list_group_runs(db, limit=1, before_id=made[2].id)] == [made[1].id]
    with pytest.raises(Invalid):
        repo.list_group_runs(db, limit=0)


def test_of_many_that_start_a_group_at_once_one_does(db: repo.State, path: Path, group_id: int) -> None:
    outcomes: list[str] = []

    def try_it() -> None:
        mine = repo.open_state(path)
        try:
            start(mine, group_id)
            outcomes.append("started")
        except GroupBusy:
            outcomes.append("busy")
        finally:
            mine.close()

    threads = [threading.Thread(target=try_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["busy"] * 5 + ["started"]
    assert len(repo.list_runs(db)) == 3


def test_limits_below_one_are_refused(db: repo.State, group_id: int, orders: Module) -> None:
    with pytest.raises(Invalid) as group_error:
        repo.update_group(db, group_id, parallel=0)
    with pytest.raises(Invalid) as connection_error:
        repo.update_connection(db, orders.dest_id, max_runs=0)
    assert (group_error.value.field, connection_error.value.field) == ("parallel", "max_runs")
    assert repo.update_connection(db, orders.dest_id, max_runs=None).max_runs is None

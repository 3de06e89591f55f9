# Groups run from a shell: order, side by side, past failures, cancelled, killed. Real runs between SQLite files.
"""`run_group` in this process, and `pipekit run-group` as a command that can be killed."""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.engine import RunOptions, cancel_group_run, cancel_run, recover_runs, run_group, run_module
from pipekit.engine.events import Event, RunFinished, RunStarted, Waiting
from pipekit.engine.recovering.owner import new_owner
from pipekit.errors import Conflict, GroupBusy, ModuleBusy
from pipekit.models import Group, Guards, Module
from tests.patience import PATIENCE_S
from tests.project import Project

SLOW = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000000) select i from n"
BRIEF = SLOW.replace("2000000000", "1500000").replace("select i from n", "select max(i) as i from n")


class Shop:
    """A project with one source file and modules that copy one row each."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(folder)
        with closing(sqlite3.connect(folder / "shop.db")) as shop, closing(sqlite3.connect(folder / "dw.db")) as dw:
            shop.execute("create table t (i integer)")
            shop.execute("insert into t values (1)")
            dw.execute("create table t (i integer)")
            shop.commit()
            dw.commit()
        self.shop = self.project.add_connection("shop", "jdbc:sqlite:shop.db")
        self.dw = self.project.add_connection("dw", "jdbc:sqlite:dw.db")

    def module(self, name: str, query: str = "select i from t") -> Module:
        options = {"source": self.shop, "dest": self.dw, "create_table": True, "retries": 0}
        return self.project.add_module(name, query=query, table=name, **options)  # type: ignore[arg-type]

    def group(self, *members: tuple[Module, int], **options: int) -> Group:
        group = repo.create_group(self.project.db, name="nightly", **options)
        for module, place in members:
            repo.create_member(self.project.db, group_id=group.id, module_id=module.id, run_order=place)
        return group

    def run(self, group: Group, listener: Callable[[Event], None] | None = None, *, dry_run: bool = False) -> str:
        """The status of the group run and of its runs, `error: success, error`."""
        project = self.project
        ended = run_group(project.installation, group, dry_run=dry_run, listener=listener)
        return self.describe(ended.id)

    def describe(self, group_run_id: int) -> str:
        runs = repo.list_group_members(self.project.db, group_run_id)
        told = ", ".join(run.status for run in runs)
        return f"{repo.get_group_run(self.project.db, group_run_id).status}: {told}"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.project.close()


def wait_until(happens: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_members_run_in_their_order_past_a_failing_one(shop: Shop) -> None:
    group = shop.group(
        (shop.module("last"), 3), (shop.module("broken", "select 1 from nowhere"), 1), (shop.module("b"), 2)
    )
    events: list[Event] = []
    assert shop.run(group, events.append) == "error: error, success, success"
    started = [event.run.module for event in events if isinstance(event, RunStarted)]
    finished = [event.run.module for event in events if isinstance(event, RunFinished)]
    assert started == finished == ["broken", "b", "last"]
    runs = repo.list_runs(shop.project.db)
    assert {run.triggered_by for run in runs} == {"manual"}
    assert len({run.owner for run in runs}) == 3


def test_a_dry_run_of_a_group_moves_nothing(shop: Shop) -> None:
    group = shop.group((shop.module("a"), 1), (shop.module("b"), 2))
    assert shop.run(group, dry_run=True) == "dry_run: dry_run, dry_run"


def test_a_member_that_verifies_compares_and_a_difference_fails_the_group(shop: Shop, tmp_path: Path) -> None:
    module = shop.module("a")
    repo.update_module(shop.project.db, module.id, guards=Guards(dest_truth=False))
    group = shop.group((module, 1))
    repo.create_member(shop.project.db, group_id=group.id, module_id=module.id, run_order=2, verify=True)
    assert shop.run(group) == "success: success, success"
    with closing(sqlite3.connect(tmp_path / "dw.db")) as dw:
        dw.execute("create trigger more after insert on a when new.i = 1 begin insert into a values (2); end")
        dw.commit()
    assert shop.run(group) == "error: success, error"
    loaded, verified = repo.list_group_members(shop.project.db, repo.list_group_runs(shop.project.db)[0].id)
    assert (loaded.rows_inserted, loaded.asked_verify) == (1, None)
    assert (verified.merge_state, verified.error_stage) == ("none", "check")
    assert verified.verify is not None
    assert (verified.verify["extra"], verified.verify["missing"]) == (1, 0)
    assert shop.run(group, dry_run=True) == "dry_run: dry_run"


def test_members_of_one_place_run_side_by_side_as_far_as_the_group_allows(shop: Shop) -> None:
    modules = [shop.module(name, BRIEF) for name in ("a", "b", "c")]
    group = shop.group(*((module, 1) for module in modules), parallel=2)
    at_once = [0]
    most = [0]

    def count(event: Event) -> None:
        at_once[0] += isinstance(event, RunStarted) - isinstance(event, RunFinished)
        most[0] = max(most[0], at_once[0])

    assert shop.run(group, count) == "success: success, success, success"
    assert most[0] == 2


def test_a_group_waits_for_a_slot_and_says_so(shop: Shop) -> None:
    group = shop.group((shop.module("a"), 1))
    db = shop.project.db
    owner = new_owner()
    blocking = [
        repo.start_adhoc_run(
            db, name="copy", dest_id=shop.dw.id, dest_table="t", owner=owner, triggered_by="cli", dry_run=True
        )
        for _ in range(shop.project.config.max_runs)
    ]
    told: list[Waiting] = []

    def let_go(event: Event) -> None:
        if isinstance(event, Waiting):
            told.append(event)
            repo.finish_run(db, blocking[0].id, owner=owner, status="dry_run")

    assert shop.run(group, let_go) == "success: success"
    assert len(told) == 1


def test_a_run_waits_for_a_slot_says_so_once_and_reads_its_module_when_it_starts(shop: Shop) -> None:
    module = shop.module("a", "select 1 from nowhere")
    project = shop.project
    owner = new_owner()
    config = replace(project.config, max_runs=1)
    blocking = repo.start_adhoc_run(
        project.db, name="c", dest_id=shop.dw.id, dest_table="t", owner=owner, triggered_by="cli", dry_run=True
    )
    told: list[Waiting] = []

    def let_go(event: Event) -> None:
        if isinstance(event, Waiting):
            told.append(event)
            repo.update_module(project.db, module.id, source_query="select i from t")
            threading.Timer(1.0, free).start()

    def free() -> None:
        with closing(repo.open_state(project.config.state_path)) as db:
            repo.finish_run(db, blocking.id, owner=owner, status="dry_run")

    run = run_module(replace(project.installation, config=config), module, RunOptions(), let_go)
    assert (run.status, run.error, len(told)) == ("success", None, 1)


def test_a_waiting_run_clears_away_what_dead_processes_hold(shop: Shop) -> None:
    project = shop.project
    dead = ":".join([*new_owner().split(":")[:2], "999999", "1", "gone"])
    repo.start_adhoc_run(
        project.db,
        name="c",
        dest_id=shop.dw.id,
        dest_table="t",
        owner=dead,
        triggered_by="cli",
        dry_run=True,
        lease_s=10 * PATIENCE_S,
    )
    config = replace(project.config, max_runs=1)
    run = run_module(replace(project.installation, config=config), shop.module("a"))
    assert run.status == "success"


def test_a_waiting_run_that_is_cancelled_ends_without_starting(shop: Shop) -> None:
    project = shop.project
    owner = new_owner()
    repo.start_adhoc_run(
        project.db, name="c", dest_id=shop.dw.id, dest_table="t", owner=owner, triggered_by="cli", dry_run=True
    )

    def cancel(event: Event) -> None:
        assert isinstance(event, Waiting)
        with closing(repo.open_state(project.config.state_path)) as db:
            assert cancel_run(db, event.run_id)

    one_slot = replace(project.installation, config=replace(project.config, max_runs=1))
    run = run_module(one_slot, shop.module("a"), None, cancel)
    assert (run.status, run.started_at) == ("cancelled", None)


def test_a_paused_group_and_a_busy_one_are_refused(shop: Shop) -> None:
    module = shop.module("a")
    group = shop.group((module, 1))
    with pytest.raises(Conflict, match="paused"):
        shop.run(replace(group, paused=True))
    repo.create_group_run(shop.project.db, group.id, triggered_by="manual")
    with pytest.raises(GroupBusy):
        shop.run(group)
    with pytest.raises(ModuleBusy, match="waiting to run already"):
        shop.project.run(module)


def test_a_group_run_is_cancelled_from_another_process(shop: Shop) -> None:
    group = shop.group((shop.module("slow", SLOW), 1), (shop.module("b"), 2))
    db_path = shop.project.config.state_path

    def cancel(event: Event) -> None:
        if isinstance(event, RunStarted):
            with closing(repo.open_state(db_path)) as db:
                assert cancel_group_run(db, event.run.group_run_id or 0)

    assert shop.run(group, cancel) == "cancelled: cancelled, cancelled"


def test_a_listener_that_fails_does_not_stop_a_run(shop: Shop) -> None:
    def fail(event: Event) -> None:
        raise LookupError(type(event).__name__)

    run = shop.project.run(shop.module("a"), fail)
    assert run.status == "success"
    assert "note: this run is shown no more, LookupError: LogLine" in shop.project.read_log(run.id)


def test_a_listener_that_fails_does_not_stop_the_group(shop: Shop) -> None:
    group = shop.group((shop.module("a"), 1), (shop.module("b"), 2))

    def fail(event: Event) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        shop.run(group, fail)
    assert shop.describe(1) == "success: success, success"


@pytest.mark.parametrize("word", ["INT", "TERM", "HUP"])
def test_an_interrupt_cancels_the_group_and_skips_the_rest(shop: Shop, tmp_path: Path, word: str) -> None:
    shop.group((shop.module("slow", SLOW), 1), (shop.module("b"), 2))
    log = tmp_path / "log"
    program = shop.project.start_cli("run-group", "nightly", log_path=log)
    wait_until(lambda: repo.list_runs(shop.project.db, status="running"))
    os.kill(program.pid, getattr(signal, f"SIG{word}"))
    wait_until(lambda: program.poll() is not None)
    assert program.poll() == 1
    assert shop.describe(1) == "cancelled: cancelled, cancelled"
    assert "Traceback" not in log.read_text()
    assert "0 of 2 done" in log.read_text()


def test_an_interrupt_while_the_last_member_runs_cancels_it(shop: Shop, tmp_path: Path) -> None:
    shop.group((shop.module("slow", SLOW), 1))
    log = tmp_path / "log"
    program = shop.project.start_cli("run-group", "nightly", log_path=log)
    wait_until(lambda: [r for r in repo.list_runs(shop.project.db, status="running") if r.resolved_sql])
    os.kill(program.pid, signal.SIGINT)
    wait_until(lambda: program.poll() is not None)
    assert shop.describe(1) == "cancelled: cancelled"
    assert repo.get_module_by_name(shop.project.db, "slow").running is False
    assert "Traceback" not in log.read_text()


def test_what_a_killed_shell_leaves_is_closed_and_its_group_run_ended(shop: Shop) -> None:
    shop.group((shop.module("slow", SLOW), 1), (shop.module("b"), 2))
    project = shop.project
    program = project.start_cli("run-group", "nightly")
    wait_until(lambda: [r for r in repo.list_runs(project.db, status="running") if r.resolved_sql])
    os.kill(program.pid, signal.SIGKILL)
    wait_until(lambda: program.poll() is not None)
    assert [run.status for run in repo.list_group_members(project.db, 1)] == ["running", "queued"]
    closed = recover_runs(project.installation)
    assert [run.module for run in closed] == ["slow"]
    assert shop.describe(1) == "error: error, error"
    assert repo.list_live_runs(project.db) == []


def test_a_group_can_be_run_at_once_after_its_shell_was_killed(shop: Shop) -> None:
    group = shop.group((shop.module("slow", SLOW), 1))
    program = shop.project.start_cli("run-group", "nightly")
    wait_until(lambda: repo.list_runs(shop.project.db, status="running"))
    os.kill(program.pid, signal.SIGKILL)
    wait_until(lambda: program.poll() is not None)
    repo.update_module(
        shop.project.db, repo.get_module_by_name(shop.project.db, "slow").id, source_query="select 1 as i"
    )
    assert shop.run(group) == "success: success"

# The server's dispatcher: starts what waits, in order, within the limits, and stops as it should. Real runs on SQLite.
"""`Dispatcher`."""

import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.config import Config
from pipekit.engine.runners import lend_runner
from pipekit.errors import PipekitError
from pipekit.models import Connection, Module, Run
from pipekit.runner.native import NativeRunner
from pipekit.secrets import Secrets
from pipekit.server.dispatcher import Dispatcher
from tests.patience import PATIENCE_S
from tests.project import Project

SLOW = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000000) select i from n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for name in ("shop.db", "dw.db"):
        with closing(sqlite3.connect(tmp_path / name)) as db:
            db.execute("create table t (i integer)")
            db.execute("insert into t values (1), (2), (3)")
            db.commit()
    made = Project(tmp_path)
    made.add_connection("shop", "jdbc:sqlite:shop.db")
    made.add_connection("dw", "jdbc:sqlite:dw.db")
    yield made
    made.close()


def connection(project: Project, name: str) -> Connection:
    return repo.get_connection_by_name(project.db, name)


def add(project: Project, name: str, query: str = "select i from t") -> Module:
    shop, dw = connection(project, "shop"), connection(project, "dw")
    return project.add_module(name, source=shop, query=query, dest=dw, table=name, create_table=True, retries=0)


def ask(project: Project, module: Module, *, dry_run: bool = False) -> Run:
    return repo.enqueue_run(project.db, module.id, triggered_by="api", dry_run=dry_run)


@contextmanager
def dispatching(
    project: Project, config: Config | None = None, factory: Callable[[], Secrets] | None = None
) -> Iterator[Dispatcher]:
    dispatcher = Dispatcher(config or project.config, factory or (lambda: Secrets(project.config.secrets_path, {})))
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop(20)
        assert dispatcher.running_count == 0


def wait_until(happens: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def all_ended(project: Project) -> bool:
    return repo.list_live_runs(project.db) == []


def most_at_once(runs: list[Run]) -> int:
    """How many of these runs went on at the same time, at most."""
    moments = [(run.started_at or "", 1) for run in runs] + [(run.finished_at or "", -1) for run in runs]
    going, most = 0, 0
    for _, step in sorted(moments):
        going += step
        most = max(most, going)
    return most


def test_fifty_runs_asked_for_at_once_all_end_within_four_slots_in_the_order_asked(project: Project) -> None:
    modules = [add(project, f"m{number}") for number in range(50)]
    errors: list[PipekitError] = []

    def ask_for(module: Module) -> None:
        try:
            with closing(repo.open_state(project.config.state_path)) as db:
                repo.enqueue_run(db, module.id, triggered_by="api")
        except PipekitError as error:
            errors.append(error)

    askers = [threading.Thread(target=ask_for, args=(module,)) for module in modules]
    with dispatching(project, replace(project.config, max_runs=4)):
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        wait_until(lambda: len(repo.list_runs(project.db, limit=100)) == 50 and all_ended(project))
    assert errors == []
    runs = repo.list_runs(project.db, limit=100)
    assert [(run.module, run.error) for run in runs if run.status != "success"] == []
    assert most_at_once(runs) <= 4
    started = sorted(runs, key=lambda run: (run.started_at or "", run.id))
    assert [run.id for run in started] == sorted(run.id for run in runs)
    assert len({run.owner for run in runs}) == 50


def test_a_connection_is_used_by_as_many_runs_as_it_allows(project: Project) -> None:
    repo.update_connection(project.db, connection(project, "shop").id, max_runs=2)
    for number in range(8):
        ask(project, add(project, f"m{number}"))
    with dispatching(project, replace(project.config, max_runs=4)):
        wait_until(lambda: all_ended(project))
    runs = repo.list_runs(project.db)
    assert {run.status for run in runs} == {"success"}
    assert most_at_once(runs) == 2


def test_a_run_is_done_as_it_was_asked_for(project: Project) -> None:
    ask(project, add(project, "a"), dry_run=True)
    module = add(project, "b", "select i from t where i > {since}")
    shop = connection(project, "shop")
    repo.create_watermark(project.db, module_id=module.id, name="since", connection_id=shop.id, resolver_sql="select 0")
    asked = repo.enqueue_run(project.db, module.id, triggered_by="api", overrides={"since": "2"})
    with dispatching(project):
        wait_until(lambda: all_ended(project))
    assert project.get_run(asked.id).rows_inserted == 1
    assert repo.list_runs(project.db, module="a")[0].status == "dry_run"


def test_a_run_asked_for_with_a_watermark_that_is_gone_is_an_error_that_says_so(project: Project) -> None:
    asked = repo.enqueue_run(project.db, add(project, "a").id, triggered_by="api", overrides={"since": "2"})
    with dispatching(project):
        wait_until(lambda: all_ended(project))
    run = project.get_run(asked.id)
    assert (run.status, run.error_stage) == ("error", "claim")
    assert "no watermark 'since'" in (run.error or "")


def test_a_group_run_is_worked_off_and_ends(project: Project) -> None:
    group = repo.create_group(project.db, name="g", parallel=2)
    for number, place in enumerate((1, 1, 2)):
        repo.create_member(project.db, group_id=group.id, module_id=add(project, f"m{number}").id, run_order=place)
    group_run = repo.create_group_run(project.db, group.id, triggered_by="schedule:1")
    with dispatching(project) as dispatcher:
        dispatcher.wake()
        wait_until(lambda: repo.get_group_run(project.db, group_run.id).finished_at)
    assert repo.get_group_run(project.db, group_run.id).status == "success"
    first, second, last = repo.list_group_members(project.db, group_run.id)
    assert (last.started_at or "") >= max(first.finished_at or "", second.finished_at or "")


def test_it_starts_at_once_what_was_asked_for_when_it_is_woken(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipekit.server.dispatcher.POLL_S", 10 * PATIENCE_S)
    with dispatching(project) as dispatcher:
        time.sleep(0.3)
        for name in ("a", "b", "c"):
            ask(project, add(project, name))
        dispatcher.wake()
        wait_until(lambda: all_ended(project))


def test_nothing_starts_while_it_is_paused(project: Project) -> None:
    repo.set_paused(project.db, True)
    ask(project, add(project, "a"))
    with dispatching(project) as dispatcher:
        dispatcher.wake()
        time.sleep(1.0)
        assert repo.list_runs(project.db)[0].status == "queued"
        repo.set_paused(project.db, False)
        wait_until(lambda: all_ended(project))


def test_a_mistake_in_a_worker_is_logged_and_ends_neither_the_loop_nor_the_other_runs(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pipekit.queue")
    left = [True]

    def make_secrets() -> Secrets:
        if left and left.pop():
            raise RuntimeError("out of order")
        return Secrets(project.config.secrets_path, {})

    first, second = ask(project, add(project, "a")), ask(project, add(project, "b"))
    with dispatching(project, replace(project.config, max_runs=1), make_secrets):
        wait_until(lambda: project.get_run(first.id).status == "error")
        wait_until(lambda: project.get_run(second.id).status == "success")
    assert "out of order" in (project.get_run(first.id).error or "")
    assert "out of order" in caplog.text


def test_it_waits_for_a_state_database_that_is_out_of_reach(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    path = project.config.state_path
    elsewhere = replace(project.config, state_path=path.with_name("link.db"))
    with dispatching(project, elsewhere):
        time.sleep(1.2)
        ask(project, add(project, "a"))
        elsewhere.state_path.symlink_to(path)
        wait_until(lambda: all_ended(project))
    assert [record.message for record in caplog.records if "queue" in record.message] == [
        f"the queue cannot be read: There is no state database at {elsewhere.state_path}."
    ]


def test_a_stop_waits_for_what_runs_and_leaves_what_waits_in_the_queue(project: Project) -> None:
    first, second = ask(project, add(project, "a")), ask(project, add(project, "b"))
    dispatcher = Dispatcher(replace(project.config, max_runs=1), lambda: project.secrets)
    dispatcher.start()
    wait_until(lambda: project.get_run(first.id).status == "running")
    dispatcher.stop(30)
    assert project.get_run(first.id).status == "success"
    assert project.get_run(second.id).status == "queued"
    with dispatching(project):
        wait_until(lambda: all_ended(project))
    assert project.get_run(second.id).status == "success"


def test_a_stop_cancels_what_does_not_end_in_time(project: Project) -> None:
    run = ask(project, add(project, "slow", SLOW))
    dispatcher = Dispatcher(project.config, lambda: project.secrets)
    dispatcher.start()
    wait_until(lambda: project.get_run(run.id).resolved_sql)
    dispatcher.stop(0.5)
    assert dispatcher.running_count == 0
    assert project.get_run(run.id).status == "cancelled"


# -- children that wait ------------------------------------------------------------------------------------------------


def list_children() -> set[int]:
    """The runner children of this process that live."""
    found = set()
    for path in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, path.read_text().split()):
            with suppress(OSError):
                if b"pipekit.runner.child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.add(pid)
    return found


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes in which runs were done, one after the other."""
    pids: list[int] = []

    def note(*told: Any, **options: Any) -> NativeRunner:
        runner = lend_runner(*told, **options)
        pids.append(runner.pid)
        return runner

    monkeypatch.setattr("pipekit.engine.running.entrance.lend_runner", note)
    return pids


def run_through(project: Project, dispatcher: Dispatcher, module: Module) -> Run:
    asked = ask(project, module)
    dispatcher.wake()
    wait_until(lambda: all_ended(project))
    return project.get_run(asked.id)


def test_runs_between_the_same_databases_share_a_child_until_a_secret_changes(
    project: Project, served: list[int]
) -> None:
    path = project.config.secrets_path
    path.touch(0o600)
    repo.update_connection(project.db, connection(project, "dw").id, password="$DW")
    modules = add(project, "a"), add(project, "b", "select 1 as i")
    before = list_children()
    with dispatching(project, factory=lambda: Secrets(path, {})) as dispatcher:
        for secret in ("one", "two"):
            path.write_text(f"DW={secret}\n")
            for module in (*modules, *modules):
                assert run_through(project, dispatcher, module).error is None
    assert len(set(served[:4])) == len(set(served[4:])) == 1
    assert served[0] != served[4]
    assert list_children() == before


def test_a_child_that_waits_may_die_or_be_stopped_with_its_run(project: Project, served: list[int]) -> None:
    module, slow = add(project, "a"), add(project, "slow", SLOW)
    with dispatching(project) as dispatcher:
        assert run_through(project, dispatcher, module).status == "success"
        for pid in list_children():
            os.kill(pid, signal.SIGKILL)
        assert run_through(project, dispatcher, module).status == "success"
        asked = ask(project, slow)
        dispatcher.wake()
        wait_until(lambda: project.get_run(asked.id).resolved_sql)
        repo.request_cancel(project.db, asked.id)
        wait_until(lambda: all_ended(project))
        assert project.get_run(asked.id).status == "cancelled"
        stopped = served[-1]
        assert run_through(project, dispatcher, module).status == "success"
    assert stopped == served[-2] != served[-1]
    assert stopped not in list_children()

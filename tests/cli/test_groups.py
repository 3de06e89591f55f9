# Groups from the shell: receipts, records, exit codes, pauses, waiting. What goes on runs as a process.
"""`pipekit run-group`, `group-runs`, `pause`, `resume`, and `runs cancel` of a run that waits."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.runner.process import Program
from tests.cli.conftest import Home
from tests.patience import PATIENCE_S

SLOW = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000000) select i from n"

Start = Callable[..., Program]


def wait_for(program: Program) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while (code := program.poll()) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert code is not None
    return int(code)


@pytest.fixture
def start(shop: Home) -> Iterator[Start]:
    """`shop.start`, and an end to whatever a failing test leaves behind."""
    started: list[Program] = []

    def start(*words: str, log_path: Path) -> Program:
        started.append(shop.start(*words, log_path=log_path))
        return started[-1]

    yield start
    for program in started:
        program.stop(5)


def hold_every_slot(shop: Home, start: Start) -> Program:
    """A run that goes on and on where one slot is all there is."""
    (shop.state / "config.yaml").write_text("max_runs: 1\n")
    shop.ok(
        "apply",
        "-",
        input_text=f'modules:\n  slow: {{source: shop, query: "{SLOW}", dest: dw, table: s, create_table: true}}\n',
    )
    program = start("run", "slow", log_path=shop.folder / "slow.log")
    deadline = time.monotonic() + PATIENCE_S
    while not shop.ok_json("runs", "list", "--status", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return program


def wait_for_text(path: Path, text: str) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.05)
    return path.read_text()


def test_a_group_prints_a_line_for_each_run_and_a_summary(shop: Home) -> None:
    finished = shop.run("run-group", "nightly")
    assert finished.code == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["orders", "all_orders", "nightly"]
    assert "success" in lines[0]
    assert lines[2].startswith("nightly  group run 1  success  2 of 2 done  ")
    assert "orders: stage" in finished.stderr
    assert shop.sql("dw.db", "select count(*) from all_orders") == [(1000,)]


def test_a_group_with_a_failing_member_runs_the_others_and_exits_1(shop: Home) -> None:
    shop.ok("apply", "-", input_text="groups:\n  mixed: {modules: [broken, orders]}\n")
    finished = shop.run("run-group", "mixed", "--quiet")
    assert finished.code == 1
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("broken  run 1  error")
    assert "nowhere" in lines[1]
    assert lines[2].startswith("mixed  group run 1  error  1 of 2 done")
    assert shop.run("run-group", "nightly", "--quiet").stdout == ""


def test_a_group_run_as_json_is_one_document(shop: Home) -> None:
    finished = shop.run("run-group", "nightly", "--dry-run", "--json")
    record = json.loads(finished.stdout)
    assert (finished.code, finished.stderr) == (0, "")
    assert (record["group_run_id"], record["group"], record["status"]) == (1, "nightly", "dry_run")
    assert [(run["module"], run["status"]) for run in record["runs"]] == [
        ("orders", "dry_run"),
        ("all_orders", "dry_run"),
    ]
    assert shop.run("run-group", "nowhere", "--json").code == 2


def test_group_runs_are_listed_shown_and_cancelled(shop: Home) -> None:
    shop.ok("run-group", "nightly")
    assert "nightly" in shop.ok("group-runs", "list", "--group", "nightly", "--status", "success")
    listed: list[dict[str, Any]] = shop.ok_json("group-runs", "list")
    assert [(item["group_run_id"], item["status"], item["triggered_by"]) for item in listed] == [
        (1, "success", "manual")
    ]
    assert "all_orders" in shop.ok("group-runs", "show", "1")
    assert len(shop.ok_json("group-runs", "show", "1")["runs"]) == 2
    ended = shop.run("group-runs", "cancel", "1")
    assert (ended.code, "has ended already" in ended.stderr) == (2, True)
    with closing(repo.open_state(shop.state / "pipekit.db")) as db:
        group = repo.get_group_by_name(db, "nightly")
        live = repo.create_group_run(db, group.id, triggered_by="manual")
    busy = shop.run("run-group", "nightly")
    assert (busy.code, f"group run {live.id}" in busy.stderr) == (3, True)
    shop.ok("group-runs", "cancel", str(live.id))
    assert shop.ok_json("group-runs", "show", str(live.id))["status"] == "cancelled"


def test_pausing_and_resuming(shop: Home) -> None:
    assert "nightly is paused" in shop.run("pause", "nightly").stderr
    refused = shop.run("run-group", "nightly")
    assert (refused.code, "pipekit resume nightly" in refused.stderr) == (2, True)
    assert "paused: true" in shop.ok("export", "-")
    shop.ok("resume", "nightly")
    shop.ok("pause")
    shop.ok("run-group", "nightly")  # a person's own run is not held back
    shop.ok("resume")
    assert shop.run("pause", "nowhere").code == 2


def test_a_run_waits_for_a_slot_says_so_once_and_starts(shop: Home, start: Start) -> None:
    holder = hold_every_slot(shop, start)
    log = shop.folder / "waits.log"
    waiter = start("run", "orders", log_path=log)
    wait_for_text(log, "orders: waiting for a slot ...\n")
    assert shop.ok_json("runs", "list", "--status", "queued")[0]["module"] == "orders"
    assert shop.run("run", "slow").code == 3
    assert shop.run("run", "orders").code == 3
    time.sleep(1)
    os.kill(holder.pid, signal.SIGINT)
    assert wait_for(holder) == 1
    assert wait_for(waiter) == 0
    assert log.read_text().count("waiting for a slot") == 1


def test_a_run_that_waits_is_cancelled_at_once_from_elsewhere_or_by_an_interrupt(shop: Home, start: Start) -> None:
    holder = hold_every_slot(shop, start)
    logs = [shop.folder / name for name in ("one.log", "two.log")]
    one = start("run", "orders", log_path=logs[0])
    wait_for_text(logs[0], "waiting for a slot ...")
    two = start("run-group", "nightly", log_path=logs[1])
    wait_for_text(logs[1], "waiting for a slot ...")
    queued = {
        run["module"]: run for run in shop.ok_json("runs", "list", "--status", "queued") if not run["group_run_id"]
    }
    assert "was cancelled" in shop.ok("runs", "cancel", str(queued["orders"]["run_id"]))
    assert wait_for(one) == 1
    assert "cancelled before it started" in logs[0].read_text()
    os.kill(two.pid, signal.SIGINT)
    assert wait_for(two) == 1
    assert "nightly  group run 1  cancelled  0 of 2 done" in logs[1].read_text()
    os.kill(holder.pid, signal.SIGKILL)
    wait_for(holder)
    shop.ok("run", "orders")  # clears away what the killed one held


def test_what_a_shell_switches_is_in_the_audit_trail(shop: Home) -> None:
    shop.ok("modules", "disable", "orders")
    shop.ok("pause", "nightly")
    shop.ok("pause")
    with closing(repo.open_state(shop.state / "pipekit.db")) as db:
        newest = repo.list_audit(db)[:3]
    assert [(entry.action, entry.kind, entry.name) for entry in newest[::-1]] == [
        ("change", "module", "orders"),
        ("pause", "group", "nightly"),
        ("pause", "program", "pipekit"),
    ]
    assert newest[2].detail == {"enabled": [True, False]}
    assert {entry.user.split(":")[0] for entry in newest} == {"shell"}

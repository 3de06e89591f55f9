# Runner children that wait: who gets which, what ends them, what stays of them. Real processes, no database.
"""`runner/spares.py`, and what `NativeRunner` does with a child that is lent."""

import os
import resource
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from pipekit.config import Config
from pipekit.engine.runners import lend_runner
from pipekit.errors import StatementFailed
from pipekit.runner import spares as spares_room
from pipekit.runner.native import NativeRunner, start_child
from pipekit.runner.process import Program
from pipekit.runner.spares import Spares
from pipekit.runner_contract import Endpoint
from tests.patience import PATIENCE_S

KINDS = ("sqlite",)


@pytest.fixture
def spares() -> Iterator[Spares]:
    with closing(Spares(2)) as made:
        yield made


@pytest.fixture
def endpoint(tmp_path: Path) -> Endpoint:
    sqlite3.connect(tmp_path / "a.db").close()
    return Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:a.db", password="one", base_dir=str(tmp_path))


def lend(spares: Spares, *seen: Endpoint) -> NativeRunner:
    config = Config(home=Path(), base_dir=Path(), state_path=Path(), secrets_path=Path())
    return lend_runner(config, spares, KINDS, frozenset(seen), silence_timeout_s=PATIENCE_S)


def serve(spares: Spares, *seen: Endpoint) -> int:
    """Does what a run does, and the process that did it."""
    with lend(spares, *seen) as runner:
        assert runner.query(seen[0], "SELECT 1").first_cell() == "1"
        return runner.pid


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def wait_for(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def list_waiting(spares: Spares) -> list[int]:
    return [spare.program.pid for spare in spares._waiting]


def test_a_child_that_waited_is_one_that_was_just_started(spares: Spares) -> None:
    def look(child: Program) -> tuple[list[str], str, bytes, bytes]:
        with NativeRunner(child=child) as runner:
            runner.ping()
            held = [os.readlink(path) for path in sorted(Path(f"/proc/{child.pid}/fd").iterdir())]
            kinds = [name.split(":")[0] for name in held]
            texts = [Path(f"/proc/{child.pid}/{name}").read_bytes() for name in ("environ", "cmdline")]
            return kinds, os.readlink(f"/proc/{child.pid}/cwd"), texts[0], texts[1]

    spares.prepare(KINDS)
    [waiting] = list_waiting(spares)
    taken = spares.take(KINDS)
    assert taken is not None
    assert taken.pid == waiting
    assert look(taken) == look(start_child(KINDS))


def test_a_run_takes_the_child_that_waits_and_leaves_another(spares: Spares, endpoint: Endpoint) -> None:
    spares.prepare(KINDS)
    [first] = list_waiting(spares)
    with lend(spares, endpoint) as runner:
        assert runner.pid == first
        assert [first] != list_waiting(spares) != []
    assert first in list_waiting(spares)
    with lend(spares, endpoint) as runner, lend(spares, endpoint) as beside:
        assert runner.pid == first != beside.pid


def test_who_has_been_told_a_secret_serves_the_same_databases_alone(spares: Spares, endpoint: Endpoint) -> None:
    used = serve(spares, endpoint)
    changes = {"password": "two"}, {"username": "x"}, {"read_only": True}, {"jdbc_url": "jdbc:sqlite:b.db"}
    for change in changes:
        other = replace(endpoint, **change)
        for seen in ((other,), (endpoint, other)):
            with lend(spares, *seen) as runner:
                assert runner.pid != used
    with closing(Spares(2)) as spares:
        assert serve(spares, endpoint) == serve(spares, endpoint)


@pytest.mark.parametrize("known", [True, False])
def test_a_child_whose_work_failed_serves_nobody_again(spares: Spares, endpoint: Endpoint, known: bool) -> None:
    seen = [endpoint] if known else []  # whose databases are not known may have been told anything
    with lend(spares, *seen) as runner:
        if known:
            with pytest.raises(StatementFailed):
                runner.query(endpoint, "SELECT * FROM nowhere")
        else:
            runner.query(endpoint, "SELECT 1")
    assert runner.pid not in list_waiting(spares)
    assert not is_alive(runner.pid)


@pytest.mark.parametrize("is_used", [True, False])
def test_a_child_that_died_while_it_waited_is_replaced_without_a_word(
    spares: Spares, endpoint: Endpoint, is_used: bool
) -> None:
    if is_used:
        serve(spares, endpoint)
    else:
        spares.prepare(KINDS)
    dead = list_waiting(spares)
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    assert serve(spares, endpoint) not in dead


def test_no_more_wait_than_are_allowed_and_none_is_left(endpoint: Endpoint) -> None:
    held = len(os.listdir("/proc/self/fd"))
    with closing(Spares(2)) as spares:
        runners = [lend(spares, endpoint) for _ in range(4)]
        for runner in runners:
            runner.ping()
            runner.close()
        assert len(list_waiting(spares)) == 2
        pids = [*list_waiting(spares), *(runner.pid for runner in runners)]
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not serve_nobody(spares)
    assert len(os.listdir("/proc/self/fd")) == held


def serve_nobody(spares: Spares) -> list[int]:
    spares.prepare(KINDS)
    with lend(spares) as runner:
        runner.ping()
    return list_waiting(spares)


def test_a_machine_that_has_no_room_for_another_child_keeps_nobody_from_his_run(
    spares: Spares, endpoint: Endpoint
) -> None:
    used, held = serve(spares, endpoint), len(os.listdir("/proc/self/fd"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (held, hard))
    try:
        spares.prepare(["postgresql"])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    # Python before 3.11.4 keeps the pipes of a process that it could not start.
    assert len(os.listdir("/proc/self/fd")) <= held or sys.version_info < (3, 11, 4)
    assert serve(spares, endpoint) == used


def test_with_none_allowed_each_run_starts_its_own(endpoint: Endpoint) -> None:
    with closing(Spares(0)) as spares:
        assert serve(spares, endpoint) != serve(spares, endpoint)
        assert list_waiting(spares) == []


def test_a_child_waits_for_so_long_and_serves_for_so_long(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spares_room, "USED_STAYS_S", 0.05)
    with closing(Spares(2)) as spares:
        used = serve(spares, endpoint)
        wait_for(lambda: not is_alive(used))
        assert used not in list_waiting(spares)
        monkeypatch.setattr(spares_room, "USED_STAYS_S", PATIENCE_S)
        monkeypatch.setattr(spares_room, "SERVES_S", 0.0)
        assert not is_alive(serve(spares, endpoint))


def test_one_for_other_drivers_makes_room(spares: Spares) -> None:
    spares.prepare(KINDS)
    [first] = list_waiting(spares)
    for kinds in (["postgresql"], ["postgresql", "sqlite"]):
        NativeRunner(child=spares.take(kinds)).kill()
    assert first not in list_waiting(spares)
    assert not is_alive(first)
    assert len(list_waiting(spares)) == 2


def test_children_that_wait_end_with_their_parent() -> None:
    script = (
        "import os, sys\nfrom pipekit.runner.spares import Spares\nspares = Spares(1)\nspares.prepare(['sqlite'])\n"
        "print(spares._waiting[0].program.pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    import subprocess
    import sys

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE_S)
    assert said.returncode == -signal.SIGKILL
    pid = int(said.stdout)
    wait_for(lambda: not is_alive(pid))

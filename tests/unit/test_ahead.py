# The child that is started before its run is known. Real processes, no database server.
"""`runner/ahead.py`, as a run from the shell uses it."""

from collections.abc import Collection

import pytest

from pipekit.runner import ahead as ahead_room
from pipekit.runner import native as native_room
from pipekit.runner.ahead import Ahead
from pipekit.runner.native import NativeRunner, start_child
from pipekit.runner.process import Program
from tests.patience import PATIENCE_S


def test_a_child_that_is_ahead_serves_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Program] = []

    def note(kinds: Collection[str]) -> Program:
        started.append(start_child(kinds))
        return started[-1]

    for room in (ahead_room, native_room):
        monkeypatch.setattr(room, "start_child", note)
    with Ahead() as ahead:
        ahead.load(("sqlite", "no such kind"))
        for runs in (1, 2):
            with NativeRunner(child=ahead.take(), silence_timeout_s=PATIENCE_S) as runner:
                assert runner.ping()["pid"] == runner.pid == started[-1].pid
            assert len(started) == runs
    assert [child.poll() for child in started] == [0, 0]


def test_a_child_that_nobody_takes_ends_with_its_block() -> None:
    with Ahead() as ahead:
        child = ahead._program
        assert child is not None
    assert child.poll() is not None


def test_a_machine_without_room_for_a_child_is_told_by_the_run_that_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kinds: Collection[str]) -> Program:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(ahead_room, "start_child", refuse)
    with Ahead() as ahead:
        ahead.load(("sqlite",))
        assert ahead.take() is None

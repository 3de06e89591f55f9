# A thread that does its work over and over, whatever happens. Knows no work of the program.
"""Chores."""

import threading
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.config import Config
from pipekit.runner.process import wait_until
from pipekit.server import periodic
from pipekit.server.periodic import Chore, Trouble
from tests.patience import PATIENCE_S


def test_no_exception_ends_a_chore_and_each_call_has_a_state_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "PAUSE_S", 0.02)
    path = tmp_path / "pipekit.db"
    config = Config(home=tmp_path, base_dir=tmp_path, state_path=path, secrets_path=tmp_path / "secrets.env")
    calls: list[int] = []

    def work(db: repo.State) -> None:
        calls.append(len(db.rows("SELECT name FROM meta")))
        if len(calls) == 2:
            db.close()
        if len(calls) < 6:
            raise (ValueError, MemoryError, RecursionError, OSError, KeyError)[len(calls) - 1]("trouble")

    ending = threading.Event()
    chore = Chore(config, "work", 0.02, work, Trouble(), ending)
    chore.start()
    assert not wait_until(lambda: bool(calls), 0.2), "there is no state database yet"
    repo.open_state(path, create=True).close()
    assert wait_until(lambda: len(calls) > 8, PATIENCE_S)
    assert chore.idle_s() < PATIENCE_S
    ending.set()
    chore.leave(PATIENCE_S)
    assert not chore.is_alive()

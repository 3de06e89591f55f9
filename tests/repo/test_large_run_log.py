# 1,000,000 runs: lists cost what they cost of a thousand, and nobody waits long while half of them are removed.
"""A large run log. What it costs is counted in steps of SQLite's machine."""

import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.config import Config
from pipekit.repo import purge as rows
from pipekit.repo.runs import build_list_sql
from pipekit.runner.process import start_program
from pipekit.server import retention
from tests.patience import PATIENCE_S
from tests.repo.costs import count_steps
from tests.repo.large import fill_run_log

MANY, FEW = 1_000_000, 1_000
WRITES = 200
# A slow disk's figure. The clock that the purge looks at goes by steps, so no other process can change what it does.
STEPS_A_SECOND = 1_000_000
LONGEST_HOLD_S = 0.25

# Another process that writes again and again, and ends when it has had its turn so many times.
WRITER = f"""
import sys, time
from pipekit import repo

db = repo.open_state(sys.argv[1])
for number in range({WRITES}):
    with repo.transaction(db):
        db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('written', ?)", (str(number),))
    time.sleep(0.002)
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("many") / "pipekit.db"
    db = repo.open_state(path, create=True)
    fill_run_log(db, MANY)
    db.close()
    yield path
    path.unlink()


@pytest.mark.parametrize("module", ["m7", 7, None])
@pytest.mark.parametrize("status", [None, "error"])
def test_the_last_runs_of_a_million_cost_what_they_cost_of_a_thousand(
    many: Path, path: Path, module: str | int | None, status: str | None
) -> None:
    few_db, many_db = repo.open_state(path, create=True), repo.open_state(many)
    fill_run_log(few_db, FEW, modules=10)
    sql, values = build_list_sql(module=module, status=status, before_id=None)
    told = [row["detail"] for row in many_db.rows("EXPLAIN QUERY PLAN " + sql, {**values, "limit": 50})]
    figures = [
        step
        for step in told
        if step.startswith("CORRELATED")
        or re.search("SEARCH (?!run_log)\\w+ USING (INTEGER PRIMARY KEY|COVERING INDEX)", step)
    ]
    steps = [step for step in told if step not in figures]  # what stands beside a run is looked up by its key
    assert len(steps) == 1
    assert "SEARCH" in steps[0] or (module is None and status is None), steps
    assert "INDEX" in steps[0] or (module is None and status is None), steps

    def list_last(db: repo.State) -> int:
        return len(repo.list_runs(db, module=module, status=status, limit=50))  # type: ignore[arg-type]

    if status is None:
        assert list_last(few_db) == list_last(many_db) == 50
        assert count_steps(many_db, lambda: list_last(many_db)) <= 1.1 * count_steps(few_db, lambda: list_last(few_db))
    few_db.close()
    many_db.close()


class Meter:
    """Steps of a connection's machine as a clock, and how long each removal has held the write lock by it."""

    def __init__(self, db: repo.State) -> None:
        self._steps = 0
        self.holds: list[float] = []
        self.pauses: list[float] = []
        db.set_progress_handler(self._count, 100)

    def _count(self) -> int:
        self._steps += 100
        return 0

    def monotonic(self) -> float:
        return self._steps / STEPS_A_SECOND

    def delete_old(self, *arguments: object) -> int:
        begun = self.monotonic()
        removed: int = DELETE_OLD(*arguments)  # type: ignore[arg-type]
        self.holds.append(self.monotonic() - begun)
        return removed


DELETE_OLD = rows.delete_old


class Pauses(threading.Event):
    """Writes down how long each pause between batches would be; no longer than that does it take."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.lengths.append(timeout or 0.0)
        return super().wait(timeout)


def test_nobody_waits_long_for_a_purge_of_a_million_runs(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of them would go; it goes on until another process, which writes all the time, has had its turn often."""
    config = Config(home=many.parent, base_dir=many.parent, state_path=many, secrets_path=many.parent / "secrets.env")
    db, stop = repo.open_state(many), Pauses()
    meter = Meter(db)
    monkeypatch.setattr(retention, "time", meter)
    monkeypatch.setattr(rows, "delete_old", meter.delete_old)
    with start_program([sys.executable, "-c", WRITER, str(many)]) as writer:
        ended: list[int | None] = []

        def wait_for_writer() -> None:
            ended.append(writer.wait(PATIENCE_S))
            stop.set()

        waiting = threading.Thread(target=wait_for_writer)
        waiting.start()
        purged = retention.purge(db, config, stop=stop)
        waiting.join()
    assert ended == [0], "the writer had no turn"
    assert 0 < purged.runs < MANY // 2 - 1_000, "what is removed was not at an end before the writer was"
    assert max(meter.holds) < LONGEST_HOLD_S
    assert len(meter.holds) > 5
    assert all(pause >= max(retention.PAUSE_S, held) for held, pause in zip(meter.holds, stop.lengths, strict=False))
    db.close()

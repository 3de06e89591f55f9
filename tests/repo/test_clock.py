# The wall clock is set back and forward: leases live as long as they should, no duration is negative. Sets no clock.
"""Leases and durations when the clock steps."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.config import load_config
from pipekit.engine import Installation, recover_runs
from pipekit.engine.receipt import get_duration_s
from pipekit.engine.recovering.owner import new_owner
from pipekit.engine.recovering.recover import is_abandoned
from pipekit.models import Module, Run
from pipekit.repo import clock, state
from pipekit.runner.process import start_program
from pipekit.secrets import Secrets


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> "Step":
    return Step(monkeypatch)


class Step:
    """Sets the clock by so many hours."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, hours: float) -> None:
        def wall_clock() -> datetime:
            return datetime.now(UTC) + timedelta(hours=hours)

        for module in (state, clock):
            self._monkeypatch.setattr(module, "wall_clock", wall_clock)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds go by on the clock of leases, which is stopped at first."""
    since = [clock._since_start_s()]
    monkeypatch.setattr(clock, "_since_start_s", lambda: since[0])

    def pass_by(seconds: float) -> None:
        since[0] += seconds

    return pass_by


Later = Callable[[float], None]


def claim(db: repo.State, module: Module, owner: str, lease_s: float = 20) -> Run:
    return repo.claim_module(
        db, module.id, owner=owner, lease_s=lease_s, triggered_by="cli", dry_run=False, staging_table=None
    )


def test_a_process_that_lives_on_this_machine_gets_more_time_than_its_lease(
    db: repo.State, orders: Module, later: Later
) -> None:
    run = claim(db, orders, new_owner(), lease_s=0.01)
    later(0.05)
    assert [expired.id for expired in repo.list_expired_runs(db)] == [run.id]
    assert not is_abandoned(db, repo.get_run(db, run.id))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_lease_neither_dies_early_nor_lives_on_when_the_clock_is_set(
    db: repo.State, path: Path, orders: Module, step: Step, later: Later, hours: float
) -> None:
    owner = "another machine's process"
    run = claim(db, orders, owner, lease_s=0.6)
    step(hours)
    other = repo.open_state(path)
    assert not is_abandoned(other, repo.get_run(other, run.id))
    assert repo.list_expired_runs(other) == []
    assert repo.renew_lease(db, run.id, owner, 0.3) == "held"
    assert not is_abandoned(other, repo.get_run(other, run.id))
    later(0.4)
    assert is_abandoned(other, repo.get_run(other, run.id))
    assert [expired.id for expired in repo.list_expired_runs(other)] == [run.id]
    other.close()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_place_in_the_queue_is_kept_as_long_as_its_process_says(
    db: repo.State, path: Path, orders: Module, step: Step, later: Later, hours: float
) -> None:
    waiting = repo.enqueue_run(db, orders.id, triggered_by="cli", owner="me", lease_s=0.4)
    step(hours)
    other = repo.open_state(path)
    assert repo.claim_next_run(other, owner="server", lease_s=20, max_runs=4) is None
    assert repo.get_run(db, waiting.id).status == "queued"
    later(0.5)
    assert repo.claim_next_run(other, owner="server", lease_s=20, max_runs=4) is None
    assert repo.get_run(db, waiting.id).status == "error"
    other.close()


@pytest.mark.parametrize("hours", [-1, 1])
def test_the_servers_lease_does_not_follow_the_clock(
    db: repo.State, path: Path, step: Step, later: Later, hours: float
) -> None:
    assert repo.take_server(db, "first", 0.4, "here")
    step(hours)
    other = repo.open_state(path)
    assert not repo.take_server(other, "second", 20, "there")
    assert repo.renew_server(db, "first", 0.2)
    later(0.3)
    assert repo.take_server(other, "second", 20, "there")
    assert not repo.renew_server(db, "first", 20)
    other.close()


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_dead_owner_on_this_machine_is_recovered_at_once_whatever_the_clock_says(
    db: repo.State, tmp_path: Path, step: Step, hours: float
) -> None:
    sleeper = start_program(["sleep", "60"])
    mine = new_owner().split(":")
    started = Path(f"/proc/{sleeper.pid}/stat").read_text().rpartition(")")[2].split()[19]
    owner = ":".join((mine[0], mine[1], str(sleeper.pid), started, "token"))
    home = load_config({"PIPEKIT_HOME": str(tmp_path)})
    source = repo.create_connection(db, name="here", driver="sqlite", jdbc_url=f"jdbc:sqlite:{tmp_path}/there.db")
    module = repo.create_module(
        db, name="m", source_id=source.id, dest_id=source.id, source_query="select 1 as a", dest_table="m"
    )
    run = claim(db, module, owner, lease_s=3600)
    step(hours)
    installation = Installation(db=db, config=home, secrets=Secrets(home.secrets_path))
    assert recover_runs(installation) == []
    sleeper.kill()
    assert [closed.id for closed in recover_runs(installation)] == [run.id]
    assert not repo.get_module(db, module.id).running


def test_no_duration_is_negative_when_the_clock_is_set_back_during_a_run(
    db: repo.State, orders: Module, step: Step
) -> None:
    run = claim(db, orders, "me")
    step(-1)
    assert repo.finish_run(db, run.id, owner="me", status="success", stages={"stage": 2.5, "merge": 0.5})
    ended = repo.get_run(db, run.id)
    assert ended.started_at is not None
    assert ended.finished_at == ended.started_at
    assert get_duration_s(ended) == 3.0


def test_a_lease_of_before_a_restart_ends_even_if_the_clock_came_up_wrong(
    db: repo.State, path: Path, orders: Module, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = claim(db, orders, "boot:ns:1:2:token", lease_s=45)
    monkeypatch.setattr(clock, "_boot", lambda: "another start of the machine")
    step(-24 * 365)
    other = repo.open_state(path)
    assert run.lease_expires_at is not None
    left = datetime.fromisoformat(run.lease_expires_at) - datetime.fromisoformat(repo.lease_now(other))
    assert left.total_seconds() <= clock.LONGEST_LEASE_S
    other.close()

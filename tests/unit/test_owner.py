# Lease owners are processes; this looks at real ones.
"""Whether the owner of a lease lives."""

import sys

from pipekit.engine.recovering.owner import get_liveness, new_owner
from pipekit.runner.process import run_program
from tests.patience import PATIENCE_S


def test_this_process_is_alive() -> None:
    assert get_liveness(new_owner()) == "alive"


def test_two_runs_of_one_process_have_different_owners() -> None:
    assert new_owner() != new_owner()


def test_a_process_that_has_ended_is_dead() -> None:
    code = "from pipekit.engine.recovering.owner import new_owner; print(new_owner())"
    finished = run_program([sys.executable, "-c", code], timeout_s=PATIENCE_S)
    assert get_liveness(finished.stdout.strip()) == "dead"


def test_a_pid_that_was_given_to_another_process_is_not_the_owner() -> None:
    boot, namespace, pid, _, token = new_owner().split(":")
    assert get_liveness(":".join((boot, namespace, pid, "1", token))) == "dead"


def test_another_machine_or_container_cannot_be_judged() -> None:
    boot, namespace, pid, started, token = new_owner().split(":")
    assert get_liveness(":".join(("other-boot", namespace, pid, started, token))) == "unknown"
    assert get_liveness(":".join((boot, "4026531000", pid, started, token))) == "unknown"
    assert get_liveness("") == "unknown"

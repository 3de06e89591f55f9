# Asking dests what became of runs that were cut short, all dests side by side. Knows no lease and writes no record.
"""`ask_dests`: the runs' outcomes as their dests tell them, within a time however many dests do not answer."""

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver
from pipekit.drivers.claims import Claim
from pipekit.engine.altering.made import look_made
from pipekit.engine.context import application_name, build_claim, ledger_entry, open_endpoint
from pipekit.engine.installation import Installation
from pipekit.engine.planning.creation import take_away_of
from pipekit.engine.recovering.ledger import drop_staging, settle_merge
from pipekit.errors import PipekitError, RunnerError, StatementFailed
from pipekit.models import MergeState, Run
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Runner

SETTLER = "pipekit:settle"
ASK_WITHIN_S = 25.0
# Each dest that is asked has a process of its own for as long as it takes.
DESTS_AT_ONCE = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a dest says of a run: whether it merged, and whether its staging table may still be there."""

    merge_state: MergeState
    staging_left: bool


NOTHING_TO_ASK = Outcome(merge_state="none", staging_left=False)
NO_ANSWER = Outcome(merge_state="unknown", staging_left=True)


@dataclass(frozen=True, slots=True)
class _Look:
    """One dest and the runs it is asked about."""

    dest: Endpoint
    runs: list[Run]


def ask_dests(installation: Installation, runs: Iterable[Run]) -> Iterator[tuple[Run, Outcome]]:
    """Each run with its outcome, as the answers come; after `ASK_WITHIN_S` whoever has not answered has not answered.

    The address is the one the run itself has used; passwords are looked up anew.
    """
    looks: dict[Endpoint, _Look] = {}
    db, instance = installation.db, repo.get_instance_id(installation.db)
    for run in runs:
        connection = None if run.dry_run else repo.find_kept_dest(db, run)
        if connection is None:
            yield run, NOTHING_TO_ASK
            continue
        try:
            dest = open_endpoint(installation.config, installation.secrets, connection, application=SETTLER)
        except PipekitError:
            yield run, NO_ANSWER
        else:
            looks.setdefault(dest, _Look(dest, [])).runs.append(run)
    yield from _ask_side_by_side(list(looks.values()), instance)


def _ask_side_by_side(looks: Sequence[_Look], instance: str) -> Iterator[tuple[Run, Outcome]]:
    """Threads that a process may leave behind when it ends; what they have started ends with them."""
    waiting: queue.SimpleQueue[_Look] = queue.SimpleQueue()
    answers: queue.SimpleQueue[list[tuple[Run, Outcome]]] = queue.SimpleQueue()
    for look in looks:
        waiting.put(look)
    stop, deadline = threading.Event(), time.monotonic() + ASK_WITHIN_S

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                look = waiting.get_nowait()
                answers.put(_ask_dest(look, instance, deadline, stop))

    for _ in range(min(DESTS_AT_ONCE, len(looks))):
        threading.Thread(target=work, name="ask a dest", daemon=True).start()
    try:
        for _ in looks:
            yield from answers.get()
    finally:
        stop.set()


def _ask_dest(look: _Look, instance: str, deadline: float, stop: threading.Event) -> list[tuple[Run, Outcome]]:
    """One look at one dest: the runs one after the other, over one session."""
    outcomes = {run.id: NO_ANSWER for run in look.runs}
    if time.monotonic() < deadline:
        with (
            suppress(PipekitError),
            NativeRunner(stop=stop, silence_timeout_s=ASK_WITHIN_S, deadline=deadline) as runner,
        ):
            for run in look.runs:
                if runner.alive:
                    outcomes[run.id] = ask_outcome(runner, look.dest, run, instance)
    return [(run, outcomes[run.id]) for run in look.runs]


def ask_outcome(runner: Runner, dest: Endpoint, run: Run, instance: str) -> Outcome:
    """Settles a run in its dest, and removes its staging table once it is settled."""
    driver = get_driver(dest.kind)
    state = settle_merge(runner, driver, dest, ledger_entry(run, instance), application_name(run, instance))
    if state != "unknown" and run.alteration and driver.commits_ddl:
        state = look_made(driver, lambda sql: runner.query(dest, sql), run.dest_table or "", run.alteration)
    if state == "unknown" or (state == "none" and not _take_away(runner, driver, dest, run)):
        return NO_ANSWER
    return Outcome(
        merge_state=state, staging_left=not _drop(runner, driver, dest, find_claim_of(driver, run, instance))
    )


def _take_away(runner: Runner, driver: Driver, dest: Endpoint, run: Run) -> bool:
    """Whether nothing is left of a dest that the run made; asked once, as later runs may have made another."""
    if run.status != "running" and run.merge_state != "unknown":
        return True
    try:
        take_away_of(runner, driver, dest, run)
    except StatementFailed as error:
        return not error.transient
    except RunnerError:
        return False
    return True


def find_claim_of(driver: Driver, run: Run, instance: str) -> Claim | None:
    """The claim of the staging table in a run's record."""
    if run.staging_table is None:
        return None
    name = run.staging_table.removeprefix(f"{driver.staging_schema}.")
    return build_claim(run, instance, driver.staging_table(name))


def _drop(runner: Runner, driver: Driver, dest: Endpoint, claim: Claim | None) -> bool:
    """Whether nothing is left to remove."""
    try:
        if claim is not None:
            drop_staging(runner, driver, dest, claim)
    except StatementFailed as error:
        return not error.transient  # what the dest refuses today it refuses tomorrow
    except RunnerError:
        return False
    return True

# Staging tables that killed loads have left in a dest: removed where they are certainly nobody's. Knows no record.
"""`clean_leftovers`: what `pipekit jrunner` leaves is found by its claim alone, as nothing else knows of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, LedgerEntry
from pipekit.drivers.claims import Claim, build_list_sql, read_claims
from pipekit.engine.context import open_endpoint
from pipekit.engine.installation import Installation
from pipekit.engine.recovering.ledger import drop_staging, settle_merge
from pipekit.engine.recovering.owner import get_process_liveness
from pipekit.errors import RunnerError
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Runner

SWEEPER = "pipekit:sweep"
SWEEP_WITHIN_S = 60.0
# A claim whose owner cannot be asked. Should its run live after all, its merge is refused and says why.
FORGOTTEN_AFTER_S = 2 * 24 * 3600

HasEnded = Callable[[str], bool | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """A claimed staging table that stays, and why it may not be removed here."""

    claim: Claim
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cleaning:
    """What was removed, and what stays; neither has what belongs to loads that go on."""

    removed: tuple[Claim, ...] = ()
    left: tuple[Leftover, ...] = ()


def clean_dest(installation: Installation, connection: Connection) -> Cleaning:
    """One dest of an installation. Raises ConnectFailed and what else a runner raises."""
    dest = open_endpoint(installation.config, installation.secrets, connection, application=SWEEPER)
    deadline = time.monotonic() + SWEEP_WITHIN_S
    with NativeRunner(silence_timeout_s=SWEEP_WITHIN_S, deadline=deadline, kinds=[dest.kind]) as runner:
        return clean_leftovers(
            runner,
            dest,
            repo.get_instance_id(installation.db),
            lambda run_key: repo.has_run_ended(installation.db, run_key),
        )


def clean_leftovers(runner: Runner, dest: Endpoint, instance: str, has_ended: HasEnded) -> Cleaning:
    """`has_ended` knows the runs of the installation `instance`, None is for one that it does not know."""
    driver = get_driver(dest.kind)
    if driver.find_setup_sql(lambda sql: runner.query(dest, sql)):
        return Cleaning()
    removed, left = [], []
    for claim in read_claims(driver, runner.query(dest, build_list_sql(driver))):
        why = _judge(claim, instance, has_ended)
        if why == _DEAD:
            why = _remove(runner, driver, dest, claim)
            if not why:
                removed.append(claim)
        if why and why != _ALIVE:
            left.append(Leftover(claim=claim, why=why))
    return Cleaning(removed=tuple(removed), left=tuple(left))


_DEAD, _ALIVE = "dead", "alive"


def _judge(claim: Claim, instance: str, has_ended: HasEnded) -> str:
    """`dead`, `alive`, or why it is left alone."""
    liveness = get_process_liveness(claim.instance)
    if liveness == "unknown":
        is_forgotten = time.time() - claim.since_s > FORGOTTEN_AFTER_S
        return _DEAD if is_forgotten else "a load of another machine, or from before this one was started, may go on"
    if liveness is not None:
        return liveness
    if claim.instance != instance:
        return f"it belongs to another installation ({claim.instance})"
    ended = has_ended(claim.run_key)
    if ended is None:
        return "this installation has no record of its run"
    return "its run has ended, and the dest would not let it be removed" if ended else _ALIVE


def _remove(runner: Runner, driver: Driver, dest: Endpoint, claim: Claim) -> str:
    """Shuts a dead load out of its merge and drops its table; why that cannot be, or `""`."""
    entry = LedgerEntry(run_key=claim.run_key, run_id=claim.run_id, module=claim.module, fence=0, rows=None)
    if settle_merge(runner, driver, dest, entry, claim.application_name) == "unknown":
        return "the dest does not tell whether its merge goes on"
    try:
        drop_staging(runner, driver, dest, claim)
    except RunnerError as error:
        return f"it cannot be removed: {error.message}"
    return ""

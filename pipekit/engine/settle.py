# What a dest can still be asked about a run that was cut short: did it merge? Knows one dest and one run's name there.
"""Ending a run's leftover sessions, shutting it out of its merge, and reading the ledger."""

import re
import time

from pipekit.drivers.base import Driver, LedgerEntry
from pipekit.errors import RunnerError, StatementFailed
from pipekit.models import MergeState
from pipekit.runner.base import Endpoint, Runner, Statement

SESSIONS_GONE_WITHIN_S = 15.0
# How a refusal says that the key is there: the SQLSTATEs of broken constraints, or SQL Server's own two numbers.
_SAME_KEY = re.compile(r"23\w{3}|2601|2627")


def settle_merge(runner: Runner, driver: Driver, dest: Endpoint, entry: LedgerEntry, application: str) -> MergeState:
    """Whether the run merged, once and for all: after this it cannot merge any more.

    `unknown` when the dest cannot be asked.
    """
    try:
        end_sessions(runner, driver, dest, application)
        if driver.find_setup_sql(lambda sql: runner.query(dest, sql)):
            return "none"
        # Waits for a merge transaction that is still open: both insert the same primary key.
        _shut_out(runner, driver, dest, entry)
        outcome = runner.query(dest, driver.build_outcome_sql(entry.run_key)).first_cell()
    except RunnerError:
        return "unknown"
    return "merged" if outcome == "merged" else "none"


def _shut_out(runner: Runner, driver: Driver, dest: Endpoint, entry: LedgerEntry) -> None:
    """Where the row that was waited for is there now, some databases say so by refusing the second of the same key."""
    try:
        runner.execute(dest, [Statement(sql=driver.build_fence_sql(entry))])
    except StatementFailed as error:
        if not _SAME_KEY.fullmatch(error.sqlstate):
            raise


def end_sessions(runner: Runner, driver: Driver, endpoint: Endpoint, application: str) -> None:
    """Ends a run's sessions in a database and waits until they are gone, or gives up after a while."""
    sql = driver.build_end_sessions_sql(application)
    deadline = time.monotonic() + SESSIONS_GONE_WITHIN_S
    while sql and time.monotonic() < deadline:
        if int(runner.query(endpoint, sql).first_cell() or 0) == 0:
            return
        time.sleep(0.1)


def drop_staging(runner: Runner, driver: Driver, dest: Endpoint, module_name: str) -> None:
    """Removes a run's staging table."""
    sql = driver.build_drop_table_sql(driver.staging_table(module_name))
    runner.execute(dest, [Statement(sql=sql)])

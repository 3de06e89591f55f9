# What a dest can still be asked about a run that was cut short: did it merge? Knows one dest and one run's name there.
"""Ending a run's leftover sessions, shutting it out of its merge, and reading the ledger."""

import contextlib
import re
import time

from pipekit.drivers.base import Driver, LedgerEntry, TableName
from pipekit.drivers.claims import (
    Claim,
    build_find_sql,
    build_leave_sql,
    build_release_sql,
    expect_claim,
    read_claim,
)
from pipekit.errors import CheckFailed, RunnerError, StatementFailed
from pipekit.models import MergeState
from pipekit.runner_contract import Endpoint, Runner, Statement

SESSIONS_GONE_WITHIN_S = 15.0
# How a refusal says that the key is there: the SQLSTATEs of broken constraints, or SQL Server's own two numbers.
_SAME_KEY = re.compile(r"23\w{3}|2601|2627|SQLITE_CONSTRAINT\w*")


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
        if not is_same_key(error):
            raise


def is_same_key(error: StatementFailed) -> bool:
    """Whether an insert was refused because its key is there already."""
    return bool(_SAME_KEY.fullmatch(error.sqlstate))


def end_sessions(runner: Runner, driver: Driver, endpoint: Endpoint, application: str) -> None:
    """Ends a run's sessions in a database and waits until they are gone, or gives up after a while."""
    sql = driver.build_end_sessions_sql(application)
    deadline = time.monotonic() + SESSIONS_GONE_WITHIN_S
    while sql and time.monotonic() < deadline:
        if int(runner.query(endpoint, sql).first_cell() or 0) == 0:
            return
        time.sleep(0.1)


def find_claim(runner: Runner, driver: Driver, dest: Endpoint, staging: TableName) -> Claim | None:
    """Whose a staging table is, None when it is nobody's."""
    return read_claim(staging, runner.look(dest, [build_find_sql(driver, staging)])[0])


def drop_staging(runner: Runner, driver: Driver, dest: Endpoint, claim: Claim) -> None:
    """Removes a run's staging table, and that of its keys, and gives the name up; leaves alone what is another's."""
    tables = (claim.staging, driver.name_keys(claim.staging))
    drops = [Statement(sql=driver.build_drop_table_sql(table)) for table in tables]
    with contextlib.suppress(CheckFailed):
        if driver.commits_ddl:
            _drop_in_steps(runner, driver, dest, claim, drops)
        else:
            runner.execute(dest, [build_release_sql(driver, claim), *drops], [expect_claim("released")])


def _drop_in_steps(runner: Runner, driver: Driver, dest: Endpoint, claim: Claim, drops: list[Statement]) -> None:
    """Where DROP commits by itself: the name stays claimed until the table is gone, by somebody who does not merge."""
    held = find_claim(runner, driver, dest, claim.staging)
    if held is None or held.owner != claim.owner:
        return
    if not held.is_leaving:
        runner.execute(dest, [build_leave_sql(driver, claim, int(time.time()))], [expect_claim()])
    runner.execute(dest, drops)
    runner.execute(dest, [build_release_sql(driver, claim, leaving=True)])

# Two merges into one dest at once, over JDBC. Sessions in this process, no runs.
"""Neither sees the other's new rows, so they come one after the other."""

import threading
from dataclasses import replace

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import MergePlan
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.runner_contract import ResultColumn
from tests.databases.jdbc import Open, make_embedded, read, run
from tests.patience import PATIENCE_S


def make_plan(session: JdbcSession, kind: str, staging: str) -> MergePlan:
    """An upsert of one row, by a key without an index, and its staging table."""
    driver = get_driver(kind)
    dest = driver.parse_table("T")
    columns = tuple(
        driver.stage_column(ResultColumn(name=column.name, type=column.type), driver, column)
        for column in driver.get_columns(session.query, dest)
    )
    plan = MergePlan(
        strategy="upsert",
        staging=driver.staging_table(staging),
        dest=dest,
        columns=columns,
        key=(columns[0].dest.name,),
    )
    run(session, *driver.build_staging_sql(plan.staging, dest, columns))
    run(session, f"INSERT INTO {driver.quote_table(plan.staging)} VALUES (1, '{staging}')")
    return plan


@pytest.mark.parametrize("kind", ["h2", "mariadb"])
def test_two_merges_into_one_dest_without_a_unique_key_come_one_after_the_other(
    request: pytest.FixtureRequest, open_jdbc: Open, kind: str
) -> None:
    if kind == "mariadb":
        server = request.getfixturevalue("mariadb")
        server.clear()
        endpoint = server.endpoint()
    else:
        endpoint = make_embedded("h2", "turns")
    first, second = open_jdbc(endpoint), open_jdbc(replace(endpoint))
    driver = get_driver(kind)
    run(
        first,
        *driver.find_setup_sql(first.query),
        f"CREATE TABLE T (A INT, B VARCHAR(9)) {'ENGINE=InnoDB' * (kind == 'mariadb')}",
    )
    plans = [make_plan(first, kind, name) for name in ("one", "two")]
    for _ in range(2):
        run(first, driver.build_turn_row_sql(plans[0]))
    one, two = ((*driver.build_turn_sql(plan), *driver.build_merge_sql(plan)) for plan in plans)
    for statement in one:
        first._execute_one(statement, {})
    thread = threading.Thread(target=second.execute, args=(two, (), False))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    first.commit()
    thread.join(PATIENCE_S)
    assert read(second, "SELECT * FROM T") == [("1", "two")]

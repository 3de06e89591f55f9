# Tests of how a verify finds rows of buckets that differ between two PostgreSQLs: few keys, ranges of them, many.
"""Keys beside each other and far apart, at both ends and beyond them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.demo.postgres import LocalPostgres
from tests.databases.test_runs import Bench
from tests.databases.test_verifying import HASHES, verify

pytestmark = pytest.mark.usefixtures("near_when_quick")

# Beside each other keys are listed; far apart up to 64 ranges are told, more are looked for by their buckets.
ROWS = 20_000
PLACES = {"ends": "i IN (1, {rows})", "few": "i % 500 = 7", "many": "i % 100 = 7"}


@pytest.fixture
def pair(tmp_path: Path, postgres: LocalPostgres) -> Iterator[Bench]:
    bench = Bench(tmp_path, ("postgresql", "postgresql"), postgres)
    yield bench
    bench.close()


@pytest.mark.parametrize("step", [1, 1_000_003])
@pytest.mark.parametrize("where", PLACES)
def test_exactly_the_rows_that_differ_are_found_wherever_their_keys_lie(pair: Bench, step: int, where: str) -> None:
    for database in (pair.source, pair.dest):
        database.execute(
            "CREATE TABLE t (k bigint PRIMARY KEY, i integer, v text)",
            f"INSERT INTO t SELECT (i - 10000) * CAST({step} AS bigint), i, 'v' || i FROM generate_series(1, {ROWS}) i",
        )
    place = PLACES[where].format(rows=ROWS)
    beyond = f"SELECT e * CAST({step} AS bigint) * 30000, 0, 'beyond' FROM (VALUES (-1), (1)) x (e)"
    pair.dest.execute(f"UPDATE t SET v = v || ' ' WHERE {place}")
    count = len(pair.dest.rows(f"SELECT 1 FROM t WHERE {place}"))
    pair.source.execute(f"INSERT INTO t {beyond}")
    run, found = verify(pair, pair.module("SELECT * FROM t"))
    assert found.means.startswith(HASHES)
    assert (found.missing, found.extra, found.differing) == (2, 0, count)
    assert count <= (run.rows_staged or 0) < ROWS / 2
    run, found = verify(pair, pair.module("SELECT * FROM t", name="mended"), repair=True)
    assert (run.status, found.equal, run.rows_updated, run.rows_inserted) == ("success", True, count, 2), run.error

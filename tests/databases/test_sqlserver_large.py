# A whole table from PostgreSQL into SQL Server's double, and the runner's memory. PIPEKIT_TEST_ROWS sets the size.
"""Many rows of ten columns arrive equal, and the runner's memory does not grow with them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint
from tests.databases.sqlservers import Place, build_load, open_place

ROWS = int(os.environ.get("PIPEKIT_TEST_ROWS", "50000"))
LIMIT_MIB = 250

COLUMNS = [
    ("id", "bigint", "bigint"),
    ("i", "integer", "int"),
    ("d", "double precision", "float"),
    ("n", "numeric(12,2)", "decimal(12,2)"),
    ("t", "text", "nvarchar(max)"),
    ("v", "character varying(40)", "nvarchar(80)"),
    ("day", "date", "date"),
    ("at", "timestamp without time zone", "datetime2(6)"),
    ("ok", "boolean", "bit"),
    ("m", "integer", "int"),
]
MAKE = """create table big as select g::bigint as id, (g % 30000)::int as i, g / 3.0::float8 as d,
    ((g % 1000000) / 100.0)::numeric(12,2) as n, md5(g::text) as t, ('wörd ' || g)::varchar(40) as v,
    date '2000-01-01' + g % 9999 as day, timestamp '2001-01-01' + g * interval '1.000001 s' as at, g % 2 = 0 as ok,
    case when g % 7 <> 1 then g end as m from generate_series(1, {rows}) g"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with open_place(tmp_path) as place:
        yield place


@pytest.fixture
def source(postgres: LocalPostgres, database: str) -> Iterator[psycopg.Connection[Any]]:
    login = {"host": "127.0.0.1", "port": postgres.port, "user": "postgres", "dbname": database}
    with psycopg.connect(autocommit=True, **login) as db:  # type: ignore[arg-type]
        db.execute(MAKE.format(rows=ROWS).encode())
        yield db


def test_a_large_table_arrives_equal_in_a_runner_that_stays_small(
    place: Place, source: psycopg.Connection[Any], postgres: LocalPostgres, database: str
) -> None:
    endpoint = Endpoint(kind="postgresql", jdbc_url=postgres.jdbc_url(database), username="postgres")
    load = build_load("big", COLUMNS)
    peaks = []
    for rows in (ROWS // 10, ROWS):
        place.make("big", [(name, stage) for name, _, stage in COLUMNS])
        query = f"select * from big where id <= {rows} order by id"
        with NativeRunner() as runner:
            loaded = runner.migrate(endpoint, query, place.endpoint(), load)
            peaks.append(_read_peak_mib(runner.pid))
        assert (loaded.rows_read, loaded.rows_staged, loaded.format) == (rows, rows, "copy-text")
    with source.transaction(), source.cursor(name="all") as sent:
        sent.execute("select * from big order by id")
        arrived = 0
        for left, right in zip(sent, place.double.read_rows("big"), strict=True):
            assert left == right
            arrived += 1
    assert arrived == ROWS
    assert max(peaks) < LIMIT_MIB
    assert peaks[1] < peaks[0] * 1.1 + 16


def _read_peak_mib(pid: int) -> float:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024

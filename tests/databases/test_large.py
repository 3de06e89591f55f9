# Whole tables through every strategy, and the runner's memory. PIPEKIT_TEST_ROWS sets the size.
"""A table of many rows and 16 columns of mixed types arrives equal, and the runner's memory does not grow with it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.engine.events import Event, RowsMoved
from pipekit.models import Connection
from tests.project import Project, find_children

ROWS = int(os.environ.get("PIPEKIT_TEST_ROWS", "100000"))

COLUMNS = """id bigint, s smallint, i integer, r real, d double precision, n numeric(12,2), u numeric, t text,
    v varchar(40), c char(8), b bytea, day date, at timestamp, tz timestamptz, ok boolean, j jsonb"""
# Every seventh value is NULL, and every column differs from row to row.
MAKE = """insert into {table} select g, g % 30000, case when g % 7 <> 1 then g end, g / 7.0::real, g / 3.0::float8,
    (g % 1000000) / 100.0, case when g % 7 <> 2 then g / 7.0 end, case when g % 7 <> 3 then md5(g::text) end,
    'wörd ' || g, 'c' || g % 99, decode(md5(g::text), 'hex'), date '2000-01-01' + g % 9999,
    timestamp '2001-01-01' + g * interval '1.000001 s', case when g % 7 <> 4 then now() - g * interval '1 s' end,
    g % 2 = 0, jsonb_build_object('g', g, 'x', null) from generate_series({first}, {last}) g"""


class Pair:
    """Two databases of one cluster, a filled source table, and a copy of it in the dest made by another way."""

    def __init__(self, postgres: LocalPostgres) -> None:
        for name in ("large_source", "large_dest"):
            postgres.create_database(name)
        self.source, self.dest = (
            psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True)
            for name in ("large_source", "large_dest")
        )
        self.urls = [postgres.jdbc_url(name) for name in ("large_source", "large_dest")]
        self.source.execute(f"create table t ({COLUMNS})")
        self.source.execute(MAKE.format(table="t", first=1, last=ROWS))
        self.dest.execute(f"create table expected ({COLUMNS})")
        with (
            self.source.cursor().copy("copy t to stdout") as out,
            self.dest.cursor().copy("copy expected from stdin") as into,
        ):
            for block in out:
                into.write(block)

    def sum_up(self, rows: str) -> Any:
        """How many rows a query has in the dest, and the sum of their hashes: equal for equal rows in any order."""
        return self.dest.execute(f"select count(*), sum(hash_record_extended(one, 0)) from ({rows}) one").fetchone()


@pytest.fixture(scope="module")
def pair(postgres: LocalPostgres) -> Iterator[Pair]:
    pair = Pair(postgres)
    yield pair
    pair.source.close()
    pair.dest.close()
    for name in ("large_source", "large_dest"):
        postgres.drop_database(name)


@pytest.fixture
def project(pair: Pair, tmp_path: Path) -> Iterator[tuple[Project, list[Connection]]]:
    project = Project(tmp_path)
    connections = [
        project.add_connection(name, url, username="postgres") for name, url in zip("sd", pair.urls, strict=True)
    ]
    yield project, connections
    project.close()


@pytest.mark.parametrize("strategy", ["full", "incremental", "append", "upsert"])
def test_a_large_table_arrives_equal(pair: Pair, project: tuple[Project, list[Connection]], strategy: str) -> None:
    here, (source, dest) = project
    table = f"t_{strategy}"
    pair.dest.execute(f"create table {table} ({COLUMNS})")
    # Rows whose keys come in again and some that do not, except where they would stay for good.
    if strategy != "append":
        pair.dest.execute(MAKE.format(table=table, first=ROWS - 999, last=ROWS + 1000))
        pair.dest.execute(f"update {table} set t = 'old', n = 1")
    module = here.add_module(
        "large", source=source, query="select * from t", dest=dest, table=table, merge_strategy=strategy, merge_key="id"
    )
    pair.dest.execute(f"create table others_{strategy} as select * from {table} where id > {ROWS}")
    others = "" if strategy in ("full", "append") else f" union all table others_{strategy}"
    expected = pair.sum_up(f"table expected{others}")
    for times in (1, 2):
        run = here.succeed(module)
        assert run.rows_read == run.rows_staged == ROWS
        if strategy == "append" and times == 2:
            expected = pair.sum_up("table expected union all table expected")
        assert pair.sum_up(f"table {table}") == expected
    pair.dest.execute(f"drop table {table}")


def test_the_runners_memory_does_not_grow_with_the_rows(pair: Pair, project: tuple[Project, list[Connection]]) -> None:
    here, (source, dest) = project
    peaks = [_peak_mib(here, source, dest, rows) for rows in (6 * ROWS // 10, 6 * ROWS)]
    assert max(peaks) < 100
    assert peaks[1] < peaks[0] * 1.1 + 2


def _peak_mib(here: Project, source: Connection, dest: Connection, rows: int) -> float:
    query = f"select g as id, md5(g::text) as v, g / 7.0 as n from generate_series(1, {rows}) g"
    name = f"memory_{rows}"
    module = here.add_module(name, source=source, query=query, dest=dest, table=name, create_table=True)
    peaks: list[float] = [0.0]

    def listen(event: Event) -> None:
        if isinstance(event, RowsMoved):
            peaks.extend(_read_peak_mib(pid) for pid in find_children(os.getpid()))

    run = here.run(module, listen)
    assert (run.status, run.rows_inserted) == ("success", rows), run.error
    return max(peaks)


def _read_peak_mib(pid: int) -> float:
    """The most a runner child has ever held; other children of this process (a database server) do not count."""
    proc = Path(f"/proc/{pid}")
    if b"pipekit.runner.child" not in (proc / "cmdline").read_bytes():
        return 0.0
    fields: dict[str, Any] = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024

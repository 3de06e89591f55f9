# Values that a dest refuses and bytes that are no text: row, column and mend, which never changes data.
"""What a run says of a value it cannot move."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Column, Guards
from tests.databases.test_runs import Bench

UNCHECKED = "unchecked_bytes"


@pytest.fixture(scope="module")
def unchecked(postgres: LocalPostgres) -> Iterator[str]:
    """The address of a database that takes any bytes for text; row 3 of `t` has some that are no UTF-8 in `n`."""
    options: dict[str, Any] = {"host": "127.0.0.1", "port": postgres.port, "user": "postgres", "autocommit": True}
    with psycopg.connect(dbname="postgres", **options) as server:
        made = f"create database {UNCHECKED} template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'"
        server.execute(made)
        with psycopg.connect(dbname=UNCHECKED, **options) as database:
            database.execute("create table t (id integer, a text, n varchar)")
            database.execute("insert into t select g, 'tab\there', 'x' from generate_series(1, 5) g")
            database.execute("update t set n = convert_from('\\x616263ff64', 'SQL_ASCII') where id = 3")
        yield postgres.jdbc_url(UNCHECKED)
        server.execute(f"drop database {UNCHECKED}")


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
@pytest.mark.parametrize("query", ["select * from t order by id", "select id::text, a, n from t order by id"])
def test_bytes_that_are_no_text_are_named_by_row_and_column(
    kind: str, query: str, unchecked: str, tmp_path: Path, postgres: LocalPostgres
) -> None:
    bench = Bench(tmp_path, ("sqlite", kind), postgres)
    source = bench.project.add_connection("unchecked", unchecked, username="postgres")
    module = bench.project.add_module(
        "m", source=source, query=query, dest=bench.dest_connection, table="t", create_table=True
    )
    run = bench.project.run(module)
    bench.close()
    assert (run.status, run.error_stage) == ("error", "stage")
    assert (run.error or "").startswith('Loading t: Row 3, column n: invalid byte sequence for encoding "UTF8"')
    assert "SQL_ASCII" in (run.hint or "")


def test_a_value_of_another_type_than_sqlite_declares_is_mended_by_a_text(
    tmp_path: Path, postgres: LocalPostgres
) -> None:
    bench = Bench(tmp_path, ("sqlite", "postgresql"), postgres)
    bench.source.execute("create table t (id integer, ts timestamp)", "insert into t values (1, 'never')")
    refused = bench.project.run(bench.module("select * from t", create_table=True))
    assert "Row 1, column ts" in (refused.error or "")
    assert "`dest_type: text` for 'ts'" in (refused.hint or "")
    column = {"id": "c1", "source_name": "ts", "source_type": "", "dest_name": "ts", "dest_type": "text"}
    module = bench.module("select * from t", "t", "m2", create_table=True, columns=[Column(**column)])
    bench.project.succeed(module)
    assert bench.dest.rows("select * from t") == [(1, "never")]
    bench.close()


# (source query, dest columns, module options): refusals whose hint names a switch
REFUSED: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("select 1 as id, 1.25 as v", "id int, v numeric(3,1)", {}, "exactness: false", "change"),
    ("select null::int as id, 1 as v", "id int, v int", {"merge_key": "id"}, "null_keys: true", "match each other"),
    ("select 1 as id, 1 as v where false", "id int, v int", {}, "empty_source: false", "emptied"),
    ("select 1 as id, 1 as x", "id int, v int", {}, "column_truth: false", "left out"),
    ("select 1 as id, 1 as v", "id int, v int", {"guards": Guards(shrink=1.0)}, "shrink: ...", "let these rows go"),
]


@pytest.mark.parametrize("case", REFUSED, ids=[case[3] for case in REFUSED])
def test_a_hint_names_a_switch_by_what_it_would_do(
    case: tuple[str, str, dict[str, Any], str, str], tmp_path: Path, postgres: LocalPostgres
) -> None:
    query, columns, options, switch, effect = case
    bench = Bench(tmp_path, ("postgresql", "postgresql"), postgres)
    bench.dest.execute(f"create table t ({columns})", "insert into t values (7, 7), (8, 8)")
    if "merge_key" in options:
        options = {**options, "merge_strategy": "upsert"}
    run = bench.project.run(bench.module(query, **options))
    bench.close()
    assert run.status == "error"
    assert f"`guards: {{{switch}}}`" in (run.hint or "")
    assert effect in (run.hint or "")
    assert "would" in (run.hint or "")

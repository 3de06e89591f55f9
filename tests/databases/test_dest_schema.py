# A dest that names no schema is the table the session itself would find, never another one of the same name.
"""Dests without a schema on PostgreSQL: currentSchema of the address, search_path of the database."""

from pathlib import Path

import pytest

from pipekit.demo.postgres import LocalPostgres
from tests.databases.test_runs import Bench


@pytest.fixture
def bench(tmp_path: Path, postgres: LocalPostgres) -> Bench:
    bench = Bench(tmp_path, ("sqlite", "postgresql"), postgres)
    bench.source.execute("create table t (id integer)", "insert into t values (1), (2)")
    bench.dest.execute("create schema rpt", "create table public.t (id int)", "insert into public.t values (7)")
    return bench


def add_dest(bench: Bench, options: str) -> None:
    url = bench.dest.url + options
    bench.dest_connection = bench.project.add_connection("rpt", url, username="postgres")


@pytest.mark.parametrize("way", ["currentSchema", "search_path"])
@pytest.mark.parametrize("there", [True, False])
def test_a_dest_without_a_schema_is_the_table_the_session_finds(bench: Bench, way: str, there: bool) -> None:
    if there:
        bench.dest.execute("create table rpt.t (id int)", "insert into rpt.t values (8), (9)")
    if way == "search_path":
        name = bench.dest.rows("select current_database()")[0][0]
        bench.dest.execute(f"alter database {name} set search_path = rpt, public")
    add_dest(bench, "?currentSchema=rpt" if way == "currentSchema" else "")
    hooks = [{"sql": "insert into t values (3)"}]
    module = bench.module("select id from t", create_table=True, hooks=hooks)
    run = bench.project.succeed(module)
    # Where the path goes on to public, the table that is there is the one that is found.
    found = "rpt" if there or way == "currentSchema" else "public"
    assert run.dest_table == f"{found}.t"
    assert bench.dest.rows(f"select id from {found}.t order by 1") == [(1,), (2,), (3,)]
    if found == "rpt":
        assert bench.dest.rows("select id from public.t") == [(7,)]
    bench.close()


def test_a_session_without_any_schema_refuses_a_dest_that_names_none(bench: Bench) -> None:
    add_dest(bench, "?currentSchema=nowhere")
    run = bench.project.run(bench.module("select id from t", create_table=True))
    assert (run.status, run.error_stage) == ("error", "plan")
    assert "names no schema" in (run.error or "")
    assert "currentSchema" in (run.hint or "")
    bench.project.succeed(bench.module("select id from t", "public.t", "m2"))
    assert bench.dest.rows("select id from public.t") == [(1,), (2,)]
    bench.close()

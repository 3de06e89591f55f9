# What a run asks of PostgreSQL, counted: connections, and how often it waits for an answer. Real runs, real servers.
"""Over a network each turn costs its way there and back; a small run is made of little else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from tests.databases.counting import Turnstile
from tests.project import Project

# Runs have a process of their own also where somebody waits: libpq would wait for a turnstile that waits for Python.
INTO = "(id integer primary key, name text not null, price numeric(8, 2), at timestamptz)"
QUERY = "select id, name, price, at from s"
SINCE = {"name": "since", "resolver_sql": "select max(id) from t", "default_value": "0"}
KEYED: dict[str, Any] = {"merge_key": ["id"]}

# What a module says more; the connections of its run and how often it waits for an answer, logins with them.
RUNS: dict[str, tuple[dict[str, Any], int, int]] = {
    "full": ({"merge_strategy": "full"}, 2, 31),
    "append": ({"merge_strategy": "append", "query": f"{QUERY} where id > 1000"}, 2, 31),
    "incremental": ({"merge_strategy": "incremental", **KEYED}, 2, 35),
    "upsert": ({"merge_strategy": "upsert", **KEYED}, 2, 35),
    # In the dest it is read in a session that cannot write, and looked at whether it is spelled as the source spells.
    "a watermark": (
        {"merge_strategy": "upsert", **KEYED, "watermarks": [SINCE], "query": f"{QUERY} where id > {{since}}"},
        3,
        55,
    ),
    "a dry run": ({"merge_strategy": "full"}, 2, 11),
}


@pytest.fixture
def turnstile(postgres: LocalPostgres) -> Iterator[Turnstile]:
    turnstile = Turnstile(postgres)
    yield turnstile
    turnstile.close()


@pytest.mark.parametrize("name", RUNS)
def test_a_run_connects_once_to_each_database_and_waits_for_few_answers(
    name: str,
    turnstile: Turnstile,
    tmp_path: Path,
    postgres: LocalPostgres,
    source_db: str,
    dest_db: str,
    one_child: None,
) -> None:
    fields, connects, turns = RUNS[name]
    for database, statements in (
        (
            source_db,
            (f"create table s {INTO}", "insert into s select g, 'n', g, now() from generate_series(1, 9) as g"),
        ),
        (dest_db, (f"create table t {INTO}",)),
    ):
        with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=database) as db:
            for sql in statements:
                db.execute(sql)
    with closing(Project(tmp_path)) as project:
        source = project.add_connection("source", turnstile.jdbc_url(source_db), username="postgres")
        dest = project.add_connection("dest", turnstile.jdbc_url(dest_db), username="postgres")
        marks = [{**mark, "connection_id": dest.id} for mark in fields.get("watermarks", ())]
        fields = {"query": QUERY, **fields, "watermarks": marks}
        module = project.add_module("m", source=source, dest=dest, table="public.t", **fields)
        assert project.run(module).status == "success"  # the first makes the ledger
        turnstile.reset()
        run = project.run(module, dry_run=name == "a dry run")
    assert run.error is None
    assert turnstile.connects == connects
    assert turnstile.turns <= turns


def test_a_source_that_lets_nobody_in_is_asked_once_and_blamed_alone(
    turnstile: Turnstile, tmp_path: Path, postgres: LocalPostgres, dest_db: str, one_child: None
) -> None:
    with psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=dest_db) as db:
        db.execute(f"create table t {INTO}")
    with closing(Project(tmp_path)) as project:
        source = project.add_connection("source", turnstile.jdbc_url("no_such"), username="postgres")
        dest = project.add_connection("dest", postgres.jdbc_url(dest_db), username="postgres")
        module = project.add_module("m", source=source, query=QUERY, dest=dest, table="public.t", retries=0)
        run = project.run(module)
        assert (run.error_stage, turnstile.connects) == ("plan", 1)
        assert 'database "no_such" does not exist' in (run.error or "")

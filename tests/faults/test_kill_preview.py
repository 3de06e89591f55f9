# kill -9 while a preview stages its rows, and while it looks at the dest. Real processes, PostgreSQL.
"""Nothing is merged, and what was staged is gone once somebody looks: nobody can merge what nobody has seen."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.runner.process import wait_until
from tests.lending import lend_database, take_back
from tests.patience import PATIENCE_S
from tests.project import Project, find_children

BEFORE = [(i, "old") for i in range(1, 41)]
STAGING = "select relname from pg_class where relnamespace = to_regnamespace('pipekit_staging') and relkind = 'r'"
WAITS = """select 1 from pg_stat_activity where application_name like 'pipekit:%' and state = 'active'
    and datname = current_database() and wait_event_type = 'Lock'"""
# A row of the source takes so long that there is time to come between.
SLOW = "select i as id, 'new' || coalesce(pg_sleep(0.05)::text, '') as v from generate_series(21, 60) i"


@pytest.fixture
def eyes(postgres: LocalPostgres) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """A session that looks, and one that holds the dest."""
    name = lend_database(postgres, "kill_preview")
    eye, holder = (
        psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=auto)
        for auto in (True, False)
    )
    eye.execute("create table t (id int primary key, v text)")
    eye.execute("insert into t select i, 'old' from generate_series(1, 40) i")
    yield eye, holder
    eye.close()
    holder.close()
    take_back(postgres, name)


@pytest.mark.parametrize("victim", ["runner", "pipekit"])
@pytest.mark.parametrize("stage", ["stage", "look"])
def test_a_preview_that_is_killed_merges_nothing_and_leaves_no_staging(
    eyes: tuple[psycopg.Connection, psycopg.Connection],
    postgres: LocalPostgres,
    tmp_path: Path,
    stage: str,
    victim: str,
) -> None:
    eye, holder = eyes
    project = Project(tmp_path)
    (project.home / "config.yaml").write_text(f"lease_s: {10 * PATIENCE_S}\n")
    place = project.add_connection("d", postgres.jdbc_url(eye.info.dbname), username="postgres")
    project.add_module("m", source=place, query=SLOW, dest=place, table="t", merge_strategy="upsert", merge_key="id")
    with project.start_cli("run", "m", "--preview") as program:
        staged = "select 1 from pg_class where relnamespace = to_regnamespace('pipekit_staging') and relname like 'm.%'"
        assert wait_until(lambda: bool(eye.execute(staged).fetchall()), PATIENCE_S)
        if stage == "look":
            holder.execute("lock table t in access exclusive mode")
            assert wait_until(lambda: bool(eye.execute(WAITS).fetchall()), PATIENCE_S)
        os.kill(find_children(program.pid)[0] if victim == "runner" else program.pid, signal.SIGKILL)
        holder.rollback()
        assert program.wait(PATIENCE_S) is not None
    killed = project.last_run()
    looked = project.cli_apart("run", "m", "--dry-run")
    assert looked.code == 0, looked.stderr
    run = project.get_run(killed.id)
    assert (run.status, run.merge_state) == ("error", "none")
    assert repo.find_preview(project.db, run.id) is None
    assert eye.execute("select id, v from t order by id").fetchall() == BEFORE
    assert [name for (name,) in eye.execute(STAGING).fetchall()] == ["pipekit_ledger"]
    merged = project.cli("run", "m", "--merge-preview", str(run.id))
    assert merged.code != 0
    assert eye.execute("select id, v from t order by id").fetchall() == BEFORE
    project.close()

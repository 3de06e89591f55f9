# kill -9 while a merge keeps what it changes, and while that is taken back. Real processes, PostgreSQL and SQLite.
"""All or nothing: the dest is as before or as after, and what is kept is there exactly when it can be taken back."""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.undoing import name_images
from pipekit.models import Run
from pipekit.runner.process import wait_until
from tests.lending import lend_database, take_back
from tests.patience import PATIENCE_S
from tests.project import Project, find_children

BEFORE = [(i, "old") for i in range(1, 41)]
AFTER = [(i, "old") for i in range(1, 21)] + [(i, "new") for i in range(21, 61)]
# The next run does not wait for the lease of the one that was killed.
LEASE_S = 10 * PATIENCE_S
MODULE = {"merge_strategy": "upsert", "merge_key": "id", "undo_runs": 3}

WAITS = """select 1 from pg_stat_activity where application_name like 'pipekit:%' and datname = current_database()
    and state = 'active' and (wait_event_type = 'Lock' or wait_event = 'PgSleep')"""
KEPT = "select relname from pg_class where relnamespace = 'pipekit_staging'::regnamespace and relname like '%undo%'"


class Scene:
    """A module within one database, and two sessions to look and to hold things up."""

    def __init__(self, folder: Path, postgres: LocalPostgres) -> None:
        self.name = lend_database(postgres, "kill_undo")
        self.eye, self.holder = (
            psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=self.name, autocommit=auto)
            for auto in (True, False)
        )
        for sql in (
            "create table s as select i as id, 'new' as v from generate_series(21, 60) i",
            "create table t (id int primary key, v text)",
            "insert into t select i, 'old' from generate_series(1, 40) i",
            "create function late() returns trigger language plpgsql as"
            " 'begin if to_regclass(''held'') is not null then perform pg_sleep(60); end if; return null; end'",
            "create constraint trigger late after insert or update or delete on t deferrable initially deferred"
            " for each row execute function late()",
        ):
            self.eye.execute(sql)
        self.project = Project(folder)
        (self.project.home / "config.yaml").write_text(f"lease_s: {LEASE_S}\n")
        place = self.project.add_connection("d", postgres.jdbc_url(self.name), username="postgres")
        self.module = self.project.add_module("m", source=place, query="table s", dest=place, table="t", **MODULE)

    def rows(self) -> list[tuple[Any, ...]]:
        return self.eye.execute("select id, v from t order by id").fetchall()

    def list_kept(self) -> list[str]:
        return [row[0] for row in self.eye.execute(KEPT).fetchall()]

    def hold(self, stage: str) -> None:
        """Before the first row is touched, or when all are and only the commit is left."""
        if stage == "begin":
            self.holder.execute("lock table t in share mode")
        else:
            self.eye.execute("create table held ()")

    def let_go(self) -> None:
        self.holder.rollback()
        self.eye.execute("drop table if exists held")
        asleep = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
        self.eye.execute(f"{asleep} and datname = current_database()")


@pytest.fixture
def scene(postgres: LocalPostgres, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path, postgres)
    yield scene
    for connection in (scene.holder, scene.eye):
        connection.close()
    scene.project.close()
    take_back(postgres, scene.name)


def kill_in(scene: Scene, stage: str, victim: str, *words: str) -> Run:
    """The record of a command that was killed there, as the module's next run closes it."""
    scene.hold(stage)
    with scene.project.start_cli(*words) as program:
        assert wait_until(lambda: bool(scene.eye.execute(WAITS).fetchall()), PATIENCE_S), (
            f"{words} never got to {stage}"
        )
        os.kill(find_children(program.pid)[0] if victim == "runner" else program.pid, signal.SIGKILL)
        scene.let_go()
        assert program.wait(PATIENCE_S) is not None
    killed = scene.project.last_run()
    finished = scene.project.cli_apart("run", "m", "--dry-run")
    assert finished.code == 0, finished.stdout + finished.stderr
    return scene.project.get_run(killed.id)


@pytest.mark.parametrize("victim", ["runner", "pipekit"])
@pytest.mark.parametrize("stage", ["begin", "commit"])
def test_a_kill_in_the_merge_keeps_all_of_what_it_changed_or_nothing(scene: Scene, stage: str, victim: str) -> None:
    run = kill_in(scene, stage, victim, "run", "m")
    has_merged = run.merge_state == "merged"
    assert scene.rows() == (AFTER if has_merged else BEFORE)
    assert scene.list_kept() == ([name_images(run.run_key)] if has_merged else [])
    if has_merged:
        assert scene.project.cli_apart("undo", str(run.id)).code == 0
        assert scene.rows() == BEFORE


@pytest.mark.parametrize("victim", ["runner", "pipekit"])
@pytest.mark.parametrize("stage", ["begin", "commit"])
def test_a_kill_in_an_undo_leaves_all_of_it_or_nothing(scene: Scene, stage: str, victim: str) -> None:
    ran = scene.project.succeed(scene.module)
    undone = kill_in(scene, stage, victim, "undo", str(ran.id))
    is_done = undone.merge_state == "merged"
    assert scene.rows() == (BEFORE if is_done else AFTER)
    assert scene.list_kept() == ([] if is_done else [name_images(ran.run_key)])
    again = scene.project.cli_apart("undo", str(ran.id))
    assert (again.code, scene.rows()) == (2 if is_done else 0, BEFORE), again.stderr
    assert scene.list_kept() == []


def test_kills_at_any_moment_leave_a_file_whole_and_its_undo_true(tmp_path: Path) -> None:
    path, rng = tmp_path / "shop.db", random.Random(17)
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table s (id integer, v text)")
        db.executemany("insert into s values (?, ?)", [(i, "new") for i in range(21, 61)])
        db.execute("create table t (id integer primary key, v text)")
        db.executemany("insert into t values (?, ?)", BEFORE)
        db.commit()
    project = Project(tmp_path)
    place = project.add_connection("d", f"jdbc:sqlite:{path}")
    module = project.add_module("m", source=place, query="select * from s", dest=place, table="t", **MODULE)

    def look() -> tuple[list[Any], list[str]]:
        with closing(sqlite3.connect(path)) as db:
            rows = db.execute("select id, v from t order by id").fetchall()
            kept = db.execute("select name from sqlite_master where name like '%pipekit_undo%'").fetchall()
        return rows, [row[0].removeprefix("pipekit_staging.") for row in kept]

    for number in range(8):
        ran = project.succeed(module) if number % 2 else None
        seen = max((run.id for run in repo.list_runs(project.db, limit=1)), default=0)
        words = ("undo", str(ran.id)) if ran else ("run", "m")
        with project.start_cli(*words) as program:
            time.sleep(rng.uniform(0.1, 0.7))
            with suppress(ProcessLookupError):
                os.kill(program.pid, signal.SIGKILL)
            program.wait(PATIENCE_S)
        assert project.cli_apart("run", "m", "--dry-run").code == 0
        rows, kept = look()
        later = [run for run in repo.list_runs(project.db, limit=3) if run.id > seen and not run.dry_run]
        run = project.get_run(ran.id) if ran else next(iter(later), None)
        has_merged = run is not None and run.merge_state == "merged" and run.undone_by is None
        assert rows == (AFTER if has_merged else BEFORE), f"{words}, round {number}"
        assert kept == ([name_images(run.run_key)] if run and has_merged else [])
        if run and has_merged:
            assert project.cli_apart("undo", str(run.id)).code == 0
        assert look() == (BEFORE, [])
    project.close()

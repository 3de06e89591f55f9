# kill -9 of the runner and of `pipekit run`, at each stage of a run, on a real PostgreSQL.
"""After a kill the dest is as before or fully merged, the record says which, and the next run works without help."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.driver import DRIVER
from pipekit.models import Guards, Module, Run
from pipekit.runner.process import Program, wait_until
from pipekit.runner_contract import QueryResult
from tests.lending import lend_database, take_back
from tests.patience import PATIENCE_S
from tests.project import Project, find_children

OLD, NEW = 40, 60
LEDGER = DRIVER.quote_table(DRIVER.ledger_table())
# The next run does not wait for the lease of the one that was killed: it would have to wait longer than a test does.
LEASE_S = 10 * PATIENCE_S

BUSY = """select 1 from pg_stat_activity
    where application_name like 'pipekit:%%' and datname = current_database() and state = 'active' and query ilike %s
      and (not %s or wait_event_type = 'Lock')"""

# Each stage is held where it can be seen from outside: by a lock, a slow function, or a slow trigger at commit.
STAGES = ("watermark", "plan", "stage", "check", "merge", "commit", "hook")
VICTIMS = ("runner", "pipekit run")
OTHER_STAGES = ("stage", "merge", "commit")  # the others are the same whatever the strategy
OTHER_STRATEGIES = [
    (stage, victim, strategy)
    for strategy in ("incremental", "append", "upsert", "swap")
    for stage in OTHER_STAGES
    for victim in VICTIMS
]
CASES = [(stage, victim, "full") for stage in STAGES for victim in VICTIMS] + OTHER_STRATEGIES


@dataclass
class Scene:
    """A module from one database to another, and a session in each to look and to hold things up."""

    project: Project
    module: Module
    source: psycopg.Connection[Any]
    dest: psycopg.Connection[Any]
    holder: psycopg.Connection[Any]

    def rows(self) -> list[tuple[Any, ...]]:
        return self.dest.execute("select id, v from public.t order by id, v").fetchall()

    def before(self, strategy: str) -> list[tuple[Any, ...]]:
        return [(i, "old") for i in range(1, OLD + 1)]

    def after(self, strategy: str) -> list[tuple[Any, ...]]:
        new = [(i, "new") for i in range(21, NEW + 1)]
        kept = {
            "full": [],
            "swap": [],
            "incremental": range(1, 21),
            "upsert": range(1, 21),
            "append": range(1, OLD + 1),
        }[strategy]
        return sorted([(i, "old") for i in kept] + new)


@pytest.fixture
def scene(postgres: LocalPostgres, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    stage, _, strategy = request.param
    names = [lend_database(postgres, "kill") for _ in ("source", "dest")]
    source, dest, holder = (
        psycopg.connect(host="127.0.0.1", port=postgres.port, user="postgres", dbname=name, autocommit=True)
        for name in (names[0], names[1], names[0] if stage == "plan" else names[1])
    )
    holder.autocommit = False
    _fill(source, dest, stage)
    project = Project(tmp_path)
    (project.home / "config.yaml").write_text(f"lease_s: {LEASE_S}\n")
    connections = [
        project.add_connection(side, postgres.jdbc_url(name), username="postgres")
        for side, name in zip(("source", "dest"), names, strict=True)
    ]
    module = project.add_module(
        "m",
        source=connections[0],
        query="select id, slow(v) as v from public.t where id > {floor}",
        dest=connections[1],
        table="public.t",
        merge_strategy="full" if strategy == "swap" else strategy,
        load="swap" if strategy == "swap" else "auto",
        merge_key="id",
        guards=Guards(shrink=0.1),
        watermarks=[{"name": "floor", "connection_id": connections[0].id, "resolver_sql": "select floor()"}],
        hooks=[{"sql": "select hooked()"}],
    )
    yield Scene(project, module, source, dest, holder)
    for connection in (holder, source, dest):
        connection.close()
    project.close()
    for name in names:
        take_back(postgres, name)


def _fill(source: psycopg.Connection[Any], dest: psycopg.Connection[Any], stage: str) -> None:
    source.execute("create table t (id int, v text)")
    source.execute(f"insert into t select i, 'new' from generate_series(21, {NEW}) i")
    slow_s = {"stage": 2.0, "check": 0.05}.get(stage, 0.0)
    _make_function(source, "slow(v text)", "text", "v", slow_s)
    _make_function(source, "floor()", "int", "0", 60.0 if stage == "watermark" else 0.0)
    dest.execute("create table t (id int, v text)")
    dest.execute(f"insert into t select i, 'old' from generate_series(1, {OLD}) i")
    _make_function(dest, "hooked()", "int", "1", 60.0 if stage == "hook" else 0.0)
    if stage == "commit":
        # On the ledger: what waits on the dest itself is settled before the commit, as a merge looks at what fired.
        for sql in DRIVER.find_setup_sql(lambda sql: _ask(dest, sql)):
            dest.execute(sql)
        _make_function(dest, "late()", "trigger", "null", 60.0)
        dest.execute(
            f"create constraint trigger late after insert on {LEDGER} deferrable initially deferred"
            " for each row execute function late()"
        )


def _ask(connection: psycopg.Connection[Any], sql: str) -> QueryResult:
    """A query's rows as a runner gives them: true is `t`."""
    rows = connection.execute(sql).fetchall()
    return QueryResult(columns=(), rows=tuple(tuple(str(cell)[0].lower() for cell in row) for row in rows))


def _make_function(connection: psycopg.Connection[Any], head: str, returns: str, value: str, sleep_s: float) -> None:
    body = f"begin perform pg_sleep({sleep_s}); return {value}; end"
    connection.execute(f"create or replace function {head} returns {returns} language plpgsql volatile as $$ {body} $$")


def _freeze(scene: Scene, stage: str) -> Callable[[], bool]:
    """Holds the run up at a stage; returns a question whether it has got there."""

    def busy(connection: psycopg.Connection[Any], pattern: str, waits_for_lock: bool) -> Callable[[], bool]:
        return lambda: bool(connection.execute(BUSY, (pattern, waits_for_lock)).fetchall())

    if stage == "plan":
        scene.holder.execute("lock table t in access exclusive mode")
        return busy(scene.source, "%", True)
    if stage == "check":
        # `shrink` counts the dest's rows in the check; filling staging does not touch the dest.
        return _hold_when_staged(scene, busy(scene.dest, "%count(*)%", True))
    if stage == "merge":
        scene.holder.execute("lock table t in share mode")
        return busy(scene.dest, "%t%", True)
    where = scene.source if stage in ("watermark", "stage") else scene.dest
    return busy(
        where, {"watermark": "%floor%", "stage": "copy%", "commit": "commit%", "hook": "%hooked%"}[stage], False
    )


def _hold_when_staged(scene: Scene, busy: Callable[[], bool]) -> Callable[[], bool]:
    """Takes the lock as soon as staging exists: from then on only the check needs the dest."""
    held = False

    def arrived() -> bool:
        nonlocal held
        if not held:
            found = scene.dest.execute("select to_regclass('pipekit_staging.m') is not null").fetchone()
            if found and found[0]:
                scene.holder.execute("lock table t in access exclusive mode")
                held = True
        return held and busy()

    return arrived


def _kill(program: Program, victim: str) -> None:
    target = program.pid if victim == "pipekit run" else find_children(program.pid)[0]
    os.kill(target, signal.SIGKILL)


@pytest.mark.parametrize(
    ("scene", "case"), [(case, case) for case in CASES], indirect=["scene"], ids=["-".join(c) for c in CASES]
)
def test_a_kill_leaves_the_dest_whole_and_the_record_true(scene: Scene, case: tuple[str, str, str]) -> None:
    stage, victim, strategy = case
    arrived = _freeze(scene, stage)
    with scene.project.start_cli("run", "m") as program:
        assert wait_until(arrived, PATIENCE_S), f"the run never reached {stage}"
        _kill(program, victim)
        scene.holder.rollback()
        assert program.wait(PATIENCE_S) is not None
    _thaw(scene)

    # A dry run claims the module, which closes the run that was killed, and changes nothing.
    finished = scene.project.cli_apart("run", "m", "--dry-run")
    assert finished.code == 0, finished.stdout + finished.stderr
    record = scene.project.get_run(1)
    _check_truth(scene, record, stage, strategy)

    run = scene.project.succeed(scene.module)
    assert run.rows_staged == NEW - 20
    if strategy != "append" or record.merge_state == "none":
        assert scene.rows() == scene.after(strategy)
    _check_nothing_left(scene)


def _thaw(scene: Scene) -> None:
    """What held the stage up is taken away for the next run."""
    _make_function(scene.source, "slow(v text)", "text", "v", 0)
    _make_function(scene.source, "floor()", "int", "0", 0)
    _make_function(scene.dest, "hooked()", "int", "1", 0)
    _make_function(scene.dest, "late()", "trigger", "null", 0)


def _check_truth(scene: Scene, record: Run, stage: str, strategy: str) -> None:
    # A server may commit a merge whose client has just been killed: then the record says so.
    expected = {"none": scene.before(strategy), "merged": scene.after(strategy)}
    assert record.merge_state in expected, record
    assert scene.rows() == expected[record.merge_state]
    assert record.status in ("error", "success")
    assert (record.status == "success") <= (record.merge_state == "merged")
    if stage in ("watermark", "plan", "stage", "check"):
        assert (record.status, record.merge_state) == ("error", "none")
    if stage == "hook":
        assert (record.status, record.error_stage, record.merge_state) == ("error", "hook", "merged")


def _check_nothing_left(scene: Scene) -> None:
    tables = scene.dest.execute(
        "select relname from pg_class where relnamespace = 'pipekit_staging'::regnamespace and relkind = 'r'"
    )
    assert [row[0] for row in tables.fetchall()] == ["pipekit_ledger"]
    sql = "select count(*) from pg_stat_activity where application_name like 'pipekit:%'"
    assert wait_until(lambda: scene.dest.execute(sql).fetchone() == (0,), PATIENCE_S)

# Limits of time, cancelling and trying again, on a real PostgreSQL and on a server that never answers.
"""A run that takes too long, is cancelled, or meets a passing fault ends truthfully and leaves nothing behind."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import cancel_run
from pipekit.engine.events import Event, RowsMoved, StageStarted
from pipekit.models import Module, Run
from pipekit.runner.process import wait_until
from tests.patience import PATIENCE_S
from tests.project import Project

SLOW = "select g as id, pg_sleep(0.2) is null as v from generate_series(1, 500) g"
HELD = "select 1 as id, true as v union all select 2, pg_advisory_lock(9) is null"
SESSIONS = "select count(*) from pg_stat_activity where application_name like 'pipekit:%'"


class Scene:
    """One database with a dest table of one row, and a project that knows it as `db`."""

    def __init__(self, postgres: LocalPostgres, database: str, folder: Path) -> None:
        self.connection: psycopg.Connection[Any] = psycopg.connect(
            host="127.0.0.1", port=postgres.port, user="postgres", dbname=database, autocommit=True
        )
        self.connection.execute("create table t (id int, v boolean); insert into t values (0, null)")
        self.project = Project(folder)
        self.database = self.project.add_connection("db", postgres.jdbc_url(database), username="postgres")

    def module(self, query: str, name: str = "m", **options: Any) -> Module:
        return self.project.add_module(
            name, source=self.database, query=query, dest=self.database, table="t", **options
        )

    def assert_untouched(self) -> None:
        """The dest as it was, no staging, no session."""
        assert self.connection.execute("select id from t").fetchall() == [(0,)]
        staging = (
            "select tablename from pg_tables where schemaname = 'pipekit_staging' and tablename <> 'pipekit_ledger'"
        )
        assert self.connection.execute(staging).fetchall() == []
        assert wait_until(lambda: self.connection.execute(SESSIONS).fetchone() == (0,), PATIENCE_S)


@pytest.fixture
def scene(postgres: LocalPostgres, make_database: Callable[[str], str], tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(postgres, make_database("limits"), tmp_path)
    yield scene
    scene.connection.close()
    scene.project.close()


def error_of(run: Run) -> tuple[str, str | None, str]:
    return run.status, run.error_stage, f"{run.error} {run.hint}"


def test_silence_of_the_source_ends_the_run(scene: Scene) -> None:
    module = scene.module("select 1 as id, pg_sleep(600) is null as v", silence_timeout_s=1.0)
    status, stage, text = error_of(scene.project.run(module))
    assert (status, stage) == ("error", "stage")
    assert "Nothing was heard of the databases for 1 s" in text
    assert "silence_s" in text
    scene.assert_untouched()


def test_a_slow_source_that_keeps_sending_is_not_silent(scene: Scene) -> None:
    scene.connection.execute("alter table t add pad text")
    query = """select g as id, pg_sleep(0.02) is null as v, repeat('x', 2000) as pad from generate_series(1, 300) g"""
    run = scene.project.run(scene.module(query, silence_timeout_s=4))
    assert (run.status, run.rows_inserted) == ("success", 300), run.error


def test_the_whole_run_has_a_limit(scene: Scene) -> None:
    status, stage, text = error_of(scene.project.run(scene.module(SLOW, run_timeout_s=1.0)))
    assert (status, stage) == ("error", "stage")
    assert "longer than its limit of 1 s" in text
    assert "run_s" in text
    scene.assert_untouched()


def test_a_server_that_never_answers_ends_in_the_connect_timeout(scene: Scene) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(50)
        url = f"jdbc:postgresql://127.0.0.1:{deaf.getsockname()[1]}/x"
        nowhere = scene.project.add_connection("deaf", url, username="u")
        scene.project.config = replace(scene.project.config, connect_timeout_s=2.0, retry_delays_s=())
        module = scene.project.add_module(
            "m", source=nowhere, query="select 1 as id", dest=scene.database, table="t", retries=0
        )
        # After this long the server would hang up, which is another error.
        hangs_up = threading.Timer(PATIENCE_S / 2, deaf.close)
        hangs_up.start()
        status, stage, text = error_of(scene.project.run(module))
        hangs_up.cancel()
        assert (status, stage) == ("error", "plan")
        assert "timeout" in text.lower()
    scene.assert_untouched()


def test_a_port_where_nobody_listens_is_tried_again_and_counted(scene: Scene) -> None:
    nowhere = scene.project.add_connection("nowhere", "jdbc:postgresql://127.0.0.1:1/x", username="u")
    scene.project.config = replace(scene.project.config, retry_delays_s=(0.0,))
    module = scene.project.add_module("m", source=nowhere, query="select 1 as id", dest=scene.database, table="t")
    run = scene.project.run(module)
    assert (run.status, run.error_stage, run.attempt) == ("error", "plan", 3)
    assert "refused" in (run.error or "")


def test_a_fault_that_passes_is_cured_by_trying_again(scene: Scene) -> None:
    """The source's sessions are ended once, in the middle of the load."""
    scene.project.config = replace(scene.project.config, retry_delays_s=(0.0,))
    ended: list[int] = []

    def end_once(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "stage" and not ended:
            threading.Thread(target=_end_copies, args=(scene, ended)).start()

    query = "select g as id, pg_sleep(0.01) is null as v from generate_series(1, 60) g"
    run = scene.project.run(scene.module(query), end_once)
    assert (run.status, run.attempt, run.rows_inserted) == ("success", 2, 60), run.error
    assert ended
    assert scene.connection.execute("select count(*) from t").fetchone() == (60,)


def _end_copies(scene: Scene, ended: list[int]) -> None:
    sql = """select pg_terminate_backend(pid) from pg_stat_activity
        where application_name like 'pipekit:%' and query like 'COPY (%' and state = 'active'"""
    with psycopg.connect(scene.connection.info.dsn, autocommit=True) as other:
        wait_until(lambda: bool(other.execute(sql).fetchall()), PATIENCE_S)
    ended.append(1)


@pytest.mark.parametrize("stage", ["stage", "merge"])
def test_cancelling_leaves_the_dest_unchanged_and_no_session(scene: Scene, stage: str) -> None:
    hooks = [{"sql": "create table hooked (x int)", "run_on": "always"}]
    module = scene.module(HELD if stage == "stage" else "select 1 as id, true as v", hooks=hooks)
    holder = psycopg.connect(scene.connection.info.dsn)
    holder.execute("select pg_advisory_lock(9)" if stage == "stage" else "lock table t in share mode")

    def cancel(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == stage:
            threading.Timer(1.0, _cancel_from_elsewhere, (scene, event.run_id)).start()

    run = scene.project.run(module, cancel)
    assert (run.status, run.error_stage, run.merge_state) == ("cancelled", stage, "none")
    # It did not wait for the end of what it did: that is held up even now.
    holder.rollback()
    holder.close()
    assert scene.connection.execute("select count(*) from hooked").fetchone() == (0,), "an always hook runs"
    scene.assert_untouched()
    assert repo.get_module(scene.project.db, module.id).running is False


def _cancel_from_elsewhere(scene: Scene, run_id: int) -> None:
    db = repo.open_state(scene.project.config.state_path)
    assert cancel_run(db, run_id)
    db.close()


def test_a_dest_that_is_gone_while_it_merges_is_settled_by_the_next_run(
    scene: Scene, postgres: LocalPostgres, tmp_path: Path
) -> None:
    """The whole server goes in the middle of the merge: nobody can say what happened until it is back."""
    server = LocalPostgres(tmp_path / "server", fsync=True)
    server.start()
    server.run_sql("create table t (id int); insert into t values (0)")
    dest = scene.project.add_connection("gone", server.jdbc_url(), username="postgres")
    module = scene.project.add_module("m", source=scene.database, query="select 7 as id", dest=dest, table="t")

    def kill_server(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == "merge":
            server.kill()

    run = scene.project.run(module, kill_server)
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "unknown")
    assert "cannot be asked" in (run.error or "")
    server.start()
    assert server.jdbc_url() == dest.jdbc_url
    assert scene.project.succeed(module).rows_inserted == 1
    assert scene.project.get_run(run.id).merge_state == "none"
    assert server.run_sql("select id from t") == "7"
    server.stop()


def test_progress_is_told_while_rows_move(scene: Scene) -> None:
    told: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, RowsMoved):
            told.append(event.rows)

    query = "select g as id, g % 2 = 0 as v from generate_series(1, 3000000) g"
    run = scene.project.run(scene.module(query), listen)
    assert run.status == "success"
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == 3_000_000
    log = scene.project.read_log(run.id)
    assert log.count("\n3000000\n") == 1, "ticks collapse into the last one"

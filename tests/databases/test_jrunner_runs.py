# Modules run by an installed jrunner: the fake one, on SQLite and PostgreSQL, with everything that can go wrong in it.
"""`runner: jrunner` of config.yaml, from the claim to the record."""

import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from pipekit import repo
from pipekit.config import load_config
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import cancel_run
from pipekit.errors import ConnectFailed, RunnerDied, RunnerError, StatementFailed
from pipekit.models import Guards, Module, Run
from pipekit.runner.jrunner import JrunnerRunner
from pipekit.runner.jrunner_call import query_file
from pipekit.runner.process import start_program, wait_until
from pipekit.runner_contract import Endpoint, Load, LoadColumn, Statement
from tests.databases.jrunners import write_launcher
from tests.patience import PATIENCE_S
from tests.project import Project

SECRET = "bullace-and-sloe"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    program = write_launcher(tmp_path, "fake")
    project = Project(tmp_path)
    (project.home / "config.yaml").write_text(f"runner: jrunner\njrunner: {program}\n", "utf-8")
    project.config = load_config({"PIPEKIT_HOME": str(project.home)})
    with closing(connect(tmp_path / "shop.db")) as db:
        db.execute("create table orders (id integer, name text, changed text)")
        db.executemany("insert into orders values (?, ?, ?)", [(i, f"n {i}", f"2024-{i % 9}") for i in range(1, 1001)])
        db.commit()
    with closing(connect(tmp_path / "dw.db")) as db:
        db.execute("create table orders (id integer primary key, name text, changed text)")
    return project


def add_orders(project: Project, **options: object) -> Module:
    shop = project.add_connection("shop", "jdbc:sqlite:shop.db", username="me", password="$SHOP")
    dw = project.add_connection("dw", "jdbc:sqlite:dw.db")
    project.secrets.set("SHOP", SECRET)
    query = "select * from orders where changed >= '{since}'"
    mark = {"name": "since", "connection_id": shop.id, "resolver_sql": "select min(changed) from orders"}
    options = {"merge_strategy": "incremental", "merge_key": "id", "watermarks": [mark], **options}
    return project.add_module("orders", source=shop, query=query, dest=dw, table="orders", **options)


def test_a_module_runs_by_jrunner_from_watermark_to_receipt(project: Project) -> None:
    run = project.succeed(add_orders(project))
    assert (run.rows_read, run.rows_staged, run.rows_inserted) == (1000, 1000, 1000)
    assert run.watermark_values == {"since": "2024-0"}
    with closing(connect(project.home.parent / "dw.db")) as db:
        assert db.execute("select count(*), min(name), max(name) from orders").fetchone() == (1000, "n 1", "n 999")


def test_counters_collapse_in_the_live_log_and_no_password_is_in_it(project: Project) -> None:
    run = project.succeed(add_orders(project))
    log = project.read_log(run.id)
    ticks = [line for line in log.splitlines() if line.isdecimal()]
    assert ticks == ["1000", "1000"]  # jrunner's four, of which the last stayed, and the sum of the step
    assert "1000 rows" in log
    assert "jrunner inserts" in log
    assert "values by itself" in log
    assert SECRET not in log + str(run.to_json())
    # What programs printed for a person, and a line for what our own runner answered; no counters, no rows.
    said = (run.stdout or "").splitlines()
    assert [line for line in said if "1000 rows" in line]
    assert [line for line in said if line.startswith('execute {"event": "done"')]
    assert not [line for line in said if line.isdecimal()]


def test_a_dest_with_a_bulk_path_is_loaded_in_bulk(project: Project, dest_db: str, postgres: LocalPostgres) -> None:
    postgres.run_sql("create table orders (id integer primary key, name text, changed text)", dest_db)
    dw = project.add_connection("pg", postgres.jdbc_url(dest_db), username="postgres")
    module = add_orders(project)
    run = project.succeed(repo.update_module(project.db, module.id, dest_id=dw.id))
    assert run.rows_inserted == 1000
    assert "jrunner bulk" in project.read_log(run.id)
    assert postgres.run_sql("select count(*), sum(id) from orders", dest_db) == "1000|500500"


def test_a_failing_query_names_its_stage_and_cause(project: Project) -> None:
    module = add_orders(project, watermarks=[])
    run = project.run(repo.update_module(project.db, module.id, source_query="select * from nowhere"))
    assert (run.status, run.error_stage) == ("error", "plan")
    assert "no such table: nowhere" in (run.error or "")
    assert SECRET not in (run.error or "")


@pytest.mark.parametrize(
    ("trouble", "stage", "told"),
    [
        ("silent", "stage", "without saying how many rows"),
        ("short", "check", "delivered 1110 rows, but staging holds 1109"),
    ],
)
def test_a_jrunner_that_loses_rows_or_does_not_count_fails_the_run(
    project: Project, monkeypatch: pytest.MonkeyPatch, trouble: str, stage: str, told: str
) -> None:
    with closing(connect(project.home.parent / "shop.db")) as db:
        db.executemany("insert into orders values (?, 'x', '2025')", [(i,) for i in range(2000, 2110)])
        db.commit()
    monkeypatch.setenv("JRUNNER_OPTS", trouble)
    run = project.run(add_orders(project))
    assert (run.status, run.error_stage) == ("error", stage)
    assert told in (run.error or "")
    with closing(connect(project.home.parent / "dw.db")) as db:
        assert db.execute("select count(*) from orders").fetchone() == (0,)


def test_cancelling_ends_jrunner_and_leaves_the_dest(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JRUNNER_OPTS", "hang")
    module = add_orders(project, retries=0)
    done: list[str] = []

    def watch() -> None:
        if not wait_until(lambda: bool(_find_jrunners(project)), PATIENCE_S):
            return
        db = repo.open_state(project.config.state_path)
        cancel_run(db, repo.list_runs(db, limit=1)[0].id)
        db.close()
        done.append("asked")

    watcher = threading.Thread(target=watch)
    watcher.start()
    run = project.run(module)
    watcher.join()
    assert (run.status, done) == ("cancelled", ["asked"])
    assert wait_until(lambda: not _find_jrunners(project), PATIENCE_S)


def _find_jrunners(project: Project) -> list[int]:
    """The processes that move rows for this test's databases: they run where those lie."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words, folder = path.read_bytes(), (path.parent / "cwd").readlink()
        except OSError:
            continue
        if b"-dcu" in words and b"fake_jrunner" in words and folder == project.config.base_dir:
            found.append(int(path.parent.name))
    return found


# -- what is checked ---------------------------------------------------------------------------------------------------

VALUES = "select 1 as id, 1.01 as amount, '2024-05-01 12:30:00' as day, 'züs' as note union all select 2, 2.5, null, ''"


@pytest.fixture
def load_values(project: Project, dest_db: str, postgres: LocalPostgres) -> Callable[..., Run]:
    """Loads `VALUES`, or another query, from SQLite into a PostgreSQL table of these types, and gives the record."""
    shop = project.add_connection("shop", "jdbc:sqlite:shop.db")
    pg = project.add_connection("pg", postgres.jdbc_url(dest_db), username="postgres")

    def load(amount: str, day: str, query: str = VALUES, **options: object) -> Run:
        columns = f"id integer, amount {amount}, day {day}, note text"
        postgres.run_sql(f"drop table if exists t; create table t ({columns})", dest_db)
        name = f"m{len(repo.list_modules(project.db))}"
        return project.run(project.add_module(name, source=shop, query=query, dest=pg, table="t", **options))

    return load


def test_a_value_that_jrunner_or_the_dest_changed_is_found_out_by_sums(load_values: Callable[..., Run]) -> None:
    run = load_values("numeric(12,2)", "timestamp")
    assert run.status == "success", run.error
    checks = {check.name: (check.ok, check.detail) for check in run.checks}
    assert checks["exact"] == (None, "not made: jrunner converts values by itself, and nobody looks at each")
    assert checks["sums"] == (
        True,
        "the same in source and staging: rows and values that are not NULL; sum, least, greatest of id;"
        " sum, least, greatest of amount; least, greatest of day; bytes of note",
    )
    for types, told in (
        (("numeric(12,1)", "timestamp"), "In the source the sum of 'amount' is 3.51, in staging 3.5"),
        (("numeric(12,2)", "date"), "the least value of 'day' is 2024-05-01 12:30:00, in staging 2024-05-01"),
    ):
        run = load_values(*types)
        assert (run.status, run.error_stage) == ("error", "check")
        assert told in (run.error or "")
        assert "exactness: false" in (run.hint or "")


def test_a_number_that_a_float_cannot_hold_is_found_out(load_values: Callable[..., Run]) -> None:
    query = "select 1 as id, 16777217 as amount, 'x' as day, 'y' as note"
    run = load_values("real", "text", query)
    assert (run.status, run.error_stage) == ("error", "check")
    assert "of 'amount' is 16777217, in staging 1.6777216" in (run.error or "")
    run = load_values("double precision", "text", query)
    assert run.status == "success", run.error
    assert "least, greatest of amount" in next(check.detail for check in run.checks if check.name == "sums")


def test_sums_that_cannot_be_compared_are_not_shown_as_passed(load_values: Callable[..., Run]) -> None:
    def judge(query: str, **options: object) -> tuple[bool | None, str]:
        run = load_values("numeric", "text", query, **options)
        assert run.status == "success", run.error
        return next((check.ok, check.detail) for check in run.checks if check.name == "sums")

    moving = "select random() as id, 1.5 as amount, 'x' as day, 'y' as note from orders where id <= 3"
    assert judge(moving.replace("random()", "abs(random()) % 1000000")) == (
        None,
        "not made: the source's rows changed while they were read",
    )
    assert judge("select 1, 2 as x, 3 as x, 'y' as y", match="position") == (
        None,
        "not made: the query's columns have no names of their own",
    )
    blind = judge(VALUES, guards=Guards(exactness=False))
    assert blind == (True, "the same in source and staging: rows. Only counted: id, amount, day, note")


def test_a_jrunner_without_the_flag_for_bulk_is_told_of_the_setting(
    project: Project, dest: Endpoint, tmp_path: Path
) -> None:
    program = tmp_path / "old"
    program.write_text(
        f'#!/bin/sh\ncase " $* " in *" -b "*) echo "Unrecognized option: -b" >&2; exit 1;; esac\n'
        f'exec {write_launcher(tmp_path, "fake")} "$@"\n',
        "utf-8",
    )
    program.chmod(0o755)
    source = Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:shop.db", base_dir=str(tmp_path), read_only=True)
    with JrunnerRunner(str(program), bulk_kinds=["sqlite"]) as runner, pytest.raises(StatementFailed) as refused:
        runner.migrate(source, "select 1 as i", dest, LOAD)
    assert "Unrecognized option: -b" in refused.value.message
    assert "`jrunner_bulk`" in refused.value.hint
    with JrunnerRunner(str(program), bulk_kinds=[]) as runner:
        assert runner.migrate(source, "select 1 as i", dest, LOAD).rows_staged == 1


# -- the runner alone --------------------------------------------------------------------------------------------------

LOAD = Load(
    table='"staged"',
    columns=(LoadColumn(source_name="i", source_type="", stage_name="i", stage_type="INTEGER"),),
)


@pytest.fixture
def source(tmp_path: Path) -> Endpoint:
    with closing(connect(tmp_path / "s.db")) as db:
        db.execute("create table t (i integer)")
    return Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:s.db", base_dir=str(tmp_path), read_only=True, password=SECRET)


@pytest.fixture
def dest(tmp_path: Path) -> Endpoint:
    with closing(connect(tmp_path / "d.db")) as db:
        db.execute("create table staged (i integer)")
    return Endpoint(kind="sqlite", jdbc_url="jdbc:sqlite:d.db", base_dir=str(tmp_path))


def test_an_exception_with_exit_code_0_is_an_error(
    source: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JRUNNER_OPTS", "exit0")
    with JrunnerRunner(write_launcher(tmp_path, "fake")) as runner, pytest.raises(StatementFailed, match="nowhere"):
        runner.query(source, "select * from nowhere")


def test_a_program_that_prints_nothing_is_an_error(source: Endpoint) -> None:
    with JrunnerRunner("/bin/true") as runner, pytest.raises(StatementFailed, match="printed nothing"):
        runner.query(source, "select 1")


def test_a_program_that_moves_nothing_and_says_nothing_is_an_error(source: Endpoint, dest: Endpoint) -> None:
    with JrunnerRunner("/bin/true") as runner, pytest.raises(RunnerDied, match="without saying how many rows"):
        runner.migrate(source, "select 1 as i", dest, LOAD)


def test_a_program_that_is_not_there_is_named(source: Endpoint) -> None:
    with (
        JrunnerRunner("/no/such/jrunner") as runner,
        pytest.raises(RunnerError, match="/no/such/jrunner cannot be started"),
    ):
        runner.query(source, "select 1")


def test_a_password_is_masked_in_what_jrunner_says(source: Endpoint, tmp_path: Path) -> None:
    program = tmp_path / "teller"
    program.write_text('#!/bin/sh\necho "Error: called with $*" >&2\nexit 1\n', "utf-8")
    program.chmod(0o755)
    told: list[str] = []
    with JrunnerRunner(str(program), log=told.append) as runner, pytest.raises(RunnerError) as refused:
        runner.query(source, "select 1")
    assert "-scp ****" in refused.value.message
    assert "-scp ****" in "".join(told)
    assert SECRET not in refused.value.message + "".join(told) + runner.stderr_tail


def test_an_unreachable_server_may_be_tried_again(tmp_path: Path) -> None:
    away = Endpoint(kind="postgresql", jdbc_url="jdbc:postgresql://127.0.0.1:1/x", username="u", read_only=True)
    with JrunnerRunner(write_launcher(tmp_path, "fake")) as runner, pytest.raises(ConnectFailed) as refused:
        runner.query(away, "select 1")
    assert refused.value.transient


def test_the_query_lies_in_a_file_of_ours_and_is_removed() -> None:
    with query_file("select 'é'") as path:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert path.read_text("utf-8") == "select 'é'"
    assert not path.parent.exists()


def test_sessions_of_a_run_carry_its_name(
    source_db: str, make_endpoint: Callable[..., Endpoint], tmp_path: Path
) -> None:
    endpoint = make_endpoint(source_db, "pipekit:7@here", read_only=True)
    with JrunnerRunner(write_launcher(tmp_path, "fake")) as runner:
        name = runner.query(endpoint, "select application_name from pg_stat_activity where pid = pg_backend_pid()")
    assert name.first_cell() == "pipekit:7@here"


def _spell(endpoint: Endpoint) -> str:
    return f"Endpoint(kind='sqlite', jdbc_url={endpoint.jdbc_url!r}, base_dir={endpoint.base_dir!r}, read_only=True)"


def test_jrunner_ends_when_pipekit_is_killed(source: Endpoint, tmp_path: Path) -> None:
    """A process of its own is the parent here, killed while jrunner runs."""
    program = tmp_path / "sleeper"
    program.write_text('#!/bin/sh\necho $$ > "$(dirname "$0")/pid"\nsleep 600 & wait\n', "utf-8")
    program.chmod(0o755)
    script = f"from pipekit.runner.jrunner import JrunnerRunner as J; J({str(program)!r}).query(E, 'select 1')"
    script = f"from pipekit.runner_contract import Endpoint; E = {_spell(source)}; {script}"
    parent = start_program([sys.executable, "-c", script])
    pid_file = tmp_path / "pid"
    assert wait_until(lambda: pid_file.exists() and pid_file.read_text().strip() != "", PATIENCE_S)
    pid = int(pid_file.read_text())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(PATIENCE_S)
    assert wait_until(lambda: not Path(f"/proc/{pid}").exists(), PATIENCE_S)


def test_statements_on_the_dest_stay_with_the_native_runner(dest: Endpoint) -> None:
    with JrunnerRunner("/no/such/jrunner") as runner:
        counts = runner.execute(dest, [Statement(sql="insert into staged values (1), (2)", name="n")])
        assert runner.query(dest, "select count(*) from staged").first_cell() == "2"
    assert counts == {"n": 2}


def test_jrunner_fills_no_table_that_is_to_be_swapped_in(
    project: Project, postgres: LocalPostgres, dest_db: str
) -> None:
    postgres.run_sql("create table orders (id integer)", dest_db)
    dw = project.add_connection("pg", postgres.jdbc_url(dest_db), username="postgres")
    module = project.add_module("m", source=dw, dest=dw, table="orders", query="select 1 as id", load="swap")
    run = project.run(module)
    assert (run.error_stage, run.merge_state) == ("plan", "none")
    assert "jrunner fills all it finds" in (run.error or "")

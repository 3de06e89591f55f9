# Staging tables that two runs want at once, on real databases: whose they are, and what becomes of those of the dead.
"""What a run merges is what it has staged, and nobody's staging is taken from a run that may live."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.doctor import examine
from pipekit.drivers import get_driver
from pipekit.drivers.base import LedgerEntry
from pipekit.drivers.claims import Claim, build_take_sql
from pipekit.engine import CopySpec, Installation, copy_query, open_look
from pipekit.engine.events import Event, StageStarted
from pipekit.engine.recovering.ledger import find_claim
from pipekit.engine.recovering.owner import name_process
from pipekit.models import Module, Run
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Statement
from tests.databases.jdbc import DERBY_CLIENT
from tests.databases.over_jdbc import PASSWORD, open_derby, register
from tests.databases.test_runs import Database
from tests.patience import PATIENCE_S
from tests.project import Project

pytestmark = pytest.mark.usefixtures("near_when_quick")

ROWS = 50
NUMBERS = f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {ROWS})"


class Shared:
    """A dest that two installations load into from an SQLite file, with the tables `one` and `two`."""

    def __init__(self, folder: Path, dest: Any) -> None:
        self.dest = dest
        self.folder = folder
        (folder / "source.db").touch()
        self.dest.execute(*(f"create table {name} (id integer, v varchar(20))" for name in ("one", "two")))
        self.first, self.second = self._install("first"), self._install("second")

    def _install(self, name: str) -> Project:
        (self.folder / name).mkdir()
        project = Project(self.folder / name)
        project.add_connection("source", f"jdbc:sqlite:{self.folder}/source.db")
        login: dict[str, Any] = {"username": "postgres"} if self.dest.kind == "postgresql" else {}
        if self.dest.kind == "derby":
            register(project, "derby", DERBY_CLIENT, "jdbc:derby://{host}/{database}")
            project.secrets.set("DERBY", PASSWORD)
            login = {"username": "shop", "password": "$DERBY"}
        project.add_connection("dest", self.dest.url, **login)
        return project

    def module(self, project: Project, name: str, table: str, value: str, **options: Any) -> Module:
        source, dest = (repo.get_connection_by_name(project.db, side) for side in ("source", "dest"))
        query = f"{NUMBERS} select i as id, '{value}' as v from n"
        return project.add_module(name, source=source, query=query, dest=dest, table=table, **options)

    def values(self, table: str) -> list[tuple[Any, ...]]:
        return list(self.dest.rows(f"select distinct v, count(*) from {table} group by v"))

    def claim(self, project: Project, name: str) -> Claim | None:
        with self._look(project) as look:
            return find_claim(look.runner, look.driver, look.endpoint, look.driver.staging_table(name))

    def _look(self, project: Project) -> Any:
        dest = repo.get_connection_by_name(project.db, "dest")
        return open_look(project.config, project.secrets, dest, read_only=False)

    def leave_staging(self, project: Project, name: str, **more: Any) -> Claim:
        """A staging table and its claim, as a process that was killed leaves them."""
        with self._look(project) as look:
            staging = look.driver.staging_table(name)
            claim = Claim(staging=staging, run_key="dead", run_id=7, module="m@elsewhere", since_s=int(time.time()))
            claim = replace(claim, **more)
            make = f"CREATE TABLE {look.driver.quote_table(staging)} (id integer)"
            setup = look.driver.find_setup_sql(look.query)
            statements = [Statement(sql=sql) for sql in setup]
            look.runner.execute(look.endpoint, [*statements, build_take_sql(look.driver, claim), Statement(sql=make)])
            return claim

    def close(self) -> None:
        for project in (self.first, self.second):
            project.close()


@pytest.fixture(scope="module")
def derby(derby_server: int) -> Iterator[Any]:
    with NativeRunner(silence_timeout_s=120) as runner, open_derby(derby_server, "staging", runner) as database:
        yield database


@pytest.fixture(params=["postgresql", "sqlite", pytest.param("derby", marks=pytest.mark.slow)])
def shared(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres) -> Iterator[Shared]:
    is_derby = request.param == "derby"
    dest: Any = request.getfixturevalue("derby") if is_derby else Database(request.param, tmp_path, postgres)
    if is_derby:
        request.getfixturevalue("one_child")
    shared = Shared(tmp_path, dest)
    yield shared
    shared.close()
    dest.clear() if is_derby else dest.close()


def when(stage: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that acts once, when a stage of a run begins."""
    todo = [act]

    def listen(event: Event) -> None:
        if isinstance(event, StageStarted) and event.stage == stage and todo:
            todo.pop()()

    return listen


@pytest.mark.parametrize("stage", ["check", "merge"])
def test_two_installations_with_one_name_and_one_dest_each_load_their_own_rows(shared: Shared, stage: str) -> None:
    ours = shared.module(shared.first, "m", "one", "ours")
    theirs = shared.module(shared.second, "m", "two", "theirs")
    other: list[Run] = []
    run = shared.first.run(ours, when(stage, lambda: other.append(shared.second.run(theirs))))
    assert [run.status, other[0].status] == ["success", "success"], (run.error, other[0].error)
    assert shared.values("one") == [("ours", ROWS)]
    assert shared.values("two") == [("theirs", ROWS)]
    readable = str(get_driver(shared.dest.kind).staging_table("m"))
    assert (run.staging_table, other[0].staging_table) == (readable, f"{readable}.{other[0].run_key[:12]}")
    assert f"is held by run {run.id} of m@" in shared.second.read_log(other[0].id)
    assert shared.claim(shared.first, "m") is None


def test_a_module_that_took_anothers_name_while_that_one_runs_loads_its_own_rows(shared: Shared) -> None:
    a, b = (shared.module(shared.first, name, table, name) for name, table in (("a", "one"), ("b", "two")))
    other: list[Run] = []

    def rename_and_run() -> None:
        repo.update_module(shared.first.db, a.id, name="a_old")
        other.append(shared.first.run(repo.update_module(shared.first.db, b.id, name="a")))

    run = shared.first.run(a, when("merge", rename_and_run))
    assert [run.status, other[0].status] == ["success", "success"], (run.error, other[0].error)
    assert shared.values("one") == [("a", ROWS)]
    assert shared.values("two") == [("b", ROWS)]


def test_names_that_differ_in_case_alone_are_one_name(shared: Shared) -> None:
    """In SQLite they are one table."""
    ours = shared.module(shared.first, "Orders", "one", "ours")
    theirs = shared.module(shared.second, "orders", "two", "theirs")
    other: list[Run] = []
    run = shared.first.run(ours, when("merge", lambda: other.append(shared.second.run(theirs))))
    assert [run.status, other[0].status] == ["success", "success"], (run.error, other[0].error)
    assert [shared.values("one"), shared.values("two")] == [[("ours", ROWS)], [("theirs", ROWS)]]


@pytest.mark.parametrize(
    ("more", "is_taken"),
    [
        ({}, False),
        ({"since_s": int(time.time()) - 3 * 24 * 3600}, True),
        ({"is_leaving": False, "module": "m@{ours}"}, False),
    ],
    ids=["of a living installation", "of days ago", "of a run this state has never known"],
)
def test_a_staging_table_that_was_left_is_taken_over_only_when_its_run_cannot_live(
    shared: Shared, more: dict[str, Any], is_taken: bool
) -> None:
    ours = repo.get_instance_id(shared.first.db)
    words = {name: value.format(ours=ours) if isinstance(value, str) else value for name, value in more.items()}
    left = shared.leave_staging(shared.first, "m", **words)
    run = shared.first.succeed(shared.module(shared.first, "m", "one", "ours"))
    assert (run.staging_table == str(left.staging)) is is_taken
    assert shared.values("one") == [("ours", ROWS)]
    kept = shared.claim(shared.first, "m")
    assert (kept is None) if is_taken else (kept is not None and kept.owner == left.owner)


def test_a_run_whose_staging_was_taken_over_merges_nothing_and_drops_nothing(shared: Shared) -> None:
    """As when a process was stopped for so long that it was taken for dead, and goes on."""
    module = shared.module(shared.first, "m", "one", "ours")

    def take_over() -> None:
        driver = get_driver(shared.dest.kind)
        ledger, key = driver.quote_table(driver.ledger_table()), driver.staging_table("m").name
        sets = f"""set "module" = 'other m@x' where "run_key" = 'staging:{key}'"""
        shared.dest.execute(f"update {ledger} {sets}")

    run = shared.first.run(module, when("merge", take_over))
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert "taken over by another run" in (run.error or "")
    assert shared.values("one") == []
    driver = get_driver(shared.dest.kind)
    assert shared.dest.rows(f"select count(*) from {driver.quote_table(driver.staging_table('m'))}") == [(ROWS,)]


def test_a_run_that_was_shut_out_of_its_merge_meanwhile_merges_nothing(shared: Shared) -> None:
    """As when a recovery has asked the dest of a run that had only stood still."""
    module = shared.module(shared.first, "m", "one", "ours")
    driver = get_driver(shared.dest.kind)

    def shut_out() -> None:
        run = shared.first.last_run()
        name = f"m@{repo.get_instance_id(shared.first.db)}/{module.id}"
        entry = LedgerEntry(run_key=run.run_key, run_id=run.id, module=name, fence=run.fence)
        shared.dest.execute(driver.build_fence_sql(entry))

    run = shared.first.run(module, when("merge", shut_out))
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert "may no longer merge" in (run.error or ""), run.error
    assert shared.values("one") == []


@pytest.mark.parametrize("shared", ["postgresql"], indirect=True)
def test_a_staging_table_that_somebody_replaced_is_not_merged(shared: Shared) -> None:
    """By hand, or by a version of Pipekit that knows no claims."""
    module = shared.module(shared.first, "m", "one", "ours")
    fill = f"insert into pipekit_staging.m select i, 'wrong' from generate_series(1, {ROWS}) i"
    make = "drop table pipekit_staging.m; create table pipekit_staging.m (id integer, v varchar(20))"
    run = shared.first.run(module, when("merge", lambda: shared.dest.execute(make, fill)))
    assert (run.status, run.error_stage, run.merge_state) == ("error", "merge", "none")
    assert "replaced" in (run.error or "")
    assert shared.values("one") == []


@pytest.mark.parametrize("shared", ["postgresql"], indirect=True)
def test_nobody_replaces_a_staging_table_while_it_is_merged(shared: Shared) -> None:
    """The dest is locked by a reader; what wants the staging table waits for the merge."""
    module = shared.module(shared.first, "m", "one", "ours")
    shared.dest.execute("begin", "select count(*) from one")
    runs: list[Run] = []
    merging = threading.Event()

    def work() -> None:
        project = Project(shared.folder / "first")
        runs.append(project.run(module, when("merge", merging.set)))
        project.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert merging.wait(30)
    waits = "select count(*) from pg_locks where not granted and relation = 'one'::regclass"
    deadline = time.monotonic() + PATIENCE_S
    while shared.dest.rows(waits) == [(0,)] and time.monotonic() < deadline:
        time.sleep(0.05)
    shared.dest.execute("set lock_timeout = '200ms'", "savepoint s")
    with pytest.raises(Exception, match="lock timeout"):
        shared.dest.execute("drop table pipekit_staging.m")
    shared.dest.execute("rollback")
    thread.join(30)
    assert [run.status for run in runs] == ["success"], runs
    assert shared.values("one") == [("ours", ROWS)]


def test_what_killed_loads_have_left_is_removed_and_what_may_be_somebodys_is_named(shared: Shared) -> None:
    """By `doctor` and by the next copy: the claim names the process, which anybody on its machine can look for."""
    ours = repo.get_instance_id(shared.first.db)
    word, machine, pid, started = name_process().split("-")
    away = f"{word}-00000000-{pid}-{started}"
    long_ago = int(time.time()) - 3 * 24 * 3600
    owners = {
        "dead": (f"{word}-{machine}-{pid}-1", 0),
        "alive": (name_process(), long_ago),
        "away": (away, 0),
        "forgotten": (away, long_ago),
        "others": ("elsewhere", long_ago),
        "unknown": (ours, long_ago),
    }
    for name, (owner, since_s) in owners.items():
        module, moment = f"copy_{name}@{owner}", since_s or int(time.time())
        shared.leave_staging(shared.first, f"copy_{name}", run_key=name, module=module, since_s=moment)
    home = {"PIPEKIT_HOME": str(shared.first.home)}
    found = [(f.level, f.detail) for f in examine(home, connect=True) if f.name.startswith("staging")]
    named = {"away": "may go on", "others": "another installation (elsewhere)", "unknown": "no record of its run"}
    assert sorted(detail.split("copy_")[1].split(",")[0] for level, detail in found if level == "ok") == [
        "dead",
        "forgotten",
    ]
    for name, why in named.items():
        assert [why in detail for level, detail in found if level == "warn" and f"copy_{name}," in detail] == [True]
    assert {name for name in owners if shared.claim(shared.first, f"copy_{name}")} == {*named, "alive"}
    shared.leave_staging(shared.first, "copy_dead", run_key="dead again", module=f"copy_dead@{owners['dead'][0]}")
    source, dest = (repo.get_connection_by_name(shared.first.db, side) for side in ("source", "dest"))
    spec = CopySpec(source=source, query=f"{NUMBERS} select i as id, 'x' as v from n", dest=dest, table="one")
    installation = Installation(db=shared.first.db, config=shared.first.config, secrets=shared.first.secrets)
    run = copy_query(installation, spec)
    assert run.status == "success", run.error
    assert "copy_dead, left by a load that was killed, is removed" in shared.first.read_log(run.id)
    assert {name for name in owners if shared.claim(shared.first, f"copy_{name}")} == {*named, "alive"}

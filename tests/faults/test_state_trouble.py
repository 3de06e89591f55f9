# The state database's disk fills up, its file may not be written or is locked, while a real server works with it.
"""After each trouble the same server goes on, every outcome is recorded, and the log has said what was wrong."""

import json
import os
import resource
import signal
import sqlite3
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.models import Module, Run
from pipekit.runner.process import Program, run_program, wait_until
from tests.harm import OBEDIENT, fill, limited, mount_small, unmount
from tests.patience import PATIENCE_S
from tests.site import COUNT, Site, stop

SETTINGS = {"lease_s": 10, "heartbeat_s": 1}
SLOW_HOOK = {"sql": COUNT.format(count=6_000_000, what="count(*)")}
IN_CI = os.environ.get("CI") == "true"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, **SETTINGS)
    yield made
    made.close()


def add_with_hook(site: Site) -> Module:
    """Its hook goes on for some seconds after the merge."""
    return site.add("slow", hooks=[SLOW_HOOK])


def start_merged_run(site: Site, module: Module) -> int:
    """A run of the server that has merged and is in its hook."""
    run_id = site.ask(module)
    assert wait_until(lambda: site.rows("slow") == 100, PATIENCE_S), site.log()
    return run_id


def assert_whole(run: Run, site: Site) -> None:
    assert (run.status, run.rows_inserted, run.merge_state) == ("success", 100, "merged"), f"{run}\n{site.log()}"
    assert run.stages["hook"] > 0
    assert run.checks
    assert "-- hook" in site.project.read_log(run.id)


def assert_not_a_flood(log: str) -> None:
    lines = [line.partition(" ")[2] for line in log.splitlines() if " ERROR " in line]
    assert all(lines.count(line) <= 2 for line in lines), log
    assert len(lines) < 25, log
    assert "Traceback" not in log


def assert_works(site: Site, server: Program) -> None:
    """It runs the next run and ends as it should."""
    site.wait_for(site.ask(site.add("next")), "success")
    assert stop(server) == 0
    assert_not_a_flood(site.log())


# -- a full disk -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if told := mount_small(folder, 4):
        if IN_CI and os.geteuid() == 0:
            pytest.fail(told)
        pytest.skip(told)
    yield folder
    unmount(folder)


def test_a_run_that_ends_while_the_disk_is_full_is_recorded_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    (small_disk / "state").mkdir(mode=0o700)
    (tmp_path / ".pipekit").symlink_to(small_disk / "state")
    site = Site(tmp_path, **SETTINGS)
    try:
        module = add_with_hook(site)
        server = site.serve()
        run_id = start_merged_run(site, module)
        ballast = fill(small_disk)
        assert wait_until(lambda: "cannot be written, trying again" in site.log(), PATIENCE_S), site.log()
        time.sleep(SETTINGS["lease_s"] + 1)
        assert server.poll() is None
        assert site.project.get_run(run_id).status == "running"
        assert "cannot grow: the disk is full" in site.log()
        ballast.unlink()
        assert_whole(site.wait_for(run_id, "success", "error"), site)
        assert wait_until(lambda: "mended: " in site.log(), PATIENCE_S), site.log()
        assert_works(site, server)
    finally:
        site.close()


def start_server_with_a_long_wal(site: Site) -> Program:
    """Whose next change of the state stands far from the beginning of a file."""
    server = site.serve()
    warm = site.add("warm")
    wal = site.project.config.state_path.with_name("pipekit.db-wal")
    while wal.stat().st_size < 400_000:
        site.wait_for(site.ask(warm), "success")
    return server


def test_an_outcome_that_cannot_be_recorded_is_kept_beside_the_state_and_read_back(site: Site) -> None:
    assert site.project.cli_apart("secrets", "set", "PW", input_text="hunter2-and-more\n").code == 0
    module = site.add("slow", "select id from t where 'hunter2-and-more' <> ''", hooks=[SLOW_HOOK])
    server = start_server_with_a_long_wal(site)
    run_id = start_merged_run(site, module)
    side = site.project.config.state_path.with_name(f"pipekit.db.run-{run_id}.json")
    with limited(server.pid, 100_000):
        assert wait_until(lambda: "is kept in" in site.log(), PATIENCE_S), site.log()
        assert stat.S_IMODE(side.stat().st_mode) == 0o600
        kept = side.read_text()
        assert json.loads(kept)["status"] == "success"
        assert "hunter2" not in kept
        assert site.project.get_run(run_id).status == "running"
    assert_whole(site.wait_for(run_id, "success", "error"), site)
    assert wait_until(lambda: not side.exists(), PATIENCE_S)
    assert "its outcome was read from" in site.log()
    assert_works(site, server)


def test_a_side_file_is_read_back_after_the_server_was_killed(site: Site) -> None:
    module = add_with_hook(site)
    server = start_server_with_a_long_wal(site)
    run_id = start_merged_run(site, module)
    side = site.project.config.state_path.with_name(f"pipekit.db.run-{run_id}.json")
    with limited(server.pid, 100_000):
        assert wait_until(side.exists, PATIENCE_S), site.log()
        os.kill(server.pid, signal.SIGKILL)
        server.wait(PATIENCE_S)
    assert site.project.cli_apart("run", "slow", "--quiet").code == 0
    assert_whole(site.project.get_run(run_id), site)
    assert not side.exists()


class Reader:
    """Somebody who logged in an hour ago, whose every page would be written down as a use of the session."""

    def __init__(self, site: Site) -> None:
        db = site.project.db
        user = repo.create_user(db, name="eve", password_hash="x", role="viewer")
        self._token = repo.create_token(db, user.id, "t")
        self._cookie = repo.open_session(db, user.id)
        hour_ago = (repo.wall_clock() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        db.execute("UPDATE session SET last_seen_at = ?", (hour_ago,))
        self._site = site

    def _find_port(self) -> int:
        assert wait_until(lambda: "pages on http" in self._site.log(), PATIENCE_S), self._site.log()
        return int(self._site.log().rpartition("pages on http://127.0.0.1:")[2].split()[0])

    def look_at_health(self) -> int:
        return _get(self._find_port(), "/api/health", {})

    def look(self) -> list[int]:
        """The statuses of some pages, and of the API, whose tokens have a last use too."""
        port = self._find_port()
        cookie, bearer = {"Cookie": f"pipekit_session={self._cookie}"}, {"Authorization": f"Bearer {self._token}"}
        asked = [("/", cookie), ("/modules", cookie), ("/runs", cookie), ("/connections", cookie)]
        return [_get(port, path, headers) for path, headers in [*asked, ("/api/runs", bearer)]]


def _get(port: int, path: str, headers: dict[str, str]) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as http:
        http.request("GET", path, headers=headers)
        return http.getresponse().status


def test_pages_are_shown_while_nothing_can_be_written(site: Site) -> None:
    reader = Reader(site)
    server = start_server_with_a_long_wal(site)
    assert reader.look_at_health() == 200
    with limited(server.pid, 100_000):
        assert reader.look() == [200] * 5, site.log()
        assert wait_until(lambda: reader.look_at_health() == 503, PATIENCE_S)
    assert wait_until(lambda: reader.look_at_health() == 200, PATIENCE_S)
    assert_works(site, server)


def test_a_server_that_cannot_write_yet_says_why_shows_pages_and_begins_later(site: Site) -> None:
    reader = Reader(site)
    assert stop(start_server_with_a_long_wal(site)) == 0
    waiting = site.ask(site.add("waiting"))
    server = site.start("serve", through=("prlimit", "--fsize=100000:unlimited"))
    assert wait_until(lambda: "start: The state database" in site.log(), PATIENCE_S), site.log()
    assert reader.look() == [200] * 5, site.log()
    assert "server started" not in site.log()
    limits = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (limits[1], limits[1]))
    site.wait_for(waiting, "success")
    assert "mended: " in site.log()
    assert_works(site, server)


def test_a_server_starts_on_a_full_disk_though_nobody_has_left_its_files_open(small_disk: Path, tmp_path: Path) -> None:
    """What SQLite keeps beside the state while it is open is gone, and there is no room to make it anew."""
    (small_disk / "state").mkdir(mode=0o700)
    (tmp_path / ".pipekit").symlink_to(small_disk / "state")
    site = Site(tmp_path, **SETTINGS)
    reader = Reader(site)
    state = site.project.config.state_path
    site.project.close()
    assert not state.with_name("pipekit.db-shm").exists()
    ballast = fill(small_disk)
    try:
        server = site.start("serve")
        assert wait_until(lambda: "cannot grow: the disk is full" in site.log(), PATIENCE_S), site.log()
        assert reader.look() == [200] * 5, site.log()
        assert reader.look_at_health() == 503
        ballast.unlink()
        assert wait_until(lambda: "server started" in site.log(), PATIENCE_S), site.log()
        assert wait_until(lambda: reader.look_at_health() == 200, PATIENCE_S)
        # What SQLite needs is there now, and its log has room at its beginning: a small change works, a run does not.
        ballast = fill(small_disk)
        assert wait_until(lambda: reader.look_at_health() == 503, PATIENCE_S)
        ballast.unlink()
        assert reader.look() == [200] * 5, site.log()
        assert stop(server) == 0
    finally:
        site.close()


def test_a_compiled_file_that_a_full_disk_has_cut_short_is_named_with_the_mend(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "PIPEKIT_HOME": str(tmp_path / "home")}
    env["PYTHONPYCACHEPREFIX"] = str(tmp_path / "cache")
    argv = [sys.executable, "-m", "pipekit", "init"]
    assert run_program(argv, timeout_s=PATIENCE_S, env=env).code == 0
    (compiled,) = tmp_path.glob("cache/**/pipekit/cli/setup.*.pyc")
    compiled.write_bytes(compiled.read_bytes()[:2000])
    finished = run_program(argv, timeout_s=PATIENCE_S, env=env)
    assert finished.code == 2
    assert f"{compiled} is cut short" in finished.stderr
    compiled.unlink()
    assert "cut short" not in run_program(argv, timeout_s=PATIENCE_S, env=env).stderr


# -- a file that may not be written ------------------------------------------------------------------------------------


def test_a_state_file_that_is_read_only_fails_runs_clearly_and_loses_none() -> None:
    # Not below the test's own folder, which nobody but root may enter without the right that is dropped here.
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), **SETTINGS)
        path = site.project.config.state_path
        try:
            module = site.add("m")
            server = site.serve(through=OBEDIENT)
            path.chmod(0o400)
            run_id = site.ask(module)
            assert wait_until(lambda: "cannot be written" in site.log(), PATIENCE_S), site.log()
            path.chmod(0o600)
            run = site.wait_for(run_id, "success", "error")
            # Claimed through a file that was open already it fails clearly; not claimed, it waits until it is mended.
            if run.status == "error":
                assert "pipekit.db cannot be written to" in (run.error or ""), f"{run}\n{site.log()}"
            assert site.rows("m") == (100 if run.status == "success" else 0)
            assert_works(site, server)
        finally:
            site.close()


# -- a file that is locked ---------------------------------------------------------------------------------------------


def test_a_run_that_ends_while_another_process_holds_the_lock_waits_for_it(site: Site) -> None:
    module = add_with_hook(site)
    server = site.serve()
    run_id = start_merged_run(site, module)
    with closing(sqlite3.connect(site.project.config.state_path, isolation_level=None)) as holder:
        holder.execute("begin immediate")
        time.sleep(6)
        holder.execute("rollback")
    assert_whole(site.wait_for(run_id, "success", "error"), site)
    assert_works(site, server)

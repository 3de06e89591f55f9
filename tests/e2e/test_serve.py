# Real `pipekit serve` processes on SQLite files: schedules, refusal, draining, cancelling, kills. Starts no PostgreSQL.
"""`pipekit serve`."""

import json
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.engine.recovering.owner import get_liveness
from pipekit.models import Run
from pipekit.runner.process import Program, wait_until
from tests.patience import PATIENCE_S
from tests.project import find_children
from tests.site import COUNT, ENDLESS, Site, stop


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def test_a_schedule_that_is_due_fires_and_its_runs_are_run_and_logged(site: Site) -> None:
    module = site.add("m")
    db = site.project.db
    group = repo.create_group(db, name="nightly")
    repo.create_member(db, group_id=group.id, module_id=module.id)
    minute_ago = repo.wall_clock() - timedelta(seconds=61)
    schedule = repo.create_schedule(db, group_id=group.id, cron="* * * * *", active_from=minute_ago)
    server = site.serve()
    assert wait_until(lambda: bool(repo.list_runs(db, status="success")), PATIENCE_S), site.log()
    run = site.project.last_run()
    assert (run.triggered_by, run.rows_inserted) == (f"schedule:{schedule.id}", 100)
    assert wait_until(lambda: repo.list_group_runs(db)[0].status == "success", PATIENCE_S)
    assert stop(server) == 0
    log = site.log()
    assert f"run {run.id} (m) started, triggered by schedule:{schedule.id}" in log
    assert f"run {run.id} (m) success, 100 rows, " in log
    assert "server stopped" in log.splitlines()[-1]


def test_a_second_server_is_refused_and_told_who_is_there_and_since_when(site: Site) -> None:
    server = site.serve()
    finished = site.project.cli_apart("serve")
    assert finished.code == 2
    assert f"process {server.pid} on {socket.gethostname()}, since 2" in finished.stderr
    assert finished.stderr.startswith("Error: Another server works on this state database")
    assert stop(server) == 0
    assert repo.find_server(site.project.db) is None
    assert stop(site.serve()) == 0


def test_sigterm_lets_a_running_run_end_and_starts_no_other(site: Site) -> None:
    site.configure(max_runs=1)
    running = site.ask(site.add("slow", COUNT.format(count=6_000_000, what="count(*)")))
    waiting = site.ask(site.add("next"))
    server = site.serve()
    site.wait_for_rows(running)
    assert stop(server) == 0
    assert site.project.get_run(running).status == "success", site.log()
    assert site.project.get_run(waiting).status == "queued"
    assert stop(_after(site.serve(), lambda: site.wait_for(waiting, "success"))) == 0


def _after(server: Program, wait: Callable[[], Run]) -> Program:
    wait()
    return server


def test_a_run_that_does_not_end_while_the_server_drains_is_cancelled(site: Site) -> None:
    site.configure(drain_s=2)
    module = site.add("endless", ENDLESS)
    run_id = site.ask(module)
    server = site.serve()
    site.wait_for_rows(run_id)
    begun = time.monotonic()
    assert stop(server) == 0
    assert time.monotonic() - begun >= 2
    run = site.project.get_run(run_id)
    assert (run.status, run.merge_state) == ("cancelled", "none"), site.log()
    assert not repo.get_module(site.project.db, module.id).running


def test_a_second_signal_cancels_at_once(site: Site) -> None:
    site.configure(drain_s=10 * PATIENCE_S)
    run_id = site.ask(site.add("endless", ENDLESS))
    server = site.serve()
    site.wait_for_rows(run_id)
    os.kill(server.pid, signal.SIGTERM)
    assert wait_until(lambda: "server stops: 1 runs go on" in site.log(), PATIENCE_S)
    assert stop(server) == 0
    assert site.project.get_run(run_id).status == "cancelled"


def test_after_kill_9_a_new_server_recovers_everything_and_no_module_is_locked(site: Site) -> None:
    """Long before the leases of the dead one would have run out."""
    site.configure(max_runs=2, lease_s=10 * PATIENCE_S)
    modules = [site.add(name, ENDLESS) for name in ("a", "b")] + [site.add("c")]
    runs = [site.ask(module) for module in modules]
    first = site.serve()
    for run_id in runs[:2]:
        site.wait_for_rows(run_id)
    children = find_children(first.pid)
    os.kill(first.pid, signal.SIGKILL)
    first.wait(PATIENCE_S)
    second = site.serve()
    for run_id in runs[:2]:
        site.wait_for(run_id, "error")
    site.wait_for(runs[2], "success")
    assert not any(module.running for module in repo.list_modules(site.project.db))
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), PATIENCE_S)
    assert "had no living owner: recovered as error" in site.log()
    assert stop(second) == 0


def test_a_run_of_the_server_is_cancelled_from_another_process(site: Site) -> None:
    run_id = site.ask(site.add("endless", ENDLESS))
    server = site.serve()
    site.wait_for_rows(run_id)
    assert site.project.cli_apart("runs", "cancel", str(run_id)).code == 0
    assert site.wait_for(run_id, "cancelled").merge_state == "none"
    assert f"run {run_id} was asked to stop" in site.log()
    assert stop(server) == 0


def test_a_server_whose_lease_was_taken_over_ends_with_an_error(site: Site) -> None:
    site.configure(heartbeat_s=0.5)
    server = site.serve()
    db = site.project.db
    owner = repo.find_server(db)
    assert owner is not None
    assert get_liveness(owner.owner) == "alive"
    assert repo.take_server(db, "other:ns:1:2:token", 20, "elsewhere", dead_owner=owner.owner)
    assert server.wait(PATIENCE_S) == 1
    assert "another server has taken over: process 1 on elsewhere" in site.log()
    left = repo.find_server(db)
    assert left is not None
    assert left.owner == "other:ns:1:2:token"


def test_the_lease_of_a_server_that_cannot_be_seen_from_here_is_waited_for(site: Site) -> None:
    db = site.project.db
    assert repo.take_server(db, "boot:ns:1:2:token", 2, "elsewhere")
    assert stop(site.serve()) == 0
    assert repo.take_server(db, "boot:ns:1:2:token", 3600, "elsewhere")
    waiting = site.project.start_cli("serve", log_path=site.folder / "waiting.log")
    # Renewed again and again: when the waiting server looks first depends on how fast it starts.
    token = "boot:ns:1:2:token"
    try:
        assert wait_until(lambda: repo.renew_server(db, token, 3600) and waiting.poll() is not None, PATIENCE_S)
    finally:
        waiting.kill()
    assert waiting.wait(PATIENCE_S) == 2
    assert "process 1 on elsewhere" in (site.folder / "waiting.log").read_text()


def test_systemd_is_told_of_start_life_and_end(site: Site) -> None:
    path = str(site.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears:
        hears.bind(path)
        hears.settimeout(PATIENCE_S)
        server = site.serve(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
        time.sleep(1)
        assert stop(server) == 0
        hears.setblocking(False)
        told: list[str] = []
        while True:
            try:
                told.append(hears.recv(100).decode())
            except BlockingIOError:
                break
    assert told.index("READY=1") < told.index("STOPPING=1")
    assert told.count("WATCHDOG=1") >= 2


def test_the_log_can_be_json_and_never_shows_a_secret(site: Site) -> None:
    assert site.project.cli_apart("secrets", "set", "PW", input_text="hunter2-and-more\n").code == 0
    run_id = site.ask(site.add("m", "select id from t where 'hunter2-and-more' = nowhere"))
    server = site.serve("--log-format", "json", "--log-level", "debug")
    site.wait_for(run_id, "error")
    assert stop(server) == 0
    lines = [json.loads(line) for line in site.log().splitlines()]
    assert all(set(line) >= {"time", "level", "logger", "message"} for line in lines)
    failed = [line for line in lines if line["message"].startswith(f"run {run_id} (m) error")]
    assert [line["level"] for line in failed] == ["warning"]
    assert "hunter2" not in site.log()


def test_the_pages_answer_while_it_runs_and_a_port_in_use_is_told(site: Site) -> None:
    server = site.serve()
    port = find_port(site)
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as client:
        client.request("GET", "/api/health")
        answer = client.getresponse()
        assert (answer.status, json.loads(answer.read())["scheduler_alive"]) == (200, True)
        client.request("GET", "/modules")
        answer = client.getresponse()
        assert (answer.status, answer.headers["location"]) == (303, "/login?next=%2Fmodules")
    other = Site(site.folder / "other")
    finished = other.project.cli_apart("serve", "--port", str(port))
    other.close()
    assert finished.code == 2
    assert f"The pages cannot be on 127.0.0.1 port {port}: Address already in use." in finished.stderr
    finished = site.project.cli_apart("serve", "--port", str(port))
    assert finished.code == 2
    assert f"Another server works on this state database: process {server.pid}" in finished.stderr
    assert stop(server) == 0


def test_nothing_that_holds_secrets_leaves_a_core_dump(site: Site) -> None:
    server = site.serve(through=("prlimit", "--core=unlimited:unlimited"))
    assert resource.prlimit(server.pid, resource.RLIMIT_CORE)[0] == 0
    assert stop(server) == 0


def test_half_sent_requests_stop_nobody_where_descriptors_are_few(site: Site) -> None:
    server = site.serve(through=("prlimit", "--nofile=256:256"))
    port = find_port(site)
    with ExitStack() as stack:
        for _ in range(400):
            opened = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))
            opened.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\n")
        for path in ("/api/health", "/login"):
            client = stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)))
            client.request("GET", path)
            assert client.getresponse().status == 200
    assert stop(server) == 0
    assert site.log().count("as many as there may be") == 1
    assert len(site.log()) < 4000


def test_the_pages_stay_while_runs_are_drained(site: Site) -> None:
    run_id = site.ask(site.add("endless", ENDLESS))
    server = site.serve()
    site.wait_for_rows(run_id)
    port = find_port(site)
    os.kill(server.pid, signal.SIGTERM)
    assert wait_until(lambda: "server stops" in site.log(), PATIENCE_S)
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as client:
        client.request("GET", "/login")
        assert client.getresponse().status == 200
    assert stop(server) == 0


def test_an_address_that_others_reach_is_refused_while_there_is_no_user(site: Site) -> None:
    for host in ("0.0.0.0", "::"):
        finished = site.project.cli_apart("serve", "--host", host)
        assert finished.code == 2
        assert f"{host} can be reached from elsewhere, and there is no user yet." in finished.stderr
        assert "pipekit set-password" in finished.stderr
    assert repo.find_server(site.project.db) is None
    finished = site.project.cli_apart("serve", "--host", "no such host")
    assert (finished.code, "There is no address 'no such host' here" in finished.stderr) == (2, True)


def find_port(site: Site) -> int:
    """Where the newest server's pages are."""
    assert wait_until(lambda: "pages on http" in site.log(), PATIENCE_S), site.log()
    return int(site.log().partition("pages on http://127.0.0.1:")[2].split()[0])


def test_purge_by_hand_says_what_it_would_remove_and_removes_it(site: Site) -> None:
    module = site.add("m")
    db = site.project.db
    for _ in range(3):
        run = site.project.succeed(module)
    db.execute("DROP TRIGGER run_log_is_final")
    db.execute("UPDATE run_log SET started_at = '2001-01-01', finished_at = '2001-01-01'")
    counted = site.project.cli_json("purge", "--dry-run")
    assert counted == {
        "dry_run": True,
        "logs": 3,
        "runs": 2,
        "group_runs": 0,
        "fires": 0,
        "logins": 0,
        "alerts": 0,
        "versions": 0,
        "undo": 0,
    }
    told = "removed: 3 logs, 2 runs, 0 group runs, 0 fires, 0 logins, 0 alerts\n"
    assert site.project.cli_apart("purge").stdout == told
    assert [left.id for left in repo.list_runs(db)] == [run.id]

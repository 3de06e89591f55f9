# Runs from the shell: receipts, records, exit codes, cancelling. What goes on runs as a process.
"""`pipekit run`, `copy` and `runs`."""

import json
import os
import signal
import tempfile
import time
from pathlib import Path

from pipekit.runner.process import Program, wait_until
from tests.cli.conftest import Home
from tests.patience import PATIENCE_S

SLOW = (
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000000)"
    " select i as order_id, 'x' as updated_at, null as note from n"
)


def test_a_run_moves_rows_and_prints_its_receipt(shop: Home) -> None:
    finished = shop.run("run", "orders")
    assert finished.code == 0, finished.stderr
    assert "success" in finished.stdout.splitlines()[0]
    assert "inserted 1" in finished.stdout
    assert "orders: stage" in finished.stderr
    assert shop.sql("dw.db", "select count(*) from orders") == [(1000,)]


def test_the_record_as_json_is_one_document_with_what_the_specification_names(shop: Home) -> None:
    finished = shop.run("run", "orders", "--json", "--watermark", "since=2024-01-28")
    record = json.loads(finished.stdout)
    named = (
        "run_id module status rows_read rows_staged rows_inserted rows_deleted rows_updated started_at finished_at"
        " stages watermark_values resolved_sql merge_sql error_stage error"
    )
    assert set(named.split()) <= set(record)
    assert (record["status"], record["watermark_values"]) == ("success", {"since": "2024-01-28"})
    assert record["rows_read"] == record["rows_inserted"] == 35
    assert 'migrate {"event": "done", "rows_read": 35, "rows_staged": 35' in record["stdout"]
    assert (record["stderr"], finished.stderr) == (None, "")


def test_a_dry_run_moves_nothing_and_shows_the_sql(shop: Home) -> None:
    printed = shop.ok("run", "orders", "--dry-run")
    assert "where updated_at >= '1900-01-01'" in printed
    assert "-- merge" in printed
    assert shop.sql("dw.db", "select name from sqlite_schema where name = 'orders'") == []


def test_a_failed_run_exits_1_with_stage_and_cause_on_one_line(shop: Home) -> None:
    finished = shop.run("run", "broken")
    assert finished.code == 1
    errors = [line for line in finished.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "nowhere" in errors[0]
    assert "broken" in finished.stdout
    record = shop.run("run", "broken", "--json")
    assert record.code == 1
    assert json.loads(record.stdout)["status"] == "error"
    assert 'query {"event": "error"' in json.loads(record.stdout)["stdout"]


def test_quiet_says_nothing_unless_the_run_fails(shop: Home) -> None:
    fine = shop.run("run", "all_orders", "--quiet")
    assert (fine.code, fine.stdout, fine.stderr) == (0, "", "")
    assert "Error: " in shop.run("run", "broken", "--quiet").stderr


def test_an_unknown_module_and_an_unknown_watermark_exit_2(shop: Home) -> None:
    missing = shop.run("run", "ordres")
    assert missing.code == 2
    assert missing.stderr.startswith("Error: There is no module 'ordres'.\nHint: There are: ")
    assert shop.run("run", "orders", "--watermark", "until=1").code == 2
    assert shop.run("run", "orders", "--watermark", "since").code == 2


def test_runs_are_listed_shown_and_filtered(shop: Home) -> None:
    shop.ok("run", "orders")
    shop.run("run", "broken")
    listed = shop.ok_json("runs", "list")
    assert [(run["module"], run["status"]) for run in listed] == [("broken", "error"), ("orders", "success")]
    assert [run["module"] for run in shop.ok_json("runs", "list", "--status", "success")] == ["orders"]
    assert [run["module"] for run in shop.ok_json("runs", "list", "--module", "broken", "--limit", "1")] == ["broken"]
    table = shop.ok("runs", "list")
    assert table.splitlines()[0].split() == ["RUN", "MODULE", "STATUS", "STARTED", "TOOK", "READ", "INSERTED"]
    assert max(len(line) for line in table.splitlines()) <= 80
    shown = shop.ok_json("runs", "show", str(listed[1]["run_id"]), "--log")
    assert "stage" in shown["live_log"]
    assert "success" in shop.ok("runs", "show", str(listed[1]["run_id"]), "--follow")
    assert shop.run("runs", "show", "999").code == 2


def test_an_ended_run_cannot_be_cancelled(shop: Home) -> None:
    run_id = shop.ok_json("run", "orders")["run_id"]
    finished = shop.run("runs", "cancel", str(run_id))
    assert finished.code == 2
    assert finished.stderr.startswith(f"Error: Run {run_id} has ended already.")


def test_a_copy_is_a_run_without_a_module(shop: Home) -> None:
    record = shop.ok_json("copy", "shop", "select order_id, note from orders where order_id <= 10", "dw", "few")
    assert (record["status"], record["rows_inserted"], record["module_id"]) == ("success", 10, None)
    again = ("copy", "shop", "-", "dw", "few", "--strategy", "upsert", "--key", "order_id")
    shop.ok(*again, input_text="select order_id, note from orders where order_id <= 20")
    assert shop.sql("dw.db", "select count(*) from few") == [(20,)]
    assert shop.run("copy", "shop", "select 1 as x", "dw", "other", "--no-create").code == 1
    assert shop.run("copy", "shop", "select 1", "dw", "few", "--strategy", "upsert").code == 2
    refused = shop.run("copy", "shop", "select 1 as order_id", "dw", "few", "--load", "swap")
    assert (refused.code, "cannot be loaded by `load: swap`" in refused.stderr) == (1, True)
    assert shop.run("copy", "shop", "select 1", "dw", "few", "--load", "quickly").code == 2


STAGING = "select name from sqlite_schema where name like 'pipekit_staging.copy%'"


def test_what_a_killed_copy_left_is_removed_by_the_next(shop: Home) -> None:
    """A copy, and jrunner's way to do one, which no state knows of."""
    shop.sql("dw.db", "create table loaded (order_id integer, updated_at text, note text)")
    query = str(shop.folder / "q.sql")
    urls = (f"jdbc:sqlite:{shop.folder}/{name}.db" for name in ("shop", "dw"))
    load = ("jrunner", "-scu", next(urls), "-sq", query, "-dcu", next(urls), "-dt", "loaded")
    for words, again in (
        (("copy", "shop", SLOW, "dw", "few"), ("copy", "shop", "select 1 as x", "dw", "other")),
        (load, load),
    ):
        shop.write("q.sql", SLOW)
        program = shop.start(*words, log_path=shop.folder / "copy.log")
        assert wait_until(lambda: shop.sql("dw.db", STAGING) != [], PATIENCE_S)
        os.kill(program.pid, signal.SIGKILL)
        assert program.wait(PATIENCE_S) == -signal.SIGKILL
        left = shop.sql("dw.db", STAGING)
        shop.write("q.sql", "select 1, 'x', 'y'")
        shop.ok(*again)
        assert (len(left), shop.sql("dw.db", STAGING)) == (1, [])
    assert [run["status"] for run in shop.ok_json("runs", "list")] == ["success", "error"]
    folders = [path.name for path in Path(tempfile.gettempdir()).glob("pipekit-process-*")]
    assert [name for name in folders if f"-{program.pid}-" in name] == []


def _start_slow_run(shop: Home) -> tuple[Program, Path]:
    shop.ok(
        "apply",
        "-",
        input_text=f'modules:\n  slow: {{source: shop, query: "{SLOW}", dest: dw, table: made, match: position}}\n',
    )
    shop.sql("dw.db", "drop table made", "create table made (order_id integer, updated_at text, note text)")
    shop.sql("dw.db", "insert into made values (1, 'kept', null)")
    log = shop.folder / "slow.log"
    program = shop.start("run", "slow", log_path=log)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        live = shop.ok_json("runs", "list", "--status", "running")
        if live and "stage" in shop.ok_json("runs", "show", str(live[0]["run_id"]), "--log")["live_log"]:
            return program, log
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _wait(program: Program) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while (code := program.poll()) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert code is not None
    return int(code)


def test_a_second_run_of_a_module_is_busy_and_a_run_can_be_cancelled_from_another_process(shop: Home) -> None:
    program, log = _start_slow_run(shop)
    busy = shop.run("run", "slow", "--json")
    assert busy.code == 3
    assert json.loads(busy.stdout)["error"]["code"] == "ModuleBusy"
    run_id = shop.ok_json("runs", "list", "--status", "running")[0]["run_id"]
    shop.ok("runs", "cancel", str(run_id))
    assert _wait(program) == 1
    assert "cancelled" in log.read_text()
    assert shop.sql("dw.db", "select count(*), max(updated_at) from made") == [(1, "kept")]


def test_an_interrupt_cancels_the_run_and_the_receipt_says_so(shop: Home) -> None:
    program, log = _start_slow_run(shop)
    os.kill(program.pid, signal.SIGINT)
    assert _wait(program) == 1
    assert "cancelled" in log.read_text()
    assert "Traceback" not in log.read_text()
    assert shop.ok_json("runs", "list")[0]["status"] == "cancelled"

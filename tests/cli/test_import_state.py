# `pipekit import-state` as a person uses it: from the first Pipekit's file to the same rows in the same dest.
"""The definition file, the report, the archive of runs, and a file that stays as it is."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipekit.definitions import parse_definitions
from tests.cli.conftest import Home
from tests.first_state import NEWEST, OLDEST, PASSWORD, make_first_state

KEPT = "Kept 0 of 0 runs; the others were kept before."


@pytest.fixture
def old(home: Home) -> Path:
    """The newest version's file, and the databases that its connections lead to."""
    home.sql("shop.db", "create table orders (id integer, note text)", "insert into orders values (1, 'a'), (2, 'b')")
    home.sql("dw.db", "create table orders (order_no integer, remark text)", "insert into orders values (1, 'old')")
    home.sql("dw.db", "create table all_orders (number integer, words text)", "create table seen (n integer)")
    home.sql("dw.db", "create table plain (order_no integer, remark text)")
    home.ok("secrets", "set", "DW_PASSWORD", "of no use to SQLite")
    return make_first_state(home.folder / "first.db")


def get_digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("first*")}


def test_a_file_becomes_definitions_that_do_what_it_did(home: Home, old: Path) -> None:
    before = get_digests(home.folder)
    out = home.folder / "new.yaml"
    report = home.ok("import-state", str(old), "--output", str(out))
    home.ok("apply", str(out))
    runs = [home.ok_json("run", name) for name in ("orders", "all_orders")]
    assert [run["status"] for run in runs] == ["success", "success"]
    assert home.sql("dw.db", "select * from orders order by 1") == [(1, "old"), (2, "b")]
    assert home.sql("dw.db", "select * from all_orders order by 1") == [(1, "a"), (2, "b")]
    assert home.sql("dw.db", "select n from seen order by rowid") == [(1,), (2,)]
    found = parse_definitions(out.read_text())
    assert dict(found.groups["nightly"].members) == {"orders": 1, "all_orders": 2}
    assert {cron: item.enabled for cron, item in found.groups["nightly"].schedules.items()} == {"0 4 * * *": True}
    assert {cron: item.enabled for cron, item in found.groups["a-b"].schedules.items()} == {"0 * * * *": False}
    assert {name: item.driver for name, item in found.connections.items()} == {
        "shop": "sqlite",
        "dw": "sqlite",
        "as400": "db2i",
        "as400!": "db2i",
        "old dw": "postgresql",
    }
    assert get_digests(home.folder) == before
    assert report.startswith("Modules:\n")


def test_the_report_tells_what_was_not_understood_and_no_password_is_anywhere(home: Home, old: Path) -> None:
    out = home.folder / "new.yaml"
    report = home.ok("import-state", str(old), "--output", str(out), "--runs")
    for words in (
        "all_orders: full from shop into dw all_orders\n    note: was called 'all orders!'",
        "note: columns meet by position",
        "note: the watermark 'from-day' is called from_day now",
        "odd: append from as400 into old dw public.odd, DISABLED",
        "problem: the merge strategy 'swap_in' is none of full, incremental, append, upsert",
        "problem: its SQL held a password, which was taken out",
        "AS400_PASSWORD: as400",
        "AS400_PASSWORD_2: as400!",
        "DW_PASSWORD: dw",
        "OLD_DW_PASSWORD: old dw",
        "db2i: `pipekit drivers add --kind db2i --jar /opt/jt400.jar`",
        "3 from 2026-01-01T04:00:00.000Z to 2026-01-02T04:00:00.000Z",
        "left out of its address, as only a Java driver knows it: reWriteBatchedInserts",
        "nightly: orders, all_orders (0 4 * * *)",
        "module lost: its source connection is not there",
        "watermark gone: its module is not there",
        "member 3 of the group nightly: its module is gone",
        "the schedule 'every day' of the group nightly:",
        "the group 'a/b' is called a-b now",
        "module.owner_team: 1 row has a value",
        "1 user: make them with",
    ):
        assert words in report
    assert "running" not in report
    found = parse_definitions(out.read_text())
    assert [name for name, module in found.modules.items() if not module.enabled] == ["odd"]
    assert found.connections["old dw"].password == "$OLD_DW_PASSWORD"
    assert found.connections["old dw"].jdbc_url == "jdbc:postgresql://pg/dw?sslmode=require"
    state = b"".join(path.read_bytes() for path in home.state.glob("pipekit.db*"))
    assert PASSWORD not in report + out.read_text() + home.ok("runs", "archive", "2")
    assert PASSWORD.encode() not in state


def test_the_runs_are_kept_once_and_can_be_looked_at(home: Home, old: Path) -> None:
    assert "No run was kept" in home.run("runs", "archive").stderr
    assert home.ok_json("import-state", str(old), "--runs")["runs_kept"] == 3
    assert home.ok_json("import-state", str(old), "--runs")["runs_kept"] == 0
    listed = home.ok_json("runs", "archive")
    assert [(run["first_id"], run["module"], run["status"], run["rows"]) for run in listed] == [
        ("3", "?", "success", 7),
        ("2", "all_orders", "error", None),
        ("1", "orders", "success", 1200),
    ]
    assert [run["first_id"] for run in home.ok_json("runs", "archive", "--module", "ORDERS")] == ["1"]
    assert [run["first_id"] for run in home.ok_json("runs", "archive", "--status", "error")] == ["2"]
    record = home.ok_json("runs", "archive", str(listed[-1]["id"]))["record"]
    assert (record["live_log"], record["stdout"], record["group"]) == ("first second", "1200\nRows: 1200", "nightly")
    shown = home.ok("runs", "archive", str(listed[1]["id"]))
    assert "all_orders run 2 of the first Pipekit: error" in shown
    assert "error: login failed for ****" in shown
    assert home.run("runs", "archive", "99").code == 2
    assert home.ok_json("runs", "list") == []


def test_the_oldest_version_is_read_too(home: Home, old: Path) -> None:
    path = make_first_state(home.folder / "oldest.db", OLDEST, wal=False)
    out = home.folder / "new.yaml"
    report = home.ok("import-state", str(path), "--output", str(out), "--runs")
    assert "the file names no merge strategy: taken as full" in report
    assert "the watermark last names no connection: it is asked on dw" in report
    home.ok("apply", str(out))
    assert home.ok_json("run", "orders", "--watermark", "last=1")["rows_inserted"] == 1
    assert home.sql("dw.db", "select * from plain") == [(2, "b")]
    [run] = home.ok_json("runs", "archive")
    assert (run["module"], run["status"], run["started_at"]) == ("orders", "ok", "2024-05-01 01:02:03")
    assert "log: moved 3 rows" in home.ok("runs", "archive", str(run["id"]))


def test_what_a_file_lacks_or_holds_oddly_is_told_and_nothing_else_is(home: Home) -> None:
    odd = "drop table run_log; update module set source_query = x'73656c656374ff' where id = 2;"
    lacking = make_first_state(home.folder / "first.db", NEWEST + odd)
    imported = home.run_apart("import-state", str(lacking), "--runs", "--output", str(home.folder / "out.yaml"))
    assert "problem: its SQL holds bytes that are no UTF-8 text" in imported.stdout
    assert [line.split(":")[0] for line in imported.stderr.splitlines()] == [f"Wrote {home.folder}/out.yaml", KEPT]


def test_a_file_that_another_program_writes_just_now_is_read_as_of_one_moment(home: Home, old: Path) -> None:
    with closing(sqlite3.connect(old, isolation_level=None)) as writer:
        writer.execute("insert into grp values (7, 'later')")
        writer.execute("begin immediate")
        writer.execute("delete from module")
        names = parse_definitions(home.ok("import-state", str(old))).modules
        assert "later" in home.ok("import-state", str(old))
    assert set(names) == {"orders", "all_orders", "odd"}


@pytest.mark.parametrize("wal", [True, False])
def test_a_first_pipekits_file_as_state_says_what_it_is_and_stays_as_it_is(home: Home, wal: bool) -> None:
    path = home.state / "pipekit.db"
    path.unlink()
    make_first_state(path, NEWEST + "create table migrations (version integer)", wal=wal)
    path.chmod(0o644)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    done = home.run("modules", "list")
    assert done.code == 2
    assert "the state file of the first Pipekit" in done.stderr
    assert f"pipekit import-state {path}" in done.stderr
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode & 0o777) == (before, 0o644)


def test_what_is_no_file_of_the_first_pipekit_is_refused_by_what_it_is(home: Home) -> None:
    (home.folder / "text").write_text("no database " * 100)
    home.sql("other.db", "create table customer (id integer)")
    for name, words in (
        ("nothing.db", "There is no file"),
        ("text", "it is no SQLite database"),
        ("other.db", "no state file of the first Pipekit"),
        (".pipekit/pipekit.db", "state file of this Pipekit"),
    ):
        done = home.run("import-state", str(home.folder / name))
        assert (done.code, words in done.stderr) == (2, True), done.stderr

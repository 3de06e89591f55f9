# The benchmark's own machinery on small tables. Says nothing about speed.
"""That `python -m bench` measures what it says, and that nothing unequal counts."""

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.__main__ import measure_parts
from bench.contenders import PIPE, PIPEKIT
from bench.data import empty_dest, take_fingerprint
from bench.growth import LIMIT_GROWTH, Growth, measure_growth
from bench.measure import CommandFailed, Measurement, Process, measure
from bench.move import NotEqual, Result, find_ratio, measure_moves
from bench.pages import PageResult, measure_pages
from bench.report import Report
from bench.servers import DATABASE, Servers, start_servers
from bench.small import measure_small
from bench.tables import Limit, Part
from bench.viewers import ViewersResult
from pipekit.demo.postgres import find_postgres_folder

ROWS = 2_000


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Servers, Path, Report]]:
    """Both servers with the tables, the folder, and the report of one round."""
    if find_postgres_folder() is None and "CI" not in os.environ:
        pytest.skip("the demo extra is not installed")
    folder = tmp_path_factory.mktemp("bench")
    report = Report(rows=ROWS, rounds=1)
    paths = ("/", "/modules", "/runs/2900/live", "/status")
    # In a thread of its own: the browser tests leave their event loop running in this one.
    with start_servers(folder) as servers, ThreadPoolExecutor(1) as thread:
        thread.submit(measure_parts, servers, folder, report, ("move", "memory", "fixed", "viewers")).result()
        report.pages = thread.submit(measure_pages, folder, runs=3000, seconds=0.1, paths=paths).result()
        yield servers, folder, report


def test_every_part_is_measured_and_told(measured: tuple[Servers, Path, Report]) -> None:
    _, _, report = measured
    text = report.to_text()
    for words in (
        "staged pipe, binary",
        "pipekit run",
        "peak memory",
        "python -c pass",
        "of the run, stage merge",
        "/modules ",
    ):
        assert words in text
    record = json.loads(json.dumps(report.to_json()))
    assert len(record["moves"]) == 4
    assert record["fixed"]["medians"]["pipekit run"] > 0


def test_a_merge_is_measured_in_every_state_of_its_dest(measured: tuple[Servers, Path, Report]) -> None:
    servers, folder, _ = measured
    growth = measure_growth(servers, folder / "growth", few=100, many=300, strategies=["upsert, NULL in the key"])
    assert len(growth) == 4
    counts = [servers.dest.run_sql(f"select count(*) from {name}", DATABASE) for name in ("grown_31", "grown_32")]
    assert counts == ["100", "300"]
    report = Report(
        rows=1, rounds=1, growth=[*growth, Growth(strategy="x", state="y", few_s=1, many_s=2 * LIMIT_GROWTH)]
    )
    assert "x into a dest that is y" in report.list_failures()[-1]
    assert "upsert, NULL in the key: emptied since" in report.to_text()


def test_small_runs_are_asked_of_a_server_and_told_beside_psql(measured: tuple[Servers, Path, Report]) -> None:
    servers, folder, _ = measured
    part = measure_small(servers, folder / "small", 1, asked=2, modules=2)
    assert [len(part.data[name]) for name in ("asked", "by_psql", "group", "group_by_psql")] == [2, 2, 1, 1]
    assert {"plan", "stage", "merge"} <= set(part.data["stages"])
    report = Report(rows=1, rounds=1, parts={"small": part})
    assert "2 modules of 100 rows in a group" in report.to_text()
    missed = Part(tables=[], limits=[Limit(what="x", measured=0.3, at_most=0.2, unit=" s")])
    assert "x: 0.30 s, at most 0.2 s: missed by 50%" in Report(rows=1, rounds=1, parts={"y": missed}).list_failures()


def test_pages_are_asked_for_by_twenty_at_once(measured: tuple[Servers, Path, Report]) -> None:
    _, _, report = measured
    assert report.pages is not None
    assert all(len(page.seconds) >= 20 for page in report.pages)
    assert [page.path for page in report.pages] == ["/", "/modules", "/runs/2900/live", "/status"]
    assert all(page.size > page.sent > 1000 for page in report.pages[:2])


def test_viewers_of_a_run_are_answered_while_it_runs(measured: tuple[Servers, Path, Report]) -> None:
    _, _, report = measured
    assert report.viewers is not None
    assert len(report.viewers.alone) == len(report.viewers.watched) == 1
    assert len(report.viewers.answers) > 5
    assert report.viewers.sent > 0


def test_a_slow_page_and_viewers_that_cost_too_much_are_failures() -> None:
    slow = PageResult(path="/slow", seconds=(0.1, 0.3, 0.3), size=1, sent=1)
    late = PageResult(path="/late", seconds=(*(0.1,) * 18, 0.6, 0.6), size=1, sent=1)
    fine = PageResult(path="/fine", seconds=(*(0.1,) * 19, 0.6), size=1, sent=1)
    assert [page.holds for page in (slow, late, fine)] == [False, False, True]
    watched = ViewersResult(alone=(9.0,), watched=(10.1,), server_cores=(0.1, 0.2), answers=(0.1,), unchanged=0, sent=1)
    report = Report(rows=1, rounds=1, pages=[slow, fine], viewers=watched)
    assert [failure.split()[0] for failure in report.list_failures()] == ["/slow", "viewers"]


def test_the_memory_of_the_runner_is_seen(measured: tuple[Servers, Path, Report]) -> None:
    _, _, report = measured
    assert report.memory is not None
    assert any("pipekit.runner.child" in process.command for process in report.memory.large.processes)
    assert 5 < report.memory.large.runner_mb < 500


def test_a_result_that_is_not_equal_does_not_count(measured: tuple[Servers, Path, Report]) -> None:
    servers, folder, _ = measured
    with pytest.raises(NotEqual, match="pipe: the dest holds 2000"):
        measure_moves(servers, folder / "home", "something else", 1)


def test_one_changed_value_changes_the_fingerprint(measured: tuple[Servers, Path, Report]) -> None:
    servers, _, _ = measured
    before = take_fingerprint(servers.source)
    servers.source.run_sql(
        "update lineitem set l_tax = l_tax + 0.01 where l_orderkey = 7 and l_linenumber = 1", DATABASE
    )
    assert take_fingerprint(servers.source) != before
    empty_dest(servers)
    assert take_fingerprint(servers.dest).startswith("0|")


def test_the_limit_is_the_ratio_of_medians() -> None:
    def result(name: str, *seconds: float) -> Result:
        runs = tuple(Measurement(seconds=each, cpu_s=0.0, stdout="") for each in seconds)
        return Result(name=name, what="", runs=runs)

    moves = [result(PIPE, 1.0, 2.0, 9.0), result(PIPEKIT, 3.0, 3.4, 3.5)]
    assert find_ratio(moves) == pytest.approx(1.7)
    report = Report(rows=1, rounds=3, moves=moves)
    assert report.list_failures() == ["pipekit run takes 1.70 times the pipe; the limit is 1.6"]


def test_the_peak_of_a_child_process_is_measured(tmp_path: Path) -> None:
    child = f"{sys.executable} -c 'import time; x = bytearray(80_000_000); time.sleep(0.3)'"
    run = measure(["sh", "-c", f"{child}; true"], cwd=tmp_path)
    assert [type(process) for process in run.processes] == [Process]
    assert 75 < run.largest_mb < 150
    assert run.seconds > 0.3


def test_a_command_that_fails_is_shown_with_what_it_wrote(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)exit code 3.*no luck"):
        measure(["sh", "-c", "echo no luck >&2; exit 3"], cwd=tmp_path)

# The benchmark's own machinery on small tables. Says nothing about speed.
"""That `python -m bench` measures what it says, and that nothing unequal counts."""

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bench import growth, viewers
from bench.__main__ import measure_part
from bench.contenders import PIPE, PIPEKIT
from bench.data import TABLE, empty_dest, take_fingerprint
from bench.document import NoPlace, write_figures
from bench.growth import Growth, measure_growth
from bench.measure import CommandFailed, Measurement, Process, measure
from bench.move import list_pipes
from bench.pages import PageResult, build_part, measure_pages
from bench.peers import install_peers
from bench.place import Place
from bench.race import Contender, NotEqual, Result, build_limit, build_table, race
from bench.reader import watch_table
from bench.report import Report
from bench.servers import DATABASE, start_servers
from bench.small import measure_small
from bench.tables import Limit, Part, Table
from bench.viewers import ViewersResult
from pipekit.demo.postgres import find_postgres_folder

ROWS = 2_000
MEASURED = ("move", "indexed", "wide", "keyed", "undo", "memory", "fixed", "viewers", "sqlite")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, Report]]:
    """Both servers with the tables, and the report of one round."""
    if find_postgres_folder() is None and "CI" not in os.environ:
        pytest.skip("the demo extra is not installed")
    folder = tmp_path_factory.mktemp("bench")
    report = Report(rows=ROWS, rounds=1, servers="PostgreSQL")
    paths = ("/", "/modules", "/runs/2900/live", "/status")
    # In a thread of its own: the browser tests leave their event loop running in this one.
    with start_servers(folder) as servers, ThreadPoolExecutor(1) as thread:
        place = Place(servers, folder, ROWS, 1)
        for name in MEASURED:
            thread.submit(measure_part, place, report, name).result()
        report.parts["pages"] = thread.submit(measure_pages, place, runs=3000, seconds=0.1, paths=paths).result()
        yield place, report


def test_every_part_is_measured_and_told(measured: tuple[Place, Report]) -> None:
    _, report = measured
    assert report.broken == {}
    text = report.to_text()
    for words in (
        "staged pipe, binary",
        "pipekit run, load: staged",
        "pipekit run, types that differ",
        "full, 2,000 rows, primary key and two indexes",
        "full, 120 rows x 298 columns",
        "166 rows by key into 2,000, 95 % of them unchanged",
        "pipekit run, upsert, with undo",
        "growth of a full run",
        "python -c pass",
        "of the run, stage merge",
        "SQLite to PostgreSQL",
        "/modules ",
    ):
        assert words in text
    record = json.loads(json.dumps(report.to_json()))
    assert len(record["parts"]["move"]["data"]) == 6
    assert record["parts"]["fixed"]["data"]["medians"]["pipekit run"] > 0


def test_a_reader_beside_a_load_tells_how_long_it_waited(measured: tuple[Place, Report]) -> None:
    place, _ = measured
    with watch_table(place.servers.dest, TABLE) as seen:
        place.servers.dest.run_sql(f"begin; lock {TABLE}; select pg_sleep(0.3); commit", DATABASE)
    assert seen.longest_s > 0.2


def test_a_merge_is_measured_in_every_state_of_its_dest(measured: tuple[Place, Report]) -> None:
    place, _ = measured
    part = measure_growth(place, few=100, many=300, strategies=["full"])
    assert [row[0] for row in part.tables[0].rows] == ["full: empty, vacuumed", "full: full, never analyzed"]
    counts = [place.servers.dest.run_sql(f"select count(*) from {name}", DATABASE) for name in ("grown_3", "grown_4")]
    assert counts == ["100", "300"]
    slow = growth.build_part([Growth(strategy="x", state="y", few_s=1, many_s=2 * growth.LIMIT_GROWTH)])
    assert "x: y, ten times the rows" in Report(rows=1, rounds=1, parts={"growth": slow}).list_failures()[-1]


def test_small_runs_are_asked_of_a_server_and_told_beside_psql(measured: tuple[Place, Report]) -> None:
    part = measure_small(measured[0], asked=2, modules=2)
    assert [len(getattr(part.data, name)) for name in ("asked", "by_psql", "group", "group_by_psql")] == [2, 2, 1, 1]
    assert {"plan", "stage", "merge"} <= set(part.data.stages)
    report = Report(rows=1, rounds=1, parts={"small": part})
    assert "2 modules of 100 rows in a group" in report.to_text()


def test_a_limit_that_is_missed_is_told_with_both_figures() -> None:
    limits = [Limit(what="x", measured=0.3, at_most=0.2, unit=" s"), Limit(what="y", measured=0.2, at_most=0.2)]
    report = Report(rows=1, rounds=1, parts={"z": Part(tables=[], limits=limits)})
    assert report.list_failures() == ["x: 0.30 s, at most 0.2 s: missed by 50%"]
    assert "y: 0.20, at most 0.2: held" in report.to_text()


def test_what_was_measured_is_written_into_its_place_and_nowhere_else(
    measured: tuple[Place, Report], tmp_path: Path
) -> None:
    _, report = measured
    path = tmp_path / "figures.md"
    outside = "# Figures\n\n<!-- figures: move 9 -->\nold\n<!-- end -->\n"
    path.write_text(f"{outside}<!-- figures: move 2000 -->\nold\n<!-- end -->\nafter\n")
    record = json.loads(json.dumps(report.to_json()))
    with pytest.raises(NoPlace, match="no place for wide"):
        write_figures({**record, "parts": {name: record["parts"][name] for name in ("move", "wide")}}, path)
    record["parts"] = {"move": record["parts"]["move"]}
    for _ in range(2):
        assert write_figures(record, path) == ["move 2000"]
    before, found, rest = path.read_text().partition("<!-- figures: move 2000 -->\n")
    assert (before, bool(found)) == (outside, True)
    figures, _, after = rest.partition("<!-- end -->")
    assert after == "\nafter\n"
    assert "| full, 2,000 rows into a bare table | median s | x pipe | cpu s | all MB | largest MB |" in figures
    assert "PostgreSQL" in figures
    assert "old" not in figures


def test_of_many_limits_those_that_are_missed_are_written(tmp_path: Path) -> None:
    limits = [Limit(what=f"limit {n}", measured=n, at_most=7.5) for n in range(1, 9)]
    table = Table(head=("x", "s"), rows=[("y", "1")])
    report = Report(rows=1, rounds=1, parts={"pages": Part(tables=[table], limits=limits)})
    path = tmp_path / "figures.md"
    path.write_text("<!-- figures: pages -->\n<!-- end -->\n")
    write_figures(report.to_json(), path)
    told = [line for line in path.read_text().splitlines() if line.startswith("- ")]
    assert told == ["- limit 8: 8.00, at most 7.5: missed by 7%", "- 7 of 8 limits are held"]


def test_tools_that_cannot_be_had_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(CommandFailed, match="sling's wheel is for Linux on x86_64 only"):
        install_peers(tmp_path)


def test_pages_are_asked_for_by_twenty_at_once(measured: tuple[Place, Report]) -> None:
    _, report = measured
    pages = report.parts["pages"].data
    assert all(len(page.seconds) >= 20 for page in pages)
    assert [page.path for page in pages] == ["/", "/modules", "/runs/2900/live", "/status"]
    assert all(page.size > page.sent > 1000 for page in pages[:2])


def test_viewers_of_a_run_are_answered_while_it_runs(measured: tuple[Place, Report]) -> None:
    _, report = measured
    seen = report.parts["viewers"].data
    assert len(seen.alone) == len(seen.watched) == 1
    assert len(seen.answers) > 5
    assert seen.sent > 0


def test_a_slow_page_and_viewers_that_cost_too_much_are_failures() -> None:
    slow = PageResult(path="/slow", seconds=(0.1, 0.3, 0.3), size=1, sent=1)
    late = PageResult(path="/late", seconds=(*(0.1,) * 18, 0.6, 0.6), size=1, sent=1)
    fine = PageResult(path="/fine", seconds=(*(0.1,) * 19, 0.6), size=1, sent=1)
    watched = ViewersResult(alone=(9.0,), watched=(10.1,), server_cores=(0.1, 0.2), answers=(0.1,), unchanged=0, sent=1)
    parts = {"pages": build_part([slow, late, fine]), "viewers": viewers.build_part(watched)}
    failures = Report(rows=1, rounds=1, parts=parts).list_failures()
    assert [failure.split(":")[0] for failure in failures] == [
        "/slow at the median",
        "/late at the 95th percentile",
        "viewers",
    ]


def test_the_memory_of_the_runner_is_seen(measured: tuple[Place, Report]) -> None:
    _, report = measured
    results = report.parts["memory"].data
    assert len(results) == 3
    assert any("pipekit.runner.child" in process.command for process in results[-1].runs[0].processes)
    assert 5 < results[-1].largest_mb < results[-1].peak_mb < 500


def test_a_result_that_is_not_equal_does_not_count(measured: tuple[Place, Report]) -> None:
    place, _ = measured
    pipe = list_pipes(place.servers)[0]

    def refuse(contender: Contender) -> None:
        raise NotEqual(f"{contender.name} brought something else")

    course = place.build_course(place.empty, refuse)
    with pytest.raises(NotEqual, match="pipe brought something else"):
        race([pipe], 1, course)
    other = Contender(name="other", what="", argv=pipe.argv, other=True)
    results = race([other], 3, course)
    assert results[0].runs == ()
    assert build_table("x", results, PIPE).rows[0][-1] == "not counted: other brought something else"


def test_a_part_that_breaks_is_told_and_the_others_are_measured(measured: tuple[Place, Report]) -> None:
    place, _ = measured
    report = Report(rows=1, rounds=1)
    measure_part(replace(place, jar=place.folder / "nowhere.jar"), report, "jdbc")
    measure_part(place, report, "sqlserver")
    assert [failure for failure in report.list_failures() if failure.startswith("jdbc: ") and "nowhere.jar" in failure]
    assert len(report.parts["sqlserver"].data) == 4


def test_no_round_begins_that_would_not_end_in_time(measured: tuple[Place, Report]) -> None:
    place, _ = measured
    course = replace(place, minutes=0.0).build_course(place.empty, place.compare)
    results = race(list_pipes(place.servers)[:1], 3, course)
    assert len(results[0].runs) == 1


def test_one_changed_value_changes_the_fingerprint(measured: tuple[Place, Report]) -> None:
    servers = measured[0].servers
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
    limit = build_limit(moves, PIPEKIT, PIPE, 1.6)
    assert limit.measured == pytest.approx(1.7)
    assert limit.describe() == "pipekit run, of pipe: 1.70, at most 1.6: missed by 6%"


def test_the_peak_of_a_child_process_is_measured(tmp_path: Path) -> None:
    child = f"{sys.executable} -c 'import time; x = bytearray(80_000_000); time.sleep(0.3)'"
    run = measure(["sh", "-c", f"{child}; true"], cwd=tmp_path)
    assert [type(process) for process in run.processes] == [Process]
    assert 75 < run.largest_mb < 150
    assert run.seconds > 0.3


def test_a_command_that_fails_is_shown_with_what_it_wrote(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)exit code 3.*no luck"):
        measure(["sh", "-c", "echo no luck >&2; exit 3"], cwd=tmp_path)

# Which tests are slow, in which order processes take files, and what a run says it has left out. Knows no fixture.
"""The mark `slow`, set by path; hooks of pytest, which `tests/conftest.py` lends it."""

import os
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

import pytest

# Files, and beginnings of their paths, below tests/: what `make test` leaves to `make test-all`.
SLOW = (
    "api/test_schemathesis.py",
    "databases/test_blank_dests.py",
    "databases/test_db2i_",
    "databases/test_derby_",
    "databases/test_embedded_files.py",
    "databases/test_h2_",
    "databases/test_ibmi_",
    "databases/test_jdbc_",
    "databases/test_jrunner_",
    "databases/test_large.py",
    "databases/test_living_run.py",
    "databases/test_loading.py",
    "databases/test_mariadb_",
    "databases/test_pgjdbc_",
    "databases/test_postgresql_rebuild.py",
    "databases/test_postgresql_round_trips.py",
    "databases/test_postgresql_swap.py",
    "databases/test_script_ways.py",
    "databases/test_sqlite_onward.py",
    "databases/test_sqlite_rebuild.py",
    "databases/test_sqlite_whole.py",
    "databases/test_sqlserver_contract.py",
    "databases/test_sqlserver_jdbc.py",
    "databases/test_sqlserver_large.py",
    "databases/test_sqlserver_load.py",
    "databases/test_tds_double.py",
    "databases/test_verifying",
    "deploy/",
    "e2e/browser/",
    "e2e/test_bench.py",
    "e2e/test_password.py",
    "e2e/test_serve.py",
    "faults/",
    "repo/test_large_run_log.py",
    "rules/test_jar.py",
    "unit/test_spares.py",
)

# What takes longest is begun first, or the last file keeps one process busy while the others have nothing to do.
FIRST = (
    "faults/test_kill_loop.py",
    "deploy/",
    "faults/test_matrix.py",
    "databases/test_large.py",
    "e2e/",
    "api/test_schemathesis.py",
    "faults/",
    "databases/",
    "cli/",
    "repo/",
)

# What CI cannot have: another company's server, another program's licence, rights that a container may lack.
NOT_IN_CI = (
    "PIPEKIT_TEST_JRUNNER names",
    "PIPEKIT_TEST_SQLSERVER names",
    "mount namespaces cannot be made here",
    "not a clone",
)
IN_CI = os.environ.get("CI") == "true"

_LEFT_OUT = pytest.StashKey[int]()
_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


def is_slow(path: str) -> bool:
    """Whether a test of this file, named from tests/ on, is left to `make test-all`."""
    return path.startswith(SLOW)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what is slow. Several processes are given the files in the order of `FIRST`."""
    for item in items:
        if is_slow(_path(item.nodeid)):
            item.add_marker(pytest.mark.slow)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(_path(item.nodeid)))


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Counts what `-m "not slow"` leaves out; what `-k` leaves out is nobody's surprise."""
    for item in items:
        if item.config.option.markexpr and item.get_closest_marker("slow"):
            item.config.stash[_LEFT_OUT] = item.config.stash.get(_LEFT_OUT, 0) + 1


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that is skipped fails, unless it needs what CI cannot have."""
    return _require(report := (yield), hasattr(report, "wasxfail"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself."""
    return _require((yield), False)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """A process that tells another of a half character, which is no text for the wire between them, would end."""
    told = yield
    return _spell_halves(told)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """After all that pytest says: what was left out, and how to run it."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash.get(_LEFT_OUT, 0)
    yield
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if output is None and terminal is not None and not session.config.option.collectonly:
        terminal.write("".join(f"{line}\n" for line in _tell(session.config, terminal)))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each process has collected all tests, so what one has left out is what was left out."""
    told = getattr(node, "workeroutput", {}).get("left_out", 0)
    node.config.stash[_LEFT_OUT] = max(told, node.config.stash.get(_LEFT_OUT, 0))


def _path(nodeid: str) -> str:
    return nodeid.split("::")[0].removeprefix("tests/")


def _rank(path: str) -> int:
    return next((rank for rank, beginning in enumerate(FIRST) if path.startswith(beginning)), len(FIRST))


def _require(report: _Report, expected: bool) -> _Report:
    if IN_CI and report.skipped and not expected and not any(words in _reason(report) for words in NOT_IN_CI):
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI must have what it needs: {_reason(report)}"
    return report


def _spell_halves(told: Any) -> Any:
    if isinstance(told, str):
        return told.encode("utf-8", "backslashreplace").decode()
    if isinstance(told, dict):
        return {_spell_halves(key): _spell_halves(value) for key, value in told.items()}
    if isinstance(told, (list, tuple)):
        return type(told)(map(_spell_halves, told))
    return told


def _tell(config: pytest.Config, terminal: Any) -> Iterator[str]:
    if config.option.durations:
        yield from _tell_dearest(terminal)
    slow = config.stash.get(_LEFT_OUT, 0)
    # A module that skips itself is told of by every process.
    skipped = {report.nodeid: _reason(report) for report in terminal.stats.get("skipped", [])}
    for reason, count in sorted(Counter(skipped.values()).items()):
        yield f"{count:5} skipped: {reason}"
    if slow or skipped:
        told = f"Left out: {slow} slow tests, and {len(skipped)} that need more than is here."
        yield f"{told} `make test-all` runs the slow ones too." if slow else told
    else:
        yield "Nothing was left out."


def _tell_dearest(terminal: Any) -> Iterator[str]:
    """With `--durations`: the files that took longest, in seconds, preparations included."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in (report for reports in terminal.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport):
            seconds[_path(report.nodeid)] += report.duration
    yield "The dearest files:"
    for path in sorted(seconds, key=lambda path: -seconds[path])[:15]:
        yield f"{seconds[path]:8.1f} s  {path}"


def _reason(report: Any) -> str:
    told = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(told).removeprefix("Skipped: ")

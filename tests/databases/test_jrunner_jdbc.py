# jrunner and registered JDBC drivers: scripts as those of an IBM i, with Derby in its place, and `runner: jrunner`.
"""`pipekit jrunner` in both modes; what an installed jrunner is not asked."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.drivers.jdbc.asking import build_ask
from pipekit.errors import RunnerError
from pipekit.runner.jrunner import JrunnerRunner
from pipekit.runner.native import NativeRunner
from pipekit.runner.process import Finished, run_program
from tests.databases.jdbc import DERBY_CLIENT, make_embedded
from tests.databases.over_jdbc import PASSWORD, open_derby, register
from tests.patience import PATIENCE_S
from tests.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    register(project, "derby", DERBY_CLIENT, "jdbc:derby://{host}/{database}")
    yield project
    project.close()


def jrunner(project: Project, *words: str) -> Finished:
    argv = [sys.executable, "-m", "pipekit", "jrunner", *words]
    return run_program(argv, timeout_s=PATIENCE_S, env=project.environment())


def test_a_script_prints_loads_and_loads_back(project: Project, derby_server: int, tmp_path: Path) -> None:
    query, lite = tmp_path / "pull.sql", f"jdbc:sqlite:{tmp_path}/lite.db"
    with (
        NativeRunner(silence_timeout_s=PATIENCE_S) as runner,
        open_derby(derby_server, f"jrunner_{time.monotonic_ns()}", runner) as derby,
    ):
        derby.execute(
            "CREATE TABLE SHOP.T (ID INTEGER, C CHAR(5), V VARCHAR(20))",
            "INSERT INTO SHOP.T VALUES (1, 'a', ' x '), (2, NULL, 'y')",
        )
        query.write_text("select * from shop.t order by id;\n", "utf-8")
        source = ("-scu", derby.url, "-scn", "shop", "-scp", PASSWORD, "-sq", str(query))
        printed = jrunner(project, *source, "-t", "-f", "tsv")
        assert (printed.code, printed.stdout) == (0, "ID\tC\tV\n1\ta\t x \n2\t\ty\n"), printed.stderr
        run_program([sys.executable, "-c", _MAKE, str(tmp_path / "lite.db")], timeout_s=PATIENCE_S)
        moved = jrunner(project, *source, "-dcu", lite, "-dt", "t", "-t", "-b")
        assert (moved.code, moved.stderr) == (0, "")
        assert "2 rows" in moved.stdout.splitlines()
        query.write_text("select id, c, v from t where id = 1", "utf-8")
        dest = ("-dcu", derby.url, "-dcn", "shop", "-dcp", PASSWORD, "-dt", "shop.t", "-c")
        back = jrunner(project, "-scu", lite, "-sq", str(query), *dest)
        assert back.code == 0, back.stderr
        assert derby.rows("SELECT ID, C, V FROM SHOP.T") == [(1, "a    ", " x ")]
        assert PASSWORD not in printed.stderr + moved.stdout + back.stdout


_MAKE = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('create table t (id integer, c text, v text)')"


def test_an_installed_jrunner_is_not_asked_for_a_catalogue_that_only_the_driver_knows() -> None:
    source = make_embedded("h2", "asked", read_only=True)
    with JrunnerRunner("/no/such/jrunner") as runner:
        assert ("PUBLIC",) in runner.query(source, build_ask("schemas")).rows
        with pytest.raises(RunnerError, match="cannot be started"):
            runner.query(source, "SELECT 1")

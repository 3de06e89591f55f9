# Databases in files, opened by their real drivers: where they may lie, and what SQL on them is kept from. No server.
"""H2, HSQLDB and Derby with a folder and without; `pipekit jrunner`, which opens what somebody types."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.engine import open_look
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Statement
from tests.databases.jdbc import DERBY, H2, HSQLDB
from tests.databases.over_jdbc import register
from tests.project import Project

KINDS = {
    "h2": (H2, "jdbc:h2:{}/shop", "select 6 * 7"),
    "hsqldb": (HSQLDB, "jdbc:hsqldb:file:{}/shop;shutdown=true", "values (6 * 7)"),
    "derby": (DERBY, "jdbc:derby:{}/shop;create=true", "values 6 * 7"),
}
TEXTS = "CREATE TEXT TABLE t (a VARCHAR(99))"
FUNCTION = (
    "CREATE FUNCTION f(a VARCHAR(9)) RETURNS VARCHAR(99) LANGUAGE JAVA DETERMINISTIC NO SQL"
    " EXTERNAL NAME 'CLASSPATH:java.lang.System.getenv'"
)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project beside the folders `files` and `other`."""
    project = Project(tmp_path)
    for name in ("files", "other"):
        (tmp_path / name).mkdir()
    yield project
    project.close()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_its_files_are_made_below_the_folder_and_nowhere_else(project: Project, tmp_path: Path, kind: str) -> None:
    driver, url, query = KINDS[kind]
    register(project, kind, driver, "", tmp_path / "files")
    for name in ("files", "other"):
        project.add_connection(name, url.format(tmp_path / name), username="sa")
    read = project.cli("query", "files", query, "--format", "csv")
    assert read.stdout.splitlines()[1:] == ["42"], read.stderr
    refused = project.cli("query", "other", query)
    assert (refused.code, f"must lie below {tmp_path}/files" in refused.stderr) == (2, True), refused.stderr
    assert [bool(list((tmp_path / name).iterdir())) for name in ("files", "other")] == [True, False]


def test_jrunner_opens_the_file_that_somebody_types(project: Project, tmp_path: Path) -> None:
    register(project, "h2", H2, "")
    query = tmp_path / "q.sql"
    query.write_text("select 6 * 7 as n")
    source = ("-scu", f"jdbc:h2:{tmp_path}/other/shop", "-scn", "sa", "-sq", str(query))
    printed = project.cli("jrunner", *source)
    assert printed.stdout.splitlines() == ["N", "42"], printed.stderr
    sqlite3.connect(tmp_path / "lite.db").execute("create table t (n)").connection.close()
    loaded = project.cli("jrunner", *source, "-dcu", f"jdbc:sqlite:{tmp_path}/lite.db", "-dt", "t")
    assert (loaded.code, "1 rows" in loaded.stdout) == (0, True), loaded.stderr


def test_sql_reaches_no_class_and_no_file_where_the_driver_has_a_switch_for_it(
    project: Project, tmp_path: Path
) -> None:
    cases = (
        ("h2", 'CREATE ALIAS f FOR "java.lang.System.getenv(java.lang.String)"', 'class "java.lang.System" is denied'),
        ("h2", 'CREATE ALIAS g FOR "java.lang.Math.sqrt"', ""),
        ("hsqldb", FUNCTION, "java.lang.System"),
        ("hsqldb", TEXTS, ""),
        ("hsqldb", "SET TABLE t SOURCE '/etc/hostname'", "Access is denied"),
        ("hsqldb", "SET TABLE t SOURCE '../../other/x.csv'", "Access is denied"),
        ("hsqldb", "SET TABLE t SOURCE 'beside.csv'", ""),
    )
    for kind in ("h2", "hsqldb"):
        driver, url, _ = KINDS[kind]
        register(project, kind, driver, "", tmp_path / "files")
        connection = project.add_connection(kind, url.format(tmp_path / "files"), username="sa")
        with open_look(project.config, project.secrets, connection, read_only=False) as look:
            for sql, words in (case[1:] for case in cases if case[0] == kind):
                if not words:
                    look.runner.execute(look.endpoint, [Statement(sql=sql)])
                    continue
                with pytest.raises(StatementFailed, match=words):
                    look.runner.execute(look.endpoint, [Statement(sql=sql)])

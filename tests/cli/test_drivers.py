# Kinds of databases on the command line: built in, registered, checked. Java is started where a test says so.
"""`pipekit drivers`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.drivers import DRIVERS
from tests.databases.jdbc import H2
from tests.databases.over_jdbc import put_jar
from tests.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.close()


def test_init_registers_the_kinds_and_registering_again_changes_nothing(project: Project) -> None:
    assert project.cli("drivers", "register", "--dry-run").stdout.split() == list(DRIVERS)
    assert project.cli("init").code == 0
    assert project.cli("drivers", "register").stdout == ""
    listed = {item["kind"]: item for item in json.loads(project.cli("drivers", "list", "--json").stdout)}
    assert set(listed) == set(DRIVERS)
    assert listed["sqlite"]["state"] == "built in"
    assert listed["db2i"]["state"] == "no jar"
    assert "jdbc:postgresql:" in project.cli("drivers", "list").stdout


def test_bringing_the_built_in_kinds_up_to_date_keeps_a_jar_that_was_registered(project: Project) -> None:
    repo.register_driver(project.db, "db2i", jar="jt400.jar", jar_sha256="0" * 64, url_template="jdbc:as400://{host}")
    assert "db2i" not in project.cli("drivers", "register").stdout.split()
    found = repo.find_driver_registration(project.db, "db2i")
    assert found is not None
    assert (found.jar, found.url_template) == ("jt400.jar", "jdbc:as400://{host}")


def test_a_driver_is_added_checked_and_refused_once_its_jar_is_another(project: Project) -> None:
    jar = put_jar(project, H2[0])
    named = ("--kind", "h2", "--jar", "h2.jar")
    added = project.cli_json("drivers", "add", *named)
    assert (added["changed"], added["state"], added["java_class"]) == (True, "ok", "org.h2.Driver")
    assert len(added["jar_sha256"]) == 64
    assert "Databases in files: below" in project.cli("drivers", "add", *named, "--folder", str(project.home)).stdout
    assert project.cli("drivers", "add", *named).code == 0
    again = project.cli("drivers", "add", *named)
    assert again.code == 0
    assert "like this before" in again.stderr
    checked = project.cli("drivers", "check", "h2")
    assert checked.code == 0
    assert re.fullmatch(r"ok    h2: org\.h2\.Driver loads: version 2\.\d+, Java \d+\S*\n", checked.stdout)
    jar.write_bytes(jar.read_bytes() + b"\0")
    told = {item["name"]: item for item in json.loads(project.cli("doctor", "--json").stdout)["findings"]}
    assert told["jar h2"]["level"] == "bad"
    refused = project.cli("drivers", "check", "--json")
    assert refused.code == 1
    [state] = json.loads(refused.stdout)
    assert state["state"] == "bad"
    assert "SHA-256" in state["problem"]


def test_a_class_that_is_not_there_and_a_java_that_is_missing_are_told(project: Project, tmp_path: Path) -> None:
    put_jar(project, H2[0])
    template = "jdbc:h2:tcp://{host}/{database}"
    add = ("drivers", "add", "--kind", "h2", "--jar", "h2.jar", "--url-template", template)
    refused = project.cli(*add, "--class", "org.h2.NoDriver")
    assert refused.code == 2
    assert "h2.jar has no class org.h2.NoDriver" in refused.stderr
    assert "org.h2.Driver" in refused.stderr
    assert project.cli(*add, "--class", "org.h2.jdbc.JdbcException").code == 0
    assert "JdbcException" in project.cli("drivers", "check", "h2").stdout
    assert project.cli(*add).code == 0
    (project.home / "config.yaml").write_text(f"java_home: {tmp_path}/no-java\n")
    checked = project.cli("drivers", "check", "h2")
    assert checked.code == 1
    assert f"There is no Java in {tmp_path}/no-java" in checked.stdout


def test_a_jar_outside_of_the_folder_is_refused_on_the_command_line(project: Project) -> None:
    refused = project.cli("drivers", "add", "--kind", "h2", "--jar", "/etc/passwd")
    assert refused.code == 2
    assert "outside of the folder for jars" in refused.stderr
    assert str(project.config.jar_folder) in refused.stderr


def test_a_kind_that_is_not_there_cannot_be_checked(project: Project) -> None:
    assert project.cli("drivers", "check", "nothing").code == 2
    assert project.cli("drivers", "check").code == 0

# The built-in kinds, listed and registered by real commands.
"""`pipekit drivers`."""

import json
from pathlib import Path

from tests.project import Project


def test_init_registers_the_kinds_and_registering_again_changes_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.cli("drivers", "register", "--dry-run").stdout.split() == ["postgresql", "sqlite"]
    assert project.cli("init").code == 0
    assert project.cli("drivers", "register").stdout == ""
    listed = json.loads(project.cli("drivers", "list", "--json").stdout)
    assert [(item["kind"], item["registered"]) for item in listed] == [("postgresql", True), ("sqlite", True)]
    assert "jdbc:postgresql:" in project.cli("drivers", "list").stdout
    project.close()

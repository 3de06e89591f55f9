# What the doctor says of the bridge to Java where it is missing, and of jars. Starts no Java.
"""pipekit.doctor, its look at what JDBC needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.doctor import Finding, examine
from tests.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project on a machine without JPype."""
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "jpype.py").write_text("raise ModuleNotFoundError(\"No module named 'jpype'\", name='jpype')")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    project = Project(tmp_path)
    yield project
    project.close()


def look(project: Project, name: str) -> Finding:
    return next(found for found in examine({"PIPEKIT_HOME": str(project.home)}) if found.name == name)


def test_a_missing_bridge_that_no_connection_needs_is_in_order(project: Project) -> None:
    assert look(project, "driver jdbc").level == "ok"
    assert "not installed" in look(project, "driver db2i").detail


def test_a_missing_bridge_that_a_registered_kind_needs_is_bad_and_names_its_extra(project: Project) -> None:
    repo.create_connection(project.db, name="x", driver="h2", jdbc_url="jdbc:h2:/x")
    found = look(project, "driver jdbc")
    assert found.level == "bad"
    assert found.mend.startswith("Run: pip install 'pipekit[jdbc]'")
    assert "deploy.sh --with jdbc" in found.mend
    assert look(project, "driver db2i").level == "ok"
    connection = look(project, "connection x")
    assert connection.level == "bad"
    assert "pipekit drivers add --kind h2" in connection.mend

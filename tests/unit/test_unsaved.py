# Side files: what is read back, for whom, and what is done with one that makes no sense. Starts no run.
"""An outcome kept beside the state database."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.engine.unsaved import apply_side_file, apply_side_files, get_side_path, write_side_file
from pipekit.models import Check, Run

OUTCOME: dict[str, Any] = {
    "owner": "me",
    "status": "success",
    "finished_at": "2999-01-01T00:00:00.000Z",
    "rows_read": 5,
    "merge_state": "merged",
    "stages": {"stage": 1.5},
    "watermark_values": {"since": "1"},
    "checks": [Check(name="counts", ok=True, detail="5")],
    "log": "late line\n",
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[repo.State]:
    state = repo.open_state(tmp_path / "pipekit.db", create=True)
    yield state
    state.close()


@pytest.fixture
def run(db: repo.State) -> Run:
    dw = repo.create_connection(db, name="dw", driver="sqlite", jdbc_url="jdbc:sqlite:dw.db")
    return repo.start_adhoc_run(
        db, name="m", dest_id=dw.id, dest_table="t", owner="me", triggered_by="cli", dry_run=False
    )


def test_an_outcome_comes_back_whole_and_once(db: repo.State, run: Run) -> None:
    path = get_side_path(db.path, run.id)
    assert write_side_file(db.path, run, OUTCOME)
    assert path.name == f"pipekit.db.run-{run.id}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [closed.id for closed in apply_side_files(db)] == [run.id]
    ended = repo.get_run(db, run.id)
    assert (ended.status, ended.rows_read, ended.merge_state) == ("success", 5, "merged")
    assert (ended.finished_at, ended.stages) == ("2999-01-01T00:00:00.000Z", {"stage": 1.5})
    assert ended.checks == tuple(OUTCOME["checks"])
    assert repo.read_live_log(db, run.id)[0] == "late line\n"
    assert not path.exists()
    assert apply_side_files(db) == []


def test_when_another_owner_has_the_run_its_word_stands(db: repo.State, run: Run) -> None:
    write_side_file(db.path, run, OUTCOME)
    assert repo.take_over_run(db, run.id, owner="other", dead_owner="me", lease_s=20)
    assert apply_side_files(db) == []
    assert repo.get_run(db, run.id).status == "running"
    repo.finish_run(db, run.id, owner="other", status="error", error="It was cut short.")
    assert apply_side_files(db) == []
    assert repo.get_run(db, run.id).status == "error"
    assert not get_side_path(db.path, run.id).exists()


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff", '{"run_key": "KEY", "owner": "me", "status": "success"}'])
def test_a_file_that_makes_no_sense_is_set_aside(db: repo.State, run: Run, text: str) -> None:
    path = get_side_path(db.path, run.id)
    path.write_text(text.replace("KEY", run.run_key), "latin-1")
    assert apply_side_file(db, run) is False
    assert repo.get_run(db, run.id).status == "running"
    assert [file.name for file in db.path.parent.glob("*.json*")] == [path.name + ".unreadable"]


def test_a_file_of_another_installation_is_left_alone(db: repo.State, run: Run) -> None:
    write_side_file(db.path, run, OUTCOME)
    db.update("run_log", run.id, {"run_key": "another"})
    stranger = db.path.with_name("pipekit.db.run-99.json")
    stranger.write_text("{}")
    assert apply_side_files(db) == []
    assert stranger.exists()
    assert get_side_path(db.path, run.id).exists()


def test_a_folder_that_cannot_be_written_says_so(db: repo.State, run: Run, tmp_path: Path) -> None:
    assert write_side_file(tmp_path / "no" / "pipekit.db", run, OUTCOME) is False

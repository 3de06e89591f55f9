# How the state database is opened, made, upgraded and kept private.
"""Real files, real modes, real processes."""

import multiprocessing
import os
import sqlite3
import stat
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.errors import ConfigError, Invalid, StateError
from pipekit.repo import migrate, opening
from pipekit.repo.state import state_error
from tests.patience import PATIENCE_S

FORK = multiprocessing.get_context("fork")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make_first_version(path: Path) -> None:
    """A state database as the version with only the first migration left it."""
    old = sqlite3.connect(path)
    old.executescript(files("pipekit").joinpath("migrations/0001_core.sql").read_text("utf-8"))
    old.executescript(
        """
        CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;
        INSERT INTO migrations VALUES ('0001_core', '2026-01-01T00:00:00.000Z');
        INSERT INTO connection (name, driver, jdbc_url) VALUES ('shop', 'sqlite', 'jdbc:sqlite:shop.db');
        INSERT INTO module (name, source_id, dest_id, source_query, dest_table, merge_strategy)
            VALUES ('orders', 1, 1, 'select 1', 'orders', 'full');
        INSERT INTO run_log (run_key, module_id, module, triggered_by, status, started_at, finished_at)
            VALUES ('k1', 1, 'orders', 'cli', 'success', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z');
        """
    )
    old.close()


def test_a_missing_file_is_refused_with_the_command_that_makes_it(path: Path) -> None:
    with pytest.raises(ConfigError, match="no state database") as caught:
        repo.open_state(path)
    assert "pipekit init" in caught.value.hint
    assert not path.exists()


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o277])
def test_the_file_its_wal_and_its_shared_memory_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "home" / "pipekit.db"
    before = os.umask(umask)
    try:
        db = repo.open_state(path, create=True)
    finally:
        os.umask(before)
    repo.create_connection(db, name="shop", driver="sqlite", jdbc_url="jdbc:sqlite:shop.db")
    assert [mode_of(path.with_name(path.name + end)) for end in ("", "-wal", "-shm")] == [0o600] * 3
    assert mode_of(path.parent) == 0o700
    db.close()


def test_a_file_others_can_read_is_tightened(path: Path) -> None:
    repo.open_state(path, create=True).close()
    path.chmod(0o664)
    repo.open_state(path).close()
    assert mode_of(path) == 0o600


def test_an_open_database_waits_for_locks_checks_foreign_keys_and_syncs_fully(db: repo.State) -> None:
    settings = {
        name: next(iter((db.row(f"PRAGMA {name}") or {}).values()))
        for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
    }
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 2}


def test_a_file_that_is_not_a_database_is_refused_by_name(path: Path) -> None:
    path.write_text("this is no database " * 100)
    with pytest.raises(ConfigError, match=str(path)):
        repo.open_state(path)


def test_somebody_elses_database_is_refused_and_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE customer (id INTEGER)")
    other.close()
    with pytest.raises(ConfigError, match="not a Pipekit state database"):
        repo.open_state(path, create=True)
    other = sqlite3.connect(path)
    assert [name for (name,) in other.execute("SELECT name FROM sqlite_schema")] == ["customer"]
    other.close()


def test_a_folder_in_the_files_place_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        repo.open_state(path)


def test_an_sqlite_that_is_too_old_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OLDEST_SQLITE", (99, 0, 0))
    with pytest.raises(ConfigError, match=r"needs 99\.0\.0"):
        repo.open_state(path, create=True)


def test_a_file_of_a_newer_pipekit_is_refused(path: Path) -> None:
    db = repo.open_state(path, create=True)
    db.execute("INSERT INTO migrations VALUES ('9999_future', '2030-01-01T00:00:00.000Z')")
    db.close()
    with pytest.raises(ConfigError, match=r"newer version of Pipekit.*9999_future"):
        repo.open_state(path)


def test_every_migration_is_recorded_in_order(db: repo.State) -> None:
    names = [row["name"] for row in db.rows("SELECT name FROM migrations ORDER BY applied_at, name")]
    folder = files("pipekit").joinpath("migrations")
    assert names == sorted(item.name.removesuffix(".sql") for item in folder.iterdir() if item.name.endswith(".sql"))


def test_a_file_of_the_first_version_opens_and_keeps_its_rows(path: Path) -> None:
    make_first_version(path)
    db = repo.open_state(path)
    assert repo.get_module_by_name(db, "orders").source_query == "select 1"
    assert [run.run_key for run in repo.list_runs(db)] == ["k1"]
    repo.create_group(db, name="nightly")
    db.close()


def test_an_upgrade_first_leaves_a_private_copy_of_the_old_file(path: Path) -> None:
    make_first_version(path)
    repo.open_state(path).close()
    copy = path.with_name("pipekit.db.before-0002_groups")
    assert mode_of(copy) == 0o600
    old = sqlite3.connect(copy)
    assert old.execute("SELECT name FROM migrations").fetchall() == [("0001_core",)]
    assert old.execute("SELECT name FROM module").fetchall() == [("orders",)]
    old.close()
    assert sorted(item.name for item in path.parent.iterdir()) == ["pipekit.db", copy.name]


def test_a_new_file_gets_no_copy(path: Path) -> None:
    repo.open_state(path, create=True).close()
    assert list(path.parent.glob("*.before-*")) == []


def test_a_dest_that_was_taken_as_typed_means_the_same_table_after_an_upgrade(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    make_first_version(path)
    names = {
        "postgresql": {"orders": "orders", "Rpt.Orders": '"Rpt"."Orders"', 'rpt."Orders"': 'rpt."Orders"'},
        "postgresql_jdbc": {"Orders": '"Orders"'},
        "teradata": {"rpt.orders": '"rpt"."orders"'},
        "h2": {"Orders": "Orders"},
        "sqlite": {"Orders": "Orders"},
    }
    old = sqlite3.connect(path, isolation_level=None)
    for number, (kind, tables) in enumerate(names.items(), 10):
        old.execute("INSERT INTO connection (id, name, driver, jdbc_url) VALUES (?, ?, ?, '')", (number, kind, kind))
        for table in tables:
            values = (f"{kind} {table}", number, number, table)
            old.execute(
                "INSERT INTO module (name, source_id, dest_id, source_query, dest_table, merge_strategy)"
                " VALUES (?, ?, ?, '', ?, 'full')",
                values,
            )
    old.close()
    db = repo.open_state(path)
    found = {row["name"]: row["dest_table"] for row in db.rows("SELECT name, dest_table FROM module WHERE id > 1")}
    db.close()
    assert found == {f"{kind} {table}": now for kind, tables in names.items() for table, now in tables.items()}


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_first_version(path)
    real = migrate.split_statements
    monkeypatch.setattr(migrate, "split_statements", lambda text: [*real(text), "INSERT INTO nowhere VALUES (1)"])
    with pytest.raises(StateError, match="nowhere"):
        repo.open_state(path)
    monkeypatch.undo()
    left = sqlite3.connect(path)
    assert left.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'grp'").fetchone() == (0,)
    left.close()
    repo.open_state(path).close()


def open_at_once(path: Path, barrier: Any, outcomes: Any) -> None:
    barrier.wait()
    try:
        repo.open_state(path, create=True).close()
        outcomes.put("opened")
    except BaseException as error:
        outcomes.put(repr(error))


@pytest.mark.parametrize("old", [False, True])
def test_processes_that_open_a_file_at_once_all_succeed(tmp_path: Path, old: bool) -> None:
    for attempt in range(8):
        path = tmp_path / f"{attempt}" / "pipekit.db"
        if old:
            path.parent.mkdir()
            make_first_version(path)
        barrier, outcomes = FORK.Barrier(3), FORK.Queue()
        workers = [FORK.Process(target=open_at_once, args=(path, barrier, outcomes)) for _ in range(3)]
        for worker in workers:
            worker.start()
        assert [outcomes.get(timeout=PATIENCE_S) for _ in workers] == ["opened"] * 3
        for worker in workers:
            worker.join()


def make_group_and_fail(db: repo.State, name: str, error: type[BaseException]) -> None:
    with repo.transaction(db):
        repo.create_group(db, name=name)
        raise error


def test_an_open_transaction_is_rolled_back_on_any_exception(db: repo.State) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_group_and_fail(db, "nightly", KeyboardInterrupt)
    assert repo.list_groups(db) == []
    assert not db.in_transaction


def test_a_transaction_inside_another_is_undone_alone(db: repo.State) -> None:
    with repo.transaction(db):
        repo.create_group(db, name="kept")
        with pytest.raises(RuntimeError):
            make_group_and_fail(db, "undone", RuntimeError)
        repo.create_group(db, name="kept too")
    assert [group.name for group in repo.list_groups(db)] == ["kept", "kept too"]


def test_a_transaction_inside_another_is_undone_with_it(db: repo.State) -> None:
    with pytest.raises(RuntimeError), repo.transaction(db):
        make_group_and_fail(db, "nightly", RuntimeError)
    assert repo.list_groups(db) == []


def test_a_locked_database_is_said_to_be_locked(path: Path, db: repo.State) -> None:
    other = repo.open_state(path)
    other.execute("PRAGMA busy_timeout = 50")
    with repo.transaction(db), pytest.raises(StateError, match="locked by another process"):
        repo.create_group(other, name="nightly")
    other.close()


def test_a_read_only_database_is_said_to_be_so(db: repo.State) -> None:
    db.execute("PRAGMA query_only = ON")
    with pytest.raises(ConfigError, match="cannot be written to"):
        repo.create_group(db, name="nightly")


def make_many_groups(db: repo.State) -> None:
    with repo.transaction(db):
        for number in range(2000):
            repo.create_group(db, name=f"group {number} " + "x" * 100)


def test_a_full_disk_is_said_to_be_full_and_the_transaction_is_gone(db: repo.State) -> None:
    pages = db.row("PRAGMA page_count")
    assert pages is not None
    db.execute(f"PRAGMA max_page_count = {pages['page_count'] + 2}")
    with pytest.raises(StateError, match="disk is full"):
        make_many_groups(db)
    assert repo.list_groups(db) == []
    assert not db.in_transaction


def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    db = repo.open_state(path, create=True)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(StateError, match="damaged"):
        repo.open_state(path)


def test_an_error_sqlite_gives_no_code_for_is_told_too(path: Path) -> None:
    assert "odd" in state_error(sqlite3.OperationalError("odd"), path).message


def test_text_that_is_not_unicode_is_refused_without_an_error_of_python(db: repo.State) -> None:
    with pytest.raises(Invalid, match="not valid Unicode"):
        repo.find_group_by_name(db, "\udcff")


def test_the_instance_id_is_made_once(path: Path, db: repo.State) -> None:
    made = repo.get_instance_id(db)
    other = repo.open_state(path)
    assert repo.get_instance_id(other) == made
    other.close()
    assert len(made) == 8
    assert int(made, 16) >= 0


def test_now_is_utc_with_milliseconds() -> None:
    assert len(repo.now()) == len("2026-11-24T07:00:50.166Z")
    assert repo.now().endswith("Z")

# Connections that are kept open, and what is kept of what they read. Real files, several connections.
"""`Pool` and `Memory`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.repo.memory import MOST_KEPT, Memory
from pipekit.repo.pool import MOST_IDLE, Pool
from pipekit.repo.state import State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state database."""
    repo.open_state(tmp_path / "pipekit.db", create=True).close()
    return tmp_path / "pipekit.db"


@pytest.fixture
def pool(path: Path) -> Iterator[Pool]:
    made = Pool(path)
    yield made
    made.close()


@pytest.fixture
def memory(pool: Pool) -> Iterator[Memory]:
    made = Memory(pool)
    yield made
    made.close()


@pytest.fixture
def db(path: Path) -> Iterator[State]:
    opened = repo.open_state(path)
    yield opened
    opened.close()


def test_a_connection_that_was_given_back_is_handed_out_again(pool: Pool) -> None:
    assert pool.find_idle() is None
    first = pool.open()
    pool.give_back(first)
    assert pool.find_idle() is first
    assert pool.find_idle() is None
    pool.give_back(first)


def test_a_connection_in_a_transaction_is_not_kept(pool: Pool) -> None:
    opened = pool.open()
    opened.db.execute("BEGIN IMMEDIATE")
    pool.give_back(opened)
    assert pool.find_idle() is None


def test_only_so_many_wait(pool: Pool) -> None:
    for opened in [pool.open() for _ in range(MOST_IDLE + 3)]:
        pool.give_back(opened)
    waiting = list(iter(pool.find_idle, None))
    assert len(waiting) == MOST_IDLE
    for opened in waiting:
        opened.db.close()


def test_a_connection_to_a_file_that_was_replaced_is_not_handed_out(pool: Pool, path: Path) -> None:
    pool.give_back(pool.open())
    other = path.with_name("other.db")
    repo.open_state(other, create=True).close()
    other.replace(path)
    assert pool.find_idle() is None


def count_names(db: State) -> int:
    return len(repo.list_connections(db))


def test_what_was_read_is_kept_until_something_is_written(memory: Memory, db: State) -> None:
    reads: list[int] = []

    def read(watch: State) -> int:
        reads.append(count_names(watch))
        return reads[-1]

    assert [memory.recall("n", read) for _ in range(3)] == [0, 0, 0]
    assert len(reads) == 1
    repo.create_connection(db, name="a", driver="sqlite", jdbc_url="jdbc:sqlite:a.db")
    assert memory.recall("n", read) == 1
    assert len(reads) == 2


def test_a_write_that_was_rolled_back_changes_nothing(memory: Memory, db: State) -> None:
    reads: list[int] = []
    memory.recall("n", lambda watch: reads.append(1))
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE meta SET value = value")
    db.execute("ROLLBACK")
    memory.recall("n", lambda watch: reads.append(2))
    assert reads == [1]


def test_a_read_that_fails_is_not_kept(memory: Memory) -> None:
    def fail(watch: State) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        memory.recall("n", fail)
    assert memory.recall("n", count_names) == 0


def test_no_more_than_so_many_things_are_kept(memory: Memory) -> None:
    for number in range(MOST_KEPT * 3):
        assert memory.recall(number, count_names) == 0
    assert len(memory._kept) <= MOST_KEPT

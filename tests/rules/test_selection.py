# What `tests/selection.py` says of files is true of the files. Runs no test of another file.
"""Rules for the tests themselves."""

from pathlib import Path

import pytest

from tests.selection import FIRST, SLOW, is_slow

TESTS = Path(__file__).resolve().parents[1]
FILES = [path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")]


@pytest.mark.parametrize("beginning", sorted({*SLOW, *FIRST}))
def test_every_path_in_the_lists_of_the_selection_is_there(beginning: str) -> None:
    assert any(path.startswith(beginning) for path in FILES)


def test_what_the_promises_rest_on_is_no_slow_test() -> None:
    rooms = {path.split("/")[0] for path in FILES if not is_slow(path)}
    assert {"unit", "contract", "rules", "repo", "api", "pages", "serving", "cli", "databases", "e2e"} <= rooms
    assert not is_slow("databases/test_runs.py")
    assert not is_slow("databases/test_postgresql_merge.py")
    assert not is_slow("databases/test_sqlite_merge.py")

# The tree drawn in docs/development.md is the one that git holds. Needs git; reads names only.
"""The chapter "The tree" and the table of tests."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def files() -> list[str]:
    """What git holds, and what is about to be added to it."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone, or no git (apt-get install git): the files of the tree are not known")
    argv = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).exists()]


def list_drawn() -> Iterator[str]:
    """Paths of the drawing; what stands below a folder is indented."""
    drawing = PAGE.split("## The tree\n\n```\n")[1].split("```")[0]
    for line in drawing.splitlines():
        names = re.split(r"  +", line.strip())[0]
        yield from (f"pipekit/{name}" if line.startswith(" ") else name for name in names.split())


def list_level(files: list[str], folder: str = "") -> set[str]:
    """What lies in a folder; folders end in a slash."""
    inner = [name.removeprefix(folder) for name in files if name.startswith(folder)]
    return {folder + (name.split("/")[0] + "/" if "/" in name else name) for name in inner}


def test_every_file_and_folder_at_the_top_is_in_the_drawing_and_nothing_else(files: list[str]) -> None:
    assert set(list_drawn()) == list_level(files) | list_level(files, "pipekit/")


def test_every_room_of_the_tests_is_in_their_table(files: list[str]) -> None:
    rooms = {path.split("/")[1] + "/" for path in list_level(files, "tests/") if path.endswith("/")}
    table = PAGE.split("## Tests\n")[1].split("\n\n- ")[0]
    assert set(re.findall(r"`([a-z0-9_]+/)`", table)) == rooms - {"scripts_examples/"}


def test_each_migration_has_a_number_of_its_own() -> None:
    names = sorted(path.name for path in (ROOT / "pipekit" / "migrations").glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1)), names

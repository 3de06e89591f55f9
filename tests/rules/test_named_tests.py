# Tests that documents name as their proof are there. Reads files only.
"""`tests/...::test_...` in docs/*.md."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)")
LEVEL_1 = 70


@pytest.mark.parametrize("name", ["security.md", "surprises.md", "reliability.md"])
def test_every_test_that_a_document_names_is_there(name: str) -> None:
    named = set(NAMED.findall((ROOT / "docs" / name).read_text(encoding="utf-8")))
    assert len(named) > 20
    assert [f"{path}::{test}" for path, test in sorted(named) if not has_test(path, test)] == []


def has_test(path: str, test: str) -> bool:
    """Whether a file of tests holds a test of that name."""
    file = ROOT / path
    return file.is_file() and re.search(rf"^ *def {test}\(", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_every_line_of_the_standard_is_answered_once_and_what_is_met_names_a_test() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d., to]+) \| .* \| (met|not met|in part|does not apply) \| (.*) \|$", text, re.MULTILINE)
    lines = [line for given, _, _ in rows for line in expand(given)]
    assert len(lines) == len(set(lines)) == LEVEL_1
    assert [given for given, state, shown in rows if state in ("met", "in part") and not NAMED.search(shown)] == []


def expand(given: str) -> list[str]:
    """`10.4.1 to 10.4.3` and `9.1.1, 9.2.1` as single lines."""
    first, _, last = given.partition(" to ")
    if not last:
        return given.split(", ")
    chapter = first.rpartition(".")[0]
    return [f"{chapter}.{n}" for n in range(int(first.rpartition(".")[2]), int(last.rpartition(".")[2]) + 1)]

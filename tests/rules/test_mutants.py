# Each planted defect can be planted; whether the tests catch it is asked by `make mutants`. Plants nothing.
"""`tests.mutants`."""

from pathlib import Path

import pytest

from tests.mutants.__main__ import plant
from tests.mutants.planted import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_text_that_a_mutant_changes_stands_in_its_file_once_and_its_tests_are_there(mutant: Mutant) -> None:
    text = (ROOT / "pipekit" / mutant.path).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.new != mutant.old
    compile(text.replace(mutant.old, mutant.new), mutant.path, "exec")
    assert [path for path in mutant.tests if path.startswith("tests/") and not (ROOT / path).is_file()] == []


def test_a_mutant_without_a_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pipekit").mkdir()
    (tmp_path / "pipekit" / "a.py").write_text("x = 1\nx = 1\n", encoding="utf-8")
    for old in ("x = 1\n", "y"):
        with pytest.raises(ValueError, match=r"times in a\.py"):
            plant(Mutant("m", "a.py", old, "z", ()), tmp_path)


def test_mutants_have_names_of_their_own_and_all_stand_in_the_document() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 25
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert [mutant.name for mutant in MUTANTS if f"| {mutant.name} |" not in page] == []
    assert f"Planted: {len(MUTANTS)}, caught: {len(MUTANTS)}." in page

# Functions and files stay small, and the check that says so can be trusted. Reads source text only.
"""Rules of size."""

from pathlib import Path

import pytest

from tools.check_sizes import MAX_FILE_LINES, MAX_FUNCTION_LINES, check_folder

ROOT = Path(__file__).resolve().parents[2]


def test_no_function_and_no_file_of_the_package_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    code = check_folder(ROOT / "pipekit")
    assert code == 0, capsys.readouterr().out


def test_a_function_over_the_limit_is_named_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = "    x = 1\n" * MAX_FUNCTION_LINES
    (tmp_path / "room.py").write_text(f"# A room.\nclass A:\n  def long_one(self):\n{body}")
    assert check_folder(tmp_path) == 1
    assert f"room.py:3: long_one has {MAX_FUNCTION_LINES + 1} lines" in capsys.readouterr().out


def test_a_file_over_the_limit_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "long.py").write_text("x = 1\n" * (MAX_FILE_LINES + 1))
    assert check_folder(tmp_path) == 1
    assert f"long.py: {MAX_FILE_LINES + 1} lines" in capsys.readouterr().out


def test_the_summary_tells_the_median_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "room.py").write_text("def a():\n    pass\n\n\ndef b():\n    x = 1\n    y = 2\n    return x + y\n")
    assert check_folder(tmp_path) == 0
    assert "median function 3 lines, longest 4 (b)" in capsys.readouterr().out

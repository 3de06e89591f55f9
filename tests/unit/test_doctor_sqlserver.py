# Tests of what the doctor says about the library that SQL Server needs; the library is the real one.
"""pipekit.doctor, its look at mssql-python."""

from pathlib import Path

import pytest

from pipekit.doctor import Finding, examine


def look(home: Path) -> Finding:
    return next(found for found in examine({"PIPEKIT_HOME": str(home)}) if found.name == "driver sqlserver")


@pytest.fixture
def without_libltdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader finds an empty file before the system's library, as on a machine that lacks it."""
    (tmp_path / "libltdl.so.7").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))


def test_a_library_that_can_connect_is_in_order(tmp_path: Path) -> None:
    assert look(tmp_path).level == "ok"


@pytest.mark.usefixtures("without_libltdl")
def test_a_missing_libltdl_is_named_with_its_package_and_the_way_without_it(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert found.level == "bad"
    assert "libltdl7" in found.mend
    assert "MSSQL_PYTHON_NATIVE_PROVIDER=mssql-odbc" in found.mend


@pytest.mark.usefixtures("without_libltdl")
def test_the_other_provider_needs_no_libltdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MSSQL_PYTHON_NATIVE_PROVIDER", "mssql-odbc")
    assert look(tmp_path).level == "ok"

# Tests of what the doctor says about the library that SQL Server needs; the library is the real one.
"""pipekit.doctor, its look at mssql-python."""

from pathlib import Path

import pytest

from pipekit.doctor import Finding, examine

VARIABLE = "MSSQL_PYTHON_NATIVE_PROVIDER"


def look(home: Path) -> Finding:
    return next(found for found in examine({"PIPEKIT_HOME": str(home)}) if found.name == "driver sqlserver")


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def without_libltdl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader finds an empty file before the system's library, as on a machine that lacks it."""
    (tmp_path / "libltdl.so.7").touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))


def test_a_library_that_can_connect_is_in_order_and_says_by_which_provider(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert found.level == "ok"
    assert "mssql_python loads by its provider ms" in found.detail


@pytest.mark.usefixtures("without_libltdl")
def test_without_libltdl_the_other_provider_is_taken_and_the_reason_told(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert (found.level, found.mend) == ("ok", "")
    assert "by its provider mssql-odbc (msodbcsql18 does not load: " in found.detail
    assert "libltdl.so.7" in found.detail


@pytest.mark.usefixtures("without_libltdl")
def test_a_provider_that_is_named_and_does_not_load_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "msodbcsql18")
    found = look(tmp_path)
    assert found.level == "bad"
    assert "libltdl.so.7" in found.detail
    assert f"Take {VARIABLE} away" in found.mend


@pytest.mark.parametrize(("named", "level"), [("mssql-odbc", "ok"), (" MSSQL-ODBC ", "ok"), ("freetds", "bad")])
def test_a_provider_that_is_named_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, level: str
) -> None:
    monkeypatch.setenv(VARIABLE, named)
    found = look(tmp_path)
    assert found.level == level
    assert VARIABLE in found.detail

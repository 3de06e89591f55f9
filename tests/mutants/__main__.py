# Plants defects one at a time into a copy of the package and says which the tests catch. Knows no defect.
"""`python -m tests.mutants [--only WORD]`: exit code 1 when one survived, or was nowhere to be planted."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from pipekit.errors import TimedOut
from pipekit.runner.process import run_program
from tests.mutants.planted import MUTANTS, Mutant
from tests.places import stay_in_memory

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("pipekit", "tests", "docs", "bench")
# A defect may make a test wait for what does not come.
CAUGHT_WITHIN_S = 300


def plant(mutant: Mutant, root: Path) -> None:
    """Raises ValueError where the text does not stand in the file exactly once."""
    path = root / "pipekit" / mutant.path
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: its text stands {text.count(mutant.old)} times in {mutant.path}")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def is_caught(mutant: Mutant | None, tests: list[str], folder: Path) -> tuple[bool, str]:
    """Whether the tests fail in a copy with this defect (or without any), and the end of what they say."""
    copy = Path(tempfile.mkdtemp(dir=folder))
    for name in COPIED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    if mutant is not None:
        plant(mutant, copy)
    # Runner children are given it too.
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", "--rootdir", str(copy), *tests]
    try:
        done = run_program(["env", "-C", str(copy), *argv], timeout_s=CAUGHT_WITHIN_S, env=env)
    except TimedOut as error:
        return True, error.message
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    if done.code not in (0, 1):
        raise ValueError(f"pytest could not do it ({done.code}): {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.code == 1, "\n".join(done.stdout.splitlines()[-12:])


def go(mutants: list[Mutant]) -> int:
    """Plants each and prints a line; at the end the figures."""
    stay_in_memory()
    folder = Path(tempfile.mkdtemp(prefix="pipekit-mutants-"))
    survived = wrong = 0
    try:
        for number, mutant in enumerate(mutants, 1):
            begun = time.monotonic()
            try:
                caught, told = is_caught(mutant, list(mutant.tests), folder)
            except ValueError as error:
                caught, told = False, str(error)
                wrong += 1
            survived += not caught
            outcome = "caught" if caught else "SURVIVED"
            print(f"{number:3}/{len(mutants)} {outcome:9}{time.monotonic() - begun:6.0f} s  {mutant.name}", flush=True)
            if not caught:
                print(told, flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"mutants     {len(mutants)}\ncaught      {len(mutants) - survived}\nsurvived    {survived}", flush=True)
    return int(survived > 0 or wrong > 0)


def main(words: list[str]) -> int:
    """Plants defects and says what came of it."""
    told = "Planted defects, one at a time in a copy of the package, and whether the tests catch them."
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=told)
    parser.add_argument("--only", default="", metavar="WORD", help="mutants whose name has it")
    given = parser.parse_args(words)
    return go([mutant for mutant in MUTANTS if given.only in mutant.name])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# Runs a soak: rounds of work and harm, judged from the dests. Knows neither what the harm is nor what is right.
"""`python -m tests.soak [--minutes 5] [--seed N]`: exit code 1 when something was wrong. Leaves nothing behind."""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from pipekit import repo
from pipekit.runner.process import wait_until
from tests.soak.faults import FAULTS
from tests.soak.judge import QUIET_WITHIN_S, judge_dest, judge_quiet
from tests.soak.world import World

QUIET_EVERY = 12  # rounds


class Soak:
    """One soak and what has come of it."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.draw = random.Random(seed)
        self.rounds = 0
        self.faults: Counter[str] = Counter()
        self.violations: list[str] = []

    def go_on(self, until: float) -> None:
        """Rounds until `time.monotonic()` is there, or until something is wrong."""
        while time.monotonic() < until and not self.violations:
            self.rounds += 1
            self._do_round()
            if self.rounds % QUIET_EVERY == 0:
                self.rest()
        if not self.violations:
            self.rest()

    def _do_round(self) -> None:
        self.world.ask(self.draw)
        for _ in range(self.draw.randint(1, 3)):
            time.sleep(self.draw.uniform(0, 1.5))
            name = self.draw.choice(sorted(FAULTS))
            target = self.draw.choice(self.world.installations)
            FAULTS[name](self.world, target, self.draw)
            self.faults[name] += 1
        self._note(judge_dest(self.world), "in the middle of it")

    def rest(self) -> None:
        """No harm for a while: everything must end, and nothing may be left."""
        for installation in self.world.installations:
            installation.start_server()
            shells = installation.shells
            wait_until(lambda shells=shells: all(s.poll() is not None for s in shells), QUIET_WITHIN_S, 0.5)  # type: ignore[misc]
        self._note(judge_quiet(self.world), "at rest")

    def _note(self, problems: list[str], when: str) -> None:
        for problem in problems:
            print(f"VIOLATION in round {self.rounds}, {when}: {problem}", flush=True)
        self.violations += problems

    def describe(self) -> str:
        """Figures, a line each."""
        runs: Counter[str] = Counter()
        for installation in self.world.installations:
            runs.update(run.status for run in repo.list_runs(installation.project.db, limit=1_000_000))
        lines = [f"rounds      {self.rounds}"]
        lines += [f"runs        {sum(runs.values())}: " + ", ".join(f"{n} {s}" for s, n in runs.most_common())]
        lines += [f"faults      {self.faults.total()}: " + ", ".join(f"{n} {s}" for s, n in self.faults.most_common())]
        lines += [f"violations  {len(self.violations)}", *self.violations]
        return "\n".join(lines)


def main(words: list[str]) -> int:
    """Runs a soak and says what came of it."""
    told = "Harm of every kind to two installations at work, judged from their dests."
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=told)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long harm is done (default 5)")
    parser.add_argument("--seed", type=int, default=None, help="which harm, and in which order (default: any)")
    given = parser.parse_args(words)
    seed = random.randrange(10**6) if given.seed is None else given.seed
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # a compiled file that a full disk cuts short would stay for good
    print(f"seed        {seed}\nminutes     {given.minutes:g}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="pipekit-soak-"))
    try:
        with closing(World(folder)) as world:
            soak = Soak(world, seed)
            soak.go_on(time.monotonic() + given.minutes * 60)
            print(soak.describe(), flush=True)
            if soak.violations:
                _tell_logs(world)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if soak.violations else 0


def _tell_logs(world: World) -> None:
    for installation in world.installations:
        for path in sorted(installation.folder.glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-40:]
            print(f"-- {installation.name}: {path.name}", *tail, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

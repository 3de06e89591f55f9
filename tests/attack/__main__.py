# Attacks a server of its own and says what came of it. Knows neither what is sent nor what must come back.
"""`python -m tests.attack`: exit code 1 when something was wrong. On 127.0.0.1 only; leaves nothing."""

import argparse
import os
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pipekit.runner.process import run_program
from tests.attack.abuse import ABUSES
from tests.attack.access import METHODS, is_right, list_requests, list_routes, may_ask
from tests.attack.shots import Shot
from tests.attack.target import NOBODY, Target
from tests.people import PEOPLE

MOST_TOLD = 40
# What a server may have grown by: more is a leak, or somebody else's way to fill it.
MOST_MB = 100
# Of what somebody sent who is logged in, the log has 64 kB a request.
MOST_LOG_BYTES = 10_000_000
# SQLite keeps a file of each thread that asked at the same time as others, and uses it again.
MOST_LEFT_OPEN = 60
CALLS_WITHIN_S = 1200


class Attack:
    """One attack and what has come of it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.statuses: dict[tuple[str, str, str], int] = {}
        self.violations: list[str] = []
        self.slowest = self.slowest_page = (0.0, "")
        self.before = (target.read_memory(), target.count_open(), target.count_log())

    def go(self) -> None:
        """Everything, one request after the other; ends when the server has."""
        for area, shots in [("routes x roles", self._try_access()), *((a, f(self.target)) for a, f in ABUSES.items())]:
            for shot in shots:
                self._note(area, shot)
            print(f"{area:22} {self.counts[area]['requests']:6} requests", flush=True)
            if self.target.server.poll() is not None:
                self.violations.append(f"The server ended in: {area}.")
                return
        self._judge_server()

    def _try_access(self) -> Iterator[Shot]:
        for route, method, name in list_requests(list_routes()):
            client = self.target.clients[name]
            # Who may do it does it to nothing, who may not to what is there.
            is_harmless = method in ("GET", "HEAD") or not may_ask(route, method, name)
            path = route.fill("1" if is_harmless else "4711")
            if route.is_api:
                answer = client.send(method, path, body="{}", headers={"Content-Type": "application/json"})
            elif method == "POST":
                answer = client.post_form(path, {"csrf": client.csrf})
            else:
                answer = client.send(method, path)
            self.statuses[method, route.path, name] = answer.status
            yield Shot(f"{method} {route.path} by {name}", answer, is_right(route, method, name, answer.status))

    def _note(self, area: str, shot: Shot) -> None:
        count = self.counts[area]
        count["requests"] += 1
        count["wrong"] += not shot.is_right
        count["5xx"] += shot.answer.status >= 500
        count["hung up"] += shot.answer.status == 0
        took = (shot.answer.seconds, shot.told)
        self.slowest = max(self.slowest, took)
        if shot.told.startswith("GET") and shot.answer.status == 200:
            self.slowest_page = max(self.slowest_page, took)
        if not shot.is_right or shot.answer.status >= 500:
            self.violations.append(f"{shot.told}: {shot.answer.status}")

    def _judge_server(self) -> None:
        for name in PEOPLE:
            if (status := self.target.clients[name].send("GET", "/modules").status) != 200:
                self.violations.append(f"After everything {name} is answered with {status}.")
        memory, left, log = self._measure()
        limits = (("MB", memory, MOST_MB), ("log bytes", log, MOST_LOG_BYTES), ("open", left, MOST_LEFT_OPEN))
        for what, grown, most in limits:
            if grown > most:
                self.violations.append(f"{grown:.0f} {what} more than before; {most} are allowed.")

    def _measure(self) -> tuple[float, int, int]:
        memory, left, log = self.before
        return self.target.read_memory() - memory, self.target.count_open() - left, self.target.count_log() - log

    def describe(self) -> str:
        """Figures, a line each."""
        lines = [f"{'':22} requests   wrong     5xx  hung up"]
        for area, count in [*self.counts.items(), ("all", sum(self.counts.values(), Counter()))]:
            lines.append(f"{area:22} " + "".join(f"{count[key]:8}" for key in ("requests", "wrong", "5xx", "hung up")))
        if self.target.server.poll() is None:
            memory, left, log = self._measure()
            lines += [f"memory                 {self.before[0]:.0f} MB before, {self.before[0] + memory:.0f} MB after"]
            lines += [f"open files             {self.before[1]} before, {self.before[1] + left} after"]
            lines += [f"log                    {log:,} bytes"]
        lines += [f"slowest page           {self.slowest_page[0]:.2f} s: {self.slowest_page[1][:90]}"]
        lines += [f"slowest of all         {self.slowest[0]:.2f} s: {self.slowest[1][:90]}"]
        lines += [f"violations             {len(self.violations)}", *self.violations[:MOST_TOLD]]
        return "\n".join(lines)

    def describe_routes(self) -> str:
        """Each route by its own methods, with what each person was answered."""
        who = {NOBODY: NOBODY, **PEOPLE}
        lines = [f"{'':68}" + "".join(f"{role:>9}" for role in who.values())]
        for route in list_routes():
            for method in METHODS:
                if method in route.methods:
                    found = (self.statuses.get((method, route.path, name), "-") for name in who)
                    lines.append(f"{method:7}{route.path:61}" + "".join(f"{status:>9}" for status in found))
        return "\n".join(lines)


def make_up_calls(number: int) -> bool:
    """So many calls of the API that Schemathesis makes up, as the test does a few; whether all were as described."""
    argv = [sys.executable, "-m", "pytest", "-q", "-s", "tests/api/test_schemathesis.py"]
    env = {**os.environ, "PIPEKIT_TEST_CALLS": str(number)}
    done = run_program(argv, timeout_s=CALLS_WITHIN_S, env=env)
    print("\n".join(done.stdout.splitlines()[-3 if done.code == 0 else -60 :]), flush=True)
    return done.code == 0


def main(words: list[str]) -> int:
    """Runs an attack and says what came of it."""
    told = "Some 8,500 requests of people who mean harm, to a server of its own on this machine."
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=told)
    parser.add_argument("--routes", action="store_true", help="print each route with what everybody was answered")
    parser.add_argument("--schemathesis", type=int, default=0, metavar="N", help="also N made-up calls of the API")
    given = parser.parse_args(words)
    folder = Path(tempfile.mkdtemp(prefix="pipekit-attack-"))
    try:
        with closing(Target(folder)) as target:
            attack = Attack(target)
            attack.go()
            if given.routes:
                print(attack.describe_routes())
            print(attack.describe(), flush=True)
        are_described = make_up_calls(given.schemathesis) if given.schemathesis else True
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if attack.violations or not are_described else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

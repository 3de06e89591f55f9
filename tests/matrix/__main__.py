# The matrix of faults: goes through cells and says what came of each. Knows neither the harm nor what is right.
"""`python -m tests.matrix [--only WORD] [--seed N] [--draw N]`: exit code 1 when something was wrong."""

import argparse
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from contextlib import ExitStack, closing
from pathlib import Path

from tests.matrix.cells import Case, Outcome, Suite, list_cases
from tests.places import stay_in_memory


def describe(outcomes: list[Outcome]) -> str:
    """A line a fault: cells, how their runs ended, what was not there to be harmed, violations, seconds."""
    lines = [f"{'fault':24} cells  success  error  cancelled  missed  wrong  seconds"]
    by_fault: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_fault[outcome.case.fault.name].append(outcome)
    for name, of_fault in [*by_fault.items(), ("all", outcomes)]:
        ended = Counter("success" if each.status == "dry_run" else each.status for each in of_fault)
        missed = sum(not each.is_hit for each in of_fault)
        wrong, seconds = sum(bool(each.problems) for each in of_fault), sum(each.seconds for each in of_fault)
        figures = f"{ended['success']:9}{ended['error']:7}{ended['cancelled']:11}{missed:8}{wrong:7}{seconds:9.0f}"
        lines.append(f"{name:24}{len(of_fault):6}{figures}")
    return "\n".join(lines)


def go(cases: list[Case], seed: int) -> int:
    """Goes through cells, tells what is wrong as it comes, and at the end the table."""
    stay_in_memory()
    # What a shell has put into the background ignores Ctrl-C, and so would every command of a cell.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="pipekit-faults-"))
    outcomes: list[Outcome] = []
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        suite = stack.enter_context(closing(Suite(folder)))
        for number, case in enumerate(cases, 1):
            outcome = suite.go(case)
            outcomes.append(outcome)
            print(f"{number:4}/{len(cases)} {outcome.describe()}", flush=True)
    left_out = [outcome for outcome in outcomes if outcome.left_out]
    done = [outcome for outcome in outcomes if not outcome.left_out]
    print(describe(done))
    for why, count in Counter(outcome.left_out for outcome in left_out).items():
        print(f"left out    {count}: {why}")
    wrong = sum(bool(each.problems) for each in done)
    print(f"seed        {seed}\ncells       {len(done)}\nviolations  {wrong}", flush=True)
    return int(wrong > 0)


def main(words: list[str]) -> int:
    """Runs the matrix and says what came of it."""
    told = "Faults at every stage of runs of every kind, each cell judged from its dest."
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=told)
    parser.add_argument("--only", action="append", default=[], metavar="WORD", help="cells whose name has it")
    parser.add_argument("--seed", type=int, default=1, help="which other strategy a cell of `full` is done with again")
    parser.add_argument("--every", action="store_true", help="each fault at each stage with each strategy (hours)")
    parser.add_argument("--draw", type=int, metavar="N", help="only so many of the cells, by the seed")
    parser.add_argument("--part", type=int, nargs=2, default=(1, 1), metavar=("K", "N"), help="the K-th of N parts")
    parser.add_argument("--list", action="store_true", help="print the names of the cells and end")
    given = parser.parse_args(words)
    draw = random.Random(given.seed)
    cases = [case for case in list_cases(draw, every=given.every) if all(word in case.name for word in given.only)]
    part, parts = given.part
    cases = cases[part - 1 :: parts]
    if given.draw is not None:
        cases = draw.sample(cases, min(given.draw, len(cases)))
    if given.list:
        print("\n".join(case.name for case in cases))
        return 0
    return go(cases, given.seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

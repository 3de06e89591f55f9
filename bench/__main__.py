# The command `python -m bench`. Only puts the parts in order.
"""Measures Pipekit beside psql's own pipe on two local PostgreSQL servers, and its pages; exit code 1 for a limit
that does not hold."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.contenders import apply_modules
from bench.data import TABLE, make_tables
from bench.fixed import SMALL, measure_fixed_cost
from bench.growth import measure_growth
from bench.measure import CommandFailed
from bench.memory import TENTH, build_tenth_query, measure_memory
from bench.move import NotEqual, measure_moves
from bench.pages import measure_pages
from bench.report import Report
from bench.servers import Servers, start_servers
from bench.small import measure_small
from bench.viewers import measure_viewers
from bench.visitors import Unanswered
from pipekit.errors import PipekitError

PARTS = ("move", "memory", "fixed", "small", "growth", "viewers", "pages")


def main(argv: list[str]) -> int:
    """Measures, prints the report and keeps it as JSON."""
    options = parse_options(argv)
    folder = Path(options.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(rows=options.rows, rounds=options.rounds)
    try:
        parts = options.only or PARTS
        if set(parts) != {"pages"}:
            with start_servers(folder) as servers:
                measure_parts(servers, folder, report, parts)
        if "pages" in parts:
            say("pages")
            report.pages = measure_pages(folder)
    except (CommandFailed, NotEqual, Unanswered, PipekitError) as error:
        say(f"bench: {error}")
        return 1
    path = folder / f"{report.began.replace(':', '')}.json"
    path.write_text(json.dumps(report.to_json(), indent=1) + "\n")
    print(report.to_text())
    print(f"Written to {path}")
    return 1 if report.list_failures() else 0


def parse_options(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (default 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs (default 5)")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this part; may be repeated")
    parser.add_argument("--folder", default=".bench", help="where the servers live and the JSON goes (default .bench)")
    return parser.parse_args(argv)


def measure_parts(servers: Servers, folder: Path, report: Report, parts: Sequence[str]) -> None:
    """Makes the tables and the modules, then measures what was asked for into `report`."""
    home = folder / "home"
    for folder_of_state in (home, home.with_name("growth"), home.with_name("small")):
        shutil.rmtree(folder_of_state, ignore_errors=True)
    say(f"{report.rows:,} rows are being made")
    expected = make_tables(servers, report.rows)
    modules = {
        TABLE: (f"select * from {TABLE}", TABLE),
        TENTH: (build_tenth_query(report.rows), TABLE),
        SMALL: (f"select * from {SMALL}", SMALL),
    }
    apply_modules(servers, home, modules)
    if "move" in parts:
        say("moving all rows")
        report.moves = measure_moves(servers, home, expected, report.rounds)
    if "memory" in parts:
        say("memory")
        report.memory = measure_memory(servers, home, report.rows)
    if "fixed" in parts:
        say("1,000 rows")
        report.fixed = measure_fixed_cost(servers, home)
    if "small" in parts:
        say("small runs asked of a server")
        report.parts["small"] = measure_small(servers, home.with_name("small"), report.rounds)
    if "growth" in parts:
        say("ten times the rows")
        report.growth = measure_growth(servers, home.with_name("growth"))
    if "viewers" in parts:
        say("a run that is watched")
        report.viewers = measure_viewers(servers, home, expected, report.rounds)


def say(text: str) -> None:
    """Progress goes to standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

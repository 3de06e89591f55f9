# The command `python -m bench`. Only puts the parts in order.
"""Measures Pipekit beside psql's own pipe on two local PostgreSQL servers, and its pages; exit code 1 for a limit
that does not hold."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.document import NoPlace
from bench.fixed import measure_fixed_cost
from bench.growth import measure_growth
from bench.keyed import measure_keyed
from bench.loads import measure_indexed, measure_swap, measure_wide
from bench.measure import CommandFailed
from bench.memory import measure_memory
from bench.move import measure_moves
from bench.pages import measure_pages
from bench.peers import install_peers
from bench.place import Peers, Place, say
from bench.race import NotEqual
from bench.report import Report
from bench.servers import DATABASE, start_servers
from bench.small import measure_small
from bench.sqlite import measure_sqlite
from bench.tables import Part
from bench.viewers import measure_viewers
from bench.visitors import Unanswered
from pipekit.errors import PipekitError

PARTS: Mapping[str, Callable[[Place], Part]] = {
    "move": measure_moves,
    "indexed": measure_indexed,
    "swap": measure_swap,
    "wide": measure_wide,
    "keyed": measure_keyed,
    "memory": measure_memory,
    "fixed": measure_fixed_cost,
    "small": measure_small,
    "sqlite": measure_sqlite,
    "growth": measure_growth,
    "viewers": measure_viewers,
}
# It needs no servers.
PAGES = "pages"


def main(argv: list[str]) -> int:
    """Measures, prints the report and keeps it as JSON."""
    options = parse_options(argv)
    folder = Path(options.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(rows=options.rows, rounds=options.rounds)
    parts = options.only or (*PARTS, PAGES)
    try:
        if set(parts) != {PAGES}:
            peers = _find_peers(folder, report) if options.peers else None
            with start_servers(folder) as servers:
                report.servers = f"PostgreSQL {servers.dest.run_sql('show server_version', DATABASE)}"
                place = Place(servers, folder, options.rows, options.rounds, peers)
                measure_parts(place, report, [name for name in parts if name != PAGES])
        if PAGES in parts:
            say(PAGES)
            report.parts[PAGES] = measure_pages(folder)
        return report.finish(folder, write=options.write)
    except (CommandFailed, NotEqual, Unanswered, NoPlace, PipekitError) as error:
        say(f"bench: {error}")
        return 1


def _find_peers(folder: Path, report: Report) -> Peers | None:
    """Others' tools; None, and a note, where they cannot be had."""
    say("sling and dlt are being installed")
    try:
        return install_peers(folder)
    except CommandFailed as error:
        say(f"  {error}")
        report.notes.append("sling and dlt could not be had on this machine.")
        return None


def parse_options(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (default 1000000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender runs (default 5)")
    parser.add_argument(
        "--only", choices=(*PARTS, PAGES), action="append", help="measure only this part; may be repeated"
    )
    parser.add_argument("--peers", action="store_true", help="install sling and dlt with pip and measure them too")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--folder", default=".bench", help="where the servers live and the JSON goes (default .bench)")
    return parser.parse_args(argv)


def measure_parts(place: Place, report: Report, parts: Sequence[str]) -> None:
    """Measures what was asked for into `report`, each part with what it makes for itself."""
    for name in parts:
        say(name)
        report.parts[name] = PARTS[name](place)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

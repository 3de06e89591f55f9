# The command `python -m bench`. Only puts the parts in order.
"""Measures Pipekit beside psql's own pipe on two local PostgreSQL servers, and its pages; exit code 1 for a limit
that does not hold."""

import argparse
import compileall
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import pipekit
from bench.db2i import measure_db2i
from bench.document import NoPlace, write_figures
from bench.fixed import measure_fixed_cost
from bench.growth import measure_growth
from bench.jdbc import measure_jdbc
from bench.keyed import measure_keyed
from bench.loads import measure_indexed, measure_swap, measure_wide
from bench.measure import CommandFailed
from bench.memory import measure_memory
from bench.move import measure_moves
from bench.pages import measure_pages
from bench.peers import install_peers
from bench.place import Peers, Place, say
from bench.report import Report
from bench.servers import DATABASE, start_servers
from bench.small import measure_small
from bench.sqlite import measure_sqlite
from bench.sqlserver import measure_sqlserver
from bench.tables import Part
from bench.undo import measure_undo
from bench.verify import measure_verify
from bench.viewers import measure_viewers

PARTS: Mapping[str, Callable[[Place], Part]] = {
    "move": measure_moves,
    "indexed": measure_indexed,
    "swap": measure_swap,
    "wide": measure_wide,
    "keyed": measure_keyed,
    "undo": measure_undo,
    "verify": measure_verify,
    "memory": measure_memory,
    "fixed": measure_fixed_cost,
    "small": measure_small,
    "sqlite": measure_sqlite,
    "jdbc": measure_jdbc,
    "db2i": measure_db2i,
    "sqlserver": measure_sqlserver,
    "growth": measure_growth,
    "viewers": measure_viewers,
    "pages": measure_pages,
}


def main(argv: list[str]) -> int:
    """Measures, prints the report and keeps it as JSON; the exit code."""
    options = parse_options(argv)
    # The servers are stopped, and their files removed, whoever ends us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    folder = Path(options.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # As pip does when it installs: a start would be measured with the compiler in it.
    compileall.compile_dir(Path(pipekit.__file__).parent, quiet=2)
    report = Report(rows=options.rows, rounds=options.rounds)
    peers = _find_peers(folder, report) if options.peers else None
    with start_servers(folder) as servers:
        report.servers = f"PostgreSQL {servers.dest.run_sql('show server_version', DATABASE)}"
        place = Place(servers, folder, options.rows, options.rounds, peers, options.minutes, Path(options.jar))
        place.jt400 = Path(options.jt400)
        for name in options.only or PARTS:
            measure_part(place, report, name)
            path = report.save(folder)
            if options.write and name in report.parts:
                _write(report, name)
    print(report.to_text())
    print(f"Written to {path}")
    return 1 if report.list_failures() else 0


def measure_part(place: Place, report: Report, name: str) -> None:
    """Measures one part into `report`, or why it came to no end, so that the others are measured all the same."""
    began_s = time.monotonic()
    say(name)
    try:
        report.parts[name] = PARTS[name](place)
    except Exception as error:  # whatever it is: half an hour of other parts is not thrown away for it
        traceback.print_exc()
        report.broken[name] = str(error)
    say(f"  {name} took {time.monotonic() - began_s:.0f} s")


def _write(report: Report, name: str) -> None:
    record = report.to_json()
    try:
        write_figures({**record, "parts": {name: record["parts"][name]}})
    except NoPlace as error:
        say(f"  not written: {error}")


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
    parser.add_argument("--minutes", type=float, default=5.0, help="what the rounds of one table may take (default 5)")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this part; may be repeated")
    parser.add_argument("--peers", action="store_true", help="install sling and dlt with pip and measure them too")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--folder", default=".bench", help="where the servers live and the JSON goes (default .bench)")
    parser.add_argument("--jar", default="/usr/share/java/postgresql.jar", help="PostgreSQL's JDBC driver")
    parser.add_argument("--jt400", default="/usr/share/java/jt400.jar", help="Db2 for i's JDBC driver")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

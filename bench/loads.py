# Full loads of a table that is read meanwhile, in each way there is. Knows no figures but its limits.
"""Into a bare table, one with a primary key and two indexes, and a wide one: Pipekit's ways and those by hand.

The dests are full before and one row is taken out, so that a result is equal only when the load took place.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from bench.by_hand import Indexed, build_rebuilding_merge, build_swap_pipe
from bench.contenders import BINARY, PIPE, STAGED_PIPE, build_module, build_pipe, build_pipekit_run, build_staged_pipe
from bench.data import COLUMNS, TABLE
from bench.measure import measure
from bench.place import Place, say
from bench.race import Contender, Course, Result, Watched, build_limit, build_table, race
from bench.reader import watch_table
from bench.servers import DATABASE
from bench.tables import Limit, Part
from bench.wide import COLUMNS_WIDE, WIDE, fill_wide

REBUILT = "staged pipe, binary, indexes rebuilt"
RENAMED = "new table by hand, renamed into place"
AUTO, SWAP, DIRECT = (f"pipekit run, load: {way}" for way in ("auto", "swap", "direct"))
MILLION = 1_000_000
# A row less; and statistics, which a new table has none of that was put in place by hand.
_SPOIL = """
delete from {dest} where ctid = (select ctid from {dest} limit 1);
select 'analyze {dest}' where (select reltuples < 0 from pg_class where oid = '{dest}'::regclass) \\gexec
"""


def measure_indexed(place: Place) -> Part:
    """With a primary key and two indexes; limits at a million rows and above."""
    place.make_big_tables()
    dest = Indexed(f"{TABLE}_indexed")
    make_dest(place, dest.name, COLUMNS)
    place.servers.dest.run_sql(f"{dest.create}; analyze {dest.name}", DATABASE, timeout_s=3600)
    staged = build_staged_pipe(place.servers, dest=dest.name)
    rebuilt = build_staged_pipe(place.servers, dest=dest.name, form=BINARY, merge=build_rebuilding_merge(dest))
    contenders = [
        Contender(name=PIPE, what="into a bare table", argv=build_pipe(place.servers), dest=TABLE),
        Contender(name=STAGED_PIPE, what="indexes kept up row by row", argv=staged, dest=dest.name),
        Contender(name=REBUILT, what="dropped and made again in the merge", argv=rebuilt, dest=dest.name),
        Contender(
            name=RENAMED, what="indexes after the rows", argv=build_swap_pipe(place.servers, dest), dest=dest.name
        ),
        *list_own(place, TABLE, dest.name, (AUTO, SWAP, DIRECT)),
    ]
    results = race(contenders, place.rounds, build_course(place))
    is_large = place.rows > MILLION
    auto, staged_wait = find(results, AUTO), find(results, STAGED_PIPE).wait_s
    return Part(
        tables=[build_table(f"full, {place.rows:,} rows, primary key and two indexes", results, PIPE)],
        limits=[
            build_limit(results, AUTO, PIPE, 1.9 if is_large else 1.8),
            Limit(
                what=f"a reader's wait, {AUTO}, of the staged pipe's",
                measured=auto.wait_s / staged_wait,
                at_most=0.5,
            ),
            *limit_swap(results, 1.2 if is_large else 1.4, 0.5 if is_large else 0.15),
        ],
        data=results,
    )


def measure_swap(place: Place) -> Part:
    """Into a bare table; limits at a million rows and above."""
    place.make_big_tables()
    dest = f"{TABLE}_bare"
    make_dest(place, dest, COLUMNS)
    results = race(list_bare(place, TABLE, dest), place.rounds, build_course(place))
    is_large = place.rows > MILLION
    return Part(
        tables=[build_table(f"full, {place.rows:,} rows into a bare table with rows in it", results, PIPE)],
        limits=limit_swap(results, 0.82 if is_large else 0.85, 0.5 if is_large else 0.15),
        data=results,
    )


def measure_wide(place: Place) -> Part:
    """298 columns, six rows for a hundred of the big table's."""
    say(f"  {place.rows * 6 // 100:,} rows x 298 columns are being made")
    expected = fill_wide(place.servers, place.rows * 6 // 100)
    dest = f"{WIDE}_bare"
    make_dest(place, dest, COLUMNS_WIDE, source=WIDE)
    results = race(list_bare(place, WIDE, dest), place.rounds, build_course(place, expected, WIDE))
    return Part(
        tables=[build_table(f"full, {place.rows * 6 // 100:,} rows x 298 columns", results, PIPE)],
        limits=limit_swap(results, 0.88, 0.15),
        data=results,
    )


def make_dest(place: Place, dest: str, columns: str, *, source: str = TABLE) -> None:
    """A dest of its own, with the source's rows."""
    place.servers.dest.run_sql(f"drop table if exists {dest}; create table {dest} ({columns})", DATABASE)
    measure(build_pipe(place.servers, source, dest=dest), cwd=place.folder)
    place.servers.dest.run_sql(f"analyze {dest}", DATABASE, timeout_s=600)


def list_bare(place: Place, table: str, dest: str) -> list[Contender]:
    """psql's ways into a dest without indexes, and Pipekit's."""
    pipe, staged = build_pipe(place.servers, table), build_staged_pipe(place.servers, table, dest=dest)
    renamed = build_swap_pipe(place.servers, Indexed(dest, indexes=()), table)
    return [
        Contender(name=PIPE, what="into another, empty table", argv=pipe, dest=table),
        Contender(name=STAGED_PIPE, what="by hand", argv=staged, dest=dest),
        Contender(name=RENAMED, what="in binary", argv=renamed, dest=dest),
        *list_own(place, table, dest, (AUTO, SWAP, DIRECT)),
    ]


def list_own(place: Place, table: str, dest: str, ways: Sequence[str]) -> list[Contender]:
    """A run for each way of loading."""
    names = {way: f"{dest}_{way.rpartition(' ')[2]}" for way in ways}
    modules = [
        build_module(name, f"select * from {table}", f"public.{dest}", more=f"load: {way.rpartition(' ')[2]}")
        for way, name in names.items()
    ]
    home = place.make_home(dest, modules)
    return [build_pipekit_run(home, name, name=way, dest=dest) for way, name in names.items()]


def build_course(place: Place, expected: str = "", bare: str = TABLE) -> Course:
    """The pipe's dest is emptied before, the others lose a row; a reader is beside each run."""

    def prepare(contender: Contender) -> None:
        if contender.dest == bare:
            return place.empty(contender)
        place.servers.dest.run_sql(_SPOIL.format(dest=contender.dest), DATABASE, timeout_s=600)
        return place.servers.settle()

    def watch(contender: Contender) -> AbstractContextManager[Watched]:
        return watch_table(place.servers.dest, contender.dest)

    def compare(contender: Contender) -> None:
        place.compare(contender, expected)

    return place.build_course(prepare, compare, watch)


def limit_swap(results: Sequence[Result], at_most: float, wait_s: float) -> list[Limit]:
    """Of `load: swap`: its time, and how long a reader waits."""
    swap = find(results, SWAP)
    return [
        build_limit(results, SWAP, PIPE, at_most),
        Limit(what=f"a reader's wait, {SWAP}", measured=swap.wait_s, at_most=wait_s, unit=" s"),
    ]


def find(results: Sequence[Result], name: str) -> Result:
    """A contender's result."""
    return next(result for result in results if result.name == name)

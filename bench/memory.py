# Whether memory grows with the table, and time faster than it. Knows nothing of how rows travel.
"""`pipekit run` for a sixth of the table, for half of it and for all: seconds, and the peak memory of its processes."""

from collections.abc import Sequence

from bench.contenders import build_module, build_pipekit_run
from bench.data import TABLE, take_fingerprint
from bench.place import Place
from bench.race import Contender, NotEqual, Result, race
from bench.tables import Limit, Part, Table

SHARES = (6, 2, 1)
LIMIT_MB = 100.0
LIMIT_MB_GROWTH = 1.10
# Six times the rows may take a quarter more than six times as long: indexes of a dest are not in it, caches are.
LIMIT_TIME_GROWTH = 1.25


def measure_memory(place: Place) -> Part:
    """Runs each `rounds` times and reads the peaks."""
    place.make_big_tables()
    where = {str(share): f"l_orderkey <= {place.rows // 4 // share}" if share > 1 else "true" for share in SHARES}
    modules = [
        build_module(f"part_{name}", f"select * from {TABLE} where {rows}", f"public.{TABLE}")
        for name, rows in where.items()
    ]
    home = place.make_home("memory", modules)
    expected = {name: take_fingerprint(place.servers.source, TABLE, rows) for name, rows in where.items()}

    def compare(contender: Contender) -> None:
        if take_fingerprint(place.servers.dest) != expected[contender.name]:
            raise NotEqual(f"a table's part 1/{contender.name} did not arrive")

    contenders = [build_pipekit_run(home, f"part_{name}", name=name) for name in where]
    results = race(contenders, place.rounds, place.build_course(place.empty, compare))
    return _build_part(results, {name: int(each.partition("|")[0]) for name, each in expected.items()})


def _build_part(results: Sequence[Result], rows: dict[str, int]) -> Part:
    small, *_, large = results
    times = (large.median_s / rows[large.name]) / (small.median_s / rows[small.name])
    return Part(
        tables=[
            Table(
                head=("growth of a full run", "median s", "us a row", "all MB", "largest MB"),
                rows=[
                    (
                        f"{rows[each.name]:,} rows",
                        f"{each.median_s:.2f}",
                        f"{each.median_s / rows[each.name] * 1e6:.2f}",
                        f"{each.peak_mb:.0f}",
                        f"{each.largest_mb:.0f}",
                    )
                    for each in results
                ],
            )
        ],
        limits=[
            Limit(what="memory of all processes together", measured=large.peak_mb, at_most=LIMIT_MB, unit=" MB"),
            Limit(what="memory, all rows of a sixth", measured=large.peak_mb / small.peak_mb, at_most=LIMIT_MB_GROWTH),
            Limit(what="seconds a row, all rows of a sixth", measured=times, at_most=LIMIT_TIME_GROWTH),
        ],
        data=results,
    )

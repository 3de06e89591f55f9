# A dest held against its source, with differences planted in it. Knows nothing of how they are found.
"""`pipekit verify` of the big table beside psql's pipe: 37 differences, 2,000 exchanged values, and a repair."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.contenders import PIPE, build_environment, build_module, build_pipe, pipekit_path
from bench.data import COLUMNS, TABLE
from bench.measure import measure
from bench.place import Place
from bench.race import Contender, NotEqual, build_limit, build_table, race
from bench.servers import DATABASE, psql_command
from bench.tables import Limit, Part

PLANTED, EXCHANGED = "planted", "exchanged"
VERIFY, VERIFY_EXCHANGED = "pipekit verify, 37 differ", "pipekit verify, 2,000 pairs exchanged"
# With fewer rows what a command costs at least is most of it.
LIMITED_FROM, LIMIT, LIMIT_MB = 1_000_000, 0.8, 100.0
_MOMENT = "cast(l_receiptdate as timestamp)"
_NAMES = [line.split()[0] for line in COLUMNS.replace("(15,2)", "").split(",")]
# One column is a moment, so that a microsecond can be planted.
QUERY = (
    f"select {', '.join(f'{_MOMENT} as {name}' if name == 'l_receiptdate' else name for name in _NAMES)} from {TABLE}"
)
_TYPES = COLUMNS.replace("l_receiptdate date", "l_receiptdate timestamp")
_KEY = "primary key (l_orderkey, l_linenumber)"


def measure_verify(place: Place) -> Part:
    """Raises NotEqual where anything but what was planted is told, or is left after the repair."""
    place.make_big_tables()
    expected = {PLANTED: _plant(place), EXCHANGED: _exchange(place)}
    modules = [build_module(name, QUERY, f"public.{name}") for name in expected]
    home = place.make_home("verify", modules)
    contenders = [
        Contender(name=PIPE, what="psql copy out | psql copy in", argv=build_pipe(place.servers)),
        _build_verify(home, PLANTED, VERIFY),
        _build_verify(home, EXCHANGED, VERIFY_EXCHANGED),
    ]

    def compare(contender: Contender) -> None:
        if contender.name != PIPE:
            check_found(json.loads((place.folder / "stdout.txt").read_text()), expected[contender.dest])

    def prepare(contender: Contender) -> None:
        if contender.name == PIPE:
            place.empty(contender)

    results = race(contenders, place.rounds, place.build_course(prepare, compare))
    _repair(place, home)
    limits = [build_limit(results, name, PIPE, LIMIT) for name in (VERIFY, VERIFY_EXCHANGED)]
    most = max(result.peak_mb for result in results if result.name != PIPE)
    memory = Limit(what="verify, memory of all processes together", measured=most, at_most=LIMIT_MB, unit=" MB")
    return Part(
        tables=[build_table(f"{place.rows:,} rows x {len(_NAMES)} columns", results, PIPE)],
        limits=[*(limits if place.rows >= LIMITED_FROM else []), memory],
        data=results,
    )


def check_found(answer: Mapping[str, Any], expected: Mapping[str, int]) -> None:
    """Raises NotEqual unless exactly that many rows are told."""
    got = {name: answer.get(name) for name in expected}
    if got != expected:
        raise NotEqual(f"verify told {got} of {expected}: {answer.get('error')}")


def _build_verify(home: Path, module: str, name: str) -> Contender:
    """Differences are exit code 1, which is no failure here."""
    command = f"{shlex.join([pipekit_path(), 'verify', module, '--json'])} || [ $? = 1 ]"
    what = "both servers sum hashes of their rows; only rows of parts that differ move"
    return Contender(name=name, what=what, argv=["sh", "-c", command], env=build_environment(home), dest=module)


def _fill(place: Place, name: str) -> None:
    """The rows that the query gives, by psql alone."""
    out = psql_command(place.servers.source, "-c", f"copy ({QUERY}) to stdout")
    into = psql_command(
        place.servers.dest,
        *("-c", f"create table {name} ({_TYPES})", "-c", f"copy {name} from stdin"),
        *("-c", f"alter table {name} add {_KEY}", "-c", f"vacuum (freeze, analyze) {name}"),
    )
    measure(["sh", "-c", f"{shlex.join(out)} | {shlex.join(into)}"], cwd=place.folder)


def _plant(place: Place) -> Mapping[str, int]:
    """37 differences, each kind of them as often as it says."""
    _fill(place, PLANTED)
    orders = place.rows // 4
    places = iter(range(10, orders, max(1, orders // 40)))
    digits, blanks, moments, missing = ([next(places) for _ in range(count)] for count in (10, 6, 4, 5))
    changes = [
        f"update {PLANTED} set l_extendedprice = l_extendedprice + 0.01 where l_linenumber = 1 and {_among(digits)}",
        # A text that is not NULL gets a blank at its end.
        f"update {PLANTED} set l_comment = coalesce(l_comment, 'x') || ' ' where l_linenumber = 2 and {_among(blanks)}",
        f"update {PLANTED} set l_receiptdate = l_receiptdate + interval '1 microsecond'"
        f" where l_linenumber = 3 and {_among(moments)}",
        f"delete from {PLANTED} where l_linenumber = 4 and {_among(missing)}",
        f"update {PLANTED} set l_comment = '' where ctid = any (array(select ctid from {PLANTED}"
        " where l_comment is null and l_orderkey < 10000 order by l_orderkey limit 5))",
        # Two rows exchange a value.
        f"update {PLANTED} as a set l_partkey = b.l_partkey from {PLANTED} as b where a.l_orderkey = 2"
        " and b.l_orderkey = 2 and a.l_linenumber in (1, 2) and b.l_linenumber = 3 - a.l_linenumber",
        f"insert into {PLANTED} select -n, {', '.join(_NAMES[1:])} from {PLANTED}, generate_series(1, 5) as n"
        " where l_orderkey = 3 and l_linenumber = 1",
    ]
    place.servers.dest.run_sql("; ".join(changes), DATABASE)
    return {"missing": 5, "extra": 5, "differing": 27}


def _among(orders: Sequence[int]) -> str:
    return f"l_orderkey in ({', '.join(map(str, orders))})"


def _exchange(place: Place) -> Mapping[str, int]:
    """Prices of the first two lines of 2,000 orders (or all there are) change places; some may be equal before."""
    _fill(place, EXCHANGED)
    step = max(1, place.rows // 4 // 2000)
    pairs = f"from {EXCHANGED} as b where a.l_orderkey = b.l_orderkey and a.l_orderkey % {step} = 0"
    pairs += " and a.l_linenumber in (1, 2) and b.l_linenumber = 3 - a.l_linenumber"
    differing = f"select count(*) from {EXCHANGED} as a, {pairs[5:]} and a.l_extendedprice <> b.l_extendedprice"
    count = int(place.servers.dest.run_sql(differing, DATABASE))
    place.servers.dest.run_sql(f"update {EXCHANGED} as a set l_extendedprice = b.l_extendedprice {pairs}", DATABASE)
    return {"missing": 0, "extra": 0, "differing": count}


def _repair(place: Place, home: Path) -> None:
    """Writes what differs, and no row else; then nothing differs."""
    for words in (["--repair"], []):
        done = measure(
            [pipekit_path(), "verify", PLANTED, "--json", *words], cwd=place.folder, env=build_environment(home)
        )
        answer = json.loads(done.stdout)
        check_found(answer, {"missing": 0, "extra": 0, "differing": 0, "rows_dest": place.rows // 4 * 4})

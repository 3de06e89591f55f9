# What a merge of ten times the rows costs, by strategy and state of the dest's statistics. Knows nothing of moving.
"""10,000 rows beside 100,000, the merge's own seconds by the run's record: the cost must grow with the rows."""

import json
import statistics
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bench.contenders import build_environment, build_module, pipekit_path
from bench.measure import measure
from bench.place import Place
from bench.servers import DATABASE
from bench.tables import Limit, Part, Table

FEW, MANY = 10_000, 100_000
# Ten times the rows may take so much more; a cost that grows with the square takes a hundred times as much.
LIMIT_GROWTH = 30.0
LIMITS = {"upsert: empty, vacuumed": 12.0}
MOST_ROUNDS = 3
# Below this a merge is too short to be told from noise.
LEAST_S = 0.05

_FILL = "insert into {table} select g, nullif(g % 3, 0), 'old' from generate_series(1, {rows}) as g"
_REFILL = _FILL.replace("{rows}", "{rows} - 1")
STATES = {
    "empty, vacuumed": ("vacuum analyze {table}",),
    "full, never analyzed": (_FILL,),
    "one row left, filled since": (_FILL, "delete from {table} where a < {rows}", "vacuum analyze {table}", _REFILL),
    "emptied since": (_FILL, "analyze {table}", "delete from {table}"),
}
_ANY = ("empty, vacuumed", "full, never analyzed")
# strategy -> the states in which it is measured; the keys are (a, b), where b is NULL in a third of the rows.
STRATEGIES = {
    "append": _ANY[:1],
    "full": _ANY,
    "incremental": tuple(STATES),
    "incremental, NULL in the key": tuple(STATES),
    "upsert": tuple(STATES),
    "upsert, NULL in the key": tuple(STATES),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """Seconds of the merge of `FEW` and of `MANY` rows."""

    strategy: str
    state: str
    few_s: float
    many_s: float

    @property
    def words(self) -> str:
        """What is measured."""
        return f"{self.strategy}: {self.state}"

    @property
    def ratio(self) -> float:
        """How much longer ten times the rows take."""
        return self.many_s / max(self.few_s, LEAST_S)


def measure_growth(
    place: Place, few: int = FEW, many: int = MANY, strategies: Collection[str] = tuple(STRATEGIES)
) -> Part:
    """Runs each strategy in each of its states, few rows and then many; the median of `rounds`, three at most."""
    servers = place.servers
    places = [each for each in _list_places(few, many) if each[1] in strategies]
    make = "create table {} (a integer, b integer, c text)"
    fill = _FILL.format(table="grown", rows=many).replace("old", "new")
    servers.source.run_sql(f"{make.format('grown')}; {fill}; analyze grown", DATABASE)
    home = place.make_home("growth", [_build_module(name, strategy, rows) for name, strategy, _, rows in places])
    found: dict[tuple[str, str], dict[int, list[float]]] = {}
    for name, strategy, state, rows in [*places] * min(place.rounds, MOST_ROUNDS):
        anew = f"drop table if exists {name}; {make.format(name)}; create unique index on {name} (a, b)"
        for sql in (anew, *(each.format(table=name, rows=rows) for each in STATES[state])):
            servers.dest.run_sql(sql, DATABASE)
        ran = measure([pipekit_path(), "run", name, "--json"], cwd=place.folder, env=build_environment(home))
        seconds = float(json.loads(ran.stdout)["stages"]["merge"])
        found.setdefault((strategy, state), {}).setdefault(rows, []).append(seconds)
        print(f"  {strategy}, {state}, {rows:,} rows: {seconds:.2f} s", file=sys.stderr, flush=True)
    growth = [
        Growth(strategy=strategy, state=state, few_s=statistics.median(by[few]), many_s=statistics.median(by[many]))
        for (strategy, state), by in found.items()
    ]
    return build_part(growth)


def build_part(growth: Sequence[Growth]) -> Part:
    """A line for each strategy and state, and a limit for each."""
    head = ("merge, by the state of the dest", f"{FEW:,} rows s", f"{MANY:,} rows s", "x")
    return Part(
        tables=[
            Table(
                head=head,
                rows=[(each.words, f"{each.few_s:.2f}", f"{each.many_s:.2f}", f"{each.ratio:.1f}") for each in growth],
            )
        ],
        limits=[
            Limit(
                what=f"{each.words}, ten times the rows",
                measured=each.ratio,
                at_most=LIMITS.get(each.words, LIMIT_GROWTH),
            )
            for each in growth
        ],
        data=growth,
    )


def _list_places(few: int, many: int) -> Iterator[tuple[str, str, str, int]]:
    """(dest table, strategy, state, rows)."""
    number = 0
    for strategy, states in STRATEGIES.items():
        for state in states:
            for rows in (few, many):
                number += 1
                yield f"grown_{number}", strategy, state, rows


def _build_module(name: str, strategy: str, rows: int) -> str:
    word, _, has_null = strategy.partition(",")
    keyed = word in ("incremental", "upsert")
    more = ("key: [a, b]" if keyed else "") + (", guards: {null_keys: true}" if has_null else "")
    where = " and b is not null" if keyed and not has_null else ""
    query = f"select * from grown where a <= {rows}{where}"
    return build_module(name, query, f"public.{name}", strategy=word, more=more)

# What a merge of ten times the rows costs, by strategy and state of the dest's statistics. Knows nothing of moving.
"""10,000 rows beside 100,000, the merge's own seconds by the run's record: the cost must grow with the rows."""

import json
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import DEFINITION, build_environment, pipekit_path
from bench.measure import measure
from bench.servers import DATABASE, Servers

FEW, MANY = 10_000, 100_000
# Ten times the rows may take so much more; a cost that grows with the square takes a hundred times as much.
LIMIT_GROWTH = 30.0
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
_MODULE = (
    '  {name}: {{source: source, query: "select * from grown where a <= {rows}{where}", dest: dest, '
    'table: "public.{name}", strategy: {strategy}{more}}}\n'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """Seconds of the merge of `FEW` and of `MANY` rows."""

    strategy: str
    state: str
    few_s: float
    many_s: float

    @property
    def ratio(self) -> float:
        """How much longer ten times the rows take."""
        return self.many_s / max(self.few_s, LEAST_S)


def measure_growth(
    servers: Servers, home: Path, few: int = FEW, many: int = MANY, strategies: Collection[str] = tuple(STRATEGIES)
) -> list[Growth]:
    """Runs each strategy once in each of its states, few rows and then many."""
    places = [place for place in _list_places(few, many) if place[1] in strategies]
    make = "create table {} (a integer, b integer, c text)"
    servers.source.run_sql(f"{make.format('grown')}; {_FILL.format(table='grown', rows=many)}; analyze grown", DATABASE)
    text = DEFINITION.format(source=servers.source.jdbc_url(DATABASE), dest=servers.dest.jdbc_url(DATABASE))
    for name, strategy, state, rows in places:
        servers.dest.run_sql(f"{make.format(name)}; create unique index on {name} (a, b)", DATABASE)
        for sql in STATES[state]:
            servers.dest.run_sql(sql.format(table=name, rows=rows), DATABASE)
        text += _build_module(name, strategy, rows)
    _apply(home, text)
    found: dict[tuple[str, str], list[float]] = {}
    for name, strategy, state, rows in places:
        ran = measure([pipekit_path(), "run", name, "--json"], cwd=home.parent, env=build_environment(home))
        seconds = float(json.loads(ran.stdout)["stages"]["merge"])
        found.setdefault((strategy, state), []).append(seconds)
        print(f"  {strategy}, {state}, {rows:,} rows: {seconds:.2f} s", file=sys.stderr, flush=True)
    return [
        Growth(strategy=strategy, state=state, few_s=seconds[0], many_s=seconds[1])
        for (strategy, state), seconds in found.items()
    ]


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
    more = (", key: [a, b]" if keyed else "") + (", guards: {null_keys: true}" if has_null else "")
    where = " and b is not null" if keyed and not has_null else ""
    return _MODULE.format(name=name, rows=rows, where=where, strategy=word, more=more)


def _apply(home: Path, text: str) -> None:
    home.mkdir(parents=True)
    path = home / "growth.yaml"
    path.write_text(text)
    for arguments in (["init"], ["apply", str(path)]):
        measure([pipekit_path(), *arguments], cwd=home.parent, env=build_environment(home))

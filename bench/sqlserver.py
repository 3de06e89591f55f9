# PostgreSQL into SQL Server, which is the TDS double of the tests. Knows nothing of a real server.
"""Pipekit's runner beside the fastest plain scripts with mssql-python.

The double takes the bulk load's bytes and keeps them: what is measured is the moving side.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bulk_mover import COLUMNS
from bench.place import Place
from bench.race import Contender, NotEqual, Result, build_table, find_ratio, race
from bench.servers import DATABASE
from bench.tables import Limit, Part
from pipekit.demo.postgres import LocalPostgres
from tests.databases.tds.double import TdsDouble

TABLE = "big"
OURS, OURS_TENTH = "pipekit runner", "pipekit runner, a tenth of the rows"
BARE, BARE_ROWS = "COPY, pyarrow, bulkcopy_arrow", "rows, bulkcopy"
# 0.9 of the best script's rows a second.
LIMIT_RATIO = 1 / 0.9
LIMIT_MB = 250.0
LIMIT_GROWTH = 1.15
MAKE = f"""create table {TABLE} as select g::bigint as id, (g % 30000)::int as i, g / 3.0::float8 as d,
    ((g % 1000000) / 100.0)::numeric(12,2) as n, md5(g::text) as t, ('wörd ' || g)::varchar(40) as v,
    date '2000-01-01' + g % 9999 as day, timestamp '2001-01-01' + g * interval '1.000001 s' as at, g % 2 = 0 as ok,
    case when g % 7 <> 1 then g end as m from generate_series(1, {{rows}}) g"""


@dataclass(frozen=True, slots=True)
class Site:
    """The source and the dest."""

    postgres: LocalPostgres
    double: TdsDouble
    rows: int

    def list_contenders(self) -> list[Contender]:
        """The scripts and our own, which moves a tenth of the rows as well."""
        bare = [sys.executable, str(Path(__file__).with_name("bare_bulk.py"))]
        rest = [str(self.postgres.port), DATABASE, self.double.connection_string, TABLE]
        return [
            Contender(name=BARE, what="types written down, nothing checked", argv=[*bare, "arrow", *rest]),
            self._build_own(OURS, self.rows),
            Contender(name=BARE_ROWS, what="values of Python", argv=[*bare, "rows", *rest]),
            self._build_own(OURS_TENTH, self.rows // 10),
        ]

    def prepare(self, _: Contender) -> None:
        """A table without rows."""
        self.double.drop_table(TABLE)
        self.double.add_table(TABLE, [(name, stage) for name, _, stage in COLUMNS])

    def compare(self, contender: Contender) -> None:
        """Raises NotEqual where the number of rows is another; what the tests compare is not compared here."""
        table = self.double.find_table(TABLE)
        expected = self.rows // 10 if contender.name == OURS_TENTH else self.rows
        if table is None or table.count_rows() != expected:
            raise NotEqual(f"{contender.name}: not all rows arrived")
        self.double.forget()

    def _build_own(self, name: str, rows: int) -> Contender:
        urls = [self.postgres.jdbc_url(DATABASE), self.double.jdbc_url]
        mover = str(Path(__file__).with_name("bulk_mover.py"))
        return Contender(name=name, what="what a run stages", argv=[sys.executable, mover, *urls, TABLE, str(rows)])


def measure_sqlserver(place: Place) -> Part:
    """Every contender in turn, `rounds` times."""
    place.servers.source.run_sql(MAKE.format(rows=place.rows), DATABASE, timeout_s=3600)
    with tempfile.TemporaryDirectory() as name, TdsDouble(Path(name)) as double:
        site = Site(place.servers.source, double, place.rows)
        results = race(site.list_contenders(), place.rounds, place.build_course(site.prepare, site.compare))
    return build_part(results, place.rows)


def build_part(results: Sequence[Result], rows: int) -> Part:
    """The table and the limits."""
    ours, tenth = (next(each for each in results if each.name == name) for name in (OURS, OURS_TENTH))
    best = min((each for each in results if each.name in (BARE, BARE_ROWS)), key=lambda each: each.median_s)
    return Part(
        tables=[build_table(f"SQL Server's double, {rows:,} rows x {len(COLUMNS)} columns", results, BARE)],
        limits=[
            Limit(
                what=f"{OURS}, of the best script", measured=find_ratio(results, OURS, best.name), at_most=LIMIT_RATIO
            ),
            Limit(what="memory of all processes together", measured=ours.peak_mb, at_most=LIMIT_MB, unit=" MB"),
            Limit(what="memory, all rows of a tenth", measured=ours.peak_mb / tenth.peak_mb, at_most=LIMIT_GROWTH),
        ],
        data=results,
    )

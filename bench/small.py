# What small runs cost where a server is running already. Knows nothing of throughput.
"""A module of 1,000 rows asked of a running server, and a group of 60 modules of 100 rows, beside psql doing the same.

Debian's `psql` is a script of Perl that looks for the right program, many times as slow to start. It is what scripts
call there, so where there is one, the group is measured beside both.
"""

import statistics
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.asking import Asker
from bench.contenders import build_module, build_stepwise_script
from bench.data import make_tables, take_fingerprint
from bench.measure import measure
from bench.place import Place, say
from bench.race import NotEqual
from bench.servers import DATABASE, Servers
from bench.serving import start_server
from bench.tables import Limit, Part, Table
from pipekit import repo
from pipekit.config import load_config
from pipekit.models.runs import Run

ONE, GROUP = "asked", "few"
ROWS, FEW_ROWS = 1000, 100
ASKED = 50
MODULES = 60
LIMIT_S = 0.10
LIMIT_GROUP = 0.8
DEBIAN_PSQL = Path("/usr/bin/psql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Small:
    """Seconds of each: requests to a server, the same rows by psql, the whole group, and its loops of psql.

    `stages` is each stage's median by the records of the runs that were asked for. `group_by_debian` is empty where
    Debian's psql is not there.
    """

    asked: tuple[float, ...]
    by_psql: tuple[float, ...]
    stages: dict[str, float]
    group: tuple[float, ...]
    group_by_psql: tuple[float, ...]
    group_by_debian: tuple[float, ...]
    modules: int


def measure_small(place: Place, *, asked: int = ASKED, modules: int = MODULES) -> Part:
    """Makes a home of its own, serves it, and measures; each dest is empty before and compared afterwards."""
    few = [f"{GROUP}_{number:02d}" for number in range(modules)]
    expected = {name: make_tables(place.servers, ROWS if name == ONE else FEW_ROWS, name) for name in (ONE, *few)}
    written = [build_module(name, f"select * from {name}", f"public.{name}") for name in (ONE, *few)]
    home = place.make_home("small", written, groups=f"groups:\n  {GROUP}: {{modules: [{', '.join(few)}]}}\n")
    state_path = load_config({"PIPEKIT_HOME": str(home)}).state_path
    with closing(repo.open_state(state_path)) as db, start_server(home) as server:
        site = _Site(place.servers, place.folder, Asker.make(db, server.port), expected)
        found = site.measure(asked=asked, rounds=place.rounds, few=few)
    return _build_part(found)


@dataclass(frozen=True, slots=True)
class _Site:
    servers: Servers
    folder: Path
    asker: Asker
    expected: dict[str, str]

    def measure(self, *, asked: int, rounds: int, few: Sequence[str]) -> Small:
        """One run beside one of psql, `asked` times; then the group beside loops of psql, `rounds` times."""
        singles = [self._ask_once() for _ in range(asked)]
        say(f"  asked of a server {statistics.median(seconds for _, seconds, _ in singles):.3f} s")
        groups = [self._ask_group(few) for _ in range(rounds)]
        say(f"  a group of {len(few)} {statistics.median(seconds for *_, seconds in groups):.2f} s")
        stages = [run.stages for *_, run in singles]
        return Small(
            by_psql=tuple(seconds for seconds, _, _ in singles),
            asked=tuple(seconds for _, seconds, _ in singles),
            stages={name: statistics.median(each.get(name, 0.0) for each in stages) for name in stages[0]},
            group_by_psql=tuple(seconds for seconds, _, _ in groups),
            group_by_debian=tuple(seconds for _, seconds, _ in groups if seconds is not None),
            group=tuple(seconds for *_, seconds in groups),
            modules=len(few),
        )

    def _ask_once(self) -> tuple[float, float, Run]:
        """Seconds of psql and of a request, and the record of the latter."""
        by_psql = self._run_psql([ONE])
        self._empty([ONE])
        asked, run = self.asker.run_module(ONE)
        self._compare([ONE])
        return by_psql, asked, run

    def _ask_group(self, few: Sequence[str]) -> tuple[float, float | None, float]:
        """Seconds of psql's loop, of Debian's psql if it is there, and of the group."""
        by_psql = self._run_psql(few)
        by_debian = self._run_psql(few, str(DEBIAN_PSQL)) if DEBIAN_PSQL.exists() else None
        self._empty(few)
        asked = self.asker.run_group(GROUP)
        self._compare(few)
        return by_psql, by_debian, asked

    def _empty(self, tables: Sequence[str]) -> None:
        self.servers.dest.run_sql(f"truncate {', '.join(tables)}", DATABASE)

    def _run_psql(self, tables: Sequence[str], psql: str = "") -> float:
        """A staged pipe for each table in one shell; emptied before, compared afterwards."""
        self._empty(tables)
        script = "set -e\n" + "\n".join(build_stepwise_script(self.servers, table, psql) for table in tables)
        seconds = measure(["sh", "-c", script], cwd=self.folder).seconds
        self._compare(tables)
        return seconds

    def _compare(self, tables: Sequence[str]) -> None:
        for table in tables:
            if take_fingerprint(self.servers.dest, table) != self.expected[table]:
                raise NotEqual(f"the table {table} did not arrive")


def _build_part(found: Small) -> Part:
    asked, by_psql = statistics.median(found.asked), statistics.median(found.by_psql)
    group, loop = statistics.median(found.group), statistics.median(found.group_by_psql)
    wrapped = statistics.median(found.group_by_debian) if found.group_by_debian else loop
    what = f"{found.modules} modules of {FEW_ROWS} rows"
    rows = [
        (f"{ROWS:,} rows by psql: stage, empty, insert", f"{by_psql:.3f}", "1.00"),
        ("asked of a running server, request to finished record", f"{asked:.3f}", f"{asked / by_psql:.2f}"),
        *((f"of it, stage {stage}", f"{seconds:.3f}", "") for stage, seconds in found.stages.items()),
        (f"{what} by a loop of psql", f"{loop:.2f}", "1.00"),
        *([(f"{what} by a loop of Debian's psql", f"{wrapped:.2f}", f"{wrapped / loop:.2f}")] * (wrapped is not loop)),
        (f"{what} in a group", f"{group:.2f}", f"{group / loop:.2f}"),
    ]
    return Part(
        tables=[Table(head=("small runs", "median s", "x psql"), rows=rows)],
        limits=[
            Limit(what="a module of 1,000 rows asked of a running server", measured=asked, at_most=LIMIT_S, unit=" s"),
            Limit(what=f"{what} in a group, of the loop of scripts", measured=group / wrapped, at_most=LIMIT_GROUP),
        ],
        data=found,
    )

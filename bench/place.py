# Where parts of the benchmark are measured. Knows no part.
"""`Place`: both servers, the folder, and the big table, which is made when a part first asks for it."""

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bench.contenders import build_definition, build_environment, pipekit_path
from bench.data import TABLE, Fingerprint, make_tables, take_fingerprint
from bench.measure import measure
from bench.race import Contender, Course, NotEqual, Watched
from bench.servers import DATABASE, Servers


@dataclass(frozen=True, kw_only=True, slots=True)
class Peers:
    """Other people's tools: a home of their own, an interpreter that has them, and a program."""

    home: Path
    python: Path
    sling: Path


@dataclass(slots=True)
class Place:
    """`rows` is the size of the big table, `rounds` how often each contender runs, `peers` whose tools do, if any.

    `minutes` is what the rounds of one table may take; `jar` is PostgreSQL's JDBC driver, `jt400` that of Db2 for i.
    """

    servers: Servers
    folder: Path
    rows: int
    rounds: int
    peers: Peers | None = None
    minutes: float = 5.0
    jar: Path = Path("/usr/share/java/postgresql.jar")
    jt400: Path = Path("/usr/share/java/jt400.jar")
    _expected: Fingerprint = field(default="", repr=False)

    @property
    def expected(self) -> Fingerprint:
        """The fingerprint of the source's big table."""
        self.make_big_tables()
        return self._expected

    def make_big_tables(self) -> None:
        """Makes the source's table and the dest's without rows, unless a part before did."""
        if not self._expected:
            say(f"{self.rows:,} rows are being made")
            self._expected = make_tables(self.servers, self.rows, TABLE)

    def make_home(self, name: str, modules: Sequence[str], *, connections: str = "", groups: str = "") -> Path:
        """A fresh Pipekit home of this name with these modules (`contenders.build_module`), applied."""
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        path = home / "bench.yaml"
        path.write_text(build_definition(self.servers, modules, connections=connections, groups=groups))
        for arguments in (["init"], ["apply", str(path)]):
            measure([pipekit_path(), *arguments], cwd=self.folder, env=build_environment(home))
        return home

    def build_course(
        self,
        prepare: Callable[[Contender], None],
        compare: Callable[[Contender], None],
        watch: Callable[[Contender], AbstractContextManager[Watched]] | None = None,
    ) -> Course:
        """What happens around each run of a part, in this folder and within these minutes."""
        return Course(cwd=self.folder, within_s=self.minutes * 60, prepare=prepare, compare=compare, watch=watch)

    def empty(self, contender: Contender) -> None:
        """Empties a contender's dest and lets both servers come to rest."""
        self.servers.dest.run_sql(f"truncate {contender.dest or TABLE}", DATABASE)
        self.servers.settle()

    def compare(self, contender: Contender, expected: Fingerprint = "") -> None:
        """Raises NotEqual where a contender's dest does not hold what is expected, the big table."""
        got, expected = take_fingerprint(self.servers.dest, contender.dest or TABLE), expected or self.expected
        if got != expected:
            raise NotEqual(f"{contender.name}: the dest holds {got}, the source {expected}")


def say(text: str) -> None:
    """Progress goes to standard error."""
    print(text, file=sys.stderr, flush=True)

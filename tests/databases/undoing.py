# Runs drawn by chance into dests of every shape, and taken back one after the other. Knows no kind of database.
"""`Workload`: modules with `undo` and their random sources; `Place`, which a test of a kind makes.

PIPEKIT_TEST_UNDOS sets how many rounds of three runs each shape of a dest gets where all examples are tried, and
PIPEKIT_TEST_SEED draws others than ever.
"""

import os
import random
from typing import Any, Protocol

from pipekit import repo
from pipekit.models import Connection, Guards, Module, Run
from tests.project import Project

ROUNDS = int(os.environ.get("PIPEKIT_TEST_UNDOS", "10"))
SEED = os.environ.get("PIPEKIT_TEST_SEED", "")
LOOSE = Guards(
    dest_truth=False, count_truth=False, children=True, null_keys=True, column_truth=False, empty_source=False
)
DELETES = Guards(truncate=False, empty_source=False, column_truth=False)
PLAIN = Guards(empty_source=False, column_truth=False)

Ways = list[tuple[str, str, dict[str, Any]]]
KEYED: Ways = [("incremental", "id", {}), ("upsert", "id", {})]
GONE: Ways = [("upsert", "id", {"deletes": "hard"}), ("incremental", "id", {"deletes": "hard"})]
FULL: Ways = [("full", "", {}), ("full", "", {"guards": DELETES})]
APART: Ways = [("full", "", {"load": "swap"}), ("full", "", {"load": "direct"})]


class Shape:
    """A dest: what makes it, the columns that are fed with what draws a value of each, and the ways into it."""

    def __init__(self, name: str, make: str, columns: dict[str, str], ways: Ways, more: str = "") -> None:
        self.name, self.make, self.columns, self.ways, self.more = name, make, columns, ways, more


def draw_value(rng: random.Random, kind: str) -> str:
    """A value as SQL of either kind."""
    if kind == "id":
        return str(rng.randint(1, 30))
    if kind == "null id":
        return rng.choice(["NULL", *map(str, range(1, 8))])
    if rng.random() < 0.15:
        return "NULL"
    choices = {
        "int": ["0", "-7", "2147483647"],
        "text": ["''", "'a'", "'A '", "'it''s'", "'é'", "'line\ntwo'"],
        "numeric": ["1.0", "1.00", "-0.50", "12345678901234567890.123"],
        "float": ["1e0", "0.1", "-0.0", "1e300", "'NaN'::float8"],
        "real": ["1.5", "0.1", "-3e7", "1e300"],
        "moment": ["'2024-01-01 00:00:00.000001+00'", "'infinity'", "'2024-10-27 00:30:00+00'"],
        "json": ["'{\"a\": 1}'", "'{\"a\":1}'", "'[]'"],
        "bytes": ["'\\x00ff'", "'\\x'"],
        "blob": ["x'00ff'", "x''"],
        "array": ["'{1,NULL,3}'", "'{}'"],
        "interval": ["'1 day'", "'24 hours'", "'-1 mon'"],
        "point": ["'(0,0)'", "'(1.5,-2)'"],
        "char": ["'a'", "'a  '"],
        "any": ["1", "1.0", "'1'", "x'31'"],
    }
    return rng.choice(choices[kind])


class Place(Protocol):
    """One database that is source and dest, and a session with it that is nobody's run."""

    project: Project
    connection: Connection

    def execute(self, sql: str) -> list[tuple[Any, ...]]: ...

    def photograph(self) -> list[str]:
        """The rows of the table `t` byte by byte, sorted."""
        ...

    def list_kept(self) -> list[str]:
        """Every table beside the ledger."""
        ...


def undo(place: Place, run: Run) -> Run:
    """Takes a run back."""
    module = repo.get_module(place.project.db, run.module_id or 0)
    return place.project.run(module, undoes=run.id, triggered_by="undo")


class Workload:
    """Rounds of three runs each, the same ones for the same shape."""

    def __init__(self, place: Place, shape: Shape) -> None:
        self.place, self.shape = place, shape
        self.rng = random.Random(f"undo {shape.name}{SEED}")
        self.changed = 0

    def play(self, rounds: int) -> None:
        """Each run is taken back, the newest first, and the dest is what it was before it; nothing is left behind."""
        for number in range(rounds):
            for sql in filter(str.strip, (self.shape.make + self.shape.more).split(";;")):
                self.place.execute(sql)
            steps = [self._run(f"{self.shape.name}{number}.{step}") for step in range(3)]
            for run, before in reversed(steps):
                self.changed += self.place.photograph() != before
                undone = undo(self.place, run)
                assert (undone.status, undone.error) == ("success", None), f"{run.merge_sql}\n\n{undone.merge_sql}"
                assert self.place.photograph() == before
            assert self.place.list_kept() == []
        assert self.changed > rounds, "most runs change something"

    def _run(self, name: str) -> tuple[Run, list[str]]:
        strategy, key, options = self.rng.choice(self.shape.ways)
        module = self.place.project.add_module(
            name,
            source=self.place.connection,
            query=f"select {', '.join(self.shape.columns)} from source",
            dest=self.place.connection,
            table="t",
            merge_strategy=strategy,
            merge_key=key or None,
            undo_runs=3,
            **{"guards": PLAIN, **options},
        )
        self._draw_rows(module)
        before = self.place.photograph()
        return self.place.project.succeed(module), before

    def _draw_rows(self, module: Module) -> None:
        """New rows of the source; their keys do not repeat where the strategy or the dest forbids that."""
        self.place.execute("delete from source")
        rows, seen = [], set()
        repeats = self.shape.name == "bare" and module.merge_strategy != "upsert"
        for _ in range(self.rng.randint(0, 25)):
            row = [draw_value(self.rng, kind) for kind in self.shape.columns.values()]
            if row[0] not in seen or repeats:
                rows.append(f"({', '.join(row)})")
            seen.add(row[0])
        if rows:
            self.place.execute(f"insert into source values {', '.join(rows)}")

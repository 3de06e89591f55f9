# Runs drawn by chance into dests of every shape, each with what its rows were before it. Knows no undo.
"""`Workload`: modules with `undo`, their random sources, and a photograph of a dest byte by byte."""

import random
from collections.abc import Callable
from typing import Any

from pipekit.models import Connection, Guards, Module
from tests.project import Project

Execute = Callable[[str], list[tuple[Any, ...]]]

LOOSE = Guards(
    dest_truth=False, count_truth=False, children=True, null_keys=True, column_truth=False, empty_source=False
)
DELETES = Guards(truncate=False, empty_source=False, column_truth=False)
PLAIN = Guards(empty_source=False, column_truth=False)

Ways = list[tuple[str, str, dict[str, Any]]]
KEYED: Ways = [("incremental", "id", {}), ("upsert", "id", {})]
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
        "text": ["''", "'a'", "'A '", "'it''s'", "'é'", "'line' || chr(10) || 'two'"],
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


class Workload:
    """One database that is source and dest."""

    def __init__(self, project: Project, place: Connection, execute: Execute, seed: int) -> None:
        self.project, self.place, self.execute = project, place, execute
        self.rng = random.Random(seed)
        self.number = 0

    def begin(self, shape: Shape) -> None:
        """Makes the shape's dest anew, with a few rows in it."""
        for sql in filter(None, (shape.make + shape.more).split(";;")):
            self.execute(sql)

    def draw_module(self, shape: Shape) -> Module:
        """A module by one of the shape's ways; its query reads the table `source`, which `draw_rows` fills."""
        self.number += 1
        strategy, key, options = self.rng.choice(shape.ways)
        return self.project.add_module(
            f"{shape.name}{self.number}",
            source=self.place,
            query=f"select {', '.join(shape.columns)} from source",
            dest=self.place,
            table="t",
            merge_strategy=strategy,
            merge_key=key or None,
            undo_runs=3,
            **{"guards": PLAIN, **options},
        )

    def draw_rows(self, shape: Shape, module: Module) -> None:
        """New rows of the source; their keys do not repeat where the strategy or the dest forbids that."""
        self.execute("delete from source")
        rows, seen = [], set()
        repeats = shape.name == "bare"
        for _ in range(self.rng.randint(0, 25)):
            row = [draw_value(self.rng, kind) for kind in shape.columns.values()]
            if row[0] in seen and not (repeats and module.merge_strategy != "upsert"):
                continue
            seen.add(row[0])
            rows.append(f"({', '.join(row)})")
        if rows:
            self.execute(f"insert into source values {', '.join(rows)}")

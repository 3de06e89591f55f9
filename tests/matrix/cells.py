# Which cells there are, and how one is gone through from its beginning to what is wrong with it. Knows no single fault.
"""`list_cases` and `Suite`."""

import contextlib
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from pipekit import repo
from pipekit.errors import PipekitError
from tests.matrix.cell import Cell
from tests.matrix.faults import FAULTS, Fault
from tests.matrix.holds import hold, wait_for
from tests.matrix.judge import judge, judge_next
from tests.matrix.places import Place, PostgresPlace, SqlitePlace, open_mariadb
from tests.matrix.works import WORKS, Work
from tests.matrix.world import World

# Where only the source holds a run up.
ANYWHERE = ("copy 0", "copy 50", "copy 100")
# What runs into other kinds of dest are done with.
SQLITE, MARIADB = ("full", "append", "upsert"), ("full", "append")


@dataclass(frozen=True)
class Case:
    """A fault at a stage of one kind of run into one kind of dest."""

    fault: Fault
    stage: str
    work: Work
    kind: str = "postgresql"

    @property
    def name(self) -> str:
        return f"{self.fault.name} @ {self.stage}, {self.work.name} into {self.kind}"


@dataclass
class Outcome:
    """What came of a cell. `left_out` says why it was not done at all; `is_hit` whether there was anything to harm."""

    case: Case
    status: str = ""
    merge_state: str = ""
    is_hit: bool = False
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    left_out: str = ""

    def describe(self) -> str:
        """One line, and one more for each thing that is wrong."""
        if self.left_out:
            return f"{self.case.name}: left out"
        hit = "" if self.is_hit else ", nothing was there to harm"
        told = f"{self.case.name}: {self.status}, merge {self.merge_state}{hit} ({self.seconds:.1f} s)"
        return "\n".join([told, *(f"  VIOLATION: {problem}" for problem in self.problems)])


def list_cases(draw: random.Random, *, every: bool = False) -> Iterator[Case]:
    """Each fault at each stage with `full` and another strategy that is drawn, or with all; fewer into other kinds."""
    for fault in FAULTS.values():
        for stage in fault.stages:
            others = [work for work in WORKS.values() if stage in work.stages and work.name != "full"]
            chosen = others if every else [draw.choice(others)]
            yield from (Case(fault, stage, work) for work in (WORKS["full"], *chosen))
            if fault.any_dest and stage in ANYWHERE:
                yield Case(fault, stage, WORKS[draw.choice(SQLITE)], "sqlite")
            if fault.any_dest and stage == "copy 50":
                yield Case(fault, stage, WORKS[draw.choice(MARIADB)], "mariadb")


class Suite:
    """The world and what else cells need, made when the first one asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self.world = World(folder)
        self._stack.callback(self.world.close)
        self._mariadb: Place | str | None = None
        self._count = 0

    def close(self) -> None:
        self._stack.close()

    def go(self, case: Case) -> Outcome:
        """One cell."""
        outcome, begun = Outcome(case), time.monotonic()
        self._count += 1
        folder = self._folder / f"cell-{self._count}"
        place = self._open_place(case.kind, folder)
        if isinstance(place, str):
            outcome.left_out = place
        elif case.fault.name == "dest disk full" and self.world.disk is None:
            outcome.left_out = self.world.no_disk
        else:
            with contextlib.closing(Cell(self.world, place, case.work, folder)) as cell:
                try:
                    outcome.problems = list(_go_through(cell, case, outcome))
                except (psycopg.Error, PipekitError) as error:
                    outcome.problems = [f"the cell itself failed: {type(error).__name__}: {error}"]
                if outcome.problems:
                    _tell(cell, outcome)
        shutil.rmtree(folder, ignore_errors=True)
        outcome.seconds = time.monotonic() - begun
        return outcome

    def _open_place(self, kind: str, folder: Path) -> Place | str:
        """The dest of a cell, or why there is none."""
        if kind == "postgresql":
            return PostgresPlace(self.world)
        if kind == "sqlite":
            folder.mkdir(parents=True)
            return SqlitePlace(folder / "dest.db")
        if self._mariadb is None:
            try:
                self._mariadb = self._stack.enter_context(open_mariadb())
            except pytest.skip.Exception as skipped:
                self._mariadb = str(skipped)
        return self._mariadb


def _go_through(cell: Cell, case: Case, outcome: Outcome) -> Iterator[str]:
    fault, stage = case.fault, case.stage
    cell.serves = fault.serves
    fault.prepare(cell)
    cell.prepare(stage)
    held = hold(cell, stage)
    try:
        cell.start()
        if not wait_for(held, cell.is_over):
            yield f"the run never got to {stage}"
            return
        cell.note()
        outcome.is_hit = fault.strike(cell)
    finally:
        held.release()
    if problem := cell.finish():
        yield problem
    fault.mend(cell)
    _settle(cell)
    outcome.status, outcome.merge_state = cell.run.status, cell.run.merge_state
    yield from judge(cell, fault, stage)
    yield from judge_next(cell)


def _settle(cell: Cell) -> None:
    """A dry run closes what was cut short, and changes nothing; what a preview keeps is dropped. Nobody hurries now."""
    repo.update_module(cell.project.db, cell.module.id, silence_timeout_s=None, run_timeout_s=None)
    cell.run_near(dry_run=True)
    if cell.run.preview and cell.run.status == "dry_run":
        cell.project.cli("run", "m", "--drop-preview", str(cell.run_id))


def _tell(cell: Cell, outcome: Outcome) -> None:
    """What the cell has to say for itself, as its folder goes."""
    if cell.run_id:
        outcome.problems.append(f"its log ends: {cell.project.read_log(cell.run_id)[-1500:]}")
    log = cell.folder / "program.log"
    if log.exists():
        outcome.problems.append(f"its program said: {log.read_text(errors='replace')[-1500:]}")

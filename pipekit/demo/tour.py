# The story of the demo, from an empty folder to the proof. Knows the engine's public functions, no SQL.
"""`run_demo` and its steps."""

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipekit import repo
from pipekit.config import load_config
from pipekit.definitions import apply_text
from pipekit.demo import shop
from pipekit.demo.proof import READ_SQL, compare_table
from pipekit.demo.screen import Screen
from pipekit.demo.warehouse import open_warehouse
from pipekit.engine import Installation, open_look, run_module
from pipekit.engine.context import open_endpoint
from pipekit.engine.events import Event, RowsMoved, StageStarted
from pipekit.engine.receipt import build_receipt, format_count, format_duration, get_duration_s
from pipekit.errors import Invalid
from pipekit.models import Run
from pipekit.runner_contract import Statement
from pipekit.secrets import Secrets

DEFINITION = "shop.yaml"
MODULES = ("customers", "orders", "order_lines")
# What a demo leaves behind, and so what the next one may remove.
LEFTOVERS = frozenset({DEFINITION, ".pipekit", "shop.db", "warehouse.db", "postgres"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where the demo plays: its folder, its own Pipekit home, and the screen."""

    folder: Path
    screen: Screen
    installation: Installation = field(repr=False)


def run_demo(folder: Path, postgres: bool = False) -> int:
    """Plays the demo in `folder`, which is made anew; returns the exit code.

    The folder stays for a look around; a PostgreSQL is stopped at the end. Raises Invalid for a folder that holds
    anything else than an earlier demo.
    """
    screen = Screen()
    began = time.monotonic()
    folder = _clear_folder(folder)
    with open_warehouse(folder, postgres) as definition:
        code = _play(folder, definition, screen)
    took = format_duration(time.monotonic() - began)
    if code == 0:
        screen.say(f"\nDone in {took}." + _what_next(folder, postgres))
    else:
        screen.say(f"\nThe demo FAILED after {took}; its folder is {folder}.")
    return code


def _clear_folder(folder: Path) -> Path:
    folder = folder.resolve()
    strangers = {item.name for item in folder.iterdir() if not _is_leftover(item.name)} if folder.exists() else set()
    if strangers:
        raise Invalid(
            f"{folder} holds something that is not of the demo: {', '.join(sorted(strangers)[:3])}.",
            field="folder",
            hint="Name a folder that is empty or not there yet.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _is_leftover(name: str) -> bool:
    return name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal") in LEFTOVERS


def _play(folder: Path, definition: str, screen: Screen) -> int:
    config = load_config({"PIPEKIT_HOME": str(folder / ".pipekit")}, folder)
    secrets = Secrets(config.secrets_path, {})
    config.home.mkdir(mode=0o700, exist_ok=True)
    db = repo.open_state(config.state_path, create=True)
    installation = Installation(db=db, config=config, secrets=secrets)
    stage = Stage(folder=folder, screen=screen, installation=installation)
    try:
        return _tell(stage, definition)
    finally:
        db.close()


def _tell(stage: Stage, definition: str) -> int:
    screen = stage.screen
    _apply_definition(stage, definition)
    screen.heading("A shop with 5 000 customers, 60 000 orders and 200 000 order lines")
    _change_shop(stage, shop.build_create_sql(), "made")
    screen.heading("First run: everything")
    first = _run_all(stage)
    if not _all_succeeded(first):
        return 1
    screen.heading("A day goes by in the shop")
    _change_shop(
        stage, shop.build_change_sql(), "25 new customers, 300 new orders with 1 000 lines, 450 changed orders"
    )
    screen.heading("Second run: what changed")
    second = _run_all(stage)
    if not _all_succeeded(second):
        return 1
    _show_receipts(screen, first, second)
    return _prove(stage)


def _apply_definition(stage: Stage, definition: str) -> None:
    path = stage.folder / DEFINITION
    path.write_text(definition, encoding="utf-8")
    changes = apply_text(stage.installation.db, definition, user="demo", file=DEFINITION)
    counts = Counter(change.noun for change in changes)
    made = ", ".join(f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in counts.items())
    stage.screen.say(f"{DEFINITION} applied: {made}")


def _change_shop(stage: Stage, statements: Sequence[str], what: str) -> None:
    began = time.monotonic()
    stage.screen.progress("the shop is busy ...")
    own = stage.installation
    connection = repo.get_connection_by_name(own.db, "shop")
    with open_look(own.config, own.secrets, connection, read_only=False) as shop_db:
        shop_db.runner.execute(shop_db.endpoint, [Statement(sql=sql) for sql in statements])
    stage.screen.say(f"{what} ({format_duration(time.monotonic() - began)})")


def _run_all(stage: Stage) -> list[Run]:
    return [_run_one(stage, name) for name in MODULES]


def _run_one(stage: Stage, name: str) -> Run:
    module = repo.get_module_by_name(stage.installation.db, name)
    note = Progress(stage.screen, name)
    run = run_module(stage.installation, module, listener=note)
    if run.status != "success":
        stage.screen.say("\n".join(build_receipt(run)))
    else:
        duration = format_duration(get_duration_s(run))
        written = (run.rows_inserted or 0) + (run.rows_updated or 0)
        stage.screen.say(f"{name:<13}{module.merge_strategy:<13}{format_count(written):>8} rows {duration:>9}")
    return run


@dataclass(slots=True)
class Progress:
    """A listener that shows a run's stage and rows while it goes on."""

    screen: Screen
    module: str
    stage: str = "claim"
    rows: int = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self.stage = event.stage
        elif isinstance(event, RowsMoved):
            self.rows = event.rows
        else:
            return
        self.screen.progress(f"{self.module:<13}{self.stage:<13}{format_count(self.rows):>8} rows ...")


def _all_succeeded(runs: Sequence[Run]) -> bool:
    return all(run.status == "success" for run in runs)


def _show_receipts(screen: Screen, first: Sequence[Run], second: Sequence[Run]) -> None:
    screen.heading("The receipts, first run and second run")
    for one, other in zip(first, second, strict=True):
        screen.side_by_side(build_receipt(one), build_receipt(other))
        screen.say()


def _prove(stage: Stage) -> int:
    stage.screen.heading("Is it the same? Both sides read by SQL, every value compared")
    sides = [
        open_endpoint(
            stage.installation.config,
            stage.installation.secrets,
            repo.get_connection_by_name(stage.installation.db, name),
            application="pipekit:demo",
            read_only=True,
        )
        for name in ("shop", "warehouse")
    ]
    code = 0
    for table in READ_SQL:
        stage.screen.progress(f"{table} ...")
        verdict = compare_table(table, *sides)
        found = f"DIFFERENT: {verdict.difference}" if verdict.difference else "equal"
        stage.screen.say(
            f"{table:<13}{format_count(verdict.rows):>8} rows {format_count(verdict.values):>10} values  {found}"
        )
        code = code or int(bool(verdict.difference))
    return code


def _what_next(folder: Path, postgres: bool) -> str:
    own = Path(sys.executable).with_name("pipekit")
    command = "pipekit" if shutil.which("pipekit") or not own.exists() else os.path.relpath(own, folder)
    shown = os.path.relpath(folder)
    if postgres:
        return f" The PostgreSQL is stopped; the record of the runs stays.\nTry: cd {shown} && {command} runs list"
    return f"""

What to try next:
  cd {shown}
  {command} runs list                        the record of these runs
  {command} run orders                       again: next to nothing left to move
  {command} run orders --dry-run             the SQL that a run would use
  {command} query warehouse "select status, count(*) from orders group by status"
and change {DEFINITION}, then:
  {command} apply {DEFINITION}"""

# A home with two SQLite files, and the real command line run on it: here, or as a process. Knows no command.
"""Fixtures: `home`, an empty installation; `shop`, one with a source of 1,000 rows and modules."""

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pipekit.runner.process import Finished, Program, run_program, start_program
from tests.commands import run_here
from tests.patience import PATIENCE_S

SHOP = """\
connections:
  shop: {driver: sqlite, jdbc_url: "jdbc:sqlite:shop.db"}
  dw: {driver: sqlite, jdbc_url: "jdbc:sqlite:dw.db"}
modules:
  orders:
    source: shop
    query: select * from orders where updated_at >= '{since}'
    dest: dw
    table: orders
    strategy: incremental
    key: order_id
    create_table: true
    watermarks:
      since: {connection: shop, sql: "select null", default: "1900-01-01"}
  all_orders: {source: shop, query: select * from orders, dest: dw, table: all_orders, create_table: true}
  broken: {source: shop, query: select * from nowhere, dest: dw, table: broken, create_table: true}
groups:
  nightly:
    modules: [orders, all_orders]
    schedules: ["0 4 * * *"]
"""


class Home:
    """A folder, and `pipekit` run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / ".pipekit"

    def argv(self, *words: str) -> list[str]:
        """Python runs the package of this tree, whatever the working directory."""
        return [sys.executable, "-m", "pipekit", "--home", str(self.state), *words]

    def run(self, *words: str, input_text: str | None = None, **environ: str) -> Finished:
        """To its end, in this process."""
        return run_here(["--home", str(self.state), *words], env={**os.environ, **environ}, input_text=input_text)

    def run_apart(self, *words: str, input_text: str | None = None, **environ: str) -> Finished:
        """To its end, as a process."""
        env = {**os.environ, "PYTHONIOENCODING": "utf-8", **environ}
        return run_program(self.argv(*words), timeout_s=PATIENCE_S, env=env, input_text=input_text)

    def start(self, *words: str, log_path: Path) -> Program:
        """As a command that goes on."""
        return start_program(self.argv(*words), env=dict(os.environ), log_path=log_path)

    def ok(self, *words: str, **options: Any) -> str:
        """To its end, insisting on success; what it printed."""
        finished = self.run(*words, **options)
        assert finished.code == 0, finished.stderr + finished.stdout
        return finished.stdout

    def ok_json(self, *words: str, **environ: str) -> Any:
        return json.loads(self.ok(*words, "--json", **environ))

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)

    def sql(self, file: str, *statements: str) -> list[Any]:
        """Runs statements on an SQLite file of the folder; the rows of the last one."""
        with closing(sqlite3.connect(self.folder / file)) as db:
            rows = [db.execute(statement).fetchall() for statement in statements][-1]
            db.commit()
        return rows


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.ok("init")
    return made


@pytest.fixture
def shop(home: Home) -> Home:
    home.sql(
        "shop.db",
        "create table orders (order_id integer primary key, updated_at text not null, note text)",
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)"
        " insert into orders select i, '2024-01-' || printf('%02d', i % 28 + 1), 'note ' || i from n",
    )
    home.sql("dw.db", "create table made (x)")
    home.ok("apply", home.write("shop.yaml", SHOP))
    return home

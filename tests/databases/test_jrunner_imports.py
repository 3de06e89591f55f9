# Three folders of invented scripts: run as they are by `pipekit jrunner`, and imported and run as modules.
"""`pipekit import-scripts` to the end: the definition file is applied, its modules run on real databases."""

import os
import re
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.definitions import apply_text
from pipekit.demo.postgres import LocalPostgres
from pipekit.models import Run
from pipekit.runner.process import Finished, run_program
from pipekit.scripts.importing import Imported, import_scripts
from tests.patience import PATIENCE_S
from tests.project import Project

EXAMPLES = Path(__file__).parents[1] / "scripts_examples"
PASSWORDS = ("let me in", "quince7", "medlar8", "s3cr3t-plum")


class Folder:
    """A copy of an example, its addresses those of this test's databases."""

    def __init__(self, name: str, folder: Path, **places: str) -> None:
        self.path = folder / name
        shutil.copytree(EXAMPLES / name, self.path)
        for path in self.path.rglob("*"):
            if path.is_file():
                text = path.read_text("utf-8")
                for old, new in places.items():
                    text = text.replace(_OLD[old], new)
                path.write_text(text, "utf-8")
        self.bin = folder / "bin"
        self.bin.mkdir()

    def put_on_path(self, name: str, script: str) -> None:
        """A program that the scripts find first."""
        path = self.bin / name
        path.write_text(script, "utf-8")
        path.chmod(0o755)

    def run_script(self, name: str) -> Finished:
        """A script as it is: its `jrunner` is `pipekit jrunner`."""
        self.put_on_path("jrunner", f'#!/bin/sh\nexec {sys.executable} -m pipekit jrunner "$@"\n')
        env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "PYTHONPATH": str(EXAMPLES.parents[1])}
        return run_program(["bash", str(self.path / name)], timeout_s=PATIENCE_S, env=env)


# What stands in the examples, and what a test puts in its place.
_OLD = {
    "server": "127.0.0.1:5432",
    "option": "-p 5432",
    "word": "port=5432",
    "erp": "/erp",
    "dw": "/dw",
    "dw_option": "-d dw",
    "dw_word": "dbname=dw",
    "user_dw": "$DW_USER dw",
    "shop": "/srv/shop/shop.db",
    "jrunner": "/opt/jrunner/bin/jrunner",
}


def places(port: int, erp: str, dw: str) -> dict[str, str]:
    """What stands in the scripts for a server's address and its two databases."""
    return {
        "server": f"127.0.0.1:{port}",
        "option": f"-p {port}",
        "word": f"port={port}",
        "erp": f"/{erp}",
        "dw": f"/{dw}",
        "dw_option": f"-d {dw}",
        "dw_word": f"dbname={dw}",
        "user_dw": f"$DW_USER {dw}",
        "jrunner": "jrunner",
    }


def apply(project: Project, imported: Imported) -> None:
    """Applies the definition file, with a value for each secret it names."""
    for name in re.findall(r"password: \$(\w+)", imported.text):
        project.secrets.set(name, "any")
    apply_text(project.db, imported.text, file="imported.yaml", user="ana")


def run_all(project: Project, *names: str) -> list[Run]:
    return [project.succeed(repo.get_module_by_name(project.db, name)) for name in names]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def check_secrets(imported: Imported) -> None:
    for password in PASSWORDS:
        assert password not in imported.text + imported.report


# -- folders: one for each table, an env.sh, psql for the inserts ------------------------------------------------------


@pytest.fixture
def folders(tmp_path: Path, dest_db: str, postgres: LocalPostgres) -> Folder:
    shop = tmp_path / "shop.db"
    with closing(sqlite3.connect(shop)) as db:
        db.executescript("""
            create table orders (order_id integer, customer integer, total numeric, ordered_on date, state text);
            insert into orders values (1, 7, 10.5, '2024-01-01', 'open'), (2, 8, 20, '2024-01-02', 'cancelled'),
                                      (3, 7, 30.25, '2024-02-29', 'done');
            create table customers (id integer, name text, city text);
            insert into customers values (7, 'Ann', 'Ulm'), (8, 'Bob', null);
        """)
    folder = Folder("folders", tmp_path, **places(postgres.port, "none", dest_db), shop=str(shop))
    for name in ("orders", "customers"):
        postgres.run_sql("create schema if not exists stage;" + (folder.path / name / "table.sql").read_text(), dest_db)
    postgres.run_sql("insert into public.orders values (99, '2020-01-01', 1, 1)", dest_db)
    postgres.run_sql("insert into public.customers values (7, 'Old name', 'x'), (50, 'Kept', 'y')", dest_db)
    return folder


ORDERS = "1|2024-01-01|7|10.50\n3|2024-02-29|7|30.25"
CUSTOMERS = "7|Ann|Ulm\n8|Bob|\n50|Kept|y"


def read_both(postgres: LocalPostgres, database: str) -> tuple[str, str]:
    orders = postgres.run_sql("select * from public.orders order by order_id", database)
    return orders, postgres.run_sql("select * from public.customers order by id", database)


def test_folders_become_modules_that_run(
    folders: Folder, project: Project, dest_db: str, postgres: LocalPostgres
) -> None:
    imported = import_scripts(folders.path)
    check_secrets(imported)
    assert (imported.modules, imported.disabled) == (2, 0)
    apply(project, imported)
    orders, customers = run_all(project, "orders", "customers")
    assert (orders.rows_deleted, orders.rows_inserted) == (1, 2)
    assert (customers.rows_deleted, customers.rows_inserted, customers.rows_updated) == (0, 1, 1)
    assert read_both(postgres, dest_db) == (ORDERS, CUSTOMERS)
    group = repo.get_group_by_name(project.db, "run_all")
    assert [schedule.cron for schedule in repo.list_schedules(project.db, group.id)] == ["0 4 * * 1-5"]


def test_the_same_scripts_run_by_pipekit_jrunner_give_the_same_tables(
    folders: Folder, dest_db: str, postgres: LocalPostgres
) -> None:
    folders.put_on_path("psql", f'#!/bin/sh\nexec {postgres.psql_path} "$@"\n')
    for script in ("orders/run.sh", "customers/run.sh"):
        text = (folders.path / script).read_text().replace(">> /var/log/etl.log", "")
        (folders.path / script).write_text(text)
        done = folders.run_script(script)
        assert done.code == 0, done.stderr
    assert read_both(postgres, dest_db) == (ORDERS, CUSTOMERS)


# -- watermarks: a value asked by jrunner or psql, put into the query by the shell -------------------------------------


@pytest.fixture
def watermarks(tmp_path: Path, source_db: str, dest_db: str, postgres: LocalPostgres) -> Folder:
    for database in (source_db, dest_db):
        sales = "create table sales (sale_id integer, article text, pieces integer, changed_at timestamp)"
        postgres.run_sql(f"{sales}; create table stock (id integer, article text, change integer)", database)
    postgres.run_sql(
        "insert into sales select i, 'a' || i, i, timestamp '2024-01-01' + i * interval '1 day'"
        " from generate_series(1, 20) i; insert into stock select i, 'a', i from generate_series(1, 9) i",
        source_db,
    )
    postgres.run_sql("create schema stage; create table stage.sales (like public.sales)", dest_db)
    return Folder("watermarks", tmp_path, **places(postgres.port, source_db, dest_db))


def test_shell_variables_become_watermarks_that_follow_the_dest(
    watermarks: Folder, project: Project, source_db: str, dest_db: str, postgres: LocalPostgres
) -> None:
    imported = import_scripts(watermarks.path)
    check_secrets(imported)
    assert (imported.modules, imported.disabled) == (2, 0)
    apply(project, imported)
    sales, stock = run_all(project, "sales", "stock")
    assert (sales.rows_inserted, stock.rows_inserted) == (20, 9)
    assert (sales.watermark_values, stock.watermark_values) == ({"since": "1900-01-01"}, {"last": "0"})
    postgres.run_sql("update sales set pieces = 500, changed_at = '2025-01-01' where sale_id = 3", source_db)
    postgres.run_sql("insert into stock values (10, 'new', 1)", source_db)
    sales, stock = run_all(project, "sales", "stock")
    assert (sales.rows_deleted, sales.rows_inserted, stock.rows_inserted) == (2, 2, 1)
    assert sales.watermark_values == {"since": "2024-01-21 00:00:00"}
    for table in ("sales", "stock"):
        sql = f"select * from {table} order by 1"
        assert postgres.run_sql(sql, dest_db) == postgres.run_sql(sql, source_db)


def test_the_same_scripts_follow_the_dest_as_well(
    watermarks: Folder, source_db: str, dest_db: str, postgres: LocalPostgres
) -> None:
    watermarks.put_on_path("psql", f'#!/bin/sh\nexec {postgres.psql_path} "$@"\n')
    for _ in range(2):
        for script in ("sales/sync.sh", "stock/sync.sh"):
            done = watermarks.run_script(script)
            assert done.code == 0, done.stderr
        postgres.run_sql("update sales set pieces = 500, changed_at = '2025-01-01' where sale_id = 3", source_db)
    sql = "select * from stock order by 1"
    assert postgres.run_sql(sql, dest_db) == postgres.run_sql(sql, source_db)
    assert postgres.run_sql("select count(*), max(pieces) from sales", dest_db) == "20|500"


# -- terse: one script with a function and a loop ----------------------------------------------------------------------

SQLITE3 = """#!{python}
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript(sys.argv[2])
"""


@pytest.fixture
def terse(tmp_path: Path) -> Folder:
    folder = Folder("terse", tmp_path)
    tables = (
        "create table machines (id integer, name text); create table shifts (day text, machine integer);"
        " create table readings (%s integer primary key, value real, taken_at text);"
    )
    with closing(sqlite3.connect(folder.path / "plant.db")) as db:
        db.executescript(tables % "id")
        db.executescript("""
            insert into machines values (1, 'press'), (2, 'saw');
            insert into shifts values ('2024-05-01', 1);
            insert into readings values (1, 1.5, 'a'), (2, null, 'b'), (3, 3.5, 'c');
        """)
    with closing(sqlite3.connect(folder.path / "board.db")) as db:
        db.executescript(tables % "reading_id")
        db.executescript("""
            create table in_readings (reading_id integer, value real, taken_at text);
            create table loaded (n integer);
            insert into loaded values (0);
            insert into machines values (9, 'gone');
            insert into readings values (1, 0.0, 'old'), (7, 7.0, 'kept');
        """)
    return folder


def read_board(folder: Folder) -> list[list[tuple[object, ...]]]:
    with closing(sqlite3.connect(folder.path / "board.db")) as db:
        return [
            db.execute(f"select * from {table} order by 1").fetchall()
            for table in ("machines", "shifts", "readings", "loaded")
        ]


BOARD = [
    [(1, "press"), (2, "saw")], [("2024-05-01", 1)], [(1, 1.5, "a"), (3, 3.5, "c"), (7, 7.0, "kept")], [(1,)],
]  # fmt: skip


def test_loops_functions_and_an_update_with_an_insert_become_modules(terse: Folder, project: Project) -> None:
    imported = import_scripts(terse.path)
    check_secrets(imported)
    assert (imported.modules, imported.disabled) == (3, 0)
    apply(project, imported)
    _, _, readings = run_all(project, "machines", "shifts", "readings")
    assert (readings.rows_updated, readings.rows_inserted) == (1, 1)
    assert read_board(terse) == BOARD


def test_the_same_script_does_the_same(terse: Folder) -> None:
    terse.put_on_path("sqlite3", SQLITE3.format(python=sys.executable))
    done = terse.run_script("load.sh")
    assert done.code == 0, done.stderr
    assert read_board(terse) == BOARD


# -- all of them -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["folders", "watermarks", "terse"])
def test_importing_twice_gives_the_same_file_and_applying_twice_changes_nothing(
    name: str, tmp_path: Path, project: Project
) -> None:
    folder = Folder(name, tmp_path)
    first, second = import_scripts(folder.path), import_scripts(folder.path)
    assert first == second
    assert "pipekit apply` will refuse" not in first.report
    assert {change.action for change in apply_text(project.db, first.text, file="x", user="ana")} == {"create"}
    assert {change.action for change in apply_text(project.db, second.text, file="x", user="ana")} == {"leave"}

# Twenty folders of invented scripts: what is made of them, and that it loads what the scripts themselves load.
"""Each folder is imported, run as it is by the jrunner of the tests, and run as modules, twice, with changes between.

`PIPEKIT_GOLDEN=write` writes the definition files and reports anew; read them before you commit them.
"""

import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.definitions import apply_text
from pipekit.demo.postgres import LocalPostgres
from pipekit.runner.process import run_program
from pipekit.scripts.importing import import_scripts
from tests.databases.jrunners import FAKE
from tests.databases.script_ways import WAYS, Round, Way
from tests.project import Project

EXAMPLES = Path(__file__).parents[1] / "scripts_examples" / "ways"
GOLDEN = Path(__file__).parents[1] / "scripts_examples" / "golden"
PASSWORDS = ("quince7", 'p$1 "x"')

# What the scripts call, as far as a test machine may lack it; today is a day in May.
PROGRAMS = {
    "jrunner": 'case "$*" in *postgresql*) S=;; *) S=-S;; esac\nexec {python} $S -E {fake} "$@"',
    "sqlite3": 'exec {python} -S -E {sqlite3} "$@"',
    "psql": 'exec {psql} "$@"',
    "date": 'case "$2" in *days) exec /bin/date -u -d "2024-05-15 $2" "$3";; *) exec /bin/date "$@";; esac',
    "mail": "cat > /dev/null",
    "ksh": 'exec bash "$@"',
}
SQLITE3 = Path(__file__).parents[1] / "fake_sqlite3.py"


@dataclass(frozen=True, slots=True)
class Side:
    """One copy of a folder with databases of its own: the scripts' or the modules'."""

    folder: Path
    way: Way
    databases: dict[str, str]
    postgres: LocalPostgres | None

    @property
    def scripts(self) -> Path:
        return self.folder / "etl"

    def make(self, name: str) -> None:
        """Copies the scripts, their addresses those of this side, and fills its databases."""
        shutil.copytree(EXAMPLES / name, self.scripts)
        for path in self.scripts.rglob("*"):
            if path.is_file():
                path.write_bytes(self._place(path.read_bytes().decode("latin-1")).encode("latin-1"))
        for database in ("shop", "south", "erp"):
            self.change(self.way.source, database)
        self.change(self.way.dest, "dw")

    def _place(self, text: str) -> str:
        for name, database in self.databases.items():
            text = re.sub(rf"(?<=[/ =]){name}(?=[\s\"?]|$)", database, text)
        port = str(self.postgres.port if self.postgres else 0)
        text = text.replace("5432", port).replace("-h localhost", f"-h localhost -p {port}")
        text = re.sub(r"/(?:srv/etl|var/lib/etl|tmp)/", f"{self.folder}/", text)
        text = text.replace("/opt/etl/", f"{self.scripts}/") if self.folder.name == "scripts" else text
        return text.replace("loader", "postgres").replace("reader", "postgres")

    def change(self, sql: str, database: str) -> None:
        if database in self.databases:
            assert self.postgres is not None
            self.postgres.run_sql(sql, self.databases[database])
        elif not (self.way.postgresql and database in ("south", "erp")):
            with closing(sqlite3.connect(self.folder / f"{database}.db")) as db:
                db.executescript(sql)

    def read(self, table: str) -> list[tuple[object, ...]]:
        """A dest table's rows in order."""
        if "dw" in self.databases:
            assert self.postgres is not None
            return [(self.postgres.run_sql(f"select * from {table} order by 1", self.databases["dw"]),)]
        with closing(sqlite3.connect(self.folder / "dw.db")) as db:
            return sorted(db.execute(f"select * from {table}").fetchall(), key=repr)


@pytest.fixture
def make_side(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str, str], Side]:
    """Makes a side of a folder; a server only for those that want one."""

    def make(name: str, which: str) -> Side:
        way = WAYS[name]
        postgres = request.getfixturevalue("postgres") if way.postgresql else None
        lend = request.getfixturevalue("make_database") if way.postgresql else None
        side = Side(tmp_path / which, way, {one: lend(one) for one in way.postgresql} if lend else {}, postgres)
        side.folder.mkdir()
        side.make(name)
        return side

    return make


def run_scripts(side: Side, done: Round) -> None:
    """The scripts as they are, with the programs of a test."""
    programs = side.folder / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in PROGRAMS.items():
        psql = side.postgres.psql_path if side.postgres else "false"
        filled = text.format(python=sys.executable, fake=FAKE, sqlite3=SQLITE3, psql=psql)
        (programs / name).write_text(f"#!/bin/sh\n{filled}\n", "utf-8")
        (programs / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", **done.environment}
    for path in side.scripts.rglob("*.sh"):
        path.chmod(0o755)
    for words in done.scripts:
        name, *arguments = words.split()
        found = run_program(["bash", str(side.scripts / name), *arguments], timeout_s=60, env=env)
        assert found.code == done.code, found.stdout + found.stderr


def run_modules(side: Side, project: Project, done: Round) -> None:
    for name in done.runs:
        module = repo.get_module_by_name(project.db, name)
        project.succeed(module, watermarks=done.values)


@pytest.mark.parametrize("name", sorted(WAYS))
def test_a_folder_gives_the_definition_file_and_the_report_that_were_read(name: str) -> None:
    imported = import_scripts(EXAMPLES / name)
    for kind, text in (("yaml", imported.text), ("txt", imported.report)):
        path = GOLDEN / f"{name}.{kind}"
        if os.environ.get("PIPEKIT_GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")
        assert not any(password in text for password in PASSWORDS)
    assert "pipekit apply` will refuse" not in imported.report


@pytest.mark.parametrize("name", sorted(WAYS))
@pytest.mark.usefixtures("near_when_quick")
def test_modules_load_what_their_scripts_load(name: str, make_side: Callable[[str, str], Side], tmp_path: Path) -> None:
    by_scripts, by_modules = make_side(name, "scripts"), make_side(name, "modules")
    project = Project(tmp_path)
    imported = import_scripts(by_modules.scripts)
    for secret in re.findall(r"password: \$(\w+)", imported.text):
        project.secrets.set(secret, "any")
    apply_text(project.db, imported.text, file="imported.yaml", user="ana")
    modules = {module.name: module.enabled for module in repo.list_modules(project.db)}
    assert {one for one, enabled in modules.items() if not enabled} == set(WAYS[name].disabled)
    for number, done in enumerate(WAYS[name].rounds):
        run_scripts(by_scripts, done)
        run_modules(by_modules, project, done)
        for table in WAYS[name].tables:
            assert by_modules.read(table) == by_scripts.read(table), (table, number)
        for side in (by_scripts, by_modules) if number == 0 else ():
            for database in ("shop", "south", "erp"):
                side.change(WAYS[name].change, database)

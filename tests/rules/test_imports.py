# Who may import whom. The contracts are in pyproject.toml; this adds what they cannot say. Reads source text only.
"""Rules of import."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "pipekit"
WIRE = re.compile(r"pipekit\.drivers\.(\w+)\.wire")


@cache
def list_imports(path: Path) -> frozenset[str]:
    """Every module name a file imports, inside functions too. A file is read once for all rules."""
    return frozenset(_find_imports(ast.parse(path.read_text(encoding="utf-8"))))


def _find_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def find_importers(top: str) -> set[str]:
    """Files of the package that import a top-level module or anything in it."""
    return {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(name == top or name.startswith(f"{top}.") for name in list_imports(path))
    }


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_sqlite3_is_imported_by_the_repo_and_the_sqlite_wire_only() -> None:
    strangers = {
        name
        for name in find_importers("sqlite3")
        if not name.startswith("repo/") and not name.startswith("drivers/sqlite/wire")
    }
    assert strangers == set()


def test_subprocess_is_imported_by_runner_process_only() -> None:
    assert find_importers("subprocess") == {"runner/process.py"}


def test_psycopg_is_imported_by_postgresqls_libpq_only() -> None:
    strangers = {name for name in find_importers("psycopg") if not name.startswith("drivers/postgresql/libpq")}
    assert strangers == set()


def test_a_run_between_postgresqls_loads_no_client_of_psycopgs_and_leaves_the_packages_as_they_were() -> None:
    code = """import sys, pipekit.drivers.postgresql.wire, pipekit.drivers.postgresql.libpq as libpq
print({'psycopg', 'asyncio', 'asyncio.exceptions'} & set(sys.modules))
import asyncio, psycopg
asyncio.run(asyncio.sleep(0))
print(psycopg.Error is libpq.Error, asyncio.CancelledError is asyncio.exceptions.CancelledError)"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout.split("\n")) == (0, ["set()", "True True", ""]), done.stderr


def test_a_wire_is_imported_by_nothing_outside_its_driver() -> None:
    """But another wire. The child loads it by name; else a database library would come into the engine's process."""
    wires = {
        f"{path.relative_to(PACKAGE).as_posix()} imports {name}"
        for path in PACKAGE.rglob("*.py")
        for name in list_imports(path)
        if (found := WIRE.match(name)) and path.name != "wire.py" and path.parent != PACKAGE / "drivers" / found[1]
    }
    assert wires == set()


def test_click_and_rich_are_imported_by_the_command_line_only() -> None:
    strangers = {name for name in find_importers("click") | find_importers("rich") if not name.startswith("cli/")}
    assert strangers == set()


def test_nothing_of_a_terminal_or_a_database_is_loaded_by_importing_the_engine() -> None:
    code = "import sys, pipekit.engine; print(sorted({'click', 'rich', 'psycopg', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_every_file_begins_with_a_line_that_says_what_it_holds() -> None:
    bare = [
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*.py")
        if path.read_text(encoding="utf-8").strip() and not path.read_text(encoding="utf-8").startswith(("# ", '"""'))
    ]
    assert bare == []

# "How to add" and "Where does what happen" in docs/development.md are true: followed on a copy of the package.
"""What the page says to write is written, and used."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```\w+\n(?:#|--|<!--) (pipekit/\S+?)(?:, before `([^`]*)`)?(?: -->)?\n(.*?)```", re.DOTALL)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with the package in it, which is what Python finds there."""
    shutil.copytree(ROOT / "pipekit", tmp_path / "pipekit", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def read_chapter(title: str) -> str:
    """A chapter's text, up to the next one of its level or above."""
    after = PAGE.split(f"### {title}\n", 1)[1]
    return re.split(r"^##", after, maxsplit=1, flags=re.MULTILINE)[0]


def follow(title: str, folder: Path) -> list[str]:
    """Writes what a chapter says; the files it named."""
    written = []
    for name, before, text in BLOCK.findall(read_chapter(title)):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if before:
            old = path.read_text(encoding="utf-8")
            assert old.count(f"\n{before}") == 1, f"{before!r} in {name}"
            text = old.replace(f"\n{before}", f"\n{text}{before}")
        path.write_text(text, encoding="utf-8")
        written.append(name)
    return written


def use(folder: Path, code: str) -> Any:
    """What a piece of Python prints as JSON, with the copy in place of the package."""
    env = os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    argv = [sys.executable, "-c", code, str(folder / "site")]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


COMMANDS = """
import contextlib, io, json, sys
from pathlib import Path
from pipekit.cli import main

def call(*words):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = main(["--home", "home", *words])
    assert code == 0, out.getvalue()
    return out.getvalue()

call("init")
Path("shop.yaml").write_text(SHOP)
call("apply", "shop.yaml")
"""
SHOP = """
connections:
  shop: {{driver: {kind}, jdbc_url: "jdbc:sqlite:shop.db"}}
  copy: {{driver: {kind}, jdbc_url: "jdbc:sqlite:copy.db"}}
modules:
  items:
    source: shop
    query: select 1 as id, 'nut' as name
    dest: copy
    table: items
    create_table: true
{more}
"""


def test_a_field_of_a_module_is_its_line_a_migration_and_its_use(copied: Path) -> None:
    assert len(follow("A field of a module", copied)) == 2
    code = f"SHOP = {SHOP.format(kind='sqlite', more='    owner: Ana')!r}{COMMANDS}"
    code += """
from pipekit.api.openapi import build_openapi
from pipekit.definitions.schema import build_schema
from tests.pages.site import Site, Visitor
site = Site(Path(sys.argv[1]))
site.add_connection("shop", "jdbc:sqlite:shop.db")
form = Visitor(site, "ana").get("/modules/new")
texts = [call("export"), json.dumps(build_schema()), json.dumps(build_openapi()), form.html]
site.close()
words = ["owner: Ana", *["Whom to ask about it"] * 3]
print(json.dumps([word in text for word, text in zip(words, texts, strict=True)]))
"""
    assert use(copied, code) == [True] * 4


def test_a_page_is_a_router_a_template_and_a_line_in_the_list(copied: Path) -> None:
    assert len(follow("A page", copied)) == 4
    code = """
import json, sys
from pathlib import Path
from tests.pages.site import Site, Visitor
site = Site(Path(sys.argv[1]))
page = Visitor(site, "vera").get("/tally")
stranger = site.new_client().get("/tally")
site.close()
print(json.dumps([page.status, "0 modules" in page.text, stranger.status_code]))
"""
    assert use(copied, code) == [200, True, 303]


def test_a_driver_is_a_folder_and_a_line_and_moves_rows(copied: Path) -> None:
    assert len(follow("A driver", copied)) == 4
    code = "import os, sqlite3\nos.mkdir('home')\nsqlite3.connect('home/shop.db').execute('create table t (a)')\n"
    code += f"SHOP = {SHOP.format(kind='mirror', more='')!r}{COMMANDS}"
    code += """
call("run", "items")
print(json.dumps(sqlite3.connect("home/copy.db").execute("select id, name from items").fetchall()))
"""
    assert use(copied, code) == [[1, "nut"]]


def list_places() -> Iterator[tuple[str, str]]:
    """(file, name) of each place that the table of questions gives."""
    chapter = PAGE.split("## Where does what happen\n", 1)[1].split("\n## ")[0]
    for line in chapter.splitlines():
        if not line.startswith("| "):
            continue
        path = ""
        for word in re.findall(r"`([^`]+)`", line.split("|", 2)[2]):
            if word.endswith(".py"):
                path = word
            else:
                yield path, word


def test_every_place_of_the_table_of_questions_is_there() -> None:
    places = list(list_places())
    assert len(places) >= 10
    for path, name in places:
        text = (ROOT / "pipekit" / path).read_text(encoding="utf-8")
        assert re.search(rf"^\s*(?:async )?(?:def|class) {re.escape(name)}\b", text, re.MULTILINE), f"{name} in {path}"

# The project's own files agree with one another: lock, Makefile, README, metadata. Starts no database.
"""Rules for the files around the package."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest

import pipekit
from pipekit.cli import COMMANDS
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE))
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def list_make_targets() -> set[str]:
    """Targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_lock_holds_pins_and_hashes_and_no_address() -> None:
    assert "://" not in LOCK
    strange = [
        line
        for line in LOCK.splitlines()
        if not re.match(r"[a-z0-9-]+==|    --hash=sha256:[0-9a-f]{64}( \\)?$|    # ", line)
    ]
    assert strange == []


def test_every_pin_of_the_lock_has_a_hash() -> None:
    blocks = re.split(r"^(?=[a-z0-9-]+==)", LOCK, flags=re.MULTILINE)[1:]
    assert [block.split(" ")[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_lock_holds_every_requirement_of_the_project() -> None:
    wanted = [
        *PROJECT["dependencies"],
        *(name for extra in PROJECT["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[\[><=~!; ]", requirement)[0].lower() for requirement in wanted}
    assert names - set(PINS) == {"pipekit"}  # an extra that is made of others


def test_the_version_of_the_package_is_the_one_that_is_installed() -> None:
    assert metadata("pipekit")["Version"] == pipekit.__version__


def test_the_package_names_its_licence_and_its_python() -> None:
    found = metadata("pipekit")
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Requires-Python"] == ">=3.11"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_core_needs_few_packages() -> None:
    core = {re.split(r"[\[><=~!; ]", item)[0] for item in PROJECT["dependencies"]}
    web = {"argon2-cffi", "fastapi", "jinja2", "markdown-it-py", "python-multipart", "uvicorn", "zxcvbn"}
    assert core == {"click", "cronsim", "prometheus-client", "psycopg", "pyyaml", "rich"} | web


def test_the_changelog_has_the_version_of_the_package() -> None:
    assert f"## {pipekit.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_command_in_a_document_exists(document: Path) -> None:
    named = set(re.findall(r"`?\bmake ([a-z-]+)\b(?=[`\s]|$)", "\n".join(list_commands(document))))
    assert named - list_make_targets() == set()


def list_commands(document: Path) -> list[str]:
    """What a document shows as code: blocks and inline."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)
    shown = [block for language, block in blocks if language in ("", "sh", "console", "text")]
    return shown + re.findall(r"`([^`\n]+)`", text)


def test_the_help_lists_every_command() -> None:
    command = [sys.executable, "-m", "pipekit", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True).stdout
    assert set(re.findall(r"^  ([a-z][a-z-]*)  ", shown, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_pipekit_command_in_a_document_exists(document: Path) -> None:
    named = set(re.findall(r"(?:^|\s)pipekit ([a-z][a-z-]*)\b", "\n".join(list_commands(document))))
    assert named - set(COMMANDS) == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_in_a_document_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


def run_make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs make as from a shell, also when the tests themselves were started by make."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE_S)


def test_every_make_target_says_what_it_does() -> None:
    assert {line.split()[1] for line in run_make().stdout.splitlines()} == list_make_targets()


def test_a_python_that_is_not_one_is_refused_by_name() -> None:
    done = run_make("setup", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "PYTHON=no-such-python is not Python 3.11 or later" in done.stderr


def test_the_pictures_are_small_and_load_nothing() -> None:
    pictures = sorted((ROOT / "docs" / "img").glob("*.svg"))
    assert pictures
    for picture in pictures:
        text = picture.read_text(encoding="utf-8")
        assert len(text.encode()) < 200_000
        assert re.findall(r"url\((?!#)[^)]*\)|@import|https?://(?!www\.w3\.org/)", text) == []

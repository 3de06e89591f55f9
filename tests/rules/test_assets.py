# What the pages load: pinned, without addresses, and nothing that a strict policy refuses. Builds nothing.
"""Rules for the assets of the pages."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "pipekit" / "web"
SCRIPTS = sorted((WEB / "static" / "js").glob("*.js"))
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
STYLES = sorted((WEB / "static" / "css").glob("*.css"))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_locks_of_the_assets_hold_hashes_and_no_address() -> None:
    packages = json.loads(read(ROOT / "package-lock.json"))["packages"]
    assert "://" not in read(ROOT / "package-lock.json")
    assert [name for name, item in packages.items() if name and "integrity" not in item] == []
    assert "://" not in read(ROOT / "tools" / "node.lock")
    assert "--hash=sha256:" in read(ROOT / "tools" / "node.lock")
    assert "omit-lockfile-registry-resolved=true" in read(ROOT / ".npmrc")


def test_every_package_is_pinned_to_what_the_lock_holds() -> None:
    wanted = json.loads(read(ROOT / "package.json"))
    locked = json.loads(read(ROOT / "package-lock.json"))["packages"]
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_evaluates_text_or_asks_another_host(script: Path) -> None:
    text = read(script)
    assert re.findall(r"\beval\(|new Function|innerHTML|outerHTML|document\.write|https?://", text) == []
    assert text.startswith("// ")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_scripts_styles_or_foreign_addresses(template: Path) -> None:
    text = read(template)
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|\|\s*safe\b", text) == []
    assert re.findall(r"""(?:href|src|action)=["']?(?:https?:)?//""", text) == []


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_no_style_sheet_loads_from_elsewhere(style: Path) -> None:
    assert re.findall(r"https?://|url\(\s*[\"']?//", read(style)) == []

# Whose homes and configurations are obeyed. Owners are real where the tests run as root, else root is pretended.
"""`refuse_strangers`, through `load_config`."""

import os
from pathlib import Path

import pytest

from pipekit.config import load_config
from pipekit.errors import ConfigError

NOBODY = 65534


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A home of another user, with a configuration; skipped where nobody may give a file away."""
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    home = make_home(tmp_path, "runner: jrunner\njrunner: ./run\n")
    for path in (home, home / "config.yaml"):
        os.chown(path, NOBODY, NOBODY)
    return home


def make_home(folder: Path, text: str = "") -> Path:
    home = folder / ".pipekit"
    home.mkdir(mode=0o700)
    (home / "config.yaml").write_text(text, "utf-8")
    return home


def load(home: Path) -> None:
    load_config({"PIPEKIT_HOME": str(home)}, home.parent)


def test_root_does_not_obey_what_another_user_owns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home(tmp_path)
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ConfigError, match=r"belongs to .* root would do what it says") as caught:
        load(home)
    assert "sudo -u" in caught.value.hint


@pytest.mark.parametrize("name", ["", "config.yaml"])
def test_root_does_not_obey_what_others_may_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    home = make_home(tmp_path)
    (home / name).chmod(0o777)
    if os.geteuid() != 0:
        # Those who run the tests stand for root, who owns it.
        load(home)
        pytest.skip("only root is kept from it")
    with pytest.raises(ConfigError, match="may be written by others"):
        load(home)


def test_root_obeys_a_link_only_of_its_own(theirs: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(theirs)
    with pytest.raises(ConfigError, match="belongs to nobody"):
        load(link)
    os.chown(theirs, 0, 0)
    os.chown(theirs / "config.yaml", 0, 0)
    load(link)
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    with pytest.raises(ConfigError, match="belongs to nobody"):
        load(link)


def test_nobody_is_made_to_run_what_another_users_file_names(theirs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigError, match="its jrunner would be run as you"):
        load(theirs)
    (theirs / "config.yaml").write_text("lease_s: 30\n", "utf-8")
    load(theirs)

# deploy.sh below a scratch prefix: what it makes, keeps, mends, upgrades and refuses. Starts no service.
"""One deployment is made; the tests look at it and deploy again."""

import hashlib
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pytest

from pipekit import __version__
from tests.deploy.conftest import ROOT, Scratch, copy_tree, find_program, must, run, write
from tests.patience import PATIENCE_S

Entry = tuple[str, int, int, str]


def list_entries(folder: Path) -> list[Entry]:
    """Path, mode, time of change and content of everything below a folder."""
    return [(str(path), *look(path)) for path in sorted([folder, *folder.rglob("*")])]


def look(path: Path) -> tuple[int, int, str]:
    status = path.lstat()
    content = os.readlink(path) if path.is_symlink() else ""
    if stat.S_ISREG(status.st_mode):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
    return status.st_mode, status.st_mtime_ns, content


def mode_of(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def applied(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        names = [name for (name,) in db.execute("SELECT name FROM migrations ORDER BY name")]
    db.close()
    return names


def make_first_version(path: Path) -> None:
    """A state database as the version with only the first migration left it."""
    db = sqlite3.connect(path)
    db.executescript(files("pipekit").joinpath("migrations/0001_core.sql").read_text("utf-8"))
    db.executescript(
        """
        CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;
        INSERT INTO migrations VALUES ('0001_core', '2026-01-01T00:00:00.000Z');
        INSERT INTO connection (name, driver, jdbc_url) VALUES ('shop', 'sqlite', 'jdbc:sqlite:shop.db');
        PRAGMA journal_mode = WAL;
        """
    )
    db.close()


# -- the first run and the second --------------------------------------------------------------------------------------


def test_the_first_run_makes_everything_with_its_mode(scratch: Scratch) -> None:
    assert scratch.first.last_line == "11 changes"
    modes = {
        scratch.prefix / "opt/pipekit": "0755",
        scratch.prefix / "opt/pipekit/jars": "0755",
        scratch.prefix / "opt/pipekit/.venv/bin/pipekit": "0755",
        scratch.program: "0755",
        scratch.home: "0750",
        scratch.home / "config.yaml": "0640",
        scratch.home / "secrets.env": "0640",
        scratch.state.parent: "0700",
        scratch.state: "0600",
        scratch.unit: "0644",
    }
    assert {path: mode_of(path) for path in modes} == modes


def test_only_what_runs_is_installed_and_the_package_itself_is_a_copy(scratch: Scratch) -> None:
    packages = next((scratch.prefix / "opt/pipekit/.venv/lib").glob("python*/site-packages"))
    names = {path.name.split("-")[0].lower() for path in packages.glob("*.dist-info")}
    assert {"click", "cronsim", "psycopg", "psycopg_binary", "pyyaml", "rich", "pipekit"} <= names
    assert names & {"pytest", "mypy", "ruff", "hatchling", "hypothesis", "jpype1", "mssql_python"} == set()
    assert (packages / "pipekit/migrations/0001_core.sql").is_file()


def test_the_second_run_changes_nothing(scratch: Scratch) -> None:
    before = list_entries(scratch.prefix)
    again = must(scratch.deploy())
    assert again.last_line == "0 changes"
    assert [line for line in again.out.splitlines()[:-1] if not line.startswith("ok: ")] == []
    assert list_entries(scratch.prefix) == before


def test_the_tree_it_is_deployed_from_is_left_as_it_was(scratch: Scratch) -> None:
    before = list_entries(scratch.tree)
    must(scratch.deploy())
    assert list_entries(scratch.tree) == before
    made = [path for path in scratch.tree.rglob("*") if path.name in ("__pycache__", "dist", "build")]
    assert [path for path in made if path.parent.name != "static"] == [], "the pages' own assets may be there"


def test_the_installed_program_answers_from_anywhere(scratch: Scratch, tmp_path: Path) -> None:
    assert must(run(scratch.program, "--version", cwd=tmp_path)).out == f"pipekit {__version__}\n"
    doctor = must(run(scratch.program, "doctor", cwd=tmp_path)).out
    assert f"state: {scratch.state}: schema is current" in doctor
    assert not re.search(r"^(bad|warn) ", doctor, re.MULTILINE)


def test_a_project_of_ones_own_comes_before_the_installation(scratch: Scratch, tmp_path: Path) -> None:
    made = must(run(scratch.program, "--home", tmp_path / "mine", "init", cwd=tmp_path)).out
    assert str(tmp_path / "mine/pipekit.db") in made
    named = must(run(scratch.program, "init", cwd=tmp_path, env={"PIPEKIT_HOME": str(tmp_path / "other")})).out
    assert str(tmp_path / "other/pipekit.db") in named
    (tmp_path / ".pipekit").mkdir()
    assert str(tmp_path / ".pipekit/pipekit.db") in must(run(scratch.program, "init", cwd=tmp_path)).out
    there = must(run(scratch.program, "--debug", "--home", scratch.home, "doctor", cwd=tmp_path)).out
    assert str(scratch.state) in there


def test_a_dry_run_writes_nothing(scratch: Scratch, tmp_path: Path) -> None:
    told = must(run(scratch.tree / "deploy.sh", "--prefix", tmp_path / "new", "--dry-run", "--python", sys.executable))
    assert told.last_line == "11 changes to make"
    assert f"would: {tmp_path}/new/usr/local/bin/pipekit" in told.out
    assert list(tmp_path.iterdir()) == []
    before = list_entries(scratch.prefix)
    scratch.unit.chmod(0o600)
    assert must(scratch.deploy("--dry-run")).last_line == "1 changes to make"
    scratch.unit.chmod(0o644)
    assert list_entries(scratch.prefix) == before


# -- what is kept, mended, upgraded ------------------------------------------------------------------------------------


def test_secrets_and_configuration_survive_and_their_modes_are_mended(scratch: Scratch) -> None:
    secrets, config = scratch.home / "secrets.env", scratch.home / "config.yaml"
    must(run(scratch.program, "secrets", "set", "DW_PASSWORD", stdin="open sesame\n"))
    assert mode_of(secrets) == "0640"
    config.write_text(config.read_text() + "max_runs: 7\n")
    before = secrets.read_bytes(), config.read_bytes()
    secrets.chmod(0o600)
    config.chmod(0o666)
    done = must(scratch.deploy())
    assert done.last_line == "2 changes"
    assert (secrets.read_bytes(), config.read_bytes()) == before
    assert (mode_of(secrets), mode_of(config)) == ("0640", "0640")
    assert "open sesame" not in done.out + done.err
    assert must(scratch.deploy()).last_line == "0 changes"


def test_a_link_is_judged_by_what_it_leads_to(scratch: Scratch, tmp_path: Path) -> None:
    config, kept = scratch.home / "config.yaml", tmp_path / "kept.yaml"
    config.rename(kept)
    config.symlink_to(kept)
    assert must(scratch.deploy("--dry-run")).last_line == "0 changes to make"
    kept.chmod(0o600)
    assert must(scratch.deploy()).last_line == "1 changes"
    assert (mode_of(kept), config.is_symlink()) == ("0640", True)
    assert must(scratch.deploy("--dry-run")).last_line == "0 changes to make"
    config.unlink()
    shutil.move(kept, config)


def test_an_older_state_is_upgraded_after_a_copy_of_it_was_made(scratch: Scratch) -> None:
    known = applied(scratch.state)
    scratch.state.unlink()
    make_first_version(scratch.state)
    done = must(scratch.deploy())
    copy = scratch.state.with_name(f"pipekit.db.before-{known[1]}")
    assert f"changed: {scratch.state}, schema brought up to date; as it was before: {copy}" in done.out
    assert done.last_line == "1 changes"
    assert (applied(copy), applied(scratch.state)) == (["0001_core"], known)
    assert mode_of(copy) == "0600"
    assert "shop" in must(run(scratch.program, "connections", "list")).out
    assert must(scratch.deploy()).last_line == "0 changes"


def test_the_state_of_a_newer_version_is_refused_and_left_alone(scratch: Scratch) -> None:
    write(scratch.state, "INSERT INTO migrations VALUES ('9999_future', '2030-01-01T00:00:00.000Z')")
    before = list_entries(scratch.prefix)
    done = scratch.deploy()
    write(scratch.state, "DELETE FROM migrations WHERE name = '9999_future'")
    assert done.code == 1
    assert "written by a newer Pipekit (it has 9999_future)" in done.err
    assert "Deploy the version that wrote it" in done.err
    assert [entry[::3] for entry in list_entries(scratch.prefix) if "pipekit.db" not in entry[0]] == [
        entry[::3] for entry in before if "pipekit.db" not in entry[0]
    ]


def test_a_state_where_the_service_may_not_write_is_refused_with_the_line_that_mends_it(scratch: Scratch) -> None:
    config = scratch.home / "config.yaml"
    kept = config.read_text()
    config.write_text("# nothing is set\n")
    done = scratch.deploy()
    config.write_text(kept)
    assert done.code == 1
    assert f"Add this line to it: state_path: {scratch.state}" in done.err


def test_a_configuration_with_a_mistake_is_named_with_its_key(scratch: Scratch) -> None:
    config = scratch.home / "config.yaml"
    kept = config.read_text()
    config.write_text(kept + "speed: 5\n")
    done = scratch.deploy()
    config.write_text(kept)
    assert done.code == 1
    assert "unknown key `speed`" in done.err
    assert f"Mend {config} and run this again." in done.err


def test_a_new_version_is_put_beside_the_old_one_and_an_interrupted_run_can_be_repeated(
    scratch: Scratch, tmp_path: Path
) -> None:
    newer = copy_tree(tmp_path / "newer")
    (newer / "pipekit/__init__.py").write_text(
        (newer / "pipekit/__init__.py").read_text().replace(f'"{__version__}"', '"99.0"')
    )
    link = scratch.prefix / "opt/pipekit/.venv"
    old = os.readlink(link)
    cut_short(newer, scratch.prefix, tmp_path)
    assert must(run(scratch.program, "--version")).out == f"pipekit {__version__}\n"
    done = must(scratch.deploy(tree=newer))
    assert done.last_line == "2 changes"
    assert must(run(scratch.program, "--version")).out == "pipekit 99.0\n"
    assert {path.name for path in (link.parent / "envs").iterdir()} == {Path(old).name, Path(os.readlink(link)).name}
    # And back: the old environment is still whole.
    assert must(scratch.deploy()).last_line == "1 changes"
    assert os.readlink(link) == old


def cut_short(tree: Path, prefix: Path, rubbish: Path) -> None:
    """A deployment that is killed while it makes the environment."""
    argv = [str(tree / "deploy.sh"), "--prefix", str(prefix), "--python", sys.executable]
    env = {**os.environ, "TMPDIR": str(rubbish)}
    with subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL, start_new_session=True) as program:
        deadline = time.monotonic() + PATIENCE_S
        while not list(prefix.glob("opt/pipekit/envs/99.0-*/bin/python")) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(program.pid, signal.SIGKILL)
    assert list(prefix.glob("opt/pipekit/envs/99.0-*/complete")) == []


# -- the unit ----------------------------------------------------------------------------------------------------------


def test_the_unit_is_sound_and_its_exposure_at_most_1_6(scratch: Scratch) -> None:
    analyze = find_program("systemd-analyze", "systemd")
    sound = run(analyze, "verify", "--man=no", scratch.unit)
    assert (sound.code, sound.out, sound.err) == (0, "", "")
    judged = must(run(analyze, "security", "--offline=yes", "--no-pager", scratch.unit)).out
    found = re.search(r"Overall exposure level for pipekit\.service: ([0-9.]+)", judged)
    assert found is not None
    assert float(found[1]) <= 1.6


def test_the_unit_of_a_prefix_differs_from_the_shipped_one_in_its_paths_only(scratch: Scratch) -> None:
    assert scratch.unit.read_text().replace(str(scratch.prefix), "") == (ROOT / "systemd/pipekit.service").read_text()


def test_java_is_named_only_where_an_installed_jrunner_needs_it(scratch: Scratch, tmp_path: Path) -> None:
    config = scratch.home / "config.yaml"
    kept = config.read_text()
    config.write_text(kept + "runner: jrunner\n")
    refused = scratch.deploy(JAVA_HOME=str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/java").write_text("")
    (tmp_path / "bin/java").chmod(0o755)
    done = scratch.deploy(JAVA_HOME=str(tmp_path))
    lines = java_lines(scratch)
    config.write_text(kept)
    assert refused.code == 1
    assert "default-jre-headless" in refused.err
    assert must(done).last_line == "1 changes"
    assert lines == ["[Service]", f"Environment=JAVA_HOME={tmp_path}", "MemoryDenyWriteExecute=no"]
    assert must(scratch.deploy()).last_line == "1 changes"
    assert java_lines(scratch) == []


def java_lines(scratch: Scratch) -> list[str]:
    """The unit's drop-in for Java without its heading; empty where there is none."""
    dropin = scratch.unit.with_name("pipekit.service.d") / "50-java.conf"
    return dropin.read_text().splitlines()[1:] if dropin.exists() else []


def test_a_registered_jar_without_what_runs_it_is_told_with_the_command_that_mends_it(scratch: Scratch) -> None:
    write(scratch.state, "UPDATE driver SET jar = 'jt400.jar', class = 'x.Driver' WHERE kind = 'db2i'")
    refused = scratch.deploy()
    write(scratch.state, "UPDATE driver SET jar = NULL")
    assert refused.code == 1
    assert f"Run: deploy.sh --prefix {scratch.prefix} --with jdbc" in refused.err


def test_a_kind_that_is_not_registered_is_registered_by_the_next_deployment(scratch: Scratch) -> None:
    write(scratch.state, "DELETE FROM driver WHERE kind = 'sqlite'")
    done = must(scratch.deploy())
    assert "changed: registered drivers: sqlite" in done.out
    assert done.last_line == "1 changes"
    assert must(scratch.deploy()).last_line == "0 changes"


def test_the_service_may_take_longer_to_stop_than_its_runs_may_drain(scratch: Scratch) -> None:
    config = scratch.home / "config.yaml"
    kept = config.read_text()
    config.write_text(kept + "drain_s: 300\n")
    must(scratch.deploy())
    dropin = scratch.unit.with_name("pipekit.service.d") / "50-drain.conf"
    assert "TimeoutStopSec=360" in dropin.read_text()
    config.write_text(kept)
    must(scratch.deploy())
    assert not dropin.exists()


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--fast"], "--fast is not an option"),
        (["--prefix"], "--prefix needs a value"),
        (["--prefix", "/"], "is this machine itself"),
        (["--prefix", "/tmp/a b"], "--prefix may hold"),
        (["--prefix", "/tmp/x", "--with", "demo"], "--with takes alerts, jdbc, mssql"),
        (["--prefix", "/tmp/x", "--python", "no-such-python"], "is not Python 3.11 or later"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options: list[str], told: str) -> None:
    done = run(ROOT / "deploy.sh", *options)
    assert done.code == 1
    assert told in done.err
    assert done.out == ""


def test_the_help_names_every_option() -> None:
    named = set(re.findall(r"^ +(--[a-z-]+)", must(run(ROOT / "deploy.sh", "--help")).out, re.MULTILINE))
    assert named == {"--prefix", "--create-user", "--with", "--python", "--no-start", "--dry-run", "--help"}


def test_without_a_prefix_root_is_needed() -> None:
    rights = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()
    # Read from standard input, as the tree may be closed to others.
    done = run(*rights, "bash", "-s", stdin=(ROOT / "deploy.sh").read_text())
    assert done.code == 1
    assert "Run: sudo ./deploy.sh" in done.err


def test_the_shell_texts_are_clean(scratch: Scratch) -> None:
    shellcheck = find_program("shellcheck", "shellcheck")
    done = run(shellcheck, ROOT / "deploy.sh", scratch.program)
    assert (done.code, done.out) == (0, "")

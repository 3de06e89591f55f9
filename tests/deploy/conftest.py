# Places to deploy into: a scratch prefix, and a machine of its own made of mounts. Knows nothing of what is installed.
"""Fixtures `tree`, `prefix`, `scratch` and `machine`."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (
    "deploy.sh",
    "systemd",
    "pipekit",
    "docs",
    "tools",
    "pyproject.toml",
    "requirements.lock",
    "README.md",
    "LICENSE",
)
DEPLOY_WITHIN_S = 10 * PATIENCE_S


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.splitlines()[-1] if self.out else ""


def run(*argv: str | Path, env: Mapping[str, str] | None = None, stdin: str = "", cwd: Path | str = "/") -> Done:
    """Runs a command without the settings of a Pipekit that may be around."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PIPEKIT_", "JAVA_"))}
    done = subprocess.run(
        [str(word) for word in argv],
        env={**clean, **(env or {})},
        input=stdin,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=DEPLOY_WITHIN_S,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def must(done: Done) -> Done:
    """Insists on success."""
    assert done.code == 0, f"{done.out}\n{done.err}"
    return done


def lacking(reason: str) -> None:
    """Skips a test on a laptop; in CI what it needs must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def find_program(name: str, package: str) -> str:
    """Where a program is; without it the test is skipped, in CI it fails."""
    found = shutil.which(name)
    if found is None:
        lacking(f"{name} is missing; on Debian: apt-get install {package}")
    return str(found)


def write(path: Path, statement: str) -> None:
    """Runs a statement on a state database."""
    with sqlite3.connect(path) as db:
        db.execute(statement)
    db.close()


def copy_tree(folder: Path) -> Path:
    """What a release holds, without whatever else lies in this working tree."""
    folder.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("release") / "pipekit")


class Scratch:
    """A prefix that was deployed into once."""

    def __init__(self, tree: Path, prefix: Path, options: tuple[str, ...] = ()) -> None:
        self.tree = tree
        self.prefix = prefix
        self.home = prefix / "etc/pipekit"
        self.state = prefix / "var/lib/pipekit/pipekit.db"
        self.program = prefix / "usr/local/bin/pipekit"
        self.unit = prefix / "etc/systemd/system/pipekit.service"
        self.first = must(self.deploy(*options))

    def deploy(self, *options: str, tree: Path | None = None, **env: str) -> Done:
        """deploy.sh with this prefix and the running Python."""
        script = (tree or self.tree) / "deploy.sh"
        return run(script, "--prefix", self.prefix, "--python", sys.executable, *options, env=env)


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not there yet; skips where nothing can be deployed into it."""
    if os.geteuid() != 0:
        lacking("deploy.sh is tried as root")
    if run("id", "-u", "pipekit").code == 0:
        lacking("the user pipekit of this machine would own what is made, and cannot reach it")
    return tmp_path_factory.mktemp("prefix") / "root"


@pytest.fixture(scope="module")
def scratch(tree: Path, prefix: Path) -> Scratch:
    return Scratch(tree, prefix)


# -- a machine of its own ----------------------------------------------------------------------------------------------

# Stands in for the one program that needs a booted systemd. It keeps what the real one would know in files.
SYSTEMCTL = """\
#!/bin/sh
known=/run/known
mkdir -p $known
echo "$*" >>$known/calls
case "$1 $2" in
    "is-active "*) [ -e $known/active ] ;;
    "is-enabled "*) if [ -e $known/enabled ]; then echo enabled; else echo disabled; exit 1; fi ;;
    "show --property=ActiveEnterTimestamp") date -d "@$(stat -c %Y $known/active)" ;;
    "daemon-reload "*) ;;
    "enable "*) touch $known/enabled ;;
    "start "* | "restart "*) sleep 1.1; touch $known/active ;;
    "stop "*) rm $known/active ;;
    *) exit 64 ;;
esac
"""

MOUNTS = """\
set -eu
work=$1
mount -t tmpfs -o mode=0755 none "$work"
cp -a /etc "$work/etc"
rm -rf "$work/etc/pipekit" "$work/etc/systemd/system/pipekit.service"*
cp --remove-destination -L /etc/resolv.conf "$work/etc/resolv.conf" || true
sed -i '/^pipekit:/d' "$work/etc/passwd" "$work/etc/group" "$work/etc/shadow" "$work/etc/gshadow"
cp -a /usr/local/bin "$work/bin"
cp "$work/../systemctl" "$work/bin/systemctl"
mkdir "$work/opt" "$work/lib"
mount --bind "$work/etc" /etc
mount --bind "$work/bin" /usr/local/bin
mount --bind "$work/opt" /opt
mount --bind "$work/lib" /var/lib
mount -t tmpfs -o mode=0755 none /run
mkdir -p /run/systemd/system
echo ready
exec sleep infinity
"""


class Machine:
    """Commands see /etc, /opt, /var/lib, /usr/local/bin and /run of their own; all else is the real machine."""

    def __init__(self, tree: Path, pid: int) -> None:
        self.tree = tree
        self.pid = pid

    def run(self, *argv: str | Path, stdin: str = "", cwd: str = "/", **env: str) -> Done:
        inside = ("nsenter", f"--mount=/proc/{self.pid}/ns/mnt", f"--wdns={cwd}")
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return run(*inside, *argv, stdin=stdin, env={"PATH": path, **env})

    def deploy(self, *options: str, tree: Path | None = None) -> Done:
        return self.run((tree or self.tree) / "deploy.sh", *options)

    def as_user(self, user: str, *argv: str, stdin: str = "") -> Done:
        """A command of a user without the rights of root."""
        rights = ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
        return self.run(*rights, "env", f"HOME=/nowhere/{user}", *argv, stdin=stdin)

    def read(self, path: str) -> str:
        return must(self.run("cat", path)).out


@pytest.fixture(scope="module")
def machine(tree: Path) -> Iterator[Machine]:
    """Needs root and mount namespaces; a container may lack the right to make them, so it is skipped without."""
    if os.geteuid() != 0:
        lacking("a machine of its own needs root")
    if run("unshare", "--mount", "true").code or shutil.which("nsenter") is None:
        pytest.skip("mount namespaces cannot be made here")
    if run("/usr/bin/python3", "-c", "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 11))").code:
        lacking("the system has no Python 3.11 with venv; on Debian 12: apt-get install python3 python3-venv")
    with tempfile.TemporaryDirectory(prefix="pipekit-machine-") as folder:
        Path(folder, "root").mkdir()
        stand_in = Path(folder, "systemctl")
        stand_in.write_text(SYSTEMCTL)
        stand_in.chmod(0o755)
        argv = ["unshare", "--mount", "--propagation=private", "sh", "-c", MOUNTS, "sh", f"{folder}/root"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            try:
                assert holder.stdout.readline() == "ready\n"
                yield Machine(tree, holder.pid)
            finally:
                os.kill(holder.pid, signal.SIGKILL)

# `pipekit set-password` and `pipekit users`, as commands.
"""Users from the shell."""

import os
import pty
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.passwords import check_password
from tests.project import Project

LONG = "long enough"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.close()


def test_a_new_user_is_an_admin_with_the_password_of_the_pipe(project: Project) -> None:
    done = project.cli("set-password", "ana", input_text=f"{LONG}\nsecond line\n")
    assert done.code == 0
    assert "Made the user ana, admin." in done.stderr
    user = repo.get_user_by_name(project.db, "ana")
    assert check_password(user.password_hash, LONG)
    assert LONG not in done.stdout + done.stderr
    entry = repo.list_audit(project.db)[0]
    assert entry.user.startswith("shell")
    assert (entry.action, entry.kind, entry.name) == ("create", "user", "ana")


def test_a_known_user_gets_the_new_password_and_loses_sessions(project: Project) -> None:
    project.cli("set-password", "ana", input_text=f"{LONG}\n")
    user = repo.get_user_by_name(project.db, "ana")
    session = repo.open_session(project.db, user.id)
    project.cli("set-password", "ANA", input_text="quite different\n")
    user = repo.get_user_by_name(project.db, "ana")
    assert user.role == "admin"
    assert check_password(user.password_hash, "quite different")
    assert repo.find_session(project.db, session) is None
    assert dict(repo.list_audit(project.db)[0].detail) == {"password": ["(old)", "(new)"]}


def test_a_role_is_given_and_the_last_admin_keeps_it(project: Project) -> None:
    project.cli("set-password", "ana", input_text=f"{LONG}\n")
    assert project.cli("set-password", "vera", "--role", "viewer", input_text=f"{LONG}\n").code == 0
    assert repo.get_user_by_name(project.db, "vera").role == "viewer"
    refused = project.cli("set-password", "ana", "--role", "viewer", input_text="quite different\n")
    assert refused.code == 2
    assert "One enabled admin must stay" in refused.stderr
    assert check_password(repo.get_user_by_name(project.db, "ana").password_hash, LONG)


@pytest.mark.parametrize("line", ["", "short\n"])
def test_a_password_that_is_too_short_changes_nothing(project: Project, line: str) -> None:
    done = project.cli("set-password", "ana", input_text=line)
    assert done.code == 2
    assert "at least 8 characters" in done.stderr
    assert repo.list_users(project.db) == []


def test_users_are_listed_without_hashes_and_deleted(project: Project) -> None:
    for name in ("ana", "zoe"):
        project.cli("set-password", name, input_text=f"{LONG}\n")
    listed = project.cli_json("users", "list")
    assert [(user["name"], user["role"], user["enabled"]) for user in listed] == [
        ("ana", "admin", True),
        ("zoe", "admin", True),
    ]
    assert "hash" not in str(listed)
    assert project.cli("users", "delete", "zoe").code == 0
    assert project.cli("users", "delete", "ana").code == 2
    assert [user.name for user in repo.list_users(project.db)] == ["ana"]


def type_passwords(project: Project, lines: list[str]) -> tuple[int, str]:
    """Runs `set-password ana` on a terminal, answers each question, and gives its exit code and what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(sys.executable, [sys.executable, "-m", "pipekit", "set-password", "ana"], project.environment())
    shown = b""
    try:
        for line in lines:
            while not shown.endswith(b": "):
                shown += os.read(terminal, 1000)
            os.write(terminal, f"{line}\n".encode())
            shown += b"\n"
        with suppress(OSError):  # the terminal is gone with the process
            while block := os.read(terminal, 1000):
                shown += block
    finally:
        os.close(terminal)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code, shown.decode()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_on_a_terminal_it_asks_twice_without_echo(project: Project) -> None:
    code, shown = type_passwords(project, [LONG, LONG])
    assert code == 0, shown
    assert LONG not in shown
    assert shown.count("Password for ana") + shown.count("The same again") == 2
    assert check_password(repo.get_user_by_name(project.db, "ana").password_hash, LONG)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_two_passwords_that_differ_change_nothing(project: Project) -> None:
    code, shown = type_passwords(project, [LONG, "long enoough"])
    assert code == 2
    assert "differ" in shown
    assert repo.list_users(project.db) == []

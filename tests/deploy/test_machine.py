# deploy.sh on a whole machine, without a prefix: users, rights, and what it asks of systemd. Needs mount namespaces.
"""The machine's own folders are private mounts, and `systemctl` is a stand-in: no systemd is booted for a test."""

from pathlib import Path

import pytest

from tests.deploy.conftest import Done, Machine, copy_tree, must


@pytest.fixture(scope="module")
def deployed(machine: Machine) -> Done:
    return must(machine.deploy())


def take_calls(machine: Machine) -> list[str]:
    """What systemctl was asked to do since the last look, without questions."""
    calls = must(machine.run("cat", "/run/known/calls")).out.splitlines()
    must(machine.run("truncate", "-s0", "/run/known/calls"))
    return [call for call in calls if not call.startswith(("is-", "show ", "cat "))]


def test_a_service_is_made_enabled_and_started_and_the_second_run_leaves_it_alone(
    machine: Machine, deployed: Done
) -> None:
    assert "changed: user pipekit, without login" in deployed.out
    assert take_calls(machine) == ["enable --quiet pipekit", "daemon-reload", "start pipekit"]
    assert must(machine.deploy()).last_line == "0 changes"
    assert take_calls(machine) == []
    passwd = must(machine.run("grep", "^pipekit:", "/etc/passwd")).out
    assert passwd.rstrip().endswith(":/var/lib/pipekit:/usr/sbin/nologin")
    assert must(machine.run("grep", "-c", "^pipekit:!", "/etc/shadow")).out == "1\n"


@pytest.mark.usefixtures("deployed")
def test_owners_and_modes_are_those_of_the_specification(machine: Machine) -> None:
    paths = ("/etc/pipekit", "/etc/pipekit/config.yaml", "/etc/pipekit/secrets.env", "/var/lib/pipekit")
    more = ("/var/lib/pipekit/pipekit.db", "/opt/pipekit", "/usr/local/bin/pipekit")
    assert must(machine.run("stat", "-c", "%a %U:%G", *paths, *more)).out.splitlines() == [
        "750 root:pipekit",
        "640 root:pipekit",
        "640 root:pipekit",
        "700 pipekit:pipekit",
        "600 pipekit:pipekit",
        "755 root:root",
        "755 root:root",
    ]


@pytest.mark.usefixtures("deployed")
def test_the_service_reads_configuration_and_secrets_and_writes_neither(machine: Machine) -> None:
    for name in ("config.yaml", "secrets.env"):
        must(machine.as_user("pipekit", "cat", f"/etc/pipekit/{name}"))
        assert machine.as_user("pipekit", "tee", "-a", f"/etc/pipekit/{name}").code != 0
    assert machine.as_user("pipekit", "touch", "/etc/pipekit/new").code != 0
    refused = machine.as_user("pipekit", "pipekit", "secrets", "set", "DW", stdin="value\n")
    assert refused.code == 2
    assert "cannot be written" in refused.err


@pytest.mark.usefixtures("deployed")
def test_root_sets_a_secret_and_the_file_stays_roots_and_readable_by_the_service(machine: Machine) -> None:
    must(machine.run("pipekit", "secrets", "set", "DW_PASSWORD", stdin="open sesame\n"))
    assert must(machine.run("stat", "-c", "%a %U:%G", "/etc/pipekit/secrets.env")).out == "640 root:pipekit\n"
    assert "DW_PASSWORD" in must(machine.as_user("pipekit", "pipekit", "secrets", "list")).out
    assert must(machine.deploy()).last_line == "0 changes"


@pytest.mark.usefixtures("deployed")
def test_what_root_does_to_the_state_is_done_as_the_service_from_a_closed_folder_too(machine: Machine) -> None:
    must(machine.run("mkdir", "-p", "-m", "0700", "/run/closed"))
    doctor = must(machine.run("pipekit", "doctor", cwd="/run/closed")).out
    assert "bad" not in doctor
    text = "connections: {shop: {driver: sqlite, jdbc_url: 'jdbc:sqlite:shop.db'}}\n"
    must(machine.run("pipekit", "apply", "-", stdin=text, cwd="/run/closed"))
    assert "shop" in must(machine.as_user("pipekit", "pipekit", "connections", "list")).out
    owners = must(machine.run("find", "/var/lib/pipekit", "-not", "-user", "pipekit")).out
    assert owners == ""


@pytest.mark.usefixtures("deployed")
def test_anybody_else_is_told_to_use_sudo_or_a_project_of_their_own(machine: Machine) -> None:
    assert must(machine.as_user("games", "pipekit", "--version")).out.startswith("pipekit ")
    refused = machine.as_user("games", "pipekit", "runs", "list")
    assert refused.code == 2
    assert "Hint: sudo pipekit runs" in refused.err
    assert machine.as_user("games", "cat", "/etc/pipekit/secrets.env").code != 0


@pytest.mark.usefixtures("deployed")
def test_root_does_not_do_what_the_home_of_another_user_says(machine: Machine) -> None:
    must(machine.run("sh", "-c", "mkdir -p /run/theirs/.pipekit && chown -R games /run/theirs"))
    marks = "runner: jrunner\njrunner: /run/theirs/run\n"
    must(machine.run("sh", "-c", f"printf '{marks}' > /run/theirs/.pipekit/config.yaml"))
    for words in (("pipekit", "secrets", "set", "A"), ("pipekit", "--home", "/run/theirs/.pipekit", "runs", "list")):
        refused = machine.run(*words, cwd="/run/theirs", stdin="x\n")
        assert refused.code == 2
        assert "root would do what it says" in refused.err
    assert machine.run("test", "-e", "/run/theirs/.pipekit/secrets.env").code == 1


@pytest.mark.usefixtures("deployed")
def test_a_changed_configuration_restarts_the_service(machine: Machine) -> None:
    take_calls(machine)
    must(machine.run("sh", "-c", "sleep 1.1; touch /etc/pipekit/config.yaml"))
    assert must(machine.deploy()).last_line == "1 changes"
    assert take_calls(machine) == ["daemon-reload", "restart pipekit"]
    assert must(machine.deploy()).last_line == "0 changes"


@pytest.mark.usefixtures("deployed")
def test_a_service_that_is_switched_off_stays_so_when_that_is_asked_for(machine: Machine) -> None:
    must(machine.run("rm", "/run/known/active", "/run/known/enabled"))
    take_calls(machine)
    assert must(machine.deploy("--no-start")).last_line == "0 changes"
    assert take_calls(machine) == []
    must(machine.deploy())
    assert take_calls(machine) == ["enable --quiet pipekit", "daemon-reload", "start pipekit"]


@pytest.mark.usefixtures("deployed")
def test_an_upgrade_stops_the_service_first_and_when_it_fails_starts_it_as_it_was(
    machine: Machine, tmp_path: Path
) -> None:
    take_calls(machine)
    newer = copy_tree(tmp_path / "newer")
    migration = newer / "pipekit/migrations/9998_later.sql"
    migration.write_text("CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;\n")
    copy = "/var/lib/pipekit/pipekit.db.before-9998_later"
    must(machine.run("mkdir", "-p", f"{copy}/in the way"))
    failed = machine.deploy(tree=newer)
    assert failed.code == 1
    assert "could not be brought up to date; it is as it was" in failed.err
    assert take_calls(machine) == ["stop pipekit", "daemon-reload", "start pipekit"]
    # What the unit starts is still the old version, on the old schema.
    assert "schema is current" in must(machine.run("pipekit", "doctor")).out

    must(machine.run("rm", "-r", copy))
    done = must(machine.deploy(tree=newer))
    assert take_calls(machine) == ["stop pipekit", "daemon-reload", "start pipekit"]
    assert f"as it was before: {copy}" in done.out
    assert must(machine.run("stat", "-c", "%a %U:%G %F", copy)).out == "600 pipekit:pipekit regular file\n"
    assert must(machine.deploy(tree=newer)).last_line == "0 changes"
    assert "written by a newer Pipekit (it has 9998_later)" in machine.deploy().err
    assert take_calls(machine) == []

# Registering JDBC drivers: which jars may be loaded, what is written down, what an endpoint gets. Starts no Java.
"""One folder, no way out of it, and a jar that stays what it was."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.definitions import edit
from pipekit.definitions.apply import apply_text
from pipekit.engine.context import open_endpoint
from pipekit.engine.jars import (
    check_drivers,
    check_url,
    fill_template,
    find_jar,
    get_registered_driver,
    list_driver_states,
    list_kinds,
    register,
)
from pipekit.errors import ConnectFailed, DriverUnknown, Invalid
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint
from tests.jars import write_jar
from tests.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    project.config.jar_folder.mkdir(parents=True)
    write_jar(project.config.jar_folder / "h2.jar")
    yield project
    project.close()


def add(project: Project, **more: str) -> bool:
    wanted = {"kind": "h2", "jar": "h2.jar", "java_class": "", "url_template": "jdbc:h2:tcp://{host}/{database}"}
    return register(project.db, project.config, **{**wanted, **more}, user="shell:ana")


def open_one(project: Project, kind: str = "h2", url: str = "jdbc:h2:tcp://h/d") -> Endpoint:
    connection = Connection(id=1, name="c", driver=kind, jdbc_url=url)
    return open_endpoint(project.config, project.secrets, connection, application="x")


def test_registering_is_an_upsert_with_an_audit_entry_for_each_change(project: Project) -> None:
    assert add(project) is True
    assert add(project) is False
    assert add(project, java_class="org.h2.Other") is True
    found = repo.find_driver_registration(project.db, "h2")
    assert found is not None
    assert (found.jar, found.java_class) == ("h2.jar", "org.h2.Other")
    assert len(found.jar_sha256 or "") == 64
    entries = [(entry.action, entry.kind, entry.name, entry.user) for entry in repo.list_audit(project.db)]
    assert entries == [("register", "driver", "h2", "shell:ana")] * 2


@pytest.mark.parametrize("jar", ["../h2.jar", "sub/../../h2.jar", "/etc/passwd", "", "gone.jar", "a\0b", "."])
def test_a_jar_that_is_not_in_the_folder_is_refused(project: Project, jar: str) -> None:
    (project.config.jar_folder.parent / "h2.jar").write_bytes(b"outside")
    with pytest.raises(Invalid) as refused:
        add(project, jar=jar)
    assert refused.value.field == "jar"
    assert str(project.config.jar_folder) in refused.value.hint


def test_a_symbolic_link_out_of_the_folder_is_refused_and_one_that_is_the_folder_is_not(project: Project) -> None:
    folder = project.config.jar_folder
    outside = folder.parent / "elsewhere"
    outside.mkdir()
    (outside / "evil.jar").write_bytes(b"x")
    os.symlink(outside / "evil.jar", folder / "linked.jar")
    os.symlink(outside, folder / "linked")
    for jar in ("linked.jar", "linked/evil.jar"):
        with pytest.raises(Invalid, match="symbolic link"):
            add(project, jar=jar)
    moved = folder.rename(folder.parent / "jars-on-another-disk")
    os.symlink(moved, folder)
    assert find_jar(project.config, "h2.jar") == folder / "h2.jar"


def test_the_whole_path_of_a_jar_in_the_folder_may_be_given(project: Project) -> None:
    add(project, jar=str(project.config.jar_folder / "h2.jar"))
    found = repo.find_driver_registration(project.db, "h2")
    assert found is not None
    assert found.jar == "h2.jar"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "H2"}, "kind"),
        ({"kind": "sqlite"}, "kind"),
        ({"kind": "postgresql"}, "kind"),
        ({"kind": "teradata", "url_template": "jdbc:teradata://{host}"}, "class"),
        ({"java_class": "no class at all"}, "class"),
        ({"url_template": "jdbc:postgresql://{host}/{database}"}, "url_template"),
        ({"url_template": "jdbc:h2:tcp://{host}/{database};INIT={x}"}, "url_template"),
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(project: Project, change: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(project, **change)
    assert refused.value.field == field
    assert repo.list_driver_registrations(project.db) == []


def test_a_kind_pipekit_knows_needs_neither_class_nor_template(project: Project) -> None:
    add(project, url_template="")
    found = repo.find_driver_registration(project.db, "h2")
    assert found is not None
    assert (found.java_class, found.url_template) == ("org.h2.Driver", "jdbc:h2:tcp://localhost/shop")
    for address in ("jdbc:h2:ssl://db/shop", "jdbc:h2:tcp://db/shop"):
        check_url(project.db, "h2", address)


def test_an_endpoint_gets_the_registered_jar(project: Project) -> None:
    add(project)
    endpoint = open_one(project)
    assert endpoint.jar == str(project.config.jar_folder / "h2.jar")
    assert endpoint.driver_class == "org.h2.Driver"
    assert len(endpoint.jar_sha256) == 64


def test_without_a_registration_the_error_says_how_to_make_one(project: Project) -> None:
    with pytest.raises(DriverUnknown) as refused:
        open_one(project, "db2i", "jdbc:as400://h")
    assert "pipekit drivers add --kind db2i --jar FILE" in refused.value.hint
    assert "--class" not in refused.value.hint
    with pytest.raises(DriverUnknown) as refused:
        open_one(project, "teradata", "jdbc:teradata://h")
    assert "--class CLASS" in refused.value.hint


def test_an_address_of_another_form_than_registered_is_refused_whenever_it_is_used(project: Project) -> None:
    add(project)
    with pytest.raises(Invalid, match="must start with jdbc:h2:tcp://"):
        open_one(project, url="jdbc:h2:/etc/x")
    with pytest.raises(Invalid, match="must start with jdbc:h2:tcp://"):
        check_url(project.db, "h2", "jdbc:h2:/etc/x")
    with pytest.raises(Invalid, match="not allowed"):
        check_url(project.db, "h2", "jdbc:h2:tcp://h/d;INIT=x")


def test_a_db2i_endpoint_has_what_pipekit_insists_on_in_its_url(project: Project) -> None:
    add(project, kind="db2i", url_template="")
    url = open_one(project, "db2i", "jdbc:as400://h/LIB").jdbc_url
    assert "date format=iso" in url


def test_a_kind_is_known_once_it_is_registered(project: Project) -> None:
    with pytest.raises(Invalid) as refused:
        get_registered_driver(project.db, "h2")
    assert refused.value.field == "driver"
    assert "pipekit drivers add" in refused.value.hint
    add(project)
    assert get_registered_driver(project.db, "h2").kind == "h2"
    assert "h2" in list_kinds(project.db)


def test_a_connection_of_a_registered_kind_is_made_by_page_and_file_and_of_another_not(project: Project) -> None:
    text = "connections:\n  x: {driver: h2, jdbc_url: 'jdbc:h2:tcp://h/d'}\n"
    with pytest.raises(Invalid, match="There is no driver 'h2'"):
        apply_text(project.db, text, user="ana")
    values = {"name": "y", "driver": "h2", "jdbc_url": "jdbc:h2:tcp://h/d"}
    with pytest.raises(Invalid, match="There is no driver 'h2'"):
        edit.create(project.db, edit.CONNECTION, "ana", **values)
    add(project)
    apply_text(project.db, text, user="ana")
    assert edit.create(project.db, edit.CONNECTION, "ana", **values).driver == "h2"
    with pytest.raises(Invalid, match="must start with jdbc:h2:tcp://"):
        apply_text(project.db, text.replace("jdbc:h2:tcp://h/d", "jdbc:h2:/etc/x"), user="ana")


def test_the_state_of_a_driver_says_when_its_jar_is_gone_or_another(project: Project) -> None:
    def look() -> tuple[str, str, str]:
        [state] = [state for state in list_driver_states(project.db, project.config) if state.kind == "h2"]
        return state.state, state.problem, state.hint

    add(project)
    assert look() == ("ok", "", "")
    jar = project.config.jar_folder / "h2.jar"
    jar.write_bytes(b"something else")
    state, problem, hint = look()
    assert state == "bad"
    assert "is not the jar that was registered" in problem
    assert "register it again" in hint
    jar.unlink()
    assert look()[0] == "bad"
    assert "There is no file" in look()[1]


def test_kinds_without_a_jar_say_how_to_register_one(project: Project) -> None:
    states = {state.kind: state for state in list_driver_states(project.db, project.config)}
    assert states["sqlite"].state == "built in"
    assert states["db2i"].state == "no jar"
    assert "pipekit drivers add --kind db2i" in states["db2i"].hint


def test_a_template_is_filled_with_something_for_each_part() -> None:
    assert fill_template("jdbc:x://{host}:{port}/{database}") == "jdbc:x://x:1000/x"
    assert fill_template("jdbc:derby:{file}") == "jdbc:derby:/x"


def test_without_the_bridge_to_java_the_extra_is_named(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without/jpype.py").write_text("raise ModuleNotFoundError('No module named jpype', name='jpype')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "without"))
    add(project)
    with NativeRunner(silence_timeout_s=60) as runner, pytest.raises(ConnectFailed) as refused:
        runner.query(open_one(project), "SELECT 1")
    assert "jpype is not installed" in refused.value.message
    assert "pipekit[jdbc]" in refused.value.hint
    assert "deploy.sh --with jdbc" in refused.value.hint
    [state] = check_drivers(project.db, project.config, "h2")
    assert (state.state, "pipekit[jdbc]" in state.hint) == ("bad", True)

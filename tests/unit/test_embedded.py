# Which addresses of embedded databases are taken, by text and by what lies in the folder. Loads no driver.
"""Without a folder none, with one those below it: as a person defines them, and as a run opens them."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.definitions.apply import apply_text
from pipekit.engine.context import open_endpoint
from pipekit.engine.jars import check_url, list_driver_states, register
from pipekit.errors import Invalid
from pipekit.models import Connection
from tests.jars import write_jar
from tests.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with a jar, and a folder `files` for databases beside a folder `other`."""
    project = Project(tmp_path)
    project.config.jar_folder.mkdir(parents=True)
    write_jar(project.config.jar_folder / "x.jar")
    for name in ("files", "other"):
        (tmp_path / name).mkdir()
    yield project
    project.close()


def add(project: Project, kind: str, folder: object = "", template: str = "") -> None:
    register(
        project.db, project.config, kind=kind, jar="x.jar", java_class="a.Driver", url_template=template,
        folder=str(folder), user="tests",
    )  # fmt: skip


def use(project: Project, kind: str, url: str) -> str:
    """The address as a run gives it to the driver; what defining says of it must be the same."""
    check_url(project.db, kind, url)
    connection = Connection(id=1, name="c", driver=kind, jdbc_url=url)
    return open_endpoint(project.config, project.secrets, connection, application="x").jdbc_url


def refuse(project: Project, kind: str, url: str) -> str:
    """What a run says of an address."""
    connection = Connection(id=1, name="c", driver=kind, jdbc_url=url)
    with pytest.raises(Invalid) as refused:
        open_endpoint(project.config, project.secrets, connection, application="x")
    return f"{refused.value.message} {refused.value.hint}"


SERVERS = (
    ("h2", "jdbc:h2:tcp://db/~/shop"),
    ("h2", "jdbc:h2:ssl://db/shop"),
    ("derby", "jdbc:derby://db:1527/shop"),
    ("hsqldb", "jdbc:hsqldb:hsqls://db/shop"),
    ("mariadb", "jdbc:mariadb://db/shop"),
    ("oracle", "jdbc:oracle:thin:@//db:1521/shop"),
    ("teradata", "jdbc:teradata://db/DATABASE=x"),
    ("informix", "jdbc:informix-sqli://db:9088/shop:INFORMIXSERVER=x"),
    ("sybase", "jdbc:sybase:Tds:db:5000/shop"),
)
FILES = (
    ("h2", "jdbc:h2:{}/shop"),
    ("h2", "jdbc:h2:file:{}/shop;MODE=DB2"),
    ("derby", "jdbc:derby:{}/shop;create=true"),
    ("derby", "jdbc:derby:directory:{}/shop"),
    ("hsqldb", "jdbc:hsqldb:file:{}/shop;shutdown=true"),
)
# Of drivers that Pipekit does not know, with what their kind is registered as.
UNKNOWN = (
    ("duckdb", "jdbc:duckdb:{file}", "jdbc:duckdb:{}/shop.db"),
    ("access", "jdbc:ucanaccess://{file}", "jdbc:ucanaccess://{}/shop.mdb"),
    ("csv", "jdbc:relique:csv:{file}", "jdbc:relique:csv:{}"),
    ("hive", "jdbc:hive2:///{file}", "jdbc:hive2:///shop"),
    ("vendor", "jdbc:vendor://{host}", "jdbc:vendor://db/shop"),
    ("calcite", "jdbc:calcite:model={file}", "jdbc:calcite:model={}/model.json"),
    ("firebird", "jdbc:firebirdsql:embedded:{file}", "jdbc:firebirdsql:embedded:{}/shop.fdb"),
)


def test_a_kind_without_a_folder_leads_to_servers_alone(project: Project, tmp_path: Path) -> None:
    for kind, url in SERVERS:
        add(project, kind, template="" if kind in ("h2", "derby", "hsqldb", "mariadb", "oracle") else url)
        assert use(project, kind, url).startswith(url)
    for kind, url in FILES:
        address = url.format(tmp_path / "files")
        assert f"--kind {kind} --jar x.jar --folder DIR" in refuse(project, kind, address)
        with pytest.raises(Invalid, match="registered for servers alone"):
            apply_text(project.db, f"connections: {{x: {{driver: {kind}, jdbc_url: '{address}'}}}}", user="ana")


@pytest.mark.parametrize(("kind", "template", "url"), UNKNOWN)
def test_a_driver_that_is_not_known_to_speak_to_servers_needs_a_folder(
    project: Project, tmp_path: Path, kind: str, template: str, url: str
) -> None:
    with pytest.raises(Invalid, match="not known that this address leads to a server") as refused:
        add(project, kind, template=template)
    assert "`jdbc_servers` in config.yaml" in refused.value.hint
    # As an earlier version registered it.
    repo.register_driver(project.db, kind, jar="x.jar", jar_sha256="0", java_class="a.B", url_template=template)
    assert "not known that this address leads to a server" in refuse(project, kind, url.format(tmp_path / "files"))
    [state] = [state for state in list_driver_states(project.db, project.config) if state.kind == kind]
    assert (state.state, "--folder DIR" in state.hint) == ("bad", True)


def test_the_machines_administrator_says_of_a_driver_that_it_speaks_to_servers_alone(project: Project) -> None:
    project.config = replace(project.config, jdbc_servers=("vendor", "a:b"))
    for kind, url in (("vendor", "jdbc:vendor://db:5000/shop"), ("ab", "jdbc:a:b://db/shop")):
        add(project, kind, template=url)
        assert use(project, kind, url) == url
    for url in ("jdbc:vendor:///etc/x", "jdbc:vendor://../x", "jdbc:vendor://"):
        assert "not known that this address leads to a server" in refuse(project, "vendor", url)


def test_a_database_in_a_file_lies_below_the_folder_of_its_kind(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    for kind, url in FILES:
        add(project, kind, folder)
        assert use(project, kind, url.format(folder)) == url.format(folder)
        assert use(project, kind, url.format(f"{folder}/deep er/2026-01"))
    add(project, "duckdb", folder, "jdbc:duckdb:{file}")
    assert use(project, "duckdb", f"jdbc:duckdb:{folder}/shop.db")
    assert "must lie below" in refuse(project, "duckdb", f"jdbc:duckdb:{folder}/shop.db;threads=1")
    add(project, "access", folder, "jdbc:ucanaccess://{file}")
    assert use(project, "access", f"jdbc:ucanaccess://{folder}/shop.mdb")


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd", "~/shop", "{}/", "{}//shop", "{}/./shop", "{}/../other/shop", "{}/a/../../other/shop",
        "{}2/shop", "{}/x\\..\\..\\other\\shop", "{}/${{user.home}}/shop", "{}/%2e%2e/shop", "{}/a:b/shop",
        "{}/shop?mode=/../../other/shop", "{}/.hidden", "{}/ ../shop", "{}/split:nio:{}/shop", "/zip:{}/x.zip!/shop",
        "{}/shop~1", "{}/*", "{}/\u2024\u2024/other",
    ],
)  # fmt: skip
def test_what_leads_out_of_the_folder_or_might_is_refused(project: Project, tmp_path: Path, file: str) -> None:
    path = file.format(*[tmp_path / "files"] * 2)
    for kind, url in FILES:
        add(project, kind, tmp_path / "files")
        address = url.replace("{}", path)
        refuse(project, kind, address)
        with pytest.raises(Invalid):
            check_url(project.db, kind, address)


@pytest.mark.parametrize(
    "link",
    ["files/shop", "files/shop.mv.db", "files/shop.script", "files/shop/log", "files/shop/seg0/c1.dat", "files/a"],
)
def test_a_symbolic_link_out_of_the_folder_is_refused(project: Project, tmp_path: Path, link: str) -> None:
    place = tmp_path / link
    place.parent.mkdir(parents=True, exist_ok=True)
    os.symlink(tmp_path / "other", place)
    name = "a/shop" if link == "files/a" else "shop"
    for kind, url in FILES:
        add(project, kind, tmp_path / "files")
        assert "by a symbolic link" in refuse(
            project, kind, url.format(f"{tmp_path}/files").replace("/shop", f"/{name}")
        )
    assert list((tmp_path / "other").iterdir()) == []


def test_the_folder_itself_and_what_stays_in_it_may_be_links(project: Project, tmp_path: Path) -> None:
    os.symlink(tmp_path / "files", tmp_path / "link")
    (tmp_path / "files/disk2").mkdir()
    os.symlink(tmp_path / "files/disk2", tmp_path / "files/new")
    os.symlink("/etc", tmp_path / "files/shop2.mv.db")
    add(project, "h2", tmp_path / "link")
    assert use(project, "h2", f"jdbc:h2:{tmp_path}/link/shop")
    assert use(project, "h2", f"jdbc:h2:{tmp_path}/link/new/shop")


def test_pipekits_own_files_are_no_databases(project: Project, tmp_path: Path) -> None:
    home = project.home
    add(project, "h2", home)
    add(project, "duckdb", home, "jdbc:duckdb:{file}")
    for name in ("pipekit", "pipekit.db", "secrets", "config", "jars/x"):
        assert "Pipekit's own files" in refuse(project, "h2", f"jdbc:h2:{home}/{name}")
    for name in ("pipekit.db", "pipekit.db-wal", "secrets.env", "config.yaml", "jars/x.jar"):
        assert "Pipekit's own files" in refuse(project, "duckdb", f"jdbc:duckdb:{home}/{name}")
    assert use(project, "h2", f"jdbc:h2:{home}/shop")


@pytest.mark.parametrize(
    ("kind", "folder", "words"),
    [
        ("h2", "files", "whole path"),
        ("h2", "/", "not all of the machine"),
        ("h2", "//", "not all of the machine"),
        ("h2", "/srv/..", "not all of the machine"),
        ("h2", "/proc/self/root", "not all of the machine"),
        ("h2", "/gone/away", "cannot be looked into"),
        ("h2", "{}/plain", "is no folder"),
        ("h2", "{}/open", "Every user of this machine may write"),
        ("h2", "{}/a;b", "whole path"),
        ("mariadb", "{}/files", "servers alone"),
        ("db2i", "{}/files", "servers alone"),
    ],
)
def test_a_folder_that_holds_nothing_back_is_refused(
    project: Project, tmp_path: Path, kind: str, folder: str, words: str
) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(Invalid, match=words) as refused:
        add(project, kind, folder.format(tmp_path), "")
    assert refused.value.field == "folder"


def test_a_folder_that_was_opened_to_everybody_or_is_gone_is_told_of_and_not_used(
    project: Project, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    add(project, "h2", folder)
    folder.chmod(0o777)
    assert "may write into" in refuse(project, "h2", f"jdbc:h2:{folder}/shop")
    folder.rmdir()
    assert "cannot be looked into" in refuse(project, "h2", f"jdbc:h2:{folder}/shop")
    [state] = [state for state in list_driver_states(project.db, project.config) if state.kind == "h2"]
    assert (state.state, state.folder) == ("bad", str(folder))


def test_registering_a_kind_again_without_its_folder_closes_it(project: Project, tmp_path: Path) -> None:
    add(project, "h2", tmp_path / "files")
    assert repo.list_audit(project.db)[0].detail["folder"] == str(tmp_path / "files")
    add(project, "h2")
    assert "registered for servers alone" in refuse(project, "h2", f"jdbc:h2:{tmp_path}/files/shop")

# Kinds of databases on their page: what there is, and registering the jars of those that are reached over JDBC.
"""`/drivers`, seen from outside. No Java is started."""

from pathlib import Path

import pytest

from pipekit import repo
from pipekit.engine.jars import register
from tests.jars import write_jar
from tests.pages.site import Site, Visitor


@pytest.fixture
def jars(site: Site) -> Path:
    """The folder for jars, with two in it."""
    folder = site.config.jar_folder
    (folder / "old").mkdir(parents=True)
    write_jar(folder / "h2.jar")
    write_jar(folder / "old" / "jt400.jar")
    (folder / "notes.txt").write_text("no jar")
    return folder


def test_drivers_show_how_an_address_looks(vera: Visitor) -> None:
    page = vera.get("/drivers")
    assert "jdbc:sqlite:shop.db" in page.text
    assert "PostgreSQL" in page.text


def test_drivers_show_what_is_registered_and_whether_its_jar_is_still_that(
    site: Site, vera: Visitor, jars: Path
) -> None:
    register(site.db, site.config, kind="h2", jar="h2.jar", java_class="", url_template="", user="tests")
    page = vera.get("/drivers")
    rows = {cell.text(): row.text() for row in page.all("#jars tbody tr") if (cell := row.css_first("td"))}
    assert set(rows) == {"db2i", "h2", "jdbc"}
    assert "no jar" in rows["db2i"]
    assert "as registered" in rows["h2"]
    assert "org.h2.Driver" in rows["h2"]
    assert not page.has("main form")
    (jars / "h2.jar").write_bytes(b"another")
    assert "is not the jar that was registered" in vera.get("/drivers").text
    assert vera.get("/audit?kind=driver").texts("tbody strong") == ["h2"]


def test_without_a_jar_the_page_says_where_one_belongs(site: Site, ana: Visitor) -> None:
    page = ana.get("/drivers")
    assert f"There is no jar in {site.config.jar_folder}" in page.text
    assert not page.has("form[action='/drivers']")


def test_an_admin_registers_a_jar_that_lies_in_the_folder(site: Site, ana: Visitor, jars: Path) -> None:
    form = "form[action='/drivers']"
    page = ana.get("/drivers")
    assert page.texts(f"{form} option[value$='.jar']") == ["h2.jar", "old/jt400.jar"]
    assert ana.post("/drivers", {**page.form(form), "kind": "h2", "jar": "h2.jar"}).status == 303
    found = repo.find_driver_registration(site.db, "h2")
    assert found is not None
    assert (found.jar, found.java_class) == ("h2.jar", "org.h2.Driver")
    assert repo.list_audit(site.db)[0].user == "ana"
    again = ana.get("/drivers?kind=h2")
    assert again.one("#f-jar option[selected]").attributes["value"] == "h2.jar"
    assert again.one("#f-java_class").attributes["value"] == "org.h2.Driver"
    opened = {**again.form(form), "folder": str(site.config.home)}
    assert ana.post("/drivers", opened).status == 303
    assert ana.get("/drivers?kind=h2").one("#f-folder").attributes["value"] == str(site.config.home)
    assert str(site.config.home) in ana.get("/drivers").one("#jars").text()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"kind": ""}, "kind", "Give the kind a name"),
        ({"kind": "sqlite"}, "kind", "built in"),
        ({"kind": "H 2"}, "kind", "cannot be the name"),
        ({"jar": ""}, "jar", "Choose the jar"),
        ({"jar": "../h2.jar"}, "jar", "outside of the folder"),
        ({"jar": "/etc/passwd"}, "jar", "outside of the folder"),
        ({"jar": "gone.jar"}, "jar", "There is no file"),
        ({"java_class": "no class"}, "java_class", "full name of the driver's class"),
        ({"url_template": "jdbc:h2:mem:x;INIT=RUNSCRIPT"}, "url_template", ""),
        ({"url_template": "jdbc:h2:{file}"}, "url_template", "registered for servers alone"),
        ({"folder": "files"}, "folder", "whole path"),
    ],
)
def test_what_cannot_be_registered_is_said_beside_its_field(
    site: Site, ana: Visitor, jars: Path, changes: dict[str, str], field: str, words: str
) -> None:
    given = {"kind": "h2", "jar": "h2.jar", "java_class": "", "url_template": ""}
    page = ana.post("/drivers", {**given, **changes})
    assert page.status == 422
    assert words in page.one(f"#p-{field}").text()
    assert page.one("#f-kind").attributes["value"] == changes.get("kind", "h2")
    assert repo.find_driver_registration(site.db, "h2") is None


def test_a_registration_is_forgotten_unless_a_connection_uses_it(site: Site, ana: Visitor, jars: Path) -> None:
    register(site.db, site.config, kind="h2", jar="h2.jar", java_class="", url_template="", user="tests")
    made = repo.create_connection(site.db, name="cellar", driver="h2", jdbc_url="jdbc:h2:tcp://localhost/shop")
    assert "its jar's name" in ana.get("/drivers/h2/delete").text
    page = ana.post("/drivers/h2/delete")
    assert page.status == 409
    assert "used by cellar" in page.one(".problem").text()
    repo.delete_connection(site.db, made.id)
    assert ana.post("/drivers/h2/delete").status == 303
    assert repo.find_driver_registration(site.db, "h2") is None
    assert (jars / "h2.jar").exists()
    assert ana.post("/drivers/h2/delete").status == 409
